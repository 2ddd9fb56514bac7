"""SARIF 2.1.0 for code scanning: rules with help, results with fixes, K01 to K10 as taxonomy.

GitHub refuses the whole file for one fix without changes, shows the first location of a result, annotates a pull
request where every line of that is in the diff, and knows an alert again by ``primaryLocationLineHash``: so a location
is one line, and a fix is whole (see ``units``) or not there.
"""

from __future__ import annotations

import json
import os
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import quote

from hardener import __version__
from hardener.authoring import registry
from hardener.authoring.edits import Severity
from hardener.authoring.risks import RISKS
from hardener.authoring.transform import Transform
from hardener.engine.outcome import Outcome
from hardener.report import unread
from hardener.report.context import Context
from hardener.report.masked_lines import masked_file
from hardener.report.pages import page_of
from hardener.report.patch import Lines, relative_name
from hardener.report.problems import Kind, Place, Problem, problems
from hardener.report.records import impact_records, left_out
from hardener.report.redactor import Redactor
from hardener.report.units import Unit, Units
from hardener.sources import files
from hardener.sources.manifests import ManifestFile
from hardener.sources.yaml import Hunk
from hardener.support.printable import seen_in_json

ERRORS = "backslashreplace"
FOR_PEOPLE = False
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS = 25_000  # GitHub refuses more in one run
_MOST_PLACES = 20
_MOST_OBJECTS = 1000  # that one finding stands for; GitHub takes no more locations of a result
_TOP_TEN = "https://owasp.org/www-project-kubernetes-top-ten/"
_LEVELS = {Severity.LOW: "note", Severity.MEDIUM: "warning", Severity.HIGH: "error", Severity.CRITICAL: "error"}
_KINDS = _LEVELS | {Severity.LOW: "recommendation"}
# GitHub calls more than 9 critical, 7 to 8.9 high, 4 to 6.9 medium.
_SCORES = {Severity.LOW: "3.0", Severity.MEDIUM: "5.5", Severity.HIGH: "8.0", Severity.CRITICAL: "9.5"}
_MARK = re.compile("\u2039redacted#\\d+\u203a")
_HELP = {
    "refused": "A document could not be read, or a change to it could not be proved. It keeps its bytes.",
    "template": "A template is no manifest yet. Render it and harden the result.",
}


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write the report of ``outcome``; one without a result is a whole report, too."""
    run = _Run(outcome, context.redactor, context.applied)
    head = json.dumps({"$schema": SCHEMA, "version": "2.1.0"}, ensure_ascii=False)[:-1]
    out(f'{head}, "runs": [{seen_in_json(json.dumps(run.head(), ensure_ascii=False))[:-1]}, "results": [')
    for number, result in enumerate(run.results()):
        out(("," if number else "") + "\n" + seen_in_json(json.dumps(result, ensure_ascii=False)))
    out("]}]}\n")


class _Run:
    def __init__(self, outcome: Outcome, redactor: Redactor, applied: bool) -> None:
        self._outcome = outcome
        self.redactor = redactor
        self.units = None if applied else Units(outcome, redactor)
        found = problems(outcome, redactor, applied=applied)
        self.left_out = max(0, len(found) - MOST_RESULTS)
        if self.left_out:
            found = sorted(found, key=lambda problem: -problem.severity.rank)[:MOST_RESULTS]
        self.problems = found
        severities: dict[str, Severity] = {}
        for problem in found:
            known = severities.get(problem.id, problem.severity)
            severities[problem.id] = max(known, problem.severity, key=lambda severity: severity.rank)
        self.severities = dict(sorted(severities.items()))
        self.numbers = {id: number for number, id in enumerate(self.severities)}
        self._texts = _Texts(outcome, redactor, applied, found)
        self._notes = unread.notes(outcome.tree)
        self._fixes: dict[int, dict[str, Any] | None] = {}

    def head(self) -> dict[str, Any]:
        """All of the run but its results."""
        taxonomy = {"name": "OWASP Kubernetes Top Ten"}
        notes: list[dict[str, Any]] = []
        if self.left_out:
            text = f"{self.left_out} results of the lowest severity are left out: a run holds {MOST_RESULTS}"
            notes.append({"level": "warning", "message": {"text": text}})
        invocation: dict[str, Any] = {"executionSuccessful": True}
        for note in self._notes:
            level = "warning" if note.is_grave else "note"
            text = self.redactor.text(note.text)
            said = {"level": level, "message": {"text": text}, "descriptor": {"id": note.id}}
            notes.append(said | ({"locations": list(map(_place, note.places))} if note.places else {}))
        if notes:
            invocation["toolExecutionNotifications"] = notes
        driver = {
            "name": "harden", "semanticVersion": __version__, "version": __version__,
            "informationUri": _TOP_TEN, "supportedTaxonomies": [taxonomy | {"index": 0}],
            "rules": [_rule(id, severity) for id, severity in self.severities.items()],
        }  # fmt: skip
        taxa = [
            {"id": risk.id, "name": _camel(risk.title), "shortDescription": {"text": risk.title}}
            for risk in RISKS.values()
        ]
        properties = {"impact": impact_records(self._outcome), "leftOut": left_out(self._outcome.tree)}
        return {
            "properties": self.redactor.record(properties),
            "tool": {"driver": driver},
            "automationDetails": {"id": "harden/"},
            "invocations": [invocation],
            "columnKind": "unicodeCodePoints",
            "taxonomies": [
                taxonomy
                | {
                    "version": "2025", "organization": "OWASP", "informationUri": _TOP_TEN, "isComprehensive": True,
                    "shortDescription": {"text": "The ten gravest risks of Kubernetes, edition of 2025."}, "taxa": taxa,
                }
            ],
        }  # fmt: skip

    def results(self) -> Iterator[dict[str, Any]]:
        for problem in self.problems:
            yield self._result(problem)

    def _result(self, problem: Problem) -> dict[str, Any]:
        prints = {"hardenId/v1": problem.fingerprint}
        if (digest := self._texts.digest(problem.file, problem.line)) is not None:
            prints = {"primaryLocationLineHash": digest} | prints
        result: dict[str, Any] = {
            "ruleId": problem.id, "ruleIndex": self.numbers[problem.id], "level": _LEVELS[problem.severity],
            "message": {"text": problem.message}, "locations": [self._location(problem.file, problem.line)],
            "partialFingerprints": prints, "properties": {"kind": problem.kind, "severity": problem.severity},
        }  # fmt: skip
        if problem.grade is not None:
            result["properties"]["grade"] = problem.grade
        if problem.not_looked_at:
            result["properties"]["notLookedAt"] = True
        most = _MOST_OBJECTS if problem.kind is Kind.FINDING else _MOST_PLACES
        places = list(dict.fromkeys(problem.places))[:most]
        if places:
            result["relatedLocations"] = [self._place(number, place) for number, place in enumerate(places, 1)]
        if problem.kind is Kind.PENDING and self.units is not None:
            fix = self._fix(self.units.of(problem.changes[0]))
            if fix is not None:
                result["fixes"] = [fix]
        return result

    def _place(self, number: int, place: Place) -> dict[str, Any]:
        return self._location(place.file, place.line) | {"id": number, "message": {"text": place.text}}

    def _location(self, file: str, line: int) -> dict[str, Any]:
        start, end = self._texts.columns(file, line)
        region = {"startLine": line, "startColumn": start, "endLine": line, "endColumn": end}
        return {"physicalLocation": {"artifactLocation": {"uri": _uri(file)}, "region": region}}

    def _fix(self, unit: Unit) -> dict[str, Any] | None:
        if id(unit) not in self._fixes:
            self._fixes[id(unit)] = None if unit.closed or not unit.hunks else self._made(unit)
        return self._fixes[id(unit)]

    def _made(self, unit: Unit) -> dict[str, Any]:
        changes: dict[str, list[dict[str, Any]]] = {}
        for change, hunk in unit.hunks:
            name = relative_name(change.file.path)
            changes.setdefault(name, []).append(_replacement(hunk))
        return {
            "description": {"text": f"Makes the changes of {', '.join(unit.ids)}, which share these lines."},
            "artifactChanges": [
                {"artifactLocation": {"uri": _uri(name)}, "replacements": replacements}
                for name, replacements in changes.items()
            ],
        }


class _Texts:
    """The lines of the files that results stand in, as they are on disk."""

    def __init__(self, outcome: Outcome, redactor: Redactor, applied: bool, found: list[Problem]) -> None:
        self._redactor = redactor
        # What a chart renders stands at lines of its templates.
        rendered = outcome.tree.files if outcome.tree.chart is not None else []
        written = {id(change.file): change.text for change in outcome.files if applied}
        self._files: dict[str, tuple[ManifestFile, str]] = {
            relative_name(file.path): (file, written.get(id(file), file.content.text))
            for file in ([] if rendered else outcome.tree.files)
            if not file.is_new or id(file) in written
        }
        # What was not read for its objects is read for its lines when a result stands there.
        self._unread = {relative_name(problem.path): problem.path for problem in outcome.tree.problems}
        charts = (problem for problem, _ in outcome.tree.charts.values())
        self._unread |= {relative_name(problem.path): problem.path for problem in charts}
        self._unread |= {relative_name(file.path): file.path for file in rendered}
        self._wanted: dict[str, set[int]] = {}
        for problem in found:
            self._wanted.setdefault(problem.file, set()).add(problem.line)
        self._digests: dict[str, dict[int, str]] = {}
        self._lines: dict[str, Lines] = {}

    def columns(self, name: str, line: int) -> tuple[int, int]:
        """The columns of what stands on a line, the end exclusive."""
        if name not in self._lines:
            text = self._files[name][1] if name in self._files else self._text(name)
            self._lines[name] = Lines(text or "")
        lines = self._lines[name]
        text = lines[line].rstrip() if 0 < line <= len(lines) else ""
        return len(text) - len(text.lstrip()) + 1, len(text) + 1

    def digest(self, name: str, line: int) -> str | None:
        """The hash of a line; of masked text, since a hash of a secret could be guessed at."""
        if name not in self._digests:
            masked = self._masked(name)
            plain = None if masked is None else _MARK.sub("\u2039redacted\u203a", masked)
            self._digests[name] = {} if plain is None else line_hashes(plain, self._wanted.get(name, ()))
        return self._digests[name].get(line)

    def _masked(self, name: str) -> str | None:
        if name in self._files:
            file, text = self._files[name]
            return "\ufeff" * file.content.bom + masked_file(self._redactor, file, text)
        unread = self._text(name)
        if unread is None:
            return None
        self._redactor.learn_text(unread)
        return self._redactor.text(unread)

    def _text(self, name: str) -> str | None:
        """A file that the run did not read, such as a template of a chart; None for what is no text."""
        try:
            return files.read(self._unread[name]).text if name in self._unread else None
        except files.UnreadableError:
            return None


def _replacement(hunk: Hunk) -> dict[str, Any]:
    """Whole lines, so that no reader's way to count columns matters; but for a last line without an end."""
    last = hunk.before_start + len(hunk.before)
    region = {"startLine": hunk.before_start, "startColumn": 1, "endLine": last, "endColumn": 1}
    if hunk.before and not hunk.before[-1].endswith("\n"):
        region |= {"endLine": last - 1, "endColumn": len(hunk.before[-1]) + 1}
    replacement: dict[str, Any] = {"deletedRegion": region}
    if hunk.after:
        replacement["insertedContent"] = {"text": "".join(hunk.after)}
    return replacement


