"""What a cluster told of a container, by ``harden.evidence.yaml``: matched by kind, namespace and name, through what
kustomizations make of them; else by the Helm release, else by the labels that Kubernetes recommends. What was recorded
of an image holds for each container that runs it, by its digest, with the same command.

What was recorded of another digest than the manifest pins, or by a source that is older than ``import.max-age``, is a
hint: what it says against a change still counts, and what it says for one does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hardener.authoring.edits import Evidence
from hardener.exports.model import KEPT, OUTSIDE, About, Facts, Image, ImageFacts, Recorded, Usage
from hardener.facts.kustomize.builds import Builds
from hardener.tree.core_views import Container, Object, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

__all__ = ["Image", "Recording", "Recordings", "Usage", "injected", "key_names", "limit_of", "recording"]
_ANY_KIND = "*"
_UNSET = "default"  # the namespace that kubectl takes where none is named
_OF_A_SERVER = frozenset({"uid", "resourceVersion"})
_RELEASE = "meta.helm.sh/release-name"
_INSTANCE = "app.kubernetes.io/instance"
# Source: kubernetes.io/docs/concepts/overview/working-with-objects/common-labels
_RECOMMENDED = tuple(f"app.kubernetes.io/{name}" for name in ("name", "component", "part-of"))
_OF_IMAGES = ("ran", "writes", "capabilities", "calls", "programs")  # what an image does, whoever runs it


class Recording(Struct, frozen=True):
    """The facts of one container, and of its ``image`` by name. ``hint``: why all of them are no more than hints, None
    where they count; those of the sources ``old`` are hints in any case."""

    recorded: Recorded
    facts: Facts
    hint: str | None = None
    image: ImageFacts = ImageFacts()
    old: frozenset[str] = frozenset()

    def counts(self, by: str) -> bool:
        """Whether what the source ``by`` told is more than a hint."""
        return self.hint is None and by not in self.old

    def place(self, by: str) -> str:
        """The source of a fact, for people: who told it, and of which days."""
        return self.recorded.place(by)

    def period(self, by: str) -> str:
        """How long a source watched, in words."""
        source = self.recorded.sources[by]
        days = (date.fromisoformat(source.last) - date.fromisoformat(source.first or source.last)).days
        return f"{days + 1} days of recording" if days else "one day of recording"


def recording(container: Container) -> Recording | None:
    """What a cluster told of ``container``; None where it told nothing, or where it may be another."""
    tree = container.tree
    return tree.ask(Recordings).of(container) if tree.recorded is not None else None


def injected(pod: PodTemplate) -> dict[str, Evidence]:
    """The containers that a cluster had in the pods of ``pod`` and that stand in no manifest, each with the fact."""
    recorded = pod.tree.recorded
    if recorded is None or not recorded.injected:
        return {}
    names = [name for key in pod.tree.ask(Recordings).keys(pod.object) for name in recorded.injected.get(key, ())]
    said = f"{KEPT}: {{}} runs in its pods and is in no manifest"
    return {name: pod.fact(said.format(name)) for name in names}


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
        pods = {id(pod.object): pod for pod in tree.pods_and_parts if pod.object.editable}
        self._otherwise: dict[Object, str] = {}  # the workload of an object whose name says nothing
        self._holders = self._counted([pod.object for pod in pods.values()])
        for signs in (_by_release, _by_labels):
            self._match(pods.values(), signs)
        self._of_image: dict[Hashable, Facts] | None = None

    @cached_property
    def workloads(self) -> list[str]:
        """The workloads that the kept file has facts of, those at the end of connections among them."""
        found = {key.rpartition("/")[0] for key in self._recorded.containers}
        ends = {end for peer in self._recorded.peers for end in (peer.source, peer.target)}
        return sorted(found | {end for end in ends if end != OUTSIDE and not end.startswith("Service/")})

    def _counted(self, items: Iterable[Object]) -> Counter[str]:
        """How many objects may be each workload. An export that lies in the tree is no second manifest."""
        written: Counter[str] = Counter()
        exported: Counter[str] = Counter()
        for item in items:
            (exported if is_exported(item) else written).update(self.keys(item))
        return written + Counter({key: count for key, count in exported.items() if key not in written})

    def _match(self, pods: Iterable[PodTemplate], signs: _Signs) -> None:
        """Take the workload that alone has the ``signs`` of an object that alone has them."""
        free = [key for key in self.workloads if not self._holders[key]]
        objects: dict[Hashable, list[Object]] = {}
        for pod in pods:
            if not any(key in self._known for key in self.keys(pod.object)):
                objects.setdefault(signs.of_object(pod), []).append(pod.object)
        named: dict[Hashable, list[str]] = {}
        for key in free:
            named.setdefault(signs.of_workload(key, self._recorded.workloads.get(key)), []).append(key)
        for sign, keys in named.items():
            found = objects.get(sign, []) if sign is not None else []
            if len(keys) == len(found) == 1 and self._may_be_in(found[0], keys[0].split("/")[1]):
                self._otherwise[found[0]] = keys[0]
                self._holders[keys[0]] += 1

    def _may_be_in(self, item: Object, namespace: str) -> bool:
        known = self._tree.ask(Builds).known_namespaces(item)
        return None in known or namespace in known

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.workloads)

    def keys(self, item: Object) -> list[str]:
        """The workloads of the kept file that ``item`` may be: those of its names; where its namespace is not written,
        the one that has its kind and name."""
        found = dict.fromkeys(key_names(self._tree, item))
        if item in self._otherwise:
            return [*found, self._otherwise[item]]
        if None in self._tree.ask(Builds).known_namespaces(item):
            names = {key.split("/", 2)[2] for key in found}
            spaces = [self._any_space.get(f"{kind}/{name}", []) for kind in (item.kind, _ANY_KIND) for name in names]
            several = [key for keys in spaces for key in keys]
            if len(several) == 1:
                found |= dict.fromkeys(several)
        return list(found)

    def of(self, container: Container) -> Recording | None:
        """The facts of ``container``; None where there are none, or where two objects of the tree may be meant."""
        facts, of_image = self._own(container) or self._same_image(container), self._image_facts(container)
        if facts is None and of_image == ImageFacts():
            return None
        facts = facts or Facts()
        return Recording(self._recorded, facts, _hint(container, facts), of_image, self._old)

    @cached_property
    def _old(self) -> frozenset[str]:
        """The sources of which nothing is newer than ``import.max-age``."""
        today = self._tree.settings.as_of or date.today()
        ages = {key: (today - date.fromisoformat(source.last)).days for key, source in self._recorded.sources.items()}
        return frozenset(key for key, days in ages.items() if days > self._tree.settings.oldest_recording)

    def _own(self, container: Container) -> Facts | None:
        """What was told of this very container."""
        found = [
            facts
            for key in self.keys(container.pod.object)
            if self._holders[key] <= 1 and (facts := self._recorded.containers.get(f"{key}/{container.name}"))
        ]
        return _together(found) if found else None

    def _image_facts(self, container: Container) -> ImageFacts:
        found = self._recorded.images.get(container.image.text) if container.image is not None else None
        return found or ImageFacts()

    def _same_image(self, container: Container) -> Facts | None:
        """What was told of another container of the tree that runs the same digest with the same command."""
        sign = self._image_sign(container, Facts())
        if sign is None:
            return None
        if self._of_image is None:
            self._of_image = {}
            for pod in self._tree.pods_and_parts:
                for other in pod.containers if pod.object.editable and not is_exported(pod.object) else ():
                    own = self._own(other)
                    if own is not None and (key := self._image_sign(other, own)) is not None:
                        facts = replace(Facts(), **{kind: getattr(own, kind) for kind in _OF_IMAGES})
                        before = self._of_image.get(key)
                        self._of_image[key] = facts if before is None else _together([before, facts])
        return self._of_image.get(sign)

    def _image_sign(self, container: Container, facts: Facts) -> Hashable | None:
        """What is the same of containers that run one digest in one way; None where the digest is not known."""
        image = container.image
        if image is None:
            return None
        ran = {each.digest for each in facts.images} or self._digests.get(image.text, set())
        digest = image.digest or (next(iter(ran)) if len(ran) == 1 else None)
        return (digest, tuple(container.command), tuple(container.args)) if digest is not None else None

    @cached_property
    def _digests(self) -> dict[str, set[str]]:
        """The digests that were recorded behind the name of an image."""
        found: dict[str, set[str]] = {}
        for facts in self._recorded.containers.values():
            for image in facts.images:
                found.setdefault(image.name, set()).add(image.digest)
        return found

    def unmatched(self) -> Iterator[str]:
        """The workloads of the kept file that no object of the tree is, and those that several may be."""
        return (key for key in self.workloads if self._holders[key] != 1)


def _hint(container: Container, facts: Facts) -> str | None:
    pinned = container.image.digest if container.image is not None else None
    ran = {image.digest for image in facts.images}
    if pinned is not None and ran and pinned not in ran:
        return "it was recorded of another digest than the manifest pins"
    return None


def is_exported(item: Object) -> bool:
    """Whether an API server wrote the object: who writes one gives it none of these fields."""
    metadata = item.data.get("metadata")
    return isinstance(metadata, dict) and not _OF_A_SERVER.isdisjoint(metadata)


class _Signs(Struct, frozen=True):
    """What an object and a workload of a cluster have in common that are one; None where they have nothing of it."""

    of_object: Callable[[PodTemplate], Hashable | None]
    of_workload: Callable[[str, About | None], Hashable | None]


def _release_of_object(pod: PodTemplate) -> Hashable | None:
    item = pod.object
    release = pod.labels.get(_INSTANCE) or item.annotations.get(_RELEASE) or ""
    return item.kind, _without_release(item.name, release)


def _release_of_workload(key: str, about: About | None) -> Hashable | None:
    kind, _, name = key.split("/", 2)
    return (kind, _without_release(name, about.release)) if about is not None and about.release else None


def _without_release(name: str, release: str) -> str:
    """The name that a chart gives beside that of the release."""
    return "" if name == release else name.removeprefix(f"{release}-") if release else name


def _labels_of_object(pod: PodTemplate) -> Hashable | None:
    return _recommended(pod.object.kind, pod.labels)


def _labels_of_workload(key: str, about: About | None) -> Hashable | None:
    return _recommended(key.partition("/")[0], dict(about.labels)) if about is not None else None


def _recommended(kind: str, labels: dict[str, str]) -> Hashable | None:
    found = tuple(labels.get(name) for name in _RECOMMENDED)
    return (kind, *found) if found[0] is not None else None


_by_release = _Signs(_release_of_object, _release_of_workload)
_by_labels = _Signs(_labels_of_object, _labels_of_workload)


def _kinds(facts: Facts | ImageFacts) -> list[Any]:
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
