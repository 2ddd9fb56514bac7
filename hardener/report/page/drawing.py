"""The connections of a tree as an SVG: a frame for each namespace, a box for each workload, lines from left to right.

A line is a connection between two workloads of the tree. All other ways in and out of a workload are rows of its box,
with a short arrow: who may come in from elsewhere, which hosts it talks to, the Kubernetes API, itself. So a tree in
which everything is open to monitoring is no ball of lines, and no label lies on a line or on another label.

``columns`` places what is connected, ``_shelved`` what is not. Both are our own: see ``docs/design/drawing.md`` for
what else was tried, with figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from math import sqrt
from unicodedata import east_asian_width

from msgspec import Struct, field

from hardener.facts.network.connections import Port, Way
from hardener.report.connections.graph import Graph, Host, How, Lack, Link, Workload
from hardener.report.connections.graph_formats import HOW, ORIGINS, by_namespace, ports, reason
from hardener.report.connections.names import LONGEST, told_apart
from hardener.report.page.columns import STUB, Box, Columns, Line, connected
from hardener.report.page.words import Texts
from hardener.support.printable import plain

MOST_BOXES, MOST_LINES = 150, 400  # more are not drawn; the list beside the drawing has them all
_WIDE = 1180  # a row of parts is not filled further
_CHAR, _SMALL = 7.3, 6.7  # width of a character of a name, and of other text
_NARROWEST, _LONGEST = 96, LONGEST  # width of a box; characters of a text that are drawn, the rest is in its title
_HEAD, _LINE, _PAD = 38, 15, 8
_ROWS = 9  # of a box; more are one row that counts them
_TITLE, _FOOT, _BETWEEN = 28, 12, 16  # of a frame, and between two
# Where those come from who are no workload of the tree, in few words; the title of a row says it in full.
_ORIGINS = {
    Way.OUTSIDE: "anywhere",
    Way.API_SERVER: "the API server",
    Way.MONITORING: "monitoring",
    Way.PROGRAM: "any namespace",
    Way.GATEWAY: "gateways",
    Way.CONTROLLER: "any namespace",
    Way.UNREAD: "what was not read",
    Way.NAMESPACE: "its namespace",
    Way.MADE: "pods it makes",
    Way.RECORDED: "who was seen",
}
_LACKS = {
    Lack.EXTERNAL: "outside the cluster",
    Lack.UNSEEN: "the tree does not show its pods",
    Lack.UNRESOLVED: "the tree does not hold it",
}
_SHORT_LACKS = {Lack.EXTERNAL: "", Lack.UNSEEN: ", pods not in the tree", Lack.UNRESOLVED: ", not in the tree"}


class _Row(Struct, eq=False):
    """A line of text in a box; ``arrow`` is the class of the short arrow beside it, and how it looks."""

    text: str
    about: str
    arrow: str = ""


class _Node(Struct, eq=False):
    """What a box shows."""

    kind: str
    name: str
    about: str
    file: str = ""  # where the name alone does not tell which it is
    look: str = "workload"  # class in the style sheet
    rows: list[_Row] = field(default_factory=list)

    @property
    def head(self) -> float:
        return _HEAD + (_LINE if self.file else 0)

    def box(self, strip: int) -> Box:
        texts = [self.kind, self.file, *(row.text for row in self.rows)]
        width = max(_wide(self.name) * _CHAR, *(_wide(text) * _SMALL for text in texts)) + 22
        height = self.head + (len(self.rows) * _LINE + _PAD if self.rows else 4)
        return Box(round(max(_NARROWEST, width)), round(height), self, strip)


class Drawing:
    """The SVG of ``graph``. Workloads that nothing connects are not drawn, ``left_out`` is how many they are.

    ``boxes`` and ``lines`` are what is drawn, ``more_boxes`` and ``more_lines`` how many are not since there are too
    many. ``frames`` are the namespaces: text, x, y, width, height.
    """

    def __init__(self, graph: Graph, words: Texts) -> None:
        self.words = words
        found = _Nodes(graph, words.redactor.text)
        self.left_out = found.left_out
        self.boxes, self.lines = found.boxes, found.lines
        self.more_boxes, self.more_lines = found.more_boxes, found.more_lines
        self.frames: list[tuple[str, float, float, float, float]] = []
        self.width, self.height = self._place(list(found.strips))

    def _place(self, strips: list[str]) -> tuple[float, float]:
        """Give all its place: frames that lines join are one part, the others stand side by side."""
        parts = [self._part(*part, strips) for part in self._parts(len(strips))]
        widest = max([_WIDE, *(part.width for part in parts)])
        corners, width, height = _shelved([(part.width, part.height) for part in parts], widest, _BETWEEN)
        for part, (x, y) in zip(parts, corners, strict=True):
            part.move(x + 1, y + 1)
            self.frames += part.frames
        return width + 2, height + 2

    def _parts(self, count: int) -> Iterator[tuple[list[int], list[Box], list[Line]]]:
        """The namespaces that lines join, each time with their boxes and lines."""
        joined = list(range(count))

        def first(strip: int) -> int:
            while joined[strip] != strip:
                joined[strip] = strip = joined[joined[strip]]
            return strip

        for line in self.lines:
            one, other = sorted((first(line.start.strip), first(line.end.strip)))
            joined[other] = one
        groups: dict[int, tuple[list[int], list[Box], list[Line]]] = {}
        for strip in range(count):
            groups.setdefault(first(strip), ([], [], []))[0].append(strip)
        for box in self.boxes:
            groups[first(box.strip)][1].append(box)
        for line in self.lines:
            groups[first(line.start.strip)][2].append(line)
        return (group for group in groups.values() if group[1])

    def _part(self, numbers: list[int], boxes: list[Box], lines: list[Line], strips: list[str]) -> _Part:
        part = _Part(boxes, lines)
        if len(numbers) > 1:
            within = {strip: number for number, strip in enumerate(numbers)}
            for box in boxes:
                box.strip = within[box.strip]
            columns = Columns(boxes, lines, heads=_TITLE, feet=_FOOT, between=_BETWEEN)
            part.width, part.height = columns.width + 2 * _FOOT, columns.height
            part.frames = [
                (strips[strip], -float(_FOOT), top, part.width, bottom - top)
                for strip, (top, bottom) in zip(numbers, columns.strips, strict=True)
            ]
            part.move(_FOOT, 0)
            return part
        for box in boxes:
            box.strip = 0
        groups = connected(boxes, lines)
        placed = [Columns(*group) for group in groups]
        widest = max([_WIDE - 2 * _FOOT, *(each.width for each in placed)])
        corners, width, height = _shelved([(each.width, each.height) for each in placed], widest, _BETWEEN)
        for group, (x, y) in zip(groups, corners, strict=True):
            _Part(*group).move(x + _FOOT, y + _TITLE)
        title = strips[numbers[0]]
        part.width = max(width, _wide(_cut(title)) * _SMALL) + 2 * _FOOT
        part.height = height + _TITLE + _FOOT
        part.frames = [(title, 0.0, 0.0, part.width, part.height)]
        return part

    def notes(self) -> Iterator[str]:
        """Yield what the drawing leaves out, as sentences."""
        if self.more_boxes or self.more_lines:
            boxes, lines = len(self.boxes), len(self.lines)
            yield (
                f"The drawing shows {boxes} of {boxes + self.more_boxes} boxes and {lines} of {lines + self.more_lines}"
                " lines. The list has all of them."
            )
        if any(getattr(line.about, "how", None) is not None for line in self.lines):
            yield (
                "Thick lines were seen in a cluster: whole ones are named in the tree, too, dotted ones are not."
                " Thin lines are named in the tree and were not seen."
            )
        if self.left_out:
            one = self.left_out == 1
            yield (
                f"{self.left_out} workload{'' if one else 's'} without a connection {'is' if one else 'are'} not drawn."
            )

    # The SVG.

    def svg(self) -> Iterator[str]:
        """Yield the drawing; what it says stands in the list beside it, so that it is one image to a screen reader."""
        size = round(self.width), round(self.height)
        yield (
            f'<svg class="graph" role="img" aria-labelledby="graph-title" width="{size[0]}" height="{size[1]}" '
            f'viewBox="0 0 {size[0]} {size[1]}"><title id="graph-title">Who talks to whom: {len(self.boxes)} boxes and '
            f'{len(self.lines)} lines; the list says the same</title><defs><marker id="tip" viewBox="0 0 8 8" refX="7" '
            'refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>\n'
        )
        for _, x, y, width, height in self.frames:
            yield (f'<rect class="band" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="6"/>\n')
        for line in self.lines:
            yield (
                f'<g class="{_look(line)}"><title>{self.words.text(str(line.about))}</title>'
                f'<path d="{_curve(line.path)}" marker-end="url(#tip)"/></g>\n'
            )
        for box in self.boxes:
            yield from self._box(box)
        for title, x, y, *_ in self.frames:  # after the lines, which may pass here
            yield f'<text class="band-name" x="{x + 12:.0f}" y="{y + 18:.0f}">{self.words.text(_cut(title))}</text>\n'
        yield "</svg>"

    def _box(self, box: Box) -> Iterator[str]:
        node = _node(box)
        x, y = box.x, box.y
        yield (
            f'<g class="node {node.look}"><title>{self.words.text(node.about)}</title><rect x="{x:.0f}" y="{y:.0f}" '
            f'width="{box.width:.0f}" height="{box.height:.0f}" rx="5"/>'
            f'<text class="kind" x="{x + 10:.0f}" y="{y + 15:.0f}">{self.words.text(_cut(node.kind))}</text>'
            f'<text class="name" x="{x + 10:.0f}" y="{y + 30:.0f}">{self.words.text(_cut(node.name))}</text>'
        )
        if node.file:
            yield f'<text class="kind" x="{x + 10:.0f}" y="{y + 45:.0f}">{self.words.text(node.file)}</text>'
        if node.rows:
            yield f'<path class="rule" d="M{x:.0f} {y + node.head + 2:.0f}h{box.width:.0f}"/>'
        for number, row in enumerate(node.rows):
            middle = round(y + _row_at(node, number))
            yield (
                f'<g class="row {row.arrow}"><title>{self.words.text(row.about)}</title>'
                f'{_short_arrow(row, box, middle)}<text x="{x + 10:.0f}" y="{middle + 4}">{self.words.text(row.text)}'
                "</text></g>"
            )
        yield "</g>\n"


class _Part(Struct, eq=False):
    """A piece of the drawing that moves as one."""

    boxes: list[Box]
    lines: list[Line]
    width: float = 0
    height: float = 0
    frames: list[tuple[str, float, float, float, float]] = field(default_factory=list)

    def move(self, x: float, y: float) -> None:
        for box in self.boxes:
            box.x += x
            box.y += y
        for line in self.lines:
            line.path = [(px + x, py + y) for px, py in line.path]
        self.frames = [(text, fx + x, fy + y, width, height) for text, fx, fy, width, height in self.frames]


class _About(str):
    """What a line says, and ``how`` its connection is known."""

    how: How | None

    def __new__(cls, text: str, how: How | None) -> _About:
        found = super().__new__(cls, f"{text} ({HOW[how]})" if how is not None else text)
        found.how = how
        return found


def _look(line: Line) -> str:
    """The class of the arrow of a line: as its connection is known."""
    how = getattr(line.about, "how", None)
    return "arrow" if how in (None, How.INFERRED) else f"arrow {how}"


class _Nodes:
    """The boxes and lines of a graph, no more than fit. ``strips`` are the names of the namespaces, by their number."""

    def __init__(self, graph: Graph, mask: Callable[[str], str]) -> None:
        self.rows: dict[int, list[_Row]] = defaultdict(list)
        self._came: dict[int, dict[str, None]] = defaultdict(dict)  # ports at which workloads come in, by server
        pairs: dict[tuple[int, int, str], How | None] = {}
        for link in graph.links:
            if link.client is not None and link.client.id != link.server.id and link.certain:
                pairs[link.client.id, link.server.id, ports(link.ports)] = link.how
                self._came[link.server.id][ports(link.ports)] = None
        self._fill(graph)
        strips = by_namespace(graph)
        drawn = {id for pair in pairs for id in pair[:2]} | self.rows.keys()
        self.left_out = sum(1 for workload in graph.workloads if workload.id not in drawn)
        self.strips = dict.fromkeys(strips)
        told = told_apart((workload for workload in graph.workloads if workload.id in drawn), mask)
        boxes: dict[int, Box] = {}
        for strip, workloads in enumerate(strips.values()):
            for workload in workloads:
                if workload.id in drawn:
                    boxes[workload.id] = self._box(workload, told.get(workload.id, ""), strip)
        lines = [self._line(boxes[a], boxes[b], b, found, how) for (a, b, found), how in pairs.items()]
        self._keep(list(boxes.values()) + self._lone_services(graph), lines)

    def _fill(self, graph: Graph) -> None:
        """Everything about a workload that is no line to another."""
        self._fill_ways_in(graph, at := _ports_at(graph))
        for link in graph.links:
            if not link.certain and link.client is not None:
                self.rows[link.client.id].append(_doubt_row(link))
        for host in graph.hosts:
            self.rows[host.client.id].append(_host_row(host))
        for workload in graph.workloads:
            id = workload.id
            if workload.api:
                self.rows[id].append(_Row("to the Kubernetes API", "to the Kubernetes API", "out"))
            if workload.silent:
                self.rows[id].append(_Row("to whom: not all known", "partly read: it may call others", "out nowhere"))
            if (id, None) in at:
                which = at[id, None]
                self.rows[id].append(_Row(_cut(f"to itself: {which}"), f"to itself: {which}", "self"))

    def _fill_ways_in(self, graph: Graph, at: dict[tuple[int, Way | None], str]) -> None:
        """Who reaches a workload and is none, with the Services that are open to the outside."""
        reasons: dict[int, list[str]] = defaultdict(list)
        for service in graph.services:
            for server in service.servers:
                reasons[server.id].append(reason(service))
        for (id, way), which in at.items():
            if way is not None:
                is_outside = way is Way.OUTSIDE
                about = "; ".join([f"{which} from {ORIGINS[way]}", *(reasons.get(id, []) if is_outside else [])])
                end = f" from {_ORIGINS[way]}"
                look = "in open" if is_outside else "in"
                self.rows[id].append(_Row(_cut(which, _LONGEST - len(end)) + end, about, look))

    def _box(self, workload: Workload, file: str, strip: int) -> Box:
        came = [_Row(_cut(text), f"{text} from the workloads with a line to it") for text in self._came[workload.id]]
        name = plain(workload.name + (f" {workload.part}" if workload.part else ""))
        about = f"{workload.label}, {workload.file}:{workload.line}"
        node = _Node(plain(workload.kind), name, about, file, rows=came + self.rows.get(workload.id, []))
        if len(node.rows) > _ROWS:
            rest = node.rows[_ROWS - 1 :]
            node.rows = node.rows[: _ROWS - 1]
            node.rows.append(_Row(f"and {len(rest)} more", "; ".join(row.about for row in rest[:20])))
        return node.box(strip)

    def _line(self, client: Box, server: Box, id: int, found: str, how: How | None) -> Line:
        about = _About(f"{_about(client)} to {_about(server)}: {found}", how)
        return Line(client, server, _HEAD / 2, self._row_of(server, id, found), about)

    def _row_of(self, box: Box, id: int, text: str) -> float:
        node = _node(box)
        number = list(self._came[id]).index(text) if len(self._came[id]) < _ROWS else -1
        return _row_at(node, min(number, len(node.rows) - 1) if number >= 0 else len(node.rows) - 1)

    def _lone_services(self, graph: Graph) -> list[Box]:
        """Services that are open to the outside, and the tree does not show their pods."""
        alone = [service for service in graph.services if not service.servers]
        strip = len(self.strips)
        if alone:
            self.strips["pods not in the tree"] = None
        boxes = []
        for service in alone:
            about = f"Service/{service.name}, {service.file}:{service.line}"
            node = _Node("Service", plain(service.name), about, look="nowhere")
            node.rows = [_Row(_cut(f"{plain(service.kind)} from anywhere"), reason(service), "in open")]
            boxes.append(node.box(strip))
        return boxes

    def _keep(self, boxes: list[Box], lines: list[Line]) -> None:
        """The first parts that fit; of a part that does not, the boxes around the one with the most connections."""
        kept: dict[Box, None] = {}
        for own, between in sorted(connected(boxes, lines), key=lambda group: -len(group[1])):
            room = MOST_BOXES - len(kept)
            kept.update(dict.fromkeys(own if len(own) <= room else _around(own, between)[:room]))
            if len(kept) == MOST_BOXES:
                break
        self.boxes = [box for box in boxes if box in kept]
        self.lines = [line for line in lines if line.start in kept and line.end in kept][:MOST_LINES]
        self.more_boxes, self.more_lines = len(boxes) - len(self.boxes), len(lines) - len(self.lines)


def _around(boxes: list[Box], lines: list[Line]) -> list[Box]:
    near: dict[Box, list[Box]] = defaultdict(list)
    for line in lines:
        near[line.start].append(line.end)
        near[line.end].append(line.start)
    found = dict.fromkeys([max(boxes, key=lambda box: len(near[box]))])
    waiting = list(found)
    for box in waiting:
        fresh = [other for other in dict.fromkeys(near[box]) if other not in found]
        found.update(dict.fromkeys(fresh))
        waiting += fresh
    return waiting


def _node(box: Box) -> _Node:
    assert isinstance(box.about, _Node)
    return box.about


def _about(box: Box) -> str:
    node = _node(box)
    return f"{node.kind}/{node.name}" + (f" ({node.file})" if node.file else "")


def _row_at(node: _Node, number: int) -> float:
    """The middle of a row, from the top of its box."""
    return node.head + 4 + number * _LINE + _LINE / 2


def _short_arrow(row: _Row, box: Box, y: int) -> str:
    left, right = round(box.x), round(box.x + box.width)
    kinds = {
        "in": f"M{left - STUB + 2} {y}H{left}",
        "out": f"M{right} {y}H{right + STUB - 2}",
        "self": f"M{right} {y - 5}h8a5 5 0 0 1 0 10H{right}",
    }
    path = kinds.get(row.arrow.partition(" ")[0])
    return f'<path d="{path}" marker-end="url(#tip)"/>' if path else ""


def _curve(path: list[tuple[float, float]]) -> str:
    """Level in each pair of points, bent from one pair to the next."""
    (x, y), *rest = path
    parts = [f"M{x:.0f} {y:.0f}"]
    for number, (to_x, to_y) in enumerate(rest):
        if number % 2 == 0:
            parts.append(f"H{to_x:.0f}")
        else:
            middle = (x + to_x) / 2
            parts.append(f"C{middle:.0f} {y:.0f} {middle:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}")
        x, y = to_x, to_y
    return "".join(parts)


def _wide(text: str) -> int:
    """How many columns of a terminal ``text`` takes, when it is cut."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in _cut(text))


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def _ports_at(graph: Graph) -> dict[tuple[int, Way | None], str]:
    """The ports of each workload by the way in: None for those at which it reaches itself."""
    entries: dict[tuple[int, Way | None], dict[Port, None]] = defaultdict(dict)
    open_to_all: set[tuple[int, Way | None]] = set()
    for link in graph.links:
        if link.certain and (link.client is None or link.client.id == link.server.id):
            key = link.server.id, link.way or Way.OUTSIDE if link.client is None else None
            entries[key].update(dict.fromkeys(link.ports))
            if not link.ports:
                open_to_all.add(key)
    return {
        key: ports(() if key in open_to_all else sorted(found, key=lambda port: port.order))
        for key, found in entries.items()
    }


