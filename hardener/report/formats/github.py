"""Annotations of GitHub Actions: one workflow command per remark, the gravest first.

A step shows ten errors and ten warnings, a job fifty; what comes after them stands in the log alone.
"""

from __future__ import annotations

from collections.abc import Callable

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Outcome
from hardener.report import impact, unread
from hardener.report.context import Context
from hardener.report.remarks import Remark, remarks
from hardener.support.printable import plain_lines

ERRORS = "surrogateescape"
FOR_PEOPLE = False
_COMMANDS = {Severity.LOW: "notice", Severity.MEDIUM: "warning", Severity.HIGH: "error", Severity.CRITICAL: "error"}


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write a line per remark on ``outcome`` that tells a problem, before those about files that were not read: GitHub
    shows only the first ten of a kind. That nothing was read comes first."""
    redactor = context.redactor
    notes = unread.notes(outcome.tree)
    for note in notes:
        if note.is_grave:
            out(f"::warning title={_property(f'harden: {note.id}')}::{_data(redactor.text(note.text))}\n")
    found = [remark for remark in remarks(outcome, redactor, applied=context.applied) if not remark.is_part]
    found.sort(key=lambda remark: -remark.severity.rank)
    low = sum(remark.severity is Severity.LOW for remark in found)
    _write(found[: len(found) - low], out)
    # One notice, before those about lines: ten of a kind are shown.
    if lines := [entry.text.strip() for entry in impact.entries(outcome)]:
        title = "harden: impact of the changes"
        out(f"::notice title={_property(title)}::{_data(redactor.text(chr(10).join(lines)))}\n")
    _write(found[len(found) - low :], out)
    for note in notes:
        if not note.is_grave:
            out(f"::notice title={_property(f'harden: {note.id}')}::{_data(redactor.text(note.text))}\n")


def _write(found: list[Remark], out: Callable[[str], object]) -> None:
    for remark in found:
        title = f"{remark.id} ({remark.risk}, {remark.severity})" if remark.risk else f"{remark.id} ({remark.severity})"
        place = {"file": remark.file, "line": str(remark.line), "endLine": str(remark.last), "title": title}
        settings = ",".join(f"{name}={_property(value)}" for name, value in place.items())
        out(f"::{_COMMANDS[remark.severity]} {settings}::{_data(remark.text)}\n")


def _data(text: str) -> str:
    return plain_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
