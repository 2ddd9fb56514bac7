"""The Reviewdog Diagnostic Format, with suggestions that a reviewer takes with a click."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Outcome
from hardener.report import unread
from hardener.report.context import Context
from hardener.report.remarks import Remark, remarks
from hardener.support.printable import seen_in_json

ERRORS = "backslashreplace"
FOR_PEOPLE = False
_SEVERITIES = {Severity.LOW: "INFO", Severity.MEDIUM: "WARNING", Severity.HIGH: "ERROR", Severity.CRITICAL: "ERROR"}


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write the report of ``outcome``. Ranges are whole lines, both ends included."""
    for note in unread.notes(outcome.tree):  # a record is about a line of a file
        context.aside(note.text)
    out('{"source": {"name": "harden"}, "diagnostics": [')
    for number, remark in enumerate(remarks(outcome, context.redactor, applied=context.applied)):
        out(("," if number else "") + "\n" + seen_in_json(json.dumps(_diagnostic(remark), ensure_ascii=False)))
    out("]}\n")


def _diagnostic(remark: Remark) -> dict[str, Any]:
    # The range is that of the suggestion: where they differ, hosts leave the suggestion out.
    lines = _range(remark.line, remark.last)
    found: dict[str, Any] = {
        "message": remark.text, "location": {"path": remark.file, "range": lines},
        "severity": _SEVERITIES[remark.severity], "code": {"value": remark.id},
    }  # fmt: skip
    if remark.suggestion is not None:
        found["suggestions"] = [{"range": lines, "text": remark.suggestion.text}]
    return found


def _range(first: int, last: int) -> dict[str, Any]:
    return {"start": {"line": first}, "end": {"line": last}}
