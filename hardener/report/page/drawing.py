"""The connections of a tree as an SVG: namespaces as bands, connections from left to right.

What comes from elsewhere stands left of the workloads, what they talk to and the tree does not hold right of them. A
workload stands right of those that open connections to it; a connection that closes a circle goes back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from hardener.report.graph import Graph
from hardener.report.graph_formats import Outsiders, by_namespace
from hardener.report.page.words import Words
from hardener.support.fast_dataclass import dataclass

_HEIGHT, _GAP_Y = 40, 14  # of a node, and between two
_GAP_X = 110  # between columns, for the ports
_NARROW, _WIDE = 110, 290  # how wide a node may be
_CHAR = 7.0  # width of a character
_TITLE = 26  # height of the name of a band
_SWEEPS = 4
_LONGEST = 37  # characters of a label that are drawn; the rest is in its title


@dataclass(slots=True)
class _Node:
    id: str
    label: str
    about: str  # for a pointer that rests on it
    kind: str  # class in the style sheet
    column: int = 0
    row: float = 0  # its order while rows are sought
    x: float = 0
    y: float = 0
    width: float = 0


@dataclass(slots=True)
class _Arrow:
    start: _Node
    end: _Node
    labels: list[str]
    nowhere: bool


class Drawing:
    """The SVG of ``graph``; workloads that no connection touches are not drawn, ``left_out`` is how many they are."""

    def __init__(self, graph: Graph, words: Words) -> None:
        self.words = words
        outsiders = Outsiders(graph)
        touched = {id for start, end, _, _ in outsiders.arrows for id in (start, end)}
        self.bands: dict[str, list[_Node]] = {}
        for namespace, workloads in by_namespace(graph).items():
            nodes = [
                _Node(f"w{w.id}", w.label, f"{w.label}, {w.file}:{w.line}", "workload")
                for w in workloads
                if f"w{w.id}" in touched
            ]
            if nodes:
                self.bands[namespace] = nodes
        self.left_out = len(graph.workloads) - sum(map(len, self.bands.values()))
        self.outside = [
            _Node(id, label, label, "nowhere" if id in outsiders.unresolved else "outside")
            for label, id in outsiders.ids.items()
        ]
        inside = [node for nodes in self.bands.values() for node in nodes]
        self.nodes = {node.id: node for node in [*inside, *self.outside]}
        self.arrows = self._arrows(outsiders.arrows)
        self._columns(inside)
        self._rows()
        self.width, self.height = self._place()

    def _arrows(self, found: Iterable[tuple[str, str, str, bool]]) -> list[_Arrow]:
        arrows: dict[tuple[str, str], _Arrow] = {}
        for start, end, label, nowhere in found:
            arrow = arrows.setdefault((start, end), _Arrow(self.nodes[start], self.nodes[end], [], nowhere))
            if label and label not in arrow.labels:
                arrow.labels.append(label)
        return list(arrows.values())

    def _columns(self, inside: list[_Node]) -> None:
        """Workloads get the column after the last of their clients, those outside the first or the last one."""
        servers: dict[str, list[_Node]] = defaultdict(list)
        workloads = {node.id for node in inside}
        for arrow in self.arrows:
            if arrow.start is not arrow.end and {arrow.start.id, arrow.end.id} <= workloads:
                servers[arrow.start.id].append(arrow.end)
        order = _topological(inside, servers)
        position = {node.id: number for number, node in enumerate(order)}
        for node in order:
            node.column = node.column or 1
            for server in servers[node.id]:
                if position[server.id] > position[node.id]:
                    server.column = max(server.column, node.column + 1)
        last = max((node.column for node in inside), default=0) + 1
        ends = {arrow.end.id for arrow in self.arrows}
        for node in self.outside:
            node.column = last if node.id in ends else 0

    def _rows(self) -> None:
        """Order the nodes of each band and column so that few connections cross: each goes near those it touches."""
        near: dict[str, list[_Node]] = defaultdict(list)
        for arrow in self.arrows:
            if arrow.start is not arrow.end:
                near[arrow.start.id].append(arrow.end)
                near[arrow.end.id].append(arrow.start)
        groups = [group for nodes in [*self.bands.values(), self.outside] for group in _by_column(nodes).values()]
        for number, node in enumerate(self.nodes.values()):
            node.row = number
        for _ in range(_SWEEPS):
            for group in groups:
                wanted = {
                    node.id: sum(other.row for other in near[node.id]) / len(near[node.id])
                    if near[node.id]
                    else node.row
                    for node in group
                }
                rows = sorted(node.row for node in group)
                for row, node in zip(rows, sorted(group, key=lambda node: wanted[node.id]), strict=True):
                    node.row = row

    def _place(self) -> tuple[float, float]:
        """Give every node its place; the size of it all."""
        columns = _by_column(self.nodes.values())
        x = 10.0
        for column in range(max(columns, default=0) + 1):
            members = columns.get(column, [])
            longest = max((len(_cut(node.label.partition("/")[2] or node.label)) for node in members), default=0)
            width = min(_WIDE, max(_NARROW, longest * _CHAR + 20))
            for node in members:
                node.x, node.width = x, width
            x += (width + _GAP_X) if members else 0
        self.right = x - _GAP_X
        y = 10.0
        self.boxes: list[tuple[str, float, float]] = []
        for namespace, nodes in self.bands.items():
            top, y = y, y + _TITLE
            for group in self._connected(nodes):
                y = _stack(group, y)
            self.boxes.append((namespace, top, y))
            y += 12
        return self.right + 10, max(y, self._place_outside()) + 10

    def _connected(self, nodes: list[_Node]) -> list[list[_Node]]:
        """``nodes`` in groups that share no connection among them: copies of an application stay apart. Those without
        a connection among them are the last group."""
        of = {node.id: [node] for node in nodes}
        for arrow in self.arrows:
            one, other = of.get(arrow.start.id), of.get(arrow.end.id)
            if one is not None and other is not None and one is not other:
                one += other
                of |= {node.id: one for node in other}
        groups = list({id(group): group for group in of.values()}.values())
        alone = [group[0] for group in groups if len(group) == 1]
        return [group for group in groups if len(group) > 1] + ([alone] if alone else [])

    def _place_outside(self) -> float:
        """Each as high as the middle of what it touches, none above another; the lowest end of them."""
        bottom = 0.0
        for group in _by_column(self.outside).values():
            wanted = {}
            for node in group:
                ys = [
                    other.y
                    for arrow in self.arrows
                    for one, other in ((arrow.start, arrow.end), (arrow.end, arrow.start))
                    if one is node
                ]
                wanted[node.id] = sum(ys) / len(ys) if ys else 0.0
            free = 10.0 + _TITLE
            for node in sorted(group, key=lambda node: wanted[node.id]):
                node.y = max(free, wanted[node.id])
                free = node.y + _HEIGHT + _GAP_Y
            bottom = max(bottom, free)
        return bottom

    def svg(self) -> Iterator[str]:
        """The drawing; what it says stands in the list beside it, so that it is one image to a screen reader."""
        width, height = round(self.width), round(self.height)
        yield (
            f'<svg class="graph" role="img" aria-labelledby="graph-title" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}"><title id="graph-title">Who talks to whom: {len(self.arrows)} '
            'connections, all of them in the list below</title><defs><marker id="tip" viewBox="0 0 8 8" refX="7" '
            'refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>\n'
        )
        left = min((node.x for nodes in self.bands.values() for node in nodes), default=10) - 14
        right = max((n.x + n.width for nodes in self.bands.values() for n in nodes), default=10) + 14
        for namespace, top, bottom in self.boxes:
            yield (
                f'<rect class="band" x="{left:.0f}" y="{top:.0f}" width="{right - left:.0f}" '
                f'height="{bottom - top:.0f}" rx="6"/><text class="band-name" x="{left + 10:.0f}" '
                f'y="{top + 17:.0f}">{self.words.text(namespace)}</text>\n'
            )
        yield from self._lines()
        for node in self.nodes.values():
            yield self._node(node)
        yield "</svg>"

    def _lines(self) -> Iterator[str]:
        out: dict[str, list[_Arrow]] = defaultdict(list)
        into: dict[str, list[_Arrow]] = defaultdict(list)
        for arrow in self.arrows:
            out[arrow.start.id].append(arrow)
            into[arrow.end.id].append(arrow)
        for arrows in out.values():
            arrows.sort(key=lambda arrow: arrow.end.y)
        for arrows in into.values():
            arrows.sort(key=lambda arrow: arrow.start.y)
        for arrow in self.arrows:
            leave, come = out[arrow.start.id], into[arrow.end.id]
            yield self._line(arrow, (leave.index(arrow), len(leave)), (come.index(arrow), len(come)))

    def _line(self, arrow: _Arrow, leave: tuple[int, int], come: tuple[int, int]) -> str:
        """An arrow with its ports; ``leave`` and ``come`` say which it is of how many at its two ends."""
        start, end = arrow.start, arrow.end
        x1, y1 = start.x + start.width, _port(start, *leave)
        x2, y2 = end.x, _port(end, *come)
        if start.column < end.column:
            near = far = (x1 + x2) / 2
            # Where several meet at one end their ports stand at the other.
            where, x, y = "at-middle", near, (y1 + y2) / 2 + 3
            if leave[1] > 1:
                where, x, y = "at-end", x2 - 12, y2 - 3
            elif come[1] > 1:
                where, x, y = "at-start", x1 + 6, y1 - 3
        else:  # within its column, or back: around the right side
            x2, y2 = end.x + end.width, y2 + 6 * (start is end)
            near = far = max(x1, x2) + 40 + 8 * leave[0]
            where, x, y = "at-start", far - 8, (y1 + y2) / 2 + 3
        curve = f"M{x1:.0f} {y1:.0f}C{near:.0f} {y1:.0f} {far:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
        label = ", ".join(arrow.labels)
        drawn = _cut(
            ", ".join(each.partition(";")[0] for each in arrow.labels), 16
        )  # the ports; the rest is in its title
        title = f"{start.label} to {end.label}" + (f": {label}" if label else "")
        kind = " nowhere" if arrow.nowhere else " outside" if start.kind == "outside" else ""
        text = f'<text class="{where}" x="{x:.0f}" y="{y:.0f}">{self.words.text(drawn)}</text>' if label else ""
        return (
            f'<g class="arrow{kind}"><title>{self.words.text(title)}</title><path d="{curve}" '
            f'marker-end="url(#tip)"/>{text}</g>\n'
        )

    def _node(self, node: _Node) -> str:
        kind, _, name = node.label.partition("/") if node.kind == "workload" else ("", "", node.label)
        x, y = node.x + 10, node.y
        lines = f'<text x="{x:.0f}" y="{y + 24:.0f}">{self.words.text(_cut(name))}</text>'
        if kind:
            lines = (
                f'<text class="kind" x="{x:.0f}" y="{y + 15:.0f}">{self.words.text(_cut(kind))}</text>'
                f'<text x="{x:.0f}" y="{y + 31:.0f}">{self.words.text(_cut(name))}</text>'
            )
        return (
            f'<g class="node {node.kind}"><title>{self.words.text(node.about)}</title><rect x="{node.x:.0f}" '
            f'y="{y:.0f}" width="{node.width:.0f}" height="{_HEIGHT}" rx="{5 if kind else 20}"/>{lines}</g>\n'
        )


def _topological(nodes: list[_Node], servers: dict[str, list[_Node]]) -> list[_Node]:
    """Clients before their servers, where no circle forbids it."""
    order: list[_Node] = []
    seen: set[str] = set()
    for root in nodes:
        if root.id in seen:
            continue
        seen.add(root.id)
        stack = [(root, iter(servers[root.id]))]
        while stack:
            node, rest = stack[-1]
            following = next((server for server in rest if server.id not in seen), None)
            if following is None:
                order.append(node)
                stack.pop()
            else:
                seen.add(following.id)
                stack.append((following, iter(servers[following.id])))
    return order[::-1]


def _stack(group: list[_Node], top: float) -> float:
    """Give the nodes of a group their heights, column by column, the columns centred; where the group ends."""
    columns = _by_column(group).values()
    step, most = _HEIGHT + _GAP_Y, max(map(len, columns))
    for column in columns:
        first = top + (most - len(column)) * step / 2
        for number, node in enumerate(sorted(column, key=lambda node: node.row)):
            node.y = first + number * step
    return top + most * step


def _by_column(nodes: Iterable[_Node]) -> dict[int, list[_Node]]:
    found: dict[int, list[_Node]] = {}
    for node in nodes:
        found.setdefault(node.column, []).append(node)
    return found


def _port(node: _Node, number: int, count: int) -> float:
    return node.y + _HEIGHT * (number + 1) / (count + 1)


def _cut(label: str, longest: int = _LONGEST) -> str:
    return label if len(label) <= longest else label[: longest - 1] + "\u2026"
