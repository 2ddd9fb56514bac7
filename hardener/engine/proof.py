"""One document from decided data to text, proved: replayed, written, read again, every changed line accounted for.

What comes out is plain data, so that it can be made in another process.
"""

from __future__ import annotations

import marshal
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Literal

from msgspec import Struct, field

from hardener.authoring.edits import Append, Drop, Edit, Insert, Set, copied, replay
from hardener.engine.document import Steps, applied_steps, document
from hardener.engine.index_shifts import Shift, as_inserted, as_read, as_written, shifts
from hardener.engine.outcome import MISSING, Change
from hardener.engine.text_checks import lost_comment, other_form, patched
from hardener.sources import yaml
from hardener.sources.manifests import Piece
from hardener.sources.source import Owned, Parsed, Plan, Touch, UnprovedError, Written
from hardener.sources.yaml.text_templates import TextTemplates
from hardener.support.data_path import Path, dotted, existing

_BEFORE, _AFTER = attrgetter("before"), attrgetter("after")
_PUNCTUATION = re.compile(r"[\s{}\[\],]*")


class Located(Struct):
    """Where a change stands: lines in the piece as read and as written (0: gone), its path, and the end-of-line
    comment of the line as read when that line changed or went; ``stays`` tells that another key took its place before
    that comment."""

    line: int
    new_line: int
    path: Path
    comment: str | None
    stays: bool = False


class Proof(Struct):
    """The new text of a piece, with the lines of its changes and of the ``places`` asked for; or why there is none.

    ``ours``: there is none since it would be wrong, and not since it cannot be written. ``is_placed``: the text has
    become a part of its file, and is no longer here.
    """

    text: str = ""
    hunks: list[yaml.Hunk] = field(default_factory=list)
    changes: list[Located] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    refusal: tuple[str, int] | None = None
    ours: bool = False
    is_placed: bool = False

    def packed(self, changes: list[Change]) -> bytes:
        """It as ``unpacked`` takes it, for another process, which has the ``changes``, too; that costs a third of a
        pickle."""
        hunks = [(hunk.before_start, hunk.before, hunk.after_start, hunk.after) for hunk in self.hunks]
        located = [
            (at.line, at.new_line, None if at.path == change.path else at.path, at.comment, at.stays)
            for at, change in zip(self.changes, changes, strict=False)  # none where there is no proof
        ]
        return marshal.dumps((self.text, hunks, located, self.places, self.refusal, self.ours))


def unpacked(packed: bytes, changes: list[Change]) -> Proof:
    """What ``packed`` made bytes of."""
    text, hunks, located, places, refusal, ours = marshal.loads(packed)
    at = [
        Located(line, new_line, change.path if path is None else path, comment, stays)
        for (line, new_line, path, comment, stays), change in zip(located, changes, strict=False)
    ]
    return Proof(text, [yaml.Hunk(*each) for each in hunks], at, places, refusal, ours)


def prove(piece: Piece, changes: list[Change], places: list[Path], templates: TextTemplates | None = None) -> Proof:
    """Write the steps of ``piece`` as text and prove it. Lines count from 1 within the piece. ``templates`` are those
    of new documents that were proved before."""
    if piece.is_new:
        return _created(piece, changes, places, templates)
    if not applied_steps(piece) and not changes:
        parsed = piece.read()
        return Proof(places=_lines_of(piece, parsed, places))
    ours = False
    try:
        rewrite = _rewritten(piece)
        result = _result(piece, changes, rewrite)
        fault = _fault(result)
        if fault is None:
            return Proof(rewrite.text, rewrite.hunks, _located(result), _lines_of(piece, rewrite.before, places))
        ours = True
    except yaml.TextError as refused:
        fault = refused.reason, refused.line or 1
    parsed = piece.read()
    return Proof(places=_lines_of(piece, parsed, places), refusal=fault, ours=ours)


def _lines_of(piece: Piece, parsed: Parsed, places: list[Path]) -> list[int]:
    return [piece.source.line_of(parsed, path) for path in places]


def _rewritten(piece: Piece) -> Written:
    """The text with all steps. Raises TextError where it cannot be written."""
    if piece.source.is_code:
        return written(piece, applied_steps(piece))
    return _write(piece, applied_steps(piece))


def _write(piece: Piece, steps: Steps) -> Written:
    def mutate(documents: list[Any]) -> None:
        for step in steps:
            replay(documents, step)

    touched = [edit.path for step in steps for edit in step]
    return piece.source.rewrite(piece, mutate, Plan(touched, _replaced(steps)))


