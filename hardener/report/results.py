"""What a run decided, as records for a program: those of the JSON report, typed, with the texts of the files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field  # those of Python, which nobody can change
from typing import Any

from hardener.authoring.edits import Basis, Grade, Severity
from hardener.engine.outcome import FileChange, Outcome
from hardener.report.context import Context
from hardener.report.formats import json as json_report
from hardener.report.formats import patch as git_patch
from hardener.report.redactor import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRecord:
    """Which Kubernetes object a record is about; ``namespace`` is None where the object names none."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.name else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """One fact behind a decision, and where it stands; ``file`` and ``line`` are None for one without a place."""

    text: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRecord:
    """One edit. ``line`` counts in the file as read, ``new_line`` in the file after it; None where it is not there.

    ``path`` leads to the place in the object. ``before`` is None for an addition, ``after`` for a removal; secrets in
    them are masked.
    """

    id: str
    risk: str
    severity: Severity
    grade: Grade
    basis: Basis
    evidence: tuple[EvidenceRecord, ...]
    file: str
    line: int | None
    new_line: int | None
    object: ObjectRecord
    path: tuple[str | int, ...]
    before: Any = field(hash=False)
    after: Any = field(hash=False)
    rationale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRecord:
    """A step that was not made, since its grade is above ``max_grade``.

    ``before``, ``after``, ``path`` and ``line`` are those of its first edit; ``patch`` is all of it, as RFC 6902
    against the document as the run leaves it.
    """

    id: str
    risk: str
    severity: Severity
    grade: Grade
    basis: Basis
    evidence: tuple[EvidenceRecord, ...]
    file: str
    line: int | None
    object: ObjectRecord
    path: tuple[str | int, ...]
    before: Any = field(hash=False)
    after: Any = field(hash=False)
    rationale: str
    patch: tuple[dict[str, Any], ...] = field(hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRecord:
    """Where something stands: ``object`` is None where it is about none."""

    file: str
    line: int | None
    object: ObjectRecord | None
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecord:
    """Something wrong that was left alone. ``risk`` is None where it is about a file and no risk of the list,
    ``object`` where it is about none. ``not_looked_at``: what it is about was not judged, in whole or in part.
    ``also``: the other places for which it stands."""

    id: str
    risk: str | None
    severity: Severity
    message: str
    advice: str
    file: str
    line: int | None
    object: ObjectRecord | None
    path: tuple[str | int, ...]
    not_looked_at: bool = False
    also: tuple[PlaceRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaivedRecord:
    """A step that was not made, or a finding that is not reported, since somebody decided so.

    ``carrier`` is what says so: "annotation", "comment", "config", or the scanner whose mark it is; that stands on
    ``origin_line`` of ``origin_file``. A step has a ``grade``, a finding a ``message``; the other is None.
    """

    id: str
    risk: str
    reason: str
    carrier: str
    file: str
    line: int | None
    object: ObjectRecord | None
    path: tuple[str | int, ...]
    origin_file: str
    origin_line: int | None
    grade: Grade | None
    severity: Severity
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRecord:
    """A document that keeps its bytes, or a step that was not made, since it could not be read, proved or written.
    ``edits`` were decided and not made."""

    file: str
    line: int | None
    edits: int
    reason: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A file that changes. ``before`` and ``after`` are its real texts, secrets included, and no part of its ``repr``.

    A byte order mark and line ends are in the texts as they are in the file: ``after.encode(encoding)`` are its bytes.
    ``before`` is None for a new file. ``name`` is the one that reports use, seen from the working directory, ``path``
    the real one; that of a text is "".
    """

    name: str
    path: str
    encoding: str
    before: str | None = field(repr=False)
    after: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The counts of a run: files and documents that were read, files that change, and how many records there are of
    each kind (``edits`` is that of ``changes``). ``guesses`` are those of ``held`` that have the grade guess."""

    files: int
    documents: int
    changed: int
    edits: int
    held: int
    guesses: int
    findings: int
    refused: int
    waived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardened:
    """What a run decided. Nothing in it changes any more, and nothing in it refers to the run.

    Records and ``patch()`` are for people: known secrets in them are masked. The texts of ``files`` are the real ones.
    ``before_you_apply`` and ``after_you_apply`` are what a person does by hand, in this order.
    ``not_in_patch`` are the names of files that ``patch()`` leaves out, since it would show their secrets.
    ``impact`` is what a person has to know before the changes are applied, the gravest first.
    ``notes`` say what was not read: test data, or why it was nothing at all.
    ``workloads`` counts the objects that run pods, and the pods.
    """

    profile: str
    changes: tuple[ChangeRecord, ...]
    held: tuple[HeldRecord, ...]
    findings: tuple[FindingRecord, ...]
    waived: tuple[WaivedRecord, ...]
    refused: tuple[RefusedRecord, ...]
    files: tuple[FileRecord, ...]
    summary: Summary
    impact: tuple[str, ...]
    before_you_apply: tuple[str, ...]
    after_you_apply: tuple[str, ...]
    not_in_patch: tuple[str, ...]
    notes: tuple[str, ...]
    workloads: int
    _patch: str = field(repr=False)

    @property
    def changed(self) -> bool:
        """Whether any file changes."""
        return bool(self.files)

    def patch(self) -> str:
        """Return the changes as a patch for ``git apply``, as ``--format patch`` prints it; "" where nothing
        changes."""
        return self._patch


@dataclass(frozen=True, slots=True, kw_only=True)
class HardenedText(Hardened):
    """A text as ``harden_text`` made it: ``text`` is the real one, secrets included, and no part of the ``repr``."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HardenedTree(Hardened):
    """Files as ``harden_tree`` made them: ``written`` tells whether they are on the disk, or only in ``files``."""

    written: bool


