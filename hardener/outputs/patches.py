"""RFC 6902 patches, one per document that changes: for kubectl patch --local, kustomize, or a program of yours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hardener.engine.outcome import Outcome
from hardener.outputs.documents import changed, created, elsewhere
from hardener.outputs.json_diff import diff
from hardener.report.redactor import Redactor
from hardener.sources.files import relative
from hardener.tree.core_views import Object

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def files(outcome: Outcome, redactor: Redactor) -> dict[str, bytes | str]:
    """The files, by name: each patch, and ``index.json``, which says what each is for."""
    written: dict[str, bytes | str] = {}
    index = []
    for record in _records(outcome, redactor):
        if "patch" in record:
            patch = record.pop("patch")
            name = _free(_UNSAFE.sub("-", _label(record)).strip("-.") or "document", written)
            written[name] = json.dumps(patch, indent=2, ensure_ascii=False) + "\n"
            record["patchFile"] = name
        index.append(record)
    written["index.json"] = json.dumps(index, indent=2, ensure_ascii=False) + "\n"
    return written


def together(outcome: Outcome, redactor: Redactor) -> str:
    """All of them as one JSON text."""
    lines = [json.dumps(record, ensure_ascii=False) for record in _records(outcome, redactor)]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def missing(outcome: Outcome, redactor: Redactor) -> list[str]:
    """What changes and has no patch: no document, or one that would show a secret."""
    found = list(dict.fromkeys(elsewhere(outcome)))
    hidden = [one.name for one in changed(outcome) if redactor.masks(_text(diff(one.old, one.new)))]
    return [*found, *(f"{name}: its patch would show a secret" for name in hidden)]


def _records(outcome: Outcome, redactor: Redactor) -> Iterator[dict[str, Any]]:
    root = outcome.tree.root
    for one in changed(outcome):
        document = one.piece.file.pieces.index(one.piece)
        record = {"file": relative(one.piece.file.path, root), "line": one.piece.line + 1, **_object(one.item)}
        patch = diff(one.old, one.new)
        if redactor.masks(_text(patch)):
            yield record | {"document": document, "masked": True}
        else:
            yield record | {"document": document, "patch": patch}
    for item in created(outcome):
        patch = [{"op": "add", "path": "", "value": item.data}]
        yield {"file": relative(item.piece.file.path, root), "new": True, **_object(item), "patch": patch}


def _text(patch: object) -> str:
    return json.dumps(patch, ensure_ascii=False)


def _object(item: Object | None) -> dict[str, Any]:
    if item is None:
        return {"object": None}
    names = {"apiVersion": item.api_version, "kind": item.kind, "namespace": item.namespace, "name": item.name}
    return {"object": names}


def _label(record: dict[str, Any]) -> str:
    item = record["object"]
    if item is None:
        return str(record["file"])
    return "-".join(filter(None, (item["kind"].lower(), item["namespace"], item["name"])))


def _free(name: str, taken: dict[str, bytes | str]) -> str:
    number, found = 1, f"{name}.json"
    while found in taken or found == "index.json":
        number += 1
        found = f"{name}-{number}.json"
    return found
