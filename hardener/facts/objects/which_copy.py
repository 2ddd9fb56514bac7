"""Which copies are meant, where a repository holds an application more than once: overlays, releases, examples.

Two questions, and each ranks in its own way. ``Nearby``: which object does a reference by kind and name mean? It is
one, whichever stands nearest, and the file of who asks says more than a build. ``Neighbours``: what is applied with an
object? That is all that shares a build with it, and what shares its namespace wherever it stands: a connection, or a
policy, that is left out would be a wrong answer. Only there, of what has the same kind and name, the nearest is taken.

Both are look-ups: asking costs what the answer costs, not what there is to choose from.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import islice

from hardener.facts.kustomize.builds import Builds
from hardener.tree.core_views import Object

_MOST = 8  # that a reference may mean
_ANY = "*"  # no namespace is called like this
_EVERYWHERE = ""


class Nearby:
    """``of``: those in the file of the object; else in a build with it; else in its folder; else in its namespace, as
    far as that is written; else under the deepest folder that holds the object and any of them.

    Those that cannot come out in its namespace are passed over, unless ``namespaced`` is false.
    """

    def __init__(self, builds: Builds, candidates: Iterable[Object], *, namespaced: bool = True) -> None:
        self._builds = builds
        self._namespaced = namespaced
        self._found: dict[tuple[str, str | None], list[Object]] = {}
        for item in candidates:
            path = item.piece.file.path
            spaces: tuple[str | None, ...] = (_ANY,)
            if namespaced:
                spaces = (_ANY, *builds.namespaces(item))
            for place in (path, _in(path), *map(_build, builds.roots(item)), *_folders(path)):
                for space in spaces:
                    self._found.setdefault((place, space), []).append(item)

    def of(self, item: Object) -> list[Object]:
        """Those that ``item`` means, a few at most."""
        return self.placed(item)[0]

    def placed(self, item: Object) -> tuple[list[Object], bool]:
        """The same, and whether they stand beside ``item``: in its file, its folder, or a build with it."""
        path = item.piece.file.path
        spaces: tuple[str | None, ...] = (_ANY,)
        if self._namespaced and None not in (own := self._builds.namespaces(item)):
            spaces = (*own, None)
        beside = ([path], [_build(root) for root in sorted(self._builds.roots(item))], [_in(path)])
        for places in beside:
            if found := self._at(places, spaces):
                return found, True
        written = [space for space in spaces if space not in (None, _ANY)]
        if found := self._at([_EVERYWHERE], written):
            return found, False
        return next(filter(None, (self._at([folder], spaces) for folder in _folders(path))), []), False

    def _at(self, places: Iterable[str], spaces: Iterable[str | None]) -> list[Object]:
        every = (each for place in places for space in spaces for each in self._found.get((place, space), ()))
        return list({id(each): each for each in islice(every, _MOST)}.values())


class Neighbours:
    """The ``candidates`` among which is looked.

    ``of``: those that share a build with the object, or the namespace that both name in writing. Where none shares a
    build: those that come out in the same namespace, and the nearest ones, under the deepest folder that holds the
    object and any of them. Of what has the same kind and name, only the nearest is taken: the others are copies.
    """

    def __init__(self, builds: Builds, candidates: Iterable[Object]) -> None:
        self._builds = builds
        self._items = list(candidates)
        self._meeting: dict[tuple[str | None, ...], Neighbours] = {}

    def meeting(self, item: Object, namespace: str | None = None) -> list[Object]:
        """``of`` those that can come out in ``namespace``, or in one of ``item`` where none is named."""
        if not self._items:
            return []
        builds = self._builds
        if len(self._items) == 1:
            only = self._items[0]
            return [only] if (builds.may_be_in(only, namespace) if namespace else builds.meet(only, item)) else []
        names = (namespace,) if namespace else builds.known_namespaces(item)
        if None in names:
            return self.of(item)
        found = self._meeting.get(names)
        if found is None:
            found = self._meeting[names] = Neighbours(builds, self._in(names))
        return found.of(item)

    def _in(self, names: tuple[str | None, ...]) -> list[Object]:
        numbers = set(self._by_namespace.get(None, ()))
        for name in names:
            numbers.update(self._by_namespace.get(name, ()))
        return [self._items[number] for number in sorted(numbers)]

    def of(self, item: Object) -> list[Object]:
        """Those of the candidates that are applied with ``item``, in their order."""
        if len(self._items) < 2:
            return list(self._items)
        shared = self._sharing(self._builds.roots(item))
        found = set(shared)
        for near in self._written.get(item.namespace or "", {}).values():
            found.update(near.to(item))
        if not shared:
            for namespace in self._builds.known_namespaces(item):
                for near in self._rendered.get(namespace or "", {}).values():
                    found.update(near.to(item))
            found.update(self._nearest(item))
        return [self._items[number] for number in sorted(found)]

    def _sharing(self, roots: frozenset[str]) -> list[int]:
        if not roots:
            return []
        found = self._shared.get(roots)
        if found is None:
            groups = dict.fromkeys(group for root in roots for group in self._groups.get(root, ()))
            found = self._shared[roots] = [number for group in groups for number in self._by_roots[group]]
        return found

    def _nearest(self, item: Object) -> list[int]:
        around = self._all.around(item)
        return [number for near in self._by_identity((n, "") for n in around)[""].values() for number in near.to(item)]

    # By number of the candidate; each made when it is first asked for, which it often never is.

    @cached_property
    def _by_namespace(self) -> dict[str | None, list[int]]:
        found: dict[str | None, list[int]] = {}
        for number, item in enumerate(self._items):
            for namespace in self._builds.known_namespaces(item):
                found.setdefault(namespace, []).append(number)
        return found

    @cached_property
    def _by_roots(self) -> dict[frozenset[str], list[int]]:
        found: dict[frozenset[str], list[int]] = {}
        for number, item in enumerate(self._items):
            found.setdefault(self._builds.roots(item), []).append(number)
        return found

    @cached_property
    def _groups(self) -> dict[str, list[frozenset[str]]]:
        found: dict[str, list[frozenset[str]]] = {}
        for roots in self._by_roots:
            for root in roots:
                found.setdefault(root, []).append(roots)
        return found

    @cached_property
    def _shared(self) -> dict[frozenset[str], list[int]]:
        return {}

    @cached_property
    def _written(self) -> dict[str, dict[tuple[str, str], _Near]]:
        return self._by_identity((n, item.namespace) for n, item in enumerate(self._items) if item.namespace)

    @cached_property
    def _rendered(self) -> dict[str, dict[tuple[str, str], _Near]]:
        return self._by_identity((n, name) for name, numbers in self._by_namespace.items() if name for n in numbers)

    @cached_property
    def _all(self) -> _Near:
        found = _Near()
        for number, item in enumerate(self._items):
            found.add(number, item)
        return found

    def _by_identity(self, numbers: Iterable[tuple[int, str]]) -> dict[str, dict[tuple[str, str], _Near]]:
        found: dict[str, dict[tuple[str, str], _Near]] = {}
        for number, namespace in numbers:
            item = self._items[number]
            found.setdefault(namespace, {}).setdefault((item.kind, item.name), _Near()).add(number, item)
        return found


class _Near:
    """Objects by their place, as numbers."""

    __slots__ = ("_places", "_under")

    def __init__(self) -> None:
        self._places: list[tuple[int, str]] = []
        self._under: dict[str, list[tuple[int, str]]] | None = None

    def add(self, number: int, item: Object) -> None:
        self._places.append((number, item.piece.file.path))

    def around(self, item: Object) -> list[int]:
        """Those under the deepest folder that holds ``item`` and any of them."""
        return [number for number, _ in self._around(item.piece.file.path)]

    def to(self, item: Object) -> list[int]:
        """The nearest to ``item``, several where they are equally near: in its file, in its folder, else few folders
        away."""
        if len(self._places) == 1:
            return [self._places[0][0]]
        path = item.piece.file.path
        around = self._around(path)
        if len(around) > 1:
            folder = os.path.dirname(path)
            far = [
                -2 if place == path else -1 if os.path.dirname(place) == folder else place.count(os.sep)
                for _, place in around
            ]
            least = min(far)
            return [number for (number, _), steps in zip(around, far, strict=True) if steps == least]
        return [number for number, _ in around]

    def _around(self, path: str) -> list[tuple[int, str]]:
        if self._under is None:
            self._under = {}
            for number, place in self._places:
                for folder in _folders(place):
                    self._under.setdefault(folder, []).append((number, place))
        return next(found for folder in _folders(path) if (found := self._under.get(folder)))


@lru_cache(maxsize=4096)  # objects are asked about again and again
def _folders(path: str) -> tuple[str, ...]:
    """The folders that hold ``path``, the deepest first, and at last ``_EVERYWHERE``."""
    found = []
    while path not in (_EVERYWHERE, os.sep):
        path = os.path.dirname(path)
        if path:
            found.append(path)
    return (*found, _EVERYWHERE)


def _build(root: str) -> str:
    return f"build of {root}"


def _in(path: str) -> str:
    return f"in {os.path.dirname(path)}"
