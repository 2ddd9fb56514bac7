"""The ports that a container serves, and those of them below 1024."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.container_commands import spoken
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import patched
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.pods import command_evidence
from hardener.tree.core_views import Container, Object, OpaqueError

_FIRST_OF_ALL = 1024  # ports below it are those of root, unless the kernel is told otherwise
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_ACTIONS = ("httpGet", "tcpSocket", "grpc")
_WITHOUT = "without_low_ports"  # by the view: at which state of what the piece starts there were none


def low_ports(container: Container) -> dict[int, Evidence]:
    """Ports below 1024 with where they are said: in the ports of the container, else of its image, and in flags."""
    if not container.tree.kustomizations:
        wiring = container.object.piece.wiring
        if container.__dict__.get(_WITHOUT) == wiring:
            return {}
        found = _low_ports(container)
        if not found:  # as of most, of which several transforms ask
            container.__dict__[_WITHOUT] = wiring
        return found
    found = _low_ports(container)
    for state in patched(container):
        try:
            found = _low_ports(state) | found
        except (OpaqueError, WrongShapeError):
            continue
    return found


def _low_ports(container: Container) -> dict[int, Evidence]:
    found = {number: fact for number, fact in _own_ports(container).items() if number < _FIRST_OF_ALL}
    env = container.env
    for number, speaker in spoken(container, lambda words: command_evidence.low_ports(words, env), beside=env):
        found.setdefault(number, speaker.says(f"is told to listen on port {number}"))
    return found


def likely_low_ports(container: Container) -> dict[int, Evidence]:
    """``low_ports``, and those that probes or Services alone name.

    Others may count on one that its runtime opens to every user, so these are no reason to give a container more.
    """
    others = {number: fact for number, fact in _ports_by_others(container) if number < _FIRST_OF_ALL}
    return others | low_ports(container)


def shown_ports(container: Container) -> dict[int, Evidence]:
    """Ports that ``container`` serves with where they are said: in its ports, else in those of its image; in its
    probes; and by Services, where no container of the pod declares them."""
    return dict(_ports_by_others(container)) | _own_ports(container)


def _own_ports(container: Container) -> dict[int, Evidence]:
    found: dict[int, Evidence] = {}
    container.check_whole("ports")
    declared = container.items("ports")
    for index, port in enumerate(declared):
        number = port.get("containerPort")
        if isinstance(number, int) and number > 0:
            found[number] = container.fact(f"port {number} is declared", "ports", index)
    if not declared:
        ports = known_image(container).ports
        for number in ports.value if ports is not None else ():
            if ports is not None:
                found[number] = ports.fact(container, f"it serves port {number}")
    return found


def _ports_by_others(container: Container) -> Iterator[tuple[int, Evidence]]:
    """The ports that probes and Services name and no container of the pod declares."""
    declared = {number for other in container.pod.containers for number in _declared(other)}
    for number, fact in (*_behind_services(container), *_probed(container)):
        if number not in declared:
            yield number, fact


def _declared(container: Container) -> list[object]:
    """The numbers of the ports that ``container`` declares; None for one that is filled in later."""
    try:
        return [port.get("containerPort") for port in container.items("ports")]
    except (OpaqueError, WrongShapeError):
        return [None]


def _probed(container: Container) -> Iterator[tuple[int, Evidence]]:
    """The ports that the kubelet asks ``container`` at, by number, at the address of its pod."""
    for probe in _PROBES:
        for action in _ACTIONS if not container.lacks(probe) else ():
            try:
                number = container.get(probe, action, "port")
                is_own = not container.has(probe, action, "host")
            except (OpaqueError, WrongShapeError):
                continue
            if isinstance(number, int) and is_own:
                yield number, container.fact(f"a probe asks for port {number}", probe, action, "port")


def _behind_services(container: Container) -> Iterator[tuple[int, Evidence]]:
    """The ports that Services send to the pod of ``container``; of several containers, to those that declare none."""
    pod = container.pod
    serving = [each for each in pod.containers if not each.init]
    silent = [each for each in serving if not _declared(each)]
    if container not in (silent or serving):
        return
    for service in container.tree.ask(Relations).services_of(pod):
        try:
            yield from _sent_by(service, whole=silent == serving)
        except (OpaqueError, WrongShapeError):
            continue


def _sent_by(service: Object, *, whole: bool) -> Iterator[tuple[int, Evidence]]:
    """The ports that ``service`` sends to, by number. Of a headless one they are what its author says of its pods,
    where these say nothing themselves (``whole``)."""
    if service.get("spec", "clusterIP") == "None" and not whole:
        return
    for index, item in enumerate(service.items("spec", "ports")):
        number = item.get("targetPort") if item.has("targetPort") else item.get("port")
        if isinstance(number, int):
            yield number, service.fact(f"{service} sends to port {number}", "spec", "ports", index)
