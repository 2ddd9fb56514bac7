"""One document from decided data to text, proved: replayed, written, read again, every changed line accounted for.

What comes out is plain data, so that it can be made in another process.
"""

from __future__ import annotations

import marshal
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct, field

from hardener.authoring.edits import Append, Drop, Edit, Insert, Set, copied, dotted, replay
from hardener.engine.document import Steps, applied_steps, document
from hardener.engine.index_shifts import as_inserted, as_read, as_written, shifts
from hardener.engine.outcome import MISSING, Change
from hardener.engine.text_checks import lost_comment, other_form, patched
from hardener.sources import yaml
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path

if TYPE_CHECKING:
    from hardener.engine.document import Written
    from hardener.sources import terraform
    from hardener.sources.manifests import Parsed
    from hardener.sources.python import parsed as program
    from hardener.sources.python.rewrite import Rewrite
    from hardener.sources.terraform import manifest_text, object_block
    from hardener.sources.yaml.text_templates import TextTemplates

    AnyParsed = yaml.Parsed | terraform.Parsed | object_block.ObjectBlock | manifest_text.ManifestText | program.Parsed
    AnyRewrite = yaml.Rewrite | terraform.Rewrite | Written

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
        return Proof(places=list(map(_line_of(parsed), places)))
    ours = False
    try:
        rewrite = _rewritten(piece)
        result = _result(piece, changes, rewrite)
        fault = _fault(result)
        if fault is None:
            return Proof(rewrite.text, rewrite.hunks, _located(result), list(map(_line_of(rewrite.before), places)))
        ours = True
    except yaml.TextError as refused:
        fault = refused.reason, refused.line or 1
    parsed = piece.read()
    return Proof(places=list(map(_line_of(parsed), places)), refusal=fault, ours=ours)


def _rewritten(piece: Piece) -> AnyRewrite:
    """The text with all steps. Raises TextError where it cannot be written."""
    if piece.language in ("python", "hcl"):
        return written(piece, applied_steps(piece))

    def mutate(documents: list[Any]) -> None:
        for step in applied_steps(piece):
            replay(documents, step)

    if piece.language == "terraform":
        from hardener.sources import terraform  # late: few trees hold any

        return terraform.rewrite(piece.text, mutate)
    touched = [edit.path for step in applied_steps(piece) for edit in step]
    return yaml.rewrite(
        piece.text, mutate, replaced=_replaced(piece), read=piece.tree, touched=touched, goal=piece.data
    )


class Result(Struct):
    """A piece with its changes and its new text, as the writer gave it: what the ``CHECKS`` look at.

    ``read`` is where each change acts in the data as read, ``written`` where in the final data (None: that is gone).
    """

    piece: Piece
    changes: list[Change]
    rewrite: AnyRewrite
    read: Sequence[Path]
    written: Sequence[Path | None]


def _result(piece: Piece, changes: list[Change], rewrite: AnyRewrite) -> Result:
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
    rewrite = result.rewrite
    if _text(rewrite.before) != result.piece.text or _text(rewrite.after) != rewrite.text:
        return "the text is not the one that was read again", 1
    return None


def is_what_was_decided(result: Result) -> tuple[str, int] | None:
    """The new text holds the data that the transforms left, type by type."""
    after, data = result.rewrite.after, result.piece.data
    if not (after.holds(data) if isinstance(after, yaml.Parsed) else yaml.same(after.documents, data)):
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
    return f"{place} does not come out as it was decided", _line_of(result.rewrite.before)(result.read[unmade])


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
    lost = lost_comment(_comments(result.rewrite.before), _comments(result.rewrite.after), own.gone)
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


