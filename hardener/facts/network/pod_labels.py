"""By which labels a NetworkPolicy finds the pods of a workload, as the tree is read."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import WrongShapeError
from hardener.kubernetes.network.label_selector import EVERYTHING, Selector, parse
from hardener.kubernetes.network.passing_labels import stays
from hardener.kubernetes.objects.object_names import as_label_value
from hardener.kubernetes.objects.shape import ShapeError, mapping
from hardener.tree.core_views import Object, OpaqueError, PodTemplate, View
from hardener.tree.tree import Tree

Place = tuple[str, str | None]  # a folder, and a namespace as written
NAME = "app.kubernetes.io/name"

_LABEL_SELECTORS = frozenset({"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Rollout", "CloneSet"})
_PLAIN_SELECTORS = frozenset({"ReplicationController", "DeploymentConfig"})
_BY_LABELS = frozenset({"Pod", "Job", "CronJob", "ScheduledJob", "ScaledJob"})
_IMMUTABLE = frozenset({"Job"})


class Own(Struct):
    """By which labels a policy finds the pods of a workload: ``selector``, a LabelSelector.

    ``added`` is the value of the label NAME that its template lacks, without which nothing tells them from other pods;
    ``problem`` says why there is no selector.
    """

    selector: dict[str, Any] | None
    added: str | None = None
    problem: str | None = None
    meaning: Selector | None = None  # of ``selector``; None where that means nothing

    def __post_init__(self) -> None:
        self.meaning = None if self.selector is None else meaning(self.selector)


class PodSelectors:
    """Computed once per pod template; what is asked of the whole tree is looked up."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._own: dict[PodTemplate, Own] = {}
        self._shorter: dict[Selector, Own] = {}
        self._twins_at: dict[Place, dict[Selector | None, list[PodTemplate]]] = {}

    def own(self, pod: PodTemplate) -> Own:
        """By which labels a policy finds the pods of ``pod``: its selector, which Kubernetes lets nobody change, else
        the labels of its template; without those that change with a release.

        Raises OpaqueError and WrongShapeError when its labels cannot be known.
        """
        found = self._own.get(pod)
        if found is None:
            found = self._own[pod] = self._own_of(pod)
        return found

    def _own_of(self, pod: PodTemplate) -> Own:
        kind = pod.kind
        if kind not in _LABEL_SELECTORS | _PLAIN_SELECTORS | _BY_LABELS:
            return Own(None, problem=f"an operator makes the pods of a {kind}, labels them and talks to them")
        if kind not in _BY_LABELS and (selector := pod.object.view("spec", "selector")).keys():
            return self._lasting(_written(selector, plain=kind in _PLAIN_SELECTORS))
        labels = pod.metadata.view("labels")
        lasting = {key: value for key in labels.keys() if stays(key, value := str(labels.get(key)))}
        if lasting:
            return Own({"matchLabels": lasting})
        if kind in _IMMUTABLE or kind not in _BY_LABELS:
            return Own(None, problem="its pods have no label that tells them from others")
        value = self._free_label(pod)
        return Own({"matchLabels": {NAME: value}}, added=value)

    def _lasting(self, own: Own) -> Own:
        """``own`` without the labels that change with a release, as far as it finds the same pods of the tree; another
        workload, of which it may be the only difference, is not for its policy."""
        full = own.meaning
        if own.selector is None or full is None:
            return own
        if full not in self._shorter:
            labels = {key: value for key, value in own.selector.get("matchLabels", {}).items() if stays(key, value)}
            expressions = [item for item in own.selector.get("matchExpressions", []) if stays(str(item["key"]), "")]
            written = ({"matchLabels": labels} if labels else {}) | (
                {"matchExpressions": expressions} if expressions else {}
            )
            self._shorter[full] = own
            if written and written != own.selector:
                short = Own(written)
                if short.meaning not in (None, full) and self._finds_the_same(labels, short.meaning, full):
                    self._shorter[full] = short
        return self._shorter[full]

    def _finds_the_same(self, labels: dict[str, str], short: Selector, full: Selector) -> bool:
        near = min((self._by_label.get(label, []) for label in labels.items()), key=len, default=None)
        pods = self._tree.pod_templates if near is None else near
        return all(full.matches(pod.labels) for pod in pods if short.matches(pod.labels))

    @cached_property
    def _by_label(self) -> dict[tuple[str, str], list[PodTemplate]]:
        found: dict[tuple[str, str], list[PodTemplate]] = {}
        for pod in self._tree.pod_templates:
            for label in pod.labels.items():
                found.setdefault(label, []).append(pod)
        return found

    def _free_label(self, pod: PodTemplate) -> str:
        """A value of the label NAME that no other pod has and no selector asks for, so that no Service and no
        controller takes notice of the pods that get it."""
        for name in (pod.object.name, f"{pod.object.name}-{pod.kind}", f"harden-{pod.object.name}"):
            value = as_label_value(name)
            if value and value not in self._label_values and stays(NAME, value):
                return value
        return f"harden-{self._numbers.get(pod, len(self._numbers))}"

    @cached_property
    def _numbers(self) -> dict[PodTemplate, int]:
        return {pod: number for number, pod in enumerate(self._tree.pod_templates)}

    @cached_property
    def _label_values(self) -> frozenset[str]:
        found = {pod.labels[NAME] for pod in self._tree.pod_templates if NAME in pod.labels}
        for item in self._tree.objects:
            spec = item.data.get("spec")
            written = spec.get("selector") if isinstance(spec, dict) else None
            for labels in (written, written.get("matchLabels") if isinstance(written, dict) else None):
                if isinstance(labels, dict) and NAME in labels:
                    found.add(str(labels[NAME]))
        return frozenset(found)

    @cached_property
    def _by_place(self) -> dict[Place, list[PodTemplate]]:
        found: dict[Place, list[PodTemplate]] = {}
        for pod in self._tree.pod_templates:
            found.setdefault(self.place(pod), []).append(pod)
        return found

    def place(self, pod: PodTemplate) -> Place:
        """The folder and the namespace of ``pod``, in which one policy is for all its twins."""
        return pod.object.folder, pod.namespace

    def beside(self, place: Place) -> list[PodTemplate]:
        """All pods of ``place``."""
        return self._by_place.get(place, [])

    def _twins(self, place: Place) -> dict[Selector | None, list[PodTemplate]]:
        found = self._twins_at.get(place)
        if found is None:
            found = self._twins_at[place] = {}
            for pod in self.beside(place):
                own = self._known(pod)
                if own is not None and not pod.object.classes:
                    found.setdefault(own.meaning, []).append(pod)
        return found

    def _known(self, pod: PodTemplate) -> Own | None:
        """What ``own`` says of ``pod`` where it has a selector that can be known."""
        try:
            own = self.own(pod)
        except (OpaqueError, WrongShapeError):
            return None
        return None if own.selector is None else own

    def twins(self, pod: PodTemplate) -> list[PodTemplate]:
        """All pods of the folder and namespace that a policy finds by the same labels, ``pod`` among them; one policy
        is for all of them."""
        own = self._known(pod)
        return [pod] if own is None else self._twins(self.place(pod)).get(own.meaning, [pod])

    @cached_property
    def _shared_names(self) -> set[tuple[str, str | None, str]]:
        """The places, namespaces and names of workloads of several kinds."""
        kinds: dict[tuple[str, str | None, str], str] = {}
        found = set()
        for pod in self._tree.pod_templates:
            if not pod.object.classes:
                for place in _places(pod.object):
                    key = place, pod.namespace, pod.object.name
                    if kinds.setdefault(key, pod.kind) != pod.kind:
                        found.add(key)
        return found

    def shares_name(self, pod: PodTemplate) -> bool:
        """Whether a workload of another kind has its name, in its folder or in the namespace that both name."""
        shared = self._shared_names
        return bool(shared) and any([(p, pod.namespace, pod.object.name) in shared for p in _places(pod.object)])


def meaning(value: Any) -> Selector | None:
    """What a LabelSelector says; everything for none, None for what the API server does not take."""
    try:
        return EVERYTHING if value is None else parse(mapping(value))
    except ShapeError:
        return None


def _places(item: Object) -> tuple[str, ...]:
    return (item.folder,) if item.namespace is None else (item.folder, "")  # anywhere


def _written(view: View, *, plain: bool) -> Own:
    if plain:
        return Own({"matchLabels": {key: str(view.get(key)) for key in view.keys()}})
    found: dict[str, Any] = {}
    labels = view.view("matchLabels")
    if keys := labels.keys():
        found["matchLabels"] = {key: str(labels.get(key)) for key in keys}
    expressions = [_expression(item) for item in view.items("matchExpressions")]
    if expressions:
        found["matchExpressions"] = expressions
    return Own(found) if found else Own(None, problem="its selector is empty")


def _expression(item: View) -> dict[str, Any]:
    found: dict[str, Any] = {"key": item.get("key"), "operator": item.get("operator")}
    if item.has("values"):
        found["values"] = list(item.strings("values"))
    return found
