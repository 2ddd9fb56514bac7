"""``harden show``: what was last reported on a terminal, which may have had no room for all of it."""

from __future__ import annotations

import sys
from collections.abc import Callable

from msgspec.structs import replace

from hardener.commands import user_state
from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.report.context import Context
from hardener.report.formats import text
from hardener.report.terminal.screen import Screen
from hardener.support.printable import plain
from hardener.support.shell_words import quoted


def keep(outcome: Outcome, context: Context) -> bool:
    """Keep what is reported of ``outcome`` in the way of ``context``. Returns whether it could be."""
    if outcome.tree.stream:
        return False
    short = replace(context, screen=Screen(), verbose=False, whole=False, patch=False)
    full = replace(short, verbose=True)
    command = context.redactor.text(" ".join(["harden", *map(quoted, sys.argv[1:])]))
    report = user_state.KeptReport(command, _text(outcome, short), _text(outcome, full))
    return user_state.keep(report, [user_state.here()])


def _text(outcome: Outcome, context: Context) -> str:
    parts: list[str] = []
    text.write(outcome, context, parts.append)
    return "".join(parts)


def show(say: Callable[[str], object], *, full: bool) -> int:
    """Print the last report on the repository of the working directory again; ``full``: as with -v. Returns 0; raises
    InputError where none is known."""
    place = user_state.here()
    report = user_state.kept_report(place)
    if report is None:
        raise InputError(f"no report is kept for {place}: one is when a command prints it on a terminal")
    say(f"The last report, of {plain(report.command)}:")
    say("")
    say((report.full if full else report.short).rstrip("\n"))
    return 0
