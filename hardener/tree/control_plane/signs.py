"""What the tree shows around a component: the layout of its host, who scrapes it, what probes it."""

from __future__ import annotations

import os
from typing import Any

from hardener.authoring.edits import Evidence
from hardener.tree.control_plane.component import HOSTED, Component, distribution, is_server
from hardener.tree.view import View

_KUBEADM_KUBELET = "/var/lib/kubelet/config.yaml"
_MANIFESTS = "/etc/kubernetes/manifests"
_SCRAPERS = (
    ("monitoring.coreos.com", "ServiceMonitor"), ("monitoring.coreos.com", "PodMonitor"), ("", "Service"),
    ("operator.victoriametrics.com", "VMServiceScrape"), ("operator.victoriametrics.com", "VMPodScrape"),
)  # fmt: skip
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_WAYS = ("httpGet", "tcpSocket", "grpc")
_LOOPBACK = ("127.", "localhost", "::1", "[::1]")


def layout(kubelet: Component) -> Evidence | None:
    """Why the kubelet's host is laid out as kubeadm does it, with its files in /etc/kubernetes/pki; None without a
    sign."""
    view, file = kubelet.view, kubelet.view.object.piece.file
    if file.path.endswith(_KUBEADM_KUBELET) or _KUBEADM_KUBELET in file.content.text:
        return view.fact(f"{_KUBEADM_KUBELET} is where kubeadm and EKS keep it, with the CA in /etc/kubernetes/pki")
    if (view.text("staticPodPath") or "").rstrip("/") == _MANIFESTS:
        return view.fact(f"staticPodPath is {_MANIFESTS}, as with kubeadm", "staticPodPath")
    sibling = beside_kubeadm(view)
    return view.fact(f"{sibling} is beside it: kubeadm writes the file") if sibling else None


def beside_kubeadm(view: View) -> str | None:
    """The kubeadm object in the same file, or in the same folder."""
    own = view.object.piece.file.path
    for item in view.tree.objects:
        if item.group == "kubeadm.k8s.io" and item.piece.file.path == own:
            return item.kind
    folder = os.path.dirname(own)
    for item in view.tree.objects:
        if item.group == "kubeadm.k8s.io" and item.folder == folder:
            return item.kind
    return None


def scraped(component: Component) -> Evidence | None:
    """What collects the metrics of ``component`` from outside its host, as far as the tree shows."""
    for names in _SCRAPERS:
        for item in component.view.tree.of(*names):
            metadata = item.data.get("metadata")
            if component.name in item.name or _names(item.data.get("spec"), component.name) or _names(
                metadata.get("labels") if isinstance(metadata, dict) else None, component.name
            ):  # fmt: skip
                return item.fact(f"{item} collects its metrics from outside")
    return None


def _names(value: Any, name: str) -> bool:
    """Whether a selector or label says ``name``."""
    if isinstance(value, dict):
        return any(_names(item, name) for item in value.values())
    return isinstance(value, str) and value == name


def probed_from_outside(component: Component) -> Evidence | None:
    """A probe of the component's container that asks another address than the loopback one."""
    for key in _PROBES:
        for way in _WAYS:
            if component.view.has(key, way) and not is_loopback(component.view.text(key, way, "host") or ""):
                whose = "pod" if component.installer == HOSTED else "node"
                return component.view.fact(f"its {key} asks the address of the {whose}", key, way)
    return None


def probed_over_http(component: Component) -> Evidence | None:
    """A probe of the component's container that asks over HTTP, which it does without a name."""
    for key in _PROBES:
        if component.view.has(key, "httpGet"):
            return component.view.fact(f"its {key} asks over HTTP, without a login", key, "httpGet")
    return None


def is_loopback(host: str) -> bool:
    """Whether an address is of the host alone."""
    return host.startswith(_LOOPBACK)


_WEAK = ("AlwaysAllow", "anonymous-auth: \"true\"", "anonymous-auth: true", "anonymous-auth=true", "insecure-port",
         "token-auth-file", "basic-auth-file", "AlwaysAdmit", "readOnlyPort: 10255")  # fmt: skip


def weak_texts(view: View) -> list[str]:
    """Signs of weak flags anywhere in the texts of an object."""
    return [word for word in _WEAK if any(word in text for text in _texts(view.data))]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        pairs = [f"{key}: {item}" for key, item in value.items() if isinstance(item, str | bool | int)]
        return [*pairs, *(text for item in value.values() for text in _texts(item))]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def rancher(view: View) -> str | None:
    """ "k3s server", "rke2 agent" and so on for the configuration of a node; None for anything else."""
    if view.object.group != "rancher":
        return None
    return f"{distribution(view)} {'server' if is_server(view) else 'agent'}"
