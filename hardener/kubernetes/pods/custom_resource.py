"""Custom resources whose operator makes pods from fields of its own: what they run is seen, not changed.

Argo Workflow, Tekton Task, SparkApplication and whatever names an image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hardener.kubernetes.images.reference import read
from hardener.kubernetes.pods.pod_template import group
from hardener.support.data_path import Path

# Kubernetes' own groups with a dot; others of k8s.io belong to projects beside it (sparkoperator.k8s.io).
_BUILT_IN = (
    r"(?:admissionregistration|apiextensions|apiregistration|authentication|(?:rbac\.)?authorization|certificates"
    r"|coordination|discovery|events|(?:flowcontrol|internal)\.apiserver|metrics|networking|node|resource|scheduling"
    r"|storage|storagemigration)\.k8s\.io"
)
_CUSTOM_GROUP = rf"""\bapiVersion["']?[ \t]*:[ \t]*["']?(?!(?:{_BUILT_IN}|kustomize[\w.-]*)/)[\w-]+\.[\w.-]+/"""
_IMAGE_KEY = r"""\bimage["']?[ \t]*:(?:[ \t]*["']?[\w{]|[ \t\r]*\n[ \t]+repository)"""
_SERVICE_KEY = r"""\b(?:service|serviceRef|serviceReference)["']?[ \t]*:[ \t\r]*(?:\{|\n)|\b(?:url|URL)["']?[ \t]*:[ \t]*["']?\w+://"""
# Not of a cluster: what they name is where a tool of the developer gets its images from.
_OF_TOOLS = frozenset({"kind.x-k8s.io", "kustomize.config.k8s.io", "kustomize.toolkit.fluxcd.io"})
_DEEPEST = 40


def may_name_images(text: str) -> bool:
    """Whether ``text`` may hold a custom resource that names an image; tells without parsing."""
    # Every document of a tree is asked, most of them without that word; patterns are compiled when first needed.
    return "image" in text and bool(re.search(_CUSTOM_GROUP, text)) and bool(re.search(_IMAGE_KEY, text))


def may_name_services(text: str) -> bool:
    """Whether ``text`` may hold a custom resource that names a Service; tells without parsing."""
    if not ("service" in text or "url" in text):
        return False
    return re.search(_SERVICE_KEY, text) is not None and re.search(_CUSTOM_GROUP, text) is not None


def image_fields(document: object) -> list[Path]:
    """The fields of a custom resource that name an image; [] for any other object."""
    if not isinstance(document, Mapping) or not is_custom(group(document.get("apiVersion"))):
        return []
    return list(_images(document.get("spec"), ("spec",)))


def is_custom(of: str) -> bool:
    """Whether ``of`` is the group of custom resources in a cluster: none of Kubernetes' own, and none of a tool."""
    return "." in of and of not in _OF_TOOLS and re.fullmatch(_BUILT_IN, of) is None


def _images(value: object, path: Path) -> Iterator[Path]:
    if len(path) > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key == "image" and _is_image(child):
                yield (*path, key)
            elif isinstance(key, str):
                yield from _images(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _images(child, (*path, index))


def _is_image(value: object) -> bool:
    # In text, or as repository and tag of its own, as Helm values are.
    if isinstance(value, Mapping):
        return isinstance(value.get("repository"), str)
    image = read(value)
    return image is not None and (image.opaque or any(sign in image.text for sign in ":@/"))
