"""Edits in block style."""

from typing import Any

import pytest

from hardener.sources.yaml import rewrite

from .cases import Case, Edit, all_of, append, at, drop, insert, place, put, swap

ADD = [
    Case("at the end", "a: 1\nb: 2\n", put("c", to=3), "a: 1\nb: 2\nc: 3\n"),
    Case("no final newline stays so", "a: 1\nb: 2", put("c", to=3), "a: 1\nb: 2\nc: 3"),
    Case(
        "CRLF", "a:\r\n  b: 2\r\nc: 1\r\n", put("a", "x", to={"w": 1}), "a:\r\n  b: 2\r\n  x:\r\n    w: 1\r\nc: 1\r\n"
    ),
    Case("CRLF without final newline", "a: 1\r\nb: 2", put("c", to=3), "a: 1\r\nb: 2\r\nc: 3"),
    Case(
        "mixed line ends copy the neighbour",
        "a: 1\r\nb:\n  c: 1\n",
        put("b", "d", to=2),
        "a: 1\r\nb:\n  c: 1\n  d: 2\n",
    ),
    Case("behind a key", "a: 1\nb: 2\n", place(key="x", to=9, after="a"), "a: 1\nx: 9\nb: 2\n"),
    Case(
        "comments below belong to what follows",
        "s:\n  a: 1 # one\n\n  # about t\nt: 2\n",
        put("s", "b", to=2),
        "s:\n  a: 1 # one\n  b: 2\n\n  # about t\nt: 2\n",
    ),
    Case(
        "deeper comments are commented-out children",
        "s:\n  r: {}\n    # limits: x\nt: 2\n",
        put("s", "b", to=2),
        "s:\n  r: {}\n    # limits: x\n  b: 2\nt: 2\n",
    ),
    Case("in front", "a: 1\nb: 2\n", place(key="x", to=0), "x: 0\na: 1\nb: 2\n"),
    Case(
        "in front: comments stay with the key they describe",
        "s:\n  # about a\n  # more\n  a: 1\n",
        place("s", key="x", to=0),
        "s:\n  x: 0\n  # about a\n  # more\n  a: 1\n",
    ),
    Case(
        "in front behind a dash",
        "s:\n- name: x\n  b: 2\n",
        place("s", 0, key="z", to=0),
        "s:\n- name: x\n  z: 0\n  b: 2\n",
    ),
    Case(
        "after a block scalar",
        "m:\n  a: |\n    x\n\n# c\nb: 1\n",
        put("m", "z", to=1),
        "m:\n  a: |\n    x\n  z: 1\n\n# c\nb: 1\n",
    ),
    Case(
        "after a kept scalar",
        "m:\n  a: |+\n    x\n\nb: 1\n",
        put("m", "z", to=1),
        "m:\n  a: |+\n    x\n\n  z: 1\nb: 1\n",
    ),
    Case(
        "after a kept scalar at the end",
        "m:\n  a: |+\n    x\n\n",
        put("m", "z", to=1),
        "m:\n  a: |+\n    x\n\n  z: 1\n",
    ),
    Case("after a folded scalar", "a: >-\n  x\n  y\n\n\n# end\n", put("b", to=1), "a: >-\n  x\n  y\nb: 1\n\n\n# end\n"),
    Case("after a folded plain scalar", "a: x\n  y\nb: 1\n", put("c", to=1), "a: x\n  y\nb: 1\nc: 1\n"),
    Case("after a folded plain scalar at the end", "a: x\n  y", put("c", to=1), "a: x\n  y\nc: 1"),
    Case(
        "a `|` at the end without newline keeps its value",
        "a: 1\nm:\n  b: |\n    x",
        all_of(put("c", to=1), put("m", "z", to=1)),
        "a: 1\nc: 1\nm:\n  z: 1\n  b: |\n    x",
    ),
    Case("a `|` behind a dash at the end", "- b: |\n    x", put(0, "z", to=1), "- z: 1\n  b: |\n    x"),
    Case(
        "four blanks",
        "a:\n    b:\n        c: 1\n",
        put("a", "z", to={"w": {"x": 1}}),
        "a:\n    b:\n        c: 1\n    z:\n        w:\n            x: 1\n",
    ),
    Case("a tab before a comment", "a: 1\t# x\nb: 2\t\n", put("c", to=1), "a: 1\t# x\nb: 2\t\nc: 1\n"),
    Case(
        "quoted keys", '"a": "x"\n"b":\n  "c": 1\n', put("b", "d", to="yes"), '"a": "x"\n"b":\n  "c": 1\n  d: "yes"\n'
    ),
    Case("the quotes of the segment", "a: 'x'\n", put("d", to="yes"), "a: 'x'\nd: 'yes'\n"),
    Case("a comment between key and value", "a:\n  # c\n  b: 1\n", put("a", "c", to=1), "a:\n  # c\n  b: 1\n  c: 1\n"),
    Case("a comment behind the dash", "s:\n- # c\n  a: 1\n", put("s", 0, "b", to=1), "s:\n- # c\n  a: 1\n  b: 1\n"),
    Case(
        "deep and shallow at one place",
        "s:\n  c:\n  - n: 1\nt: 1\n",
        all_of(put("s", "z", to=1), put("s", "c", 0, "w", to=1)),
        "s:\n  c:\n  - n: 1\n    w: 1\n  z: 1\nt: 1\n",
    ),
    Case("several lines of text", "a: 1\n", put("b", to="x\ny\n"), "a: 1\nb: |\n  x\n  y\n"),
    Case(
        "several lines before a blank",
        "a: 1\n      \nb: 1\n",
        place(key="c", to="x\ny\n", after="a"),
        'a: 1\nc: "x\\ny\\n"\n      \nb: 1\n',
    ),
    Case("several lines at an end without newline", "a: 1", put("b", to="x\ny\n"), 'a: 1\nb: "x\\ny\\n"'),
    Case("a key that is a YAML 1.1 boolean", "yes: 1\n", put("y", to=1), 'yes: 1\n"y": 1\n'),
    Case("a short sequence, no habit", "a: 1\n", put("drop", to=["ALL"]), "a: 1\ndrop:\n- ALL\n"),
    Case(
        "a short sequence where the key is known",
        "a:\n  drop: [NET]\nb: {}\n",
        put("b", "drop", to=["ALL"]),
        "a:\n  drop: [NET]\nb:\n  drop: [ALL]\n",
    ),
    Case(
        "with its quotes",
        'a:\n  drop: [ "NET" ]\nb: {}\n',
        put("b", "drop", to=["ALL"]),
        'a:\n  drop: [ "NET" ]\nb:\n  drop: [ "ALL" ]\n',
    ),
    Case(
        "a short sequence by majority",
        "a: [x, y]\nb: [z]\nc:\n- w\n",
        put("drop", to=["ALL"]),
        "a: [x, y]\nb: [z]\nc:\n- w\ndrop: [ALL]\n",
    ),
    Case(
        "the key itself wins over the majority",
        "a: [x]\nb: [z]\nc:\n  drop:\n  - w\n",
        put("drop", to=["ALL"]),
        "a: [x]\nb: [z]\nc:\n  drop:\n  - w\ndrop:\n- ALL\n",
    ),
]

