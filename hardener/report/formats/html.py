"""The report as one page of HTML that needs nothing but itself, made by ``hardener.report.page``."""

from __future__ import annotations

from collections.abc import Callable

from hardener.engine.outcome import Outcome
from hardener.report.context import Context
from hardener.report.page.whole import Page

ERRORS = "backslashreplace"
FOR_PEOPLE = False


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write the page of ``outcome``, part by part."""
    for text in Page(outcome, context.redactor, context.applied, context.levels).whole():
        out(text)
