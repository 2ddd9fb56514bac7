"""Formats of a report live here: a module each, called as ``--format`` calls it, and loaded when it is asked for.

Nothing has to be registered. A module that begins with ``_`` is shared by its neighbours.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from hardener.engine.outcome import Outcome
    from hardener.report.context import Context


class Format(Protocol):
    """What each module of this folder holds."""

    ERRORS: str
    """What becomes of characters that UTF-8 does not have: "surrogateescape" keeps them, as a patch has to, and
    "backslashreplace" escapes them."""
    FOR_PEOPLE: bool
    """Whether it says by itself what the command makes of the outcome, which else goes to standard error."""

    def write(self, outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
        """Write the report of ``outcome`` to ``out``, with every text of others passed through ``context.redactor``."""


def _names() -> tuple[str, ...]:
    """What the modules of this folder are called."""
    modules = (name.removesuffix(".py") for name in os.listdir(os.path.dirname(__file__)) if name.endswith(".py"))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


NAMES = _names()


def load(name: str) -> Format:
    """Return the format called ``name``, one of ``NAMES``."""
    return cast(Format, import_module(f"{__name__}.{name}"))
