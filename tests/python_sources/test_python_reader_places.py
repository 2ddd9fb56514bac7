"""Where what was read stands: lines, comments, shared texts, brackets, import statements."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

import libcst as cst
import pytest
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from hardener.sources.python import pieces, tree
from hardener.sources.python.model import Item, Mapping, Node, Scalar, Sequence
from hardener.sources.python.parsed import Parsed, parse
from hardener.sources.yaml import TextError

from ..conftest import ROOT

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


# Statements and elements before which a text may not be cut, and others.
STATEMENTS = (
    "x = 1; y = 2\n",
    "@a\n@b(\n    1\n)\ndef f(self):\n    return x\n",
    "# a comment\n\nclass C:\n  '''text'''\n  def f(self): pass\n",
    "z = 1; \\\nw = 2\n",
    "t = '''\nx = 1\n@y\n'''\n",
    "if x:\n\ty = [\n1,\n]\nelse:\n\tpass  # why\n",
    "try: pass\nexcept ValueError: pass\n",
    "ü = 'ü\u2028'\n",
    "v = (\nx +  # one\ny\n)\n",
)
_MANY = "".join(STATEMENTS) * 3
_ELEMENTS = "1, (2), (a + b), *c,  # d\n'ü', [x,\n# e\ny, {1: (2), **z, (3): 4}], f(\n1), (g := 1), \\\n5 ,\n" * 3
_ENTRIES = "'a': 1, **b, (c): (d),  # e\n'ü': {1: [2, 3],}, 'f' : g, \\\n'h': lambda: 1,\n" * 3
LONG = {
    "a module": _MANY,
    "a function": "def f():\n" + textwrap.indent(_MANY, "    "),
    "branches": "if a:\n  if b:\n    x\n"
    + "    a()  # b\n" * 30
    + "  else: c\nelse:\n"
    + "\td = 1\n\t@e\n\tdef f(): pass\n" * 20,
    "handlers": "try:\n" + "  a\n" * 30 + "except E:\n" + "  b\n" * 30 + "finally:\n" + "  await c\n" * 30,
    "a list": f"x = [\n{_ELEMENTS}]\n",
    "a tuple": f"x = ({_ELEMENTS})\n",
    "a tuple without parentheses": "x = " + "a, " * 90 + "a\n",
    "a set": f"x({{\n{_ELEMENTS}}})\n",
    "a dict": f"x = y({{\n{_ENTRIES}}}, z)\n",
    "a dict in a list in a class": f"class A:\n  a = 1\n  b = [1, {{{_ENTRIES}}}, [{_ELEMENTS}], 2]\n  c = 1\n",
    "decorators": f"x\n@a([{_ELEMENTS}])\n@b\ndef f(c=[{_ELEMENTS}]) -> d:\n" + "    e\n" * 30,
    "names of ours": "_ = [a, _, b]\nx = [" + "_, " * 40 + "]\ndef f():\n" + "    pass\n" * 30,
}


def _places(module: cst.Module, place: Callable[[cst.CSTNode], tuple[int, int]]) -> list[tuple[str, int, int]]:
    """Of each node in order, but for white space and comments."""
    found, waiting = [], list(module.children)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (*tree._BLANK, cst.Comment)):
            found.append((type(node).__name__, *place(node)))
            waiting += reversed(node.children)
    return found


def _cut_to(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for module in (tree, pieces):
        monkeypatch.setattr(module, "PIECE", size)


def _is_as_in_one_piece(text: str) -> bool:
    module, places = tree.read(text)
    whole = cst.parse_module(text)
    theirs = MetadataWrapper(whole, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
    assert _places(module, lambda node: (places.start(node), places.end(node))) == _places(
        whole, lambda node: (theirs[node].start, theirs[node].start + theirs[node].length)
    )
    comments = sorted(at.start for node, at in theirs.items() if isinstance(node, cst.Comment))
    assert sorted(places._comments) == comments
    return len(places._kept) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("end", ["", "# the end", "x = 1"])
@pytest.mark.parametrize("name", LONG)
def test_a_large_text_is_read_in_pieces_as_in_one(
    monkeypatch: pytest.MonkeyPatch, name: str, newline: str, end: str
) -> None:
    _cut_to(monkeypatch, 60)
    assert not _is_as_in_one_piece((LONG[name] + end).replace("\n", newline))


@pytest.mark.parametrize("size", [1, 40, 300])
@pytest.mark.parametrize("form", [str, lambda text: text.replace("\n", "\r\n"), lambda text: f"# Größe ✓\n{text}"])
def test_nodes_stand_where_libcst_says(monkeypatch: pytest.MonkeyPatch, size: int, form: Callable[[str], str]) -> None:
    _cut_to(monkeypatch, size)
    files = sorted((ROOT / "tests" / "python_sources" / "fixtures").glob("*/*.py"))
    whole = [_is_as_in_one_piece(form(path.read_text(encoding="utf-8"))) for path in files]
    assert len(files) > 20 and sum(whole) <= len(files) // 10


@pytest.mark.parametrize("text", ["type X = int\n" * 5000 + "print 'x'\n", "x = [\n" + "a, " * 5000 + "3,\n4 5]\n"])
def test_what_this_python_does_not_read_stays_whole(text: str) -> None:
    with pytest.raises(TextError, match="not readable as Python 3") as found:
        tree.read(text)
    assert found.value.line == text.count("\n")
