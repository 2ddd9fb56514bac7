"""What no program may do to the reader: fail in another way than by saying no."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import Any

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, QualifiedNameProvider

from hardener.sources.python import gate, reading
from hardener.sources.python.names.resolve import qualified_names
from hardener.sources.python.names.scan import scan
from hardener.sources.python.parsed import parse
from hardener.sources.python.parser import encoding
from hardener.sources.python.parser.tree import DEEPEST, read
from hardener.sources.yaml import TextError

from ..conftest import ROOT
from . import type_graph

KUBE = "from kubernetes import client\n"
MANY = 50_000
# Why a text is not read, and the line.
REFUSED: dict[str, tuple[str, str, int | None]] = {
    "Python 2": ('import os\n\nprint "a"\n', "not readable as Python 3", 3),
    "an exception of Python 2": ("try:\n    pass\nexcept E:\n    raise E, 'a'\n", "not readable as Python 3", 4),
    "no Python": ("apiVersion: v1\nkind: Pod\nmetadata: {name: a", "not readable as Python 3", None),
    "a text without its end": ('x = "a\ny = 1\n', "not readable as Python 3", 1),
    "bad indentation": ("if x:\n        a\n    b\n", "not readable as Python 3", 3),
    "a null character": ("x = 1\ny = '\0'\n", "it holds a null character", 2),
    "half a character": ("x = 1\ny = '\ud800'\n", "it holds half a character", 2),
    "too much": ("x = 1\n" * 100_000, "585 KiB, more than 512 KiB", None),
    "a mark of byte order": ("\ufeffx = 1\n", "its parser does not keep all of it", None),
    "brackets": ("x = " + "[" * MANY + "]" * MANY, "nested too deeply", None),
    "parentheses": ("x = " + "(" * MANY + "1" + ")" * MANY, "nested too deeply", None),
    "operators": ("x = " + "+".join("a" * MANY), "nested too deeply", None),
    "attributes": ("x = a" + ".b" * MANY, "nested too deeply", None),
    "calls": ("x = a" + "()" * MANY, "nested too deeply", None),
    "negations": ("x = " + "not " * MANY + "1", "nested too deeply", None),
    "conditions": ("x = " + "1 if a else " * 30_000 + "2", "nested too deeply", None),
    "functions": ("x = " + "lambda: " * MANY + "1", "nested too deeply", None),
    "branches": ("if a: pass\n" + "elif b: pass\n" * 30_000, "nested too deeply", None),
    "brackets beside new syntax": ("type X = int\nx = " + "[" * MANY + "]" * MANY, "nested too deeply", None),
    "operators beside new syntax": ("type X = int\nx = " + "+".join("a" * MANY), "nested too deeply", None),
    "branches beside new syntax": ("type X = int\nif a: pass\n" + "elif b: pass\n" * 30_000, "nested too deeply", None),
    "dicts that unfold": (
        "a0 = {'x': 1}\n"
        + "".join(f"a{n} = {{'x': a{n - 1}, 'y': a{n - 1}}}\n" for n in range(1, 40))
        + "pod = {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': a39}\n",
        "its variables unfold to too many values",
        None,
    ),
    "dicts in dicts": ("x = " + "{'a': " * 450 + "1" + "}" * 450, "nested too deeply", None),
}


@pytest.mark.parametrize(("text", "reason", "line"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_read(text: str, reason: str, line: int | None) -> None:
    with pytest.raises(TextError) as refused:
        parse(text)
    assert refused.value.reason == reason
    if line is not None:
        assert refused.value.line == line


READ = {
    "nothing": "",
    "a comment": "# a",
    "a blank": " ",
    "blanks at the end": "x = 1\n    ",
    "new syntax": "type X[T] = list[T]\ndef f[T](x: T) -> T: ...\nclass A[T: int]: ...\n",
    "quotes in an f-string": "x = f'{a['b']}'\n",
    "a format in an f-string": "x = f'{a:{b}>{c}} {d!r:^{e}} {f=}'\n",
    "all of matching": "match x:\n    case {'a': [b, *c], **d} | A(e=f) as g if h: pass\n    case _: pass\n",
    "groups of exceptions": "try: pass\nexcept* (A, B) as e: pass\nelse: pass\nfinally: pass\n",
    "all of parameters": "def f(a, /, b: int = 1, *c, d=2, **e): pass\nlambda *, a=1, **b: a\n",
    "asynchronous": "async def f():\n    async with a as b, c: pass\n    async for d in e: await d\n"
    "    [x async for x in y]\n",
    "decorators and bases": "@a.b(c)\nclass A(B, metaclass=C):\n    global x\n    x: int\n"
    "    def f(self): nonlocal_ = 1\n",
    "odd escapes": "x = '\\d \\N{DASH} \\x'\n",
    "a name of a character that is none": KUBE + "client.V1Container(name='\\N{no such}', image=f'\\N{no such}{a}')",
    "a huge number": KUBE + f"client.V1Container(tty={'9' * 5000})",
    "deletions": "del a, (b, [c]), d.e, f['g']\ndel (h)\n",
    "stars": "a, *b = c\n*d, = e\nf(*g, **h)\nx = [*i, *j]\ny = {**k}\nfor l, (m, *n) in o: pass\n",
    "globals": "def f():\n    global a\n    a = 1\n    def g():\n        nonlocal a\n        a = 2\n",
    "imports": "from . import a\nfrom .. import *\nfrom ...b.c import d as e, f\nimport g.h as i\n"
    "from __future__ import annotations\n",
    "a method without self": "class A:\n    def f(): self.x = 1\n    @staticmethod\n"
    "    def g(self): self.x = 1\n    h = lambda self: self.x\n",
    "statements on one line": "a = 1; b = 2; import c; del a\nif x: y = 1; z = 2\n",
    "walrus everywhere": "if (a := b) and [c := d for e in f]: print(g := a)\n",
    "backslashes": "x = a \\\n    + b\nfrom a \\\n    import b\nassert x, \\\n    y\n",
    "a text that repeats itself": "a = 'x' * 10\n"
    + "".join(f"a{i} = a{i - 1} + a{i - 1}\n" for i in range(1, 60))
    + KUBE
    + "client.V1Container(image=a59)\n",
    "a text of itself": "a0 = 'x'\n"
    + "".join(f"a{i} = f'{{a{i - 1}}}{{a{i - 1}}}'\n" for i in range(1, 60))
    + KUBE
    + "client.V1Container(image=a59)\n",
    "objects that hold each other": KUBE
    + "a = client.V1Pod()\na.spec = client.V1PodSpec(containers=a)\nb = [b]\nc = {'d': c}\n"
    "client.V1Pod(spec=c, metadata=b)\n",
    "names of each other's parts": "a = b.c\nb = a.d\na.c.append(1)\nfor a in b: b.x = a\n",
    "callees of all kinds": "f()()\n(lambda: 1)()\na[0]()\n'x'.format()\n(yield_ := f)()\n",
}


@pytest.mark.parametrize("text", READ.values(), ids=READ)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_is_read_without_a_word(text: str, newline: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parsed = parse(text.replace("\n", newline))
    parsed.shared()
    parsed.comments()
    assert parsed.source.decode() == text.replace("\n", newline)


WORDS = st.sampled_from(
    "client . V1Pod V1Container V1PodSpec ( ) [ ] { } , = : ** * 'image' \"a\" f'{x}' x y self None "
    "True 1 + spec containers "
    "\n if else for in lambda def class return global del import from := append ; # \\ @ async "
    "await with as \t \f".split(" ")
)


@settings(max_examples=150)
@given(st.lists(WORDS, max_size=40))
def test_any_words(words: list[str]) -> None:
    try:
        parse(KUBE + "".join(word if word.isspace() else word + " " for word in words))
    except TextError:
        pass


# Encodings.

ENCODED: dict[str, tuple[bytes, tuple[str, bool, str]]] = {
    "UTF-8": ("# é\n".encode(), ("# é\n", False, "utf-8")),
    "with a mark": (b"\xef\xbb\xbf# \xc3\xa9\n", ("# é\n", True, "utf-8")),
    "a cookie": (b"# -*- coding: latin-1 -*-\n# \xe9\n", ("# -*- coding: latin-1 -*-\n# é\n", False, "iso-8859-1")),
    "a cookie in the second line": (
        b"#!/x\n# vim: set fileencoding=cp1252 :\n# \x80\n",
        ("#!/x\n# vim: set fileencoding=cp1252 :\n# €\n", False, "cp1252"),
    ),
    "a cookie too late": (
        "#\n#\n# coding: latin-1\n# é\n".encode(),
        ("#\n#\n# coding: latin-1\n# é\n", False, "utf-8"),
    ),
    "a cookie in code": (b"x = '# coding: latin-1'\n", ("x = '# coding: latin-1'\n", False, "utf-8")),
    "ends of lines": (b"a\r\nb\rc\n", ("a\r\nb\rc\n", False, "utf-8")),
    "nothing": (b"", ("", False, "utf-8")),
}


@pytest.mark.parametrize(("raw", "expected"), ENCODED.values(), ids=ENCODED)
def test_an_encoding(raw: bytes, expected: tuple[str, bool, str]) -> None:
    assert encoding.decode(raw) == expected


UNDECODED: dict[str, tuple[bytes, type[Exception]]] = {
    "no UTF-8": (b"x = 1\n\n\ny = '\xe9'\n", UnicodeDecodeError),
    "no UTF-8 at once": (b"# \xe9\n", SyntaxError),
    "an unknown cookie": (b"# coding: no-such\n", SyntaxError),
    "a mark and another cookie": (b"\xef\xbb\xbf# coding: latin-1\n", SyntaxError),
    "not of text": (b"# coding: rot13\n", LookupError),
    "written in another way": (b"# coding: utf-7\n# +AGE-\n", UnicodeDecodeError),
    "UTF-16": ("x = 1".encode("utf-16"), SyntaxError),
}


@pytest.mark.parametrize(("raw", "error"), UNDECODED.values(), ids=UNDECODED)
def test_what_is_in_no_encoding(raw: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        encoding.decode(raw)


# The gate.

PASSES = {
    "a dict": "x = {'apiVersion': 'v1', 'kind': 'Pod'}",
    "dict(...)": "x = dict(apiVersion='v1', kind='Pod')",
    "a dict in pieces": "x = {'apiVersion': 'v1'}\ny = {'kind': 'Pod', **x}",
    "a spec": "x = {'selector': {}, 'template': {'spec': {'containers': []}}}",
    "kubernetes": "from kubernetes import client\nclient.V1Pod()",
    "kubernetes, imported in a function": "def f():\n    import kubernetes.client\n"
    "    kubernetes.client.V1Deployment()",
    "kubernetes, all names": "from kubernetes.client import *\nV1Container()",
    "kubernetes, a class of its own": "from kubernetes import client\nclass Box(client.V1Container): pass\n"
    "class Large(Box): pass\nLarge(name='a')",
    "kubernetes_asyncio": "from kubernetes_asyncio.client.models import V1PodSpec\nV1PodSpec()",
    "pulumi": "import pulumi_kubernetes as k\nk.apps.v1.DeploymentSpecArgs()",
    "pulumi, one name": "from pulumi_kubernetes.core.v1 import Service\nService('s')",
    "cdk8s": "from imports import k8s\nk8s.KubeDeployment(self, 'd')",
    "cdk8s, beside": "from .imports.k8s import KubePod\nKubePod(self, 'd')",
    "cdk8s-plus": "from cdk8s_plus_32 import k8s\nk8s.KubeServiceV2(self, 'd')",
    "lightkube": "from lightkube.resources.core_v1 import Pod\nPod()",
    "hikaru": "from hikaru.model.rel_1_28 import *\nPod()",
    "YAML in a text": "x = '''\napiVersion: v1\nkind: Pod\n'''",
    "what this Python does not read": "type X = {'apiVersion': 'v1', 'kind': 'Pod'}\nprint 1",
}


@pytest.mark.parametrize("text", PASSES.values(), ids=PASSES)
def test_what_passes_the_gate(text: str) -> None:
    assert gate.passes(text.encode())


HELD = {
    "nothing": "",
    "another program": "import os\nprint(os.environ)",
    "talk of keys": "# apiVersion and kind\nx = 'apiVersion kind'",
    "a client that makes no object": "from kubernetes import client\nclient.CoreV1Api().list_namespaced_pod('V1Pod')",
    "a class of its own that nothing calls": "from kubernetes import client\nclass Box(client.V1Container): pass",
    "a class of its own that makes none": "from kubernetes import client\nclass V1Box(Any): pass\nV1Box(name='a')",
    "small types": "from kubernetes import client\nclient.V1ObjectMeta()",
    "keys that are read": "if x['apiVersion'] == 'v1' and x['kind']: pass",
    "containers of something else": "x = {'containers': [], 'template': 1}; y.selector()",
    "another library": "from kube import V1Pod\nV1Pod()",
}


@pytest.mark.parametrize("text", HELD.values(), ids=HELD)
def test_what_the_gate_holds(text: str) -> None:
    assert not gate.passes(text.encode())


OF_GATE = (
    "kubernetes pulumi_kubernetes cdk8s k8s kr8s lightkube hikaru dagster container_config pod_spec_config imports "
    "import from apiVersion kind containers spec image template selector V1Pod( .V2HPA( PodOperator task.kubernetes( "
    ". c.KubeSpawner"
).split()


@given(words=st.lists(st.sampled_from([*OF_GATE, " ", "\n"]), max_size=12))
def test_what_names_no_word_has_no_bytes_that_pass(words: list[str]) -> None:
    raw = "".join(words).encode()
    assert gate.names_any(raw) or not gate.bytes_pass(raw)


OF_LIBRARIES = ("import kr8s", "import cdk8s", "from a import (GKEPodOperator)", "# dagster\nx(container_config={})")


@pytest.mark.parametrize("text", [*PASSES.values(), *OF_LIBRARIES])
def test_what_uses_a_library_names_a_word(text: str) -> None:
    assert gate.names_any(text.encode())


def test_what_says_nothing_of_kubernetes_names_no_word() -> None:
    assert not gate.names_any(b"import os\nV, K, P = 8, os.environ, 'container'\n")


# Lines of imports.

IMPORTS = {
    "a module": "import ops.gcp as g, os",
    "names": "from ops.gcp import Load as L, Web",
    "names in parentheses": "from ops.gcp import (  # what runs (there)\n    Load,  # )\n    Web,\n)\nx = (1,)",
    "parentheses on a line of their own": "from ops.gcp import \\\n(\nLoad,\nWeb)",
    "lines that a backslash joins": "from ops \\\n  .gcp \\\n import Load, \\\n  Web",
    "behind another statement": "x = 1; import ops.gcp; y = 2",
    "in one line with its branch": "if x: from ops import gcp",
    "in a function, relative": "def f():\n\tfrom ..ops import (gcp)\n\timport Web",
    "behind words of a text": "import a\n'''import this (or that'''\nfrom ops import gcp\nimportant(')')\nimport Web",
    "all names": "from ops.gcp import *\nimport a.b as c",
    "names with the word in them": "from important.import_ops import reimport, importer\nimport import_tools",
    "letters of others": "from op\u00e9 import L\u00fcd",
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("text", IMPORTS.values(), ids=IMPORTS)
def test_the_lines_of_imports_hold_all_their_names(text: str, end: str) -> None:
    lines = reading.imports_of(text.replace("\n", end).encode())
    given = reading.words(lines.names)
    found = given | reading.words(lines.origins)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name for node in nodes for alias in node.names for name in (alias.name, alias.asname or "")}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert nodes
    assert {alias.name.split(".")[0] for node in nodes for alias in node.names} - {"*"} <= given
    assert {part for name in names for part in name.split(".") if part} - {"*"} <= found


def test_the_lines_of_imports_are_few() -> None:
    text = "import a\n" + "x = f(y)\n" * 1000 + "from b import c\n" + "z = 1\n" * 1000
    assert reading.imports_of(text.encode()) == (b"from b ", b" a\n c")


def test_who_imports_all_names_imports_the_module() -> None:
    assert reading.imports_of(b"from a.b import *\n").names == b"from a.b import *"


# Names, and the types.

ORACLE = [
    "import a.b\nimport a.c as d\nx(a.b.e(), d.f(), g())",
    "from a import b, c as d\ndef f(b):\n    b.x(); d.y()\nlambda d: d.z()\nb.w()",
    "from a import b\nclass C:\n    from c import d\n    d.x()\n    def f(self):\n        d.y(); b.z()\n",
    "try:\n    from a import b\nexcept ImportError:\n    from c import b\nb.x()",
    "def f():\n    from a import b\n    def g():\n        return b.x()\ndef h():\n    return b.x()",
    "from a import b\n[b() for b in c()]; [b.x() for c in b.d()]\n{b(): 1 for b in c}",
    "from a import b\ndef f():\n    global b\n    b.x()",
    "from a import b\nwith b() as c:\n    c.x()\nfor d in b.e():\n    d()",
    "from a import b as c\ndef f(x=c.d()): return c(x)\n@c.e()\nclass C(c.f()): pass",
    "import a\ndef f():\n    a = a.b()\n    a.c()",
    "from .a import b\nfrom ..c import d as e\nb.x(); e.y()",
]


@pytest.mark.parametrize("text", ORACLE)
def test_names_mean_what_libcst_says(text: str) -> None:
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    meant: dict[tuple[int, int], set[str]] = {}
    for node, names in wrapper.resolve(QualifiedNameProvider).items():
        theirs: Any = names() if callable(names) else names
        imported = {each.name.lstrip(".") for each in theirs if each.source.name == "IMPORT"}
        meant[spans[node].start, spans[node].start + spans[node].length] = imported
    calls = scan(*read(text)).calls
    assert calls
    for call, scope in calls:
        place = call.func.start, call.func.end
        assert set(qualified_names(call.func, scope)) == meant[place], text[slice(*place)]


def test_the_types_are_those_of_the_schemas() -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="its schemas are what is read")
    schemas = Path(kubernetes_validate.__file__).with_name("kubernetes-json-schema")
    written = (ROOT / "hardener" / "sources" / "python" / "libraries" / "types.json").read_text(encoding="utf-8")
    assert type_graph.generate(schemas) == written


@pytest.mark.parametrize(
    "before", ["x = ", "def f():\n    return [1, g(", "x = [\n    2,\n" + "    3,\n" * 400 + "    "]
)
def test_where_nesting_is_too_deep(before: str) -> None:
    after = {"[1, g(": ")]", "3,\n    ": "]"}
    end = next((closing for opening, closing in after.items() if before.endswith(opening)), "")
    read(f"{before}{'-' * (DEEPEST - 20)}1{end}\n")
    with pytest.raises(RecursionError):
        read(f"{before}{'-' * DEEPEST}1{end}\n")
