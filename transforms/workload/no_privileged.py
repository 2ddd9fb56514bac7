from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.images.known_image import known_image
from hardener.kubernetes.pods.capabilities import DEFAULT, plain
from hardener.tree.core_views import Container

from ._need import root_evidence
from ._volumes import Mount, mounts

_FIELD = ("securityContext", "privileged")


@transform(
    each=Container, stage="host", severity=Severity.HIGH, pss="baseline", cis="5.2.2",
    classes=("node-agent", "control-plane", "partial"), after=("no-host-path",),
    peers=(
        "kube-linter:privileged-container", "checkov:CKV_K8S_16", "polaris:runAsPrivileged",
        "kubeaudit:allow-privileged", "kubescape:C-0057",
    ),
)  # fmt: skip
def no_privileged(container: Container) -> Steps:
    """Remove privileged: true.

    Problem: {container} runs privileged.

    Result: The container has no access to the devices of its node and only the capabilities that it is given.

    Why: a privileged container has the node's devices and every capability, so whoever breaks into it controls the
    node.

    May break: the container also loses writable /proc and /sys, and its system calls are filtered; programs that load
    kernel modules, mount file systems or use devices fail.
    """
    if not container.privileged:
        return
    shared = [mount for mount in mounts(container) if mount.view.get("mountPropagation") == "Bidirectional"]
    against = [*root_evidence(container), *_used(container), *_shown_to_the_node(shared)]
    nothing = Evidence("privileged is set, and nothing in the manifest shows a need for it")
    found = verdict(against=against, absent=[nothing])
    path = _FIELD if len(container.keys("securityContext")) > 1 else _FIELD[:1]
    yield container.drop(*path, **found.words)
    for mount in shared:
        fact = mount.view.fact("only a privileged container may have it", "mountPropagation")
        yield mount.view.drop("mountPropagation", **found.along(fact).words)


def _used(container: Container) -> Iterator[Evidence]:
    """The capabilities that a cluster saw it use, and that only a privileged container has by itself."""
    used = known_image(container).used_capabilities
    added = {plain(name) for name in container.strings("securityContext", "capabilities", "add")}
    more = [name for name in used.value if name not in DEFAULT and name not in added] if used is not None else []
    if used is not None and more and not {"ALL"} & added:
        yield used.fact(container, f"it used {', '.join(more)}, which it has only as a privileged container")


def _shown_to_the_node(shared: list[Mount]) -> Iterator[Evidence]:
    for mount in shared:
        if mount.source == "hostPath":
            yield mount.view.fact("the node is meant to see what it mounts there", "mountPropagation")
