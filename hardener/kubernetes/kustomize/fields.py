"""Which fields of a kustomization a build of ours takes into account, and which it leaves out.

Source: sigs.k8s.io/kustomize/api/types (kustomization.go, patch.go, selector.go, labels.go). Their JSON decoder takes a
name in any case, so ``Patches`` works there, and is a field here that nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hardener.kubernetes.kustomize.target import is_read
from hardener.support import shapes
from hardener.support.data_path import Path

_BUILT = frozenset(
    "resources bases components namespace namePrefix nameSuffix labels commonLabels commonAnnotations images patches "
    "patchesStrategicMerge patchesJson6902 configMapGenerator secretGenerator replacements transformers vars".split()
)
# What changes nothing that is judged; what is rendered of charts is reported elsewhere.
_IGNORED = frozenset(
    "apiVersion kind metadata generatorOptions replicas buildMetadata sortOptions inventory "
    "helmCharts helmGlobals helmChartInflationGenerator".split()
)
_NOT_BUILT = ("generators", "configurations", "openapi", "crds", "validators")
_LISTS = ("replacements", "transformers", "vars")
_PATCH = frozenset({"path", "patch", "target", "options"})
_TARGET = frozenset({"group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"})
_OPTIONS = frozenset({"allowNameChange", "allowKindChange"})
_LABELS = frozenset({"pairs", "includeSelectors", "includeTemplates"})


def not_built(document: Mapping[Any, Any]) -> Iterator[tuple[Path, str]]:
    """What the kustomization ``document`` does beyond a build of ours: the place, and why, without a subject."""
    for key in _NOT_BUILT:
        if document.get(key):
            yield (key,), f"does not check its {key}: what they set is not known"
    for key in _LISTS:
        if document.get(key) and not isinstance(document[key], list):
            yield (key,), f"does not check its {key}: they are no list"
    for key in document:
        if key not in _BUILT and key not in _IGNORED and key not in _NOT_BUILT:
            yield (key,), "does not know this field of it"
    for key in ("patches", "patchesJson6902"):
        for index, entry in shapes.entries(document.get(key)):
            yield from _of_patch((key, index), entry)
    for index, entry in shapes.entries(document.get("labels")):
        yield from _unknown(("labels", index), entry, _LABELS)


def _of_patch(path: Path, entry: Mapping[Any, Any]) -> Iterator[tuple[Path, str]]:
    yield from _unknown(path, entry, _PATCH)
    target = shapes.mapping(entry.get("target"))
    yield from _unknown((*path, "target"), target, _TARGET)
    yield from _unknown((*path, "options"), shapes.mapping(entry.get("options")), _OPTIONS)
    if path[0] == "patches" and (key := next((key for key in sorted(_TARGET) if not is_read(key, target)), None)):
        yield (*path, "target", key), "does not know which objects this selects"


def _unknown(path: Path, entry: Mapping[Any, Any], known: frozenset[str]) -> Iterator[tuple[Path, str]]:
    yield from (((*path, key), "does not know this field of it") for key in entry if key not in known)
