"""JUnit XML: a suite per file, a failed case per problem, a passed case for a file without one, a skipped case for each
line about files that were not read. What a person has to know before the changes are applied is the output of a case
that passed, since a skipped or failed one would count."""

from __future__ import annotations

import re
from collections.abc import Callable

from hardener.engine.outcome import Outcome
from hardener.report import impact, unread
from hardener.report.context import Context
from hardener.report.patch import relative_name
from hardener.report.problems import Problem, problems
from hardener.support.printable import plain_lines

ERRORS = "backslashreplace"
FOR_PEOPLE = False
# Line ends, too: in an attribute a reader would take them for blanks. The library's own escapes would load urllib.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write the report of ``outcome``."""
    redactor = context.redactor
    read = [file for file in outcome.tree.files if file.editable and file.pieces]
    names = [relative_name(file.path) for file in read if not file.is_new or context.applied]
    suites: dict[str, list[Problem]] = {name: [] for name in names}
    for problem in problems(outcome, redactor, applied=context.applied):
        suites.setdefault(problem.file, []).append(problem)
    impact_lines = [redactor.text(entry.text.strip()) for entry in impact.entries(outcome)]
    notes = [(note.id, redactor.text(note.text)) for note in unread.notes(outcome.tree)]
    failures = sum(map(_failures, suites.values()))
    tests = sum(max(1, len(found)) for found in suites.values()) + len(notes) + bool(impact_lines)
    out('<?xml version="1.0" encoding="UTF-8"?>\n')
    out(f'<testsuites name="harden" tests="{tests}" failures="{failures}" errors="0">\n')
    if notes or impact_lines:
        _own_suite(impact_lines, notes, out)
    for name, found in sorted(suites.items()):
        _suite(name, found, out)
    out("</testsuites>\n")


def _own_suite(impact_lines: list[str], notes: list[tuple[str, str]], out: Callable[[str], object]) -> None:
    """What is about no file: the impact, and what was not read."""
    tests = len(notes) + bool(impact_lines)
    out(f'<testsuite name="harden" tests="{tests}" failures="0" errors="0" skipped="{len(notes)}">\n')
    if impact_lines:
        text = _escaped("\n".join(impact_lines))
        out(f'<testcase name="impact" classname="harden"><system-out>{text}</system-out></testcase>\n')
    for id, text in notes:
        out(f'<testcase name={_attribute(id)} classname="harden"><skipped message={_attribute(text)}/></testcase>\n')
    out("</testsuite>\n")


def _suite(name: str, found: list[Problem], out: Callable[[str], object]) -> None:
    count, failures, skipped = max(1, len(found)), _failures(found), len(found) - _failures(found)
    skips = f' skipped="{skipped}"' if skipped else ""
    out(f'<testsuite name={_attribute(name)} tests="{count}" failures="{failures}" errors="0"{skips}>\n')
    if not found:
        out(f'<testcase name="hardened" classname={_attribute(name)}/>\n')
    for problem in found:
        _case(problem, out)
    out("</testsuite>\n")


def _failures(found: list[Problem]) -> int:
    return sum(not problem.fails_nothing for problem in found)


def _case(problem: Problem, out: Callable[[str], object]) -> None:
    name = f"{problem.id} {problem.object}".rstrip() + f" line {problem.line}"
    grade = f"{problem.risk} {problem.severity}" if problem.risk else str(problem.severity)
    text = f"{problem.file}:{problem.line}\n{problem.message}"
    out(f"<testcase name={_attribute(name)} classname={_attribute(problem.file)}>")
    if problem.fails_nothing:
        out(f"<skipped message={_attribute(problem.message)}/>")
    else:
        out(f"<failure type={_attribute(grade)} message={_attribute(problem.message)}>{_escaped(text)}</failure>")
    out("</testcase>\n")


def _attribute(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """``text`` as XML, without the characters that it cannot hold."""
    return plain_lines(_NO_XML.sub("\ufffd", text)).translate(_ESCAPES)
