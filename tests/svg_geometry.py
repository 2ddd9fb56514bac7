"""What a drawing of connections looks like, read from the text of its SVG: boxes, frames, lines and texts.

``flaws`` looks for what a person would call wrong in it. It knows nothing of how the drawing was made.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from unicodedata import east_asian_width

Point = tuple[float, float]
_SVG = "{http://www.w3.org/2000/svg}"
_STEPS = 24  # pieces of a curve
_ADVANCE = {"name": 7.3, "kind": 6.63, "": 6.63}  # of a character of DejaVu Sans Mono, at 12 and 11 pixels


@dataclass(frozen=True)
class Rect:
    """From ``x``, ``y`` to ``right``, ``bottom``."""

    x: float
    y: float
    right: float
    bottom: float
    name: str = ""

    def overlaps(self, other: Rect) -> bool:
        """Whether they share more than a border."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def holds(self, other: Rect) -> bool:
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom

    def has_inside(self, point: Point) -> bool:
        """Whether ``point`` is in it, and not at its border."""
        x, y = point
        return self.x + 0.6 < x < self.right - 0.6 and self.y + 0.6 < y < self.bottom - 0.6


@dataclass
class Seen:
    """What stands in the SVG. A line is a list of points, with its title; ``short`` are the short arrows of boxes."""

    whole: Rect
    boxes: list[Rect] = field(default_factory=list)
    frames: list[Rect] = field(default_factory=list)
    lines: list[tuple[str, list[Point]]] = field(default_factory=list)
    short: list[list[Point]] = field(default_factory=list)
    texts: list[tuple[Rect, Rect]] = field(default_factory=list)  # each with the box that it stands in


def seen(svg: str) -> Seen:
    """The drawing ``svg``."""
    root = ET.fromstring(svg.replace("<svg ", f'<svg xmlns="{_SVG[1:-1]}" ', 1))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    found = Seen(Rect(0, 0, width, height))
    assert root.attrib["viewBox"] == f"0 0 {width:.0f} {height:.0f}"
    for element in root:
        kind = element.get("class", "").split(" ")[0]
        if kind == "band":
            found.frames.append(_rect(element))
        elif kind == "arrow":
            title, path = element.find(f"{_SVG}title"), element.find(f"{_SVG}path")
            assert title is not None and path is not None
            found.lines.append((title.text or "", points(path.attrib["d"])))
        elif kind == "node":
            rect, title = element.find(f"{_SVG}rect"), element.find(f"{_SVG}title")
            assert rect is not None and title is not None
            box = _rect(rect, title.text or "")
            found.boxes.append(box)
            found.texts += ((_text(text), box) for text in element.iter(f"{_SVG}text"))
            found.short += (
                points(path.attrib["d"]) for row in element.findall(f"{_SVG}g") for path in row.findall(f"{_SVG}path")
            )
    return found


def _rect(element: ET.Element, name: str = "") -> Rect:
    x, y, width, height = (float(element.attrib[key]) for key in ("x", "y", "width", "height"))
    return Rect(x, y, x + width, y + height, name)


def _text(element: ET.Element) -> Rect:
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    columns = sum(2 if east_asian_width(char) in "WF" else 1 for char in element.text or "")
    return Rect(x, y - 9, x + columns * _ADVANCE[element.get("class", "")], y + 3, element.text or "")


def points(path: str) -> list[Point]:
    """The points of a path of M, H, C, and of h and a as a loop has them."""
    found: list[Point] = []
    for command, text in re.findall(r"([MHCha])([^MHCha]*)", path):
        numbers = [float(number) for number in text.split()]
        if command == "M":
            found.append((numbers[0], numbers[1]))
        elif command == "H":
            found.append((numbers[0], found[-1][1]))
        elif command == "h":
            found.append((found[-1][0] + numbers[0], found[-1][1]))
        elif command == "a":
            x, y = found[-1]
            found += [(x + numbers[0], y + numbers[6] / 2), (x + numbers[5], y + numbers[6])]
        else:
            curve = [found[-1], *zip(numbers[::2], numbers[1::2], strict=True)]
            found += (_on_curve(curve, step / _STEPS) for step in range(1, _STEPS + 1))
    return found


def _on_curve(points: list[Point], t: float) -> Point:
    shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x, y = (sum(share * point[axis] for share, point in zip(shares, points, strict=True)) for axis in (0, 1))
    return x, y


def flaws(svg: str) -> list[str]:
    """Everything that is wrong with the drawing ``svg``, in words."""
    drawing = seen(svg)
    return [*_apart(drawing), *_inside(drawing), *_crossed(drawing), *_ends(drawing)]


def _apart(drawing: Seen) -> Iterator[str]:
    for what, rects in (("boxes", drawing.boxes), ("frames", drawing.frames)):
        for number, one in enumerate(rects):
            for other in rects[number + 1 :]:
                if one.overlaps(other):
                    yield f"{what} overlap: {one} and {other}"


def _inside(drawing: Seen) -> Iterator[str]:
    for box in drawing.boxes:
        around = [frame for frame in drawing.frames if frame.overlaps(box)]
        if len(around) != 1 or not around[0].holds(box):
            yield f"a box in no frame, or in two: {box}"
    for frame in drawing.frames:
        if not drawing.whole.holds(frame):
            yield f"a frame that is cut off: {frame}"
    for text, box in drawing.texts:
        if not box.holds(text):
            yield f"a text that leaves its box: {text} in {box}"
    for points in [*drawing.short, *(line for _, line in drawing.lines)]:
        if not all(0 <= x <= drawing.whole.right and 0 <= y <= drawing.whole.bottom for x, y in points):
            yield f"a line that is cut off: {points[0]} to {points[-1]}"


def _crossed(drawing: Seen) -> Iterator[str]:
    boxes = sorted(drawing.boxes, key=lambda box: box.x)
    starts = [box.x for box in boxes]
    widest = max((box.right - box.x for box in boxes), default=0)
    named = [*drawing.lines, *(("a short arrow", points) for points in drawing.short)]
    for name, line in named:
        for point in _dense(line):
            near = boxes[bisect_left(starts, point[0] - widest) : bisect_right(starts, point[0])]
            hit = next((box for box in near if box.has_inside(point)), None)
            if hit is not None:
                yield f"{name} passes behind {hit}"
                break


def _dense(line: list[Point]) -> Iterator[Point]:
    """``line`` with points on its level parts."""
    for (x1, y1), (x2, y2) in pairwise(line):
        steps = max(1, int(abs(x2 - x1) // 8))
        yield from ((x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps) for step in range(steps + 1))


def _ends(drawing: Seen) -> Iterator[str]:
    """Both ends of a line stand at boxes, and its arrow at the one that its title names."""
    by_side: dict[float, list[Rect]] = {}
    for box in drawing.boxes:
        by_side.setdefault(box.x, []).append(box)
        by_side.setdefault(box.right, []).append(box)
    for name, line in drawing.lines:
        for (x, y), label in ((line[0], name.partition(" to ")[0]), (line[-1], name.partition(" to ")[2])):
            at = [box for box in by_side.get(x, ()) if box.y <= y <= box.bottom]
            if len(at) != 1 or at[0].name.partition(",")[0] != re.split(r"[ :]", label)[0]:
                yield f"a line that does not end at its box: {name}: {at}"
