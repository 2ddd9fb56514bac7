"""Versions and ranges, as Masterminds/semver reads them."""

from __future__ import annotations

import pytest

from hardener.support.version_ranges import Range, best, is_whole, version

# Range: versions that it allows, and those that it does not.
RANGES: dict[str, tuple[list[str], list[str]]] = {
    "*": (["0.0.1", "9.9.9"], ["1.0.0-rc.1"]),
    "1.2.3": (["1.2.3", "v1.2.3", "1.2.3+b1"], ["1.2.4", "1.2.3-rc.1"]),
    "=1.2": (["1.2.0", "1.2.9"], ["1.3.0"]),
    "v1.2.3": (["1.2.3"], ["1.2.4"]),
    "1.x": (["1.0.0", "1.9.9"], ["2.0.0"]),
    "1.2.X": (["1.2.9"], ["1.3.0"]),
    "^1.2.3": (["1.2.3", "1.9.0"], ["1.2.2", "2.0.0", "1.3.0-rc.1"]),
    "^0.2.3": (["0.2.9"], ["0.3.0", "1.0.0"]),
    "^0.0.3": (["0.0.3"], ["0.0.4", "0.1.0"]),
    "^0": (["0.9.0"], ["1.0.0"]),
    "~1.2.3": (["1.2.9"], ["1.2.2", "1.3.0"]),
    "~1": (["1.9.9"], ["2.0.0"]),
    "~>1.2": (["1.2.7"], ["1.3.0"]),
    ">=1.2 <2": (["1.2.0", "1.9.9"], ["2.0.0", "1.1.9"]),
    ">= 1.2.0, != 1.3.0": (["1.2.0", "2.0.0"], ["1.3.0"]),
    "!=1.x": (["2.0.0"], ["1.2.3"]),
    ">1": (["2.0.0"], ["1.5.0"]),
    ">1.2": (["1.3.0"], ["1.2.9"]),
    "<=1": (["1.9.9", "0.1.0"], ["2.0.0"]),
    "<=1.2": (["1.2.9"], ["1.3.0"]),
    "1.2 - 1.4": (["1.2.0", "1.4.9"], ["1.5.0"]),
    "1.2.0 - 1.4.0": (["1.4.0"], ["1.4.1"]),
    "1.x || >=3.1": (["1.5.0", "3.1.0"], ["2.0.0", "3.0.9"]),
    ">=1.0.0-0": (["1.0.0", "1.1.0-alpha"], ["0.9.0"]),
    "^1.0.0-rc.2": (["1.0.0-rc.10", "1.0.0"], ["1.0.0-rc.1", "2.0.0-rc.1"]),
}


@pytest.mark.parametrize("text", RANGES)
def test_a_range_allows_what_helm_takes(text: str) -> None:
    allowed, others = RANGES[text]
    found = Range(text)
    for name, expected in [*((name, True) for name in allowed), *((name, False) for name in others)]:
        parsed = version(name)
        assert parsed is not None
        assert found.allows(parsed) is expected, name


@pytest.mark.parametrize("text", ["latest", "1.2.3.4", ">=", "1 ||", "x y", "1.2.3 - ", ">>1", "1" * 300])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"empty|no version and no range|too long"):
        Range(text)


def test_versions_stand_in_the_order_of_semver() -> None:
    # semver.org 2.0.0, 11.4
    names = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
             "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0"]  # fmt: skip
    parsed = [version(name) for name in names]
    assert None not in parsed and parsed == sorted(parsed)  # type: ignore[type-var]


def test_the_written_version_comes_before_the_range_that_it_is() -> None:
    candidates = [(name, name) for name in ("1.0.0", "v1.0.0", "1.0.0+b2", "1.2.0-rc.1", "0.9.0", "main")]
    assert best("v1.0.0", candidates) == "v1.0.0"
    assert best("main", candidates) == "main"
    assert best("", [("0.9.0", 1), ("1.2.0-rc.1", 2)]) == 1
    assert best(">5", candidates) is None


def test_whole_versions_have_three_numbers() -> None:
    assert [is_whole(text) for text in ("1.2.3", "1.2.3-rc.1+b", "1.2", "v1.2.3", "1.2.x", "")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
