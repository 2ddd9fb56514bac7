"""The code quality report of GitLab, which takes problems with the same fingerprint for one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Outcome
from hardener.report import unread
from hardener.report.context import Context
from hardener.report.problems import Problem, problems
from hardener.support.printable import seen_in_json

ERRORS = "backslashreplace"
FOR_PEOPLE = False
_SEVERITIES = {
    Severity.LOW: "minor", Severity.MEDIUM: "major", Severity.HIGH: "critical", Severity.CRITICAL: "blocker"
}  # fmt: skip


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write the report of ``outcome``; an empty list where there is nothing."""
    for note in unread.notes(outcome.tree):  # a record is about a line of a file
        context.aside(note.text)
    out("[")
    for number, problem in enumerate(problems(outcome, context.redactor, applied=context.applied)):
        out(("," if number else "") + "\n" + seen_in_json(json.dumps(_record(problem), ensure_ascii=False)))
    out("]\n")


def _record(problem: Problem) -> dict[str, Any]:
    risk = f"{problem.risk}: " if problem.risk else ""
    return {
        "description": risk + problem.message, "check_name": problem.id, "fingerprint": problem.fingerprint,
        "severity": _SEVERITIES[problem.severity],
        "location": {"path": problem.file, "lines": {"begin": problem.line}},
    }  # fmt: skip
