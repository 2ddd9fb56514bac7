"""JSON reports of many pipelines as one: what each says of its repository, each point once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Grade, Severity
from hardener.errors import InputError
from hardener.report.repositories.points import Overview, Repository, Row
from hardener.sources.git.checkout import shown

# The lists of a report, and what a record of each is called.
_LISTS = {"changes": "pending", "held": "held", "findings": "finding", "waived": "waived"}


class Report(Struct, frozen=True):
    """What a report says of its repository."""

    repository: Repository
    rows: list[Row]


def read(name: str, text: str) -> Report:
    """Return what the JSON report ``text``, which is called ``name``, holds. Raises InputError where it is none."""
    try:
        report = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{name}: is no JSON") from None
    if not isinstance(report, dict) or report.get("version") != 1 or not isinstance(report.get("summary"), dict):
        raise InputError(f"{name}: is no JSON report of harden: write one with --format json")
    try:
        repository = _repository(name, report)
        return Report(repository, list(rows_of(name, report)))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InputError(f"{name}: a record of this report is not as its schema says") from None


def merged(reports: Iterable[Report]) -> Overview:
    """Return what ``reports`` hold together, each concern of a repository once. Of a repository with reports of several
    commits those of the commit that comes last count."""
    repositories: dict[str, Repository] = {}
    found: dict[tuple[str, str], Row] = {}
    for report in reports:
        repositories[report.repository.name] = report.repository
        found |= {(row.repository, row.fingerprint): row for row in report.rows}
    kept = [row for row in found.values() if row.commit == repositories[row.repository].commit]
    ordered = sorted(kept, key=lambda row: (row.repository, row.file, row.object, row.rule, row.fingerprint))
    return Overview(ordered, sorted(repositories.values(), key=lambda each: each.name))


def _repository(name: str, report: Mapping[str, Any]) -> Repository:
    origin = report.get("repository") or {}  # a report of an earlier release has none
    address, commit = origin.get("address"), origin.get("commit")
    called = shown(_text(address)) if address else name
    return Repository(called, None if commit is None else _text(commit))


def rows_of(name: str, report: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of the JSON report ``report``, which is called ``name``: one for all edits of a rule in an object.
    Raises KeyError, TypeError, AttributeError or ValueError where a record is not as its schema says."""
    repository = _repository(name, report)
    seen: set[tuple[str, ...]] = set()
    for key, state in _LISTS.items():
        for record in report[key]:
            item = record["object"]
            about = "" if item is None else f"{item['kind']}/{item['namespace'] or ''}/{item['name'] or ''}"
            concern = (_text(record["id"]), _text(record["file"]), about, record.get("message") or "")
            if (*concern, state) in seen:  # one row for all edits of a rule in an object
                continue
            seen.add((*concern, state))
            grade = None if record.get("grade") is None else str(Grade(record["grade"]))
            # Not the state: what is held back today may be pending tomorrow. Beside each other they are two.
            digest = hashlib.sha256("\0".join([*concern, *([grade] if grade else [])]).encode("utf-8", "replace"))
            yield Row(
                repository.name, repository.commit, concern[1], about, concern[0], state, grade,
                str(Severity(record["severity"])), digest.hexdigest()[:32],
            )  # fmt: skip


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