class Result(Struct):
    """A piece with its changes and its new text, as the writer gave it: what the ``CHECKS`` look at.

    ``read`` is where each change acts in the data as read, ``written`` where in the final data (None: that is gone).
    """

    piece: Piece
    changes: list[Change]
    rewrite: Written
    read: Sequence[Path]
    written: Sequence[Path | None]


def _result(piece: Piece, changes: list[Change], rewrite: Written) -> Result:
    read: list[Path] = [change.path for change in changes]
    written: list[Path | None] = [*read]
    if shifted := shifts(piece):
        for at, change in enumerate(changes):
            path, edit = change.path, change.edit
            read[at] = as_read(path, change.step, shifted)
            if isinstance(edit, Insert):
                written[at] = as_inserted(edit, change.step, piece)
            else:
                written[at] = as_written(path, change.step, shifted)
    return Result(piece, changes, rewrite, read, written)


def _fault(result: Result) -> tuple[str, int] | None:
    """What is wrong with the new text, and where; None where it is what was decided. Whatever it is, it is our bug."""
    for check in CHECKS:
        if (found := check(result)) is not None:
            return found
    return None


def is_read_again(result: Result) -> tuple[str, int] | None:
    """All that follows is seen in the readings: they must be those of the texts."""
    rewrite, text_of = result.rewrite, result.piece.source.text_of
    if text_of(rewrite.before) != result.piece.text or text_of(rewrite.after) != rewrite.text:
        return "the text is not the one that was read again", 1
    return None


def is_what_was_decided(result: Result) -> tuple[str, int] | None:
    """The new text holds the data that the transforms left, type by type."""
    if not result.piece.source.holds(result.rewrite.after, result.piece.data):
        return "the text does not come out as it was decided", 1
    return None


def is_on_record(result: Result) -> tuple[str, int] | None:
    """Every edit has its record, and no record is without its edit."""
    made = [number for number, step in enumerate(applied_steps(result.piece)) for _ in step]
    if sorted(change.step for change in result.changes) != made:
        return "other edits would be written than are reported", 1
    return None


def holds_every_edit(result: Result) -> tuple[str, int] | None:
    """The data are what the edits ask for, as far as no later one changed it again."""
    unmade = _unmade(result)
    if unmade is None:
        return None
    place = dotted(result.changes[unmade].edit.path[1:])
    line = result.piece.source.line_of(result.rewrite.before, result.read[unmade])
    return f"{place} does not come out as it was decided", line


def is_as_reported(result: Result) -> tuple[str, int] | None:
    """The hunks, which the report shows, are all that changed."""
    if patched(result.piece.text, result.rewrite.hunks) != result.rewrite.text:
        return "the text does not come out as it is reported", 1
    return None


def changes_own_lines(result: Result) -> tuple[str, int] | None:
    """Only lines change that an edit asked for, and no comment goes but with a line that went."""
    own = _owned(result)
    stray = stray_line(result.rewrite.hunks, own.before, own.after)
    if stray is not None and own.add_heads is not None:
        own.add_heads()
        stray = stray_line(result.rewrite.hunks, own.before, own.after)
    if stray is not None:
        return "a line would change that no edit asked for", stray
    comments = result.piece.source.comments
    lost = lost_comment(comments(result.rewrite.before), comments(result.rewrite.after), own.gone)
    return ("a comment would be lost", lost) if lost is not None else None


def keeps_form(result: Result) -> tuple[str, int] | None:
    """Line ends, document markers and the byte order mark stay."""
    form = other_form(result.piece.text, result.rewrite.text, result.rewrite.hunks)
    return (form, 1) if form is not None else None


CHECKS = (
    is_read_again,
    is_what_was_decided,
    is_on_record,
    holds_every_edit,
    is_as_reported,
    changes_own_lines,
    keeps_form,
)


def _replaced(steps: Steps) -> set[tuple[str, str]]:
    """The keys that a step takes away, each with those that it sets beside it: `value` and `valueFrom`."""
    found: set[tuple[str, str]] = set()
    for step in steps:
        if len(step) == 1:
            continue  # most are
        gone = {edit.path for edit in step if type(edit) is Drop and isinstance(edit.path[-1], str)}
        if not gone:
            continue
        for edit in step:
            if isinstance(edit, Set) and edit.path not in gone:
                found |= {(str(path[-1]), str(edit.path[-1])) for path in gone if path[:-1] == edit.path[:-1]}
    return found


