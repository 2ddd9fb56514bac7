"""Where the values of a chart come out: each map and list of them gets a mark, and where a mark comes out is where that
map or list goes."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from hardener.charts.rendered import Key, Place, place_of
from hardener.charts.renders import Objects, Renders, SpentError
from hardener.charts.values.set_values import keys_of
from hardener.errors import HardenError
from hardener.support.data_path import Path, value_at

Outlets = dict[tuple[Key, Place], list[Path]]
"""The values that come out at a place, those that come out at the fewest places first."""

_NAME = "hardenprobe"
_MARK = re.compile(rf"{_NAME}([0-9]+)x")


class Marked:
    """The values of a chart, ``values`` all of them, and where they come out."""

    def __init__(self, renders: Renders, values: dict[str, Any]) -> None:
        self._renders, self._values = renders, values
        self.maps: Outlets = {}
        self.lists: Outlets = {}
        self.outlets: dict[Path, set[tuple[Key, Place]]] = {}
        self._asked: set[tuple[str, Path]] = set()

    def find_maps(self, paths: Iterable[Path], most: int | None = None) -> None:
        """Look where the maps at ``paths`` come out, by at most ``most`` renders; one that is not there is tried as a
        new one."""
        self._find("map", paths, self.maps, _map_marks, _marked_maps, most)

    def find_lists(self, paths: Iterable[Path], *, of_maps: bool) -> None:
        """Look where the lists at ``paths`` come out, by an item that is a map or a text."""
        self._find("maps" if of_maps else "texts", paths, self.lists, _map_items if of_maps else _texts, _marked_lists)

    def _find(
        self,
        how: str,
        paths: Iterable[Path],
        into: Outlets,
        mark: Callable[[Any, str], Any],
        marked: Callable[[Any], Iterator[tuple[int, Path]]],
        most: int | None = None,
    ) -> None:
        asked = [path for path in dict.fromkeys(paths) if (how, path) not in self._asked]
        self._asked.update((how, path) for path in asked)
        for some, objects in self._tolerated(asked, mark, most):
            for key, document in objects.items():
                if _NAME not in document.text:
                    continue
                for number, path in marked(document.data):
                    if number < len(some):
                        outlet = key, place_of(document.data, path)
                        self.outlets.setdefault(some[number], set()).add(outlet)
                        into.setdefault(outlet, [])
                        if some[number] not in into[outlet]:
                            into[outlet].append(some[number])
        for paths_there in into.values():
            paths_there.sort(key=lambda path: (len(self.outlets[path]), -len(path)))

    def _tolerated(
        self, paths: Sequence[Path], mark: Callable[[Any, str], Any], most: int | None
    ) -> Iterator[tuple[list[Path], Objects]]:
        """The renders with marks at ``paths``, which are halved until the chart takes them."""
        waiting = [list(paths)] if paths else []
        before = self._renders.count
        while waiting and (most is None or self._renders.count - before < most):
            some = waiting.pop()
            try:
                yield some, self._renders(self._with_marks(some, mark), schema=False)
            except SpentError:
                return
            except HardenError:
                if len(some) > 1:
                    half = len(some) // 2
                    waiting += [some[half:], some[:half]]

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
            else:
                holder = value_at(parent[keys[-1]], path[len(keys) : -1])
                holder[path[-1]] = mark(holder[path[-1]], name)
        return made


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


def _map_items(value: Any, name: str) -> Any:
    return [*(value if isinstance(value, list) else ()), {"name": name}]


def _texts(value: Any, name: str) -> Any:
    return [*(value if isinstance(value, list) else ()), name]


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