SEQUENCES = [
    Case(
        "`|` at the end, two levels grow",
        "- - |\n    x",
        all_of(append(0, item=0), append(item=1)),
        "- - |-\n    x\n  - 0\n- 1",
    ),
    Case(
        "not indented",
        "s:\n- a: 1\n- a: 2\n",
        append("s", item={"a": 3, "b": ["x"]}),
        "s:\n- a: 1\n- a: 2\n- a: 3\n  b:\n  - x\n",
    ),
    Case(
        "indented",
        "s:\n  - a: 1\n  - a: 2\n# e\n",
        append("s", item={"a": 3, "b": ["x"]}),
        "s:\n  - a: 1\n  - a: 2\n  - a: 3\n    b:\n      - x\n# e\n",
    ),
    Case(
        "wide dash",
        "s:\n  -   a: 1\n      b: 2\n",
        append("s", item={"a": 3, "b": 4}),
        "s:\n  -   a: 1\n      b: 2\n  -   a: 3\n      b: 4\n",
    ),
    Case("first", "s:\n- a\n- b\n", insert("s", index=0, item="z"), "s:\n- z\n- a\n- b\n"),
    Case(
        "first, above the comment",
        "s:\n# about a\n- a\n- b\n",
        insert("s", index=0, item="z"),
        "s:\n- z\n# about a\n- a\n- b\n",
    ),
    Case("in the middle", "s:\n- a # A\n- b\n", insert("s", index=1, item="z"), "s:\n- a # A\n- z\n- b\n"),
    Case("quoted like its siblings", 's:\n- "a"\n- "b"\n', append("s", item="c"), 's:\n- "a"\n- "b"\n- "c"\n'),
    Case("sequence of sequences", "s:\n- - a\n  - b\n", append("s", 0, item="c"), "s:\n- - a\n  - b\n  - c\n"),
    Case(
        "first of an inner sequence",
        "s:\n- - a\n  - b\n",
        insert("s", 0, index=0, item="z"),
        "s:\n- - z\n  - a\n  - b\n",
    ),
    Case(
        "dash alone",
        "s:\n-\n  a: 1\n-\n  a: 2\n",
        all_of(put("s", 0, "b", to=1), append("s", item={"c": 1})),
        "s:\n-\n  a: 1\n  b: 1\n-\n  a: 2\n- c: 1\n",
    ),
    Case("remove", "s:\n- a\n- b # B\n- c\n", drop("s", 1), "s:\n- a\n- c\n"),
    Case("remove the last, no final newline", "s:\n- a\n- b", drop("s", 1), "s:\n- a"),
    Case("remove all", "s:\n- a\nt: 1\n", lambda d: at(d, "s").clear(), "s: []\nt: 1\n"),
    Case("remove two", "s:\n- a\n- b\n- c\n- d\n", all_of(drop("s", 1), drop("s", 1)), "s:\n- a\n- d\n"),
    Case("remove the first of an inner one", "s:\n- - a\n  - b\n", drop("s", 0, 0), "s:\n- - b\n"),
    Case("an empty item", "s:\n- \n- a\n", put("s", 0, to="z"), "s:\n- z\n- a\n"),
    Case("an empty item opened", "s:\n- # c\n- a\n", put("s", 0, to={"a": 1, "b": 2}), "s:\n- a: 1 # c\n  b: 2\n- a\n"),
    Case("scalar to mapping", "s:\n- x\n", put("s", 0, to={"a": 1, "b": 2}), "s:\n- a: 1\n  b: 2\n"),
    Case("mapping to scalar", "s:\n- a: 1\n  b: 2\n- c: 1\n", put("s", 0, to="x"), "s:\n- x\n- c: 1\n"),
    Case("new list of scalars", "s:\n- x\n- y\n", put("s", to=["w", "z"]), "s:\n- w\n- z\n"),
    Case("a `|` item at the end without newline", "s:\n- |\n  x", append("s", item="z"), "s:\n- |-\n  x\n- z"),
    Case("empty mapping item", "s:\n- {}\n", put("s", 0, "a", to=1), "s:\n- a: 1\n"),
]

