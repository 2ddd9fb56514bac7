"""``findings.txt`` of a golden case: one line for each record of a run, sorted as text.

A record names its place by file, object and path, as the report does, and by no line: a line number moves with whatever
comes in above it, and a reviewer would read a difference where nothing happened. A line number stands only where there
is no object (a refusal, a file that is not read, a comment outside of all objects), or nothing but lines in it (a
script).
``Role/web#2`` is the second object of its file with this kind and name. ``Namespace/shop at Deployment/web spec`` is
about the Namespace, and its place is in the Deployment.
"""

from __future__ import annotations

import os
from collections import Counter

from hardener.engine.outcome import Outcome, Report
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, dotted
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree


def records(outcome: Outcome) -> str:
    """All that ``outcome`` holds, as the text of ``findings.txt``."""
    places = _Places(outcome.tree)
    lines = []
    for change in outcome.changes:
        what = f"applied {change.transform.id} {change.edit.grade} {change.edit.basis}"
        because = "; ".join(fact.text for fact in change.evidence)
        lines.append(_line(what, places.of(change.object, change.path), because))
    for held in outcome.held:
        first = held.changes[0]
        because = "; ".join(dict.fromkeys(fact.text for change in held.changes for fact in change.edit.evidence))
        lines.append(_line(f"held {held.transform.id} {held.grade}", places.of(first.object, first.path), because))
    for waived in outcome.waived:
        if waived.finding is not None:
            place = places.of_finding(waived.finding)
        else:
            place = places.of(waived.changes[0].object, waived.changes[0].path)
        lines.append(_line(f"waived {waived.transform.id} {waived.carrier}", place, waived.reason))
    for finding in outcome.findings:
        what = f"finding {finding.id} {finding.severity}"
        lines.append(_line(what, places.of_finding(finding), f"{finding.message}: {finding.advice}"))
    for item in outcome.refused:
        what = f"refused {item.step}" if item.cannot_write else "refused"
        lines.append(_line(what, f"{item.file}:{item.line} {item.edits} edits", item.reason))
    return "".join(sorted(lines))


def _line(what: str, place: str, why: str) -> str:
    return f"{what} {place}: {why}\n" if why else f"{what} {place}\n"


class _Places:
    """How the records of a run name places in its files."""

    def __init__(self, tree: Tree) -> None:
        self._objects: dict[tuple[Piece, Path], Object] = {}
        self._numbers: dict[tuple[Piece, Path], int] = {}
        namesakes: Counter[tuple[str, str]] = Counter()
        for item in tree.everything:
            namesakes[item.piece.file.name, str(item)] += 1
            self._objects[item.piece, item.path] = item
            self._numbers[item.piece, item.path] = namesakes[item.piece.file.name, str(item)]

    def of(self, item: Object, path: Path) -> str:
        """The file, the object and ``path`` in it."""
        return _joined(item.piece.file.name, self._name(item), dotted(path[1:]))

    def of_finding(self, finding: Report) -> str:
        """The same of a finding, which may stand in another document than its object."""
        item, piece, path = finding.object, finding.piece, finding.path
        if item is None:
            return f"{finding.file}:{finding.line}"
        if piece is None or piece is item.piece:
            return self.of(item, path)
        other = self._at(piece, path)
        if other is not None and str(other) == str(item):  # a patch is called like what it patches
            return self.of(other, path)
        there = _joined(self._name(other) if other is not None else "", dotted(path[1:]))
        return _joined(finding.file, self._name(item), f"at {there}")

    def _at(self, piece: Piece, path: Path) -> Object | None:
        starts = ((piece, path[:length]) for length in range(1, len(path) + 1))
        return next((self._objects[start] for start in starts if start in self._objects), None)

    def _name(self, item: Object) -> str:
        if str(item) == os.path.basename(item.piece.file.name):  # it has no name but that of its file
            return ""
        number = self._numbers.get((item.piece, item.path), 1)
        return str(item) if number == 1 else f"{item}#{number}"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
