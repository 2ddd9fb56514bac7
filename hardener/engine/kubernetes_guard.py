"""The last look at what was decided: a step that would break a rule of Kubernetes is rolled back, as a bug of ours.

A rule that the document broke before is not ours. Held-back patches are not looked at.

Nearly all documents pass on their data alone. Only where that breaks a rule, or an edit touched what may not change,
is the text read again; then the steps are replayed one by one until the one that breaks the rule is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from hardener.authoring.edits import copied, replay
from hardener.engine.document import applied_steps
from hardener.engine.index_shifts import Shift, as_written, shifts
from hardener.engine.outcome import MISSING, Change, Outcome
from hardener.engine.rollback import Doomed, roll_back
from hardener.facts.objects.resource_limits import ResourcePolicies
from hardener.kubernetes.validity import Violation, changed_violations, is_compared, new_violations, violations
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, dotted, existing
from hardener.tree.core_views import Object


def self_check(outcome: Outcome) -> None:
    """Roll back every applied step that breaks a rule which its document did not break before.

    Its changes go from ``outcome.changes`` to ``outcome.refused``, and its edits from the data and the steps of the
    pieces, so that all others can be proved as if it had never been made.
    """
    rules = _Rules(outcome)
    pieces = _by_piece(outcome)
    waiting = list(pieces)
    while waiting:
        # One step per object and round: with it gone, the next one may be right.
        found: dict[int, tuple[list[Change], str]] = {}
        for piece in waiting:
            for change, broken in _broken(rules, piece, pieces[piece]):
                found.setdefault(id(change.siblings), (change.siblings, _reason(change, broken)))
        if not found:
            return

        touched = roll_back(outcome, {key: Doomed(*each) for key, each in found.items()})
        pieces = _by_piece(outcome)
        waiting = [piece for piece in touched if piece in pieces]


def _by_piece(outcome: Outcome) -> dict[Piece, list[Change]]:
    found: dict[Piece, list[Change]] = {}
    for change in outcome.changes:
        found.setdefault(change.object.piece, []).append(change)
    return found


def _reason(change: Change, broken: Violation) -> str:
    where = dotted(broken.path[1:])
    what = f"{broken.message} ({change.object} {where})"
    # A name may hold line ends, and a report is read line by line.
    what = " ".join(what.split())
    return f"our bug: {change.transform.id} would break rule {broken.rule}: {what}; please report it"


class _Rules:
    """The rules, with what the tree knows that they ask for. Paths of violations begin with the document's number."""

    def __init__(self, outcome: Outcome) -> None:
        self.tree = outcome.tree

    @cached_property
    def accounts(self) -> frozenset[str]:
        return frozenset(item.name for item in self.tree.objects if item.kind == "ServiceAccount")

    def state(self, item: Object, documents: list[Any]) -> list[Violation]:
        """What one state of ``item`` breaks."""
        ranges = [found.data for found in self.tree.ask(ResourcePolicies).limit_ranges(item)]
        found = violations(item.as_sent(existing(documents, item.path)), self.tree.settings.kubernetes_version, ranges)
        return [_below(item, broken) for broken in found]

    def change(self, item: Object, before: list[Any], after: list[Any]) -> list[Violation]:
        """What the change of ``item`` breaks."""
        old, new = (item.as_sent(existing(documents, item.path)) for documents in (before, after))
        found = changed_violations(old, new, self.accounts)
        return [_below(item, broken) for broken in found]


def _below(item: Object, broken: Violation) -> Violation:
    return broken._replace(path=item.path + broken.path)


def _broken(rules: _Rules, piece: Piece, changes: list[Change]) -> Iterator[tuple[Change, Violation]]:
    """The steps of ``piece`` that break a rule, one per object, each as a change of it and what it breaks."""
    if not piece.source.holds_objects:
        return  # the rules are those of Kubernetes
    objects = _changed_objects(rules, piece, changes)
    found = [broken for item in objects.values() for broken in rules.state(item, piece.data)]
    if piece.is_new:
        # It was nothing before, so whatever it breaks is the doing of the step that made it.
        yield from ((changes[0], broken) for broken in found[:1])
        return
    if not found and not any([is_compared(change.edit.path) or _takes_compared(change) for change in changes]):
        return
    read = piece.read().documents
    goals = {}
    for path, item in objects.items():
        judge = _Judge(rules, item, read, shifts(piece))
        new = judge.new(piece.data, len(applied_steps(piece)))
        if new:
            goals[path] = judge, new[0]
    if goals:
        yield from _causes(piece, changes, read, goals)


def _changed_objects(rules: _Rules, piece: Piece, changes: list[Change]) -> dict[Path, Object]:
    objects: dict[Path, Object] = {}
    last = None
    for change in changes:
        if change.object is not last:  # most are all of one
            last = change.object
            objects[last.path] = last
    if piece.shared:  # one text of several places: a step may have changed other items of its List, too
        objects |= {item.path: item for item in rules.tree.objects if item.piece is piece}
    return objects


def _takes_compared(change: Change) -> bool:
    """Whether ``change`` removes or replaces something that may not go."""
    if change.before is MISSING or not is_compared(change.edit.path, takes=True):
        return False
    return change.after is MISSING or isinstance(change.after, dict | list)


class _Judge:
    """One object as it was read, and what a later state of it breaks beside that; places count as in the final data."""

    def __init__(self, rules: _Rules, item: Object, read: list[Any], shifted: list[Shift]) -> None:
        self.rules, self.object, self.read, self.shifted = rules, item, read, shifted
        self.before = self._placed(rules.state(item, read), 0)

    def new(self, documents: list[Any], step: int) -> list[Violation]:
        """What ``documents``, as they are before ``step``, break and the text as read does not."""
        after = self._placed(self.rules.state(self.object, documents), step)
        changed = self._placed(self.rules.change(self.object, self.read, documents), step)
        return new_violations(self.before, after) + changed

    def _placed(self, found: Iterable[Violation], step: int) -> list[Violation]:
        placed = ((broken, as_written(broken.path, step, self.shifted)) for broken in found)
        return [broken._replace(path=path) for broken, path in placed if path is not None]


def _causes(
    piece: Piece, changes: list[Change], read: list[Any], goals: dict[Path, tuple[_Judge, Violation]]
) -> Iterator[tuple[Change, Violation]]:
    """The step after which the goal of each object stays broken."""
    owners: dict[int, dict[Path, Change]] = {}
    for change in changes:
        for depth in range(len(change.edit.path)):
            if change.edit.path[:depth] in goals:
                owners.setdefault(change.step, {}).setdefault(change.edit.path[:depth], change)
    documents = copied(read)
    causes: dict[Path, Change] = {}
    broken: set[Path] = set()
    for number, step in enumerate(applied_steps(piece)):
        replay(documents, step)
        for path, change in owners.get(number, {}).items():
            judge, goal = goals[path]
            if all(found[:2] != goal[:2] for found in judge.new(documents, number + 1)):
                broken.discard(path)
            elif path not in broken:
                broken.add(path)
                causes[path] = change
    for path, change in causes.items():
        yield change, goals[path][1]
