from __future__ import annotations

from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.pod_security.restricted import RESTRICTED_ALLOWED, RESTRICTED_SOURCES
from hardener.tree.core_views import PodTemplate

from ._volumes import source

# Plugins that left Kubernetes, and the driver that took over their volumes (kubernetes.io, Volumes).
_DRIVERS = {
    "awsElasticBlockStore": "ebs.csi.aws.com",
    "azureDisk": "disk.csi.azure.com",
    "azureFile": "file.csi.azure.com",
    "cinder": "cinder.csi.openstack.org",
    "gcePersistentDisk": "pd.csi.storage.gke.io",
    "portworxVolume": "pxd.portworx.com",
    "vsphereVolume": "csi.vsphere.vmware.com",
}
# Those that kubelets no longer mount, with the first version of it. Sources: the release notes of these versions;
# kubernetes.io, Volumes; gitRepo by the feature gate GitRepoVolumeDriver, which is off by default.
_GONE = {
    "flocker": (1, 25), "quobyte": (1, 25), "storageos": (1, 25), "glusterfs": (1, 26), "cephfs": (1, 31),
    "rbd": (1, 31), "gitRepo": (1, 33),
}  # fmt: skip
_CLAIM = (
    "mount a PersistentVolumeClaim (storageClassName: '', volumeName: NAME) of a PersistentVolume NAME with capacity, "
    "accessModes, persistentVolumeReclaimPolicy: Retain and {source}"
)
_TOPIC = "volume that Pod Security restricted forbids"
_CLONE = "let an init container clone into an emptyDir; the kubelet runs git as root of the node for this volume"


@transform(
    each=PodTemplate,
    stage="host",
    pss="restricted",
    classes=("windows", "node-agent", "control-plane"),
    only_reports=True,
)
def restricted_volume_types(pod: PodTemplate) -> Steps:
    """Replace inline storage with a PersistentVolumeClaim.

    Problem: the pod mounts a server or disk directly.

    Result: The pod names its storage by a claim.

    Why: whoever may write a pod could mount any export or disk that the node reaches, with the node's rights; a claim
    gives it only storage that an administrator provides.

    May break: nothing, since it only reports: the volume has to be set up outside the pod, and only its owner knows its
    size and how many nodes may use it.
    """
    for volume in pod.items("volumes"):
        kind = source(volume)
        if kind == "hostPath" or kind in RESTRICTED_ALLOWED:  # no-host-path has the say of the node's folders
            continue
        if kind not in RESTRICTED_SOURCES:
            text = f"Pod Security level restricted forbids a volume of type {kind}, which no API server knows"
            yield volume.finding(text, kind, advice="correct the name of its type", topic=_TOPIC)
            continue
        driver = _DRIVERS.get(kind)
        moved = f"csi (driver: {driver}, volumeHandle: its id)" if driver else f"the {kind} of this volume"
        text = f"Pod Security level restricted forbids a volume of type {kind}; only its owner can set up a replacement"
        since = _GONE.get(kind)
        if since is not None and pod.tree.settings.kubernetes_version >= since:
            text = (
                f"a volume of type {kind} is not mounted any more since Kubernetes {since[0]}.{since[1]}: the pod does "
                "not start"
            )
        advice = _CLONE if kind == "gitRepo" else _CLAIM.format(source=moved)
        yield volume.finding(text, kind, topic=_TOPIC, advice=advice)
