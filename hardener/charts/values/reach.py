"""Which values reach which steps: candidates from where values come out, then proved by rendering with them.

A step is reached only where the chart, rendered with the overrides, is the rendered chart with that step made, object
by object, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Append, Drop, Edit, Insert, Set, WrongShapeError
from hardener.charts.chart_memory import ChartMemory
from hardener.charts.rendered import Key, Place, SteadyNames, at_place, changed, differences, place_of
from hardener.charts.renders import Objects, Renders, SpentError
from hardener.charts.run_steps import Step, Wanted
from hardener.charts.values import volume_entries
from hardener.charts.values.brought import Brought, brought, without
from hardener.charts.values.candidates import Candidates, Switches, nearness, plain, scalars
from hardener.charts.values.harmless import is_harmless
from hardener.charts.values.markers import Marked, leaves, list_paths, map_paths
from hardener.charts.values.new_keys import above_images, beside_images
from hardener.charts.values.operations import ConflictError, Kind, Operation, Touched, as_values, overrides
from hardener.charts.values.set_values import name_of
from hardener.errors import HardenError
from hardener.support.data_path import Path, dotted, value_at

_MOST_WAYS = 6  # that are tried for one step
_MOST_SWITCHES = 150  # booleans that are tried
_MOST_MAPS = 100  # that need not be handed on, and are tried
_MOST_TEXTS = 150  # single values that get marks
_MOST_MARKS = 8  # renders for the marks of one look
_MOST_SWITCHED = 12  # renders for booleans
_MOST_WIDE = 4  # renders for maps that need not be handed on
_LOOKS_AGAIN = 3  # at a chart that leaves an order to chance
_NO_VALUE = "no value of the chart comes out there"
_NOWHERE = "no value of the chart comes out at"
# Maps that charts hand on as they are; their marks break few templates.
_MAPS = frozenset({"securityContext", "resources"})
_HANDED_ON = re.compile(r"(?i)resources|limits|requests|security|context|capabilities|seccomp|pod|container|extra")


_LOOKS = (
    "_look_at_maps", "_look_at_new_maps", "_look_at_volumes", "_look_at_lists", "_look_at_texts", "_look_at_switches",
    "_look_everywhere",
)  # fmt: skip
_GUESSED_BEHIND = frozenset({"_look_at_texts", "_look_at_switches", "_look_everywhere"})


class Way(Struct, eq=False):
    """How values may make a step: its operations on them, and the volumes that the chart brings in place of others."""

    step: Step
    operations: list[Operation]
    brought: tuple[Brought, ...] = ()

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
    other steps why not. ``spent``: there were not enough renders to try all. ``also``: what follows from the values
    beside that, and does no harm."""

    ways: list[Way]
    overrides: dict[Path, Any]
    reasons: dict[int, str]
    spent: bool = False
    also: Sequence[str] = ()


