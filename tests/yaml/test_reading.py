"""Values as the Kubernetes API reads them, and where they stand."""

import math
from typing import Any

import pytest

from hardener.sources.yaml import Comment, parse, same, segments

SCALARS: list[tuple[str, Any]] = [
    ("yes", True),
    ("No", False),
    ("on", True),
    ("OFF", False),
    ("y", True),
    ("N", False),
    ("true", True),
    ("~", None),
    ("", None),
    ("null", None),
    ("nUll", "nUll"),
    ("0777", 511),
    ("0o777", 511),
    ("08", 8.0),
    ("-0x1F", -31),
    ("+1", 1),
    ("0b11", 3),
    ("1_000", 1000),
    ("-0", 0),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("1.", 1.0),
    ("-.5", -0.5),
    ("1.5e-3", 0.0015),
    ("1e400", "1e400"),
    ("18446744073709551615", 18446744073709551615),
    ("18446744073709551616", 18446744073709551616.0),
    (".inf", math.inf),
    ("-.INF", -math.inf),
    (".NaN", math.nan),
    ("1:30", "1:30"),
    ("12:30:45", "12:30:45"),
    ("2001-12-14", "2001-12-14"),
    ("=", "="),
    ("0x", "0x"),
    ("1.2.3", "1.2.3"),
    ("'yes'", "yes"),
    ('"1"', "1"),
    ("!!str 1", "1"),
    ("! 1", "1"),
    ("!!float 1", 1.0),
    ("!!int 7", 7),
    ("!!bool on", True),
    ("|\n  x\n  y", "x\ny"),
    (">-\n  x\n  y", "x y"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars(text: str, value: Any) -> None:
    assert same(parse(f"a: {text}").documents, [{"a": value}])


@pytest.mark.parametrize(
    ("text", "key"),
    [("1", "1"), ("0x10", "16"), ("yes", "true"), ("1.5", "1.5"), ("1.20", "1.2"), ("1e21", "1e+21"), ("<<x", "<<x")],
)
def test_keys_become_strings(text: str, key: str) -> None:
    assert parse(f"{text}: a\n").documents == [{key: "a"}]


def test_equality_knows_types() -> None:
    assert same({"a": [1, None]}, {"a": [1, None]})
    assert same(math.nan, math.nan)
    for a, b in [(1, True), (1, 1.0), ({}, []), ("1", 1), ({"a": 1}, {"a": 1, "b": 1}), ([1], [1, 2]), (None, False)]:
        assert not same(a, b)


def test_aliases_are_copies() -> None:
    a, b = (parse("a: &x {q: [1]}\nb: *x\n").documents[0][key] for key in "ab")
    assert a == b
    assert a is not b
    assert a["q"] is not b["q"]


def test_merges() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 3\n"
    assert parse(text).documents[0]["z"] == {"a": 3, "b": 1, "c": 2}


def test_documents() -> None:
    assert parse("").documents == []
    assert parse("# only a comment\n").documents == []
    assert parse("---\n---\na: 1\n...\n").documents == [None, {"a": 1}]


def test_what_the_old_libyaml_rejects() -> None:
    assert parse("a: [http://x:80, b]\nc: {d: e:f}\ng:\n-\n- 1\nh: # x\n").documents == [
        {"a": ["http://x:80", "b"], "c": {"d": "e:f"}, "g": [None, 1], "h": None}
    ]


TEXT = """\
# head
a: 1 # one
b:
  - x
  # two
  - k: "v # not" # v
    l: |  # lit
      t # text
      u

c: {d: e, f: [1, 2]} # flow
g: &g
  h: 1
i: *g
j:
"""


def test_lines() -> None:
    read = parse(TEXT)
    expected = {
        ("a",): (2, 2),
        ("b",): (3, 9),
        ("b", 0): (4, 4),
        ("b", 1): (6, 9),
        ("b", 1, "l"): (7, 9),
        ("c",): (11, 11),
        ("c", "f", 1): (11, 11),
        ("i", "h"): (13, 13),
        ("j",): (15, 15),
        ("b", 1, "absent", "x"): (6, 9),
        ("zz",): (2, 15),
        ("b", 7): (3, 9),
    }
    assert {path: (read.line(0, path), read.end_line(0, path)) for path in expected} == expected


def test_spans() -> None:
    read = parse(TEXT)
    spans = {path: read.span(0, path) for path in [("a",), ("b", 1, "k"), ("b", 1, "l"), ("c", "f"), ("i",), ("j",)]}
    assert {path: TEXT[span[0] : span[1]] for path, span in spans.items() if span} == {
        ("a",): "1",
        ("b", 1, "k"): '"v # not"',
        ("b", 1, "l"): "|  # lit\n      t # text\n      u",
        ("c", "f"): "[1, 2]",
        ("i",): "*g",
        ("j",): "",
    }
    assert read.span(0, ("a", "b")) is None


def test_comments() -> None:
    read = parse(TEXT)
    assert read.comment(0, ("a",)) == "# one"
    assert read.comment(0, ("b", 1, "k")) == "# v"
    assert read.comment(0, ("b", 1, "l")) == "# lit"
    assert read.comment(0, ("c", "d")) == "# flow"
    assert read.comment(0, ("g",)) is None
    assert read.comments() == [
        Comment(1, "# head", True),
        Comment(2, "# one", False),
        Comment(5, "# two", True),
        Comment(6, "# v", False),
        Comment(7, "# lit", False),
        Comment(11, "# flow", False),
    ]


def test_only_a_plain_scalar_is_plain() -> None:
    assert not parse("a: x\nf: {}\ng: '{{ x }}'\n").has_plain("{{")
    assert parse("a: x {{ y }}\n").has_plain("{{")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("a: 1\n", ["a: 1\n"]),
        ("# c\n\n---\na: 1\n", ["# c\n\n---\na: 1\n"]),
        ("a: 1\n---\nb: |\n  ---\n--- # c\nd: 1", ["a: 1\n", "---\nb: |\n  ---\n", "--- # c\nd: 1"]),
        ("---\n---\n", ["---\n", "---\n"]),
        ("a: ----\n----: 1\n", ["a: ----\n----: 1\n"]),
        ("%YAML 1.1\n---\na: 1\n---\nb: 1\n", ["%YAML 1.1\n---\na: 1\n---\nb: 1\n"]),
        ("a: 1\r\n---\r\nb: 1\r\n", ["a: 1\r\n", "---\r\nb: 1\r\n"]),
    ],
)
def test_segments(text: str, parts: list[str]) -> None:
    found = segments(text)
    assert [segment.text for segment in found] == parts
    for segment in found:
        assert text.startswith(segment.text, segment.start)
        assert text.count("\n", 0, segment.start) == segment.line


class Own(dict[str, Any]):
    """A mapping of a class of its own."""


@pytest.mark.parametrize("kind", [dict, Own])
def test_what_is_in_a_mapping_is_compared_by_type(kind: type[dict[str, Any]]) -> None:
    assert same([kind(a=[kind(b=1)])], [kind(a=[kind(b=1)])])
    assert not same([kind(a=[kind(b=1)])], [kind(a=[kind(b=True)])])
    assert not same(kind(a=1), kind(b=1))


def test_mappings_of_two_classes_differ() -> None:
    assert not same(Own(a=1), {"a": 1})
