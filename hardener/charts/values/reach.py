"""Which values reach which steps: candidates from where values come out, then proved by rendering with them.

A step is reached only where the chart, rendered with the overrides, is the rendered chart with that step made, object
by object, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Append, Drop, Edit, Insert, Set, WrongShapeError
from hardener.charts.rendered import Key, Place, SteadyNames, at_place, changed, differences, place_of
from hardener.charts.renders import Objects, Renders, SpentError
from hardener.charts.run_steps import Step, Wanted
from hardener.charts.values.candidates import Candidates, Switches, nearness, plain, scalars
from hardener.charts.values.markers import Marked, list_paths, map_paths
from hardener.charts.values.operations import ConflictError, Kind, Operation, Touched, as_values, overrides
from hardener.charts.values.set_values import name_of
from hardener.errors import HardenError
from hardener.support.data_path import Path, dotted, value_at

_MOST_WAYS = 6  # that are tried for one step
_MOST_SWITCHES = 64  # booleans that are tried
_MOST_NEAR = 10  # booleans that are tried one by one
_MOST_MAPS = 100  # that need not be handed on, and are tried
_MOST_WIDE = 24  # renders for each of the two
_NO_VALUE = "no value of the chart comes out there"
# Maps that charts hand on as they are; their marks break few templates.
_HANDED_ON = re.compile(r"(?i)resources|limits|requests|security|context|capabilities|seccomp|pod|container|extra")


class Way(Struct, eq=False):
    """How values may make a step: its operations on them."""

    step: Step
    operations: list[Operation]

    @property
    def paths(self) -> list[Path]:
        """The values that it changes."""
        return [operation.path for operation in self.operations]

    @property
    def is_guessed(self) -> bool:
        """Whether nobody saw that all of it comes out where it is wanted."""
        return any(operation.guessed for operation in self.operations)


class Reached(Struct, eq=False):
    """What came out: ``ways``, one for each step that values make, ``overrides`` all of them together, and of the
    other steps why not. ``spent``: there were not enough renders to try all."""

    ways: list[Way]
    overrides: dict[Path, Any]
    reasons: dict[int, str]
    spent: bool = False


class Search:
    """Looks for the values of one chart: ``values`` are all that it has as its user renders it, ``known`` keys that may
    be there as well. What a run learns of the chart, the next one knows.

    Raises ChartError where the chart does not render as it is.
    """

    def __init__(self, renders: Renders, values: dict[str, Any], known: list[Path]) -> None:
        self.renders, self.values = renders, values
        renders.names = None
        first, second = renders(), renders(fresh=True)
        renders.names = self._names = SteadyNames(first, second)
        self._keys = self._names.keys(first)
        self.base = self._names(first)
        self.unsteady = set(changed(self.base, self._names(second)))  # what is another in each render
        self.known = [path for path in known if self._may_be_new(path)]
        self.marked = Marked(renders, values)
        self.switches: Switches = {}
        self._candidates = Candidates(values, self.known, self.marked, self.switches, self.base)
        self._has_looked = self._has_looked_again = False

    def run(self, wanted: Wanted) -> Reached:
        """Look for the values of all steps of ``wanted``."""
        wanted.rename(self._keys)
        self.wanted = wanted
        self.accepted: list[Way] = []
        self.reasons: dict[int, str] = {}
        self.spent = False
        self._tried: set[tuple[int, str]] = set()
        try:
            hardened = wanted.after(wanted.steps)
        except WrongShapeError:  # nothing is known of other places then, and the proof decides
            hardened = {}
        try:
            # What is likely and costs little comes first: each look is for what is left by then.
            for look in (self._look_at_maps, self._look_at_lists, self._look_at_switches, self._look_everywhere):
                left = self._left()
                if not left:
                    break
                if not self._has_looked:
                    look([edit for step in left for edit in step.edits])
                for guesses in (False, True):
                    self._settle_all(hardened, guesses=guesses)
        except SpentError:
            self.spent = True
        self._has_looked = True
        return self.reached()

    def _left(self) -> list[Step]:
        """The steps that no values make yet, of those that values can make."""
        done = {way.step.number for way in self.accepted}
        return [step for step in self.wanted.steps if step.edits and not step.creates and step.number not in done]

    def _settle_all(self, hardened: dict[Key, Any], *, guesses: bool) -> None:
        """Try the ways of what is left that were not tried before, with ``guesses`` those that have some, too."""
        ways: dict[int, list[Way]] = {}
        for step in self._left():
            for way in self._ways(step, hardened, guesses):
                name = repr([(one.kind, one.path, one.value) for one in way.operations])
                if (step.number, name) not in self._tried:
                    self._tried.add((step.number, name))
                    ways.setdefault(step.number, []).append(way)
        for turn in range(max(map(len, ways.values()), default=0)):
            done = {way.step.number for way in self.accepted}
            some = [found[turn] for number, found in ways.items() if number not in done and turn < len(found)]
            self._settle(self._clusters(some))

    def reached(self) -> Reached:
        """Return what came out so far."""
        return Reached(self.accepted, self._overrides(self.accepted), self.reasons, self.spent)

    def give_up(self, path: Path, reason: str) -> None:
        """Do without the override of ``path``, which cannot be written, and what it is for."""
        for way in self.accepted:
            if any(own[: len(path)] == path for own in way.paths):
                self.reasons[way.step.number] = reason
        self.accepted = [way for way in self.accepted if self.reasons.get(way.step.number) != reason]

    # Looks.

    def _look_at_maps(self, edits: list[Edit]) -> None:
        """Where maps come out that charts hand on, and those that may be new."""
        self.marked.find_maps(path for path in map_paths(self.values) if _HANDED_ON.search(str(path[-1])))
        self.marked.find_maps(path for path in self.known if _HANDED_ON.search(str(path[-1])))

    def _look_at_lists(self, edits: list[Edit]) -> None:
        """Where lists come out: those that get items, and those whose items are changed."""
        lists = [*list_paths(self.values), *(path for path in self.known if _may_be_list(path))]
        for of_maps in (True, False):
            inside = of_maps and any(isinstance(part, int) for edit in edits for part in edit.path[1:])
            if inside or any(_changes_list(edit, of_maps) for edit in edits):
                self.marked.find_lists(lists, of_maps=of_maps)

    def _look_at_switches(self, edits: list[Edit]) -> None:
        """Which booleans change the fields that ``edits`` change, whatever they are called."""
        wanted = {self._field(edit) for edit in edits if isinstance(edit, Set)}
        waiting = self._switches_by_name(wanted) if wanted else []
        before = self.renders.count
        while waiting and self.renders.count - before < _MOST_WIDE:
            some = waiting.pop()
            half = len(some) // 2
            halves = [some[half:], some[:half]] if half else []
            came = self._switched(some)
            if came is None:
                waiting += halves
                continue
            places = set(changed(self.base, came))
            found = places & wanted
            if not halves:
                (path, value) = some[0]
                for outlet in found:
                    self.switches.setdefault(outlet, []).append(Operation(Kind.SET, path, not value))
            elif found or any((key, ()) in places for key, _ in wanted):
                waiting += halves

    def _switches_by_name(self, wanted: set[tuple[Key, Place]]) -> list[list[tuple[Path, bool]]]:
        """The booleans of the values, the last to be tried first: those that are called like what is to change one by
        one, the others together, halved where they change it."""
        words = {plain(str(part)) for key, place in wanted for part in (key.name, *place)}
        switches = [(path, value) for path, value in scalars(self.values) if isinstance(value, bool)]
        switches.sort(key=lambda switch: -nearness((*switch[0], ""), words))
        near = [switch for switch in switches if nearness((*switch[0], ""), words)][:_MOST_NEAR]
        others = [switch for switch in switches[:_MOST_SWITCHES] if switch not in near]
        return [some for some in (others, *([one] for one in reversed(near))) if some]

    def _switched(self, some: list[tuple[Path, bool]]) -> Objects | None:
        """The chart with the booleans ``some`` turned over; None where helm refuses that."""
        try:
            return self.renders(as_values({path: not value for path, value in some}), schema=False)
        except SpentError:
            raise
        except HardenError:
            return None

    def _look_everywhere(self, edits: list[Edit]) -> None:
        """Where any other map comes out; those first whose names are said where something is to change."""
        fields = [self._field(edit) for edit in edits]
        words = {plain(str(part)) for key, place in fields for part in (key.name, *place)}
        maps = sorted([*map_paths(self.values), *self.known], key=lambda path: -nearness((*path, ""), words))
        self.marked.find_maps(maps[:_MOST_MAPS], _MOST_WIDE)

    def _field(self, edit: Edit) -> tuple[Key, Place]:
        key, data = self.wanted.place(edit)
        return key, place_of(data, edit.path[1:])

    def _may_be_new(self, path: Path) -> bool:
        """Whether the values have nothing at ``path`` and could."""
        above = (value_at(self.values, path[:length]) for length in range(1, len(path)))
        return value_at(self.values, path) is None and all(isinstance(value, dict | None) for value in above)

    # Candidates.

    def _ways(self, step: Step, hardened: dict[Key, Any], guesses: bool) -> Iterator[Way]:
        """The ways to make ``step``, the likeliest first."""
        found: list[list[list[Operation]]] = []
        for edit in step.edits:
            candidates = self._candidates.of(edit, self.wanted, guesses=guesses)
            own = sorted(candidates, key=lambda operations: self._candidates.spoils(operations, hardened))[:_MOST_WAYS]
            if not own:
                self.reasons.setdefault(step.number, f"no value of the chart comes out at {dotted(edit.path[1:])}")
                return
            found.append(own)
        for turn in range(max(len(own) for own in found)):
            chosen = [own[min(turn, len(own) - 1)] for own in found]
            yield Way(step, [operation for operations in chosen for operation in operations])

    # Proof.

    def _clusters(self, ways: list[Way]) -> list[list[Way]]:
        """The ways that change the same values are made together, or not at all; those that contradict each other, or
        what is accepted, are not made."""
        accepted = Touched(operation for way in self.accepted for operation in way.operations)
        found = []
        for cluster in _that_touch(ways):
            try:
                self._check(accepted, cluster)
            except ConflictError as conflict:
                for way in cluster:
                    if not way.is_guessed:
                        self.reasons[way.step.number] = f"{conflict} would have to be two values at once"
                continue
            found.append(cluster)
        return found

    def _check(self, accepted: Touched, cluster: list[Way]) -> None:
        """Raise ConflictError where the ways of ``cluster`` cannot be made, or not together, or not beside what is
        accepted."""
        own = Touched()
        for operation in (operation for way in cluster for operation in way.operations):
            accepted.check(operation)
            own.check(operation)
            own.add(operation)
        self._overrides(cluster)

    def _settle(self, clusters: list[list[Way]]) -> None:
        """Accept those of ``clusters`` that come out as wanted."""
        if not clusters:
            return
        added = [way for cluster in clusters for way in cluster]
        wrong = self._wrong([*self.accepted, *added], added)
        if wrong is None:
            self.accepted += added
            return
        if len(clusters) == 1:
            for way in added:
                if not wrong.is_missed and not way.is_guessed:
                    self.reasons[way.step.number] = wrong.said
                self.reasons.setdefault(way.step.number, _NO_VALUE)
            return
        blamed = [cluster for cluster in clusters if self._is_blamed(cluster, wrong)]
        if blamed and len(blamed) < len(clusters):
            self._settle([cluster for cluster in clusters if cluster not in blamed])
            self._settle(blamed)
            return
        half = len(clusters) // 2
        self._settle(clusters[:half])
        self._settle(clusters[half:])

    def _is_blamed(self, cluster: list[Way], wrong: Wrong) -> bool:
        return any(self.wanted.place(edit)[0] in wrong.keys for way in cluster for edit in way.step.edits)

    def _wrong(self, ways: list[Way], added: list[Way]) -> Wrong | None:
        """What is not as wanted where ``ways`` are made, of which ``added`` are new; None where all is."""
        keys = ", ".join(dict.fromkeys(name_of(path) for path in self._overrides(added)))
        try:
            after = self.wanted.after(way.step for way in ways)
        except WrongShapeError:
            return Wrong(set(), "it leans on a change that no value makes")
        try:
            came = self.renders(as_values(self._overrides(ways)))
        except SpentError:
            raise
        except HardenError as error:
            return Wrong(set(), f"helm refuses {keys}: {error}")
        return self._steadily_compared(after, came, keys)

    def _steadily_compared(self, after: dict[Key, Any], came: Objects, keys: str) -> Wrong | None:
        wrong = self._compared(after, came, keys)
        if wrong is not None and not self._has_looked_again:
            # A time in seconds is the same in two renders that follow each other, and another one later.
            self._has_looked_again = True
            self.unsteady |= set(changed(self.base, self.renders(fresh=True)))
            wrong = self._compared(after, came, keys)
        return wrong

    def differs(self, ways: list[Way], came: Objects) -> str | None:
        """Return what of ``came``, a render of the chart with ``ways`` made, is not as wanted; None where all is."""
        came = came if self.renders.names is None else self.renders.names(came)
        wrong = self._steadily_compared(self.wanted.after(way.step for way in ways), came, "the values")
        return None if wrong is None else wrong.said

    def _compared(self, after: dict[Key, Any], came: Objects, keys: str) -> Wrong | None:
        wrong: set[Key] = set()
        said, missed = "", False
        for key in {**self.base, **came}:
            document, other = self.base.get(key), came.get(key)
            if (key, ()) in self.unsteady:
                continue
            if document is None or other is None:
                wrong.add(key)
                said = said or f"{keys} makes {_named(key)} {'come' if document is None else 'go'}"
                continue
            if key not in after and document.text == other.text:
                continue
            for place in differences(after.get(key, document.data), other.data):
                if (key, place) not in self.unsteady:
                    wrong.add(key)
                    if _is_new(after.get(key), document.data, place):
                        said = said or f"{keys} also changes {_spoken(place)} of {_named(key)}"
                    else:
                        missed = True
        return Wrong(wrong, said or f"{keys} does not do it", missed) if wrong else None

    def _overrides(self, ways: Iterable[Way]) -> dict[Path, Any]:
        return overrides(self.values, (operation for way in ways for operation in way.operations))


def _that_touch(ways: list[Way]) -> Iterable[list[Way]]:
    """``ways`` in groups, of which no two change the same value."""
    groups = list(range(len(ways)))

    def group(number: int) -> int:
        while groups[number] != number:
            groups[number] = number = groups[groups[number]]
        return number

    known, owners = Touched(), dict[int, int]()
    for number, way in enumerate(ways):
        for operation in way.operations:
            for near in known.near(operation):
                groups[group(owners[id(near)])] = group(number)
        for operation in way.operations:
            if known.add(operation):
                owners[id(operation)] = number
    clusters: dict[int, list[Way]] = {}
    for number, way in enumerate(ways):
        clusters.setdefault(group(number), []).append(way)
    return clusters.values()


class Wrong(Struct, eq=False):
    """What came out otherwise: the objects, and one sentence about the first of them. ``is_missed``: something that was
    wanted did not come out."""

    keys: set[Key]
    said: str
    is_missed: bool = False


def _is_new(wanted: Any, rendered: Any, place: Place) -> bool:
    """Whether nobody wants a change at ``place``."""
    if wanted is None:
        return True
    return next(differences(at_place(rendered, place), at_place(wanted, place)), None) is None


def _changes_list(edit: Edit, of_maps: bool) -> bool:
    """Whether ``edit`` changes which items a list has, maps or others."""
    if isinstance(edit, Append | Insert):
        return isinstance(edit.value, dict) is of_maps
    return isinstance(edit, Drop) and isinstance(edit.path[-1], int)


def _may_be_list(path: Path) -> bool:
    return bool(re.search(r"(?i)volume|mount|env|args|drop|extra", str(path[-1])))


def _named(key: Key) -> str:
    return f"{key.kind} {key.name}"


def _spoken(place: Place) -> str:
    parts = [str(part.value) if isinstance(part, tuple) else str(part) for part in place]
    return ".".join(parts) or "the whole"
