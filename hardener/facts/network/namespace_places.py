"""Where an object stands, as places: two objects that share one may come into one namespace of one cluster.

Asked both ways, so that the objects near another one are looked up and not searched for: what ``here`` tells of the one
that asks is compared with what ``there`` tells of all others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import lru_cache

from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.rbac.subjects import DEFAULT
from hardener.tree.core_views import Object

Place = tuple[str, str]


def here(item: Object) -> list[Place]:
    """The places of an object that asks for others: its namespace, its builds, else its folder."""
    return _places(item, folders_here)


def there(item: Object) -> list[Place]:
    """The places of an object that is asked for."""
    return _places(item, folders_there)


def _places(item: Object, folders: Callable[[Object], tuple[Place, ...]]) -> list[Place]:
    builds = item.tree.ask(Builds)
    roots = builds.roots(item)
    found: list[Place] = []
    for namespace in builds.namespaces(item):
        if item.namespace is not None:
            found.append(("namespace", item.namespace))
        found += [(root, namespace or "") for root in roots]
        if not roots and namespace is None:
            found += folders(item)
            found.append(("namespace", DEFAULT))  # where it goes when nobody says where
    return found


def folders_here(item: Object) -> tuple[Place, ...]:
    """The folders of an object; another one whose ``folders_there`` has one of them stands in the same folder, above,
    below, or in one beside it."""
    return _around(item.folder, "under", "at")


def folders_there(item: Object) -> tuple[Place, ...]:
    """The folders of an object, as others look for it."""
    return _around(item.folder, "at", "under")


@lru_cache(maxsize=256)  # the objects of a folder come one after the other
def _around(folder: str, itself: str, upwards: str) -> tuple[Place, ...]:
    beside = os.path.dirname(folder)
    return (itself, folder), ("beside", beside), *((upwards, above) for above in _upwards(folder))


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above
