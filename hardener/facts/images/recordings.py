"""What a cluster told of a container, by ``harden.evidence.yaml``: matched by kind, namespace and name, through what
kustomizations make of them.

What was recorded of another digest than the manifest pins, or is older than ``import.max-age``, is a hint: what it says
against a change still counts, and what it says for one does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from msgspec import Struct

from hardener.exports.model import Facts, Image, Recorded, Usage
from hardener.facts.kustomize.builds import Builds
from hardener.tree.core_views import Container, Object
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

__all__ = ["Image", "Recording", "Recordings", "key_names", "limit_of", "recording"]
_FILE = "harden.evidence.yaml"
_ANY_KIND = "*"
_UNSET = "default"  # the namespace that kubectl takes where none is named


class Recording(Struct, frozen=True):
    """The facts of one container. ``hint``: why they are no more than hints, None where they count in full."""

    recorded: Recorded
    facts: Facts
    hint: str | None = None

    def place(self, by: str) -> str:
        """The source of a fact, for people: who told it, and of which days."""
        return f"{_FILE}: {self.recorded.sources[by].tool} ({self.recorded.days(by)})"

    def period(self, by: str) -> str:
        """How long a source watched, in words."""
        source = self.recorded.sources[by]
        days = (date.fromisoformat(source.last) - date.fromisoformat(source.first or source.last)).days
        return f"{days + 1} days of recording" if days else "one day of recording"


def recording(container: Container) -> Recording | None:
    """What a cluster told of ``container``; None where it told nothing, or where it may be another."""
    tree = container.tree
    return tree.ask(Recordings).of(container) if tree.recorded is not None else None


def key_names(tree: Tree, item: Object) -> Iterator[str]:
    """The names under which a cluster may know ``item``: ``Deployment/shop/web``."""
    builds = tree.ask(Builds)
    for namespace in builds.known_namespaces(item):
        for name in builds.rendered_names(item) or (item.name,):
            for kind in (item.kind, _ANY_KIND):
                yield f"{kind}/{namespace or _UNSET}/{name}"


class Recordings(AsRead):
    """The facts of the kept file by the containers of the tree."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._recorded = tree.recorded or Recorded()
        self._any_space: dict[str, list[str]] = {}  # the workloads of a kind and name, in whatever namespace
        for key in self.workloads:
            kind, _, name = key.split("/", 2)
            self._any_space.setdefault(f"{kind}/{name}", []).append(key)
        objects = {id(pod.object): pod.object for pod in tree.pods_and_parts if pod.object.editable}
        self._holders = Counter(key for item in objects.values() for key in self.keys(item))

    @property
    def workloads(self) -> list[str]:
        """The workloads that the kept file has facts of."""
        return sorted({key.rpartition("/")[0] for key in self._recorded.containers})

    def keys(self, item: Object) -> list[str]:
        """The workloads of the kept file that ``item`` may be: those of its names; where its namespace is not written,
        the one that has its kind and name."""
        found = dict.fromkeys(key_names(self._tree, item))
        if None in self._tree.ask(Builds).known_namespaces(item):
            names = {key.split("/", 2)[2] for key in found}
            spaces = [self._any_space.get(f"{kind}/{name}", []) for kind in (item.kind, _ANY_KIND) for name in names]
            several = [key for keys in spaces for key in keys]
            if len(several) == 1:
                found |= dict.fromkeys(several)
        return list(found)

    def of(self, container: Container) -> Recording | None:
        """The facts of ``container``; None where there are none, or where two objects of the tree may be meant."""
        found = [
            facts
            for key in self.keys(container.pod.object)
            if self._holders[key] <= 1 and (facts := self._recorded.containers.get(f"{key}/{container.name}"))
        ]
        if not found:
            return None
        facts = _together(found)
        return Recording(self._recorded, facts, self._hint(container, facts))

    def unmatched(self) -> Iterator[str]:
        """The workloads of the kept file that no object of the tree is, and those that several may be."""
        return (key for key in self.workloads if self._holders[key] != 1)

    def _hint(self, container: Container, facts: Facts) -> str | None:
        pinned = container.image.digest if container.image is not None else None
        ran = {image.digest for image in facts.images}
        if pinned is not None and ran and pinned not in ran:
            return "it was recorded of another digest than the manifest pins"
        last = max((self._recorded.sources[fact.by].last for kind in _kinds(facts) for fact in kind), default=None)
        today = self._tree.settings.as_of or date.today()
        oldest = self._tree.settings.oldest_recording
        if last is not None and (today - date.fromisoformat(last)).days > oldest:
            return f"it was recorded on {last}, more than {oldest} days ago"
        return None


def _kinds(facts: Facts) -> list[Any]:
    return [getattr(facts, name) for name in facts.__struct_fields__]


def _together(found: list[Facts]) -> Facts:
    """The facts of one container in several places: staging and production."""
    kinds = zip(*(_kinds(facts) for facts in found), strict=True)
    return Facts(*(tuple(dict.fromkeys(fact for facts in kind for fact in facts)) for kind in kinds))


# What a source names as the most is a bound with a reserve already, or the largest sample, which gets one.
_RESERVE = {"Prometheus": Fraction(3, 2), "kubectl": Fraction(2)}  # kubectl: the limit at which it was killed


def limit_of(usage: Usage, recorded: Recorded, resource: str) -> Fraction | None:
    """The limit that ``usage`` comes to, in cores or bytes; None where it tells no most."""
    most = usage.cpu_most if resource == "cpu" else usage.memory_most
    if most is None:
        return None
    reserve = _RESERVE.get(recorded.sources[usage.by].tool, Fraction(1))
    return Fraction(most) * reserve / (1000 if resource == "cpu" else 1)
