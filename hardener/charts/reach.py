"""Which values reach which steps: candidates from where values come out, then proved by rendering with them.

A step is reached only where the chart, rendered with the overrides, is the rendered chart with that step made, object
by object, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from hardener.authoring.edits import Append, Drop, Edit, Insert, Set, WrongShapeError, dotted
from hardener.charts.markers import Marked, list_paths, map_paths
from hardener.charts.operations import ConflictError, Kind, Operation, dotted_key, nested, overrides
from hardener.charts.rendered import Key, Place, SteadyNames, at_place, changed, differences, place_of
from hardener.charts.renders import Objects, Renders, SpentError
from hardener.charts.wanted import Step, Wanted
from hardener.errors import HardenError
from hardener.support.data_path import Path, value_at
from hardener.support.fast_dataclass import dataclass

_MOST_WAYS = 6  # that are tried for one step
_MOST_KEYS = 12  # single keys that are tried for one edit
_MOST_SWITCHES = 64  # booleans that are tried
_MOST_NEAR = 10  # booleans that are tried one by one
_MOST_MAPS = 100  # that need not be handed on, and are tried
_MOST_WIDE = 24  # renders for each of the two
_NO_VALUE = "no value of the chart comes out there"
# Maps that charts hand on as they are; their marks break few templates.
_HANDED_ON = re.compile(r"(?i)resources|limits|requests|security|context|capabilities|seccomp|pod|container|extra")


@dataclass(slots=True, eq=False)
class Way:
    """How values may make a step: its operations on them."""

    step: Step
    operations: list[Operation]

    @property
    def is_guessed(self) -> bool:
        """Whether nobody saw that all of it comes out where it is wanted."""
        return any(operation.guessed for operation in self.operations)


@dataclass(slots=True, eq=False)
class Reached:
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
        self.switches: dict[tuple[Key, Place], list[Operation]] = {}  # by what they change
        self._has_looked = self._has_looked_again = False

    def run(self, wanted: Wanted) -> Reached:
        """Look for the values of all steps of ``wanted``."""
        wanted.rename(self._keys)
        self.wanted = wanted
        self.accepted: list[Way] = []
        self.reasons: dict[int, str] = {}
        self.spent = False
        self._tried: set[tuple[int, str]] = set()
        marked = self.marked
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
                    look(marked, [edit for step in left for edit in step.edits])
                for guesses in (False, True):
                    self._settle_all(marked, hardened, guesses)
        except SpentError:
            self.spent = True
        self._has_looked = True
        return self.reached()

    def _left(self) -> list[Step]:
        """The steps that no values make yet, of those that values can make."""
        done = {way.step.number for way in self.accepted}
        return [step for step in self.wanted.steps if step.edits and not step.creates and step.number not in done]

    def _settle_all(self, marked: Marked, hardened: dict[Key, Any], guesses: bool) -> None:
        """Try the ways of what is left that were not tried before, with ``guesses`` those that have some, too."""
        ways: dict[int, list[Way]] = {}
        for step in self._left():
            for way in self._ways(step, marked, hardened):
                name = repr([(one.kind, one.path, one.value) for one in way.operations])
                if way.is_guessed <= guesses and (step.number, name) not in self._tried:
                    self._tried.add((step.number, name))
                    ways.setdefault(step.number, []).append(way)
        for turn in range(max(map(len, ways.values()), default=0)):
            done = {way.step.number for way in self.accepted}
            some = [found[turn] for number, found in ways.items() if number not in done and turn < len(found)]
            self.accepted = self._settled(self.accepted, self._clusters(self.accepted, some))

    def reached(self) -> Reached:
        """What came out so far."""
        return Reached(self.accepted, self._overrides(self.accepted), self.reasons, self.spent)

    def give_up(self, path: Path, reason: str) -> None:
        """Do without the override of ``path``, which cannot be written, and what it is for."""
        for way in self.accepted:
            if any(operation.path[: len(path)] == path for operation in way.operations):
                self.reasons[way.step.number] = reason
        self.accepted = [way for way in self.accepted if self.reasons.get(way.step.number) != reason]

    # Looks.

    def _look_at_maps(self, marked: Marked, edits: list[Edit]) -> None:
        """Where maps come out that charts hand on, and those that may be new."""
        marked.find_maps(path for path in map_paths(self.values) if _HANDED_ON.search(str(path[-1])))
        marked.find_maps(path for path in self.known if _HANDED_ON.search(str(path[-1])))

    def _look_at_lists(self, marked: Marked, edits: list[Edit]) -> None:
        """Where lists come out: those that get items, and those whose items are changed."""
        lists = [*list_paths(self.values), *(path for path in self.known if _may_be_list(path))]
        for of_maps in (True, False):
            inside = of_maps and any(isinstance(part, int) for edit in edits for part in edit.path[1:])
            if inside or any(_changes_list(edit, of_maps) for edit in edits):
                marked.find_lists(lists, of_maps=of_maps)

    def _look_at_switches(self, marked: Marked, edits: list[Edit]) -> None:
        """Which booleans change the fields that ``edits`` change, whatever they are called."""
        wanted = {self._field(edit) for edit in edits if isinstance(edit, Set)}
        words = {_plain(str(part)) for key, place in wanted for part in (key.name, *place)}
        switches = [(path, value) for path, value in _scalars(self.values) if isinstance(value, bool)]
        switches.sort(key=lambda switch: -_nearness((*switch[0], ""), words))
        near = [switch for switch in switches if _nearness((*switch[0], ""), words)][:_MOST_NEAR]
        others = [switch for switch in switches[:_MOST_SWITCHES] if switch not in near]
        # Those that are called like what is to change one by one, the others together, halved where they change it.
        waiting = [some for some in (others, *([one] for one in reversed(near))) if some and wanted]
        before = self.renders.count
        while waiting and self.renders.count - before < _MOST_WIDE:
            some = waiting.pop()
            half = len(some) // 2
            halves = [some[half:], some[:half]] if half else []
            try:
                came = self.renders(nested({path: not value for path, value in some}), schema=False)
            except SpentError:
                raise
            except HardenError:
                waiting += halves
                continue
            places = set(changed(self.base, came))
            found = places & wanted
            if halves and (found or any((key, ()) in places for key, _ in wanted)):
                waiting += halves
            elif not halves:
                (path, value) = some[0]
                for outlet in found:
                    self.switches.setdefault(outlet, []).append(Operation(Kind.SET, path, not value))

    def _look_everywhere(self, marked: Marked, edits: list[Edit]) -> None:
        """Where any other map comes out; those first whose names are said where something is to change."""
        fields = [self._field(edit) for edit in edits]
        words = {_plain(str(part)) for key, place in fields for part in (key.name, *place)}
        maps = sorted([*map_paths(self.values), *self.known], key=lambda path: -_nearness((*path, ""), words))
        marked.find_maps(maps[:_MOST_MAPS], _MOST_WIDE)

    def _field(self, edit: Edit) -> tuple[Key, Place]:
        key, data = self.wanted.place(edit)
        return key, place_of(data, edit.path[1:])

    def _may_be_new(self, path: Path) -> bool:
        """Whether the values have nothing at ``path`` and could."""
        above = (value_at(self.values, path[:length]) for length in range(1, len(path)))
        return value_at(self.values, path) is None and all(isinstance(value, dict | None) for value in above)

    # Candidates.

    def _ways(self, step: Step, marked: Marked, hardened: dict[Key, Any]) -> Iterator[Way]:
        """The ways to make ``step``, the likeliest first."""
        found: list[list[list[Operation]]] = []
        for edit in step.edits:
            own = sorted(
                self._candidates(edit, marked), key=lambda operations: self._spoils(operations, marked, hardened)
            )[:_MOST_WAYS]
            if not own:
                self.reasons.setdefault(step.number, f"no value of the chart comes out at {dotted(edit.path[1:])}")
                return
            found.append(own)
        for turn in range(max(len(own) for own in found)):
            chosen = [own[min(turn, len(own) - 1)] for own in found]
            yield Way(step, [operation for operations in chosen for operation in operations])

    def _candidates(self, edit: Edit, marked: Marked) -> Iterator[list[Operation]]:
        yield from self._of_maps(edit, marked)
        yield from self._of_lists(edit, marked)
        yield from ([switch] for switch in self.switches.get(self._field(edit), ()))
        yield from self._of_keys(edit)

    def _of_maps(self, edit: Edit, marked: Marked) -> Iterator[list[Operation]]:
        """By the maps of values that come out at the place of ``edit``, or above it: the nearest first."""
        key, data = self.wanted.place(edit)
        path = edit.path[1:]
        for length in range(len(path), 0, -1):
            for values in marked.maps.get((key, place_of(data, path[:length])), ()):
                operations = self._below(edit, values, value_at(data, path[:length]), path[length:])
                if operations is not None:
                    yield operations

    def _below(self, edit: Edit, values: Path, rendered: Any, rest: Path) -> list[Operation] | None:
        """``edit`` as operations where the map ``values`` comes out as ``rendered``, and ``rest`` leads on from there;
        None where it is not the values that are there."""
        if not rest:
            if isinstance(edit, Set) and isinstance(edit.value, dict):
                return [Operation(Kind.SET, (*values, key), value) for key, value in edit.value.items()]
            return None
        if isinstance(edit, Drop | Insert) and isinstance(rest[-1], int):
            return self._item(edit, (*values, *rest[:-1]), value_at(rendered, rest[:-1]))
        for length, part in enumerate(rest):
            if isinstance(part, int) and value_at(self.values, (*values, *rest[:length])) != value_at(
                rendered, rest[:length]
            ):
                return None
        at = (*values, *rest)
        if isinstance(edit, Append):
            if (value_at(self.values, at) or None) != (value_at(rendered, rest) or None):
                return None
            return [Operation(Kind.APPEND, at, edit.value)]
        if isinstance(edit, Drop):
            return [Operation(Kind.DROP, at)] if value_at(self.values, at) is not None else None
        return [Operation(Kind.SET, at, edit.value)] if isinstance(edit, Set) else None

    def _of_lists(self, edit: Edit, marked: Marked) -> Iterator[list[Operation]]:
        """By the lists of values whose items come out in the list that ``edit`` changes."""
        key, data = self.wanted.place(edit)
        path = edit.path[1:]
        if isinstance(edit, Append):
            for values in marked.lists.get((key, place_of(data, path)), ()):
                yield [Operation(Kind.APPEND, values, edit.value)]
        for length in range(len(path) - 1, 0, -1):
            if not isinstance(path[length], int):
                continue
            item = value_at(data, path[: length + 1])
            for values in marked.lists.get((key, place_of(data, path[:length])), ()):
                index = _index(value_at(self.values, values) or [], item)
                if index is None:
                    continue
                at = (*values, index, *path[length + 1 :])
                if isinstance(edit, Append):
                    yield [Operation(Kind.APPEND, at, edit.value)]
                elif isinstance(edit, Set):
                    yield [Operation(Kind.SET, at, edit.value)]
                elif isinstance(edit, Drop) and length == len(path) - 1:
                    yield [Operation(Kind.REMOVE, values, value_at(self.values, (*values, index)))]

    def _item(self, edit: Edit, values: Path, rendered: Any) -> list[Operation] | None:
        """An item that goes from a list of values, which comes out as it is."""
        given = value_at(self.values, values)
        index = edit.path[-1]
        if not isinstance(edit, Drop) or not isinstance(given, list) or given != rendered or not isinstance(index, int):
            return None
        return [Operation(Kind.REMOVE, values, given[index])]

    def _of_keys(self, edit: Edit) -> Iterator[list[Operation]]:
        """By single keys of values that are called as the field is, or whose text is in it."""
        if not isinstance(edit, Set) or isinstance(edit.value, dict | list):
            return
        key, data = self.wanted.place(edit)
        path = edit.path[1:]
        before = value_at(data, path)
        words = {_plain(part) for part in (key.name, key.kind, *map(str, path))}
        found: list[tuple[int, Path, Any]] = []
        for place, value in [*_scalars(self.values), *((path, None) for path in self.known)]:
            if place and _called(str(place[-1]), str(path[-1])) and type(value) in (type(edit.value), type(None)):
                found.append((_nearness(place, words), place, edit.value))
            elif isinstance(edit.value, str) and isinstance(before, str):
                text = _inner(before, edit.value, value, place)
                if text is not None:
                    found.append((_nearness(place, words), place, text))
        found.sort(key=lambda one: (-one[0], len(one[1])))
        for _, place, value in found[:_MOST_KEYS]:
            yield [Operation(Kind.SET, place, value, guessed=True)]

    def _spoils(self, operations: list[Operation], marked: Marked, hardened: dict[Key, Any]) -> bool:
        """Whether a map of values comes out at another place, too, where nobody wants what may come out there."""
        for operation in operations:
            if operation.kind is not Kind.SET:
                continue
            for length in range(len(operation.path) - 1, 0, -1):
                outlets = marked.outlets.get(operation.path[:length])
                if outlets is None:
                    continue
                rest = operation.path[length:]
                for key, place in outlets:
                    document = self.base.get(key)
                    if document is None or at_place(document.data, place[:-1]) is None:
                        continue  # the mark itself brought it out
                    data = hardened.get(key, document.data)
                    if next(differences(at_place(data, (*place, *rest)), operation.value), None) is not None:
                        return True
                break
        return False

    # Proof.

    def _clusters(self, accepted: list[Way], ways: list[Way]) -> list[list[Way]]:
        """The ways that change the same values are made together, or not at all; those that contradict each other, or
        what is accepted, are not made."""
        clusters: list[list[Way]] = []
        by_key: dict[Path, list[Way]] = {}
        for way in ways:
            touched = [by_key[path] for path in _prefixes(way) if path in by_key]
            merged = [way]
            for other in {id(cluster): cluster for cluster in touched}.values():
                merged += other
                clusters = [cluster for cluster in clusters if cluster is not other]
            clusters.append(merged)
            for member in merged:
                for operation in member.operations:
                    by_key[operation.path] = merged
        found = []
        for cluster in clusters:
            try:
                self._overrides([*accepted, *cluster])
            except ConflictError as conflict:
                for way in cluster:
                    if not way.is_guessed:
                        self.reasons[way.step.number] = f"{conflict} would have to be two values at once"
                continue
            found.append(sorted(cluster, key=lambda way: way.step.number))
        return sorted(found, key=lambda cluster: cluster[0].step.number)

    def _settled(self, accepted: list[Way], clusters: list[list[Way]]) -> list[Way]:
        """``accepted``, and those of ``clusters`` that come out as wanted."""
        if not clusters:
            return accepted
        added = [way for cluster in clusters for way in cluster]
        trial = [*accepted, *added]
        wrong = self._wrong(trial, added)
        if wrong is None:
            return trial
        if len(clusters) == 1:
            for way in clusters[0]:
                if not wrong.is_missed and not way.is_guessed:
                    self.reasons[way.step.number] = wrong.said
                self.reasons.setdefault(way.step.number, _NO_VALUE)
            return accepted
        blamed = [cluster for cluster in clusters if self._is_blamed(cluster, wrong)]
        if blamed and len(blamed) < len(clusters):
            accepted = self._settled(accepted, [cluster for cluster in clusters if cluster not in blamed])
            return self._settled(accepted, blamed)
        half = len(clusters) // 2
        return self._settled(self._settled(accepted, clusters[:half]), clusters[half:])

    def _is_blamed(self, cluster: list[Way], wrong: Wrong) -> bool:
        return any(self.wanted.place(edit)[0] in wrong.keys for way in cluster for edit in way.step.edits)

    def _wrong(self, ways: list[Way], added: list[Way]) -> Wrong | None:
        """What is not as wanted where ``ways`` are made, of which ``added`` are new; None where all is."""
        keys = ", ".join(dict.fromkeys(dotted_key(path) for path in self._overrides(added)))
        try:
            after = self.wanted.after(way.step for way in ways)
        except WrongShapeError:
            return Wrong(set(), "it leans on a change that no value makes")
        try:
            came = self.renders(nested(self._overrides(ways)))
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
        """What of ``came``, a render of the chart with ``ways`` made, is not as wanted; None where all is."""
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


@dataclass(slots=True, eq=False)
class Wrong:
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


def _index(given: list[Any], item: Any) -> int | None:
    """Which of the items ``given`` comes out as ``item``: it is the same, or has its name."""
    if item in given:
        return given.index(item)
    names = [one.get("name") if isinstance(one, dict) else None for one in given]
    name = item.get("name") if isinstance(item, dict) else None
    return names.index(name) if name is not None and names.count(name) == 1 else None


def _prefixes(way: Way) -> Iterator[Path]:
    for operation in way.operations:
        for length in range(1, len(operation.path) + 1):
            yield operation.path[:length]


def _changes_list(edit: Edit, of_maps: bool) -> bool:
    """Whether ``edit`` changes which items a list has, maps or others."""
    if isinstance(edit, Append | Insert):
        return isinstance(edit.value, dict) is of_maps
    return isinstance(edit, Drop) and isinstance(edit.path[-1], int)


def _may_be_list(path: Path) -> bool:
    return bool(re.search(r"(?i)volume|mount|env|args|drop|extra", str(path[-1])))


def _scalars(values: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(values, dict):
        for key, value in values.items():
            yield from _scalars(value, (*path, key))
    elif not isinstance(values, list):
        yield path, values


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _called(key: str, field: str) -> bool:
    """Whether a key of values may be named after a field."""
    one, other = _plain(key), _plain(field)
    return one == other or (min(len(one), len(other)) >= 6 and (one in other or other in one))


def _nearness(path: Path, words: set[str]) -> int:
    """How much of a key is said where the field stands."""
    parts = {_plain(str(part)) for part in path[:-1]}
    return sum(1 for part in parts if any(part and part in word for word in words))


def _inner(before: str, after: str, value: Any, path: Path) -> str | None:
    """What ``value``, a text in ``before``, would have to be for ``after`` to come out; None where it is none."""
    if not isinstance(value, str) or len(value) < 2 or before.count(value) != 1:
        return None
    start, _, end = before.partition(value)
    if not after.startswith(start) or not after.endswith(end) or len(after) < len(start) + len(end):
        return None
    return after[len(start) : len(after) - len(end)]


def _named(key: Key) -> str:
    return f"{key.kind} {key.name}"


def _spoken(place: Place) -> str:
    parts = [str(part.value) if isinstance(part, tuple) else str(part) for part in place]
    return ".".join(parts) or "the whole"
