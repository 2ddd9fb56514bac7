"""What recorders saw a container do: kubescape, and the gadgets of Inspektor Gadget that trace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hardener.exports.collector import Collector
from hardener.exports.model import Workload
from hardener.exports.shapes import at, entries, mapping, number, text, texts
from hardener.kubernetes.images.reference import is_digest

_WRITES = frozenset({"O_WRONLY", "O_RDWR"})
_MAKES = "O_CREAT"
_LABEL = "kubescape.io/workload-"
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def read_profile(item: dict[str, Any], into: Collector) -> None:
    """A ContainerProfile, ApplicationProfile or NetworkNeighborhood of kubescape.

    Source: kubescape/storage pkg/apis/softwarecomposition/v1beta1 (ContainerProfileSpec, ApplicationProfileContainer,
    NetworkNeighbor), labels ``kubescape.io/workload-kind``, ``-name``, ``-namespace``, ``-container-name``.
    """
    labels = mapping(item, "metadata", "labels")
    name = text(labels, f"{_LABEL}name")
    if not name:
        return
    namespace = text(labels, f"{_LABEL}namespace") or text(item, "metadata", "namespace") or "default"
    workload = Workload(text(labels, f"{_LABEL}kind"), namespace, name)
    kind = text(item, "kind")
    key = into.source(f"kubescape {kind}", text(item, "metadata", "creationTimestamp"))
    spec = mapping(item, "spec")
    if kind == "ContainerProfile":
        _read_container(spec, workload, text(labels, f"{_LABEL}container-name"), key, into)
        return
    for group in ("containers", "initContainers"):
        for container in entries(spec, group):
            _read_container(container, workload, text(container, "name"), key, into)


def _read_container(spec: dict[str, Any], workload: Workload, name: str, key: tuple[str, str], into: Collector) -> None:
    if name and ("opens" in spec or "capabilities" in spec):
        into.watch_writes(workload, name, key)
        into.put_capabilities(workload, name, key, texts(spec, "capabilities"))
        for opened in entries(spec, "opens"):
            _put_open(workload, name, key, text(opened, "path"), texts(opened, "flags"), into)
        if "syscalls" in spec:
            into.put_calls(workload, name, key, texts(spec, "syscalls"))
        if "execs" in spec:
            into.put_programs(workload, name, key, (text(each, "path") for each in entries(spec, "execs")))
        digest = text(spec, "imageID").rpartition("@")[2]
        if is_digest(digest) and text(spec, "imageTag"):
            into.put_image(workload, name, key, text(spec, "imageTag"), digest)
    for direction in ("ingress", "egress"):
        for neighbor in entries(spec, direction):
            _put_neighbor(workload, neighbor, key, into, calls=direction == "egress")


def _put_open(
    workload: Workload, container: str, key: tuple[str, str], path: str, flags: Iterable[str], into: Collector
) -> None:
    said = {flag.strip() for flag in flags}
    if path and said & _WRITES:
        into.put_write(workload, container, key, path, made=_MAKES in said)


def _put_neighbor(
    workload: Workload, neighbor: dict[str, Any], key: tuple[str, str], into: Collector, *, calls: bool
) -> None:
    selector = {str(name): str(value) for name, value in mapping(neighbor, "podSelector", "matchLabels").items()}
    namespace = text(mapping(neighbor, "namespaceSelector", "matchLabels"), _NAMESPACE_LABEL) or workload.namespace
    into.put_selected_peer(workload, namespace, selector, key, list(_ports(neighbor)), calls=calls)


def _ports(neighbor: dict[str, Any]) -> Iterable[tuple[int, str]]:
    for port in entries(neighbor, "ports"):
        yield number(port.get("port")) or 0, text(port, "protocol")


def is_gadget_event(document: dict[str, Any]) -> bool:
    """Whether it is a line of a gadget of Inspektor Gadget that says what a container of Kubernetes did."""
    return any(key in document for key in ("fname", "cap", "capName", "exepath")) and bool(_gadget_place(document))


def _gadget_place(document: dict[str, Any]) -> tuple[str, str, str] | None:
    """Namespace, pod and container of a line. Source: inspektor-gadget 0.28 (at the top) and 0.30 on (``k8s``)."""
    where = mapping(document, "k8s") or document
    found = (
        text(where, "namespace"),
        text(where, "podName") or text(where, "pod"),
        text(where, "containerName") or text(where, "container"),
    )
    return found if all(found) else None


def read_gadget(document: dict[str, Any], into: Collector) -> None:
    """A line of ``trace_open``, ``trace_exec`` or ``trace_capabilities`` (``-o json``)."""
    place = _gadget_place(document)
    if place is None or failed(document):
        return
    namespace, pod, container = place
    key = into.source("Inspektor Gadget", text(document, "timestamp"))
    owner = mapping(document, "k8s", "owner")
    workload = Workload("Pod", namespace, pod)
    if text(owner, "kind") and text(owner, "name"):
        into.put_owner(namespace, "Pod", pod, (text(owner, "kind"), text(owner, "name")))
    capability = text(document, "cap") or text(document, "capName")
    if capability:
        into.put_capabilities(workload, container, key, [capability])
        return
    if "exepath" in document:
        into.put_programs(workload, container, key, [text(document, "exepath")])
        return
    flags = at(document, "flags")
    said = flags.split("|") if isinstance(flags, str) else list(texts(document, "flags"))
    into.watch_writes(workload, container, key)
    _put_open(workload, container, key, text(document, "fname"), said, into)


def failed(document: dict[str, Any]) -> bool:
    """Whether the kernel refused what a line of a gadget is about."""
    return bool(text(document, "error")) or bool(number(document.get("err"))) or document.get("capable") is False
