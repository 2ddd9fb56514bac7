"""Which of the objects that have one kind and name another object means, where a repository holds several of them.

A look-up whose cost does not grow with the number of objects: of many that are equally far away, it tells a few.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from hardener.tree.core_views import Object

if TYPE_CHECKING:
    from hardener.facts.kustomize.builds import Builds

_MOST = 8
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


def _build(root: str) -> str:
    return f"build of {root}"


def _in(path: str) -> str:
    return f"in {os.path.dirname(path)}"


def _folders(path: str) -> Iterator[str]:
    """The folders that hold ``path``, the deepest first, and at last ``_EVERYWHERE``."""
    while path not in (_EVERYWHERE, os.sep):
        path = os.path.dirname(path)
        if path:
            yield path
    yield _EVERYWHERE
