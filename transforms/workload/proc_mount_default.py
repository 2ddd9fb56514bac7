from __future__ import annotations

from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.tree.core_views import Container

_FIELD = ("securityContext", "procMount")


@transform(
    each=Container, stage="seccomp", pss="baseline", peers=("kube-linter:unsafe-proc-mount", "polaris:procMount"),
)  # fmt: skip
def proc_mount_default(container: Container) -> Steps:
    """Remove procMount: Unmasked.

    Problem: {container} has an unmasked /proc.

    Result: The sensitive parts of /proc are masked.

    Why: without the masks a process reads the kernel's secrets and the hardware of its node, and writes settings that
    affect every pod of the node.

    May break: builders that start containers inside their container cannot mount a /proc for them.
    """
    written = container.get(*_FIELD)
    # A privileged container has no masks whatever is written; no-privileged has the say there.
    if written in (None, "Default") or container.privileged:
        return
    meant = container.fact(f"{written} is set, and Kubernetes accepts it only with hostUsers: false", *_FIELD)
    path = _FIELD if len(container.keys("securityContext")) > 1 else _FIELD[:1]
    yield container.drop(*path, **verdict(against=[meant]).words)