def _place(place: tuple[str, int]) -> dict[str, Any]:
    file, line = place
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(file)}, "region": {"startLine": line}}}


def _rule(id: str, severity: Severity) -> dict[str, Any]:
    transform = registry.transforms().get(id)
    # A name that is the id in other letters is against the rules of SARIF (SARIF1001).
    name = {"name": _camel(id)} if "-" in id else {}
    rule: dict[str, Any] = {"id": id, **name, **_descriptions(id, transform)}
    rule["defaultConfiguration"] = {"level": _LEVELS[severity]}
    properties: dict[str, Any] = {"precision": "high", "problem.severity": _KINDS[severity]}
    if transform is not None:
        rule["helpUri"] = page_of(transform) or _TOP_TEN
        tags = ["security", "kubernetes", f"owasp-k8s-{transform.risk}", "owasp-k8s-2025"]
        properties |= {"tags": tags, "security-severity": _SCORES[severity]}
        target = {"id": transform.risk, "index": list(RISKS).index(transform.risk)}
        component = {"name": "OWASP Kubernetes Top Ten", "index": 0}
        rule["relationships"] = [{"target": target | {"toolComponent": component}, "kinds": ["relevant"]}]
    else:
        properties["tags"] = ["kubernetes"]
    return rule | {"properties": properties}


