"""A document that differs from others in plain words alone gets the text that `dump` writes, and that reads back."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardener.sources.yaml import dump, reads_back, text_templates
from hardener.sources.yaml.text_templates import TextTemplates

from .random_yaml import WORDS, value

OTHERS = [
    *WORDS, "b", "web-1", "a.b_C-9", "a.", "a-", "Yes", "on", "n", "NULL", "e1", "inf", "x:y", "x:", "a/b", "é", "a b",
    "harden-word-0-", "harden-word-1-", "x harden-word-0-", "w" * 2000,
]  # fmt: skip


def with_others(rng: random.Random, data: Any) -> Any:
    """`data` with other texts."""
    if isinstance(data, dict):
        return {key: with_others(rng, item) for key, item in data.items()}
    if isinstance(data, list):
        return [with_others(rng, item) for item in data]
    return rng.choice(OTHERS) if isinstance(data, str) and rng.random() < 0.8 else data


@settings(max_examples=600, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=0, max_value=1 << 48))
def test_it_is_what_is_written_one_by_one(seed: int) -> None:
    rng = random.Random(seed)
    templates = TextTemplates()
    first = value(rng, 3)
    for _ in range(12):
        data = with_others(rng, first)
        text = templates.text_of(data)
        if text is not None:
            assert text == dump(data)
            assert reads_back(text, [data])


def policy(name: str, port: Any = 80) -> Any:
    return {"metadata": {"name": name, "labels": {"app": name}}, "ports": [port, name], "types": [[name], {"a": "no"}]}


def test_from_the_second_on_it_is_known() -> None:
    templates = TextTemplates()
    assert [templates.text_of(policy(name)) for name in ("a", "b", "c", "d")] == [
        None, dump(policy("b")), dump(policy("c")), dump(policy("d")),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["yes", "1", "a b", "a/b", "", "x\ny", "é"])
def test_what_is_no_plain_word_is_a_shape_of_its_own(name: str) -> None:
    templates = TextTemplates()
    for _ in range(3):
        templates.text_of(policy("a"))
    assert templates.text_of(policy(name)) is None


@pytest.mark.parametrize("port", [True, 1.0, "1", "b", None, 2, [], {}])
def test_another_kind_of_value_is_another_shape(port: Any) -> None:
    templates = TextTemplates()
    for _ in range(3):
        templates.text_of(policy("a", 1))
    assert templates.text_of(policy("a", port)) is None
    assert templates.text_of(policy("a", port)) == (None if isinstance(port, float) else dump(policy("a", port)))


def test_what_is_left_out_or_stands_elsewhere_is_another_shape() -> None:
    templates = TextTemplates()
    shapes: list[Any] = [
        {"a": "x", "b": "z"}, {"b": "z", "a": "x"}, {"a": "x"}, {"a": {"b": "x"}}, {"a": {"b": "x", "c": "z"}},
        {"a": {"b": "x"}, "c": "z"}, ["x", ["z"]], [["x"], "z"], [["x", "z"]], ["x", "z"], {"a": ["x", "z"]},
        {"a": ["x"], "c": "x"}, {"a": ["x"], "b": "x"}, ["x"],
    ]  # fmt: skip
    assert [templates.text_of(each) for each in shapes] == [None] * len(shapes)
    assert [templates.text_of(each) for each in shapes] == list(map(dump, shapes))


class Text(str):
    """A text of a class of its own, as an expression of a program."""


@pytest.mark.parametrize(
    "data", [{"a": Text("b")}, {Text("a"): "b"}, {1: "b"}, {"a": ("b",)}, {"a": 1}, {}, "a", {"a": 0.5, "b": "c"}]
)
def test_what_is_not_the_plainest_is_written_one_by_one(data: Any) -> None:
    templates = TextTemplates()
    assert [templates.text_of(data) for _ in range(4)] == [None] * 4


@pytest.mark.parametrize(
    "fault",
    [
        lambda text: text.replace("harden-word-0-", "harden-word-1-"),
        lambda text: text.replace("harden-word-1-", '"harden-word-1-"'),
        lambda text: text.replace("harden-word-1-", "'harden-word-1-'"),
        lambda text: text.replace("harden-word-1-", "harden-word-1- # harden-word-1-"),
        lambda text: text.replace("harden-word-1-", "harden-word-1-\n    a"),
        lambda text: text.replace("harden-word-1-", "harden-word-1-\n# x: harden-word-2-"),
        lambda text: text.replace("harden-word-1-", "|-\n    harden-word-1-"),
        lambda text: text.replace("harden-word-0-", "x").replace("harden-word-1-", "harden-word-0-"),
        lambda text: text.replace("80", "81"),
        lambda text: text + "---\n" + text,
        lambda text: "",
    ],
)
def test_what_is_written_wrong_is_not_known(fault: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_templates, "dump", lambda data: fault(dump(data)))
    templates = TextTemplates()
    assert [templates.text_of(policy(name)) for name in ("a", "b", "c")] == [None] * 3