def _doubt_row(link: Link) -> _Row:
    text = f"perhaps to {link.server.label}: {ports(link.ports)}"
    return _Row(_cut(text), text, "out nowhere")


def _host_row(host: Host) -> _Row:
    name = plain(host.host if host.port is None else f"{host.host}:{host.port}")
    look = "out nowhere" if host.lack is Lack.UNRESOLVED else "out"
    text = f"to {name}{_SHORT_LACKS[host.lack]}"
    text = text if len(text) <= _LONGEST else _cut(f"to {name}")
    return _Row(text, f"to {name}, {_LACKS[host.lack]}", look)


_SHAPE = 2.0  # width over height, where there is a choice


def _shelved(
    sizes: Sequence[tuple[float, float]], widest: float, gap: float
) -> tuple[list[tuple[float, float]], float, float]:
    """The upper left corner of each of ``sizes`` (width, height), and width and height of it all.

    No row is wider than ``widest``, and few things make no row of that width: they would be small on a small screen.
    The tallest come first, so that little is left free below the others.
    """
    area = sum((width + gap) * (height + gap) for width, height in sizes)
    widest = min(widest, max([sqrt(area * _SHAPE), *(width for width, _ in sizes)]))
    corners = [(0.0, 0.0)] * len(sizes)
    x = y = tallest = right = 0.0
    for number in sorted(range(len(sizes)), key=lambda number: -sizes[number][1]):
        width, height = sizes[number]
        if x and x + width > widest:
            x, y, tallest = 0.0, y + tallest + gap, 0.0
        corners[number] = x, y
        right, tallest = max(right, x + width), max(tallest, height)
        x += width + gap
    return corners, right, y + tallest
