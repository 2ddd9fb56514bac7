"""Edits in brackets, JSON among them."""

import json

import pytest

from hardener.sources.yaml import rewrite

from .cases import Case, all_of, append, at, drop, insert, place, put

YAML = [
    Case("append", 's: [a, "b"]\n', append("s", item="c"), 's: [a, "b", c]\n'),
    Case("append quoted like the rest", 's: ["a"] # c\n', append("s", item="b"), 's: ["a", "b"] # c\n'),
    Case("insert first", "s: [a, b]\n", insert("s", index=0, item="z"), "s: [z, a, b]\n"),
    Case("insert in the middle", "s: [a, b]\n", insert("s", index=1, item="z"), "s: [a, z, b]\n"),
    Case("add a key", "s: {a: 1, b: 2}\n", put("s", "c", to={"x": ["w"]}), "s: {a: 1, b: 2, c: {x: [w]}}\n"),
    Case("add a key inside blanks", "s: { a: 1 }\n", put("s", "c", to={"x": 1}), "s: { a: 1, c: { x: 1 } }\n"),
    Case("add a key in front", "s: {a: 1}\n", place("s", key="z", to=0), "s: {z: 0, a: 1}\n"),
    Case("a trailing comma stays", "s: {a: 1,}\n", put("s", "c", to=1), "s: {a: 1, c: 1,}\n"),
    Case("nested empty", "s: {a: {}}\n", put("s", "a", "x", to=1), "s: {a: {x: 1}}\n"),
    Case("set", "s: {a: 1, b: 2}\n", put("s", "a", to="yes"), 's: {a: "yes", b: 2}\n'),
    Case("set keeps quotes", "s: {a: 'x', b: 2}\n", put("s", "a", to="y"), "s: {a: 'y', b: 2}\n"),
    Case("set an absent value", "s: {a: , b: 2}\n", put("s", "a", to=1), "s: {a: 1 , b: 2}\n"),
    Case("remove", "s: {a: 1, b: 2, c: 3}\n", drop("s", "b"), "s: {a: 1, c: 3}\n"),
    Case("remove the first", "s: {a: 1, b: 2, c: 3}\n", drop("s", "a"), "s: {b: 2, c: 3}\n"),
    Case("remove the last", "s: { a: 1, b: 2 }\n", drop("s", "b"), "s: { a: 1 }\n"),
    Case("remove all", "s: {a: 1}\n", drop("s", "a"), "s: {}\n"),
    Case("all replaced stay in brackets", "s: {a: 1} # c\n", lambda d: put("s", to={"b": 2})(d), "s: {b: 2} # c\n"),
    Case("remove two", "s: [a, b, c, d]\n", all_of(drop("s", 1), drop("s", 1)), "s: [a, d]\n"),
    Case("remove two at the head", "s: [a, b, c, d]\n", all_of(drop("s", 0), drop("s", 0)), "s: [c, d]\n"),
    Case("replace", "s: [NET_RAW]   # keep\n", put("s", to=["ALL"]), "s: [ALL]       # keep\n"),
    Case(
        "colons are quoted",
        "a: [http://x:80/y, b]\n",
        append("a", item="img@sha256:ab"),
        'a: [http://x:80/y, b, "img@sha256:ab"]\n',
    ),
    Case(
        "one a line, comments",
        "s: {\n  a: 1, # A\n  b: 2 # B\n}\n",
        put("s", "c", to=3),
        "s: {\n  a: 1, # A\n  b: 2, # B\n  c: 3\n}\n",
    ),
    Case("one a line, remove the last", "s: {\n  a: 1, # A\n  b: 2 # B\n}\n", drop("s", "b"), "s: {\n  a: 1  # A\n}\n"),
    Case(
        "one a line, remove the first",
        "s: {\n  # about a\n  a: 1, # A\n  # about b\n  b: 2 # B\n}\n",
        drop("s", "a"),
        "s: {\n  # about a\n  # about b\n  b: 2 # B\n}\n",
    ),
    Case(
        "one a line, last replaced",
        "s: {\n  a: 1, # A\n  b: 2 # B\n}\n",
        all_of(drop("s", "b"), put("s", "c", to=3)),
        "s: {\n  a: 1, # A\n  c: 3\n}\n",
    ),
    Case("wrapped", "s: [a, b,\n  c, d]\n", append("s", item="e"), "s: [a, b,\n  c, d, e]\n"),
    Case("wrapped, remove", "s: [a, b,\n  c, d]\n", drop("s", 1), "s: [a,\n  c, d]\n"),
    Case(
        "comments inside stay when it is replaced",
        "s: [a,\n  # why\n  b]\nt: 1\n",
        put("s", to=1),
        "s: 1\n  # why\nt: 1\n",
    ),
    Case(
        "an item in brackets",
        "s:\n- {a: 1, b: 'x'}\n",
        put("s", 0, "c", to={"d": True}),
        "s:\n- {a: 1, b: 'x', c: {d: true}}\n",
    ),
    Case("brackets to block", "s: [a] # c\nt: 1\n", put("s", to={"k": 1}), "s:     # c\n  k: 1\nt: 1\n"),
]

