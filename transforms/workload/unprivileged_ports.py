from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Evidence
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Verdict, verdict
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import signs
from hardener.kubernetes.pods.capabilities import BIND, plain
from hardener.tree.core_views import Container, PodTemplate

from ._file_capabilities import may_serve_low_ports
from ._grounds import assumption
from ._ports import likely_low_ports, low_ports
from ._user import final_users

_NAME = "net.ipv4.ip_unprivileged_port_start"
_SYSCTLS = ("securityContext", "sysctls")
_CAPABILITIES = ("securityContext", "capabilities")
# Transforms after which a port that was served may be out of reach.
_CAUSES = frozenset({"run-as-non-root", "run-as-user", "drop-capabilities", "no-privilege-escalation"})


@transform(each=PodTemplate, stage="capabilities", pss="restricted", after=("drop-capabilities",), any_image=True)
def unprivileged_ports(pod: PodTemplate) -> Steps:
    """Allow a non-root user to serve low ports.

    Problem: the pod has no permission for its non-root user to serve a port below 1024.

    Result: A process that is not root can still serve a port below 1024.

    Why: without this, the changes of user and capabilities would block the port; a sysctl of the pod allows it without
    a privilege.

    May break: nothing known; a sandboxed runtime may ignore the setting, and the port then needs the capability.
    """
    served = [(container, _served(container)) for container in pod.containers if not container.privileged]
    served = [(container, ports) for container, ports in served if ports]
    on_node = list(signs(pod, _on_node))
    if on_node:
        # The setting would be the node's, so the API server refuses it.
        for container, ports in served:
            found = verdict(why=ports.values(), doubts=on_node, basis=Basis.INFERRED)
            yield from _capability(container, found)
        return
    # A pod that was so before this run serves its ports already, by grace of its runtime: nothing to repair.
    if not pod.changed_by & _CAUSES:
        return
    yield from _sysctl(pod, [(c, ports) for c, ports in served if "non-root" in final_users(c)])
    for container, ports in served:
        if final_users(container) != {"non-root"}:
            yield from _capability(container, verdict(known=ports.values(), sure=assumption(container) is None))


def _served(container: Container) -> dict[int, Evidence]:
    """Its ports below 1024; 0 stands for any of them, where a program may bind them and nobody names one."""
    # To a user that this run wrote nobody else has given a port.
    ports_of = likely_low_ports if "run-as-user" in container.pod.changed_by else low_ports
    may_serve = next(may_serve_low_ports(container), None)
    return ports_of(container) or ({} if may_serve is None else {0: may_serve})


def _on_node(pod: PodTemplate) -> Iterator[Evidence]:
    if pod.get("hostNetwork") is True:
        yield pod.fact("hostNetwork", "hostNetwork")


def _sysctl(pod: PodTemplate, served: list[tuple[Container, dict[int, Evidence]]]) -> Iterator[Edit]:
    ports = {number: evidence for _, found in served for number, evidence in found.items()}
    # Before 1.22 the kubelet took the setting for an unsafe one.
    if not ports or pod.tree.settings.kubernetes_version < (1, 22):
        return
    least = min(ports)
    known = all(known_image(container).is_sure_of_user or known_image(container).files for container, _ in served)
    sandboxed = pod.has("runtimeClassName")
    doubts = []
    if sandboxed:
        doubts.append(pod.fact("a runtime class may be a sandbox with rules of its own", "runtimeClassName"))
    found = verdict(known=[ports[least]], sure=known, doubts=doubts)
    for index, sysctl in enumerate(pod.items(*_SYSCTLS)):
        if sysctl.get("name") == _NAME:
            value = str(sysctl.get("value"))
            if not (value.isdecimal() and int(value) <= least):
                yield pod.set(*_SYSCTLS, index, "value", to=str(least), **found.words)
            return
    entry = {"name": _NAME, "value": str(least)}
    yield pod.append(*_SYSCTLS, value=entry, **found.words)
    if sandboxed:
        for container, _ in served:
            yield from _capability(container, found)


def _capability(container: Container, found: Verdict) -> Iterator[Edit]:
    """NET_BIND_SERVICE, where the others are dropped; elsewhere the runtime gives it anyway."""
    dropped = {plain(name) for name in container.strings(*_CAPABILITIES, "drop")}
    added = container.strings(*_CAPABILITIES, "add")
    if BIND not in added and dropped & {"ALL", BIND}:
        yield container.append(*_CAPABILITIES, "add", value=BIND, **found.words)
