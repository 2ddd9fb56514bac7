"""`documents` reads what `parse` reads, and refuses what it refuses."""

from typing import Any

import pytest

from hardener.sources.yaml import TextError, documents, parse, same

from .test_corpus import corpus, needs_corpus

TEXTS = (
    "", "# nothing\n", "---\n", "a: 1\n", "a: 1\n---\nb: [x, {c: d}]\n", "- a\n- b: 1\n  c:\n", "word\n", "'a'\n",
    "{a: , b: ''}\n", "a: 0x10\nb: 1e3\nc: ~\nd: yes\ne: 1_000\nf: .inf\n", '{"kind": "Pod", "on": true, "1": 2}\n',
    "a: |\n  x\n  y\nb: >-\n  z\n", "1: a\n", "true: a\n", "? [a]\n: b\n", "? a\n: b\n", "a: &x 1\nb: *x\n",
    "a: &x {k: v}\nb:\n  <<: *x\n", '"<<": a\n', "<<: {a: b}\n", "a: !!str 1\n", "!!map\na: b\n", "a: !x b\n",
    "a: 1\na: 2\n", "a: [1, 2\n", "a: 99999999999999999999\n", "a: b: c\n", "~: a\n", 'a: "\\u0041"\n',
    'a: "\\ud83d\\ude00"\n', "a: 1\r\nb: 2\r\n", "a: 1\rb: 2\n", "a: [http://x:80]\n", "a: *b\n",
    "%YAML 1.2\n---\na: b\n", "[" * 150 + "]" * 150, "[" * 250 + "]" * 250, "{a: " * 250 + "}" * 250,
)  # fmt: skip


def _read(reader: Any, text: str) -> Any:
    try:
        return reader(text)
    except TextError as error:
        return str(error), error.line


@pytest.mark.parametrize("text", TEXTS)
def test_they_are_those_of_parse(text: str) -> None:
    found, wanted = _read(documents, text), _read(lambda text: parse(text).documents, text)
    assert type(found) is type(wanted) and (same(found, wanted) if isinstance(wanted, list) else found == wanted)
    assert repr(found) == repr(wanted)  # in the same order


@pytest.mark.slow
@needs_corpus
def test_they_are_those_of_parse_in_the_corpus() -> None:
    for name, text in corpus():
        assert repr(_read(documents, text)) == repr(_read(lambda text: parse(text).documents, text)), name
