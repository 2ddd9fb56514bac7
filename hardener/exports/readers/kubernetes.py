"""Objects as ``kubectl get -o json`` or ``kubectl cluster-info dump`` writes them: what runs, as whom, from which
digest.

Source: the API reference of Kubernetes 1.36 (PodStatus, ContainerStatus, ``user.linux`` since 1.31).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.exports.collector import Collector
from hardener.exports.model import Workload
from hardener.exports.shapes import at, entries, mapping, number, text, whole_bytes
from hardener.kubernetes.images.reference import is_digest
from hardener.kubernetes.images.reference import parse as parse_image

TOOL = "kubectl"
_CONTAINERS = (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses"))
_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
KINDS = frozenset({*_TEMPLATES, "Pod"})
_KILLED = "OOMKilled"


def workload_of(item: dict[str, Any]) -> Workload | None:
    """The object as a workload; None without a name."""
    name = text(item, "metadata", "name")
    return Workload(text(item, "kind"), text(item, "metadata", "namespace") or "default", name) if name else None


def read(item: dict[str, Any], into: Collector) -> None:
    """Put in what ``item`` tells: an object of a kind in ``KINDS``."""
    workload = workload_of(item)
    if workload is None:
        return
    key = into.source(TOOL)
    for owner in entries(item, "metadata", "ownerReferences"):
        if owner.get("controller") is True:
            into.put_owner(workload.namespace, workload.kind, workload.name, (text(owner, "kind"), text(owner, "name")))
    if workload.kind == "Pod":
        _read_pod(item, workload, key, into)
        return
    template = mapping(item, *_TEMPLATES[workload.kind])
    names = [text(each, "name") for each in _containers(mapping(template, "spec"))]
    into.put_template(workload, names)
    into.put_labels(workload, _labels(template))


def _labels(item: dict[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in mapping(item, "metadata", "labels").items()}


def _containers(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, _ in _CONTAINERS:
        yield from entries(spec, key)


def _read_pod(pod: dict[str, Any], workload: Workload, key: tuple[str, str], into: Collector) -> None:
    spec = mapping(pod, "spec")
    into.put_labels(workload, _labels(pod))
    into.put_running(workload, [text(each, "name") for each in _containers(spec)])
    of_pod = at(spec, "securityContext", "runAsUser")
    for of_spec, of_status in _CONTAINERS:
        named = {text(each, "name"): each for each in entries(spec, of_spec)}
        for status in entries(pod, "status", of_status):
            container = named.get(text(status, "name"))
            if container is not None:
                of_container = at(container, "securityContext", "runAsUser")
                by_image = of_pod is None and of_container is None
                _read_status(status, workload, container, key, into, by_image=by_image)


def _read_status(
    status: dict[str, Any], workload: Workload, container: dict[str, Any], key: tuple[str, str], into: Collector, *,
    by_image: bool,
) -> None:  # fmt: skip
    name, image = text(status, "name"), text(container, "image")
    digest = text(status, "imageID").rpartition("@")[2]
    if is_digest(digest) and parse_image(image) is not None:
        into.put_image(workload, name, key, image, digest)
    uid = number(at(status, "user", "linux", "uid"))
    if uid is not None:
        into.put_user(workload, name, key, uid, number(at(status, "user", "linux", "gid")), by_image=by_image)
    killed = sum(text(status, state, "terminated", "reason") == _KILLED for state in ("state", "lastState"))
    limit = at(container, "resources", "limits", "memory")  # at which it was killed
    if killed:
        into.put_usage(workload, name, key, killed=killed, memory_most=whole_bytes(limit))