class Search:
    """Looks for the values of one chart: ``values`` are all that it has as its user renders it, ``given`` what its user
    gives; ``memory`` is what is known of the chart itself, and ``fields`` knows the fields that its templates write
    themselves. What a run learns, the next one knows.

    Values are tried on the part of the chart that ``renders`` have, where they have one, and proved on the whole.
    ``may_look_again``: what is not as wanted may be so since the chart is another one each time. Raises ChartError
    where the chart does not render as it is.
    """

    def __init__(
        self,
        renders: Renders,
        values: dict[str, Any],
        memory: ChartMemory,
        *,
        given: dict[str, Any] | None = None,
        fields: Callable[[str], bool] = lambda name: True,
        may_look_again: bool = True,
    ) -> None:
        self.renders, self.values, self._memory, self._has_field = renders, values, memory, fields
        by_chance, by_time, by_order = memory.chances
        renders.names = None
        first = renders()
        second = renders(fresh=True) if by_chance else first
        renders.names = self._names = SteadyNames(first, second)
        self._keys = self._names.keys(first)
        self.whole = self._names(first)
        self.unsteady = set(changed(self.whole, self._names(second)))  # what is another in each render
        self._looks_again = (_LOOKS_AGAIN if by_order else int(by_time)) if may_look_again else 0
        # What a library has as a default, the chart above it often takes by the same name.
        paths = (*map_paths(values), *(path for path, _ in scalars(values)))
        above = dict.fromkeys(path[1:] for path in paths if len(path) > 1 and path[0] in memory.libraries)
        self._above = [path for path in above if self._may_be_new(path)]
        self.known = [path for path in memory.known if self._may_be_new(path)] + self._above
        self.marked = Marked(renders, values, lambda: self.base, given or {}, memory.breaking)
        self.switches: Switches = {}
        self._candidates = Candidates(values, self.known, self.marked, self.switches, lambda: self.base, self._made_at)
        self._names_of_looks: dict[str, set[str]] = {}
        self._has_looked = False
        self._made: dict[str, Way] = {}
        self._after: tuple[int, dict[Key, Any]] = -1, {}
        self._is_proof = False
        self._beside: dict[tuple[Key, Place], None] = {}  # what came out beside what was wanted, and may

    @cached_property
    def base(self) -> Objects:
        """The part of the chart that values are tried on, as it is; the whole where the part is not as in the whole."""
        if self.renders.part is not None:
            (found,) = self.renders.tried({})
            if not isinstance(found, HardenError) and self._is_part(found):
                return found
            self.renders.part = None
        return self.whole

    def _is_part(self, found: Objects) -> bool:
        for key, document in found.items():
            if key not in self.whole:
                return False
            places = changed({key: self.whole[key]}, {key: document})
            if any(one not in self.unsteady for one in places):
                return False
        return bool(found)

    def run(self, wanted: Wanted) -> Reached:
        """Look for the values of all steps of ``wanted``."""
        wanted.rename(self._keys)
        self.wanted = wanted
        self.accepted: list[Way] = []
        self._after = -1, {}
        self.reasons: dict[int, str] = {}
        self.spent = False
        self._tried: set[tuple[int, str]] = set()
        self._in_vain: set[tuple[int, str]] = set()
        try:
            hardened = wanted.after(wanted.steps)
        except WrongShapeError:  # nothing is known of other places then, and the proof decides
            hardened = {}
        try:
            self._remember()
            self._recall()
            # What is likely and costs little comes first: each look is for what is left by then.
            for name in _LOOKS:
                left = self._left()
                if not left:
                    break
                if not self._has_looked:
                    self._look(name, list(self._lacking(left)))
                self._settle_all(hardened, guesses=False)
                if name in _GUESSED_BEHIND:
                    self._settle_all(hardened, guesses=True)
        except SpentError:
            self.spent = True
        self._has_looked = True
        self.spent = self.spent or (self.renders.spent and bool(self._left()))
        self._prove()
        return self.reached()

    def _lacking(self, steps: list[Step]) -> Iterator[Edit]:
        """The edits of ``steps`` of which nobody has seen yet where values could make them, or where that came to
        nothing."""
        for step in steps:
            if not any(map(self._is_hopeless, step.edits)):
                yield from (edit for edit in step.edits if self._is_lacking(edit))

    def _is_lacking(self, edit: Edit) -> bool:
        found = self._candidates.of(edit, self.wanted, guesses=False)
        return all((id(edit), _text_of(operations)) in self._in_vain for operations in found)

    def _is_hopeless(self, edit: Edit) -> bool:
        """Whether no look found anything for ``edit`` in another release, so that its step need not be looked for."""
        return not any(self._memory.may_find(look, self._kind(edit), edit, self._names_for(look)) for look in _LOOKS)

    def _still(self, edits: list[Edit]) -> list[Edit]:
        """Those of ``edits`` that are lacking by now."""
        left = {id(edit) for edit in self._lacking(self._left())}
        return [edit for edit in edits if id(edit) in left]

    def _remember(self) -> None:
        """Begin with what an earlier run has proved of the same steps."""
        for step in self._left():
            way = self._made.get(_name_of(step))
            if way is not None:
                self.accepted.append(Way(step, way.operations, way.brought))

    def _recall(self) -> None:
        """Try what made the same steps in other releases of the chart: all of it on the whole chart, and where that is
        not what was wanted, part by part."""
        ways = []
        for step in self._left():
            (_, data), *_ = map(self.wanted.place, step.edits)
            operations = self._memory.recipes.way(step, data, self.values)
            if operations is not None:
                ways.append(Way(step, operations))
        clusters = self._clusters(ways)
        if clusters and not self._settle_at_once(clusters):
            self._settle(clusters)

    def _settle_at_once(self, clusters: list[list[Way]]) -> bool:
        """Accept ``clusters`` where the whole chart comes to all of them, and tell whether it does."""
        added = [way for cluster in clusters for way in cluster]
        self._is_proof = True
        try:
            wrong = self._wrong([*self.accepted, *added], added)
        finally:
            self._is_proof = False
        if wrong is None:
            self.accepted += added
        return wrong is None

    def _prove(self) -> None:
        """Keep of what was found what the whole chart comes to, and its schema takes."""
        found, self.accepted = self.accepted, []
        self._is_proof = True
        try:
            self._settle([list(cluster) for cluster in _that_touch(found)])
        finally:
            self._is_proof = False
        self._made = {_name_of(way.step): way for way in self.accepted}
        for way in self.accepted:
            _, data = self.wanted.place(way.step.edits[0])
            self._memory.recipes.learn(way.step, way.operations, data, self.values)

    def _made_at(self, key: Key, place: Place, values: Path) -> list[tuple[Path, Any]]:
        """What the accepted steps make below ``place`` of an object by other values than those at ``values``."""
        if self._after[0] != len(self.accepted):
            try:
                self._after = len(self.accepted), self._after_ways(self.accepted)
            except WrongShapeError:
                self._after = len(self.accepted), {}
        document, after = self.whole.get(key), self._after[1].get(key)
        if document is None or after is None:
            return []
        before = dict(leaves(at_place(document.data, place)))
        made = [(rest, value) for rest, value in leaves(at_place(after, place)) if before.get(rest) != value]
        own = {path for way in self.accepted for path in way.paths}
        return [(rest, value) for rest, value in made if (*values, *rest) not in own]

    def _left(self) -> list[Step]:
        """The steps that no values make yet, of those that values can make."""
        done = {way.step.number for way in self.accepted}
        return [step for step in self.wanted.steps if step.edits and not step.creates and step.number not in done]

    def _settle_all(self, hardened: dict[Key, Any], *, guesses: bool) -> None:
        """Try the ways of what is left that were not tried before, with ``guesses`` those that have some, too."""
        ways: dict[int, list[Way]] = {}
        for step in self._left():
            for way in self._ways(step, hardened, guesses):
                name = _text_of(way.operations)
                if (step.number, name) not in self._tried:
                    self._tried.add((step.number, name))
                    ways.setdefault(step.number, []).append(way)
        for turn in range(max(map(len, ways.values()), default=0)):
            done = {way.step.number for way in self.accepted}
            some = [found[turn] for number, found in ways.items() if number not in done and turn < len(found)]
            self._settle(self._clusters(some))

    def reached(self) -> Reached:
        """Return what came out so far."""
        places: list[tuple[Key, Place]] = list(self._beside)
        places += [(one.key, (*one.pod, "volumes", one.name)) for way in self.accepted for one in way.brought]
        also = [f"{_spoken(place)} of {_named(key)}" for key, place in dict.fromkeys(places)]
        return Reached(self.accepted, self._overrides(self.accepted), self.reasons, self.spent, also)

    def give_up(self, path: Path, reason: str) -> None:
        """Do without the override of ``path``, which cannot be written, and what it is for."""
        for way in self.accepted:
            if any(own[: len(path)] == path for own in way.paths):
                self.reasons[way.step.number] = reason
        self.accepted = [way for way in self.accepted if self.reasons.get(way.step.number) != reason]
        self._made = {_name_of(way.step): way for way in self.accepted}

    # Looks.

    def _look(self, name: str, edits: list[Edit]) -> None:
        """Have the look called ``name`` for ``edits``, but for those that it found nothing for in another release."""
        memory, names = self._memory, self._names_for(name)
        hopeful = [edit for edit in edits if memory.may_find(name, self._kind(edit), edit, names)]
        look: Callable[[list[Edit]], None] = getattr(self, name)
        look(hopeful)
        for edit in self._still(hopeful):
            if not self.renders.spent:
                memory.found_nothing(name, self._kind(edit), edit, names)

    def _names_for(self, look: str) -> set[str]:
        """The names of the values that decide what a look finds."""
        if look not in self._names_of_looks:
            self._names_of_looks[look] = self._names_now(look)
        return self._names_of_looks[look]

    def _names_now(self, look: str) -> set[str]:
        if look == "_look_at_lists":
            return {str(path[-1]) for path in list_paths(self.values)}
        if look in ("_look_at_texts", "_look_at_switches"):
            return {str(path[-1]) for path, value in scalars(self.values) if isinstance(value, bool)}
        return {str(path[-1]) for path in map_paths(self.values) if _HANDED_ON.search(str(path[-1]))}

    def _kind(self, edit: Edit) -> str:
        return self.wanted.place(edit)[0].kind

    def _look_at_maps(self, edits: list[Edit]) -> None:
        """Where maps come out that charts hand on: first those that hold something, which others may stand in for, then
        the empty ones and new ones beside images, then what else may be new."""
        for some in self._handed_on():
            if not _of_maps(edits):
                break
            self.marked.find_maps(some, _MOST_MARKS)
            edits = self._still(edits)

    def _look_at_new_maps(self, edits: list[Edit]) -> None:
        """Where those maps come out that need not have been asked, for what came to nothing by the others."""
        for some in self._handed_on() if _of_maps(edits) else ():
            self.marked.find_maps(some, _MOST_WIDE)

    def _handed_on(self) -> list[list[Path]]:
        maps = [path for path in map_paths(self.values) if _HANDED_ON.search(str(path[-1]))]
        full = [path for path in maps if value_at(self.values, path)]
        known = [path for path in self.known if _HANDED_ON.search(str(path[-1])) and self._has_parent(path)]
        above = [path for path in self._above if _HANDED_ON.search(str(path[-1]))]
        return [
            [*full, *above],
            [*(path for path in maps if path not in set(full)), *beside_images(self.values)],
            above_images(self.values),
            known,
        ]

    def _look_at_volumes(self, edits: list[Edit]) -> None:
        """Which maps hold volumes by name, each with where it is mounted."""
        if any(volume_entries.is_volume(edit) for edit in edits):
            maps = [*map_paths(self.values), *(path for path in self.known if self._has_parent(path))]
            self.marked.find_entries([path for path in maps if volume_entries.may_hold(path)], _MOST_WIDE)

    def _has_parent(self, path: Path) -> bool:
        """Whether one key alone would be new, or where it stands for a pod, two."""
        return len(path) < 3 or value_at(self.values, path[:-2]) is not None

    def _look_at_lists(self, edits: list[Edit]) -> None:
        """Where lists come out: those that get items, and those whose items are changed; first those that are called as
        the list is."""
        new = (path for path in self.known if _may_be_list(path) and self._has_parent(path))
        lists = [*list_paths(self.values), *new]
        for some, most in ((_called_alike(lists, edits), _MOST_MARKS), (lists, _MOST_WIDE)):
            for of_maps in _kinds_of_items(edits):
                self.marked.find_lists(some, of_maps=of_maps, most=most)
            edits = self._still(edits)

    def _look_at_texts(self, edits: list[Edit]) -> None:
        """Where single values come out that are called as a field is that ``edits`` set."""
        called = [path for edit in edits for path in self._candidates.called(edit, self.wanted)]
        self.marked.find_texts(called[:_MOST_TEXTS], _MOST_MARKS)
        if any(isinstance(edit, Set) for edit in self._still(edits)):
            switches = [path for path, value in scalars(self.values) if value is True]
            self.marked.find_texts(switches[:_MOST_TEXTS], _MOST_WIDE)

    def _look_at_switches(self, edits: list[Edit]) -> None:
        """Which booleans change the fields that ``edits`` change, whatever they are called."""
        fields = {self._field(edit) for edit in edits if isinstance(edit, Set)}
        wanted = {(key, place) for key, place in fields if place and self._has_field(str(place[-1]))}
        waiting = self._switches_by_name(wanted) if wanted else []
        before = self.renders.count
        while waiting and self.renders.count - before < _MOST_SWITCHED:
            some, waiting = waiting[:2], waiting[2:]
            found = self.renders.tried(*(as_values({path: not value for path, value in each}) for each in some))
            for each, came in zip(some, found, strict=True):
                half = len(each) // 2
                halves = [each[:half], each[half:]] if half else []
                if isinstance(came, HardenError):
                    waiting += halves
                elif self._turns(each, came, wanted):
                    waiting = [*halves, *waiting]  # one of them is a switch

    def _turns(self, some: list[tuple[Path, bool]], came: Objects, wanted: set[tuple[Key, Place]]) -> bool:
        """Whether the switches ``some`` turn one of the fields ``wanted`` over."""
        found = set(changed(self.base, came)) & wanted
        if len(some) == 1:
            (path, value) = some[0]
            for outlet in found:
                self.switches.setdefault(outlet, []).append(Operation(Kind.SET, path, not value))
        return bool(found)

    def _switches_by_name(self, wanted: set[tuple[Key, Place]]) -> list[list[tuple[Path, bool]]]:
        """The booleans of the values: those that are called like what is to change, then what could be on, and what
        could be off; what is off hides, as a rule, what others turn over."""
        words = {plain(str(part)) for _, place in wanted for part in place[-3:]}
        switches = [(path, value) for path, value in scalars(self.values) if isinstance(value, bool)][:_MOST_SWITCHES]
        near = [one for one in switches if nearness((*one[0], ""), words)]
        off = [one for one in switches if one not in near and not one[1]]
        on = [one for one in switches if one not in near and one[1]]
        return [some for some in (near, off, on) if some]

    def _look_everywhere(self, edits: list[Edit]) -> None:
        """Where any other map comes out; those first whose names are said where something is to change."""
        # What stands in a pod itself is no key of a map that charts hand on under another name.
        fields = [self._field(edit) for edit in edits if len(edit.path) < 2 or edit.path[-2] != "spec"]
        if not fields:
            return
        words = {plain(str(part)) for key, place in fields for part in (key.name, *place)}
        known = (path for path in self.known if self._has_parent(path))
        maps = sorted([*map_paths(self.values), *known], key=lambda path: -nearness((*path, ""), words))
        self.marked.find_maps(maps[:_MOST_MAPS], _MOST_WIDE)

    def _field(self, edit: Edit) -> tuple[Key, Place]:
        key, data = self.wanted.place(edit)
        return key, place_of(data, edit.path[1:])

    def _may_be_new(self, path: Path) -> bool:
        """Whether the values have nothing at ``path`` and could."""
        above = (value_at(self.values, path[:length]) for length in range(1, len(path)))
        fits = all(
            isinstance(value, list if isinstance(part, int) else dict | None)
            for value, part in zip(above, path[1:], strict=True)
        )
        return fits and value_at(self.values, path) is None

    # Candidates.

    def _ways(self, step: Step, hardened: dict[Key, Any], guesses: bool) -> Iterator[Way]:
        """The ways to make ``step``, the likeliest first."""
        found: list[list[list[Operation]]] = []
        for edit in step.edits:
            candidates = self._candidates.of(edit, self.wanted, guesses=guesses)
            own = sorted(candidates, key=lambda operations: self._candidates.spoils(operations, hardened))[:_MOST_WAYS]
            if not own:
                if self.reasons.get(step.number, _NOWHERE).startswith(_NOWHERE):  # the last look knows most
                    self.reasons[step.number] = f"{_NOWHERE} {dotted(edit.path[1:])}"
                return
            found.append(own)
            self._in_vain |= {(id(edit), _text_of(operations)) for operations in own}
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
        for operation in (one for way in cluster for one in way.operations if not one.weak):
            accepted.check(operation)
            own.check(operation)
            own.add(operation)
        self._overrides(cluster)

    def _settle(self, clusters: list[list[Way]]) -> None:
        """Accept those of ``clusters`` that come out as wanted."""
        waiting = [clusters] if clusters else []
        while waiting:
            some = waiting.pop(0)
            added = [way for cluster in some for way in cluster]
            wrong = self._wrong([*self.accepted, *added], added)
            if wrong is None:
                self.accepted += added
            elif len(some) == 1 and (again := self._with_brought(added, wrong)):
                waiting = [[again], *waiting]
            elif len(some) == 1:
                self._give_reasons(added, wrong)
            else:
                waiting = [*self._parted(some, wrong), *waiting]

    def _with_brought(self, ways: list[Way], wrong: Wrong) -> list[Way] | None:
        """``ways`` without the volumes for which the chart has brought others, as what came of them shows; None where
        there are none."""
        found = [self._without_brought(way, wrong.came) for way in ways] if wrong.came is not None else []
        return found if any(one is not way for one, way in zip(found, ways, strict=False)) else None

    def _without_brought(self, way: Way, came: Objects) -> Way:
        base = self.whole if self._is_proof else self.base
        for edit in way.step.edits:
            volume = brought(edit, self.wanted.place(edit)[0], base, came)
            left = without(way.operations, volume) if volume is not None else None
            if volume is not None and left is not None:
                way = Way(way.step, left, (*way.brought, volume))
        return way

    def _after_ways(self, ways: Iterable[Way]) -> dict[Key, Any]:
        """The objects that ``ways`` change, as they are to come out. Raises WrongShapeError."""
        some = list(ways)
        made = self.wanted.after(way.step for way in some)
        for volume in (one for way in some for one in way.brought):
            volume.rename(made[volume.key])
        return made

    def _parted(self, clusters: list[list[Way]], wrong: Wrong) -> list[list[list[Way]]]:
        """``clusters``, which are ``wrong`` together, in parts that are tried one after the other. What did not come
        out at all, together with all others, is not tried again."""
        missed = [cluster for cluster in clusters if self._is_missed(cluster, wrong)]
        for cluster in missed:
            self._give_reasons(cluster, Wrong(set(), _NO_VALUE, is_missed=True))
        left = [cluster for cluster in clusters if cluster not in missed]
        if missed:
            return [left] if left else []
        blamed = [cluster for cluster in clusters if self._is_blamed(cluster, wrong)]
        if blamed and len(blamed) < len(clusters):
            return [[cluster for cluster in clusters if cluster not in blamed], blamed]
        half = len(clusters) // 2
        return [clusters[:half], clusters[half:]]

    def _is_missed(self, cluster: list[Way], wrong: Wrong) -> bool:
        """Whether nothing that ``cluster`` wants is any different from what it was."""
        if wrong.came is None:
            return False
        fields = [self._field(edit) for way in cluster for edit in way.step.edits]
        return all(self._is_as_before(key, place, wrong.came) for key, place in fields)

    def _is_as_before(self, key: Key, place: Place, came: Objects) -> bool:
        before, after = self.base.get(key), came.get(key)
        if before is None or after is None:
            return before is after
        return next(differences(at_place(before.data, place), at_place(after.data, place)), None) is None

    def _give_reasons(self, ways: list[Way], wrong: Wrong) -> None:
        for way in ways:
            if not wrong.is_missed and not way.is_guessed:
                self.reasons[way.step.number] = wrong.said
            self.reasons.setdefault(way.step.number, _NO_VALUE)

    def _is_blamed(self, cluster: list[Way], wrong: Wrong) -> bool:
        return any(self.wanted.place(edit)[0] in wrong.keys for way in cluster for edit in way.step.edits)

    def _wrong(self, ways: list[Way], added: list[Way]) -> Wrong | None:
        """What is not as wanted where ``ways`` are made, of which ``added`` are new; None where all is."""
        keys = ", ".join(dict.fromkeys(name_of(path) for path in self._overrides(added)))
        try:
            after = self._after_ways(ways)
        except WrongShapeError:
            return Wrong(set(), "it leans on a change that no value makes")
        values = self._overrides(ways)
        came = self._rendered(as_values(values))
        if isinstance(came, HardenError):
            return Wrong(set(), f"helm refuses {keys}: {came}")
        wrong = self._steadily_compared(after, came, keys, values)
        if wrong is not None:
            wrong.came = came
        return wrong

    def _rendered(self, values: dict[str, Any]) -> Objects | HardenError:
        """The chart with ``values``: the whole where they are proved, else the part that they are tried on."""
        if not self._is_proof:
            return self.renders.tried(values)[0]
        try:
            return self.renders(values)
        except HardenError as error:
            return error

    def _steadily_compared(
        self, after: dict[Key, Any], came: Objects, keys: str, values: dict[Path, Any]
    ) -> Wrong | None:
        wrong = self._compared(after, came, keys, values)
        while wrong is not None and self._looks_again:
            # A time in seconds is the same in two renders that follow each other, and another one later. So may be an
            # order that is left to chance.
            self._looks_again -= 1
            self.unsteady |= set(changed(self.whole, self.renders(fresh=True)))
            wrong = self._compared(after, came, keys, values)
        return wrong

    def differs(self, ways: list[Way], came: Objects) -> str | None:
        """Return what of ``came``, a render of the chart with ``ways`` made, is not as wanted; None where all is."""
        came = came if self.renders.names is None else self.renders.names(came)
        self._is_proof = True
        wrong = self._steadily_compared(self._after_ways(ways), came, "the values", self._overrides(ways))
        self._is_proof = False
        return None if wrong is None else wrong.said

    def _compared(self, after: dict[Key, Any], came: Objects, keys: str, changing: dict[Path, Any]) -> Wrong | None:
        self._beside = {}
        wrong: set[Key] = set()
        said, missed = "", False
        base = self.whole if self._is_proof else self.base
        for key in {**base, **came}:
            document, other = base.get(key), came.get(key)
            if (key, ()) in self.unsteady:
                continue
            if document is None or other is None:
                wrong.add(key)
                said = said or f"{keys} makes {_named(key)} {'come' if document is None else 'go'}"
                continue
            if key not in after and document.text == other.text:
                continue
            for place in self._differing(key, after.get(key, document.data), document.data, other.data, changing):
                wrong.add(key)
                if _is_new(after.get(key), document.data, place):
                    said = said or f"{keys} also changes {_spoken(place)} of {_named(key)}"
                else:
                    missed = True
        return Wrong(wrong, said or f"{keys} does not do it", missed) if wrong else None

    def _differing(self, key: Key, wanted: Any, before: Any, came: Any, changing: dict[Path, Any]) -> Iterator[Place]:
        """Where an object that ``came`` is not as ``wanted``, but for what differs by itself; what it may have beside
        that is kept in mind."""
        for place in differences(wanted, came):
            if (key, place) in self.unsteady:
                continue
            if key in self.whole and is_harmless(key, place, before, came, changing):
                self._beside[key, place] = None
            else:
                yield place

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
        strong = [operation for operation in way.operations if not operation.weak]
        for operation in strong:
            for near in known.near(operation):
                groups[group(owners[id(near)])] = group(number)
        for operation in strong:
            if known.add(operation):
                owners[id(operation)] = number
    clusters: dict[int, list[Way]] = {}
    for number, way in enumerate(ways):
        clusters.setdefault(group(number), []).append(way)
    return clusters.values()