def _replaced(piece: Piece) -> set[tuple[str, str]]:
    """The keys that a step takes away, each with those that it sets beside it: `value` and `valueFrom`."""
    found: set[tuple[str, str]] = set()
    for step in applied_steps(piece):
        if len(step) == 1:
            continue  # most are
        gone = {edit.path for edit in step if isinstance(edit, Drop) and isinstance(edit.path[-1], str)}
        if not gone:
            continue
        for edit in step:
            if isinstance(edit, Set) and edit.path not in gone:
                found |= {(str(path[-1]), str(edit.path[-1])) for path in gone if path[:-1] == edit.path[:-1]}
    return found


def written(piece: Piece, steps: Steps) -> Written:
    """The Python file, or the block of Terraform, ``piece`` after ``steps``, remembered. Raises TextError where it
    cannot be written, and what ``replay`` raises."""
    own = document(piece)
    if own.written is None or own.written[0] != list(steps):

        def mutate(documents: list[Any]) -> None:
            for step in steps:
                replay(documents, step)

        if piece.language == "hcl":
            from hardener.sources.terraform import object_block  # late: few trees hold any

            own.written = (
                list(steps),
                object_block.rewrite(
                    piece.text, mutate, piece.file.value_of, piece.file.object_of(piece), piece.file.reference
                ),
            )
            return own.written[1]
        from hardener.sources.python.rewrite import rewrite  # late: few trees hold any

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

    newline = "\r\n" if _ends_with_return(piece.file.content.text) else "\n"
    try:
        if piece.language == "hcl":
            body = new_block(piece, newline)
        else:
            body = terraform.dump(piece.data[0], newline)
    except yaml.TextError as refused:
        return Proof(places=[1] * len(places), refusal=(refused.reason, 1))
    text = (newline if document(piece).separator else "") + newline + body
    hunk = yaml.Hunk(1, [], 1, [newline, *body.splitlines(keepends=True)])
    return Proof(text, [hunk], [Located(0, 2, (0,), None) for _ in changes], [2] * len(places))


def block_of_new(piece: Piece, value: dict[str, Any]) -> dict[str, Any]:
    """The block that makes the new object ``piece`` where that is ``value``. Raises TextError where none can."""
    from hardener.sources.terraform import object_block  # late: few trees hold any

    home = document(piece).home
    assert home is not None
    return object_block.block_of(home.kind, home.label, value, home.texts, home.meta)


def new_block(piece: Piece, newline: str = "\n") -> str:
    """The text of the block that makes the new object ``piece``. Raises TextError where none can."""
    from hardener.sources.terraform import object_block  # late: few trees hold any

    home = document(piece).home
    assert home is not None
    body = object_block.dump(block_of_new(piece, piece.data[0]), newline)
    if not yaml.same(object_block.again(body, home.value_of).documents, piece.data):
        raise yaml.TextError("the new block does not come out as it was decided", 1)
    return body


def _created(piece: Piece, changes: list[Change], places: list[Path], templates: TextTemplates | None) -> Proof:
    """The text of a new document, read back."""
    if piece.language in ("terraform", "hcl"):
        return _created_block(piece, changes, places)
    own = document(piece)
    proved = None
    if templates is not None and not own.raw and len(piece.data) == 1:
        proved = templates.text_of(piece.data[0])
    body = proved or own.raw or yaml.dump(piece.data[0])
    text = own.separator + body
    if _ends_with_return(piece.file.content.text):
        text = text.replace("\n", "\r\n")
    if proved is None and not own.raw and not yaml.reads_back(body, piece.data):
        wrong = "the new document does not come out as it was decided"
        return Proof(places=[1] * len(places), refusal=(wrong, 1), ours=True)
    # A line end at the start ends the line before, and is no line itself.
    lines = text.removeprefix("\r").removeprefix("\n").splitlines(keepends=True)
    start = len(lines) - body.count("\n") + 1
    hunk = yaml.Hunk(1, [], 1, lines)
    return Proof(text, [hunk], [Located(0, start, (0,), None) for _ in changes], [start] * len(places))


def _ends_with_return(text: str) -> bool:
    """Whether the first line of ``text`` ends with a carriage return."""
    end = text.find("\n")
    return text.endswith("\r", 0, end if end >= 0 else len(text))


