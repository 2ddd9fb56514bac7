"""Workloads as peers of a policy: by which labels, and in which namespaces, the other end is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.network.connections.model import Elsewhere
from hardener.facts.network.network_policies import Isolation
from hardener.facts.objects.system_pods import classes_of
from hardener.kubernetes.network.passing_labels import stays
from hardener.tree.core_views import Object, OpaqueError, PodTemplate, View

Value = dict[str, Any]
EVERY_POD: Value = {"podSelector": {}}
EVERY_NAMESPACE: Value = {"namespaceSelector": {}}


def own_labels(pod: PodTemplate) -> Value | None:
    """Return the LabelSelector that finds the pods of ``pod``; None where there is none that can be relied on."""
    try:
        own = pod.tree.ask(Isolation).selectors.own(pod)
        known = own.added is None or _will_be_labelled(pod)
    except (OpaqueError, WrongShapeError):
        return None
    return own.selector if known else None


def _will_be_labelled(pod: PodTemplate) -> bool:
    """Whether the label that the pod lacks is written in this run."""
    waivers = pod.tree.waivers
    if pod.object.piece.source.is_program:  # it would come with a policy, and that only the program can make
        return False
    if not pod.object.editable or set(classes_of(pod)) - {"node-agent"}:
        return False
    return not waivers or not any(waivers.is_exempt("netpol-workload", one, ()) for one in pod.containers)


def peer(pod: PodTemplate, other: PodTemplate) -> Value:
    """Return ``other`` as it is named in a policy of ``pod``; every pod of its namespace where its labels cannot
    tell."""
    labels = own_labels(other)
    return _placed(pod.object, other.object, {} if labels is None else _written(pod.object, other.object, labels))


def named(other: PodTemplate) -> str:
    """Return a peer in words."""
    unknown = "" if own_labels(other) else ", which no label tells from others"
    return f"{other.object}{unknown}"


def behind(pod: PodTemplate, service: Object) -> Value:
    """Return the pods that ``service`` selects, which the tree does not show, as they are named in a policy of ``pod``;
    every pod of its namespace where the selector is not known."""
    try:
        selector = service.view("spec", "selector")
        labels = {key: str(selector.get(key)) for key in selector.keys()}
        labels = {key: value for key, value in labels.items() if stays(key, value)} or labels
    except OpaqueError:
        labels = {}
    written = _written(pod.object, service, {"matchLabels": labels}) if labels else {}
    return _placed(pod.object, service, written)


def same_namespace(item: Object, other: Object) -> bool:
    """Return whether two objects come out in the same namespace, as far as that is known."""
    builds = item.tree.ask(Builds)
    if builds.is_placed_by_program(item) or builds.is_placed_by_program(other):
        return False
    return set(builds.namespaces(item)) == set(builds.namespaces(other))


def _placed(item: Object, other: Object, selector: Value) -> Value:
    if same_namespace(item, other):
        return {"podSelector": selector}
    names = item.tree.ask(Builds).namespaces(other)
    if None in names:
        return {**EVERY_NAMESPACE, "podSelector": selector}
    return {**in_namespace(*sorted(name for name in names if name)), "podSelector": selector}


def elsewhere(other: Elsewhere) -> Value:
    """Return a recorded workload that the tree does not show; every pod of its namespace where no label is known."""
    labels = [_in(key, [value]) for key, value in other.labels]
    pods = {"podSelector": {"matchExpressions": labels} if labels else {}}
    return {**in_namespace(other.namespace), **pods} if other.namespace else pods


def in_namespace(*names: str) -> Value:
    """Return every pod of the namespaces ``names``."""
    # The label is set by the API server since 1.21; as an expression, since kustomize rewrites the labels of
    # matchLabels (api/konfig/builtinpluginconsts/commonlabels.go).
    return {"namespaceSelector": {"matchExpressions": [_in("kubernetes.io/metadata.name", list(names))]}}


def _written(item: Object, other: Object, selector: Value) -> Value:
    """``selector`` of ``other`` in a policy beside ``item``.

    What the same kustomizations build keeps its labels, which they rewrite in pods and in policies alike. Others would
    get labels here that their pods do not have: expressions are left as they are, so they name what kustomizations
    make of the labels.
    """
    builds = item.tree.ask(Builds)
    layers = builds.layers(other)
    if layers == builds.layers(item):
        return selector
    changed: dict[str, list[str]] = {}
    for kustomization in layers:
        for key, value in _labels_of(kustomization):
            changed.setdefault(key, []).append(value)
    found = [_in(key, sorted({value, *changed.get(key, [])})) for key, value in selector.get("matchLabels", {}).items()]
    return {"matchExpressions": [*found, *selector.get("matchExpressions", [])]}


def _labels_of(kustomization: Object) -> Iterator[tuple[str, str]]:
    """The labels that a kustomization gives to pods."""
    try:
        holders: list[View] = [kustomization.view("commonLabels")]
        for item in kustomization.items("labels"):
            if item.get("includeSelectors") is True or item.get("includeTemplates") is True:
                holders.append(item.view("pairs"))
        for holder in holders:
            for key in holder.keys():
                yield key, str(holder.text(key))
    except (OpaqueError, WrongShapeError):
        return


def _in(key: str, values: list[str]) -> Value:
    return {"key": key, "operator": "In", "values": values}
