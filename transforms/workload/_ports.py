"""The ports that a container serves, and those of them below 1024."""

from __future__ import annotations

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.container_commands import spoken
from hardener.facts.images.known_image import known_image
from hardener.facts.kustomize.overlays.states import patched
from hardener.kubernetes.pods import command_evidence
from hardener.tree.core_views import Container, OpaqueError

_FIRST_OF_ALL = 1024  # ports below it are those of root, unless the kernel is told otherwise
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
    found = {number: fact for number, fact in shown_ports(container).items() if number < _FIRST_OF_ALL}
    env = container.env
    for number, speaker in spoken(container, lambda words: command_evidence.low_ports(words, env), beside=env):
        found.setdefault(number, speaker.says(f"is told to listen on port {number}"))
    return found


def shown_ports(container: Container) -> dict[int, Evidence]:
    """Ports that ``container`` serves with where they are said: in its ports, else in those of its image."""
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
