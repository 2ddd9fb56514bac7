from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hardener.authoring.edits import Evidence
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.kustomize.overlays.states import signs
from hardener.kubernetes.pods.command_evidence import below, flags
from hardener.tree.core_views import Container

from ._host_path import Kind, kind, path_of
from ._need import purpose, signs_of_writing
from ._volumes import mounts

_SET_BY_PRIVILEGED = ("kernel", "kubelet")
# The system makes files here for the pod that mounts it; a read-only mount is of no use to anyone.
_FOR_FILES = ("/dev/hugepages", "/dev/mqueue", "/dev/shm", "/dev/pts")


# Last of its stage: an agent of the node that lost what made it one is an ordinary pod.
@transform(
    each=Container, stage="host", pss="baseline", cis="5.2.12",
    after=("no-host-path", "no-host-ipc", "no-host-network", "no-host-pid", "no-host-port", "no-privileged"),
    peers=(
        "kube-linter:sensitive-host-mounts", "kube-linter:docker-sock", "kube-linter:writable-host-mount",
        "checkov:CKV_K8S_27", "polaris:hostPathSet", "kubeaudit:allow-host-path-mount-", "kubescape:C-0045",
        "kubescape:C-0048",
    ),
)  # fmt: skip
def host_path_read_only(container: Container) -> Steps:
    """Mount hostPath volumes read-only.

    Problem: {container} can write to a folder of its node.

    Result: The container can read the folder of its node and cannot change it.

    Why: whoever can write to the node's folders can change what the node runs or trusts.

    May break: a process that writes there gets an error when it does.
    """
    for mount in mounts(container):
        if mount.volume is None or mount.source != "hostPath" or not mount.writable:
            continue
        what = kind(mount.volume)
        if what not in ("socket", "device", "kernel", "kubelet", "read", "system"):
            continue
        if what == "device" and any(below(path_of(mount.volume) or "", root) for root in _FOR_FILES):
            continue
        if any(below(path, mount.path) for path in _written(container)):
            continue
        against = [*signs(container, partial(_writes, at=mount.path, what=what))]
        if what in _SET_BY_PRIVILEGED and container.privileged:
            against += purpose(container.pod)  # what kept it privileged
        found = verdict(against=against, absent=[Evidence("nothing in the manifest shows that it writes there")])
        edit = mount.view.set("readOnly", to=True, late=True, **found.words)
        if found.breaks:
            yield [edit]
        else:
            yield edit


def _written(container: Container) -> Iterator[str]:
    """The files of the node that a component of the control plane is told to write: without them it does not start."""
    for flag, path in flags(container.words):
        if flag.lstrip("-").replace("_", "-") == "audit-log-path" and path != "-":  # the dash is its standard output
            yield path


def _writes(container: Container, *, at: str, what: Kind) -> Iterator[Evidence]:
    for mount in mounts(container):
        if mount.path == at:
            yield from signs_of_writing(container, mount, what)
