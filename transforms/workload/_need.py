"""Signs that a container needs what only root or the node gives, and signs that what its author wrote is meant.

A weak value that is written (``privileged``, ``runAsUser: 0``, ``hostNetwork`` and their like) is no sign by itself,
and weak values never prove each other. What shows that one of them is meant holds the others of the same pod: who is
given the node is not made safe in parts. Source: design decision 2.2, explicit values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.container_commands import spoken
from hardener.facts.images.image_scripts import scripts_of_root
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import signs
from hardener.facts.objects.hardened_by_hand import hardened_beside, hardened_beside_root
from hardener.facts.objects.side_containers import is_side_container
from hardener.kubernetes.pods.capabilities import is_left_to_root, plain
from hardener.kubernetes.pods.command_evidence import below, root_commands, writes
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

from ._host_path import is_replaced, kind, path_of
from ._named import as_far_as_written, hardware, named_access
from ._volumes import Mount, mounts

_READ_ONLY = ("kernel", "kubelet", "read", "system")
_OF_NODE = ("kernel", "kubelet")
_MOST = 12  # signs of a pod that are named; each of its containers may be held back by all of them
_HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")


def root_evidence(container: Container) -> list[Evidence]:
    """Signs that ``container`` needs root or more, and where root, privileged or a namespace of the node is written for
    it, that this is meant; [] when there is none."""
    found = own_needs(container)
    if any(signs(container, written_root)) or any(signs(container.pod, _host_namespaces)):
        found = [*found, *pod_evidence(container.pod)]
    return _each_once(found)


def own_needs(container: Container) -> list[Evidence]:
    """Signs that ``container`` itself needs root or more, whatever is written; [] when there is none."""
    return [*_of_class(container.pod, container), *signs(container, _needs)]


def explicit_evidence(container: Container) -> list[Evidence]:
    """Signs that another weak value which is written for ``container`` alone is meant (allowPrivilegeEscalation)."""
    pod = container.pod
    return _each_once([*root_evidence(container), *hardened_beside(container), *purpose(pod), *_of_pod(pod, hardware)])


def pod_evidence(pod: PodTemplate) -> list[Evidence]:
    """Signs that the host access, privileged or root which is written for ``pod`` or one of its containers is meant;
    [] when there is none."""
    return _of_pod(pod, _pod_evidence)


def _pod_evidence(pod: PodTemplate) -> Iterator[Evidence]:
    yield from pod_needs(pod)
    yield from _kept_folders(pod)
    yield from purpose(pod)
    yield from hardware(pod)
    yield from _hardened(pod)


def purpose(pod: PodTemplate) -> list[Evidence]:
    """What ``pod`` names access to its node for; [] when it names nothing."""
    return _of_pod(pod, named_access)


def _of_pod(pod: PodTemplate, find: Callable[[PodTemplate], Iterable[Evidence]]) -> list[Evidence]:
    """What ``find`` sees in ``pod``. Every container asks; each transform looks once, whatever it then changes."""
    known: dict[object, tuple[frozenset[str], list[Evidence]]] = pod.__dict__.setdefault("_signs", {})
    if find not in known or known[find][0] != pod.changed_by:
        known[find] = (pod.changed_by, _each_once(find(pod))[:_MOST])
    return list(known[find][1])


def pod_needs(pod: PodTemplate) -> list[Evidence]:
    """Signs that ``pod`` or one of its containers needs root or more, whatever is written; [] when there is none."""
    return [*_of_class(pod), *(fact for container in pod.containers for fact in signs(container, _needs))]


def while_privileged(container: Container) -> str:
    """What does not hold for ``container`` while it is privileged, in words: other changes of it wait for that one."""
    kept = ["it has every capability", "its processes may raise their privileges", "no seccomp profile applies"]
    if container.get("securityContext", "readOnlyRootFilesystem") is not True:
        kept.append("its root file system stays writable")
    return f"while it is privileged, {', '.join(kept[:-1])} and {kept[-1]}"


def _each_once(found: Iterable[Evidence]) -> list[Evidence]:
    facts = list(found)
    return facts if len(facts) < 2 else list({fact.text: fact for fact in reversed(facts)}.values())[::-1]


def _of_class(pod: PodTemplate, container: Container | None = None) -> Iterator[Evidence]:
    sign = pod.classes.get("node-agent")
    if sign and not (container is not None and is_side_container(container)):
        yield Evidence(f"an agent of the node: {sign}")


def written_root(container: Container) -> Iterator[Evidence]:
    """Where ``container`` is privileged or root because somebody wrote so."""
    if container.privileged:
        yield container.fact("privileged", "securityContext", "privileged")
    number = container.effective("runAsUser")
    if number == 0 or (number is None and container.effective("runAsNonRoot") is False):
        yield container.fact("root")


def _hardened(pod: PodTemplate) -> Iterator[Evidence]:
    """What a person hardened where a weak value reaches."""
    # What is weak in the pod itself a run takes away; what a patch makes weak stays, and so may root.
    is_shared, patched_to_share = any(_host_namespaces(pod)), any(signs(pod, _host_namespaces))
    for container in pod.containers:
        if is_shared or container.privileged or any(_replaced_folders(container)):
            yield from hardened_beside(container)
        elif patched_to_share or any(signs(container, written_root)) or any(signs(container, _replaced_folders)):
            yield from hardened_beside_root(container)


def _host_namespaces(pod: PodTemplate) -> Iterator[Evidence]:
    for name in _HOST_NAMESPACES:
        try:
            if pod.get(name) is True:
                yield pod.fact(name, name)
        except (OpaqueError, WrongShapeError):
            continue


def _replaced_folders(container: Container) -> Iterator[Evidence]:
    """The folders of the node that it mounts and that would become some of the pod."""
    for mount in mounts(container):
        if mount.volume is not None and is_replaced(kind(mount.volume)):
            yield mount.volume.fact("replaced", "hostPath")


def hardened_in(pod: PodTemplate) -> list[Evidence]:
    """What a person hardened in the security context of ``pod`` or of one of its containers."""
    return _of_pod(pod, _hardened_anywhere)


def _hardened_anywhere(pod: PodTemplate) -> Iterator[Evidence]:
    for container in pod.containers:
        yield from hardened_beside(container)


def _kept_folders(pod: PodTemplate) -> Iterator[Evidence]:
    """Folders of the node that stay mounted whatever else goes, so that somebody works with the node."""
    yield from as_far_as_written(*map(_kept_folders_in, pod.containers))


def _kept_folders_in(container: Container) -> Iterator[Evidence]:
    yield from signs(container, _kept_folders_of)


def _kept_folders_of(container: Container) -> Iterator[Evidence]:
    for mount in mounts(container):
        if mount.volume is not None and kind(mount.volume) in _OF_NODE:
            text = f"container {container.name} has {path_of(mount.volume)} of the node"
            yield mount.volume.fact(text, "hostPath", "path")


def _needs(container: Container) -> Iterator[Evidence]:
    if (needs_root := known_image(container).needs_root) is not None:
        yield needs_root.fact(container, "it works as root only")
    yield from added_capabilities(container)
    for command, speaker in spoken(container, root_commands):
        yield speaker.says(f"runs {command}")
    yield from (command.fact(container) for command in known_image(container).root_commands)
    yield from scripts_of_root(container)
    yield from _host_access(container)


def added_capabilities(container: Container) -> Iterator[Evidence]:
    """The capabilities it adds beyond NET_BIND_SERVICE, as one sign."""
    path = ("securityContext", "capabilities", "add")
    if not container.has(*path[:2]):
        return
    names = sorted({plain(name) for name in container.strings(*path)} - {"NET_BIND_SERVICE"})
    if is_left_to_root(names, container.strings("securityContext", "capabilities", "drop")):
        return  # what drop-capabilities leaves a container that starts as root
    if names:
        yield container.fact(f"container {container.name} adds {', '.join(names)}", *path)


def _host_access(container: Container) -> Iterator[Evidence]:
    if container.items("volumeDevices"):
        yield container.fact(f"container {container.name} uses a block device", "volumeDevices")
    for mount in mounts(container):
        if mount.volume is None:
            continue
        what = kind(mount.volume)
        if what is None or is_replaced(what):
            continue
        # A mount that is read-only does not shut a socket or a device; of other folders it leaves nothing to root. One
        # that host-path-read-only would make so counts as read-only already: a second run must see what this one sees.
        if what in _READ_ONLY and not any(signs_of_writing(container, mount, what)):
            continue
        # Data of the node belongs to whom the node gave it, mostly root, so it counts read-only as well.
        if what in ("socket", "device", "data") or mount.writable:
            noun = what if what in ("socket", "device") else "host path"
            text = f"container {container.name} works with the {noun} {path_of(mount.volume)}"
            yield mount.volume.fact(text, "hostPath", "path")


def signs_of_writing(container: Container, mount: Mount, what: str) -> Iterator[Evidence]:
    """Signs that ``container`` writes to the folder of the node behind ``mount``."""
    if mount.volume is not None and str(mount.volume.get("hostPath", "type") or "").endswith("OrCreate"):
        yield mount.volume.fact(
            "its hostPath type creates it if it is missing, so something writes there", "hostPath", "type"
        )
    if mount.view.get("mountPropagation") == "Bidirectional":
        yield mount.view.fact("the node is meant to see what it mounts there", "mountPropagation")
    if mount.path and any(below(path, mount.path) for path in writes(container.words).paths):
        yield mount.view.fact("its command writes there", "mountPath")
    if what in ("kernel", "kubelet"):
        yield from added_capabilities(container)
