"""A text that was written from data is read back event by event, or compared node by node where its places are asked
for, and nothing passes that reading it whole would not."""

import random
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardener.sources.yaml import TextError, dump, parse, reads_back, same

from .random_yaml import value
from .test_properties import text_of

module = sys.modules["hardener.sources.yaml.read_back"]


def whole(text: str, documents: list[Any]) -> bool | str:
    """What reading the text as a whole says."""
    try:
        return same(parse(text).documents, documents)
    except TextError as error:
        return error.reason


def by_events(text: str, documents: list[Any]) -> bool | str:
    try:
        return reads_back(text, documents)
    except TextError as error:
        return error.reason


def by_nodes(text: str, documents: list[Any]) -> bool | str:
    try:
        parsed = parse(text, documents)
    except TextError as error:
        return error.reason
    assert same(parsed.documents, parse(text).documents)
    return parsed.holds(documents)


@settings(max_examples=400, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=0, max_value=1 << 48))
def test_it_says_what_the_whole_reading_says(seed: int) -> None:
    rng = random.Random(seed)
    data = [value(rng, 3) for _ in range(2)]
    texts = [dump(each) for each in data]
    if (other := text_of(rng)) is not None:
        texts.append(other)
        data += parse(other).documents
    for text in texts:
        for each in data:
            assert by_events(text, [each]) == by_nodes(text, [each]) == whole(text, [each])


ODD = [
    ("a: 1\n", {"a": 1}),
    ("a: 1\n", {"a": True}),
    ("a: 1\n", {"a": 1.0}),
    ("a: '1'\n", {"a": 1}),
    ("a: yes\n", {"a": True}),
    ("a: .nan\n", {"a": float("nan")}),
    ("a: 1\nb: 2\n", {"a": 1}),
    ("a: 1\n", {"a": 1, "b": 2}),
    ("b: 2\na: 1\n", {"a": 1, "b": 2}),
    ("a: [1, 2]\n", {"a": [1]}),
    ("a: [1]\n", {"a": [1, 2]}),
    ("a: 1\na: 1\n", {"a": 1}),
    ("a: 1\n---\nb: 1\n", {"a": 1}),
    ("a: 1\n...\n", {"a": 1}),
    ("a: &x 1\n", {"a": 1}),
    ("a: !!str 1\n", {"a": "1"}),
    ("a: !custom 1\n", {"a": 1}),
    ("!!map {a: 1}\n", {"a": 1}),
    ("&x a: 1\n", {"a": 1}),
    ("{[a]: 1}\n", {"a": 1}),
    ("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
    ("<<: {b: 1}\n", {"<<": {"b": 1}}),
    ("<<: {b: 1}\n", {"b": 1}),
    ("'<<': {b: 1}\n", {"<<": {"b": 1}}),
    ("1: a\n", {"1": "a"}),
    ("yes: a\n", {"yes": "a"}),
    ("a: 99999999999999999999\n", {"a": 1}),
    ("a: [\n", {"a": []}),
    ("a: b\rc: d\n", {"a": "b"}),
    ('"\\ud83d\\ude00": 1\n', {"\U0001f600": 1}),
    ('a: "\\ud83d"\n', {"a": "\ud83d"}),
    ("[http://x:80]\n", ["http://x:80"]),
    ("", None),
    ("null\n", None),
    (dump({"a": {}}).replace("{}", "[" * 198 + "]" * 198), None),
    (dump({"a": {}}).replace("{}", "[" * 199 + "]" * 199), None),
    (dump({"a": {}}).replace("{}", "[" * 200 + "]" * 200), None),
]


@pytest.mark.parametrize(("text", "document"), ODD)
def test_what_is_odd_is_what_the_whole_reading_says(text: str, document: Any) -> None:
    if document is None and "[[" in text:
        nested: Any = []
        for _ in range(text.count("[") - 1):
            nested = [nested]
        document = {"a": nested}
    assert by_events(text, [document]) == by_nodes(text, [document]) == whole(text, [document])


def test_several_documents_are_read_whole() -> None:
    assert reads_back("a: 1\n---\nb: 1\n", [{"a": 1}, {"b": 1}])
    assert not reads_back("a: 1\n", [{"a": 1}, {"b": 1}])


def test_documents_are_compared_node_by_node_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [{"a": [1, "1", True, None, 1.5, {"b": [[], {}, "x\ny\n", "<<"]}], "yes": "é"}, None, ["b"]]
    parsed = parse(dump(documents[0]) + "---\n---\n- b\n", documents)
    assert "documents" not in vars(parsed)  # nobody asked for them
    assert parsed.holds(documents)
    assert not parsed.holds([documents[0], None, ["c"]])
    assert not parsed.holds(documents[:2])
    assert parsed.holds([documents[0], None, ["b"]])


def test_what_is_written_as_usual_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(text: str) -> None:
        raise AssertionError

    monkeypatch.setattr(module, "parse", never)
    data = {"a": [1, "1", True, None, 1.5, {"b": [[], {}, "x\ny\n", "- c", "<<"]}], "yes": "é"}
    assert reads_back(dump(data), [data])


def test_without_libyaml_it_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "fast_events", lambda text: None)
    assert reads_back("a: 1\n", [{"a": 1}])
    assert not reads_back("a: 1\n", [{"a": 2}])
