"""Random texts, random edits: only TextError may be raised, nothing else may change, twice is once.

`HARDEN_FUZZ_EDITS=100000 pytest tests/yaml/test_properties.py -s -k long` runs that many edits and prints the count.
"""

import json
import os
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardener.sources.yaml import TextError, parse, rewrite

from .invariants import check
from .random_yaml import Replay, Writer, value

EDITS = int(os.environ.get("HARDEN_FUZZ_EDITS", "0"))
# What a random edit may meet in good faith; everything else must be done.
EXPECTED = (
    "alias *", "anchor &", "a value with an anchor or a tag would be replaced", "key ",
    "the change cannot be written here: a comment that must stay would become text of a value",
    "a block scalar that keeps its line ends ends the text",
)  # fmt: skip
# Brackets over several lines with a comment inside and one behind them, perhaps behind a tab, that become a block: 1 in
# 136,790 rewrites. Such a change is refused.
RARE = (
    "the change cannot be written here: a comment would be lost",
    "the change cannot be written here: not valid YAML: found character that cannot start any token",
)


def text_of(rng: random.Random) -> str | None:
    """A random document in YAML or JSON that the engine reads."""
    data = value(rng, 4)
    if rng.random() < 0.15:
        indent = rng.choice([None, 1, 2, 4, "\t"])
        text = json.dumps(
            data, indent=indent, ensure_ascii=rng.random() < 0.5, separators=rng.choice([None, (",", ":")])
        )
        text += rng.choice(["", "\n"])
    else:
        text = Writer(rng).document(data)
    try:
        parse(text)
    except TextError:
        return None
    return text


def run(seed: int, count: int) -> str | None:
    """Make `count` random edits to a random text; give the reason if they were refused, '' if there was no text."""
    rng = random.Random(seed)
    text = text_of(rng)
    if text is None:
        return ""
    mutate = Replay(rng.getstate(), count)
    try:
        result = rewrite(text, mutate)
    except TextError as refusal:
        return refusal.reason
    check(text, result, mutate.wanted)
    wanted = mutate.wanted
    assert rewrite(result.text, lambda documents: wanted if documents else None).text == result.text, (
        "twice is not once"
    )
    return None


# The same edits each time: the long run is the one that looks for new ones.
@pytest.mark.slow
@settings(max_examples=400, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(min_value=0, max_value=1 << 48), st.sampled_from([1, 1, 1, 2, 6]))
def test_random_edits(seed: int, count: int) -> None:
    reason = run(seed, count)
    assert not reason or reason.startswith(EXPECTED)


@settings(max_examples=300, database=None)
@given(st.text(alphabet="ab:-#|>&*!'\"{}[],? \n\t\r%~1\u00e9\u2028", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = parse(text)
    except TextError:
        return
    assert rewrite(text, lambda documents: None).text == text
    read.comments()


@pytest.mark.skipif(not EDITS, reason="set HARDEN_FUZZ_EDITS=100000 for the long run")
def test_long_run() -> None:
    count: Counter[str] = Counter()
    edits, seed = 0, int(os.environ.get("HARDEN_FUZZ_SEED", "1")) << 40
    while edits < EDITS:
        seed += 1
        at_once = random.Random(seed).choice([1, 1, 1, 2, 6])
        try:
            reason = run(seed, at_once)
        except Exception as error:
            raise AssertionError(f"seed {seed}, {at_once} edits") from error
        if reason != "":
            edits += at_once
            count[reason or "done"] += 1
            if reason and not reason.startswith(EXPECTED):
                print(f"\nseed {seed}, {at_once} edits: {reason}")
    print(f"\n{edits} edits in {sum(count.values())} rewrites:")
    for reason, times in count.most_common():
        print(f"{times:8} {times / sum(count.values()):8.3%} {reason}")
    assert all(reason == "done" or reason.startswith((*EXPECTED, *RARE)) for reason in count)
    assert sum(count[reason] for reason in RARE) <= sum(count.values()) // 50_000, "no longer rare"