def _line_of(parsed: Parsed) -> Callable[[Path], int]:
    """What tells the line of a path in ``parsed``."""
    if isinstance(parsed, yaml.Parsed):
        return parsed.line_of
    return lambda path: parsed.line(int(path[0]), path[1:]) if path else 1


class _Lines:
    """The lines of a text that the edits may touch; ``gone`` are those whose comments may go with them."""

    def __init__(self, parsed: yaml.Parsed) -> None:
        self.parsed = parsed
        self.owned: set[int] = set()
        self.gone: set[int] = set()
        self._entries: dict[Path, range] = {}

    def own_entry(self, path: Path) -> range:
        """All lines of the key or item at ``path``, which it gives."""
        lines = self._entries.get(path)
        if lines is None:
            lines = self._entries[path] = self.parsed.lines(path)
            self.owned.update(lines)
        return lines

    def own_heads(self, paths: set[Path]) -> None:
        """The line of the key at each path, that of its value when it has one alone (`{}`, null, `[]` are opened
        there), and that of the bracket which ends a flow collection, before which its last items stand."""
        for path in paths:
            self.owned.update(self.parsed.head_lines(path))


class _Owned(Struct):
    """The lines that the edits may touch, as read and as written; comments at the end of those ``gone`` may go.

    ``add_heads`` adds the lines of what holds the places of the edits: most texts do without.
    """

    before: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    add_heads: Callable[[], None] | None = None


_Touch = tuple[Change, int, Path, "Path | None"]
"""A change, how many parts of its path as read lead to something that is there, and where it acts, read and written."""


def _owned_in_yaml(result: Result, read: yaml.Parsed, written: yaml.Parsed) -> _Owned:
    before, after = _Lines(read), _Lines(written)
    touched = _own_entries(result, before, after)
    return _Owned(before.owned, after.owned, before.gone, lambda: _own_heads(result.piece, touched, before, after))


def _own_entries(result: Result, before: _Lines, after: _Lines) -> list[_Touch]:
    """Add the lines of the entry of each edit to those that it may touch. What is a part of what another edit made is
    left out of what it gives."""
    touched: list[_Touch] = []
    opened: set[tuple[object, Path]] = set()
    for change, old, new in zip(result.changes, result.read, result.written, strict=True):
        edit, place = change.edit, before.parsed.place(old)
        present = 1 if place is None else place[2]
        if present < len(old) and new is not None and isinstance(edit, _SETS):
            top = place, new[: present + 1]
            if top in opened:
                continue
            opened.add(top)
        touched.append((change, present, old, new))
        if isinstance(edit, Insert):
            if new is not None:
                after.own_entry(new)
            continue
        is_drop = isinstance(edit, Drop)
        if is_drop or present == len(old):
            lines = before.own_entry(old)
            if is_drop or len(lines) > 1:
                before.gone.update(lines)
        if new is not None and not is_drop:
            after.own_entry(new[: present + 1])
    return touched


def _own_heads(piece: Piece, touched: list[_Touch], before: _Lines, after: _Lines) -> None:
    """Add the lines of the parents that the edits open or close to those that they may touch."""
    old_heads: set[Path] = set()
    new_heads: set[Path] = set()
    for change, present, old, new in touched:
        is_insert = isinstance(change.edit, Insert)
        old_heads.add(old[:-1] if is_insert else old[: min(present, len(old) - 1)])
        if new is not None:
            new_heads.add(new[:-1] if is_insert else new[: min(present, len(new) - 1)])
        elif not is_insert:
            parent = as_written(change.path[:-1], change.step, shifts(piece))
            if parent is not None:
                new_heads.add(parent)  # the line of a flow list that lost an item
    before.own_heads(old_heads)
    after.own_heads(new_heads)


