"""Annotations of GitHub Actions: one workflow command per remark, the gravest first.

GitHub shows ten errors, ten warnings and ten notices of a step; so no more are written of each, and one notice counts
those that are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Outcome
from hardener.report import impact, unread
from hardener.report.context import Context
from hardener.report.impact import counted
from hardener.report.remarks import Remark, remarks
from hardener.support.printable import plain_lines

ERRORS = "surrogateescape"
FOR_PEOPLE = False
MOST = 10  # of a kind in one step: docs.github.com/en/actions/reference/limits
_COMMANDS = {Severity.LOW: "notice", Severity.MEDIUM: "warning", Severity.HIGH: "error", Severity.CRITICAL: "error"}


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write a line per remark on ``outcome`` that tells a problem, ten of a kind at most. That nothing was read comes
    first; the impact, what is left out and files that were not read have their place among the ten notices."""
    redactor = context.redactor
    notes = unread.notes(outcome.tree)
    grave = [_about_all("warning", note.id, redactor.text(note.text)) for note in notes if note.is_grave]
    others = [_about_all("notice", note.id, redactor.text(note.text)) for note in notes if not note.is_grave]
    if lines := [entry.text.strip() for entry in impact.entries(outcome)]:
        others.insert(0, _about_all("notice", "impact of the changes", redactor.text("\n".join(lines))))

    found = [remark for remark in remarks(outcome, redactor, applied=context.applied) if not remark.is_part]
    found.sort(key=lambda remark: -remark.severity.rank)
    room = Counter(error=MOST, warning=MOST - len(grave), notice=MOST - 1)
    others = others[: room["notice"]]
    room["notice"] -= len(others)
    kept, left = _fitting(found, room)
    if left:
        others.append(_about_all("notice", "more is not annotated", _left(left, outcome.asked.command("check"))))

    of_lines = [(remark.severity, _of_line(remark)) for remark in kept]
    out("".join(grave))
    out("".join(line for severity, line in of_lines if severity is not Severity.LOW))
    out("".join(others))
    out("".join(line for severity, line in of_lines if severity is Severity.LOW))


def _fitting(found: Iterable[Remark], room: Counter[str]) -> tuple[list[Remark], Counter[str]]:
    """The remarks for which there is ``room``, and how many there are besides, by kind."""
    kept: list[Remark] = []
    left: Counter[str] = Counter()
    for remark in found:
        command = _COMMANDS[remark.severity]
        if room[command] > 0:
            room[command] -= 1
            kept.append(remark)
        else:
            left[command] += 1
    return kept, left


def _left(left: Counter[str], command: str) -> str:
    counts = ", ".join(counted(left[kind], f"more {kind}") for kind in dict.fromkeys(_kinds()) if left[kind])
    return f"{counts}; the log of the job has the report, {command} -v lists each"


def _kinds() -> Iterator[str]:
    """The kinds of annotations, the gravest first."""
    return (_COMMANDS[severity] for severity in sorted(_COMMANDS, key=lambda each: -each.rank))


def _about_all(command: str, title: str, text: str) -> str:
    """An annotation of no line."""
    return f"::{command} title={_property(f'harden: {title}')}::{_data(text)}\n"


def _of_line(remark: Remark) -> str:
    title = f"{remark.id} ({remark.risk}, {remark.severity})" if remark.risk else f"{remark.id} ({remark.severity})"
    place = {"file": remark.file, "line": str(remark.line), "endLine": str(remark.last), "title": title}
    settings = ",".join(f"{name}={_property(value)}" for name, value in place.items())
    return f"::{_COMMANDS[remark.severity]} {settings}::{_data(remark.text)}\n"


def _data(text: str) -> str:
    return plain_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