def written(piece: Piece, steps: Steps) -> Written:
    """The code ``piece`` after ``steps``, remembered. Raises TextError where it cannot be written, and what ``replay``
    raises."""
    own = document(piece)
    if own.written is None or own.written[0] != list(steps):
        own.written = list(steps), _write(piece, steps)
    return own.written[1]


def _created(piece: Piece, changes: list[Change], places: list[Path], templates: TextTemplates | None) -> Proof:
    """The text of a new piece, read back."""
    newline = "\r\n" if _ends_with_return(piece.file.content.text) else "\n"
    own = document(piece)
    try:
        body = own.raw.replace("\n", newline) or piece.source.dump(piece, newline, templates)
    except yaml.TextError as refused:
        ours = isinstance(refused, UnprovedError)
        return Proof(places=[1] * len(places), refusal=(refused.reason, 1), ours=ours)
    text = own.separator.replace("\n", newline) + body
    # A line end at the start of what stands between ends the line before, and is no line itself.
    lines = text.removeprefix(newline if own.separator.startswith("\n") else "").splitlines(keepends=True)
    start = len(lines) - body.removeprefix(newline).count("\n") + 1
    hunk = yaml.Hunk(1, [], 1, lines)
    return Proof(text, [hunk], [Located(0, start, (0,), None) for _ in changes], [start] * len(places))


def _ends_with_return(text: str) -> bool:
    """Whether the first line of ``text`` ends with a carriage return."""
    end = text.find("\n")
    return text.endswith("\r", 0, end if end >= 0 else len(text))


_KINDS: dict[type[Edit], Literal["set", "append", "insert", "drop"]] = {
    Set: "set",
    Append: "append",
    Insert: "insert",
    Drop: "drop",
}


def _owned(result: Result) -> Owned:
    """The lines that the edits may touch."""
    piece, rewrite, shifted = result.piece, result.rewrite, shifts(result.piece)
    touches = [
        Touch(_KINDS[type(change.edit)], change.path, read, written, _now(change.step, shifted))
        for change, read, written in zip(result.changes, result.read, result.written, strict=True)
    ]
    return piece.source.owned(piece, rewrite, touches)


def _now(step: int, shifted: list[Shift]) -> Callable[[Path], Path | None]:
    return partial(as_written, step=step, shifted=shifted) if shifted else _as_it_is


def _as_it_is(path: Path) -> Path:
    return path


_Seen = dict[str | int, "_Seen"]
_MADE: _Seen = {}  # stands for a place that a change made, which nobody looks into


def _unmade(result: Result) -> int | None:
    """The number of the first change that the data do not hold, None when they hold all. What a later one changed again
    is not asked for; of list items that went, their number is."""
    piece, changes = result.piece, result.changes
    later: _Seen = {}
    # Against the order in which ``replay`` makes them: items come and go last.
    order = sorted([(change.step, isinstance(change.edit, _MOVES), at) for at, change in enumerate(changes)])
    beside: dict[Path, tuple[_Seen | None, Any]] = {}  # what was seen, and what is there, at the parents of places
    for _, _, at in reversed(order):
        path = result.written[at]
        if path is None:
            continue
        above, key = path[:-1], path[-1]
        known = beside.get(above)
        if known is None:
            known = beside[above] = _parent(later, path), _lookup(piece.data, above, MISSING)
        parent, holder = known
        if parent is None:
            continue  # made again with what holds it
        seen = parent.get(key)
        if seen is None:
            if not _holds(holder, key, changes[at].edit):
                return at
        elif seen is not _MADE:
            beside.clear()  # what was seen below it is a part of it now
        parent[key] = _MADE
    return _miscounted(result, _grown(result, [at for _, _, at in reversed(order)]), later)


def _grown(result: Result, order: list[int]) -> dict[Path, tuple[int, int]]:
    """By how many items each list grew, with the number of the change that says so last in this ``order``."""
    shifted = shifts(result.piece)
    found: dict[Path, tuple[int, int]] = {}
    for at in order:
        change = result.changes[at]
        edit, goes = change.edit, type(change.edit) is Drop
        if isinstance(edit, _COMES) or (goes and isinstance(edit.path[-1], int)):
            where = as_written(change.path[:-1], change.step, shifted)
            if where is not None:
                found[where] = found.get(where, (0, at))[0] + (-1 if goes else 1), at
    return found


def _miscounted(result: Result, grown: dict[Path, tuple[int, int]], later: _Seen) -> int | None:
    """The number of a change of the first list that has not as many items as it grew by; None without one."""
    piece, read, shifted = result.piece, result.rewrite.before, shifts(result.piece)
    for where, (by, at) in grown.items():
        parent = _parent(later, where)
        if parent is None or parent.get(where[-1]) is _MADE:
            continue  # a list that the run made
        number = len(_lookup(piece.data, where, [])) - by
        place = as_read(result.changes[at].path[:-1], result.changes[at].step, shifted)
        if (number and not _stands(read, (*place, number - 1))) or _stands(read, (*place, number)):
            return at
    return None


