"""The hunks between two texts make one of the other, whatever stands in them and however long they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardener.engine.text_checks import patched
from hardener.sources.line_hunks import hunks_of

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "once 1\n", "once 2\n"]), max_size=30).map("".join)


@given(LINES, LINES, st.booleans())
def test_the_hunks_make_the_new_text(old: str, new: str, ended: bool) -> None:
    new = new if ended else new.rstrip("\n")
    found = list(hunks_of(old, new))
    assert patched(old, found) == new
    assert bool(found) == (old != new)


def test_a_line_that_changes_is_a_hunk_of_its_own() -> None:
    parts = [f"part{number}:\n  enabled: true\n  resources: {{}}\n" for number in range(20_000)]
    old = "".join(parts)
    parts[7] = parts[7].replace("{}", "\n    cpu: 1")
    parts[19_000] = parts[19_000].replace("  enabled: true\n", "")
    found = list(hunks_of(old, "".join(parts)))
    assert [(hunk.before, hunk.after) for hunk in found] == [
        (["  resources: {}\n"], ["  resources: \n", "    cpu: 1\n"]),
        (["  enabled: true\n"], []),
    ]


@pytest.mark.parametrize("less", [0, 1])
def test_lines_that_are_all_alike_are_taken_together(less: int) -> None:
    old = "a\n" * 1000
    new = "a\n" * (700 - less) + "b\n" + "a\n" * 300
    assert patched(old, hunks_of(old, new)) == new
