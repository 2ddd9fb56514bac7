"""Names for new objects: one that is taken gets the next free number, so that nothing is overwritten and every
``kustomize build`` still ends ("may not add resource with an already registered id")."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TypeVar

from msgspec import Struct

from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.objects.object_names import LONGEST_NAME, as_object_name
from hardener.tree.core_views import Object, View
from hardener.tree.fact import Incremental
from hardener.tree.tree import Tree

_MANAGED_BY = "app.kubernetes.io/managed-by"
_SHORTEST = 63  # whatever kustomizations put around a name
_Spaces = frozenset[str | None]

_Key = TypeVar("_Key")


class _Others(Struct):
    """Our objects of one name that are no copies of what is for one identity, as far as they were looked at."""

    looked_at: int = 0
    namespaces: _Spaces = frozenset()


class Names(Incremental):
    """The names of all objects of the tree, as written and as rendered; those made since are taken in when asked.

    A name is taken by an object of that kind that can be in the namespace, wherever it stands: a component that nothing
    uses may be switched on. One of ours does not count where it stands beside a copy (same kind and name) of what the
    new one is for: three copies of an application get the same objects.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._builds = tree.ask(Builds)
        self._read: list[Object] = []
        self._forget()

    def _forget(self) -> None:
        self._read.clear()
        self._waiting: dict[str, list[Object]] = {}  # by kind, of which nobody asked for a name yet
        self._foreign: dict[tuple[str, str], _Spaces] = {}
        self._ours: dict[tuple[str, str], list[tuple[str, _Spaces]]] = {}  # by folder
        self._ours_at: dict[tuple[str, str, str], _Spaces] = {}
        self._others: dict[tuple[str, str, str, str], _Others] = {}
        self._shared: dict[_Spaces, _Spaces] = {}  # one set for all objects of the same namespaces
        self._standing: set[tuple[str, str, str]] = set()  # folder, kind, name

    def free(self, kind: str, name: str, beside: View, also: Container[str] = ()) -> str:
        """A name for a new object of ``kind`` that is made for the object of ``beside``, and stands beside its file:
        ``name`` as far as such an object may be called so or, where that is taken or among ``also``, ``name-2`` and so
        on. An expression in ``name`` stays, since only a program can say what it becomes."""
        self._catch_up(kind)
        item = beside.object
        spaces: _Spaces = frozenset(self._builds.known_namespaces(item))
        if (item.group, item.kind) == ("", "Namespace"):  # what is made for one goes into it
            spaces = frozenset(self._builds.rendered_names(item))
        affixes = self._builds.affixes(item)
        longest = LONGEST_NAME - max([len(each.prefix) + len(each.suffix) for each in affixes], default=0)
        longest = max(longest, _SHORTEST)
        for candidate in _numbered(name if "$" in name else as_object_name(name, kind, longest), longest):
            names = {candidate, *[f"{each.prefix}{candidate}{each.suffix}" for each in affixes]}
            if candidate not in also and not any([self._is_taken(kind, each, item, spaces) for each in names]):
                return candidate
        raise AssertionError("there are always more numbers")

    def _is_taken(self, kind: str, name: str, beside: Object, spaces: _Spaces) -> bool:
        folder = beside.folder
        if _clash(self._foreign.get((kind, name)), spaces) or _clash(self._ours_at.get((folder, kind, name)), spaces):
            return True
        ours = self._ours.get((kind, name))
        if not ours:
            return False
        others = self._others.setdefault((kind, name, beside.kind, beside.name), _Others())
        for place, namespaces in ours[others.looked_at :]:
            if (place, beside.kind, beside.name) not in self._standing:
                others.namespaces |= namespaces
        others.looked_at = len(ours)
        return _clash(others.namespaces, spaces)

    def _catch_up(self, kind: str) -> None:
        objects = self._tree.objects
        done = len(self._read)
        if done > len(objects) or (done and objects[done - 1] is not self._read[-1]):
            self._forget()
            done = 0
        for item in objects[done:]:
            self._read.append(item)
            self._standing.add((item.folder, item.kind, item.name))
            self._waiting.setdefault(item.kind, []).append(item)
        for item in self._waiting.pop(kind, ()):
            self._take(item)

    def _take(self, item: Object) -> None:
        folder = item.folder
        spaces = frozenset(self._builds.known_namespaces(item))
        spaces = self._shared.setdefault(spaces, spaces)
        for name in self._builds.names(item):
            if _is_ours(item):
                self._ours.setdefault((item.kind, name), []).append((folder, spaces))
                _join(self._ours_at, (folder, item.kind, name), spaces)
            else:
                _join(self._foreign, (item.kind, name), spaces)


def _join(found: dict[_Key, _Spaces], key: _Key, spaces: _Spaces) -> None:
    known = found.get(key)
    found[key] = spaces if known is None or known == spaces else known | spaces


def _is_ours(item: Object) -> bool:
    metadata = item.data.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return isinstance(labels, dict) and labels.get(_MANAGED_BY) == "harden"


def _clash(taken: _Spaces | None, spaces: _Spaces) -> bool:
    return taken is not None and len(taken) > 0 and (None in taken or None in spaces or not taken.isdisjoint(spaces))


def _numbered(name: str, longest: int) -> Iterator[str]:
    yield name[:longest]
    number = 2
    while True:
        end = f"-{number}"
        yield name[: longest - len(end)].rstrip("-.") + end
        number += 1
