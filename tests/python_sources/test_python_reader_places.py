"""Where what was read stands: lines, comments, shared texts, brackets, import statements."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hardener.sources.python.model import Item, Mapping, Node, Scalar, Sequence
from hardener.sources.python.parsed import Parsed, parse

KUBE = "from kubernetes import client\n"
PROGRAM = (
    KUBE
    + """\
# of the image
IMAGE = "a"  # pinned
c = client.V1Container(  # harden: ignore[x]
    name="c",  # its name
    image=IMAGE,  # of the constant
    # alone
    args=[
        "x",  # first
        "#y", "z",  # both
    ],  # all
    resources={"limits": {"cpu": "1"}},
)  # end
pod = client.V1Pod(spec=client.V1PodSpec(containers=[c]))
"""
)
C = ("spec", "containers", 0)
# Path, its line, its comment.
PLACES = [
    ((), 14, None),
    (("kind",), 14, None),
    (("spec",), 14, None),
    (C, 4, "# harden: ignore[x]"),
    ((*C, "name"), 5, "# its name"),
    ((*C, "image"), 3, "# pinned"),
    ((*C, "args"), 8, None),
    ((*C, "args", 0), 9, "# first"),
    ((*C, "args", 1), 10, "# both"),
    ((*C, "args", -1), 10, "# both"),
    ((*C, "args", 9), 8, None),
    ((*C, "resources", "limits", "cpu"), 12, None),
    ((*C, "missing"), 4, None),
    ((*C, "resources", "requests", "cpu"), 12, None),
]


@pytest.mark.parametrize(("path", "line", "comment"), PLACES, ids=lambda value: str(value))
def test_lines_and_comments(path: tuple[str | int, ...], line: int, comment: str | None) -> None:
    parsed = parse(PROGRAM)
    assert (parsed.line(0, path), parsed.comment(0, path)) == (line, comment)


def test_all_comments_in_order() -> None:
    found = [(comment.line, comment.text, comment.alone) for comment in parse(PROGRAM).comments()]
    assert found == [
        (2, "# of the image", True),
        (3, "# pinned", False),
        (4, "# harden: ignore[x]", False),
        (5, "# its name", False),
        (6, "# of the constant", False),
        (7, "# alone", True),
        (9, "# first", False),
        (10, "# both", False),
        (11, "# all", False),
        (13, "# end", False),
    ]


def test_a_sharp_in_a_text_is_no_comment() -> None:
    text = 'x = "# a"; y = f"#{z}"; w = """\n# b\n"""; v = r\'#\' \'#\'  # c\nu: "# d"\ndef t(s: "# e") -> "# f": ...'
    assert [comment.text for comment in parse(text).comments()] == ["# c"]


def test_what_has_no_object_has_no_places() -> None:
    parsed = parse("x = 1\n")
    assert (parsed.documents, parsed.roots, parsed.shared(), parsed.line(0, ("a",)), parsed.comment(0, ())) == (
        [], [], [], 1, None,
    )  # fmt: skip


# How lines end: a program, its newline, and the line of its pod.
NEWLINES = [
    ("{0}\nx = 1\n\n{1}\n", "\n", 4),
    ("{0}\r\n\r\n{1}\r\n", "\r\n", 3),
    ("{0}\r\r{1}\r", "\r", 3),
    ("{0}\r\nx = 2\n{1}", "\r\n", 3),
    ("{0}\n\fx = 1\n\f\n \f{1}", "\n", 4),
    ("if x:\n    {0}\n\f    y = 1\n{1}", "\n", 4),
    ("{0}\nx = '''\r\n\f\n'''\n{1}", "\n", 5),
    ("# é\n{0} \\\n\n{1} # \f é", "\n", 4),
]


@pytest.mark.parametrize(("text", "newline", "line"), NEWLINES)
def test_ends_of_lines(text: str, newline: str, line: int) -> None:
    parsed = parse(text.format(KUBE.strip(), "client.V1Pod()"))
    (root,) = parsed.roots
    assert (parsed.newline, root.line) == (newline, line)
    assert parsed.source[root.start : root.end] == b"client.V1Pod()"


