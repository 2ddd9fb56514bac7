"""The report for people: what fits a screen, or all of it where they ask for that."""

from __future__ import annotations

from collections.abc import Callable

from hardener.engine.outcome import Outcome
from hardener.report.context import Context
from hardener.report.terminal.short_report import ShortReport
from hardener.report.terminal.whole_report import WholeReport

ERRORS = "surrogateescape"
FOR_PEOPLE = True


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write the report of ``outcome``."""
    whole = context.whole or context.verbose or context.quiet
    (WholeReport if whole else ShortReport)(outcome, context, out).write()
