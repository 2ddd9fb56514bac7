"""How values may make an edit of a rendered chart: by the maps and lists of them that come out there, by switches, and
by single keys that are called like it. Nothing is proved here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from hardener.authoring.edits import Append, Drop, Edit, Insert, Set
from hardener.charts.rendered import Key, Place, at_place, differences, place_of
from hardener.charts.renders import Objects
from hardener.charts.run_steps import Wanted
from hardener.charts.values import volume_entries
from hardener.charts.values.markers import Marked
from hardener.charts.values.operations import Kind, Operation
from hardener.charts.values.recipes import images_of
from hardener.support.data_path import Path, value_at

_MOST_KEYS = 12  # single keys that are tried for one edit

_MOST_PARTS = 12  # signs between words of a text

Switches = dict[tuple[Key, Place], list[Operation]]
"""The booleans of values, by the field that they change."""


class Candidates:
    """For one chart, whose ``values`` are all that it has, and ``known`` keys that may be there as well; ``marked``
    knows where values come out, and ``base`` gives the chart as it is rendered, ``made_at`` what is made at a
    place by now."""

    def __init__(
        self,
        values: dict[str, Any],
        known: list[Path],
        marked: Marked,
        switches: Switches,
        base: Callable[[], Objects],
        made_at: Callable[[Key, Place, Path], list[tuple[Path, Any]]],
    ) -> None:
        self.values, self.marked, self.switches, self._base, self._made_at = values, marked, switches, base, made_at
        found = [*scalars(values), *((path, None) for path in known)]
        self._called: dict[str, list[tuple[Path, Any]]] = {}
        self._texts: dict[str, list[Path]] = {}
        for path, value in found:
            if path:
                self._called.setdefault(plain(str(path[-1])), []).append((path, value))
            if path and isinstance(value, str):
                self._texts.setdefault(value, []).append(path)

    def of(self, edit: Edit, wanted: Wanted, *, guesses: bool) -> Iterator[list[Operation]]:
        """Yield the operations on values that may make ``edit``, one way after the other, the likeliest first; with
        ``guesses`` also those for which only a name speaks."""
        key, data = wanted.place(edit)
        yield from self._of_maps(edit, key, data)
        yield from self._of_entries(edit, key, data)
        yield from self._of_lists(edit, key, data)
        yield from ([switch] for switch in self.switches.get((key, place_of(data, edit.path[1:])), ()))
        for operations in self._of_keys(edit, key, data):
            if guesses or not operations[0].guessed:
                yield operations

    def _of_maps(self, edit: Edit, key: Key, data: Any) -> Iterator[list[Operation]]:
        """By the maps of values that come out at the place of ``edit``, or above it: the nearest first."""
        path = edit.path[1:]
        for length in range(len(path), 0, -1):
            place = place_of(data, path[:length])
            for values in self.marked.maps.get((key, place), ()):
                beside = self.marked.beside.get((values, key, place), [])
                operations = self._below(edit, values, value_at(data, path[:length]), path[length:], beside=beside)
                if operations is None:
                    continue
                yield [*operations, *beside]
                # A map for one pod may take the place of that for all pods, by which something is made already.
                made = self._made_at(key, place, values)
                if made:
                    kept = [Operation(Kind.SET, (*values, *at), value, weak=True) for at, value in made]
                    yield [*operations, *beside, *kept]

    def _below(
        self, edit: Edit, values: Path, rendered: Any, rest: Path, *, beside: Sequence[Operation] = ()
    ) -> list[Operation] | None:
        """``edit`` as operations where the map ``values`` comes out as ``rendered``, and ``rest`` leads on from there;
        None where it is not the values that are there, nor are they set ``beside`` it."""
        if not rest:
            if isinstance(edit, Set) and isinstance(edit.value, dict):
                return [Operation(Kind.SET, (*values, key), value) for key, value in edit.value.items()]
            return None
        if isinstance(edit, Drop | Insert) and isinstance(rest[-1], int):
            return self._item(edit, (*values, *rest[:-1]), value_at(rendered, rest[:-1]))
        if beside and isinstance(edit, Append):
            return [Operation(Kind.SET, (*values, *rest), [*(value_at(rendered, rest) or []), edit.value])]
        lists = (rest[:length] for length, part in enumerate(rest) if isinstance(part, int))
        if any(value_at(self.values, (*values, *way)) != value_at(rendered, way) for way in lists):
            return None
        return self._at(edit, (*values, *rest), value_at(rendered, rest))

    def _at(self, edit: Edit, at: Path, rendered: Any) -> list[Operation] | None:
        """``edit`` made to the value ``at``, which comes out as ``rendered``."""
        given = value_at(self.values, at)
        if isinstance(edit, Append):
            return [Operation(Kind.APPEND, at, edit.value)] if (given or None) == (rendered or None) else None
        if isinstance(edit, Drop):
            return [Operation(Kind.DROP, at)] if given is not None else None
        return [Operation(Kind.SET, at, edit.value)] if isinstance(edit, Set) else None

    def _of_lists(self, edit: Edit, key: Key, data: Any) -> Iterator[list[Operation]]:
        """By the lists of values whose items come out in the list that ``edit`` changes."""
        path = edit.path[1:]
        if isinstance(edit, Append):
            for values in self.marked.lists.get((key, place_of(data, path)), ()):
                yield [Operation(Kind.APPEND, values, edit.value)]
        for length in range(len(path) - 1, 0, -1):
            if not isinstance(path[length], int):
                continue
            item = value_at(data, path[: length + 1])
            for values in self.marked.lists.get((key, place_of(data, path[:length])), ()):
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

    def _of_entries(self, edit: Edit, key: Key, data: Any) -> Iterator[list[Operation]]:
        """By the maps of values that hold volumes by their names."""
        pod = volume_entries.pod_of(edit)
        if pod is None:
            return
        image = next(iter(images_of(edit, data, self.values)), None)
        for values in self.marked.entries.get((key, place_of(data, (*pod, "volumes"))), ()):
            yield from volume_entries.operations(edit, values, image)

    def _item(self, edit: Edit, values: Path, rendered: Any) -> list[Operation] | None:
        """An item that goes from a list of values, which comes out as it is."""
        given = value_at(self.values, values)
        index = edit.path[-1]
        if not isinstance(edit, Drop) or not isinstance(given, list) or given != rendered or not isinstance(index, int):
            return None
        return [Operation(Kind.REMOVE, values, given[index])]

    def _of_keys(self, edit: Edit, key: Key, data: Any) -> Iterator[list[Operation]]:
        """By single keys of values that are called as the field is, or whose text is in it."""
        if not isinstance(edit, Set) or isinstance(edit.value, dict | list):
            return
        path = edit.path[1:]
        before = value_at(data, path)
        words = {plain(part) for part in (key.name, key.kind, *map(str, path))}
        field = plain(str(path[-1]))
        kinds = type(edit.value), type(None)
        found = [
            (nearness(place, words), place, edit.value)
            for called, keys in self._called.items()
            if _is_called(called, field)
            for place, value in keys
            if type(value) in kinds
        ]
        if isinstance(edit.value, str) and isinstance(before, str):
            found += [(nearness(place, words), place, text) for place, text in self._in_text(before, edit.value)]
        found.sort(key=lambda one: (-one[0], len(one[1])))
        seen = self.marked.texts.get((key, place_of(data, path)), ())
        yield from (
            [Operation(Kind.SET, place, value, guessed=place not in seen)]
            for _, place, value in found[:_MOST_KEYS]
            if place in seen or self._may_be_guessed(place, value)
        )

    def _in_text(self, before: str, after: str) -> Iterator[tuple[Path, str]]:
        """The texts of values that a part of ``before`` may be, and what each would be for ``after``."""
        for part in _parts(before):
            text = _inner(before, after, part)
            if text is not None:
                yield from ((place, text) for place in self._texts.get(part, ()))

    def _may_be_guessed(self, place: Path, value: Any) -> bool:
        """Whether the single value at ``place`` may decide about a field in which nobody saw it: as a switch, or since
        nobody has looked."""
        return isinstance(value, bool) or not self.marked.was_asked(place)

    def called(self, edit: Edit, wanted: Wanted) -> Iterator[Path]:
        """Yield the single values that are called as the field that ``edit`` sets, or stand in it."""
        key, data = wanted.place(edit)
        for (operation,) in self._of_keys(edit, key, data):
            yield operation.path

    def spoils(self, operations: list[Operation], hardened: dict[Key, Any]) -> bool:
        """Tell whether a map of values comes out at another place, too, where nobody wants what may come out there."""
        for operation in operations:
            if operation.kind is not Kind.SET:
                continue
            for length in range(len(operation.path) - 1, 0, -1):
                outlets = self.marked.outlets.get(operation.path[:length])
                if outlets is None:
                    continue
                rest = operation.path[length:]
                for key, place in outlets:
                    document = self._base().get(key)
                    if document is None or at_place(document.data, place[:-1]) is None:
                        continue  # the mark itself brought it out
                    data = hardened.get(key, document.data)
                    if next(differences(at_place(data, (*place, *rest)), operation.value), None) is not None:
                        return True
                break
        return False


def _index(given: list[Any], item: Any) -> int | None:
    """Which of the items ``given`` comes out as ``item``: it is the same, or has its name."""
    if item in given:
        return given.index(item)
    names = [one.get("name") if isinstance(one, dict) else None for one in given]
    name = item.get("name") if isinstance(item, dict) else None
    return names.index(name) if name is not None and names.count(name) == 1 else None


def scalars(values: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the values that are neither maps nor lists, and lie in no list, each with its path."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from scalars(value, (*path, key))
    elif not isinstance(values, list):
        yield path, values


def plain(text: str) -> str:
    """Return a name in small letters, without the signs between its words."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _is_called(one: str, other: str) -> bool:
    """Whether a key of values may be named after a field, both without signs between words."""
    return one == other or (min(len(one), len(other)) >= 6 and (one in other or other in one))


def nearness(path: Path, words: set[str]) -> int:
    """Return how much of a key is said where the field stands."""
    parts = {plain(str(part)) for part in path[:-1]}
    return sum(1 for part in parts if any(part and part in word for word in words))


def _parts(text: str) -> Iterator[str]:
    """What a template may have put together to ``text``: all that begins and ends at a sign between words."""
    ends = [match.start() for match in islice(re.finditer(r"[/:@]", text), _MOST_PARTS)]
    for number, begin in enumerate([0, *(end + 1 for end in ends)]):
        yield from (text[begin:end] for end in [*ends[number:], len(text)])


def _inner(before: str, after: str, value: str) -> str | None:
    """What ``value``, a part of ``before``, would have to be for ``after`` to come out; None where it cannot."""
    if len(value) < 2 or before.count(value) != 1:
        return None
    start, _, end = before.partition(value)
    if not after.startswith(start) or not after.endswith(end) or len(after) < len(start) + len(end):
        return None
    return after[len(start) : len(after) - len(end)]
