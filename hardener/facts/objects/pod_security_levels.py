"""The Pod Security levels of the pods of the tree, at the Kubernetes version of the run."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from hardener.authoring.edits import WrongShapeError
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.states import states, states_in
from hardener.kubernetes import pod_security
from hardener.kubernetes.pod_security import LEVELS
from hardener.kubernetes.pods.capabilities import BIND, is_left_to_root
from hardener.sources.manifests import Piece
from hardener.sources.open_values import OpenList
from hardener.tree.core_views import Container, OpaqueError, PodTemplate, View
from hardener.tree.tree import Tree

_NOT_KNOWN = "not known"
"""How the reason begins that a pod has no level because a part of it is filled in later."""
_OF_HOST = ("hostNetwork", "hostPID", "hostIPC")
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_OF_USER = ("runAsUser", "runAsNonRoot")  # checks


class Standing(Struct, frozen=True):
    """The level of one pod template, and what costs it the next one, in the words of Kubernetes (None at the top)."""

    pod: PodTemplate
    namespace: str | None
    level: str
    missing: str | None


def standings(tree: Tree) -> list[Standing]:
    """Where every pod of the files that may be edited stands now, in the order of files and lines; one that comes out
    in several namespaces stands in each."""
    found = []
    for pod in tree.pods_and_parts:
        if not pod.object.editable or "patch" in pod.object.classes or (pod.partial and pod.is_fragment):
            continue  # a part of a pod has no level
        level, missing = "", None
        for namespace in tree.ask(Builds).namespaces(pod.object):
            if not level or len(states(pod)) > 1:  # as it is written it stands everywhere as high
                level = level_of(pod, namespace)
                missing = None if level == "restricted" else next_violation(pod, namespace)
            found.append(Standing(pod, namespace, level, missing))
    return found


def level_of(pod: PodTemplate, namespace: str | None) -> str:
    """The highest level that ``pod`` reaches as it is now in ``namespace``: "privileged", "baseline" or "restricted";
    where kustomizations make several of it there, that of the worst. What is not known of it may be anything."""
    return _level(_worst(pod, namespace))


def next_violation(pod: PodTemplate, namespace: str | None) -> str:
    """The first thing that keeps ``pod`` from the level above its own, in the words of Kubernetes.

    Capabilities that a container has only because it may start as root come after that it may.
    """
    state = _worst(pod, namespace)
    broken = _next(state)
    if broken is None:
        return "nothing"
    return broken.message if state is pod else f"{broken.message}, as {_patch(state, broken)} patches it"


def what_lifts(pod: PodTemplate, namespace: str | None) -> str | None:
    """The id of the transform that lifts ``next_violation``, where a container keeps capabilities until then; else
    None."""
    state = _worst(pod, namespace)
    broken = _next(state)
    if broken is None or broken.check not in _OF_USER or not any(map(_waits_for_user, state.containers)):
        return None
    roots = (each.effective("runAsUser") == 0 or known_image(each).user_name == "root" for each in state.containers)
    return "run-as-user" if any(roots) else "run-as-non-root"


def _next(state: PodTemplate) -> pod_security.Violation | None:
    following = "baseline" if _level(state) == "privileged" else "restricted"
    found = pod_security.evaluate(_template(state), following, state.tree.settings.kubernetes_version)
    if found and found[0].check == "capabilities_restricted" and _is_of_root(state):
        return next((broken for broken in found if broken.check in _OF_USER), found[0])
    return found[0] if found else _not_known(state)


def _not_known(pod: PodTemplate) -> pod_security.Violation | None:
    """What a program or a template fills in, and a check of baseline would ask for."""
    if _is_plain(pod.object.piece):
        return None
    try:
        for key in _OF_HOST:
            pod.get(key)
        pod.check_replaced(("securityContext",))
        _read(pod.view("securityContext"))
        _all_written(pod, "volumes")
        for volume in pod.items("volumes"):
            volume.has("hostPath")
        for key in _CONTAINERS:
            _all_written(pod, key)
            for container in pod.items(key):
                container.check_replaced(("securityContext",))
                _read(container.view("securityContext"))
                _all_written(container, "ports")
                for port in container.items("ports"):
                    port.get("hostPort")
    except OpaqueError as opaque:
        path = opaque.path[len(pod.path) - 1 :]
        return pod_security.Violation("unknown", LEVELS[1], f"{_NOT_KNOWN}: {opaque}", (path,))
    except WrongShapeError:
        return None  # the API refuses it
    return None


def _is_plain(piece: Piece) -> bool:
    """Whether ``piece`` is as it was read, is what is sent, and nothing in its file begins an expression."""
    file = piece.file
    if not piece.parsed or piece.is_new or piece.revision or not piece.source.is_manifest:
        return False
    return not (file.holds("$") or file.holds("{{") or file.holds("\\"))  # an escape may stand for either


def _all_written(view: View, key: str) -> None:
    """Raise OpaqueError where a program may add items to the list ``key``."""
    found = view.data.get(key)
    if isinstance(found, OpenList):
        raise OpaqueError(found.why, (*view.path[1:], key), "may get more from")


def _read(view: View) -> None:
    """Raise OpaqueError where anything below ``view`` is not known."""
    for key in view.keys():
        value = view.data[key]
        if isinstance(value, dict):
            _read(view.view(key))
        elif isinstance(value, list):
            _all_written(view, key)
            if not any(isinstance(item, dict) for item in value):
                for index in range(len(value)):
                    view.get(key, index)
        elif isinstance(value, str):  # no other scalar is an expression
            view.get(key)


def _is_of_root(state: PodTemplate) -> bool:
    """Whether no container has capabilities but what is left to one that may start as root."""
    try:
        containers = state.containers
    except OpaqueError:
        return False
    return all(
        _waits_for_user(each) or ("ALL" in _listed(each, "drop") and set(_listed(each, "add")) <= {BIND})
        for each in containers
    )


def _waits_for_user(container: Container) -> bool:
    return is_left_to_root(_listed(container, "add"), _listed(container, "drop"))


def _listed(container: Container, key: str) -> tuple[str, ...]:
    try:
        return container.strings("securityContext", "capabilities", key)
    except (OpaqueError, WrongShapeError):
        return ()


def beyond(state: PodTemplate, pod: PodTemplate) -> list[pod_security.Violation]:
    """What keeps ``state`` from level restricted, and not ``pod``."""
    version = pod.tree.settings.kubernetes_version
    found: dict[object, pod_security.Violation] = {}
    for level in LEVELS[1:]:
        known = {broken.check for broken in pod_security.evaluate(_template(pod), level, version)}
        for broken in pod_security.evaluate(_template(state), level, version):
            if broken.check not in known:
                # What breaks a check of baseline often breaks one of restricted as well.
                found.setdefault(broken.paths[0][:2] if broken.paths else broken.check, broken)
    return list(found.values())


def keeping_ephemeral(pod: PodTemplate, index: int, level: str) -> list[str]:
    """What keeps the ephemeral container at ``index`` of ``pod`` from ``level``, in short words of Kubernetes."""
    found = pod_security.evaluate(_template(pod), level, pod.tree.settings.kubernetes_version)
    where = ("ephemeralContainers", index)
    return [broken.message.partition(":")[0] for broken in found if any(path[:2] == where for path in broken.paths)]


def _worst(pod: PodTemplate, namespace: str | None) -> PodTemplate:
    states = states_in(pod, namespace)
    return pod if len(states) == 1 else min(states, key=lambda state: LEVELS.index(_level(state)))


def _level(pod: PodTemplate) -> str:
    found = pod_security.level_of(_template(pod), pod.tree.settings.kubernetes_version)
    return LEVELS[0] if found != LEVELS[0] and _not_known(pod) else found


def _patch(state: PodTemplate, broken: pod_security.Violation) -> str:
    path = broken.paths[0] if broken.paths else ()
    return state.object.place((*state.path, *path))[0].file.name


def _template(pod: PodTemplate) -> dict[str, Any]:
    return {"metadata": pod.metadata.data, "spec": pod.data}
