from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Verdict, verdict
from hardener.tree.core_views import OpaqueError, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

from ._host_path import is_replaced, kind, path_of
from ._need import pod_evidence

_ADVICE = {
    "socket": "whoever reaches it can act as the service behind it; give the pod a client of its own instead",
    "device": "let a device plugin give the device to the pod",
    "kernel": "mount nothing of it, or name the one file that is read",
    "kubelet": "it holds the files of every pod of the node; leave it to agents of the node",
    "read": "leave it to agents of the node; an application writes its logs to standard output",
    "system": "set TZ for a time zone; mount certificates from a ConfigMap or a trust bundle",
    "data": "keep data in a PersistentVolumeClaim, single files in a ConfigMap or Secret, and copy what is there",
    "node": "name the one folder that is used, in a volume of the pod's own",
    "scratch": "give each workload a volume of its own, or both a PersistentVolumeClaim",
    "memory": "give each workload a volume of its own",
}  # fmt: skip
_HARMLESS = ("system", "read")


@transform(
    each=PodTemplate, stage="host", severity=Severity.HIGH, pss="baseline", cis="5.2.12", classes=("node-agent",),
    peers=(
        "kube-linter:sensitive-host-mounts", "kube-linter:docker-sock", "checkov:CKV_K8S_27", "polaris:hostPathSet",
        "kubeaudit:allow-host-path-mount-", "kubescape:C-0048",
    ),
)  # fmt: skip
def no_host_path(pod: PodTemplate) -> Steps:
    """Remove hostPath volumes.

    Problem: the pod mounts a folder of its node.

    Result: The pod mounts no folder of its node.

    Why: whoever can write to a folder of the node, or read its credentials, can soon break out of the pod.

    May break: files that the node or another pod put there are gone; the new volume is empty and is deleted with the
    pod.
    """
    if sign := pod.classes.get("node-agent"):
        yield from _of_agent(pod, sign)
        return
    volumes = [(index, volume, kind(volume)) for index, volume in enumerate(pod.items("volumes"))]
    meant = pod_evidence(pod) if any(is_replaced(what) for _, _, what in volumes) else []
    for index, volume, what in volumes:
        if what is None:
            continue
        # Each volume by itself: a waiver of one keeps no other.
        if is_replaced(what):
            yield list(_replace(pod, index, _judged(pod, index, what, meant)))
        else:
            yield _stays(volume, what)


def _judged(pod: PodTemplate, index: int, what: str, meant: list[Evidence]) -> Verdict:
    """Return whether the folder at ``index`` is one that its pod can do without; ``meant`` says that it is wanted."""
    volume = pod.items("volumes")[index]
    if what == "node":
        against, nothing = meant, "an application has no use for this folder of the node"
    else:
        against, nothing = meant or list(_shared(pod, index, volume)), "its files are not kept, or are made again"
    fact = volume.fact(nothing, "hostPath", "path")
    return verdict(against=against, absent=[fact], basis=Basis.INFERRED)


def _replace(pod: PodTemplate, index: int, found: Verdict) -> Iterator[Edit]:
    volume = pod.items("volumes")[index]
    source = {"medium": "Memory"} if kind(volume) == "memory" else {}
    # The volume is named from the pod, so that the new key finds its place.
    yield pod.drop("volumes", index, "hostPath", **found.words)
    yield pod.set("volumes", index, "emptyDir", to=source, **found.words)


def _shared(pod: PodTemplate, index: int, volume: View) -> Iterator[Evidence]:
    """Other volumes of the tree with the same folder: what one writes there the other may read."""
    path = path_of(volume)
    folders = pod.tree.ask(_Folders)
    above = [other for folder in _parents(path or "/") for other in folders.at.get(folder, [])]
    for other, position, fact in (*above, *folders.within.get(path or "/", [])):
        if other is not pod or position != index:
            yield fact


_Uses = dict[str, list[tuple[PodTemplate, int, Evidence]]]


class _Folders(AsRead):
    """The folders of nodes that the tree mounts: who mounts a folder, and who mounts it or one inside it."""

    def __init__(self, tree: Tree) -> None:
        self.at: _Uses = {}
        self.within: _Uses = {}
        for pod in tree.pod_templates:
            for position, path, fact in _host_paths(pod):
                self.at.setdefault(path, []).append((pod, position, fact))
                for folder in (path, *_parents(path)):
                    self.within.setdefault(folder, []).append((pod, position, fact))


def _host_paths(pod: PodTemplate) -> Iterator[tuple[int, str, Evidence]]:
    try:
        for position, volume in enumerate(pod.items("volumes")):
            path = path_of(volume)
            if path is not None:
                yield position, path, volume.fact(f"{pod.object} uses the same folder", "hostPath", "path")
    except (OpaqueError, WrongShapeError):
        return


def _parents(path: str) -> list[str]:
    """The folders above ``path``, the root folder left out: half of all paths would share it."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(2, len(parts))]


def _stays(volume: View, what: str) -> Finding:
    severity = Severity.LOW if what in _HARMLESS else Severity.HIGH
    return volume.finding(
        f"{path_of(volume)} of the node is mounted", "hostPath", "path", advice=_ADVICE[what], severity=severity
    )


def _of_agent(pod: PodTemplate, sign: str) -> Iterator[Edit | list[Edit] | Finding]:
    """An agent keeps its folders: the exact patch is held back where there is one, the rest is one finding."""
    volumes = [(index, volume, kind(volume)) for index, volume in enumerate(pod.items("volumes"))]
    meant = verdict(against=[Evidence(f"an agent of the node: {sign}")])
    for index, _, what in volumes:
        if is_replaced(what):
            yield from _replace(pod, index, meant)
    kept = [volume for _, volume, what in volumes if what is not None and not is_replaced(what)]
    if kept:
        names = ", ".join(str(path_of(volume)) for volume in kept)
        text = f"an agent of the node mounts {names}"
        advice = "check against its vendor's manifest that it needs them"
        yield kept[0].finding(text, "hostPath", "path", advice=advice, severity=Severity.LOW)
