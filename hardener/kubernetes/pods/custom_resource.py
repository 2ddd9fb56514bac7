"""Custom resources whose operator makes pods from fields of its own: what they run is seen, not changed.

Argo Workflow, Tekton Task, SparkApplication and whatever names an image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

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
_LOOSE = ("privileged", "hostNetwork", "hostPID", "hostIPC", "hostPath", "ecurityContext")
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


def may_loosen(text: str) -> bool:
    """Whether ``text`` may hold a custom resource that loosens a pod; tells without parsing."""
    return any(word in text for word in _LOOSE) and re.search(_CUSTOM_GROUP, text) is not None


def image_fields(document: object) -> list[Path]:
    """The fields of a custom resource that name an image; [] for any other object."""
    if not isinstance(document, Mapping) or not is_custom_group(group(document.get("apiVersion"))):
        return []
    return list(_images(document.get("spec"), ("spec",)))


def is_custom_group(of: str) -> bool:
    """Whether ``of`` is the group of custom resources in a cluster: none of Kubernetes' own, and none of a tool."""
    return "." in of and of not in _OF_TOOLS and re.fullmatch(_BUILT_IN, of) is None


def _images(value: object, path: Path) -> Iterator[Path]:
    if len(path) > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key == "image" and (_is_image(child) or _is_of_container(value)):
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


# Beside one of these a bare name is that of an image, too: elsewhere it may be that of a disk.
_BESIDE_IMAGE = frozenset({
    "args", "command", "env", "envFrom", "imagePullPolicy", "ports", "resources", "script", "securityContext",
    "volumeMounts", "workingDir",
})  # fmt: skip


def _is_of_container(value: Mapping[object, object]) -> bool:
    """Whether the mapping that holds an image is a container by its other fields, and the image may be a name alone."""
    return isinstance(value["image"], str) and bool(value["image"].strip()) and not _BESIDE_IMAGE.isdisjoint(value)


# What a resource of a kind that nobody here knows may have its controller do.

# Groups of which the rest of this program judges what counts, or whose controllers run nothing that such an object
# names: their addresses are of servers that are asked, and their rules are no rights. What they hold of pods counts.
_ADDRESS_IS_DATA = frozenset({
    "acme.cert-manager.io", "cert-manager.io", "cilium.io", "crd.projectcalico.org", "external-secrets.io",
    "gateway.networking.k8s.io", "generators.external-secrets.io", "image.toolkit.fluxcd.io", "monitoring.coreos.com",
    "networking.istio.io", "notification.toolkit.fluxcd.io", "security.istio.io", "source.toolkit.fluxcd.io",
    "operator.victoriametrics.com", "traefik.io", "traefik.containo.us", "trust.cert-manager.io", "projectcontour.io",
})  # fmt: skip
# Policies, which name fields of pods to refuse them, settings of nodes, and what tools of a developer read.
_JUDGED = frozenset({
    "kyverno.io", "policies.kyverno.io", "templates.gatekeeper.sh", "constraints.gatekeeper.sh",
    "mutations.gatekeeper.sh", "bitnami.com", "audit.k8s.io", "eksctl.io", "kops.k8s.io", "policy.networking.k8s.io",
    "kubeadm.k8s.io", "client.authentication.k8s.io", "autoscaling.k8s.io", "snapshot.storage.k8s.io",
    "security.openshift.io", "hardener.dev",
})  # fmt: skip
_CONFIG = re.compile(r"(?:.*\.)?config\.k8s\.io|kustomize(?:\.config)?[\w.-]*\.k8s\.io")
_POD_LISTS = frozenset({"containers", "initContainers", "ephemeralContainers"})
_POD_FIELDS = frozenset({
    "hostPath", "hostPID", "hostNetwork", "hostIPC", "privileged", "securityContext", "podSecurityContext",
    "containerSecurityContext", "podTemplate", "podSpec", "serviceAccountName",
})  # fmt: skip
_IMAGE_NAMES = re.compile(r"(?:.*[a-z])?Images?|images?(?:Name|Ref|Repository)?")
_ROLES = frozenset({"roleRef", "clusterRole", "clusterRoleName", "clusterRoleRef", "clusterRoles"})
_OBJECT_FIELDS = frozenset({"metadata", "spec", "data", "stringData", "rules", "roleRef", "subjects", "webhooks"})
_ADDRESS = re.compile(r"\s*(?:\w+(?:\+|::))?(?:https?|oci|git|ssh|s3|gs|gcs|hg|file|docker)://\S|\s*git@\S")
_TEXT_KEYS = (re.compile(r"\bapiVersion[\"']?[ \t]*:"), re.compile(r"\bkind[\"']?[ \t]*:"))
_NO_SPEC = frozenset({"apiVersion", "kind", "metadata", "status"})


