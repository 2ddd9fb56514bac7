"""What a container mounts, and what kind of volume stands behind it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hardener.tree.core_views import Container, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

# Volumes that outlive the pod, so that their files keep the owner they were written by. A host path is judged apart.
_PERSISTENT = frozenset(
    {"persistentVolumeClaim", "nfs", "iscsi", "rbd", "cephfs", "glusterfs", "fc", "flexVolume", "flocker", "quobyte"}
    | {"awsElasticBlockStore", "azureDisk", "azureFile", "cinder", "gcePersistentDisk", "vsphereVolume"}
    | {"photonPersistentDisk", "portworxVolume", "scaleIO", "storageos"}
)
# Volumes that are made for one pod and belong to root, unless an fsGroup says otherwise.
_OF_ONE_POD = frozenset({"ephemeral", "csi"})
# Volumes whose files Kubernetes writes, as root, with the modes that the manifest names.
_WRITTEN_BY_KUBERNETES = frozenset({"secret", "configMap", "projected", "downwardAPI"})


class Mount(Struct, frozen=True):
    """A volume mount: ``source`` is the kind of its volume ("secret", ...), None where the pod has no such volume."""

    view: View
    volume: View | None
    source: str | None
    writable: bool

    @property
    def path(self) -> str:
        return self.view.text("mountPath") or ""

    @property
    def persistent(self) -> bool:
        return self.source in _PERSISTENT

    @property
    def of_one_pod(self) -> bool:
        return self.source in _OF_ONE_POD


class _Last(AsRead):
    """What the container mounts that was asked about last: one transform often asks several times."""

    def __init__(self, tree: Tree) -> None:
        self.container: Container | None = None
        self.wiring = -1
        self.mounts: list[Mount] = []


def mounts(container: Container) -> list[Mount]:
    """Return what ``container`` mounts; a claim template of its StatefulSet is a persistentVolumeClaim."""
    if container.lacks("volumeMounts") and container.pod.lacks("volumes"):
        return []
    tree, wiring = container.tree, container.object.piece.wiring
    if tree.kustomizations:  # a patched one changes with other files, too
        return _mounts(container)
    last = tree.ask(_Last)
    if last.container is not container or last.wiring != wiring:
        last.mounts, last.container, last.wiring = _mounts(container), container, wiring
    return last.mounts


def _mounts(container: Container) -> list[Mount]:
    volumes = {volume.text("name"): volume for volume in container.pod.items("volumes")}
    found = []
    for view in container.items("volumeMounts"):
        name = view.text("name")
        volume = volumes.get(name)
        kind = source(volume) if volume is not None else None
        if volume is None and name in _claim_templates(container.pod):
            kind = "persistentVolumeClaim"
        read_only = view.get("readOnly") is True or (volume is not None and _is_read_only(volume, kind))
        found.append(Mount(view, volume, kind, not read_only))
    return found


def source(volume: View) -> str:
    """Return the kind of ``volume``; one without a source is an emptyDir."""
    return next((key for key in volume.keys() if key != "name"), "emptyDir")


def _is_read_only(volume: View, kind: str | None) -> bool:
    if kind in _WRITTEN_BY_KUBERNETES or kind == "image":
        return True
    return kind is not None and kind in (*_PERSISTENT, *_OF_ONE_POD) and volume.view(kind).get("readOnly") is True


def _claim_templates(pod: PodTemplate) -> Iterator[str | None]:
    if pod.kind == "StatefulSet":
        for claim in pod.object.items("spec", "volumeClaimTemplates"):
            yield claim.text("metadata", "name")


def keeps_others_out(mount: Mount) -> bool:
    """Return whether files of a Secret, ConfigMap or projected volume may be read by root (and the fsGroup) only."""
    if mount.volume is None or mount.source not in _WRITTEN_BY_KUBERNETES:
        return False
    holder = mount.volume.view(mount.source)
    modes = [holder.get("defaultMode"), *(item.get("mode") for item in holder.items("items"))]
    for part in holder.items("sources"):
        for key in ("secret", "configMap", "downwardAPI"):
            modes += [item.get("mode") for item in part.view(key).items("items")]
    return any(isinstance(mode, int) and not mode & 0o004 for mode in modes)