PRETTY = '{\n  "a": 1,\n  "b": {\n    "c": "d"\n  }\n}\n'
JSON = [
    Case(
        "add",
        PRETTY,
        put("b", "e", to={"f": ["g"]}),
        '{\n  "a": 1,\n  "b": {\n    "c": "d",\n    "e": {\n      "f": [\n        "g"\n      ]\n    }\n  }\n}\n',
    ),
    Case("add at the root", PRETTY, put("e", to=None), '{\n  "a": 1,\n  "b": {\n    "c": "d"\n  },\n  "e": null\n}\n'),
    Case(
        "add in the middle",
        PRETTY,
        place(key="x", to="é", after="a"),
        '{\n  "a": 1,\n  "x": "é",\n  "b": {\n    "c": "d"\n  }\n}\n',
    ),
    Case("add in front", PRETTY, place(key="x", to="y"), '{\n  "x": "y",\n  "a": 1,\n  "b": {\n    "c": "d"\n  }\n}\n'),
    Case("remove", PRETTY, drop("a"), '{\n  "b": {\n    "c": "d"\n  }\n}\n'),
    Case("remove the last", PRETTY, drop("b"), '{\n  "a": 1\n}\n'),
    Case("remove all of one", PRETTY, drop("b", "c"), '{\n  "a": 1,\n  "b": {}\n}\n'),
    Case("set", PRETTY, put("b", "c", to=True), '{\n  "a": 1,\n  "b": {\n    "c": true\n  }\n}\n'),
    Case(
        "tabs",
        '{\n\t"a": {\n\t\t"b": 1\n\t}\n}',
        put("a", "c", to={"d": [1]}),
        '{\n\t"a": {\n\t\t"b": 1,\n\t\t"c": {\n\t\t\t"d": [\n\t\t\t\t1\n\t\t\t]\n\t\t}\n\t}\n}',
    ),
    Case("one line", '{"a": {"b": 1}}', put("a", "e", to={"f": ["g"]}), '{"a": {"b": 1, "e": {"f": ["g"]}}}'),
    Case("compact", '{"a":{"b":1}}', put("a", "e", to={"f": ["g", 1]}), '{"a":{"b":1,"e":{"f":["g",1]}}}'),
    Case("empty inside", '{\n    "a": {}\n}\n', put("a", "e", to=1), '{\n    "a": {\n        "e": 1\n    }\n}\n'),
    Case("empty root", "{}\n", put("a", to=1), '{\n  "a": 1\n}\n'),
    Case("empty sequence", '{\n  "a": []\n}\n', append("a", item="x"), '{\n  "a": [\n    "x"\n  ]\n}\n'),
    Case(
        "items that are objects",
        '{"a":[\n  {"b":1},\n  {"b":2}\n]}',
        append("a", item={"b": 3}),
        '{"a":[\n  {"b":1},\n  {"b":2},\n  {\n    "b":3\n  }\n]}',
    ),
    Case(
        "CRLF",
        '{\r\n  "a": 1\r\n}\r\n',
        put("b", to={"c": 1}),
        '{\r\n  "a": 1,\r\n  "b": {\r\n    "c": 1\r\n  }\r\n}\r\n',
    ),
    Case("emptied root", '{"a": 1}\n', lambda d: at(d).clear(), "{}\n"),
]


@pytest.mark.parametrize("case", YAML, ids=lambda case: case.name)
def test_yaml(case: Case) -> None:
    assert rewrite(case.before, case.edit).text == case.after


@pytest.mark.parametrize("case", JSON, ids=lambda case: case.name)
def test_json(case: Case) -> None:
    text = rewrite(case.before, case.edit).text
    assert text == case.after
    json.loads(text)
