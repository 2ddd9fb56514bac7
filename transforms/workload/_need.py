"""Signs that a container needs what only root or the node gives.

Explicit weak values (``privileged``, ``runAsUser: 0`` and their like) are no signs: they never prove each other.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence
from hardener.facts.images.container_commands import spoken
from hardener.facts.kustomize.overlays.states import signs
from hardener.kubernetes.capabilities import ROOT_NEEDS, plain
from hardener.kubernetes.command_evidence import root_commands, writes
from hardener.tree.core_views import Container, PodTemplate

from ._host_path import below, is_replaced, kind, path_of
from ._volumes import Mount, mounts

_READ_ONLY = ("kernel", "kubelet", "read", "system")


def root_evidence(container: Container) -> list[Evidence]:
    """Signs that ``container`` needs root or more; [] when there is none."""
    return [*_of_pod(container.pod), *signs(container, _of_container)]


def pod_evidence(pod: PodTemplate) -> list[Evidence]:
    """Signs that ``pod`` or one of its containers needs root or more; [] when there is none."""
    return [*_of_pod(pod), *(fact for container in pod.containers for fact in signs(container, _of_container))]


def _of_pod(pod: PodTemplate) -> Iterator[Evidence]:
    if sign := pod.classes.get("node-agent"):
        yield Evidence(f"an agent of the node: {sign}")


def _of_container(container: Container) -> Iterator[Evidence]:
    if container.row is not None and container.row.root == "required":
        yield container.fact("image table: it works as root only", "image")
    yield from added_capabilities(container)
    for command, speaker in spoken(container, root_commands):
        yield speaker.says(f"runs {command}")
    yield from _host_access(container)


def added_capabilities(container: Container) -> Iterator[Evidence]:
    """The capabilities it adds beyond NET_BIND_SERVICE, as one sign."""
    path = ("securityContext", "capabilities", "add")
    names = sorted({plain(name) for name in container.strings(*path)} - {"NET_BIND_SERVICE"})
    if "ALL" in container.strings("securityContext", "capabilities", "drop") and set(names) == set(ROOT_NEEDS):
        return  # what drop-capabilities leaves a container that starts as root
    if names:
        yield container.fact(f"container {container.name} adds {', '.join(names)}", *path)


def _host_access(container: Container) -> Iterator[Evidence]:
    if container.items("volumeDevices"):
        yield container.fact(f"container {container.name} uses a block device", "volumeDevices")
    for mount in mounts(container):
        if mount.volume is None:
            continue
        what = kind(mount.volume)
        if what is None or is_replaced(what):
            continue
        # A mount that is read-only does not shut a socket or a device; of other folders it leaves nothing to root. One
        # that host-path-read-only would make so counts as read-only already: a second run must see what this one sees.
        if what in _READ_ONLY and not any(signs_of_writing(container, mount, what)):
            continue
        if what in ("socket", "device") or mount.writable:
            noun = what if what in ("socket", "device") else "host path"
            text = f"container {container.name} works with the {noun} {path_of(mount.volume)}"
            yield mount.volume.fact(text, "hostPath", "path")


def signs_of_writing(container: Container, mount: Mount, what: str) -> Iterator[Evidence]:
    """Signs that ``container`` writes to the folder of the node behind ``mount``."""
    if mount.volume is not None and str(mount.volume.get("hostPath", "type") or "").endswith("OrCreate"):
        yield mount.volume.fact("its type makes it where it is missing, so something writes there", "hostPath", "type")
    if mount.view.get("mountPropagation") == "Bidirectional":
        yield mount.view.fact("what it mounts there is meant for the node to see", "mountPropagation")
    if mount.path and any(below(path, mount.path) for path in writes(container.words).paths):
        yield mount.view.fact("its command writes there", "mountPath")
    if what in ("kernel", "kubelet"):
        yield from added_capabilities(container)
