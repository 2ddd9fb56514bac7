"""What the folders of a node that pods mount are, and what may become of them."""

from __future__ import annotations

import posixpath
from typing import Literal

from hardener.kubernetes.pods.command_evidence import below
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import View

Kind = Literal["node", "memory", "scratch", "socket", "device", "kernel", "kubelet", "read", "system", "data"]

# A pod that is no agent of the node has no use for these whole folders.
_NODE = frozenset(
    {"/", "/etc", "/proc", "/sys", "/dev", "/etc/kubernetes", "/etc/cni"}
    | {"/var/lib/kubelet", "/var/lib/docker", "/var/lib/containerd"}
)
_WHOLE: dict[str, Kind] = {**dict.fromkeys(_NODE, "node"), "/dev/shm": "memory"}
_FOLDER_TYPES = ("", "Directory", "DirectoryOrCreate")
_DEVICE_TYPES = ("CharDevice", "BlockDevice")
_READ = (
    "/var/log", "/var/lib/docker/containers", "/lib/modules", "/usr/lib/modules", "/usr/src", "/etc/os-release",
    "/usr/lib/os-release", "/etc/machine-id",
)  # fmt: skip
_SYSTEM = ("/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo", "/etc/ssl/certs", "/etc/pki")
_KUBELET = ("/var/lib/kubelet", "/var/lib/docker", "/var/lib/containerd", "/etc/kubernetes", "/etc/cni")
# Folders below /run in which a service of the node keeps its sockets and state.
_RUN_OF_NODE = late_pattern(
    r"/run(/(containerd|docker|crio|podman|k3s|cri-dockerd|dbus|systemd|udev|netns|cni|multus|calico|cilium|flannel"
    r"|spire|istio-cni|lock|log|user|secrets|kubernetes|openvswitch|ovn|libvirt|lvm|multipath|mount|nvidia[\w-]*)(/.*)?)?"
)
# What is inside of these, the first that fits.
_INSIDE: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("device", ("/dev",)),
    ("kernel", ("/proc", "/sys")),
    ("read", _READ),
    ("kubelet", _KUBELET),
    ("system", _SYSTEM),
)
_SCRATCH = ("/tmp", "/var/tmp", "/run")
_CACHE = late_pattern(r"(?s)/var/cache/.+|/(?:.*/)?\.?cache(?:/.*)?|/.*[-_.]cache")


def kind(volume: View, source: str = "hostPath") -> Kind | None:
    """Return what the host path of ``volume`` is; None where it has none, or none that is written out. ``source`` is
    where a volume names it: "hostPath", or "local" in a PersistentVolume."""
    path = path_of(volume, source)
    if path is None:
        return None
    return _kind(path, str(volume.get(source, "type") or ""))


def path_of(volume: View, source: str = "hostPath") -> str | None:
    """Return the host path of ``volume`` without a slash at its end and without ``/var`` before ``/run``."""
    path = volume.get(source, "path")
    if not isinstance(path, str) or not path.startswith("/"):
        return None
    path = "/" + posixpath.normpath(path).lstrip("/")
    return path.removeprefix("/var") if below(path, "/var/run") else path


def _kind(path: str, type: str) -> Kind:
    if type == "Socket" or path.endswith((".sock", ".socket")) or path == "/dev/log":
        return "socket"
    if type in _DEVICE_TYPES:
        return "device"
    if type in _FOLDER_TYPES and path in _WHOLE:
        return _WHOLE[path]
    for kind, roots in _INSIDE:
        if any(below(path, root) for root in roots):
            return kind
    if path == "/":
        return "kernel"
    if path.startswith("/var/log"):
        return "read"
    if _RUN_OF_NODE.fullmatch(path):
        return "socket"
    return "scratch" if _is_scratch(path, type) else "data"


def _is_scratch(path: str, type: str) -> bool:
    if type not in ("", "DirectoryOrCreate"):
        return False
    return any(below(path, root) for root in _SCRATCH) or _CACHE.fullmatch(path) is not None


def is_replaced(kind: Kind | None) -> bool:
    """Return whether the volume becomes one of the pod's own, so that it is no sign of a need."""
    return kind in ("node", "memory", "scratch")
