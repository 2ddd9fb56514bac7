"""Where an object stands, as places: two objects that share one may come into one namespace of one cluster.

Asked both ways, so that the objects near another one are looked up and not searched for: what ``here`` tells of the one
that asks is compared with what ``there`` tells of all others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from hardener.facts.kustomize.builds import Builds
from hardener.facts.network.pod_labels import folder_of
from hardener.kubernetes.rbac import DEFAULT
from hardener.tree.core_views import Object

Place = tuple[str, str]


def here(item: Object) -> Iterator[Place]:
    """The places of an object that asks for others: its namespace, its builds, else its folder."""
    return _places(item, folders_here)


def there(item: Object) -> Iterator[Place]:
    """The places of an object that is asked for."""
    return _places(item, folders_there)


def _places(item: Object, folders: Callable[[Object], Iterator[Place]]) -> Iterator[Place]:
    builds = item.tree.ask(Builds)
    for namespace in builds.namespaces(item):
        if item.namespace is not None:
            yield "namespace", item.namespace
        for root in builds.roots(item):
            yield root, namespace or ""
        if not builds.roots(item) and namespace is None:
            yield from folders(item)
            yield "namespace", DEFAULT  # where it goes when nobody says where


def folders_here(item: Object) -> Iterator[Place]:
    """The folders of an object; another one whose ``folders_there`` has one of them stands in the same folder, above,
    below, or in one beside it."""
    folder = folder_of(item)
    yield "under", folder
    yield "beside", os.path.dirname(folder)
    yield from (("at", above) for above in _upwards(folder))


def folders_there(item: Object) -> Iterator[Place]:
    """The folders of an object, as others look for it."""
    folder = folder_of(item)
    yield "at", folder
    yield "beside", os.path.dirname(folder)
    yield from (("under", above) for above in _upwards(folder))


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above
