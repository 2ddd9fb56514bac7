"""The JSON report (its schema is ``hardener/report/schema.json``), written record by record."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from hardener.authoring.edits import Edit, Evidence
from hardener.authoring.transform import Transform
from hardener.engine.outcome import MISSING, Change, Held, Outcome, Refused, Report, Waived
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.images.coverage import Coverage, coverage
from hardener.report import chart_values, levels, provenance, steps, unread
from hardener.report.context import Context
from hardener.report.reachability import summary as reachability_summary
from hardener.report.records import impact_records, left_out, object_record, shut_out_records, type_record
from hardener.report.redactor import Redactor
from hardener.support.data_path import Path
from hardener.support.printable import seen_in_json
from hardener.tree.core_views import Object

ERRORS = "backslashreplace"
FOR_PEOPLE = False
_MOST_KNOWN = 4096  # parts of records that are kept encoded
_SCALARS = frozenset((str, int, bool))
_HIDDEN = "\u2039redacted\u203a"  # for what holds secrets, however short and common they are


def write(outcome: Outcome, context: Context, out: Callable[[str], object]) -> None:
    """Write the report of ``outcome``; memory stays flat."""
    dump = _Dump(context.redactor)
    # Not searched as a whole: a hash looks like a secret.
    origin = provenance.records(outcome, context.redactor.text)
    out(seen_in_json(dump.encode({"version": 1, **origin}))[:-1] + ", ")
    out(dump(_head_of_report(outcome))[1:-1])
    for name, records in _lists(outcome, context, dump):
        out(f', "{name}": [')
        for number, record in enumerate(records):
            out(("," if number else "") + "\n" + record)
        out("]")
    out("}\n")


def _head_of_report(outcome: Outcome) -> dict[str, Any]:
    """What stands before the lists of records: the summary and the settings of the run."""
    summary = outcome.summary()
    reach = reachability_summary.reached(outcome)
    if reach is not None:
        summary["reachability"] = reachability_summary.record(reach) | {"shutOut": shut_out_records(reach)}
    settings = outcome.tree.settings
    platforms = outcome.tree.ask(Platforms)
    head = {
        "profile": outcome.profile, "kubernetesVersion": "{}.{}".format(*settings.kubernetes_version),
        "platform": platforms.name, "platformSigns": {name: _sign(item) for name, item in platforms.signs.items()},
        "summary": summary, "images": {name: _coverage(known) for name, known in coverage(outcome.tree).items()},
        "notes": [_note(note) for note in unread.notes(outcome.tree)],
        "leftOut": left_out(outcome.tree), "impact": impact_records(outcome, reach),
        "beforeYouApply": steps.before(outcome.changes), "afterYouApply": steps.after(outcome.changes),
    }  # fmt: skip
    if outcome.tree.chart is not None or outcome.overrides or settings.helm_values:
        head |= {"chart": outcome.tree.chart, "values": chart_values.records(outcome)}
        if outcome.template_patch:
            head["templatePatch"] = outcome.template_patch
    return head


def _note(note: unread.Note) -> dict[str, Any]:
    record: dict[str, Any] = {"id": note.id, "message": note.text}
    if note.places:
        record["places"] = [{"file": file, "line": line} for file, line in note.places]
    return record


def _lists(outcome: Outcome, context: Context, dump: _Dump) -> Iterator[tuple[str, Iterable[str]]]:
    """The lists of records by their names; a record is made when it is taken."""
    yield "changes", (dump.change(change, outcome) for change in outcome.changes)
    yield "held", (dump(_held(held, change, outcome)) for held in outcome.held for change in held.changes[:1])
    yield "findings", map(dump.finding, outcome.findings)
    yield "refused", (dump(_refused(refused)) for refused in outcome.refused)
    if context.levels is not None:
        yield "levels", map(dump, levels.records(*context.levels))
    yield "waived", (dump(_waived(waived, outcome)) for waived in outcome.waived)


def _coverage(known: Coverage) -> dict[str, Any]:
    return {"known": known.known, "bySource": known.by, "unknown": known.unknown}


class _Dump:
    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self.encode = json.JSONEncoder(ensure_ascii=False).encode  # once: dumps() would make one per record
        self._known: dict[Hashable, str | None] = {}

    def __call__(self, record: dict[str, Any]) -> str:
        text = self.encode(record)
        return seen_in_json(text if not self.redactor.masks(text) else self.encode(self.redactor.record(record)))

    def change(self, change: Change, outcome: Outcome) -> str:
        """The record of ``change``, put together from parts: one that many records have is encoded and searched for
        secrets once. What the outcome holds is known by its identity."""
        transform, edit, item, known = change.transform, change.edit, change.object, self._known
        head = known.get(key := (id(transform), id(edit.grade), id(edit.basis))) or self._part(
            key, _head, transform, edit
        )
        evidence = self._evidence(change.evidence, outcome)
        file = self._text("file", item.piece.file.name)
        about = self._object(item)
        place = self._place(change)
        reasons = known.get(id(transform)) or self._part(id(transform), _reasons, transform)
        if head and evidence and file and about and place and reasons:
            lines = f'"line": {change.line}, "newLine": {change.new_line}, "object": {about}'
            return f"{{{head}, {evidence}, {file}, {lines}, {place}, {reasons}}}"
        # The marks of a record are numbered part by part.
        for part in (
            _start(change, outcome),
            {"object": object_record(item)},
            _path_part(change.path[1:]),
            _values(change),
            _reasons(transform),
        ):
            self.redactor.masks(self.encode(part))
        return self(_change(change, outcome))

    def finding(self, finding: Report) -> str:
        """The record of ``finding``, put together like that of a change."""
        key = (_kind, finding.id, finding.risk, finding.severity, finding.not_looked_at)
        head = self._part(key, _kind, finding)
        file = self._text("file", finding.file)
        about = self._object(finding.object)
        path = self._part(finding.path[1:], _path_part, finding.path[1:])
        message = self._entry("message", finding.message)
        advice = self._text("advice", finding.advice)
        if not finding.also and head and file and about and path and message and advice:
            line = f'"line": {finding.line}'
            return f'{{{head}, {file}, {line}, "object": {about}, {path}, {message}, {advice}}}'
        return self(_finding(finding))

    def _object(self, item: Object | None) -> str | None:
        if item is None:
            return "null"
        found = self._known.get(key := id(item))
        if found is None and key not in self._known:
            kind = self._part((type_record, item.api_version, item.kind, item.namespace), type_record, item)
            name = self._entry("name", item.name)
            found = f"{{{kind}, {name}}}" if kind and name else None
            self._keep(key, found)
        return found

    def _evidence(self, evidence: Iterable[Evidence], outcome: Outcome) -> str | None:
        """The evidence of a change as a part of its record. Thousands of changes say the same of other lines."""
        records: list[str | None] = []
        for fact in evidence:
            record = self._text("text", fact.text)
            if fact.piece is not None:
                file = self._text("file", fact.piece.file.name)
                line = outcome.lines.get((fact.piece, fact.path), 1)
                record = f'{record}, {file}, "line": {line}' if record and file else None
            records.append(record and f"{{{record}}}")
        return None if None in records else f'"evidence": [{", ".join(map(str, records))}]'

    def _place(self, change: Change) -> str | None:
        """Where a change is made, and its values. Those that are one word or number are known together with it."""
        path, after = change.path[1:], change.after
        if change.before is MISSING and type(after) in _SCALARS:
            key = path, type(after), after
            return self._known.get(key) or self._part(key, _place, change)
        of_path = self._known.get(path) or self._part(path, _path_part, path)
        values = self._part(None, _values, change)
        return of_path and (f"{of_path}, {values}" if values else of_path if values == "" else None)

    def _text(self, name: str, text: str) -> str | None:
        key = name, text, _Dump  # no path ends like this
        found = self._known.get(key)
        if found is None and key not in self._known:
            found = self._entry(name, text)
            self._keep(key, found)
        return found

    def _entry(self, name: str, text: str) -> str | None:
        return self._inside(f'{{"{name}": {self.encode(text)}}}')

    def _part(self, key: Hashable | None, make: Callable[..., dict[str, Any]], *of: Any) -> str | None:
        """What ``make`` makes of it, as it stands inside the braces of its record; None where something of it is
        masked. It is known by ``key``, where many records have it."""
        if key in self._known:
            return self._known[key]
        found = self._inside(self.encode(make(*of)))
        if key is not None:
            self._keep(key, found)
        return found

    def _inside(self, record: str) -> str | None:
        return None if self.redactor.finds(record) else seen_in_json(record[1:-1])

    def _keep(self, key: Hashable, found: str | None) -> None:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = found


def _sign(item: Object) -> dict[str, Any]:
    return {"file": item.piece.file.name, "object": object_record(item)}


def _evidence(evidence: Iterable[Evidence], outcome: Outcome) -> Iterator[dict[str, Any]]:
    for fact in evidence:
        record: dict[str, Any] = {"text": fact.text}
        if fact.piece is not None:
            record |= {"file": fact.piece.file.name, "line": outcome.lines.get((fact.piece, fact.path), 1)}
        yield record


def _risk(transform: Transform) -> dict[str, str | None]:
    return {"risk": transform.risk, "risk2022": transform.risk_2022}


def _change(change: Change, outcome: Outcome) -> dict[str, Any]:
    return {
        **_start(change, outcome), "line": change.line, "newLine": change.new_line,
        "object": object_record(change.object), **_place(change), **_reasons(change.transform),
    }  # fmt: skip


def _start(change: Change, outcome: Outcome) -> dict[str, Any]:
    return {
        **_head(change.transform, change.edit), "evidence": list(_evidence(change.evidence, outcome)),
        "file": change.object.piece.file.name,
    }  # fmt: skip


def _head(transform: Transform, edit: Edit) -> dict[str, Any]:
    return {
        "id": transform.id, **_risk(transform), "severity": transform.severity, "grade": edit.grade,
        "basis": edit.basis,
    }  # fmt: skip


def _path_part(path: Path) -> dict[str, Any]:
    return {"path": path}


def _place(change: Change) -> dict[str, Any]:
    return _path_part(change.path[1:]) | _values(change)


def _values(change: Change) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if change.before is not MISSING:
        found["before"] = _HIDDEN if change.edit.keeps else change.before
    if change.after is not MISSING:
        found["after"] = change.after
    return found


def _reasons(transform: Transform) -> dict[str, Any]:
    return {"rationale": transform.rationale, "references": list(transform.references)}


def _held(held: Held, first: Change, outcome: Outcome) -> dict[str, Any]:
    record = _change(first, outcome)
    record["grade"] = held.grade
    record["evidence"] = list(_evidence(dict.fromkeys(e for c in held.changes for e in c.evidence), outcome))
    del record["newLine"]
    return record | {
        "patch": held.patch, "beforeYouApply": steps.before(held.changes),
        "afterYouApply": steps.after(held.changes),
    }  # fmt: skip


def _kind(finding: Report) -> dict[str, Any]:
    return {
        "id": finding.id, "risk": finding.risk, "severity": finding.severity, "notLookedAt": finding.not_looked_at,
    }  # fmt: skip


def _finding(finding: Report) -> dict[str, Any]:
    return {
        **_kind(finding), "file": finding.file,
        "line": finding.line, "object": object_record(finding.object), "path": list(finding.path[1:]),
        "message": finding.message, "advice": finding.advice,
    } | ({"also": list(map(_also, finding.also))} if finding.also else {})  # fmt: skip


def _also(finding: Report) -> dict[str, Any]:
    return {
        "file": finding.file, "line": finding.line, "object": object_record(finding.object),
        "path": list(finding.path[1:]),
    }  # fmt: skip


def _refused(refused: Refused) -> dict[str, Any]:
    return {
        "file": refused.file, "line": refused.line, "edits": refused.edits,
        "reason": refused.reason, "advice": refused.advice,
    }  # fmt: skip


def _waived(waived: Waived, outcome: Outcome) -> dict[str, Any]:
    if waived.finding is not None:
        record = _finding(waived.finding) | _risk(waived.transform)
    else:
        record = _change(waived.changes[0], outcome) | {"edits": len(waived.changes)}
        record["grade"] = max((change.edit.grade for change in waived.changes), key=lambda grade: grade.rank)
        del record["newLine"]
    origin = {"file": waived.file, "line": waived.line}
    return record | {"reason": waived.reason, "carrier": waived.carrier, "origin": origin}