def records(outcome: Outcome, redactor: Redactor) -> dict[str, Any]:
    """Return the fields of ``Hardened`` for ``outcome``. ``redactor`` knows its secrets already."""
    parts: list[str] = []
    json_report.write(outcome, Context(redactor=redactor), parts.append)
    # By way of its text: the same records as of the command line, and nothing that a later run could change.
    report = json.loads("".join(parts))
    patch: list[str] = []
    masked = git_patch.write_unmasked(outcome, redactor, patch.append)
    return {
        "profile": report["profile"],
        "changes": tuple(map(_change, report["changes"])),
        "held": tuple(map(_held, report["held"])),
        "findings": tuple(map(_finding, report["findings"])),
        "waived": tuple(map(_waived, report["waived"])),
        "refused": tuple(map(_refused, report["refused"])),
        "files": tuple(map(_file, outcome.files)),
        "summary": Summary(**{name: report["summary"][name] for name in Summary.__slots__}),
        "impact": tuple(entry["message"] for entry in report["impact"]),
        "before_you_apply": tuple(report["beforeYouApply"]),
        "after_you_apply": tuple(report["afterYouApply"]),
        "not_in_patch": tuple(masked),
        "notes": tuple(note["message"] for note in report["notes"]),
        "workloads": _workloads(outcome),
        "_patch": "".join(patch),
    }


def _workloads(outcome: Outcome) -> int:
    pods = (pod for pod in outcome.tree.pods_and_parts if not (pod.partial and pod.is_fragment))
    return len({id(pod.object) for pod in pods if pod.object.editable and "patch" not in pod.object.classes})


def _object(found: dict[str, Any] | None) -> Any:
    if found is None:
        return None
    return ObjectRecord(
        api_version=found["apiVersion"], kind=found["kind"], namespace=found["namespace"], name=found["name"]
    )


def _evidence(found: Iterable[dict[str, Any]]) -> tuple[EvidenceRecord, ...]:
    return tuple(EvidenceRecord(**fact) for fact in found)


def _place(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "file": found["file"], "line": found["line"] or None, "object": _object(found["object"]),
        "path": tuple(found["path"]),
    }  # fmt: skip


def _edit(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": found["id"], "risk": found["risk"], "severity": Severity(found["severity"]),
        "grade": Grade(found["grade"]), "basis": Basis(found["basis"]), "evidence": _evidence(found["evidence"]),
        **_place(found), "before": found.get("before"), "after": found.get("after"), "rationale": found["rationale"],
    }  # fmt: skip


def _change(found: dict[str, Any]) -> ChangeRecord:
    return ChangeRecord(**_edit(found), new_line=found["newLine"] or None)


def _held(found: dict[str, Any]) -> HeldRecord:
    return HeldRecord(**_edit(found), patch=tuple(found["patch"]))


def _finding(found: dict[str, Any]) -> FindingRecord:
    severity, said = Severity(found["severity"]), _some(found, "id", "risk", "message", "advice")
    also = tuple(PlaceRecord(**_place(place)) for place in found.get("also", ()))
    return FindingRecord(severity=severity, **said, **_place(found), not_looked_at=found["notLookedAt"], also=also)


def _waived(found: dict[str, Any]) -> WaivedRecord:
    origin = found["origin"]
    return WaivedRecord(
        id=found["id"],
        risk=found["risk"],
        reason=found["reason"],
        carrier=found["carrier"],
        **_place(found),
        origin_file=origin["file"],
        origin_line=origin["line"] or None,
        grade=Grade(found["grade"]) if "grade" in found else None,
        severity=Severity(found["severity"]),
        message=found.get("message"),
    )


def _refused(found: dict[str, Any]) -> RefusedRecord:
    return RefusedRecord(line=found["line"] or None, **_some(found, "file", "edits", "reason", "advice"))


def _file(change: FileChange) -> FileRecord:
    file, content = change.file, change.file.content
    mark = "\ufeff" if content.bom else ""
    before = None if file.is_new else mark + content.text
    return FileRecord(
        name=file.name, path=file.path, encoding=content.encoding, before=before, after=mark + change.text
    )


def _some(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: found[name] for name in names}
