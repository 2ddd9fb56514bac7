"""Objects that have a controller make or change what no manifest shows, as plain data.

Sources: the API references of Flux (kustomize-controller 1.6), Argo CD 3.1, Cluster API 1.10 (ClusterResourceSet, the
provider of add-ons for Helm), Kubernetes 1.36 (MutatingAdmissionPolicy), Gatekeeper 3.20 (mutation), Kyverno 1.15.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hardener.kubernetes.pods.custom_resource import is_custom, sign
from hardener.kubernetes.pods.pod_template import group
from hardener.support.data_path import Path
from hardener.support.shapes import entries

Kind = tuple[str, str]  # API group and kind

_MAKES: dict[Kind, str] = {
    ("addons.cluster.x-k8s.io", "ClusterResourceSet"): "applies what is in the data of ConfigMaps and Secrets",
    ("addons.cluster.x-k8s.io", "HelmChartProxy"): "renders a chart",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): "changes other objects when they are written",
    ("policies.kyverno.io", "MutatingPolicy"): "changes other objects when they are written",
    ("policies.kyverno.io", "NamespacedMutatingPolicy"): "changes other objects when they are written",
    ("policies.kyverno.io", "GeneratingPolicy"): "makes other objects",
    ("policies.kyverno.io", "NamespacedGeneratingPolicy"): "makes other objects",
    **{
        ("mutations.gatekeeper.sh", kind): "changes other objects when they are written"
        for kind in ("Assign", "AssignImage", "AssignMetadata", "ModifySet")
    },
}
_MUTATING = ("admissionregistration.k8s.io", "MutatingWebhookConfiguration")
_KYVERNO = frozenset({("kyverno.io", "ClusterPolicy"), ("kyverno.io", "Policy")})
_OF_RULES = {"mutate": "changes other objects when they are written", "generate": "makes other objects"}

_FLUX = ("kustomize.toolkit.fluxcd.io", "Kustomization")
_ARGO = frozenset({("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet")})
# What changes the objects that a deployer finds in a folder. A namespace of its own is left out: it moves them.
_OF_FLUX = (
    "patches", "patchesStrategicMerge", "patchesJson6902", "postBuild", "images", "components", "commonMetadata",
)  # fmt: skip
_OF_KUSTOMIZE = (
    "patches", "images", "replicas", "components", "commonLabels", "commonAnnotations", "buildOptions",
)  # fmt: skip
_SOURCE = ("spec", "source")
_PLAIN = re.compile(r"[\w.-]+(?:/[\w.-]+)?")


def is_unjudged(document: object) -> bool:
    """Whether ``document`` is an object that makes or changes others, or names what its controller runs; or it is not
    known what it is."""
    if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
        return False
    kind, api_version = document["kind"], document.get("apiVersion")
    if not is_named(kind, api_version):
        return True
    named = group(api_version), kind
    if is_source(named) or next(makes(named, document), None) is not None:
        return True
    return is_custom(document) and sign(document) is not None


def is_named(kind: str, api_version: object) -> bool:
    """Whether the kind of an object is written out."""
    return bool(_PLAIN.fullmatch(kind)) and (not api_version or bool(_PLAIN.fullmatch(str(api_version))))


_SOURCES = frozenset({
    ("source.toolkit.fluxcd.io", kind)
    for kind in ("Bucket", "ExternalArtifact", "GitRepository", "HelmChart", "HelmRepository", "OCIRepository")
})  # fmt: skip
"""What Flux applies from somewhere; whoever applies it may stand in another tree."""


def is_source(kind: Kind) -> bool:
    """Whether an object names a place from which others are applied."""
    return kind in _SOURCES


def makes(kind: Kind, document: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """What ``document`` makes of other objects, in words, with its place; nothing for what only says something."""
    if kind in _MAKES:
        yield ("spec",), _MAKES[kind]
    if kind == _MUTATING:
        for index, webhook in entries(document.get("webhooks")):
            if isinstance(client := webhook.get("clientConfig"), Mapping) and client.get("url"):
                yield ("webhooks", index, "clientConfig", "url"), "lets another address change objects"
    spec = document.get("spec")
    if kind in _KYVERNO and isinstance(spec, Mapping):
        for index, rule in entries(spec.get("rules")):
            for key, what in _OF_RULES.items():
                if rule.get(key):
                    yield ("spec", "rules", index, key), what


def alterations(kind: Kind, document: Mapping[str, Any]) -> list[Path]:
    """The fields by which a deployer changes what it finds in a folder of manifests."""
    if kind == _FLUX:
        spec = document.get("spec")
        return [("spec", key) for key in _OF_FLUX if isinstance(spec, Mapping) and spec.get(key)]
    return list(_of_argo(document)) if kind in _ARGO else []


def _of_argo(document: Mapping[str, Any]) -> Iterator[Path]:
    for path, source in sources(document):
        for tool, keys in (("kustomize", _OF_KUSTOMIZE), ("directory", ("jsonnet",))):
            own = source.get(tool)
            if isinstance(own, Mapping):
                yield from ((*path, tool, key) for key in keys if own.get(key))
        if source.get("plugin"):
            yield (*path, "plugin")


def sources(document: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The sources of an Application of Argo CD, each with its place."""
    spec = document.get("spec")
    if isinstance(spec, Mapping):
        if isinstance(source := spec.get("source"), Mapping):
            yield _SOURCE, source
        for index, source in entries(spec.get("sources")):
            yield ("spec", "sources", index), source