COMMENTED_ITEMS = [
    Case(
        "commented-out items stay with their list",
        "a:\n- x\n#- y\n# more\nc: 1\n",
        place(key="b", to=2, after="a"),
        "a:\n- x\n#- y\n# more\nb: 2\nc: 1\n",
    ),
    Case(
        "another comment goes with what follows",
        "a:\n- x\n# about c\nc: 1\n",
        place(key="b", to=2, after="a"),
        "a:\n- x\nb: 2\n# about c\nc: 1\n",
    ),
]

REPLACE = [
    Case("scalar", "a: 1 # c\n", put("a", to=2), "a: 2 # c\n"),
    Case("comment keeps its column", "a: true    # c\n", put("a", to=False), "a: false   # c\n"),
    Case(
        "also below a line that goes",
        "a: true     # x\nb: 0          # c\n",
        all_of(drop("a"), put("b", to=65532)),
        "b: 65532      # c\n",
    ),
    Case("until two blanks remain", "a: 1  # c\n", put("a", to=1000), "a: 1000  # c\n"),
    Case("one blank stays one blank", "a: 1 # c\n", put("a", to=1000), "a: 1000 # c\n"),
    Case("a shorter value widens the gap", "a: 1000  # c\n", put("a", to=1), "a: 1     # c\n"),
    Case(
        "quotes stay",
        "a: \"x\"\nb: 'y'\nc: z\n",
        all_of(put("a", to="p"), put("b", to="q"), put("c", to="r")),
        "a: \"p\"\nb: 'q'\nc: r\n",
    ),
    Case("a string that needs quotes", "a: x\n", put("a", to="yes"), 'a: "yes"\n'),
    Case("a boolean in place of a quoted string", 'a: "true" # c\n', put("a", to=True), "a: true   # c\n"),
    Case("block scalar to plain", "a: |\n  x\n  y\n\n# c\nb: 1\n", put("a", to="z"), "a: z\n\n# c\nb: 1\n"),
    Case("block scalar to block scalar", "a: | # c\n  x\nb: 1\n", put("a", to="y\nz\n"), "a: | # c\n  y\n  z\nb: 1\n"),
    Case("block scalar with # lines", "a: |\n  x\n  # no comment\nb: 1\n", put("a", to=1), "a: 1\nb: 1\n"),
    Case(
        "scalar to several lines, comment stays",
        "a: x # c\nb: 1\n",
        put("a", to="l1\nl2"),
        "a: |- # c\n  l1\n  l2\nb: 1\n",
    ),
    Case("scalar to mapping", "a: x # c\nb: 1\n", put("a", to={"k": 1}), "a:   # c\n  k: 1\nb: 1\n"),
    Case("mapping to scalar", "a: # c\n  k: 1\n  l: 2 # g\nb: 1\n", put("a", to=5), "a: 5 # c\nb: 1\n"),
    Case("mapping to mapping", "a:\n  k: 1\nb: 1\n", put("a", to={"x": 2}), "a:\n  x: 2\nb: 1\n"),
    Case("mapping to sequence", "a:\n  k: 1\nb: 1\n", put("a", to=["x"]), "a:\n- x\nb: 1\n"),
    Case("value on the next line", 'a:\n  "x"\nb: 1\n', put("a", to="z"), 'a:\n  "z"\nb: 1\n'),
    Case("folded plain scalar", "a: x\n  y # c\nb: 1\n", put("a", to="z"), "a: z # c\nb: 1\n"),
    Case("anchored scalar", "a: &x foo\nb: 1\n", put("a", to="bar"), "a: &x bar\nb: 1\n"),
    Case(
        "comments inside stay",
        "a:\n  # one\n  k: 1\n  # two\n  l: 2\nb: 1\n",
        put("a", to=5),
        "a: 5\n  # one\n  # two\nb: 1\n",
    ),
    Case("the root's keys", "# head\na: 1\n", lambda d: (d[0].clear(), d[0].update(b=2)) and None, "# head\nb: 2\n"),
]

