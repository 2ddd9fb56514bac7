"""The drawing of the connections: what a person would call wrong in it is not there, whatever the tree is like."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.facts.network.connections import Port, Way
from hardener.report.connections.graph import Graph, Host, Lack, Link, OpenService, Workload
from hardener.report.connections.graph_formats import dot, mermaid
from hardener.report.connections.names import told_apart
from hardener.report.page.drawing import MOST_BOXES, MOST_LINES, Drawing
from hardener.report.page.words import Texts

from .calls import calls
from .svg_geometry import flaws, seen

PORTS = ((Port(80),), (Port(443), Port(8080)), (Port("a-long-name-of-a-port"),), ())


def drawn(graph: Graph) -> tuple[Drawing, str]:
    drawing = Drawing(graph, Texts(cast(Any, SimpleNamespace(text=str))))
    return drawing, "".join(drawing.svg())


def workload(
    number: int, name: str = "", namespaces: tuple[str, ...] = ("shop",), file: str = "", line: int = 1
) -> Workload:
    return Workload(
        number, "apps/v1", "Deployment", name or f"w{number}", "", namespaces, file or f"f{number}.yaml", line, ()
    )


def graph_of(count: int, edges: list[tuple[int, int]], namespaces: int = 1, others: int = 0) -> Graph:
    """``count`` workloads over some namespaces, with ``edges`` by their numbers, and ``others`` of each other kind."""
    workloads = [workload(n, namespaces=(f"ns-{n % namespaces}",)) for n in range(count)]
    links = [
        Link(workloads[end], PORTS[(start + end) % len(PORTS)], None, (), client=workloads[start])
        for start, end in edges
    ]
    ways = list(Way)
    for n in range(others):
        server = workloads[n % count]
        links.append(Link(server, PORTS[n % 4], None, (), way=ways[n % len(ways)]))
        links.append(Link(server, PORTS[n % 4], None, (), client=server))
    hosts = [Host(workloads[n % count], f"host-{n}.example", 443, list(Lack)[n % 3], ()) for n in range(others)]
    services = [OpenService(f"s{n}", "LoadBalancer", ("a",), "s.yaml", n, (), bool(n % 2), ()) for n in range(others)]
    return Graph(workloads, links, hosts, services)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 24))
    numbers = st.integers(0, count - 1)
    edges = draw(st.lists(st.tuples(numbers, numbers), max_size=60))
    return graph_of(count, edges, draw(st.integers(1, 4)), draw(st.integers(0, 12)))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(graphs())
def test_no_line_passes_behind_a_box_and_nothing_overlaps_or_is_cut_off(graph: Graph) -> None:
    drawing, svg = drawn(graph)
    assert flaws(svg) == []
    found = seen(svg)
    assert (len(found.boxes), len(found.lines)) == (len(drawing.boxes), len(drawing.lines))
    pairs = {
        (link.client.id, link.server.id, link.ports) for link in graph.links if link.client not in (None, link.server)
    }
    assert len(found.lines) == len(pairs)


def shapes() -> Iterator[tuple[str, int, list[tuple[int, int]]]]:
    yield "a chain", 40, [(n, n + 1) for n in range(39)]
    yield "a circle", 30, [(n, (n + 1) % 30) for n in range(30)]
    yield "one client", 60, [(0, n) for n in range(1, 60)]
    yield "one server", 60, [(n, 0) for n in range(1, 60)]
    yield "all to all", 20, [(a, b) for a in range(20) for b in range(20)]
    yield "layers", 36, [(a, b) for a in range(30) for b in range(36) if b // 6 == a // 6 + 1]
    yield "over layers", 20, [(a, b) for a in range(20) for b in range(a + 1, 20, 3)]
    yield "there and back", 12, [(a, b) for a in range(12) for b in range(12) if abs(a - b) == 1]
    yield "pairs", 60, [(n, n + 1) for n in range(0, 60, 2)]


@pytest.mark.slow
@pytest.mark.parametrize("namespaces", [1, 3])
@pytest.mark.parametrize(("count", "edges"), [shape[1:] for shape in shapes()], ids=[shape[0] for shape in shapes()])
def test_shapes(count: int, edges: list[tuple[int, int]], namespaces: int) -> None:
    assert flaws(drawn(graph_of(count, edges, namespaces, 8))[1]) == []


def test_what_is_wrong_is_found() -> None:
    _, svg = drawn(graph_of(3, [(0, 1), (1, 2), (0, 2)]))
    assert flaws(svg) == []
    boxes = sorted(seen(svg).boxes, key=lambda box: box.x)
    first, last = boxes[0], boxes[2]
    straight = f"M{first.right:.0f} {first.y + 19:.0f}H{last.x:.0f}"
    line = f'<g class="arrow"><title>Deployment/w0 to Deployment/w2: x</title><path d="{straight}"/></g>'
    second = boxes[1]
    moved = svg.replace(f'y="{second.y:.0f}" width', f'y="{first.y:.0f}" width')
    assert any("passes behind" in text for text in flaws(moved.replace("</svg>", f"{line}</svg>")))
    assert any(
        "overlap" in text
        for text in flaws(
            svg.replace(f'x="{last.x:.0f}"', f'x="{second.x:.0f}"').replace(f'y="{last.y:.0f}"', f'y="{second.y:.0f}"')
        )
    )
    assert any(
        "cut off" in text
        for text in flaws(
            svg.replace(f'width="{seen(svg).whole.right:.0f}" height', 'width="100" height', 1).replace(
                f'viewBox="0 0 {seen(svg).whole.right:.0f}', 'viewBox="0 0 100', 1
            )
        )
    )


def test_boxes_of_one_name_are_told_apart_by_their_files() -> None:
    files = [
        "all-in-one.yaml",
        "kustomize/base/a-folder-with-a-long-name/rabbitmq.yaml",
        "kustomize/overlay/rabbitmq.yaml",
        "x/y.yaml",
        "x/y.yaml",
    ]
    workloads = [workload(n, "rabbitmq", file=file, line=10 * n) for n, file in enumerate(files)]
    links = [Link(one, (), None, (), way=Way.OUTSIDE) for one in workloads]
    _, svg = drawn(Graph(workloads, links))
    found = seen(svg)
    shown = {text.name for text, _ in found.texts}
    assert shown >= {"all-in-one.yaml", "kustomize/overlay/\u2026", "x/y.yaml:30", "x/y.yaml:40"}
    labels = [tuple(text.name for text, box in found.texts if box is one) for one in found.boxes]
    assert len(set(labels)) == len(labels) == 5
    assert flaws(svg) == []


def test_they_are_told_apart_in_mermaid_and_dot() -> None:
    workloads = [workload(n, "web", file=f"{name}/web.yaml") for n, name in enumerate(("dev", "prod"))]
    graph = Graph([*workloads, workload(3, "db")])
    for text in ("".join(mermaid(graph)), "".join(dot(graph))):
        assert [name for name in ("web (dev/web.yaml)", "web (prod/web.yaml)", 'Deployment/db"') if name in text] == [
            "web (dev/web.yaml)", "web (prod/web.yaml)", 'Deployment/db"'
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a.yaml", "b.yaml"], ["a.yaml", "b.yaml"]),
        (["a/x.yaml", "b/x.yaml"], ["a/x.yaml", "b/x.yaml"]),
        (["k/a/x.yaml", "k/b/x.yaml"], ["a/x.yaml", "b/x.yaml"]),
        (["k/x.yaml", "k/b/x.yaml"], ["x.yaml", "b/x.yaml"]),
        (["x.yaml", "b/x.yaml"], ["x.yaml", "b/x.yaml"]),
        (["/tmp/x.yaml", "b/x.yaml"], ["/tmp/x.yaml", "b/x.yaml"]),
        (["ab/x.yaml", "abc/x.yaml"], ["ab/x.yaml", "abc/x.yaml"]),
        (["x.yaml", "x.yaml"], ["x.yaml:0", "x.yaml:10"]),
        ([f"{name}/{'long-' * 6}x.yaml" for name in "ab"], ["a/\u2026", "b/\u2026"]),
        (["\x1b/x.yaml", "b/x.yaml"], ["\\x1b/x.yaml", "b/x.yaml"]),
        (["only.yaml"], []),
    ],
)
def test_what_tells_them_apart(files: list[str], expected: list[str]) -> None:
    assert (
        list(told_apart(workload(n, "w", file=file, line=10 * n) for n, file in enumerate(files)).values()) == expected
    )


def test_a_secret_in_the_name_of_a_file_is_masked_before_it_is_cut() -> None:
    workloads = [workload(n, "w", file=f"{'x' * 30}Zq7Planted0042{'y' * 30}/{n}.yaml") for n in range(2)]
    told = told_apart(workloads, lambda text: text.replace("Zq7Planted0042", "***"))
    assert not any("Zq7" in text or "0042" in text for text in told.values())


@pytest.mark.parametrize("count", [2, 30])
def test_long_paths_that_differ_in_their_middle_only_are_told_apart(count: int) -> None:
    files = [f"{'deep/' * 12}{n:02}/{'deep/' * 12}web.yaml" for n in range(count)]
    workloads = [workload(n, "web", file=file) for n, file in enumerate(files)]
    _, svg = drawn(Graph(workloads, [Link(one, (), None, (), way=Way.OUTSIDE) for one in workloads]))
    texts = [text.name for text, _ in seen(svg).texts if "/" in text.name]
    assert len(set(texts)) == count
    assert flaws(svg) == []


def test_one_name_in_one_file_alone_needs_no_file() -> None:
    _, svg = drawn(graph_of(2, [(0, 1)]))
    assert ".yaml<" not in svg and "f0.yaml" in svg  # it stands in the title


def test_a_workload_that_talks_to_itself_says_so_beside_an_arrow_of_its_own() -> None:
    one = workload(1)
    found = seen(drawn(Graph([one], [Link(one, (Port(5701),), None, (), client=one)]))[1])
    assert [text.name for text, _ in found.texts][2:] == ["to itself: 5701/TCP"]
    (loop,), (box,) = found.short, found.boxes
    assert loop[0][0] == loop[-1][0] == box.right and max(x for x, _ in loop) > box.right + 8


@pytest.mark.parametrize("name", ["\u202ex\u2066", "a" * 300, "名前" * 60, "", "<b>&\"'", "x\ty\nz"])
def test_odd_names_stay_in_their_boxes(name: str) -> None:
    one, other = workload(1, name, (name,)), workload(2, name, (name, "b"))
    graph = Graph([one, other], [Link(other, (Port(name or "p"),), name, (), client=one)])
    graph.hosts.append(Host(one, name, None, Lack.UNRESOLVED, ()))
    graph.services.append(OpenService(name, name, (), "s.yaml", 1, (), True, ()))
    assert flaws(drawn(graph)[1]) == []


def test_a_box_with_many_rows_counts_the_rest() -> None:
    one = workload(1)
    graph = Graph([one], hosts=[Host(one, f"host-{n}", None, Lack.EXTERNAL, ()) for n in range(30)])
    texts = [text.name for text, _ in seen(drawn(graph)[1]).texts]
    assert len(texts) == 2 + 9 and texts[-1] == "and 22 more"


@pytest.mark.slow
def test_a_big_tree_is_bounded_and_says_how_much_is_not_drawn() -> None:
    chance = random.Random(1)
    sizes, work = [], []
    for count in (1_000, 10_000):
        edges = [(chance.randrange(count), chance.randrange(count)) for _ in range(3 * count)]
        graph = graph_of(count, edges, 5)
        work.append(calls(drawn, graph))
        drawing, svg = drawn(graph)
        sizes.append(len(svg))
        assert len(drawing.boxes) == MOST_BOXES and len(drawing.lines) <= MOST_LINES
        assert flaws(svg) == []
        notes = list(drawing.notes())
        assert notes[0].startswith(f"The drawing shows {MOST_BOXES} of ")
        assert drawing.more_boxes + MOST_BOXES + drawing.left_out == count
        lines = {(a, b) for a, b in edges if a != b}
        assert drawing.more_lines + len(drawing.lines) == len(lines)
    assert sizes[1] < 2 * sizes[0]
    assert work[1] < 11 * work[0], "ten times the tree is more than ten times the work"


@pytest.mark.slow
def test_the_worst_that_is_drawn_has_no_flaw() -> None:
    chance = random.Random(2)
    edges = [(a, b) for a, b in ((chance.randrange(150), chance.randrange(150)) for _ in range(400))]
    drawing, svg = drawn(graph_of(150, [(n, n + 1) for n in range(149)] + edges, 1))
    assert flaws(svg) == []
    assert len(drawing.lines) == MOST_LINES


def test_nothing_to_draw() -> None:
    drawing, _ = drawn(Graph([workload(1), workload(2)]))
    assert (drawing.boxes, drawing.left_out) == ([], 2)
    assert list(drawing.notes()) == ["2 workloads without a connection are not drawn."]
