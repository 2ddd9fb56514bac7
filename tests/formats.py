"""What the tests of the report formats share: every format of one run of a tree, and readers of what they offer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from hardener.commands import run, write_files
from hardener.report import formats
from hardener.report.context import Context
from hardener.report.redactor import Redactor

from .conftest import corpus_copy, snapshot

FORMATS = formats.NAMES


@dataclass
class Faces:
    """A tree in every format, before and after ``apply``, with its bytes then."""

    folder: Path
    diff: dict[str, str]
    apply: dict[str, str]
    before: dict[str, bytes]
    after: dict[str, bytes]
    summary: dict[str, Any]


def faces_of(folder: Path) -> Faces:
    """Run the profile ``restricted`` on ``folder`` once and write every format of it, then apply and write them again.

    CorpusTree are named from the Git root, which is ``folder`` or stands above it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        before = _bytes(folder)
        tree, plan = run.read(["."], run.Choices(), lambda name: None)
        outcome = plan.run(tree, lambda name: None)
        summary = outcome.summary()
        shown = {name: _written(name, outcome, applied=False) for name in FORMATS}
        write_files.write_files(outcome)
        left = {name: _written(name, outcome, applied=True) for name in FORMATS}
        return Faces(folder, shown, left, before, _bytes(folder), summary)


def _written(name: str, outcome: Any, *, applied: bool) -> str:
    redactor = Redactor()
    run.learn(outcome.tree, redactor)
    run.learn_moved(outcome, redactor)
    parts: list[str] = []
    formats.load(name).write(outcome, Context(redactor=redactor, applied=applied), parts.append)
    return "".join(parts)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {name: content for name, (_, content) in snapshot(folder).items()}


@pytest.fixture(scope="session")
def tree_faces(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Faces]:
    """The formats of a tree of the corpus by name; its files are named below ``tree/``."""
    return cache(lambda name: faces_of(corpus_copy(name, tmp_path_factory.mktemp("faces"))))


# -- what readers do with what is offered


Lines = list[bytes]


def split(content: bytes) -> Lines:
    """Lines with their ends; only a line feed ends one."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]] + [content.rpartition(b"\n")[2]]


def sarif_fixes(text: str) -> dict[str, list[tuple[int, int, int, bytes]]]:
    """The replacements of every different fix by file: first line, last line (exclusive), its column, new text."""
    found: dict[str, dict[tuple[int, int, int, bytes], None]] = {}
    for result in json.loads(text)["runs"][0]["results"]:
        for fix in result.get("fixes", []):
            for change in fix["artifactChanges"]:
                name = unquote_to_bytes(change["artifactLocation"]["uri"]).decode("utf-8", "surrogateescape")
                for replacement in change["replacements"]:
                    region = replacement["deletedRegion"]
                    assert region["startColumn"] == 1
                    new = replacement.get("insertedContent", {"text": ""})["text"].encode()
                    row = (region["startLine"], region["endLine"], region["endColumn"], new)
                    found.setdefault(name, {})[row] = None
    return {name: sorted(rows) for name, rows in found.items()}


def with_sarif_fixes(content: bytes, rows: Iterable[tuple[int, int, int, bytes]]) -> bytes:
    """``content`` with the replacements made, from the last to the first."""
    bom = content[:3] if content.startswith(b"\xef\xbb\xbf") else b""
    lines = split(content[len(bom) :])
    for first, last, column, new in sorted(rows, reverse=True):
        kept = lines[last - 1] if last <= len(lines) else b""
        kept = kept.decode()[column - 1 :].encode()
        lines[first - 1 : last] = [new + kept]
    return bom + b"".join(lines)


def suggestions(text: str) -> dict[str, list[tuple[int, int, bytes]]]:
    """The suggestions of a report in rdjson by file: first line, last line (inclusive), new text."""
    found: dict[str, list[tuple[int, int, bytes]]] = {}
    for diagnostic in json.loads(text)["diagnostics"]:
        for one in diagnostic.get("suggestions", []):
            assert one["range"] == diagnostic["location"]["range"], "hosts leave such a suggestion out"
            lines = one["range"]["start"]["line"], one["range"]["end"]["line"]
            found.setdefault(diagnostic["location"]["path"], []).append((*lines, one["text"].encode()))
    return {name: sorted(rows) for name, rows in found.items()}


def with_suggestions(content: bytes, rows: Iterable[tuple[int, int, bytes]]) -> bytes:
    """``content`` with whole lines replaced; the end of the last one stays."""
    lines = split(content)
    for first, last, new in sorted(rows, reverse=True):
        old = lines[last - 1]
        end = old[len(old.rstrip(b"\r\n")) :]
        lines[first - 1 : last] = [new + end]
    return b"".join(lines)