OPEN = [
    Case(
        "{} keeps the comment where it is",
        "s:\n  r: {}  # c\nt: 2\n",
        put("s", "r", "l", to={"cpu": "1"}),
        's:\n  r:     # c\n    l:\n      cpu: "1"\nt: 2\n',
    ),
    Case(
        "null", "s:\n  r: # c\n  # x\nt: 2\n", put("s", "r", to={"a": True}), "s:\n  r: # c\n    a: true\n  # x\nt: 2\n"
    ),
    Case("null at the end", "s:\n  r:", put("s", "r", to={"a": True}), "s:\n  r:\n    a: true"),
    Case("null with a trailing blank", "r: \nb: 1\n", put("r", to={"a": True}), "r: \n  a: true\nb: 1\n"),
    Case("null to scalar", "r: \nb: 1\n", put("r", to=1), "r: 1\nb: 1\n"),
    Case("tilde", "s:\n  r: ~\n", put("s", "r", to={"a": True}), "s:\n  r:\n    a: true\n"),
    Case("[]", "s: []\n", append("s", item="c"), "s:\n- c\n"),
    Case("{} on a line of its own", "r: \n  {}\nb: 1\n", put("r", "a", to=1), "r: \n  a: 1\nb: 1\n"),
    Case(
        "{} and siblings at the end",
        "s:\n- r: {}",
        all_of(put("s", 0, "r", "a", to=1), put("s", 0, "z", to=2), put("t", to=3)),
        "s:\n- r:\n    a: 1\n  z: 2\nt: 3",
    ),
]