def _owned(result: Result) -> _Owned:
    piece, changes, rewrite = result.piece, result.changes, result.rewrite
    if isinstance(rewrite.before, yaml.Parsed) and isinstance(rewrite.after, yaml.Parsed):
        return _owned_in_yaml(result, rewrite.before, rewrite.after)
    if piece.language == "hcl" and (inner := getattr(rewrite.before, "inner", None)) is not None:
        return _owned_in_text(result, cast("manifest_text.Rewrite", rewrite), inner)
    if piece.language == "python":
        return _owned_in_program(piece, changes, cast("Rewrite", rewrite))
    own = _Owned()
    for change in changes:
        number, read = _read(piece, change)
        own.before |= rewrite.before.lines(number, read)
        if isinstance(change.edit, Drop):
            own.gone |= rewrite.before.lines(number, read)
        # What holds the place of something absent may be laid out anew.
        present = rewrite.before.depth(number, read)
        for path in (change.path, change.path[:-1] if present == len(read) else change.path[: present + 1]):
            written = as_written(path, change.step, shifts(piece))
            if written is not None:
                own.after |= rewrite.after.lines(int(written[0]), written[1:])
        if piece.language == "hcl" and len(held := rewrite.before.lines(number, read[:present])) == 1:
            own.before |= held  # a block of one line, laid out on several
            if (holder := as_written(change.path[: present + 1], change.step, shifts(piece))) is not None:
                own.after |= rewrite.after.lines(int(holder[0]), holder[1:])
    return own


def _owned_in_program(piece: Piece, changes: list[Change], rewrite: Rewrite) -> _Owned:
    """The same of a program: an object may be spread over it, and what is new is imported, so all lines of an object
    count."""
    own = _Owned()
    for change in changes:
        if isinstance(change.edit, Drop):
            own.gone |= rewrite.before.lines(*_read(piece, change))
    for number in {int(change.path[0]) for change in changes}:
        own.before |= rewrite.before.lines_of(number)
        own.after |= rewrite.after.lines_of(number)
    for hunk in rewrite.hunks:  # the call around an object is laid out anew with it
        old = "".join(line for at, line in enumerate(hunk.before, hunk.before_start) if at in own.before)
        own.after |= {at for at, line in enumerate(hunk.after, hunk.after_start) if line.strip() in old}
    return own


def _owned_in_text(result: Result, rewrite: manifest_text.Rewrite, inner: yaml.Parsed) -> _Owned:
    """The same of a manifest in a heredoc."""
    before, after = _Lines(inner), _Lines(rewrite.after.inner)
    _own_heads(result.piece, _own_entries(result, before, after), before, after)
    row = rewrite.before.row
    old, new, gone = ({row + line for line in lines} for lines in (before.owned, after.owned, before.gone))
    return _Owned(old, new, gone)


def _read(piece: Piece, change: Change) -> tuple[int, Path]:
    """The number of the document and the place in it as read, where ``change`` acts."""
    path = as_read(change.path, change.step, shifts(piece))
    return int(path[0]), path[1:]


_Seen = dict[str | int, "_Seen"]
_MADE: _Seen = {}  # stands for a place that a change made, which nobody looks into


def _unmade(result: Result) -> int | None:
    """The number of the first change that the data do not hold, None when they hold all. What a later one changed again
    is not asked for; of list items that went, their number is."""
    piece, changes, read = result.piece, result.changes, result.rewrite.before
    shifted = shifts(piece)
    later: _Seen = {}
    grown: dict[Path, tuple[int, int]] = {}
    # Against the order in which ``replay`` makes them: items come and go last.
    order = sorted([(change.step, isinstance(change.edit, _MOVES), at) for at, change in enumerate(changes)])
    beside: dict[Path, tuple[_Seen | None, Any]] = {}  # what was seen, and what is there, at the parents of places
    for step, _, at in reversed(order):
        edit, path = changes[at].edit, result.written[at]
        if isinstance(edit, _COMES) or (isinstance(edit, Drop) and isinstance(edit.path[-1], int)):
            where = as_written(changes[at].path[:-1], step, shifted)
            if where is not None:
                grown[where] = grown.get(where, (0, at))[0] + (-1 if isinstance(edit, Drop) else 1), at
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
            if not _holds(holder, key, edit):
                return at
        elif seen is not _MADE:
            beside.clear()  # what was seen below it is a part of it now
        parent[key] = _MADE
    for where, (by, at) in grown.items():
        parent = _parent(later, where)
        if parent is None or parent.get(where[-1]) is _MADE:
            continue  # a list that the run made
        number = len(_lookup(piece.data, where, [])) - by
        place = as_read(changes[at].path[:-1], changes[at].step, shifted)
        if (number and not _stands(read, (*place, number - 1))) or _stands(read, (*place, number)):
            return at
    return None


