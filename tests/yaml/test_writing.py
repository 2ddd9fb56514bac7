"""What is written reads back the same, whoever reads it."""

import io
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from hardener.sources.yaml import TextError, dump, parse, rewrite, same

TRICKY = [
    "y", "Yes", "no", "on", "OFF", "true", "null", "~", "", "0777", "0o17", "08", "0x1F", "0b1", "1_000", "1e3",
    "1.0e3", ".5", "-.inf", "12:30", "12:30:45", "2001-12-14", "2001-12-14T00:00:00Z", "=", "<<", "-", "- a",
    "?", "? a", ":", "a:", "a: b", "a #b", "#a", "&a", "*a", "!a", "%a", "@a", "`a", "'a'", '"a"', "[a", "{a}",
    "a,b", "---", "...", "--- a", " a", "a ", "a\tb", "a\nb", "a\n", "\n", "é", "\U0001f600", "\u2028", "\x85",
    "\x7f", "\ufeff", "\u00a0", "sha256:ab", "http://x:1/?q#f", "1.2.3", "v1", "10Gi", "500m", "0.5", "+1",
    "-1", "1,000", "a\\b", "a/b", "C:\\x", "{{ x }}", "${X}", "$(X)", ">", "|", ">-",
]  # fmt: skip


def read_everywhere(text: str) -> list[Any]:
    """What go-yaml's rules, YAML 1.1 and YAML 1.2 read."""
    return [parse(text).documents[0], yaml.safe_load(text), YAML(typ="safe", pure=True).load(io.StringIO(text))]


@pytest.mark.parametrize("text", TRICKY, ids=ascii)
def test_every_reader_agrees(text: str) -> None:
    wanted = {"a": text, "b": [text], "c": {"k" + text: 1}, "d": {text: text}}
    for read in read_everywhere(dump(wanted)):
        assert same(read, wanted)
    for before in (
        "a: x\nb: [x]\nc: {}\nd: {x: x}\n",
        "a: 'x'\nb: ['x']\nc: {}\nd: {'x': 'x'}\n",
        '{"a": 1, "b": [], "c": {}, "d": {"x": 1}}',
    ):
        after = rewrite(before, lambda documents: [wanted]).text
        for read in read_everywhere(after):
            assert same(read, wanted), after


@settings(max_examples=150, database=None)
@given(st.text(max_size=30))
def test_any_string_survives(text: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in text):
        with pytest.raises(TextError):
            rewrite("a: 1\n", lambda documents: [{"a": text}])
        return
    for before in ("a: x\nb: [x]\n", '{"a": "x", "b": ["x"]}'):
        after = rewrite(before, lambda documents: [{"a": text, "b": [text]}]).text
        assert yaml.load(after, yaml.CSafeLoader) == {"a": text, "b": [text]}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e21, "1.0e+21"),
        (0.1, "0.1"),
        (1.0, "1.0"),
        (float("inf"), ".inf"),
        (float("nan"), ".nan"),
        (-5, "-5"),
        (None, "null"),
    ],
)
def test_numbers(value: Any, text: str) -> None:
    assert dump({"a": value}) == f"a: {text}\n"
    assert same(parse(dump({"a": value})).documents, [{"a": value}])


def test_dump_looks_like_kubectl() -> None:
    data: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "labels": {}, "finalizers": []},
        "data": {"on": "yes", "script": "a\n  b\n", "one": "x\ny"},
        "items": [{"a": 1, "b": ["x", ["k"]]}, "z", [], None],
    }
    assert dump(data) == (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  labels: {}\n  finalizers: []\n"
        'data:\n  "on": "yes"\n  script: |\n    a\n      b\n  one: |-\n    x\n    y\n'
        "items:\n- a: 1\n  b:\n  - x\n  - - k\n- z\n- []\n- null\n"
    )
    assert same(parse(dump(data)).documents, [data])
    assert dump({"a": {"b": 1}}) == "a:\n  b: 1\n"
    assert dump({}) == "{}\n"
    assert dump(["x"]) == "- x\n"


def test_dump_refuses_what_yaml_has_not() -> None:
    for data in ({1: 2}, {"a": object()}, {"a": b"x"}):
        with pytest.raises(TextError):
            dump(data)
