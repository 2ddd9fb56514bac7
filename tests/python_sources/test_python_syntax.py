"""The syntax tree: made of that of Python, it is the same that LibCST reads."""

from __future__ import annotations

import ast
import os
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from hardener.sources.python.parsed import parse
from hardener.sources.python.parser import syntax, tree
from hardener.sources.python.parser.lexemes import UnsureError, tokens, words
from hardener.sources.python.parser.positions import Places
from hardener.sources.python.parser.read_ast import read_ast
from hardener.sources.python.parser.read_libcst import read_libcst
from hardener.sources.yaml import TextError

from ..conftest import ROOT

KUBE = "from kubernetes import client\n"
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
# What is written in an unusual way.
ODD = {
    "calls": r"""
f (a)
(f)(a)
((f) )(
a, *b, c=(d), *e, **(f), )(x for x in y)(x)
f((x for x in (y)), # (
1)
f(a # =
=1)
""",
    "tuples": r"""
()
( )
(a,)
a,
(a), b
(a), (b)
((a), b)
((a, b), c)
( (a,) ) # (
(a, b # )
, )
(*a, *(b))
*a, b = c
for x, (y, *z) in (1, 2), 3: pass
""",
    "indexes": r"""
a[b]
a[b, c]
a[(b, c)]
a[1:2]
a[:, 1]
a[(b)]
a[()]
(a)[b][c].d
""",
    "generators": r"""
(x for x in y)
( x for x in (y) if (a) if (b) )
[x for (x, y) in ((z)) for a in (b)]
{(a): (b) for c in d}
{x for x in y}
{*a, *b}
""",
    "operators": r"""
(a) + b % (c | d)
(a + b)
-(a)
not (a)
a or (b) or c
(a or b) and (c)
a < (b) < c
(a if (b) else c)
(lambda x, *y, z=(1), **w: (x))
x = (a := (b))
async def f(): return await (g)
""",
    "texts": r"""
x = 'a' "b" f'{c}' rf'd'
x = ('a'  # it's
  r'''b\'''' u'c')
x = b'a' Rb'b'
y = 'a\
b' ''
z = '''a'b''' or"b"
''"c"
""",
    "formats": r"""
f'{a}{{b}} {c!r:>{d}.{e}} {g = } {(1, 2)} {h["i"]:%Y-%m} {j:{k}}'
rf'\d{a:{b}}' f''
f'''
{a}
{
b . c}\N{BULLET}{d}'''
f'{a, b} {*c, d,} {yield z}'
f'{x != y} {z(a=b)} {[c for c in d]!s} {{}}\{e}'
""",
    "imports": r"""
import a . b as c, d
from . import e
from .. f import (g as h, i)
from j import (  # (
    k,
    l
)
from k import (l, m, )
from m import *
""",
    "blocks": r"""
if a: b; c
elif d: e;
else:  # \
    f
if g: \
  h
while i: j
else: k
for l in m: n
else: o
with p as q, r: s;
with (t as u, v):
    assert w, (x)
""",
    "definitions": r"""
@a
@ b . c (d)
class E(F, *G, metaclass=(H), **I):
  def j(k, /, l: 'm'='n', *o, p=(q), **r) -> 's': t;
async def u(*, v): await w
class X: pass
class Y ( Z ) : pass
""",
    "changes": r"""
del a, (b, [c]), d.e
del (f)
del g,
x = y = (z)
a: 'b' = (c)
d: e
f += (g)
h.i, (j) = (k), l
global m, n
""",
    "jumps": r"""
def f():
    yield
    yield (a), b
    x = yield from (c)
    raise d from (e)
    raise
    return (f)
""",
    "matching": r"""
match a, b:
    case {'c': [d, *e], **f} | G.H(1, i=j) as k if l: pass
    case -1 | 'm' 'n' | None | (o): pass
    case _: pass
""",
    "errors": r"""
try: a
except (B, C) as d: e
except F: g
else: h
finally: i
try:
    j
except* K: l
""",
    "names": "größe.höhe(länge=ü)\ndef f(ä, *, ö=1): pass\n",
    "numbers": "x = [1, -2, 0x1F, 1_0.5, 1e400, 2j, ..., None, True, b'a']\n",
}
if sys.version_info < (3, 12):  # later ones ask for its parentheses
    ODD["a generator in a format"] = "f'{x for x in (y)} {z}'\n"
_UNPLACED = (  # nobody asks where these stand
    syntax.Slice, syntax.Suite, syntax.Param, syntax.Parameters, syntax.CompFor, syntax.WithItem, syntax.From,
    syntax.ExceptHandler, syntax.Decorator, syntax.For, syntax.With,
)  # fmt: skip


