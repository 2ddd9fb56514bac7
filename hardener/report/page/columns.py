"""Boxes in columns and the lines between them: a layered drawing in which no line can cross a box.

Sugiyama's method (K. Sugiyama, S. Tagawa, M. Toda: Methods for visual understanding of hierarchical system structures,
1981), with strips: a line turns around where it would close a circle; the longest way to a box gives its column; a line
that passes a column has a lane in it, between the boxes; the order in a column is the one with the fewest crossings
that some sweeps find; heights are the nearest to those of the neighbours that keep order and distance.

All boxes of a column are as wide as it is, and a line changes its height in the gaps between columns only. So a line
meets boxes at its two ends, and nowhere else. A strip holds the boxes of one namespace, and no strip reaches into
another.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct, field

STUB = 24  # what stands free on both sides of a box, for arrow heads and for short arrows of its own
_GAP_Y, _LANE_GAP = 18, 9  # between boxes, and beside a lane
_BEND = 22  # width in which a line changes its height; more where there are many
_SWEEPS = 8


class Box(Struct, eq=False):
    """What is placed: it comes with its size, ``strip`` and whatever ``about`` is, and gets its place."""

    width: float
    height: float
    about: object = None
    strip: int = 0
    column: int = 0
    x: float = 0
    y: float = 0


class Line(Struct, eq=False):
    """A connection: it leaves ``start`` and comes to ``end`` at these heights in them, and gets its ``path``.

    ``path`` is a list of points with one height for every two of them, so that it is level at boxes and in lanes and
    bends between the second point of a pair and the first of the next.
    """

    start: Box
    end: Box
    leaves: float
    comes: float
    about: object = None
    path: list[tuple[float, float]] = field(default_factory=list)


class _Item(Struct, eq=False):
    """What stands in a column: a box, or the lane of the lines to one place of a box."""

    box: Box | None
    strip: int
    column: int
    height: float = 0
    y: float = 0
    left: list[tuple[_Item, float, float]] = field(default_factory=list)  # neighbour, height in it, own height
    right: list[tuple[_Item, float, float]] = field(default_factory=list)


def connected(boxes: Sequence[Box], lines: Iterable[Line]) -> list[tuple[list[Box], list[Line]]]:
    """Return ``boxes`` in groups that share no line, with the lines of each; in the order of their first boxes."""
    near: dict[Box, list[Box]] = defaultdict(list)
    for line in lines:
        near[line.start].append(line.end)
        near[line.end].append(line.start)
    group_of: dict[Box, int] = {}
    groups: list[tuple[list[Box], list[Line]]] = []
    for first in boxes:
        if first in group_of:
            continue
        group_of[first] = len(groups)
        waiting = [first]
        for box in waiting:
            fresh = [other for other in dict.fromkeys(near[box]) if other not in group_of]
            group_of.update(dict.fromkeys(fresh, len(groups)))
            waiting += fresh
        groups.append(([], []))
    for box in boxes:
        groups[group_of[box]][0].append(box)
    for line in lines:
        groups[group_of[line.start]][1].append(line)
    return groups


class Columns:
    """``boxes`` and ``lines`` arranged from the point 0, 0; ``width`` and ``height`` of it all.

    ``heads`` and ``feet`` are what is kept free above and below each strip, ``between`` what lies between two;
    ``strips`` are the top and the bottom of each, with its head and foot.
    """

    def __init__(
        self, boxes: Sequence[Box], lines: Sequence[Line], *, heads: float = 0, feet: float = 0, between: float = 0
    ) -> None:
        self.boxes, self.lines = boxes, lines
        order = _clients_first(boxes, lines)
        self._rank = {box: number for number, box in enumerate(order)}
        self._choose_columns(order)
        self._items = {box: _Item(box, box.strip, box.column, box.height) for box in order}
        self._routes = self._make_routes()
        columns: dict[int, list[_Item]] = defaultdict(list)
        for item in self._items.values():
            columns[item.column].append(item)
        for lane in dict.fromkeys(item for route in self._routes for item in route if item.box is None):
            columns[lane.column].append(lane)
        self._columns = [columns[number] for number in range(max(columns, default=-1) + 1)]
        self._order()
        self._place(heads, feet, between)

    def _goes_back(self, line: Line) -> bool:
        return self._rank[line.start] > self._rank[line.end]

    def _choose_columns(self, order: list[Box]) -> None:
        """After the longest way to each box, then to the right where that makes more lines shorter than longer."""
        after: dict[Box, list[Box]] = defaultdict(list)
        before: dict[Box, int] = defaultdict(int)
        for line in self.lines:
            first, second = (line.end, line.start) if self._goes_back(line) else (line.start, line.end)
            after[first].append(second)
            before[second] += 1
        for box in order:
            for other in after[box]:
                other.column = max(other.column, box.column + 1)
        for box in reversed(order):
            if after[box] and before[box] < len(after[box]):
                box.column = min(other.column for other in after[box]) - 1
        self._spread(order)

    def _spread(self, order: list[Box]) -> None:
        """Put what has no line where there is most room."""
        touched = {box for line in self.lines for box in (line.start, line.end)}
        last = max((box.column for box in touched), default=0)
        filled: dict[tuple[int, int], float] = defaultdict(float)
        for box in order:
            if box in touched:
                filled[box.strip, box.column] += box.height + _GAP_Y
        for box in order:
            if box not in touched:
                box.column = min(range(last + 1), key=lambda column: filled[box.strip, column])
                filled[box.strip, box.column] += box.height + _GAP_Y

    def _make_routes(self) -> list[list[_Item]]:
        """What each line passes, from left to right. Lines to one place of a box share their lanes."""
        lanes: dict[tuple[Box, float, bool, int], _Item] = {}
        routes = []
        known: set[tuple[_Item, _Item, float, float]] = set()
        for line in self.lines:
            back = self._goes_back(line)
            first, second = (line.end, line.start) if back else (line.start, line.end)
            route = [self._items[first]]
            for column in range(first.column + 1, second.column):
                lane = lanes.setdefault((line.end, line.comes, back, column), _Item(None, line.end.strip, column))
                route.append(lane)
            route.append(self._items[second])
            routes.append(route)
            heights = (line.comes, line.leaves) if back else (line.leaves, line.comes)
            for one, other in pairwise(route):
                y1 = heights[0] if one is route[0] else 0.0
                y2 = heights[1] if other is route[-1] else 0.0
                if (one, other, y1, y2) not in known:
                    known.add((one, other, y1, y2))
                    one.right.append((other, y2, y1))
                    other.left.append((one, y1, y2))
        return routes

    # The order in the columns.

    def _order(self) -> None:
        for column in self._columns:
            column.sort(key=lambda item: item.strip)
        best, fewest = [list(column) for column in self._columns], self._crossings()
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            forward = sweep % 2 == 0
            columns = self._columns if forward else self._columns[::-1]
            for column in columns:
                self._sort(column, forward)
            for column in columns:
                self._swap(column)
            found = self._crossings()
            if found < fewest:
                best, fewest = [list(column) for column in self._columns], found
        self._columns = best

    def _sort(self, column: list[_Item], forward: bool) -> None:
        """Each item as near as may be to the middle of what it is connected with in the column before."""
        if not column:
            return
        number = column[0].column + (-1 if forward else 1)
        beside = self._columns[number] if 0 <= number < len(self._columns) else []
        at = {item: place for place, item in enumerate(beside)}
        wanted = {}
        for place, item in enumerate(column):
            near = item.left if forward else item.right
            heights = [at[other] + y / (other.height + 1) for other, y, _ in near]
            wanted[item] = sum(heights) / len(heights) if heights else place
        column.sort(key=lambda item: (item.strip, wanted[item]))

    def _swap(self, column: list[_Item]) -> None:
        """Change neighbours of a strip where their lines cross less so."""
        at: dict[_Item, int] = {}
        for number in (column[0].column - 1, column[0].column + 1) if column else ():
            if 0 <= number < len(self._columns):
                at |= {item: place for place, item in enumerate(self._columns[number])}
        ends = {
            item: [sorted((at[other], y) for other, y, _ in side) for side in (item.left, item.right)]
            for item in column
        }
        for place in range(len(column) - 1):
            one, other = column[place : place + 2]
            if one.strip == other.strip:
                both = list(zip(ends[one], ends[other], strict=True))
                if sum(_crossed(a, b) for a, b in both) > sum(_crossed(b, a) for a, b in both):
                    column[place : place + 2] = other, one

    def _crossings(self) -> int:
        total = 0
        for column, following in pairwise(self._columns):
            at = {item: place for place, item in enumerate(following)}
            ends: list[tuple[int, float]] = []
            for item in column:
                found = [(own, (at[other], y)) for other, y, own in item.right]
                for _, end in sorted(found):
                    total += len(ends) - bisect_right(ends, end)
                    insort(ends, end)
        return total

    # Places.

    def _place(self, heads: float, feet: float, between: float) -> None:
        count = max((box.strip for box in self.boxes), default=0) + 1
        stacks: list[list[list[_Item]]] = [[[] for _ in range(count)] for _ in self._columns]
        for number, column in enumerate(self._columns):
            for item in column:
                stacks[number][item.strip].append(item)
        rooms = [max((_needed(column[strip]) for column in stacks), default=0.0) for strip in range(count)]
        self.strips: list[tuple[float, float]] = []
        top = 0.0
        for room in rooms:
            self.strips.append((top, top + heads + room + feet))
            top += heads + room + feet + between
        self.height = self.strips[-1][1]
        self._place_down(stacks, rooms, heads)
        self.width = self._place_across()
        for item in self._items.values():
            if item.box is not None:
                item.box.y = item.y
        for line, route in zip(self.lines, self._routes, strict=True):
            line.path = self._path(line, route)

    def _place_down(self, stacks: list[list[list[_Item]]], rooms: list[float], heads: float) -> None:
        """Place the stacks in the middle of their strips, then each item near what it is connected with."""
        for parts in stacks:
            for strip, stack in enumerate(parts):
                y = self.strips[strip][0] + heads + (rooms[strip] - _needed(stack)) / 2
                for item, offset in zip(stack, _offsets(stack), strict=True):
                    item.y = y + offset
        for sweep in range(_SWEEPS):
            sides = ("left", "right", "both")[2 if sweep >= _SWEEPS - 2 else sweep % 2]
            for parts in reversed(stacks) if sides == "right" else stacks:
                for strip, stack in enumerate(parts):
                    _settle(stack, self.strips[strip][0] + heads, rooms[strip], sides)

    def _place_across(self) -> float:
        x = float(STUB)
        self._spans: list[tuple[float, float]] = []
        for column in self._columns:
            boxes = [item.box for item in column if item.box is not None]
            width = max((box.width for box in boxes), default=0.0)
            for box in boxes:
                box.x, box.width = x, width
            self._spans.append((x, x + width))
            bends = len({id(other) for item in column for other, _, _ in item.right})
            x += width + 2 * STUB + (_BEND + 3 * min(bends, 12) if bends else 0)
        return x - STUB if self._columns else 0.0

    def _path(self, line: Line, route: list[_Item]) -> list[tuple[float, float]]:
        back = self._goes_back(line)
        heights = (line.comes, line.leaves) if back else (line.leaves, line.comes)
        points: list[tuple[float, float]] = []
        for item in route:
            left, right = self._spans[item.column]
            y = item.y + (heights[0] if item is route[0] else heights[1] if item is route[-1] else 0)
            points.append((right if item is route[0] else left - STUB, y))
            points.append((left if item is route[-1] else right + STUB, y))
        return points[::-1] if back else points


def _clients_first(boxes: Sequence[Box], lines: Iterable[Line]) -> list[Box]:
    """Clients before their servers, where no circle forbids it."""
    servers: dict[Box, list[Box]] = defaultdict(list)
    served: set[Box] = set()
    for line in lines:
        servers[line.start].append(line.end)
        served.add(line.end)
    order: list[Box] = []
    seen: set[Box] = set()
    for root in sorted(boxes, key=lambda box: box in served):  # what nobody calls is a beginning
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(servers[root]))]
        while stack:
            box, rest = stack[-1]
            following = next((server for server in rest if server not in seen), None)
            if following is None:
                order.append(box)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(servers[following])))
    return order[::-1]


def _crossed(above: Sequence[tuple[int, float]], below: Sequence[tuple[int, float]]) -> int:
    """How many lines of ``above`` and ``below`` cross, by their sorted ends on the other side."""
    return sum(len(above) - bisect_right(above, end) for end in below)


def _offsets(stack: Sequence[_Item]) -> list[float]:
    """How far below the first each item of a column stands at least."""
    found = []
    y = 0.0
    for number, item in enumerate(stack):
        if number:
            above = stack[number - 1]
            y += above.height + (_GAP_Y if above.box is not None and item.box is not None else _LANE_GAP)
        found.append(y)
    return found


def _needed(stack: Sequence[_Item]) -> float:
    return _offsets(stack)[-1] + stack[-1].height if stack else 0.0


def _settle(stack: Sequence[_Item], top: float, room: float, sides: str) -> None:
    """Heights nearest to those that the neighbours want, in order and apart: least squares by pooling what collides."""
    if not stack:
        return
    offsets = _offsets(stack)
    pools: list[tuple[float, float, int]] = []  # sum of weighted wishes, weight, how many items
    for item, offset in zip(stack, offsets, strict=True):
        near = (item.left if sides != "right" else []) + (item.right if sides != "left" else [])
        wish = sum(other.y + y - own for other, y, own in near) / len(near) if near else item.y
        weight = 4.0 if item.box is None else 1.0 if near else 0.2
        pool = ((wish - offset) * weight, weight, 1)
        while pools and pools[-1][0] / pools[-1][1] >= pool[0] / pool[1]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1], last[2] + pool[2])
        pools.append(pool)
    lowest = top + room - _needed(stack)
    place = 0
    for total, weight, count in pools:
        y = min(max(total / weight, top), lowest)
        for item, offset in zip(stack[place : place + count], offsets[place : place + count], strict=True):
            item.y = y + offset
        place += count