REMOVE = [
    Case("a key and its comment", "a: 1\nb: 2 # gone\nc: 3\n", drop("b"), "a: 1\nc: 3\n"),
    Case("a comment above stays", "a: 1\n# about b\nb: 2\n\nc: 3\n", drop("b"), "a: 1\n# about b\n\nc: 3\n"),
    Case(
        "comments inside stay",
        "a: 1\nb:\n  # in\n  x: 1 # gone\n  y:\n    # deep\n    z: 1\nc: 3\n",
        drop("b"),
        "a: 1\n  # in\n    # deep\nc: 3\n",
    ),
    Case("the only key", "a:\n  b: 1\nc: 3\n", drop("a", "b"), "a: {}\nc: 3\n"),
    Case(
        "the only key, comments stay", "a: # why\n  # in\n  b: 1\nc: 3\n", drop("a", "b"), "a: {} # why\n  # in\nc: 3\n"
    ),
    Case("the first key behind a dash", "s:\n- a: 1\n  b: 2\n", drop("s", 0, "a"), "s:\n- b: 2\n"),
    Case(
        "the first key behind a dash, comment below",
        "s:\n- a: 1 # x\n  # about b\n  b: 2\n",
        drop("s", 0, "a"),
        "s:\n-\n  # about b\n  b: 2\n",
    ),
    Case(
        "two keys behind a dash",
        "s:\n- a: 1\n  b: 2\n  c: 3\n",
        all_of(drop("s", 0, "a"), drop("s", 0, "b")),
        "s:\n- c: 3\n",
    ),
    Case("all keys of an item", "s:\n- a: 1\n  b: 2\n", lambda d: at(d, "s", 0).clear(), "s:\n- {}\n"),
    Case("the last, no final newline", "a: 1\nb: 2", drop("b"), "a: 1"),
    Case("the last below a block scalar, no final newline", "a: |\n  x\nb: 2", drop("b"), "a: |\n  x\n"),
]

SWAP = [
    Case(
        "in place",
        "v:\n- name: x\n  hostPath:\n    path: /etc\n",
        swap("v", 0, old="hostPath", new="emptyDir", to={}),
        "v:\n- name: x\n  emptyDir: {}\n",
    ),
    Case(
        "behind the dash",
        "v:\n- hostPath:\n    path: /etc\n  name: x\n",
        swap("v", 0, old="hostPath", new="emptyDir", to={}),
        "v:\n- emptyDir: {}\n  name: x\n",
    ),
    Case(
        "behind the dash with a comment",
        "v:\n- h:\n    # why\n    path: /etc\n  name: x\n",
        swap("v", 0, old="h", new="e", to={"m": 1}),
        "v:\n- e:\n    m: 1\n    # why\n  name: x\n",
    ),
    Case("the first", "a: 1\nb: 2\n", swap(old="a", new="z", to=1), "z: 1\nb: 2\n"),
    Case("the last", "a: 1\nb: 2\n", swap(old="b", new="c", to=3), "a: 1\nc: 3\n"),
    Case("the last, no final newline", "a: 1\nb: 2", swap(old="b", new="c", to=3), "a: 1\nc: 3"),
    Case(
        "a shorter list and a new key",
        "s:\n  l:\n  - a\n  - b\n  - c\n",
        all_of(put("s", "l", to=["x"]), put("s", "z", to=2)),
        "s:\n  l:\n  - x\n  z: 2\n",
    ),
    Case(
        "the same without final newline",
        "s:\n  l:\n  - a\n  - b\n  - c",
        all_of(put("s", "l", to=["x"]), put("s", "z", to=2)),
        "s:\n  l:\n  - x\n  z: 2",
    ),
]

