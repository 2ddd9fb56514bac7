from __future__ import annotations

from collections.abc import Iterator

from hardener.declare import Steps, transform
from hardener.edits import Basis, Evidence, Grade
from hardener.kubernetes.command_evidence import writes
from hardener.views import Container

from ._host_path import below, kind, path_of
from ._need import added_capabilities
from ._volumes import Mount, mounts

# The system makes files here for the pod that mounts it; a read-only mount is of no use to anyone.
_FOR_FILES = ("/dev/hugepages", "/dev/mqueue", "/dev/shm", "/dev/pts")


# Last of its stage: an agent of the node that lost what made it one is an ordinary pod.
@transform(
    each=Container, stage="host", pss="baseline", cis="5.2.12",
    after=("no-host-path", "no-host-network", "no-host-pid", "no-host-port", "no-privileged"),
)  # fmt: skip
def host_path_read_only(container: Container) -> Steps:
    """A folder of the node that stays mounted is mounted read-only.

    Why: who can write to the node's folders can change what the node runs or trusts.

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
        against = list(_against(container, mount, what))
        evidence = against or [Evidence("nothing in the manifest shows that it writes there")]
        grade, basis = (Grade.BREAKING, Basis.INFERRED) if against else (Grade.REVIEW, Basis.ASSUMED)
        edit = mount.view.set("readOnly", to=True, grade=grade, basis=basis, evidence=evidence, late=True)
        if against:
            yield [edit]
        else:
            yield edit


def _against(container: Container, mount: Mount, what: str) -> Iterator[Evidence]:
    if mount.volume is not None and str(mount.volume.get("hostPath", "type") or "").endswith("OrCreate"):
        yield mount.volume.fact("its type makes it where it is missing, so something writes there", "hostPath", "type")
    if mount.view.get("mountPropagation") == "Bidirectional":
        yield mount.view.fact("what it mounts there is meant for the node to see", "mountPropagation")
    if mount.path and any(below(path, mount.path) for path in writes(container.words).paths):
        yield mount.view.fact("its command writes there", "mountPath")
    if what in ("kernel", "kubelet"):
        yield from added_capabilities(container)
