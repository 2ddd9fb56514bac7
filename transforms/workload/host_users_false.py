from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from hardener.authoring.edits import Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.errors import InputError
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.cluster.user_namespaces import NodeSupport, VolumeDrivers
from hardener.facts.images.known_image import known_image
from hardener.kubernetes.pods.capabilities import plain
from hardener.tree.core_views import Container, PodTemplate, View

from ._host_path import kind, path_of
from ._user import decide, final_user
from ._volumes import source

_FIRST_VERSION = (1, 33)  # on by default since then; stable in 1.36
_HIGHEST_ID = 65535
_IDS = ("runAsUser", "runAsGroup", "fsGroup")
_NOT_MAPPED = ("nfs", "cephfs")  # file systems that cannot map the users of a mount
# Capabilities that act on files, processes and the network of the pod, so that they keep their meaning.
_OF_THE_POD = frozenset(
    {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_ADMIN", "NET_BIND_SERVICE", "NET_RAW"}
    | {"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
)
_MOST = 5  # names in one message
_NEEDED = "the nodes have Linux 6.3, and containerd 2.0 or CRI-O 1.25"
_OF_THE_NODE = ("socket", "device", "kernel", "kubelet")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserNamespaces:
    """``pods``: ``all`` that nothing speaks against; ``root`` those alone that stay root; ``offer`` changes nothing and
    says of those that it is the way out."""

    GROUP: ClassVar[str] = "user-namespaces"
    pods: str = "all"

    def __post_init__(self) -> None:
        if self.pods not in ("offer", "root", "all"):
            raise InputError(f"user-namespaces.pods: {self.pods} is none of offer, root and all")


@transform(
    each=PodTemplate, stage="filesystem", after=("run-as-user", "run-as-non-root"), severity=Severity.LOW,
    options=UserNamespaces,
)  # fmt: skip
def host_users_false(pod: PodTemplate, options: UserNamespaces) -> Steps:
    """Set hostUsers: false.

    Problem: the pod shares the user IDs of its node.

    Result: Root in a container has no rights on the node.

    Why: the users of the pod are mapped to IDs that own nothing on the node, so a process that escapes, even as root,
    has no rights there.

    May break: it needs Linux 6.3, and containerd 2.0 or CRI-O 1.25 with runc 1.2 or crun 1.9; a node without them
    refuses the pod, and an older runtime ignores the setting. A volume whose file system cannot map users does not
    mount.
    """
    if pod.get("hostUsers") is False or pod.tree.settings.kubernetes_version < _FIRST_VERSION:
        return
    staying = list(_staying(pod))
    if options.pods != "all" and not staying:
        return
    obstacle = next(_obstacles(pod), None)
    if obstacle is not None and options.pods == "offer":
        return  # root stays, and what is named there goes first
    if obstacle is not None:
        advice = "set hostUsers: false when that is gone"
        yield pod.finding(f"the pod keeps the users of its node: {obstacle.text}", advice=advice, severity=Severity.LOW)
        return
    nothing = Evidence("nothing in the manifest needs the users of the node")
    doubts = [pod.fact("the manifest says true", "hostUsers")] if pod.has("hostUsers") else []
    against, nodes = list(_against(pod)), pod.tree.ask(NodeSupport)
    if options.pods == "offer":
        yield _offer(pod, staying, [*nodes.against, *against])
        return
    found = verdict(
        why=_roots(pod), against=[*nodes.against, *against], known=nodes.known, absent=[nothing], doubts=doubts,
        effect=Effect.WATCHED,
    )  # fmt: skip
    yield pod.set("hostUsers", to=False, **found.words)


def _staying(pod: PodTemplate) -> Iterator[Container]:
    """The containers that stay root: by what is written or known, or since something speaks against another user."""
    users = [(container, final_user(container)) for container in pod.containers]
    unknown = any(user == "unknown" for _, user in users)
    held = [choice.container for choice in decide(pod) if choice.verdict.breaks] if unknown else []
    return (container for container, user in users if user == "root" or (user == "unknown" and container in held))


def _offer(pod: PodTemplate, staying: list[Container], against: list[Evidence]) -> Finding:
    names = " and ".join(container.name or "" for container in staying[:_MOST])
    known = pod.tree.ask(NodeSupport).known
    stays = "stays" if all(final_user(container) == "root" for container in staying) else "may stay"
    nodes = "the nodes are new enough" if known else f"check that {_NEEDED}"
    advice = f"add hostUsers: false ({nodes}), or set user-namespaces.pods: root to have harden write it"
    if against:
        advice = f"not as it is: {against[0].text}; add hostUsers: false when that is gone"
    return pod.finding(
        f"root {stays} in container {names}: hostUsers: false makes it nobody on the node",
        advice=advice,
        severity=Severity.LOW,
        topic="pod whose root a user namespace would bound",
    )


def _obstacles(pod: PodTemplate) -> Iterator[Evidence]:
    """What the API server, the kubelet or the kernel refuses beside it."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key) is True:
            yield pod.fact(f"{key} is set", key)
    if pod.tree.ask(Platforms).of(pod.object) == "openshift":
        yield Evidence("OpenShift gives pods user numbers above 65535")
    yield from _high_numbers(pod)
    for container in pod.containers:
        if container.items("volumeDevices"):
            yield container.fact(f"container {container.name} uses a block device", "volumeDevices")
        if container.privileged:
            yield container.fact(f"container {container.name} is privileged", "securityContext", "privileged")


def _high_numbers(pod: PodTemplate) -> Iterator[Evidence]:
    for view in (pod, *pod.containers):
        for key in _IDS:
            number = view.get("securityContext", key)
            if isinstance(number, int) and number > _HIGHEST_ID:
                yield view.fact(f"{key} is above {_HIGHEST_ID}", "securityContext", key)
    for container in pod.containers:
        known = known_image(container).number
        if known is not None and known.value.uid > _HIGHEST_ID and container.effective("runAsUser") is None:
            yield known.fact(container, f"its user {known.value.uid} is above {_HIGHEST_ID}")


def _against(pod: PodTemplate) -> Iterator[Evidence]:
    """Signs that a container works with its node, as root of the node."""
    for container in pod.containers:
        yield from _of_container(container)
    for volume in pod.items("volumes"):
        if kind(volume) in _OF_THE_NODE:
            yield _host_path(volume)
        if source(volume) in _NOT_MAPPED:
            yield volume.fact(f"a volume of type {source(volume)} cannot map users")
    yield from pod.tree.ask(VolumeDrivers).unmapped(pod)


def _roots(pod: PodTemplate) -> list[Evidence]:
    """The containers that stay root, for which the change is the way out."""
    found = []
    for container in pod.containers:
        if (needs_root := known_image(container).needs_root) is not None:
            found.append(needs_root.fact(container, "it works as root only, which is nobody on the node then"))
    return found


def _of_container(container: Container) -> Iterator[Evidence]:
    path = ("securityContext", "capabilities", "add")
    names = {plain(name) for name in container.strings(*path)} - _OF_THE_POD
    if names:
        text = f"{', '.join(sorted(names))} has no effect on the node once the pod has its own users"
        yield container.fact(f"container {container.name}: {text}", *path)


def _host_path(volume: View) -> Evidence:
    return volume.fact(f"it works with {path_of(volume)} of the node", "hostPath", "path")
