"""Which workloads of a tree may stand in one cluster, and where the objects of the tree come out there.

A repository often holds an application more than once: overlays of one base, a release beside its parts, examples. Two
copies are never counted against each other. What is applied at once is a *unit*: all that one kustomization builds, or
the files of one folder that none lists. Units that hold the same workload (same object, or same kind, name and written
namespace) are copies and stand in different *clusters*; all others share one. So a unit may be a part of a build or
folder: one of its namespaces, one of its files, where these are copies of each other.

A namespace that is named is the same everywhere: a policy holds for all pods of it, unless it stands in a copy of
another application than theirs. One that is not named is that of its unit alone: nobody knows which it is.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import Struct, field

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.network.network_policy import Policy
from hardener.kubernetes.network.reachability import Network
from hardener.tree.core_views import Object, OpaqueError, PodTemplate
from hardener.tree.pod_kind import is_applied
from hardener.tree.tree import Tree

_Source = tuple[str, str]  # "build", "folder" or "component", and its folder
_Part = tuple[str, str | None]  # "namespace", "file" or "folder", and its name
_Identity = tuple[str, str, str | None, str]
PodFacts = tuple[Mapping[str, str], dict[str, tuple[tuple[int, str], ...]], bool]
"""The labels of a pod, its ports by name, and whether it is on the network of its node."""


class Place(Struct, frozen=True):
    """Where an object comes out. ``source`` is the build or folder of its unit; ``name`` is None where no namespace is
    named, ``namespace`` a key of its own for each namespace."""

    unit: int
    source: _Source
    namespace: str
    name: str | None


class Layout(Struct, eq=False, dict=True):
    """The pods of a tree by number, and the places of its objects. Patches and what a controller owns are no pods."""

    tree: Tree
    pods: list[PodTemplate] = field(default_factory=list)
    numbers: dict[PodTemplate, int] = field(default_factory=dict)
    clusters: int = 0
    policies: dict[tuple[Object, str], Policy | None] = field(default_factory=dict)  # by object and namespace
    networks: dict[int, Network] = field(default_factory=dict)  # the first one that was made of each cluster
    facts: dict[PodTemplate, PodFacts] = field(default_factory=dict)  # of pods that the run does not touch
    _units: dict[tuple[_Source, int], int] = field(default_factory=dict)
    _cluster_of: dict[int, int] = field(default_factory=dict)  # by unit, where it holds a workload
    _copied: set[int] = field(default_factory=set)
    _built: defaultdict[str, dict[_Source, None]] = field(default_factory=lambda: defaultdict(dict))  # by folder
    _copies: dict[_Source, dict[_Part, int]] = field(default_factory=dict)
    _groups: dict[tuple[_Source, _Part], set[int]] = field(default_factory=dict)
    _places: dict[Object, tuple[Place, ...]] = field(default_factory=dict)
    _found: dict[Object, list[tuple[_Source, str | None]]] = field(default_factory=dict)  # outcomes of workloads
    _alone: dict[tuple[int, str | None], tuple[Place]] = field(default_factory=dict)  # places by unit and name

    def __post_init__(self) -> None:
        self.pods = [pod for pod in self.tree.pod_templates if _is_workload(pod)]
        self.numbers = {pod: number for number, pod in enumerate(self.pods)}
        self._find_copies()
        self._share_clusters()

    def places(self, item: Object) -> tuple[Place, ...]:
        """Return all places that ``item`` comes out at."""
        found = self._places.get(item)
        if found is None:
            each = list(self._each_place(item))  # nearly always one, which thousands of objects have
            found = each[0] if len(each) == 1 else tuple(dict.fromkeys([place for (place,) in each]))
            self._places[item] = found
        return found

    def cluster(self, place: Place) -> int:
        """Return the cluster in which a workload with this place stands."""
        return self._cluster_of[place.unit]

    def own_cluster(self, place: Place) -> int | None:
        """Return the one cluster in which an object with this place has a say; None where that is every cluster."""
        return self._cluster_of[place.unit] if place.unit in self._copied else None

    @cached_property
    def standing(self) -> list[dict[int, Place]]:
        """The numbers of the pods that stand in each cluster, with their places there."""
        found: list[dict[int, Place]] = [{} for _ in range(self.clusters)]
        for number, pod in enumerate(self.pods):
            for place in self.places(pod.object):
                found[self.cluster(place)][number] = place
        return found

    def _each_place(self, item: Object) -> Iterator[tuple[Place]]:
        found = self._found.pop(item, None)  # asked once: places are kept
        for source, name in self._outcomes(item) if found is None else found:
            copies = self._copies.get(source, {})
            part = self._part(item, source, name)
            # A file of policies beside several copies of an application belongs to each of them, and so does ours.
            own = copies[part] if part in copies and not item.piece.is_new else None
            for copy in self._beside(item, source, name) if own is None else [own]:
                unit = self._units.setdefault((source, copy), len(self._units))
                alone = self._alone.get((unit, name))
                if alone is None:
                    private = name is None or source[0] == "component"
                    namespace = f"\0{unit}\0{name or ''}" if private else str(name)
                    alone = self._alone[unit, name] = (Place(unit, source, namespace, name),)
                yield alone

    def _beside(self, item: Object, source: _Source, name: str | None) -> list[int]:
        parts = (("namespace", name), ("folder", item.folder))
        return sorted({copy for part in parts for copy in self._groups.get((source, part), ())}) or [0]

    def _outcomes(self, item: Object) -> Iterator[tuple[_Source, str | None]]:
        """The builds or the folder in which ``item`` is applied, each with the namespace that it gets there."""
        builds = self.tree.ask(Builds)
        held = builds.of(item)
        for build in held:
            if len(held) == 1:
                yield from ((("build", build.folder), name) for name in builds.namespaces(item))
            else:
                set_by = (kustomize.setting(layer.data, "namespace") for layer in reversed(build.layers(item)))
                yield ("build", build.folder), next(filter(None, set_by), None) or item.namespace
        if held:
            return
        if builds.listing(item.piece.file.path):
            yield ("component", item.folder), item.namespace  # nothing uses it: it is applied with nothing else
        elif item.namespace is None and self._built[item.folder]:
            # Beside files of a build, and left out of it by its kustomization: applied to the same namespace.
            yield from ((source, None) for source in self._built[item.folder])
        else:
            yield ("folder", item.folder), item.namespace

    def _part(self, item: Object, source: _Source, name: str | None) -> _Part:
        """What of ``source`` holds a workload once: what is in one namespace of a build, else a file."""
        listed = source[0] == "build" and self.tree.ask(Builds).listing(item.piece.file.path)
        return ("namespace", name) if listed else ("file", item.piece.file.path)

    def _find_copies(self) -> None:
        """Tell the files of a folder, and the namespaces of a build, that hold the same workload from each other."""
        for pod in self.pods:
            if self.tree.ask(Builds).of(pod.object):
                outcomes = self._outcomes(pod.object)
                self._built[pod.object.folder].update((source, None) for source, name in outcomes if name is None)
        parts: dict[_Source, dict[_Part, dict[_Identity, None]]] = {}
        for pod in self.pods:
            self._found[pod.object] = list(self._outcomes(pod.object))  # the builds are known now
            for source, name in self._found[pod.object]:
                part = self._part(pod.object, source, name)
                parts.setdefault(source, {}).setdefault(part, {})[_identity(pod.object)] = None
        for source, found in parts.items():
            counts: dict[_Identity, int] = {}
            self._copies[source] = {part: _next_free(counts, identities) for part, identities in found.items()}
            for (what, name), copy in self._copies[source].items():
                group = ("folder", os.path.dirname(name or "")) if what == "file" else (what, name)
                self._groups.setdefault((source, group), set()).add(copy)

    def _share_clusters(self) -> None:
        """Give every unit that holds workloads the first cluster after those of the units that hold copies of them."""
        holds: dict[int, dict[_Identity, None]] = {}
        apart: set[int] = set()
        for pod in self.pods:
            for place in self.places(pod.object):
                holds.setdefault(place.unit, {})[_identity(pod.object)] = None
                if place.source[0] == "component":
                    apart.add(place.unit)
        counts: dict[_Identity, int] = {}
        for unit, identities in holds.items():
            if unit not in apart:
                self._cluster_of[unit] = _next_free(counts, identities)
        self._copied = {u for u in self._cluster_of if any(counts[identity] > 1 for identity in holds[u])}
        self.clusters = max(self._cluster_of.values(), default=-1) + 1
        for unit in sorted(apart):
            self._cluster_of[unit] = self.clusters
            self.clusters += 1


def _next_free(counts: dict[_Identity, int], identities: dict[_Identity, None]) -> int:
    """The first number that none of ``identities`` had yet; they have it from now on."""
    found = max(counts.get(identity, 0) for identity in identities)
    counts.update(dict.fromkeys(identities, found + 1))
    return found


def _identity(item: Object) -> _Identity:
    return item.group, item.kind, item.namespace, item.name


def _is_workload(pod: PodTemplate) -> bool:
    try:
        return is_applied(pod)
    except (WrongShapeError, OpaqueError):
        return False