def is_custom(document: object) -> bool:
    """Whether ``document`` is of a kind that a definition brings, and that no rule of this program judges."""
    found = group(document.get("apiVersion")) if isinstance(document, Mapping) else ""
    if found in _JUDGED or found in _OF_TOOLS:
        return False
    return is_defined(found) and _CONFIG.fullmatch(found) is None


def is_defined(api_group: str) -> bool:
    """Whether ``api_group`` is none of Kubernetes' own, so that a definition brings its kinds."""
    return "." in api_group and re.fullmatch(_BUILT_IN, api_group) is None


def sign(document: Mapping[Any, Any]) -> tuple[Path, str] | None:
    """The first place of a custom resource that names a pod, a container, an image, an object, rights or an address,
    with what it is in words; None where all of it is data."""
    wants_address = group(document.get("apiVersion")) not in _ADDRESS_IS_DATA
    waiting: list[tuple[Path, object]] = [((key,), document[key]) for key in _own_keys(document)]
    waiting.reverse()
    while waiting:
        path, value = waiting.pop()
        found = _said(path[-1], value)
        if found is not None and (wants_address or found not in _OF_ADDRESSES):
            return path, found
        if len(path) <= _DEEPEST:
            waiting += reversed([((*path, key), child) for key, child in _children(value)])
        elif isinstance(value, Mapping | list):
            return path, "more than is followed"
    return None


def _own_keys(document: Mapping[object, object]) -> list[str]:
    return [key for key in document if isinstance(key, str) and key not in _NO_SPEC]


def _children(value: object) -> list[tuple[str | int, object]]:
    if isinstance(value, Mapping):
        return [(str(key), child) for key, child in value.items()]
    return list(enumerate(value)) if isinstance(value, list) else []


_ADDRESS_WORDS, _RIGHTS = "an address", "rights"
_OF_ADDRESSES = (_ADDRESS_WORDS, _RIGHTS)


def _said(key: str | int, value: object) -> str | None:
    """What the entry ``key`` of a mapping, or an item, is a sign of."""
    if value in (None, "", False) or value == [] or value == {}:
        return None
    if isinstance(key, str) and (found := _by_key(key, value)) is not None:
        return found
    if isinstance(value, Mapping):
        return _by_fields(value)
    return _by_text(value) if isinstance(value, str) else None


def _by_key(key: str, value: object) -> str | None:
    if key in _POD_LISTS and isinstance(value, list | Mapping):
        return "containers"
    if key in _POD_FIELDS:
        return "a pod"
    if key in _ROLES:
        return _RIGHTS
    return "an image" if isinstance(value, str | list | Mapping) and _IMAGE_NAMES.fullmatch(key) else None


def _by_fields(value: Mapping[object, object]) -> str | None:
    if isinstance(value.get("kind"), str) and isinstance(value.get("apiVersion"), str):
        if not _OBJECT_FIELDS.isdisjoint(value):
            return "an object"
    if isinstance(value.get("verbs"), list) and ("resources" in value or "nonResourceURLs" in value):
        return _RIGHTS
    return None


def _by_text(value: str) -> str | None:
    if all(pattern.search(value) for pattern in _TEXT_KEYS):
        return "an object as text"
    return _ADDRESS_WORDS if _ADDRESS.match(value) else None
