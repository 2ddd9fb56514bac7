"""Random edits of programs in all libraries: they are refused, or nothing else changes, and twice is once.

`HARDEN_FUZZ_EDITS=100000 pytest tests/python_sources/test_python_writer_properties.py -k long` makes that many.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardener.sources.python.parsed import Parsed, parse
from hardener.sources.python.rewrite import Rewrite, rewrite
from hardener.sources.yaml import TextError, same

from .programs import PROGRAMS
from .random_edits import Edits

pytestmark = pytest.mark.slow

EDITS = int(os.environ.get("HARDEN_FUZZ_EDITS", "0"))
RUFF = Path(sys.executable).with_name("ruff")
# What a random edit may meet in good faith; everything else must be done.
EXPECTED = (
    "used in several places", "an expression is not", "a value that does not stand in one place", "how newKey is",
    "the list may get more", "an item that stands elsewhere", "a text and a number are wrapped", "a comment would",
    "a quantity has to be a text", "an object is not replaced",
)  # fmt: skip
# What is not used any more is a document of its own: then there are more of them than were decided on.
UNLIKE = "the text does not come out as it was decided"
PLACELESS = (" has no place in the text", " is not here")


@cache
def formatted(text: str) -> str:
    command = [str(RUFF), "format", "--isolated", "-"]
    return subprocess.run(command, input=text, text=True, capture_output=True, check=True).stdout


@cache
def program(name: str, is_formatted: bool) -> str:
    return formatted(PROGRAMS[name]) if is_formatted else PROGRAMS[name]


def edited(text: str, seed: int, count: int, ends: list[str] | None = None) -> tuple[Rewrite | None, Edits]:
    """``text`` after random edits, None where they were refused; ``ends`` gets the reason, or nothing."""
    before = parse(text)
    edits = Edits(before, random.Random(seed), count)
    try:
        result = rewrite(text, edits)
    except TextError as refused:
        reason = refused.reason
        known = reason.startswith(EXPECTED) or reason.endswith(PLACELESS) or " may come from " in reason
        unlike = reason == UNLIKE and bool(edits.kinds & {"drop", "set"})
        assert known or " has no field " in reason or unlike, (reason, edits.kinds)
        if ends is not None:
            ends.append(reason)
        return None, edits
    if ends is not None:
        ends.append("")
    return result, edits


def check(text: str, result: Rewrite, edits: Edits) -> None:
    assert same(parse(result.text).documents, edits.wanted)
    assert rewrite(result.text, lambda documents: replaced(documents, edits.wanted)).text == result.text
    rows = edits.rows | imports(result.before)
    lines = text.splitlines(keepends=True)
    for hunk in reversed(result.hunks):
        start = hunk.before_start - 1
        stop = start + len(hunk.before)
        assert lines[start:stop] == hunk.before
        assert all(row + 1 in rows for row in range(start, stop)), hunk
        lines[start:stop] = hunk.after
    assert "".join(lines) == result.text
    assert text.count("\r\n") != text.count("\n") or result.text.count("\r\n") == result.text.count("\n")


def replaced(documents: list[Any], wanted: list[Any]) -> None:
    documents[:] = wanted


def imports(parsed: Parsed) -> set[int]:
    """The lines of import statements, to which names may come."""
    source = parsed.source
    spans = [(source.count(b"\n", 0, each.start), source.count(b"\n", 0, each.end)) for each in parsed.imports]
    return {row + 1 for first, last in spans for row in range(first, last + 1)}


def run(name: str, is_formatted: bool, newline: str, seed: int, count: int, ends: list[str] | None = None) -> None:
    text = program(name, is_formatted).replace("\n", newline)
    result, edits = edited(text, seed, count, ends)
    if result is not None:
        check(text, result, edits)


def mostly_done(ends: list[str]) -> None:
    """Refusals are the exception, or the properties say nothing."""
    assert ends.count("") * 2 >= len(ends) > 0, f"{ends.count('')} of {len(ends)} are done"
    assert ends.count(UNLIKE) * 20 <= len(ends), f"{ends.count(UNLIKE)} of {len(ends)}: {UNLIKE}"


SEEDS = st.integers(min_value=0, max_value=1 << 48)
NAMES = st.sampled_from(sorted(PROGRAMS))


# The same edits each time: the long run is the one that looks for new ones.
def test_random_edits() -> None:
    ends: list[str] = []

    @settings(max_examples=250, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(NAMES, st.booleans(), st.sampled_from(["\n", "\n", "\r\n"]), SEEDS, st.sampled_from([1, 1, 2, 4]))
    def each(name: str, is_formatted: bool, newline: str, seed: int, count: int) -> None:
        run(name, is_formatted, newline, seed, count, ends)

    each()
    mostly_done(ends)


def test_what_is_formatted_stays_formatted() -> None:
    """Where something was added. What gets shorter a formatter may take back to one line."""
    ends: list[str] = []

    @settings(max_examples=60, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(NAMES, SEEDS, st.sampled_from([1, 1, 2]))
    def each(name: str, seed: int, count: int) -> None:
        stays_formatted(name, seed, count, ends)

    each()
    mostly_done(ends)


def stays_formatted(name: str, seed: int, count: int, ends: list[str]) -> None:
    text = program(name, True)
    result, edits = edited(text, seed, count, ends)
    if result is not None and not edits.kinds & {"set", "drop"}:
        assert formatted(result.text) == result.text


@pytest.mark.skipif(not EDITS, reason="HARDEN_FUZZ_EDITS is not set")
def test_long_run_of_random_edits() -> None:
    rng = random.Random()
    for _ in range(EDITS):
        seed = rng.getrandbits(48)
        name = rng.choice(sorted(PROGRAMS))
        run(name, rng.random() < 0.5, rng.choice(["\n", "\n", "\r\n"]), seed, rng.choice([1, 1, 2, 4]))
