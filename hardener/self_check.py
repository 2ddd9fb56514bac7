"""The last look at what was decided: a step that would break a rule of Kubernetes is rolled back, as a bug of ours.

A rule that the document broke before is not ours. Held-back patches are not looked at.

Nearly all documents pass on their data alone. Only where that breaks a rule, or an edit touched what may not change,
is the text read again; then the steps are replayed one by one until the one that breaks the rule is known. The rest is
replayed without it, and without what builds on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hardener import creation
from hardener.edits import Append, Create, Drop, Edit, Path, WrongShapeError, concrete_paths, copied, dotted, replay
from hardener.kubernetes.validity import Violation, changed_violations, is_compared, new_violations, violations
from hardener.outcome import MISSING, Change, Outcome, Refused
from hardener.shifts import Removal, as_read, as_written, removals
from hardener.sources import yaml
from hardener.sources.manifests import Piece
from hardener.step import value_before
from hardener.views import Object

_ADVICE = "the step was left out, all others were made"

Key = tuple[int, Path]


def self_check(outcome: Outcome) -> None:
    """Roll back every applied step that breaks a rule which its document did not break before.

    Its changes go from ``outcome.changes`` to ``outcome.refused``, and its edits from the data and the steps of the
    pieces, so that all others can be proved as if it had never been made.
    """
    pieces = _by_piece(outcome)
    waiting = list(pieces)
    while waiting:
        doomed: dict[int, _Doomed] = {}
        for piece in waiting:
            for step, reason in _broken(outcome, piece, pieces[piece]):
                doomed.setdefault(id(step), _Doomed(step, reason))
        if not doomed:
            return
        touched = _roll_back(outcome, pieces, doomed)
        pieces = _by_piece(outcome)
        waiting = [piece for piece in touched if piece in pieces]


@dataclass(slots=True)
class _Doomed:
    """A step that goes, as its changes, and why."""

    changes: list[Change]
    reason: str


def _by_piece(outcome: Outcome) -> dict[Piece, list[Change]]:
    found: dict[Piece, list[Change]] = {}
    for change in outcome.changes:
        found.setdefault(change.object.piece, []).append(change)
    return found


# Finding the step.


def _broken(outcome: Outcome, piece: Piece, changes: list[Change]) -> Iterator[tuple[list[Change], str]]:
    """The steps of ``piece`` that break a rule, one per object, and what they would break."""
    objects = {change.object.path: change.object for change in changes}
    suspects = [item for item in objects.values() if _state(outcome, item, piece.data)]
    if not suspects and not any(is_compared(change.edit.path, takes=_takes(change)) for change in changes):
        return
    if piece.created is not None:
        # It was nothing before, so whatever it breaks is the doing of the step that made it.
        for broken in _state(outcome, suspects[0], piece.data) if suspects else ():
            yield changes[0].siblings, _reason(changes[0], broken)
            return
        return
    read = yaml.parse(piece.text).documents
    removed = removals(piece)
    goals = {}
    for path, item in objects.items():
        check = _Check(outcome, item, read, removed)
        found = check.broken(piece.data, len(piece.steps))
        if found:
            goals[path] = check, found[0]
    if goals:
        yield from _causes(piece, changes, read, goals)


def _takes(change: Change) -> bool:
    return change.before is not MISSING and (change.after is MISSING or isinstance(change.after, dict | list))


def _state(outcome: Outcome, item: Object, documents: list[Any]) -> list[Violation]:
    workspace = outcome.workspace
    ranges = [found.data for found in workspace.limit_ranges_of(item)]
    return violations(_at(documents, item.path), workspace.settings.kubernetes_version, ranges)


def _at(documents: list[Any], path: Path) -> Any:
    value: Any = documents
    for part in path:
        value = value[part]
    return value


@dataclass(slots=True)
class _Check:
    """One object as it was read, and what a later state of it breaks beside that. Places count as in the final data."""

    outcome: Outcome
    object: Object
    read: list[Any]
    removed: list[Removal]
    before: list[Violation] = field(init=False)

    def __post_init__(self) -> None:
        self.before = self._placed(_state(self.outcome, self.object, self.read), 0)

    def broken(self, documents: list[Any], step: int) -> list[Violation]:
        """What ``documents``, as they are before ``step``, break and the text as read does not."""
        after = self._placed(_state(self.outcome, self.object, documents), step)
        one, other = (_at(state, self.object.path) for state in (self.read, documents))
        changed = changed_violations(one, other, self.outcome.workspace.service_accounts)
        return new_violations(self.before, after) + self._placed(changed, step)

    def _placed(self, found: Iterable[Violation], step: int) -> list[Violation]:
        whole = ((broken, as_written((*self.object.path, *broken.path), step, self.removed)) for broken in found)
        return [broken._replace(path=path) for broken, path in whole if path is not None]


def _causes(
    piece: Piece, changes: list[Change], read: list[Any], goals: dict[Path, tuple[_Check, Violation]]
) -> Iterator[tuple[list[Change], str]]:
    """The step after which the goal of each object was broken for good."""
    owners: dict[int, dict[Path, Change]] = {}
    for change in changes:
        owners.setdefault(change.step, {}).setdefault(change.object.path, change)
    documents = copied(read)
    causes: dict[Path, Change] = {}
    present: set[Path] = set()
    for number, step in enumerate(piece.steps):
        replay(documents, step)
        for path, change in owners.get(number, {}).items():
            if path not in goals:
                continue
            check, goal = goals[path]
            if not any(_key(broken) == _key(goal) for broken in check.broken(documents, number + 1)):
                present.discard(path)
            elif path not in present:
                present.add(path)
                causes[path] = change
    for path, change in causes.items():
        yield change.siblings, _reason(change, goals[path][1])


def _key(broken: Violation) -> Key:
    return broken.rule, broken.path


def _reason(change: Change, broken: Violation) -> str:
    return (
        f"our bug: {change.transform.id} would break rule {broken.rule}: {broken.message} "
        f"({change.object} {dotted(broken.path[1:])}); please report it"
    )


# Rolling it back.


def _roll_back(outcome: Outcome, pieces: dict[Piece, list[Change]], doomed: dict[int, _Doomed]) -> list[Piece]:
    """Take the ``doomed`` steps out, with all that builds on them; ``pieces`` are the changes as they are. Returns the
    pieces that they changed."""
    texts: dict[Piece, yaml.Parsed] = {}
    data: dict[Piece, list[Any]] = {}
    settled = -1
    while settled != len(doomed):
        settled = len(doomed)
        for piece in {change.object.piece: None for step in list(doomed.values()) for change in step.changes}:
            if piece.created is not None:
                for change in pieces.get(piece, []):
                    doomed.setdefault(id(change.siblings), _Doomed(change.siblings, _follows(change, doomed)))
                continue
            if piece not in texts:
                texts[piece] = yaml.parse(piece.text)
            data[piece] = _replayed(piece, texts[piece].documents, pieces.get(piece, []), doomed)
    held = [step for step in outcome.held if _builds_on(step.changes, doomed)]
    for step in doomed.values():
        _refuse(outcome, step, texts)
    for late in held:
        _refuse(outcome, _Doomed(late.changes, _follows(late.changes[0], doomed)), texts)
    outcome.held = [step for step in outcome.held if step not in held]
    gone = {piece: sorted(_numbers(piece, doomed)) for piece in data}
    outcome.changes = [change for change in outcome.changes if id(change.siblings) not in doomed]
    for change in (*outcome.changes, *(change for step in outcome.held for change in step.changes)):
        if not isinstance(change.edit, Create):
            change.step -= sum(1 for number in gone.get(change.object.piece, ()) if number < change.step)
    for piece, documents in data.items():
        piece.steps = [step for number, step in enumerate(piece.steps) if number not in gone[piece]]
        piece.data[:] = documents
    for step in doomed.values():
        for change in step.changes:
            if isinstance(change.edit, Create):
                creation.remove(outcome.workspace, change.object)
    return list(data)


def _numbers(piece: Piece, doomed: dict[int, _Doomed]) -> set[int]:
    return {
        change.step
        for step in doomed.values()
        for change in step.changes
        if change.object.piece is piece and not isinstance(change.edit, Create)
    }


def _replayed(piece: Piece, read: list[Any], changes: list[Change], doomed: dict[int, _Doomed]) -> list[Any]:
    """The documents of ``piece`` without the doomed steps, to which those are added that build on one.

    The records of the others are set to where and what they are now.
    """
    by_step: dict[int, list[Change]] = {}
    for change in changes:
        by_step.setdefault(change.step, []).append(change)
    documents = copied(read)
    shifted: list[Path] = []
    for number, step in enumerate(piece.steps):
        records = by_step.get(number, [])
        if records and id(records[0].siblings) in doomed:
            shifted += _shifts(records)
            continue
        try:
            paths = [] if _leads_through([edit.path for edit in step], shifted) else _possible(documents, step)
        except (WrongShapeError, LookupError):
            paths = []
        if not paths and records:
            doomed[id(records[0].siblings)] = _Doomed(records[0].siblings, _follows(records[0], doomed))
            shifted += _shifts(records)
            continue
        for change, path in zip(records, paths, strict=True):
            change.path, change.before = path, value_before(change.edit, documents, path)
        replay(documents, step)
    return documents


def _possible(documents: list[Any], step: tuple[Edit, ...]) -> list[Path]:
    """Where the edits of ``step`` act. Raises WrongShapeError or LookupError where one cannot be made."""
    for edit in step:
        if isinstance(edit, Drop):
            _at(documents, edit.path)
    return concrete_paths(documents, step)


def _shifts(changes: list[Change]) -> list[Path]:
    """The list items from which on indexes are others once ``changes`` are not made."""
    return [
        change.path
        for change in changes
        if isinstance(change.edit, Append) or (isinstance(change.edit, Drop) and isinstance(change.path[-1], int))
    ]


def _leads_through(paths: list[Path], shifted: list[Path]) -> bool:
    for start in shifted:
        where, first = start[:-1], start[-1]
        for path in paths:
            part = path[len(where)] if len(path) > len(where) and path[: len(where)] == where else None
            if isinstance(part, int) and isinstance(first, int) and part >= first:
                return True
    return False


def _builds_on(changes: list[Change], doomed: dict[int, _Doomed]) -> bool:
    """Whether a held-back step was planned for an object or a list that is another one now."""
    shifted: dict[Piece, list[tuple[int, Path]]] = {}
    gone = set()
    for step in doomed.values():
        for change in step.changes:
            if isinstance(change.edit, Create):
                gone.add(change.object.piece)
            else:
                places = shifted.setdefault(change.object.piece, [])
                places += ((change.step, path) for path in _shifts([change]))
    for change in changes:
        earlier = [path for number, path in shifted.get(change.object.piece, []) if number < change.step]
        if change.object.piece in gone or _leads_through([change.edit.path], earlier):
            return True
    return False


def _follows(change: Change, doomed: dict[int, _Doomed]) -> str:
    ids = dict.fromkeys(step.changes[0].transform.id for step in doomed.values())
    return f"our bug: {change.transform.id} builds on {', '.join(ids)}, which was rolled back; please report it"


def _refuse(outcome: Outcome, step: _Doomed, texts: dict[Piece, yaml.Parsed]) -> None:
    change = step.changes[0]
    piece, line = change.object.piece, 1
    parsed = texts.get(piece)
    if parsed is not None:
        path = as_read(change.path, change.step, removals(piece))
        line = parsed.line(int(path[0]), path[1:])
    outcome.refused.append(
        Refused(piece.file.name, piece.line + line, step.reason, _ADVICE, len(step.changes), change.transform.id)
    )