def _nodes(module: syntax.Node, places: Places) -> list[tuple[Any, ...]]:
    """Each node in order, with all that it says; but for those that only hold others."""
    found: list[tuple[Any, ...]] = []
    waiting = [module]
    while waiting:
        node = waiting.pop()
        own = [getattr(node, name) for name in node.__struct_fields__[2:]]  # behind start and end
        said = [each for each in own if not isinstance(each, syntax.Node | list) and each != ()]
        place = None if isinstance(node, _UNPLACED) else (node.start, node.end)
        if not isinstance(node, syntax.Other):
            found.append((type(node).__name__, place, said))
        if isinstance(node, syntax.Assign | syntax.AnnAssign) and node.value is not None:
            found.append((places.outer_end(node.value),))
        waiting += reversed([*syntax.children(node)])
    return found


def _is_as_libcst_reads_it(text: str) -> int:
    """How many nodes there are in a text that is read in both ways."""
    source = text.encode()
    module, places = read_ast(ast.parse(text), source)
    other, others = read_libcst(text, source)
    nodes = _nodes(module, places)
    assert nodes == _nodes(other, others)
    assert places.comments() == others.comments()
    return len(nodes)


FORMS = [
    str,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\n", "\r"),
    lambda text: f"# Größe ✓\n{text}",
]


@pytest.mark.filterwarnings("ignore:invalid escape")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["", "# the end", "x = 1"])
@pytest.mark.parametrize("name", [*LONG, *ODD])
@pytest.mark.slow
def test_a_text_is_read_as_libcst_reads_it(name: str, end: str, form: Callable[[str], str]) -> None:
    assert _is_as_libcst_reads_it(form({**LONG, **ODD}[name] + end)) > 10


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.slow
def test_programs_are_read_as_libcst_reads_them(form: Callable[[str], str]) -> None:
    files = sorted((ROOT / "tests" / "python_sources" / "fixtures").glob("*/*.py"))
    assert len(files) > 20
    assert sum(_is_as_libcst_reads_it(form(path.read_text(encoding="utf-8"))) for path in files) > 10_000


@pytest.mark.slow
def test_programs_of_others_are_read_as_libcst_reads_them() -> None:
    files = sorted((ROOT / "hardener").rglob("*.py"))[:: 5 if os.environ.get("HARDEN_CASES") == "all" else 20]
    assert sum(_is_as_libcst_reads_it(path.read_text(encoding="utf-8")) for path in files) > 500 * len(files)


@pytest.mark.parametrize(("text", "seen"), [("x = 1  # 'a'\n", "x = 1  \n"), ("x = 'a'\n", "x = b  \n")])
def test_a_comment_or_literal_that_python_does_not_see(text: str, seen: str) -> None:
    read_ast(ast.parse(text), text.encode())
    with pytest.raises(UnsureError):
        read_ast(ast.parse(seen), text.replace("#", "").encode())


@pytest.mark.parametrize("name", [*LONG, *ODD])
def test_comments_and_literals_are_those_of_the_tokenizer(name: str) -> None:
    for text in ({**LONG, **ODD}[name], f"# Größe ✓\n'ü✓' 'a'  # ✓\n{ {**LONG, **ODD}[name] }"):
        found = words(text.encode())
        assert any(found) or "#" not in text
        assert found == tokens(text.encode())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python does not read it")
@pytest.mark.parametrize("field", ["a['b']", "f'{c}'", "d!r:>{'e'}", "'\\n'.join(f)"])
def test_quotes_in_an_f_string_that_has_the_same(field: str) -> None:
    assert _is_as_libcst_reads_it(f"x = f'ü{{{field}}}' 'z'  # ' \ny = ''  # b\n") > 10


NEWER = ["type X[T] = list[T]\n", "x = f'{a['b']}'\n", "def f[T: 'a'](x: T) -> T: ...\n", "class A[T](B): ...\n"]


@pytest.mark.parametrize("text", NEWER)
def test_what_this_python_may_not_read_has_its_objects(text: str) -> None:
    pod = "client.V1Pod(spec=client.V1PodSpec(containers=[client.V1Container(name='a', image='b')]))  # c\n"
    alone, parsed = parse(KUBE + pod), parse(KUBE + text + pod)
    assert alone.documents and parsed.documents == alone.documents
    assert [each.text for each in parsed.comments()] == ["# c"]
    assert parsed.line(0, ("spec", "containers", 0)) == 3


@pytest.mark.parametrize("text", ["type X = int\n" * 5000 + "print 'x'\n", "x = [\n" + "a, " * 5000 + "3,\n4 5]\n"])
def test_the_line_of_what_nobody_reads(text: str) -> None:
    with pytest.raises(TextError, match="not readable as Python 3") as found:
        tree.read(text)
    assert found.value.line == text.count("\n")
