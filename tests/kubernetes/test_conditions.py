"""Settings of a container that rows of the image table name."""

from __future__ import annotations

import pytest

from hardener.kubernetes.images.conditions import in_words, met

VARIABLES: dict[str, str | None] = {"EMPTY": "", "SET": "1", "ELSEWHERE": None, "PORT": "8080"}
WORDS = ("server", "--optimized", "--data=/d")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("SET=*", True),
        ("EMPTY=*", True),
        ("EMPTY=?*", False),
        ("SET=?*", True),
        ("ELSEWHERE=*", True),
        ("ELSEWHERE=?*", True),
        ("ELSEWHERE=1", False),
        ("MISSING=*", False),
        ("SET=1", True),
        ("SET=2", False),
        ("PORT=80*", True),
        ("--optimized", True),
        ("--data", True),
        ("--opt", False),
        ("SET", False),
    ],
)
def test_what_holds(condition: str, holds: bool) -> None:
    assert (met([condition], VARIABLES, WORDS) == condition) == holds


def test_the_first_that_holds_is_named() -> None:
    assert met(["A=*", "SET=*", "PORT=*"], VARIABLES, WORDS) == "SET=*"
    assert met(["A=*"], {}, ()) is None


def test_they_are_said_in_words() -> None:
    assert (
        in_words(["SKIP_SETCAP=?*", "MODE=local", "--plain"])
        == "SKIP_SETCAP is set or MODE is local or --plain is given"
    )