def _descriptions(id: str, transform: Transform | None) -> dict[str, Any]:
    if transform is None:
        text = _HELP.get(id, f"What harden found and left as it is: {id.replace('-', ' ')}.")
        help = {"text": text + " The message says what to do."}
        return {"shortDescription": {"text": text}, "fullDescription": {"text": text}, "help": help}
    risk = RISKS[transform.risk]
    references = "\n".join(f"- {name}" for name in transform.references)
    plain = (
        f"{transform.title}. {transform.result}\n\nWhy: {transform.why}\n\nMay break: {transform.may_break}\n\n"
        f"{references}\n\nTo keep it as it is: # harden: ignore[{id}] and the reason, in a comment on the line."
    )
    marked = (
        f"**{transform.title}**\n\n{transform.result}\n\n**Why:** {transform.why}\n\n"
        f"**May break:** {transform.may_break}\n\n{references}\n\n"
        f"To keep it as it is: `# harden: ignore[{id}]` and the reason, in a comment on the line."
    )
    return {
        "shortDescription": {"text": transform.title},
        "fullDescription": {"text": f"{transform.result} Why: {transform.why} ({transform.risk} {risk.title})"},
        "help": {"text": plain, "markdown": marked},
    }


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def _uri(name: str) -> str:
    return quote(os.fsencode(name), safe="/~!$&'()*+,=@")


