"""All changed documents proved, in several processes when there are many, and put together to files."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain
from sys import intern

from hardener.authoring.edits import Create, Evidence, Set, Severity
from hardener.engine.document import document
from hardener.engine.enforced_levels import drop_advice, resting_on
from hardener.engine.index_shifts import as_read, shifts
from hardener.engine.kubernetes_guard import self_check
from hardener.engine.outcome import MISSING, Change, FileChange, Outcome, Refused, Report, Waived
from hardener.engine.proof import Located, Proof, prove, unpacked
from hardener.engine.rollback import Doomed, roll_back
from hardener.engine.text_checks import UnfitHunkError, is_same_text, patched_parts
from hardener.sources import yaml
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.yaml import text_templates
from hardener.sources.yaml.text_templates import TextTemplates
from hardener.support import forked_work
from hardener.support.data_path import Path
from hardener.support.free_memory import give_back

POOL_FROM = 500  # pieces: below that, starting processes costs more than it saves

Place = tuple[Report | Change | Waived | None, Path]
Job = tuple[Piece, list[Change], list[Place]]

_PLACED = Proof(is_placed=True)  # of most pieces: no report needs a line of them but those of their changes

_ADVICE = "make this change by hand, or simplify the YAML around it"
_OURS = "changes to this file were left out, all others were made"


def assemble(outcome: Outcome, progress: Callable[[str], object] = lambda name: None, *, forks: bool = True) -> None:
    """Rewrite every changed piece. Fills ``outcome.files`` and the lines of all records; a piece whose text cannot be
    proved keeps its bytes, and its changes move from ``changes`` to ``refused``, with the rest of their steps.
    ``forks``: whether it may start processes."""
    jobs, proofs, files = _whole(outcome, progress, forks)
    for change in outcome.not_made:
        if not isinstance(change.edit, Create):
            change.path = as_read(change.path, change.step, shifts(change.object.piece))
    refused: set[Piece] = set()
    for job, proof in zip(jobs, proofs, strict=True):
        piece, changes, _ = job
        _note_lines(outcome, job, proof)
        if proof.is_placed and not proof.refusal:
            outcome.findings += files[piece.file].stale.get(piece, ())
        elif proof.refusal or changes:  # steps that cancel each other out leave nothing to report
            refused.add(piece)
        if proof.refusal:
            drop_advice(outcome, changes)
            _refuse(outcome, piece, len(changes), *proof.refusal, proof.ours)
    outcome.files += [file.change() for file in files.values() if file.ids]
    if refused:
        outcome.changes = [change for change in outcome.changes if change.object.piece not in refused]
    if len(jobs) >= POOL_FROM:
        give_back()  # the report needs some


def _note_lines(outcome: Outcome, job: Job, proof: Proof) -> None:
    """Write the lines that were found to the records that asked for them."""
    piece, _, places = job
    for (record, path), line in zip(places, proof.places, strict=True):
        if record is None:
            outcome.lines[piece, path] = piece.line + line
        else:
            record.line = piece.line + line


def _refuse(outcome: Outcome, piece: Piece, edits: int, reason: str, line: int, ours: bool) -> None:
    advice = _OURS if ours else _ADVICE
    outcome.refused.append(Refused(piece.file.name, piece.line + line, _said(reason, ours), advice, edits))


def _whole(
    outcome: Outcome, progress: Callable[[str], object], forks: bool
) -> tuple[list[Job], list[Proof], dict[ManifestFile, _File]]:
    """The proofs of all pieces, and the files that they come to. A step that one of its pieces cannot be written with
    is rolled back in the others, which are proved anew."""
    while True:
        jobs = _collect(outcome)
        proofs, files = _placed(jobs, progress, forks)
        torn = _torn(outcome, jobs, proofs)
        if not torn:
            return jobs, proofs, files
        for file in files.values():
            file.take_back()
        roll_back(outcome, {key: Doomed(*each) for key, each in torn.items()})
        self_check(outcome)


def _placed(
    jobs: list[Job], progress: Callable[[str], object], forks: bool
) -> tuple[list[Proof], dict[ManifestFile, _File]]:
    proofs: list[Proof] = []
    files: dict[ManifestFile, _File] = {}
    for (piece, changes, _), proof in zip(jobs, _proofs(jobs, forks), strict=True):
        progress(piece.file.name)
        piece.tree = None  # it is read anew where that is still asked for
        if proof.hunks:
            # What it holds stands in the file now: of thousands of documents it would be in memory twice.
            files.setdefault(piece.file, _File(piece.file)).add(piece, changes, proof)
            proof = Proof(places=proof.places, is_placed=True) if proof.places else _PLACED
        proofs.append(proof)
    wrong = {file.source for file in files.values() if not file.finish()}
    for source in wrong:
        files.pop(source).take_back()
    for number, (piece, _, _) in enumerate(jobs if wrong else ()):
        if proofs[number].is_placed and piece.file in wrong:
            refusal = "the file does not come out as its parts", 1
            proofs[number] = Proof(places=proofs[number].places, refusal=refusal, ours=True)
    return proofs, files


def _torn(outcome: Outcome, jobs: list[Job], proofs: list[Proof]) -> dict[int, tuple[list[Change], str, bool]]:
    """The steps that some of their pieces can be written with, and others cannot, and the labels that rest on such a
    piece: their changes, why, and whether that is a bug of ours."""
    torn: dict[int, tuple[list[Change], str, bool]] = {}
    for (piece, changes, _), proof in zip(jobs, proofs, strict=True):
        if proof.refusal is None:
            continue
        lost = [(change, f"needs {piece.file.name}, too") for change in changes if _is_wider(change)]
        lost += [
            (label, f"rests on {changes[0].object}, which stays as it is") for label in resting_on(outcome, changes)
        ]
        for change, why in lost:
            reason = _said(f"{change.transform.id} {why}: {proof.refusal[0]}", proof.ours)
            torn.setdefault(id(change.siblings), (change.siblings, reason, proof.ours))
    return torn


def _is_wider(change: Change) -> bool:
    """Whether its step changes other documents as well."""
    return any(other.object.piece is not change.object.piece for other in change.siblings)


def _said(reason: str, ours: bool) -> str:
    return f"our bug: {reason}; please report it" if ours else reason


def _collect(outcome: Outcome) -> list[Job]:
    """The pieces that changed or whose lines a report needs, in the order of files and lines."""
    changes: dict[Piece, list[Change]] = {}
    for change in outcome.changes:
        changes.setdefault(change.object.piece, []).append(change)
    places = _places(outcome)
    return [
        (piece, changes.get(piece, []), places.get(piece, []))
        for file in outcome.tree.files
        for piece in file.pieces
        if piece in changes or piece in places
    ]


def _places(outcome: Outcome) -> dict[Piece, list[Place]]:
    """The places whose lines a report needs beside those of the changes that are made."""
    found: dict[Piece, list[Place]] = {}
    unreported = [waived.finding for waived in outcome.waived if waived.finding is not None]
    others = [other for report in outcome.findings for other in report.also]
    records: list[Report | Waived] = [*outcome.findings, *others, *unreported, *outcome.waived]
    for record in records:
        if record.piece is not None and not record.line:
            found.setdefault(record.piece, []).append((record, record.path))
    for change in outcome.not_made:
        if not isinstance(change.edit, Create):
            path = as_read(change.path, change.step, shifts(change.object.piece))
            found.setdefault(change.object.piece, []).append((change, path))
    facts: dict[Piece, dict[Path, None]] = {}  # many changes go by the same one
    for change in chain(outcome.changes, outcome.not_made):
        for fact in change.edit.evidence:
            if fact.piece is not None:
                facts.setdefault(fact.piece, {})[fact.path] = None
    for piece, paths in facts.items():
        found.setdefault(piece, []).extend([(None, path) for path in paths])
    return found


def _proofs(jobs: list[Job], forks: bool) -> Iterator[Proof]:
    templates = None
    if sum([piece.is_new for piece, _, _ in jobs]) > 2:
        templates = text_templates.TextTemplates()
    processes = min(len(os.sched_getaffinity(0)) if forks and hasattr(os, "sched_getaffinity") else 1, 8)
    if len(jobs) < POOL_FROM or processes < 2:
        yield from (_prove(job, templates) for job in jobs)
        return

    yield from forked_work.results(
        lambda number: _prove(jobs[number], templates),
        lambda number, proof: proof.packed(jobs[number][1]),
        lambda number, packed: unpacked(packed, jobs[number][1]),
        len(jobs),
        processes,
    )


def _prove(job: Job, templates: TextTemplates | None) -> Proof:
    piece, changes, places = job
    return prove(piece, changes, [path for _, path in places], templates)


class _File:
    """A file as it is put together from the proofs of its pieces, whose changes get their places in it."""

    def __init__(self, source: ManifestFile) -> None:
        self.source = source
        self.parts: list[str] = []
        self.hunks: list[yaml.Hunk] = []
        self.ids: list[str] = []  # the transforms that changed it, each on its line
        self.lines = array("q")
        self.position = 0
        self.shift = 0  # lines that the file has gained so far
        self.stale: dict[Piece, list[Report]] = {}  # comments that may no longer be true
        self._in_order = True  # whether the lines are
        self._alike = lru_cache(maxsize=1024)(_interned)  # the same few lines are written again and again
        self._moved: list[tuple[Change, Path]] = []  # those that were placed elsewhere, or with a comment that went

    def add(self, piece: Piece, changes: list[Change], proof: Proof) -> None:
        self.parts += (self.source.content.text[self.position : piece.start], proof.text)
        self.position = piece.end
        start, shift = piece.line, self.shift
        for change, located in zip(changes, proof.changes, strict=True):
            self._place(change, located, start, shift)
        ids = sorted([(change.new_line or change.line, change.transform.id) for change in changes])
        self._in_order = self._in_order and not (ids and self.lines and ids[0][0] <= self.lines[-1])
        self.lines.extend([line for line, _ in ids])
        self.ids += [id for _, id in ids]
        for hunk in proof.hunks:
            before, after = self._alike(*hunk.before), self._alike(*hunk.after)
            new = yaml.Hunk(hunk.before_start + start, before, hunk.after_start + start + shift, after)
            self.hunks.append(self._ended(new) if piece.is_new and document(piece).separator.startswith("\n") else new)
        self.shift += sum(len(hunk.after) - len(hunk.before) for hunk in proof.hunks)

    def _place(self, change: Change, located: Located, start: int, shift: int) -> None:
        """Give ``change`` its lines in the file, whose piece begins on line ``start`` and was moved by ``shift``."""
        change.line = start + located.line if located.line else 0
        change.new_line = start + shift + located.new_line if located.new_line else 0
        if located.path is not change.path or located.comment is not None:
            self._moved.append((change, change.path))
            change.path = located.path
        if located.comment is None:
            return
        if not located.new_line and not located.stays:
            change.extra += (Evidence(f"the comment {located.comment!r} was removed with its line"),)
        elif located.stays or (isinstance(change.edit, Set) and change.before is not MISSING):
            piece = change.object.piece
            stale = Report(
                "stale-comment", change.transform.risk, Severity.LOW,
                f"the comment {located.comment!r} may no longer be true", "read it and correct it",
                piece.file.name, change.object, piece, located.path, change.line,
            )  # fmt: skip
            self.stale.setdefault(piece, []).append(stale)

    def take_back(self) -> None:
        """Have the changes say again where they act, for a proof anew."""
        for change, path in self._moved:
            change.path, change.extra = path, ()

    def change(self) -> FileChange:
        """It as a record of the outcome."""
        if self._in_order:
            return FileChange(self.source, None, self.hunks, self.ids, self.lines)
        return FileChange.of(self.source, None, self.hunks, zip(self.lines, self.ids, strict=True))

    def finish(self) -> bool:
        """Whether the text that comes out is the one of before with the hunks, and nothing else."""
        content = self.source.content
        self.parts.append(content.text[self.position :])
        try:
            return is_same_text(self.parts, patched_parts(content.text, self.hunks, content.line_starts))
        except UnfitHunkError:
            return False
        finally:
            self.parts.clear()

    def _ended(self, hunk: yaml.Hunk) -> yaml.Hunk:
        """``hunk``, which stands behind a last line that has no end, with that line; it gets one."""
        number = hunk.before_start - 1
        before, after = [self.source.content.text.rpartition("\n")[2]], hunk.after_start - 1
        lines = before
        if self.hunks and self.hunks[-1].before_start + len(self.hunks[-1].before) > number:
            last = self.hunks.pop()
            number, before, after, lines = last.before_start, last.before, last.after_start, last.after or [""]
        end = "\r\n" if hunk.after and hunk.after[-1].endswith("\r\n") else "\n"
        return yaml.Hunk(number, before, after, [*lines[:-1], lines[-1] + end, *hunk.after])


def _interned(*lines: str) -> list[str]:
    return [intern(line) for line in lines]
