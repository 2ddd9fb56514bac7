"""Regular expressions that are compiled when they are first asked."""

from __future__ import annotations

import re

import pytest

from hardener.support.late_pattern import late_pattern


def test_it_answers_as_the_pattern_does() -> None:
    late, pattern = late_pattern(r"(?P<key>\w+)=(\d+)", re.I), re.compile(r"(?P<key>\w+)=(\d+)", re.I)
    text = "a=1 B=2 c=x"
    for _ in range(2):  # when it is compiled, and once it is
        assert late.findall(text) == pattern.findall(text)
        found, wanted = late.search(text, 2), pattern.search(text, 2)
        assert found is not None and wanted is not None
        assert (found.span(), found["key"]) == (wanted.span(), wanted["key"])
        assert late.sub("-", text) == pattern.sub("-", text)
    assert (late.pattern, late.flags, late.groups) == (pattern.pattern, pattern.flags, pattern.groups)


def test_it_is_compiled_when_it_is_asked_and_not_before() -> None:
    broken = late_pattern("(")
    with pytest.raises(re.error):
        broken.search("(")


def test_a_pattern_has_no_method_of_another_name() -> None:
    with pytest.raises(AttributeError):
        late_pattern("a").find("a")  # type: ignore[attr-defined]
