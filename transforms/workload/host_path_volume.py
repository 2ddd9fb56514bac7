from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.pods.command_evidence import below
from hardener.tree.core_views import PersistentVolume

from ._host_path import kind, path_of

# What leads to the node itself: by what it is, by where it stands, and by what it holds.
_KINDS = ("node", "kernel", "kubelet", "socket", "device")
_FOLDERS = (
    "/etc", "/root", "/boot", "/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/var/lib/etcd",
    "/opt/cni", "/var/spool/cron",
)  # fmt: skip
# The kubelet follows links in the folder of logs: whoever writes there reads any file of the node by `kubectl logs`.
_HOLDERS = (
    "/usr", "/var", "/var/lib", "/var/log", "/var/log/pods", "/var/log/containers", "/var/spool", "/opt", "/home",
)  # fmt: skip
_KEEP = "take a volume of a CSI driver, or one of the type local with a nodeAffinity"
_AWAY = (
    "remove it, and give the one pod that needs it another way: a device plugin, a client of its own,"
    " an agent of the node"
)


@transform(each=PersistentVolume, stage="host", only_reports=True)
def host_path_volume(volume: PersistentVolume) -> Steps:
    """Replace the hostPath of a PersistentVolume.

    Problem: the PersistentVolume is a folder of the node.

    Result: The PersistentVolume uses storage that is not a folder of the node.

    Why: a claim brings the folder into any pod of its namespace. The Pod Security levels check the volumes of pods, but
    not claims. On another node the same pod finds another folder.

    May break: nothing, since it only reports: no manifest says which data are in the folder, or where they would go.
    """
    spec = volume.view("spec")
    for source in ("hostPath", "local"):
        path, what = path_of(spec, source) or "", kind(spec, source)
        if source == "local" and what == "device":
            continue  # its path is "either a directory or block device" (core/v1, LocalVolumeSource)
        if what in _KINDS or path in _HOLDERS or (what == "data" and any(below(path, each) for each in _FOLDERS)):
            yield spec.finding(
                f"a pod with its claim reaches {path} of the node",
                source,
                "path",
                advice=_AWAY,
                severity=Severity.HIGH,
                topic="PersistentVolume with files of the node itself",
            )
        elif what is not None and source == "hostPath":  # a volume of the type local is made for such a folder
            yield spec.finding(
                f"it is the folder {path} of whichever node its pod runs on",
                source,
                "path",
                advice=_KEEP,
                severity=Severity.LOW,
                topic="PersistentVolume on a path of the node",
            )
