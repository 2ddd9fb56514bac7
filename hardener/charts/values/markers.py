"""Where the values of a chart come out: each map and list of them gets a mark, and where a mark comes out is where that
map or list goes."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hardener.charts.rendered import Key, Place, at_place, place_of
from hardener.charts.renders import Objects, Renders, SpentError
from hardener.charts.values.operations import Kind, Operation
from hardener.charts.values.set_values import keys_of
from hardener.charts.values.volume_entries import entry_at
from hardener.errors import HardenError
from hardener.kubernetes.secrets.secret_values import found_secrets
from hardener.support.data_path import Path, value_at

Outlets = dict[tuple[Key, Place], list[Path]]
"""The values that come out at a place, the likeliest first."""

ENABLED = "enabled"
_NAME = "hardenprobe"
_MARK = re.compile(rf"{_NAME}([0-9]+)x")
_SAID = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")  # what helm says of the value that it cannot work with


_WORD = re.compile(r"[\w-]+")


class Marked:
    """The values of a chart, ``values`` all of them, ``given`` those of its user alone, and where they come out of it;
    ``base`` gives the chart as it is rendered, ``breaking`` holds what no render took a mark of."""

    def __init__(
        self,
        renders: Renders,
        values: dict[str, Any],
        base: Callable[[], Objects],
        given: Mapping[str, Any],
        breaking: set[tuple[str, Path]],
    ) -> None:
        self._renders, self._values, self._base, self._given = renders, values, base, given
        self._breaking = breaking
        self.maps: Outlets = {}
        self.lists: Outlets = {}
        self.texts: Outlets = {}
        self.entries: Outlets = {}
        self.outlets: dict[Path, set[tuple[Key, Place]]] = {}
        self.beside: dict[tuple[Path, Key, Place], list[Operation]] = {}
        """What has to be set, too, for a map to come out there as it does, with what stands there today."""
        self._asked: set[tuple[str, Path]] = set()

    def find_maps(self, paths: Iterable[Path], most: int | None = None) -> None:
        """Look where the maps at ``paths`` come out, by at most ``most`` renders; one that is not there is tried as a
        new one, and one that is switched off is switched on."""
        self._find("map", paths, self.maps, _map_marks, _marked_maps, most)

    def find_lists(self, paths: Iterable[Path], *, of_maps: bool, most: int | None = None) -> None:
        """Look where the lists at ``paths`` come out, by an item that is a map or a text."""
        how, mark = ("maps", _map_items) if of_maps else ("texts", _texts)
        self._find(how, paths, self.lists, mark, _marked_lists, most)

    def find_texts(self, paths: Iterable[Path], most: int | None = None) -> None:
        """Look where the single values at ``paths`` come out, alone or in a longer text."""
        self._find("text", paths, self.texts, _text_marks, _marked_texts, most)

    def find_entries(self, paths: Iterable[Path], most: int | None = None) -> None:
        """Look which of the maps at ``paths`` hold volumes by name."""
        self._find("entry", paths, self.entries, _entry_marks, _marked_volumes, most)

    def was_asked(self, path: Path) -> bool:
        """Whether it is known where the single value at ``path`` comes out as it is, if it does."""
        return ("text", path) in self._asked

    def _find(
        self,
        how: str,
        paths: Iterable[Path],
        into: Outlets,
        mark: Callable[[Any, str], Any],
        marked: Callable[[Any], Iterator[tuple[int, Path]]],
        most: int | None,
    ) -> None:
        known = self._asked | self._breaking
        asked = [path for path in dict.fromkeys(paths) if (how, path) not in known]
        self._asked.update((how, path) for path in asked)
        came: set[Path] = set()
        for some, objects in self._tolerated(asked, mark, most):
            came.update(some)
            names = self._names_before(objects)
            for key, document in objects.items():
                if _NAME not in document.text:
                    continue
                for number, path in marked(document.data):
                    if number < len(some):
                        outlet = names.get(key, key), place_of(document.data, path)
                        self._note(some[number], outlet, into, document.data)
        if not self._renders.spent:
            self._breaking.update((how, path) for path in asked if path not in came)
        for outlet, paths_there in into.items():
            ranks = {path: self._rank(path, outlet, paths_there) for path in paths_there}
            paths_there.sort(key=ranks.__getitem__)

    def _note(self, path: Path, outlet: tuple[Key, Place], into: Outlets, data: Any) -> None:
        self.outlets.setdefault(path, set()).add(outlet)
        there = into.setdefault(outlet, [])
        if path in there:
            return
        if into is self.maps:
            beside = self._beside(path, outlet, data)
            if beside is None:
                return
            self.beside[path, *outlet] = beside
        there.append(path)

    def _beside(self, path: Path, outlet: tuple[Key, Place], data: Any) -> list[Operation] | None:
        """What has to be set with the map at ``path`` so that nothing else changes at ``outlet``; None where that can
        not be."""
        key, place = outlet
        document = self._base().get(key)
        before = at_place(document.data, place) if document is not None else None
        after = _without_marks(at_place(data, place))
        was, now = dict(leaves(before)), dict(leaves(after))
        lost = {rest: value for rest, value in was.items() if rest not in now}
        if lost and any(True for _ in found_secrets(before)):
            return None  # a secret is copied nowhere
        found = [Operation(Kind.SET, (*path, *rest), value, weak=True) for rest, value in lost.items()]
        if _is_off(value_at(self._values, path)):
            if (ENABLED,) in now.keys() - was.keys():
                return None  # it is no switch of the map, but a field
            found.append(Operation(Kind.SET, (*path, ENABLED), True))
            found += [Operation(Kind.DROP, (*path, *rest), weak=True) for rest in now if rest not in was]
        return found

    def _rank(
        self, path: Path, outlet: tuple[Key, Place], others: list[Path]
    ) -> tuple[bool, bool, bool, int, int, int]:
        """The best first: what takes the place of nothing, what the user writes, no other name of the same, what is in
        use, what comes out at the fewest places."""
        replaces = bool(self.beside.get((path, *outlet)))
        is_alias = any(len(other) < len(path) and path[-len(other) :] == other for other in others)
        use = self._use(path)
        return replaces, use > 0, is_alias, use, len(self.outlets[path]), -len(path)

    def _use(self, path: Path) -> int:
        """0 for what the user of the chart writes, 1 for what the chart has, 2 for what nobody has written yet."""
        for number, values in enumerate((self._given, self._values)):
            if value_at(values, path) is not None or (len(path) > 1 and value_at(values, path[:-1])):
                return number
        return 2

    def _names_before(self, objects: Objects) -> dict[Key, Key]:
        """What objects were called before a mark got into their names: as many of one kind from one template."""
        gone: dict[tuple[str, str], list[Key]] = {}
        new: dict[tuple[str, str], list[Key]] = {}
        base = self._base()
        for found, some, others in ((gone, base, objects), (new, objects, base)):
            for key, document in some.items():
                if key not in others:
                    found.setdefault((document.source, key.kind), []).append(key)
        return {
            one: other
            for place, keys in new.items()
            if len(keys) == len(gone.get(place, ()))
            for one, other in zip(keys, gone[place], strict=True)
        }

    def _tolerated(
        self, paths: Sequence[Path], mark: Callable[[Any, str], Any], most: int | None
    ) -> Iterator[tuple[list[Path], Objects]]:
        """The renders with marks at ``paths``. What helm says it cannot work with is tried last; where it says nothing
        of it, marks are halved until the chart takes them."""
        waiting = [list(paths)] if paths else []
        last: list[Path] = []
        is_last = False
        before = self._renders.count
        while waiting or (last and not is_last):
            if most is not None and self._renders.count - before >= most:
                return
            if not waiting:
                waiting, is_last = [last], True
            some, waiting = waiting[:2], waiting[2:]
            try:
                found = self._renders.tried(*(self._with_marks(each, mark) for each in some))
            except SpentError:
                return
            for each, objects in zip(some, found, strict=True):
                if not isinstance(objects, HardenError):
                    yield each, objects
                    continue
                parts, blamed = self._parted(each, str(objects), is_last=is_last)
                waiting += parts
                last += blamed

    def _parted(self, paths: list[Path], said: str, *, is_last: bool) -> tuple[list[list[Path]], list[Path]]:
        """What of ``paths`` is tried next where helm ``said`` that it takes no marks there, and what it blames."""
        blamed = [path for number, path in enumerate(paths) if self._is_said(number, path, said)]
        left = [path for path in paths if path not in blamed]
        if blamed and (left or is_last):
            return [left] if left else [], blamed
        return _halves(paths), []

    def _is_said(self, number: int, path: Path, said: str) -> bool:
        """Whether helm names the mark at ``path``, the value there, or a key on the way that nobody has written yet."""
        if f"{_NAME}{number}x" in said:
            return True
        keys = tuple(str(part) for part in path)
        names = [tuple(match[1][1:].split(".")) for match in _SAID.finditer(said)]
        # The values of a chart below stand under its name, which its templates do not say.
        if any(_meet(own, name) for own in (keys, keys[1:]) for name in names):
            return True
        new = {keys[n] for n in range(len(path)) if value_at(self._values, path[: n + 1]) is None}
        return not new.isdisjoint(_WORD.findall(said))

    def _with_marks(self, paths: list[Path], mark: Callable[[Any, str], Any]) -> dict[str, Any]:
        """Values that have a mark at each of ``paths`` and nothing else, but for lists: helm takes these as a whole."""
        made: dict[str, Any] = {}
        for number, path in enumerate(paths):
            keys = keys_of(path)
            parent: Any = made
            for key in keys[:-1]:
                parent = parent.setdefault(key, {})
                if not isinstance(parent, dict):
                    break
            if not isinstance(parent, dict):
                continue  # in a list that is marked itself
            name = f"{_NAME}{number}x"
            if keys != path or isinstance(value_at(self._values, path), list):
                parent.setdefault(keys[-1], copy.deepcopy(value_at(self._values, keys)))
            if keys == path:
                parent[keys[-1]] = mark(parent.get(keys[-1]), name)
                if _is_off(value_at(self._values, path)) and isinstance(parent[keys[-1]], dict):
                    parent[keys[-1]][ENABLED] = True
            else:
                _mark_in_list(parent[keys[-1]], path[len(keys) :], mark, name)
        return made


def _halves(paths: list[Path]) -> list[list[Path]]:
    half = len(paths) // 2
    return [paths[:half], paths[half:]] if half else []


def _mark_in_list(items: Any, path: Path, mark: Callable[[Any, str], Any], name: str) -> None:
    """Mark what stands at ``path`` of ``items``, in which maps that are not there yet are made."""
    holder = items
    for part in path[:-1]:
        inner = holder.get(part) if isinstance(holder, dict) else holder[part]
        if inner is None:
            inner = holder[part] = {}
        holder = inner
    last = path[-1]
    holder[last] = mark(holder.get(last) if isinstance(holder, dict) else holder[last], name)


def _is_off(value: Any) -> bool:
    """Whether a map of values has a switch, which is off."""
    return isinstance(value, dict) and value.get(ENABLED) is False and len(value) > 1


def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    length = min(len(one), len(other))
    return length > 0 and one[:length] == other[:length]


def map_paths(values: Any) -> Iterator[Path]:
    """Yield the maps in ``values``, those in lists included, but for the whole. What a chart below has of the
    ``global`` of the whole is left out: it is the same."""
    for path in _map_paths(values, ()):
        inside = path.index("global") if "global" in path[1:] else 0
        if not inside or not isinstance(value_at(values, path[inside:]), dict):
            yield path


def _map_paths(values: Any, path: Path) -> Iterator[Path]:
    if isinstance(values, dict):
        if path:
            yield path
        for key, value in values.items():
            yield from _map_paths(value, (*path, key))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from _map_paths(value, (*path, index))


def list_paths(values: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the lists in ``values`` that lie in no list."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from list_paths(value, (*path, key))
    elif isinstance(values, list):
        yield path


def _map_marks(value: Any, name: str) -> Any:
    return {**(value if isinstance(value, dict) else {}), name: name}


def _entry_marks(value: Any, name: str) -> Any:
    return {**(value if isinstance(value, dict) else {}), name: entry_at(f"/{name}")}


def _map_items(value: Any, name: str) -> Any:
    return [*(value if isinstance(value, list) else ()), {"name": name}]


def _texts(value: Any, name: str) -> Any:
    return [*(value if isinstance(value, list) else ()), name]


def _text_marks(value: Any, name: str) -> Any:
    return name


def _marked_maps(data: Any, path: Path = ()) -> Iterator[tuple[int, Path]]:
    """The maps of an object that hold the mark of a map, each with its number."""
    if isinstance(data, dict):
        for key, value in data.items():
            if value == key and (mark := _MARK.fullmatch(key)):
                yield int(mark[1]), path
            else:
                yield from _marked_maps(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _marked_maps(value, (*path, index))


def _marked_volumes(data: Any, path: Path = ()) -> Iterator[tuple[int, Path]]:
    """The lists of volumes of an object that hold an empty one by the name of a mark, each with its number."""
    for number, place in _marked_lists(data, path):
        items = value_at(data, place)
        if any(_MARK.fullmatch(str(item.get("name"))) and item.get("emptyDir") is not None for item in items):
            yield number, place


def _marked_lists(data: Any, path: Path = ()) -> Iterator[tuple[int, Path]]:
    """The lists of an object that hold the marked item of a list, each with its number."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _marked_lists(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            text = value.get("name") if isinstance(value, dict) else value
            if isinstance(text, str) and (mark := _MARK.fullmatch(text)):
                yield int(mark[1]), path
            else:
                yield from _marked_lists(value, (*path, index))


def _marked_texts(data: Any, path: Path = ()) -> Iterator[tuple[int, Path]]:
    """The texts of an object that hold the mark of a single value, each with its number."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _marked_texts(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _marked_texts(value, (*path, index))
    elif isinstance(data, str):
        yield from ((int(number), path) for number in _MARK.findall(data))


def _without_marks(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_marks(value) for key, value in data.items() if not _MARK.fullmatch(str(key))}
    return data


def leaves(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield what is no map in ``data``, lists as a whole, each with its path; an empty map says nothing."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif data is not None and path:
        yield path, data
