"""What labels and annotations of a kustomization make of an object, as plain data.

Source: sigs.k8s.io/kustomize, api/internal/konfig/builtinpluginconsts (commonlabels.go, commonannotations.go,
templatelabels.go). Selectors of affinities are not in here: nothing that is judged goes by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from hardener.support import shapes
from hardener.support.data_path import Path

Data = dict[str, Any]

_LABELS: Path = ("metadata", "labels")
_ANNOTATIONS: Path = ("metadata", "annotations")
_MATCH: Path = ("spec", "selector", "matchLabels")
_TEMPLATE: Path = ("spec", "template")
_JOB: Path = ("spec", "jobTemplate")
_WORKLOADS = ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet")
# Where the templates of pods stand, by kind.
_TEMPLATES: dict[str, tuple[Path, ...]] = {
    **dict.fromkeys((*_WORKLOADS, "ReplicationController", "Job"), (_TEMPLATE,)),
    "CronJob": (_JOB, (*_JOB, "spec", "template")),
}
# Selectors by kind: those that are made where they are not there, and those that are not.
_MADE: dict[str, Path] = {
    **dict.fromkeys(_WORKLOADS, _MATCH),
    **dict.fromkeys(("Service", "ReplicationController"), ("spec", "selector")),
}
_THERE: dict[str, tuple[Path, ...]] = {
    "Job": (_MATCH,),
    "CronJob": ((*_JOB, *_MATCH),),
    "PodDisruptionBudget": (_MATCH,),
    "NetworkPolicy": (
        ("spec", "podSelector", "matchLabels"),
        ("spec", "ingress", "from", "podSelector", "matchLabels"),
        ("spec", "egress", "to", "podSelector", "matchLabels"),
    ),
}  # fmt: skip


class Pairs(Struct, frozen=True):
    """Labels, or annotations, that a kustomization gives; they stand at ``path`` of it."""

    path: Path
    texts: Mapping[str, str]
    is_label: bool = True
    templates: bool = False
    selectors: bool = False


def pairs_of(document: Mapping[str, Any]) -> Iterator[Pairs]:
    """What ``document``, a kustomization, gives to all objects, in the order in which it does."""
    for index, entry in shapes.entries(document.get("labels")):
        if texts := _texts(entry.get("pairs")):
            selectors = bool(entry.get("includeSelectors"))
            yield Pairs(
                ("labels", index, "pairs"), texts, True, selectors or bool(entry.get("includeTemplates")), selectors
            )
    if texts := _texts(document.get("commonLabels")):
        yield Pairs(("commonLabels",), texts, True, True, True)
    if texts := _texts(document.get("commonAnnotations")):
        yield Pairs(("commonAnnotations",), texts, False, True)


def given(document: Data, pairs: Pairs) -> Data:
    """``document`` with ``pairs``; what they do not change is shared with it."""
    kind, end = str(document.get("kind")), _LABELS if pairs.is_label else _ANNOTATIONS
    found = put(document, end, pairs.texts, made=True)
    for path in _TEMPLATES.get(kind, ()) if pairs.templates else ():
        found = put(found, (*path, *end), pairs.texts, made=True)
    if pairs.selectors:
        if kind in _MADE:
            found = put(found, _MADE[kind], pairs.texts, made=True)
        for path in _THERE.get(kind, ()):
            found = put(found, path, pairs.texts, made=False)
    return dict(found)


def put(value: Any, path: Path, texts: Mapping[str, str], *, made: bool) -> Any:
    """A copy of ``value`` with ``texts`` at ``path``, in each item of the lists on the way."""
    if isinstance(value, list):
        return [put(item, path, texts, made=made) for item in value]
    if value is not None and not isinstance(value, dict):
        return value
    if not path:
        return {**(value or {}), **texts}
    below = (value or {}).get(path[0])
    if below is None and not made:
        return value
    return {**(value or {}), path[0]: put(below, path[1:], texts, made=made)}


def _texts(found: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in shapes.mapping(found).items()}
