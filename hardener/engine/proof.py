"""One document from decided data to text, proved: replayed, written, read again, every changed line accounted for.

What comes out is plain data, so that it can be made in another process.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from hardener.authoring.edits import Append, Drop, Insert, Set, replay
from hardener.engine.document import Steps, document, steps_of
from hardener.engine.index_shifts import as_inserted, as_read, as_written, shifts
from hardener.engine.outcome import MISSING, Change
from hardener.sources import yaml
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.support.fast_dataclass import dataclass

if TYPE_CHECKING:
    from hardener.sources import terraform
    from hardener.sources.manifests import Parsed
    from hardener.sources.python.rewrite import Rewrite

_BARE = re.compile(r"^[\s-]*|[\s,]*$")
_BEFORE, _AFTER = attrgetter("before"), attrgetter("after")
_PUNCTUATION = re.compile(r"[\s{}\[\],]*")


@dataclass(slots=True)
class Located:
    """Where a change stands: lines in the piece as read and as written (0: gone), its path, and the end-of-line
    comment of the line as read when that line changed or went; ``stays`` tells that another key took its place before
    that comment."""

    line: int
    new_line: int
    path: Path
    comment: str | None
    stays: bool = False


@dataclass(slots=True)
class Proof:
    """The new text of a piece, with the lines of its changes and of the ``places`` asked for; or why there is none."""

    text: str = ""
    hunks: list[yaml.Hunk] = field(default_factory=list)
    changes: list[Located] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    refusal: tuple[str, int] | None = None


def prove(piece: Piece, changes: list[Change], places: list[Path]) -> Proof:
    """Write the steps of ``piece`` as text and prove it. Lines count from 1 within the piece."""

    def mutate(documents: list[Any]) -> None:
        for step in steps_of(piece):
            replay(documents, step)

    if piece.is_new:
        return _created(piece, changes, places)
    if not steps_of(piece):
        parsed = piece.read()
        return Proof(places=[_line(parsed, path) for path in places])
    if piece.language == "terraform":
        return _terraform(piece, mutate, changes, places)
    if piece.language == "python":
        return _program(piece, changes, places)
    try:
        rewrite = yaml.rewrite(piece.text, mutate, replaced=_replaced(piece))
        if not yaml.same(rewrite.after.documents, piece.data):
            raise yaml.TextError("the text does not come out as it was decided", 1)
        before, after = _Lines(rewrite.before), _Lines(rewrite.after)
        for change in changes:
            _account(change, piece, before, after)
        stray = stray_line(rewrite.hunks, before.owned, after.owned)
        if stray:
            raise yaml.TextError("a line would change that no edit asked for", stray)
    except yaml.TextError as refused:
        parsed = yaml.parse(piece.text)
        return Proof(places=[_line(parsed, path) for path in places], refusal=(refused.reason, refused.line or 1))
    located = [_locate(change, rewrite, piece) for change in changes]
    return Proof(rewrite.text, rewrite.hunks, located, [_line(rewrite.before, path) for path in places])


def _replaced(piece: Piece) -> set[tuple[str, str]]:
    """The keys that a step takes away, each with those that it sets beside it: `value` and `valueFrom`."""
    found: set[tuple[str, str]] = set()
    for step in steps_of(piece):
        gone = {edit.path for edit in step if isinstance(edit, Drop) and isinstance(edit.path[-1], str)}
        if not gone:
            continue
        for edit in step:
            if isinstance(edit, Set) and edit.path not in gone:
                found |= {(str(path[-1]), str(edit.path[-1])) for path in gone if path[:-1] == edit.path[:-1]}
    return found


def _terraform(piece: Piece, mutate: Callable[[list[Any]], None], changes: list[Change], places: list[Path]) -> Proof:
    """A block of Terraform: its engine reads again what it wrote, and keeps every comment and all between its edits."""
    from hardener.sources import terraform  # late: it needs an extra

    try:
        rewrite = terraform.rewrite(piece.text, mutate)
        if not yaml.same(rewrite.after.documents, piece.data):
            raise yaml.TextError("the text does not come out as it was decided", 1)
    except yaml.TextError as refused:
        parsed = piece.read()
        return Proof(places=[_line(parsed, path) for path in places], refusal=(refused.reason, refused.line or 1))
    located = [_locate(change, rewrite, piece) for change in changes]
    return Proof(rewrite.text, rewrite.hunks, located, [_line(rewrite.before, path) for path in places])


def _program(piece: Piece, changes: list[Change], places: list[Path]) -> Proof:
    """A Python file: its engine reads again what it wrote, and keeps every comment and all between its edits."""
    try:
        rewrite = written(piece, steps_of(piece))
    except yaml.TextError as refused:
        parsed = piece.read()
        return Proof(places=[_line(parsed, path) for path in places], refusal=(refused.reason, refused.line or 1))
    located = [_locate(change, rewrite, piece) for change in changes]
    return Proof(rewrite.text, rewrite.hunks, located, [_line(rewrite.before, path) for path in places])


def written(piece: Piece, steps: Steps) -> Rewrite:
    """The Python file ``piece`` after ``steps``, remembered. Raises TextError where it cannot be written,
    and what ``replay`` raises."""
    from hardener.sources.python.rewrite import rewrite  # late: few trees hold any

    own = document(piece)
    if own.written is None or own.written[0] != list(steps):

        def mutate(documents: list[Any]) -> None:
            for step in steps:
                replay(documents, step)

        found = rewrite(piece.text, mutate, piece.file.program)
        content = piece.file.content
        try:
            content.encoded(found.text)
        except UnicodeEncodeError:
            raise yaml.TextError(f"its encoding, {content.encoding}, has not every character", 1) from None
        own.written = list(steps), found
    return own.written[1]


def _created_block(piece: Piece, changes: list[Change], places: list[Path]) -> Proof:
    """The text of a new block of Terraform, behind a blank line."""
    from hardener.sources import terraform

    newline = "\r\n" if piece.file.content.text.partition("\n")[0].endswith("\r") else "\n"
    try:
        body = terraform.dump(piece.data[0], newline)
    except yaml.TextError as refused:
        return Proof(places=[1] * len(places), refusal=(refused.reason, 1))
    text = (newline if document(piece).separator else "") + newline + body
    hunk = yaml.Hunk(1, [], 1, [newline, *body.splitlines(keepends=True)])
    return Proof(text, [hunk], [Located(0, 2, (0,), None) for _ in changes], [2] * len(places))


def _created(piece: Piece, changes: list[Change], places: list[Path]) -> Proof:
    """The text of a new document, read back."""
    if piece.language == "terraform":
        return _created_block(piece, changes, places)
    own = document(piece)
    body = own.raw or yaml.dump(piece.data[0])
    text = own.separator + body
    if piece.file.content.text.partition("\n")[0].endswith("\r"):
        text = text.replace("\n", "\r\n")
    if not own.raw and not yaml.same(yaml.parse(body).documents, piece.data):
        return Proof(places=[1] * len(places), refusal=("the new document does not come out as it was decided", 1))
    # A line end at the start ends the line before, and is no line itself.
    lines = text.removeprefix("\r").removeprefix("\n").splitlines(keepends=True)
    start = len(lines) - body.count("\n") + 1
    hunk = yaml.Hunk(1, [], 1, lines)
    return Proof(text, [hunk], [Located(0, start, (0,), None) for _ in changes], [start] * len(places))


def _line(parsed: Parsed, path: Path) -> int:
    return parsed.line(int(path[0]), path[1:]) if path else 1


class _Lines:
    """The lines of a text that the edits may touch."""

    def __init__(self, parsed: yaml.Parsed) -> None:
        self.parsed = parsed
        self.owned: set[int] = set()
        self._entries: set[Path] = set()
        self._heads: set[Path] = set()

    def own_entry(self, path: Path) -> None:
        """All lines of the key or item at ``path``."""
        if path not in self._entries:
            self._entries.add(path)
            document, rest = int(path[0]), path[1:]
            self.owned.update(range(self.parsed.line(document, rest), self.parsed.end_line(document, rest) + 1))

    def own_head(self, path: Path) -> None:
        """The line of the key at ``path``, that of its value when it has one alone (`{}`, null, `[]` are opened there),
        and that of the bracket which ends a flow collection, before which its last items stand."""
        if path not in self._heads:
            self._heads.add(path)
            document, rest = int(path[0]), path[1:]
            self.owned.add(self.parsed.line(document, rest))
            first = self.parsed.value_line(document, rest)
            if first is not None and first == self.parsed.end_line(document, rest):
                self.owned.add(first)
            end = self.parsed.flow_end(document, rest)
            if end is not None:
                self.owned.add(end)


def _account(change: Change, piece: Piece, before: _Lines, after: _Lines) -> None:
    """Add the lines that ``change`` may touch: those of its own entry, and of the parent that it opens or closes."""
    edit = change.edit
    target = edit.path if not isinstance(edit, Append) else change.path
    shifted = shifts(piece)
    read = as_read(target, change.step, shifted)
    if isinstance(edit, Insert):
        before.own_head(read[:-1])
        if (inserted := as_inserted(edit, change.step, piece)) is not None:
            after.own_entry(inserted)
            after.own_head(inserted[:-1])
        return
    present = 1 + before.parsed.depth(int(read[0]), read[1:])
    written = as_written(target, change.step, shifted)
    if isinstance(edit, Drop) or present == len(read):
        before.own_entry(read)
    before.own_head(read[: min(present, len(read) - 1)])
    if written is not None:
        if not isinstance(edit, Drop):
            after.own_entry(written[: present + 1] if present < len(read) else written)
        after.own_head(written[: min(present, len(written) - 1)])
    elif (parent := as_written(target[:-1], change.step, shifted)) is not None:
        after.own_head(parent)  # the line of a flow list that lost an item


def stray_line(hunks: Iterable[yaml.Hunk], before: set[int], after: set[int]) -> int | None:
    """The first changed line that is in neither set, None when all are accounted for.

    A line that only lost or gained a comma, a dash or blanks is fine (the entry before, the first key of an item), and
    so is one of JSON punctuation alone, or a comment that moved.
    """
    hunks = list(hunks)
    went, came = ({line.strip() for hunk in hunks for line in side(hunk)} for side in (_BEFORE, _AFTER))
    moved = {line for line in went & came if line.startswith("#")}
    for hunk in hunks:
        old = Counter(_BARE.sub("", line) for line in hunk.before)
        new = Counter(_BARE.sub("", line) for line in hunk.after)
        for number, line in enumerate(hunk.before, hunk.before_start):
            if number not in before and not new[_BARE.sub("", line)] and not _is_fine(line, moved):
                return number
        for number, line in enumerate(hunk.after, hunk.after_start):
            if number not in after and not old[_BARE.sub("", line)] and not _is_fine(line, moved):
                return hunk.before_start
    return None


def _is_fine(line: str, moved: set[str]) -> bool:
    return _PUNCTUATION.fullmatch(line) is not None or line.strip() in moved


def _locate(change: Change, rewrite: yaml.Rewrite | terraform.Rewrite | Rewrite, piece: Piece) -> Located:
    edit, shifted = change.edit, shifts(piece)
    read = as_read(change.path, change.step, shifted)
    written = as_written(change.path, change.step, shifted)
    if isinstance(edit, Insert):
        written = as_inserted(edit, change.step, piece)
    line = rewrite.before.line(int(read[0]), read[1:])
    # The place of something absent has no comment.
    comment = None if isinstance(edit, Append | Insert) else rewrite.before.comment(int(read[0]), read[1:])
    if isinstance(edit, Drop) or written is None:
        stays = comment is not None and rewrite.text.count(comment) >= piece.text.count(comment)
        return Located(line, 0, read, comment, stays)
    new_line = rewrite.after.line(int(written[0]), written[1:])
    return Located(line, new_line, read if change.before is not MISSING else written, comment)