STREAMS = [
    Case(
        "several documents",
        "# h\n---\na: 1\n# t\n---\n\n---\nb: 1\n...\n# z\n",
        lambda d: (d[0].update(x=1), d[2].update(w=2)) and None,
        "# h\n---\na: 1\nx: 1\n# t\n---\n\n---\nb: 1\nw: 2\n...\n# z\n",
    ),
    Case("a directive", "%YAML 1.1\n---\na: 1\n", put("b", to=1), "%YAML 1.1\n---\na: 1\nb: 1\n"),
    Case("not ASCII", "a: é😀\nb: {c: ü}\n", put("b", "d", to=1), "a: é😀\nb: {c: ü, d: 1}\n"),
    Case("a document taken away", "---\n# c\na: 1\nb:\n  # in\n  c: 1\n", lambda d: [None], "---\n# c\n  # in\n"),
    Case("the only document taken away", "a: 1\n", lambda d: [None], ""),
]

ANCHORS = [
    Case("untouched", "a: &x\n  q: 1\nb: *x\n", put("c", to=1), "a: &x\n  q: 1\nb: *x\nc: 1\n"),
    Case(
        "the same at every place",
        "a: &x\n  q: 1\nb: *x\n",
        all_of(put("a", "r", to=2), put("b", "r", to=2)),
        "a: &x\n  q: 1\n  r: 2\nb: *x\n",
    ),
    Case("an alias removed", "a: &x\n  q: 1\nb: *x\n", drop("b"), "a: &x\n  q: 1\n"),
    Case(
        "a merge overridden",
        "a: &x\n  q: 1\nb:\n  <<: *x\n  z: 1\n",
        put("b", "q", to=2),
        "a: &x\n  q: 1\nb:\n  <<: *x\n  z: 1\n  q: 2\n",
    ),
    Case(
        "a merge added to",
        "a: &x\n  q: 1\nb:\n  <<: *x\n",
        put("b", "r", to=2),
        "a: &x\n  q: 1\nb:\n  <<: *x\n  r: 2\n",
    ),
    Case(
        "never in front of a merge",
        "a: &x\n  q: 1\nb:\n  <<: *x\n  z: 1\n",
        place("b", key="r", to=2),
        "a: &x\n  q: 1\nb:\n  <<: *x\n  z: 1\n  r: 2\n",
    ),
]

ALL = [*ADD, *COMMENTED_ITEMS, *SEQUENCES, *REPLACE, *OPEN, *REMOVE, *SWAP, *STREAMS, *ANCHORS]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_edit(case: Case) -> None:
    result = rewrite(case.before, case.edit)
    assert result.text == case.after