class Wrong(Struct, eq=False):
    """What came out otherwise: the objects, and one sentence about the first of them. ``is_missed``: something that was
    wanted did not come out. ``came`` is all that came out; None where nothing did."""

    keys: set[Key]
    said: str
    is_missed: bool = False
    came: Objects | None = None


def _text_of(operations: Iterable[Operation]) -> str:
    return repr([(one.kind, one.path, one.value) for one in operations])


def _name_of(step: Step) -> str:
    """What tells a step from others, in another run over the same render, too."""
    first = step.changes[0]
    edits = [
        (str(one.object), one.edit.path, type(one.edit).__name__, getattr(one.edit, "value", None))
        for one in step.changes
    ]
    return repr((first.transform.id, edits))


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


def _called_alike(lists: list[Path], edits: list[Edit]) -> list[Path]:
    """Those of ``lists`` that are called as a list is that ``edits`` change."""
    stems = {plain(str(part)).rstrip("s") for edit in edits for part in edit.path[1:] if _may_be_list((part,))}
    return [path for path in lists if any(stem in plain(str(path[-1])) for stem in stems)]


def _kinds_of_items(edits: list[Edit]) -> list[bool]:
    """Whether ``edits`` ask for lists of maps (True), and of others (False)."""
    inside = any(isinstance(part, int) for edit in edits for part in edit.path[1:])
    return [
        of_maps
        for of_maps in (True, False)
        if (inside and of_maps) or any(_changes_list(edit, of_maps) for edit in edits)
    ]


def _of_maps(edits: Iterable[Edit]) -> bool:
    """Whether one of ``edits`` changes what charts take as a map."""
    return any(not _MAPS.isdisjoint(edit.path) for edit in edits)


def _may_be_list(path: Path) -> bool:
    return bool(re.search(r"(?i)volume|(?<!auto)mount|env|args|drop|extra", str(path[-1])))


def _named(key: Key) -> str:
    return f"{key.kind} {key.name}"


def _spoken(place: Place) -> str:
    parts = [str(part.value) if isinstance(part, tuple) else str(part) for part in place]
    return ".".join(parts) or "the whole"
