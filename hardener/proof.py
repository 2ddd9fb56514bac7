"""From decided data to text, proved: replayed on a fresh parse, parsed again, and every changed line accounted for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from hardener.edits import Append, Drop, Evidence, Path, Set, Severity, replay
from hardener.outcome import MISSING, Change, FileChange, Outcome, Refused, Report
from hardener.shifts import Removal, as_read, as_written, removals
from hardener.sources import yaml
from hardener.sources.manifests import ManifestFile, Piece

Place = tuple[Report | Change | None, Path]
Places = dict[Piece, list[Place]]

_ADVICE = "make this change by hand, or simplify the YAML around it"
_BARE = re.compile(r"^[\s-]*|[\s,]*$")


def prove(outcome: Outcome, progress: Callable[[str], object] = lambda name: None) -> None:
    """Rewrite every changed piece. Fills ``outcome.files`` and the lines of all records; a piece whose text cannot be
    proved keeps its bytes, and its changes move from ``changes`` to ``refused``."""
    by_piece: dict[Piece, list[Change]] = {}
    for change in outcome.changes:
        by_piece.setdefault(change.object.piece, []).append(change)
    refused: set[Piece] = set()
    places = _places(outcome)
    for file in outcome.workspace.files:
        if any(piece.steps for piece in file.pieces):
            progress(file.name)
            _prove_file(outcome, file, by_piece, refused, places)
    for piece, waiting in places.items():
        _locate(outcome, piece, waiting, yaml.parse(piece.text))
    if refused:
        outcome.changes = [change for change in outcome.changes if change.object.piece not in refused]


def _prove_file(
    outcome: Outcome, file: ManifestFile, by_piece: dict[Piece, list[Change]], refused: set[Piece], places: Places
) -> None:
    parts: list[str] = []
    hunks: list[yaml.Hunk] = []
    ids: list[tuple[int, str]] = []
    position = shift = 0
    for piece in file.pieces:
        if not piece.steps:
            continue
        changes = by_piece.get(piece, [])
        try:
            rewrite = _rewrite(piece, changes, piece.line, piece.line + shift, outcome)
        except yaml.Refused as error:
            refused.add(piece)
            line = piece.line + (error.line or 1)
            outcome.refused.append(Refused(file.name, line, error.reason, _ADVICE, len(changes)))
            continue
        _locate(outcome, piece, places.pop(piece, []), rewrite.before)
        if not rewrite.hunks:
            continue
        parts += (file.content.text[position : piece.start], rewrite.text)
        position = piece.end
        for hunk in rewrite.hunks:
            start = hunk.before_start + piece.line
            hunks.append(yaml.Hunk(start, hunk.before, hunk.after_start + piece.line + shift, hunk.after))
        shift += sum(len(hunk.after) - len(hunk.before) for hunk in rewrite.hunks)
        ids += ((change.new_line or change.line, change.transform.id) for change in changes)
    if hunks:
        parts.append(file.content.text[position:])
        outcome.files.append(FileChange(file, "".join(parts), hunks, sorted(ids)))


def _rewrite(piece: Piece, changes: list[Change], line_before: int, line_after: int, outcome: Outcome) -> yaml.Rewrite:
    def mutate(documents: list[Any]) -> None:
        for step in piece.steps:
            replay(documents, step)

    rewrite = yaml.rewrite(piece.text, mutate)
    if not yaml.same(rewrite.after.documents, piece.data):
        raise yaml.Refused("the text does not come out as it was decided", 1)
    removed = removals(piece)
    owned_before: set[int] = set()
    owned_after: set[int] = set()
    for change in changes:
        _account(change, rewrite, removed, owned_before, owned_after)
    stray = stray_line(rewrite.hunks, owned_before, owned_after)
    if stray:
        raise yaml.Refused("a line would change that no edit asked for", stray)
    for change in changes:
        _locate_change(change, rewrite, removed, line_before, line_after, outcome)
    return rewrite


def _account(change: Change, rewrite: yaml.Rewrite, removed: list[Removal], before: set[int], after: set[int]) -> None:
    """Add the lines that ``change`` may touch: those of its own entry, and of the parent that it opens or closes."""
    old, new = rewrite.before, rewrite.after
    edit = change.edit
    target = edit.path if not isinstance(edit, Append) else change.path
    read = as_read(target, change.step, removed)
    present = 1 + old.depth(int(read[0]), read[1:])
    written = as_written(target, change.step, removed)
    if isinstance(edit, Drop) or present == len(read):
        _own(before, old, read)
    if not isinstance(edit, Drop) and written is not None:
        _own(after, new, written[: present + 1] if present < len(read) else written)
    # The parent's own line: `{}`, null and `[]` are opened there, a flow collection is edited there.
    for parsed, path, lines in ((old, read, before), (new, written, after)):
        parent = path[: min(present, len(path) - 1)] if path else None
        if parent:
            lines.add(parsed.line(int(parent[0]), parent[1:]))
            first = parsed.value_line(int(parent[0]), parent[1:])
            if first is not None and first == parsed.end_line(int(parent[0]), parent[1:]):
                lines.add(first)


def _own(lines: set[int], parsed: yaml.Parsed, path: Path) -> None:
    document, rest = int(path[0]), path[1:]
    lines.update(range(parsed.line(document, rest), parsed.end_line(document, rest) + 1))


def stray_line(hunks: Iterable[yaml.Hunk], before: set[int], after: set[int]) -> int | None:
    """The first changed line that is in neither set, None when all are accounted for.

    A line that only lost or gained a comma, a dash or blanks (JSON punctuation, the first key of an item) is fine.
    """
    for hunk in hunks:
        old = Counter(_BARE.sub("", line) for line in hunk.before)
        new = Counter(_BARE.sub("", line) for line in hunk.after)
        for number, line in enumerate(hunk.before, hunk.before_start):
            if number not in before and not new[_BARE.sub("", line)]:
                return number
        for number, line in enumerate(hunk.after, hunk.after_start):
            if number not in after and not old[_BARE.sub("", line)]:
                return hunk.before_start
    return None


def _locate_change(
    change: Change, rewrite: yaml.Rewrite, removed: list[Removal], before: int, after: int, outcome: Outcome
) -> None:
    edit = change.edit
    read = as_read(change.path, change.step, removed)
    written = as_written(change.path, change.step, removed)
    change.line = before + rewrite.before.line(int(read[0]), read[1:])
    comment = None
    if not isinstance(edit, Append):  # the place of something absent has no comment
        comment = rewrite.before.comment(int(read[0]), read[1:])
    if isinstance(edit, Drop) or written is None:
        change.path = read
        if comment:
            change.extra += (Evidence(f"the comment {comment!r} went with its line"),)
        return
    change.new_line = after + rewrite.after.line(int(written[0]), written[1:])
    change.path = read if change.before is not MISSING else written
    if comment and isinstance(edit, Set) and change.before is not MISSING:
        outcome.findings.append(
            Report(
                "stale-comment",
                change.transform.risk,
                Severity.LOW,
                f"the comment {comment!r} may no longer be true",
                "read it and correct it",
                change.object.piece.file.name,
                change.object,
                change.object.piece,
                read,
                change.line,
            )
        )


def _places(outcome: Outcome) -> Places:
    """Every place whose line a report needs, by piece: with its finding or change, or None for evidence."""
    places: Places = {}
    for finding in outcome.findings:
        if finding.piece is not None and not finding.line:
            places.setdefault(finding.piece, []).append((finding, finding.path))
    for held in outcome.held:
        for change in held.changes:
            change.path = as_read(change.path, change.step, removals(change.object.piece))
            places.setdefault(change.object.piece, []).append((change, change.path))
    for change in [*outcome.changes, *(change for held in outcome.held for change in held.changes)]:
        for fact in change.edit.evidence:
            if fact.piece is not None:
                places.setdefault(fact.piece, []).append((None, fact.path))
    return places


def _locate(outcome: Outcome, piece: Piece, places: list[Place], parsed: yaml.Parsed) -> None:
    """Fill in the lines of ``places``. That of something absent is the line of its nearest parent."""
    for record, path in places:
        line = piece.line + parsed.line(int(path[0]), path[1:]) if path else piece.line + 1
        if record is None:
            outcome.lines[piece, path] = line
        else:
            record.line = line