NAMED = frozenset({("value", "from"), ("m", "s")})  # a key that goes, and the one that comes for it
PLACED = [
    Case(
        "a value becomes a mapping, behind its comment",
        "e:\n- name: x\n  value: y  # why\n- name: z\n",
        swap("e", 0, old="value", new="from", to={"ref": "k"}),
        "e:\n- name: x\n  from:  # why\n    ref: k\n- name: z\n",
    ),
    Case(
        "what is in both keeps its text and its comments",
        "v:\n- n: 1\n  # about m\n  m: # m\n    name: a  # a\n    mode: 0444\n",
        swap("v", 0, old="m", new="s", to={"name": "b", "mode": 0o444}),
        "v:\n- n: 1\n  # about m\n  s: # m\n    name: b  # a\n    mode: 0444\n",
    ),
    Case(
        "the only key, behind a dash",
        "v:\n- m:\n    name: a  # a\n",
        swap("v", 0, old="m", new="s", to={"name": "b"}),
        "v:\n- s:\n    name: b  # a\n",
    ),
    Case("CRLF", "m: 1  # a\r\nb: 2\r\n", swap(old="m", new="s", to=[1]), "s:  # a\r\n- 1\r\nb: 2\r\n"),
    Case("a quoted key", '"m": x # a\n', swap(old="m", new="s", to=1), "s: 1 # a\n"),
    Case("a key that is not named for it", "a: 1  # a\nb: 2\n", swap(old="a", new="s", to=1), "s: 1\nb: 2\n"),
    Case("an anchor goes with its value", "m: &x 1  # a\nb: 2\n", swap(old="m", new="s", to=2), "s: 2\nb: 2\n"),
    Case("two that come", "m: 1  # a\n", all_of(drop("m"), put("s", to=1), put("t", to=2)), "s: 1\nt: 2\n"),
    Case("one that comes elsewhere", "m: 1  # a\nb: 2\n", all_of(drop("m"), put("s", to=1)), "b: 2\ns: 1\n"),
    Case("in brackets", "f: {m: 1, b: 2}\n", swap("f", old="m", new="s", to=1), "f: {s: 1, b: 2}\n"),
]


@pytest.mark.parametrize("case", PLACED, ids=lambda case: case.name)
def test_a_key_in_the_place_of_another(case: Case) -> None:
    assert rewrite(case.before, case.edit, replaced=NAMED).text == case.after


def last(*path: str | int, index: int) -> Edit:
    """Make an item the last of its list."""

    def edit(documents: list[Any]) -> None:
        items = at(documents, *path)
        items.append(dict(items.pop(index)))

    return edit


MOVED = [
    Case(
        "an item takes its comments along",
        "p:\n# about a\n- a: {}  # a\n# about b\n- b:\n    k: 0444\nq: 1\n",
        last("p", index=0),
        "p:\n# about b\n- b:\n    k: 0444\n# about a\n- a: {}  # a\nq: 1\n",
    ),
    Case(
        "its own words and its comments within",
        "p:\n  - b: 'x'\n    # of c\n    c: 0x1F\n  - a: {}\n",
        last("p", index=0),
        "p:\n  - a: {}\n  - b: 'x'\n    # of c\n    c: 0x1F\n",
    ),
    Case("no final newline stays so", "p:\n- a: 1\n- b: 1", last("p", index=0), "p:\n- b: 1\n- a: 1"),
    Case("CRLF", "p:\r\n- a: 1  # a\r\n- b: 1\r\n", last("p", index=0), "p:\r\n- b: 1\r\n- a: 1  # a\r\n"),
    Case("in brackets", "p: [{a: 1}, {b: 1}]\n", last("p", index=0), "p: [{b: 1}, {a: 1}]\n"),
]


@pytest.mark.parametrize("case", MOVED, ids=lambda case: case.name)
def test_an_item_in_another_place(case: Case) -> None:
    assert rewrite(case.before, case.edit).text == case.after


def test_a_last_line_without_end_is_not_taken_for_the_new_last_line() -> None:
    text = "v:\n- name: p\n  emptyDir: {}"

    def add(documents: list[Any]) -> None:
        documents[0]["v"].append({"name": "q", "emptyDir": {}})

    (hunk,) = rewrite(text, add).hunks
    assert hunk.before == ["  emptyDir: {}"]
    assert hunk.after == ["  emptyDir: {}\n", "- name: q\n", "  emptyDir: {}"]