_BLOCK = 100
_BASE = 37
_MASK = (1 << 64) - 1
_FIRST = pow(_BASE, _BLOCK, 1 << 64)
_END = 65535  # what stands behind the last character
_LINE_FEED = 10


def line_hashes(text: str, lines: Iterable[int]) -> dict[int, str]:
    """Return the hashes of ``lines`` (1-based) of ``text``, by which GitHub knows an alert again when lines move.

    As ``upload-sarif`` works them out, which warns of any other: for each line the polynomial of its next 100
    characters that are no blanks (base 37, 64 bits), with a number for lines that hash the same.
    """
    wanted = set(lines)
    codes = _codes(text)
    starts = chain((0,), (place + 1 for place, code in enumerate(codes) if code == _LINE_FEED))
    found: dict[int, str] = {}
    seen: Counter[int] = Counter()
    value, position = 0, 0
    for code in codes[:_BLOCK]:
        value = (value * _BASE + code) & _MASK
    for number, start in enumerate(starts, 1):
        while position < start:
            gone, came = codes[position], codes[position + _BLOCK]
            value = (value * _BASE + came - _FIRST * gone) & _MASK
            position += 1
        seen[value] += 1
        if number in wanted:
            found[number] = f"{value:x}:{seen[value]}"
    return found


def _codes(text: str) -> array[int]:
    """The characters that count, as UTF-16 units, and what stands behind them."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
    units = plain.encode("utf-16-le", "surrogatepass")
    return array("H", memoryview(units).cast("H") if units else ()) + array("H", [_END, *[0] * _BLOCK])
