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
_RELEASE = "meta.helm.sh/release-name"  # source: helm.sh, pkg/action/validate.go
_LEVELS = ("enforce", "audit", "warn")
_LEVEL = "pod-security.kubernetes.io/"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


# What an object of a typed list is, which has no kind of its own and stands alone where a list is read in parts: the
# fields that an API server gives to each of this kind. Source: the API reference of Kubernetes 1.36.
_SHAPES = (
    ("v1", "Pod", ("spec", "containers"), ("status", "phase")),
    ("v1", "Node", ("status", "nodeInfo"), ("status", "nodeInfo")),
    ("v1", "Service", ("spec", "clusterIP"), ("spec", "sessionAffinity")),
    ("apps/v1", "StatefulSet", ("spec", "template"), ("spec", "podManagementPolicy")),
    ("apps/v1", "Deployment", ("spec", "template"), ("spec", "strategy")),
    ("apps/v1", "DaemonSet", ("spec", "template"), ("spec", "updateStrategy")),
    ("apps/v1", "ReplicaSet", ("spec", "template"), ("spec", "selector", "matchLabels")),
)


def with_kind(item: dict[str, Any]) -> dict[str, Any]:
    """``item``, with the kind that it has by its fields where it names none."""
    if "kind" in item or "apiVersion" in item or not text(item, "metadata", "name"):
        return item
    for version, kind, *places in _SHAPES:
        if all(at(item, *place) is not None for place in places):
            return {"apiVersion": version, "kind": kind, **item}
    return item


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
    into.put_about(workload, key, _labels(template), _release(item))


def _release(item: dict[str, Any]) -> str:
    return text(mapping(item, "metadata", "annotations"), _RELEASE)


def _labels(item: dict[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in mapping(item, "metadata", "labels").items()}


def _containers(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, _ in _CONTAINERS:
        yield from entries(spec, key)


def _read_pod(pod: dict[str, Any], workload: Workload, key: tuple[str, str], into: Collector) -> None:
    spec = mapping(pod, "spec")
    into.put_labels(workload, _labels(pod))
    into.put_about(workload, key, _labels(pod), _release(pod))
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
    restarts = number(status.get("restartCount"))
    if restarts:
        into.put_usage(workload, name, key, restarts=restarts)
    killed = sum(text(status, state, "terminated", "reason") == _KILLED for state in ("state", "lastState"))
    limit = at(container, "resources", "limits", "memory")  # at which it was killed
    if killed:
        into.put_usage(workload, name, key, killed=killed, memory_most=whole_bytes(limit))


# What holds for the cluster, and what leads to pods.


def read_service(item: dict[str, Any], into: Collector) -> None:
    """A Service: whom it selects, and which port of theirs each of its own is."""
    workload = workload_of(item)
    if workload is None:
        return
    selector = {str(key): str(value) for key, value in mapping(item, "spec", "selector").items()}
    ports = {}
    for port in entries(item, "spec", "ports"):
        own = number(port.get("port"))
        if own is not None:
            ports[own] = port.get("targetPort", own)
    into.put_service(workload.namespace, workload.name, selector, ports)


def read_endpoints(item: dict[str, Any], into: Collector) -> None:
    """An Endpoints or EndpointSlice: the pods behind a Service."""
    workload = workload_of(item)
    if workload is None:
        return
    service = text(mapping(item, "metadata", "labels"), "kubernetes.io/service-name") or workload.name
    addresses = [each for subset in entries(item, "subsets") for each in entries(subset, "addresses")]
    for each in (*entries(item, "endpoints"), *addresses):
        if text(each, "targetRef", "kind") == "Pod" and text(each, "targetRef", "name"):
            into.put_endpoint(workload.namespace, service, text(each, "targetRef", "name"))


def read_node(item: dict[str, Any], into: Collector) -> None:
    """A Node: the versions of its kubelet, its runtime and its kernel; nodes alike are one."""
    info = mapping(item, "status", "nodeInfo")
    if text(info, "kubeletVersion"):
        name = f"{text(info, 'kubeletVersion')} {text(info, 'containerRuntimeVersion')}".strip()
        said = {"os": text(info, "osImage"), "architecture": text(info, "architecture")}
        into.put_cluster("Node", name, into.source(TOOL), {key: value for key, value in said.items() if value})
    if kernel := text(info, "kernelVersion"):
        into.put_cluster("NodeKernel", kernel, into.source(TOOL), {})


def read_namespace(item: dict[str, Any], into: Collector) -> None:
    """A Namespace: the levels of Pod Security that it has."""
    workload = workload_of(item)
    labels = mapping(item, "metadata", "labels")
    levels = {mode: text(labels, f"{_LEVEL}{mode}") for mode in _LEVELS if text(labels, f"{_LEVEL}{mode}")}
    if workload is not None and levels:
        into.put_cluster("Namespace", workload.name, into.source(TOOL), levels)


def read_storage_class(item: dict[str, Any], into: Collector) -> None:
    """A StorageClass: who provisions it, and whether it is what a claim gets that names none."""
    workload = workload_of(item)
    if workload is None:
        return
    said = {"provisioner": text(item, "provisioner")}
    if text(mapping(item, "metadata", "annotations"), _DEFAULT_CLASS) == "true":
        said["default"] = "true"
    into.put_cluster("StorageClass", workload.name, into.source(TOOL), said)


def read_admission(item: dict[str, Any], into: Collector) -> None:
    """What judges or changes objects on their way in: its name alone, since it may change what is applied."""
    workload = workload_of(item)
    if workload is not None:
        into.put_cluster(workload.kind, workload.name, into.source(TOOL), {})


def read_policy(item: dict[str, Any], into: Collector) -> None:
    """A NetworkPolicy as it stands in the cluster: its name. It says what may talk, and nothing of what does."""
    workload = workload_of(item)
    if workload is not None:
        into.put_cluster(workload.kind, f"{workload.namespace}/{workload.name}", into.source(TOOL), {})


def read_nothing(item: dict[str, Any], into: Collector) -> None:
    """An object that tells nothing which is not known of the tree: a ServiceAccount."""


# Kinds beside workloads, each with its group.
OTHERS = (
    ("", "Service", read_service), ("", "Endpoints", read_endpoints),
    ("discovery.k8s.io", "EndpointSlice", read_endpoints), ("", "Node", read_node),
    ("", "Namespace", read_namespace), ("storage.k8s.io", "StorageClass", read_storage_class),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", read_admission),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", read_admission),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", read_admission),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", read_admission),
    ("kyverno.io", "ClusterPolicy", read_admission), ("networking.k8s.io", "NetworkPolicy", read_policy),
    ("", "ServiceAccount", read_nothing),
)  # fmt: skip