_MOVES = (Drop, Insert)
_COMES = (Append, Insert)
_SETS = (Set, Append)


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
    if isinstance(edit, Set | Append | Insert):
        return found is edit.value or (found is not MISSING and yaml.same(found, copied(edit.value)))
    return found is MISSING


def _lookup(value: Any, path: Path, default: Any) -> Any:
    try:
        for part in path:
            value = value[part]
    except (LookupError, TypeError):
        return default
    return value


def _stands(parsed: AnyParsed, path: Path) -> bool:
    """Whether the text has something at ``path``."""
    return parsed.depth(int(path[0]), path[1:]) == len(path) - 1


def _text(parsed: AnyParsed) -> str:
    return parsed.text if isinstance(parsed, yaml.Parsed) else parsed.source.decode()


def _comments(parsed: AnyParsed) -> list[yaml.Comment]:
    """Every comment, those of YAML in the literals of a program among them."""
    texts = getattr(parsed, "comments_of_texts", list)
    return [*parsed.comments(), *texts()]


def stray_line(hunks: Iterable[yaml.Hunk], before: set[int], after: set[int]) -> int | None:
    """The first changed line that is in neither set, None when all are accounted for.

    A line that only lost or gained a comma, a dash or blanks at its end is fine beside one of them (the entry before,
    the first key of an item), and so is one of JSON punctuation alone, or a comment that moved.
    """
    hunks = list(hunks)
    doubtful = [
        hunk
        for hunk in hunks
        if not before.issuperset(range(hunk.before_start, hunk.before_start + len(hunk.before)))
        or not after.issuperset(range(hunk.after_start, hunk.after_start + len(hunk.after)))
    ]
    if not doubtful:
        return None
    went, came = ({line.strip() for hunk in hunks for line in side(hunk)} for side in (_BEFORE, _AFTER))
    moved = {line for line in went & came if line.startswith("#")}
    for hunk in doubtful:
        old, new = Counter(map(_bare, hunk.before)), Counter(map(_bare, hunk.after))
        alone = before.isdisjoint(range(hunk.before_start, hunk.before_start + len(hunk.before)))
        alone = alone and after.isdisjoint(range(hunk.after_start, hunk.after_start + len(hunk.after)))
        for number, line in enumerate(hunk.before, hunk.before_start):
            if number not in before and (alone or not new[_bare(line)]) and not _is_fine(line, moved, alone):
                return number
        for number, line in enumerate(hunk.after, hunk.after_start):
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
    has_comments = not isinstance(before, yaml.Parsed) or "#" in text
    old_line, new_line = _line_of(before), _line_of(after)
    located = []
    for change, read, written in zip(result.changes, result.read, result.written, strict=True):
        edit, line, comment = change.edit, old_line(read), None
        if has_comments and not isinstance(edit, _COMES):  # the place of something absent has none
            comment = before.comment(int(read[0]), read[1:])
        if written is None or isinstance(edit, Drop):
            stays = comment is not None and rewrite.text.count(comment) >= text.count(comment)
            located.append(Located(line, 0, read, comment, stays))
        else:
            path = read if change.before is not MISSING else written
            located.append(Located(line, new_line(written), path, comment))
    return located
