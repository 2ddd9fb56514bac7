"""The results of a KRM function, as records of a ResourceList.

Their shape is that of the functions specification of kustomize, cmd/config/docs/api-conventions/functions-spec.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from hardener.authoring.edits import Evidence, Severity
from hardener.engine.outcome import MISSING, Change, Outcome
from hardener.engine.problem_sentence import problem_of
from hardener.report.redactor import Redactor
from hardener.support.data_path import Path, dotted
from hardener.tree.core_views import Object

_SEVERITIES = {
    Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "info",
}  # fmt: skip
_HIDDEN = "\u2039redacted\u203a"
_ORIGIN = re.compile(r"^path: *(\S.*)$", re.M)
_PATHS = ("internal.config.kubernetes.io/path", "config.kubernetes.io/path")
_INDEXES = ("internal.config.kubernetes.io/index", "config.kubernetes.io/index")


def results(outcome: Outcome, redactor: Redactor) -> list[dict[str, Any]]:
    """Return what was changed (info), held back (warning; a guess info), refused (warning, error), waived (info) and
    found, through ``redactor``.

    A finding that is high or critical is an error, one that is medium a warning, one that is low an info.
    """
    made = [*_changes(outcome), *_held(outcome), *_refused(outcome), *_findings(outcome), *_waived(outcome)]
    return [redactor.record(record) for record in made]


def _changes(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for change in outcome.changes:
        tags = _tags(change.transform.id, change.transform.risk, grade=change.edit.grade, basis=change.edit.basis)
        yield _result("info", _because(change.transform.result, change.evidence), tags) | _place(change)


def _held(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for held in outcome.held:
        evidence = dict.fromkeys(fact for change in held.changes for fact in change.edit.evidence)
        why, severity = (
            ("waits, a guess", "info") if held.is_guess and not held.takes_away else ("held back", "warning")
        )
        message = _because(f"{why}: {problem_of(held.changes)}", evidence)
        tags = _tags(held.transform.id, held.transform.risk, grade=held.grade, severity=held.transform.severity)
        yield _result(severity, message, tags) | _place(held.changes[0])


def _refused(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for item in outcome.refused:
        severity = "error" if item.step is None else "warning"
        yield _result(
            severity, f"{item.edits} edits not made: {item.reason}: {item.advice}", {"id": item.step or "refused"}
        )


def _findings(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for finding in outcome.findings:
        message = f"{finding.message}: {finding.advice}"
        tags = _tags(finding.id, finding.risk, severity=finding.severity)
        record = _result(_SEVERITIES[finding.severity], message, tags)
        yield record | _where(finding.object, finding.path)


def _waived(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for waived in outcome.waived:
        message = f"waived ({waived.carrier}): {waived.reason}"
        _, _, item, path = waived.place
        yield _result("info", message, _tags(waived.transform.id, waived.transform.risk)) | _where(item, path)


def _result(severity: str, message: str, tags: dict[str, str]) -> dict[str, Any]:
    return {"message": message, "severity": severity, "tags": tags}


def _tags(id: str, risk: str | None, **more: str) -> dict[str, str]:
    return {"id": id, **({"risk": risk} if risk else {}), **{name: str(value) for name, value in more.items()}}


def _because(summary: str, evidence: Iterable[Evidence]) -> str:
    facts = "; ".join(fact.text for fact in evidence)
    return f"{summary.rstrip('.')} ({facts})" if facts else summary


def _place(change: Change) -> dict[str, Any]:
    record = _where(change.object, change.path)
    if "field" in record:
        if change.before is not MISSING:
            record["field"]["currentValue"] = _HIDDEN if change.edit.keeps else change.before
        if change.after is not MISSING:
            record["field"]["proposedValue"] = change.after
    return record


def _where(item: Object | None, path: Path) -> dict[str, Any]:
    """The object, the field at ``path`` (which begins with the number of the document) and the file it came from."""
    if item is None:
        return {}
    reference = {"apiVersion": item.api_version, "kind": item.kind, "name": item.name}
    record: dict[str, Any] = {"resourceRef": reference | ({"namespace": item.namespace} if item.namespace else {})}
    inside = path[len(item.path) :] if path[: len(item.path)] == item.path else path[1:]
    if inside:
        record["field"] = {"path": dotted(inside)}
    file = _file(item)
    return record | ({"file": file} if file else {})


def _file(item: Object) -> dict[str, Any]:
    annotations = (item.data.get("metadata") or {}).get("annotations") if isinstance(item.data, dict) else None
    if not isinstance(annotations, dict):
        return {}
    path = next((annotations[name] for name in _PATHS if annotations.get(name)), None)
    origin = _ORIGIN.search(str(annotations.get("config.kubernetes.io/origin") or ""))
    path = path or (origin[1] if origin else None)
    if not path:
        return {}
    index = next((str(annotations[name]) for name in _INDEXES if name in annotations), "")
    return {"path": str(path), **({"index": int(index)} if index.isdecimal() else {})}
