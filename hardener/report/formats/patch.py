"""The changes as a git patch and nothing else: ``harden diff --format patch | git apply``."""

from __future__ import annotations

from collections.abc import Callable

from hardener.engine.outcome import Outcome
from hardener.report import unread
from hardener.report.context import Context
from hardener.report.patch import Patch
from hardener.report.redactor import Redactor

ERRORS = "surrogateescape"
FOR_PEOPLE = False


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write the patch of every file that git can take; the others are named on standard error."""
    for note in unread.notes(outcome.tree):
        context.aside(note.text)
    for file in write_unmasked(outcome, context.redactor, out):
        can = f"harden {outcome.command} can change it"
        context.aside(f"{file}: not in the patch, since it would show secrets that are masked; {can}")


def write_unmasked(outcome: Outcome, redactor: Redactor, out: Callable[[str], object]) -> list[str]:
    """Write the patch of every file that git can take; returns the names of the others, whose secrets are masked."""
    # All of them first, so that the redactor knows every secret.
    patches = [Patch.of(change, redactor) for change in outcome.files]
    masked = []
    for patch in patches:
        if patch.is_masked(redactor):
            masked.append(patch.change.file.name)
            continue
        for part in patch.pieces():
            out(part)
    return masked