# A program, and which paths share a text.
SHARED: dict[str, tuple[str, list[list[tuple[str | int, ...]]]]] = {
    "nothing": ('client.V1Container(name="a", image="a")', []),
    "a constant": (
        'I = "a"\nclient.V1Container(image=I)\nclient.V1Container(image=I)',
        [[(0, *C, "image"), (1, *C, "image")]],
    ),
    "a constant for two fields": (
        "ON = True\nclient.V1Container(tty=ON)\nclient.V1Container(stdin=ON)",
        [],
    ),
    "a constant that the program uses": (
        'I = "a"\nprint(I)\nclient.V1Container(image=I)\nclient.V1Container(image=I)',
        [],
    ),
    "a constant in an f-string": (
        'I = "a"\nclient.V1Container(image=f"{I}:1")\nclient.V1Container(image=f"{I}:1")',
        [],
    ),
    "labels": (
        'L = {"a": "b"}\nclient.V1Pod(metadata=client.V1ObjectMeta(labels=L))\n'
        "client.V1Service(spec=client.V1ServiceSpec(selector=L))",
        [[(0, "metadata", "labels"), (1, "spec", "selector")]],
    ),
    "a spread": (
        'B = {"image": "a", "env": []}\nclient.V1Container(**B)\nclient.V1Container(**B)',
        [[(0, *C, "image"), (1, *C, "image")], [(0, *C, "env"), (1, *C, "env")]],
    ),
    "a container in two pods": (
        "c = client.V1Container(name='a', args=[])\nclient.V1Pod(spec=client.V1PodSpec(containers=[c]))\n"
        "client.V1Pod(spec=client.V1PodSpec(init_containers=[c]))",
        [[(0, "spec", "containers", 0), (1, "spec", "initContainers", 0)]],
    ),
    "an argument in a container in two pods": (
        "s = client.V1SecurityContext()\nc = client.V1Container(security_context=s)\n"
        "client.V1Pod(spec=client.V1PodSpec(containers=[c, client.V1Container(security_context=s)]))\n"
        "client.V1Pod(spec=client.V1PodSpec(containers=[c]))",
        [
            [(0, "spec", "containers", 0), (1, "spec", "containers", 0)],
            [(0, "spec", "containers", 0, "securityContext"), (0, "spec", "containers", 1, "securityContext")],
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), SHARED.values(), ids=SHARED)
def test_what_one_text_stands_for(text: str, expected: list[list[tuple[str | int, ...]]]) -> None:
    assert parse(KUBE + text).shared() == expected


def walk(node: Node) -> Iterator[tuple[Node, Item | None]]:
    if isinstance(node, Mapping):
        for entry in node.fields.values():
            yield entry.value, entry.item
            yield from walk(entry.value)
    elif isinstance(node, Sequence):
        for item, place in zip(node.items, node.places, strict=True):
            yield item, place
            yield from walk(item)


def items(parsed: Parsed) -> list[tuple[str, str, str]]:
    """Every written item with its value and what follows it up to its comma."""
    found = []
    for root in parsed.roots:
        for node, item in walk(root):
            if item is not None:
                text = parsed.source[item.start : item.end].decode()
                value = parsed.source[node.start : node.end].decode()
                after = "" if item.comma is None else parsed.source[item.end : item.comma].decode()
                found.append((text, value, after))
    return found


def test_items_have_their_keyword_key_stars_and_parentheses() -> None:
    text = (
        'client.V1Container(name = ("a") ,image="é",**{"tty": True},'
        "resources={'limits': ({('cpu'): 1, }), **{}}, args=[*('x',), ('y'), \"z\"])"
    )
    assert items(parse(KUBE + text)) == [
        ('name = ("a")', '"a"', " ,"),
        ('image="é"', '"é"', ","),
        (
            "resources={'limits': ({('cpu'): 1, }), **{}}",
            "{'limits': ({('cpu'): 1, }), **{}}",
            ",",
        ),
        ("'limits': ({('cpu'): 1, })", "{('cpu'): 1, }", ","),
        ("('cpu'): 1", "1", ","),
        ("args=[*('x',), ('y'), \"z\"]", "[*('x',), ('y'), \"z\"]", ""),
        ("('y')", "'y'", ","),
        ('"z"', '"z"', ""),
    ]


def brackets(parsed: Parsed) -> list[tuple[str, list[str]]]:
    found = []
    for root in parsed.roots:
        for node in (root, *(node for node, _ in walk(root))):
            if isinstance(node, Mapping | Sequence) and node.bracket is not None:
                around = parsed.source[node.bracket.start : node.bracket.end + 1].decode()
                inner = [parsed.source[item.start : item.end].decode() for item in node.bracket.items]
                found.append((around, inner))
    return found


def test_brackets_hold_all_items() -> None:
    text = "(client.V1Container) (opts, *more, env=[*a, b], args=(1,), command=2, **k)"
    assert brackets(parse(KUBE + text)) == [
        ("(opts, *more, env=[*a, b], args=(1,), command=2, **k)",
         ["opts", "*more", "env=[*a, b]", "args=(1,)", "command=2", "**k"]),
        ("[*a, b]", ["*a", "b"]),
        ("(1,)", ["1"]),
    ]  # fmt: skip


def test_a_tuple_without_parentheses_has_no_bracket() -> None:
    parsed = parse(KUBE + "a = 'x', 'y'\nclient.V1Container(args=a)")
    node, _, _ = parsed.find(0, (*C, "args"))
    assert isinstance(node, Sequence)
    assert (node.form, node.bracket, len(node.items)) == ("tuple", None, 2)


def test_a_constant_that_only_manifests_use_is_edited_where_it_is_assigned() -> None:
    found = {}
    texts = {
        "alone": 'I = "a"\n',
        "used": 'I = "a"\nprint(I)\n',
        "for other fields": 'I = "a"\nclient.V1EnvVar(name=I)\n',
    }
    for name, text in texts.items():
        parsed = parse(KUBE + text + "client.V1Container(working_dir=I)")
        node, _, _ = parsed.find(0, (*C, "workingDir"))
        assert isinstance(node, Scalar) and node.written
        found[name] = parsed.source[node.start : node.end].decode()
    assert found == {"alone": '"a"', "used": "I", "for other fields": "I"}


UNWRITTEN = ['f"{I}:1"', 'I + ":1"', "'a' f'b'", "e.name"]


@pytest.mark.parametrize("value", UNWRITTEN)
def test_what_is_known_but_stands_in_no_one_place_is_not_written(value: str) -> None:
    parsed = parse(KUBE + f'I = "a"\ne = client.V1EnvVar(name="n")\nclient.V1Container(image={value})')
    node, _, _ = parsed.find(0, (*C, "image"))
    assert isinstance(node, Scalar) and not node.written


# Statements, and what is recorded: module, is_from, is_star, indent, bracket, (name, bound name, item).
IMPORTS = {
    "import a.b, c as d": ("", False, False, "", False, [("a.b", "a", "a.b"), ("c", "d", "c as d")]),
    "from a.b import c as d, e": ("a.b", True, False, "", False, [("c", "d", "c as d"), ("e", "e", "e")]),
    "from a import (\n    b,\n    c,  # d\n)": ("a", True, False, "", True, [("b", "b", "b"), ("c", "c", "c")]),
    "from a import *": ("a", True, True, "", False, []),
    "from .. import a": ("..", True, False, "", False, [("a", "a", "a")]),
    "from ..a import b": ("..a", True, False, "", False, [("b", "b", "b")]),
    "if x:\n\timport a": ("", False, False, "\t", False, [("a", "a", "a")]),
    "x = 1; import a": ("", False, False, "x = 1; ", False, [("a", "a", "a")]),
}


@pytest.mark.parametrize("text", IMPORTS)
def test_import_statements(text: str) -> None:
    parsed = parse(f"# é\n{text}\n")
    (found,) = parsed.imports
    items = [(name.name, name.bound, parsed.source[name.item.start : name.item.end].decode()) for name in found.names]
    bracket = found.bracket is not None
    assert (found.module, found.is_from, found.is_star, found.indent, bracket, items) == IMPORTS[text]
    assert parsed.source[found.start : found.end].decode() == text[text.index("from" if found.is_from else "import") :]
    if found.bracket is not None:
        assert parsed.source[found.bracket.start : found.bracket.end + 1].decode() == text[text.index("(") :]
        assert [parsed.source[item.comma - 1 : item.comma] for item in found.bracket.items if item.comma] == [
            b",",
            b",",
        ]


def test_where_imported_names_are_seen() -> None:
    text = "import a\nclass B:\n    def f(self):\n        import c\n\n\nd = 1\n"
    found = {name.bound: text[each.scope_start : each.scope_end] for each in parse(text).imports for name in each.names}
    assert found["a"] == text
    assert found["c"].strip() == "def f(self):\n        import c"