_MOVES = (Drop, Insert)
_COMES = (Append, Insert)


def _parent(seen: _Seen, path: Path) -> _Seen | None:
    """What is seen of the places beside ``path``; None where something that holds it was made."""
    for part in path[:-1]:
        below = seen.get(part)
        if below is _MADE:
            return None
        if below is None:
            below = seen[part] = {}
        seen = below
    return seen


def _holds(parent: Any, key: str | int, edit: Edit) -> bool:
    """Whether ``parent`` is as ``edit`` leaves the place ``key`` of it."""
    found = _lookup(parent, (key,), MISSING)
    if isinstance(edit, (Set, Append, Insert)):
        return found is edit.value or (found is not MISSING and yaml.same(found, copied(edit.value)))
    return found is MISSING


def _lookup(value: Any, path: Path, default: Any) -> Any:
    try:
        return existing(value, path)
    except (LookupError, TypeError):
        return default


def _stands(parsed: Parsed, path: Path) -> bool:
    """Whether the text has something at ``path``."""
    return parsed.depth(int(path[0]), path[1:]) == len(path) - 1


def stray_line(hunks: Iterable[yaml.Hunk], before: set[int], after: set[int]) -> int | None:
    """The first changed line that is in neither set, None when all are accounted for.

    A line that only lost or gained a comma, a dash or blanks at its end is fine beside one of them (the entry before,
    the first key of an item), and so is one of JSON punctuation alone, or a comment that moved.
    """
    hunks = list(hunks)
    doubtful = [hunk for hunk in hunks if not (before.issuperset(_old(hunk)) and after.issuperset(_new(hunk)))]
    if not doubtful:
        return None
    went, came = ({line.strip() for hunk in hunks for line in side(hunk)} for side in (_BEFORE, _AFTER))
    moved = {line for line in went & came if line.startswith("#")}
    strays = (_stray(hunk, before, after, moved) for hunk in doubtful)
    return next((line for line in strays if line is not None), None)


def _old(hunk: yaml.Hunk) -> range:
    return range(hunk.before_start, hunk.before_start + len(hunk.before))


def _new(hunk: yaml.Hunk) -> range:
    return range(hunk.after_start, hunk.after_start + len(hunk.after))


def _stray(hunk: yaml.Hunk, before: set[int], after: set[int], moved: set[str]) -> int | None:
    """The first line of ``hunk`` that is in neither set; ``moved`` are comments that went and came."""
    old, new = Counter(map(_bare, hunk.before)), Counter(map(_bare, hunk.after))
    alone = before.isdisjoint(_old(hunk)) and after.isdisjoint(_new(hunk))
    for number, line in zip(_old(hunk), hunk.before, strict=True):
        if number not in before and (alone or not new[_bare(line)]) and not _is_fine(line, moved, alone):
            return number
    for number, line in zip(_new(hunk), hunk.after, strict=True):
        if number not in after and not old[_bare(line)] and not _is_fine(line, moved, alone):
            return hunk.before_start
    return None


def _bare(line: str) -> str:
    """``line`` with blanks for its dashes, and without what may follow it."""
    text = line.lstrip(" \t-")
    return " " * (len(line) - len(text)) + text.rstrip(" \t\r\n,")


def _is_fine(line: str, moved: set[str], alone: bool) -> bool:
    return (not alone and _PUNCTUATION.fullmatch(line) is not None) or line.strip() in moved


def _located(result: Result) -> list[Located]:
    """Where the changes stand."""
    rewrite, text = result.rewrite, result.piece.text
    before, after = rewrite.before, rewrite.after
    source = result.piece.source
    has_comments, line_of = source.may_comment(text), source.line_of
    located = []
    for change, read, written in zip(result.changes, result.read, result.written, strict=True):
        edit, line, comment = change.edit, line_of(before, read), None
        if has_comments and not isinstance(edit, _COMES):  # the place of something absent has none
            comment = before.comment(int(read[0]), read[1:])
        if written is None or type(edit) is Drop:
            stays = comment is not None and rewrite.text.count(comment) >= text.count(comment)
            located.append(Located(line, 0, read, comment, stays))
        else:
            path = read if change.before is not MISSING else written
            located.append(Located(line, line_of(after, written), path, comment))
    return located
