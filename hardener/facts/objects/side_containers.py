"""Containers beside an agent of the node that do not work on the node themselves, and of which the image is known."""

from __future__ import annotations

from hardener.authoring.edits import WrongShapeError
from hardener.facts.images.known_image import known_image
from hardener.tree.core_views import Container, OpaqueError
from hardener.tree.pod_kind import node_agent_image


def is_side_container(container: Container) -> bool:
    """Whether ``container`` only stands beside the agent of its pod: another image, known, without host access.

    Where no container works on the node by itself, nobody can tell which one is the agent.
    """
    if not is_known(container):
        return False
    try:
        agents = {_repository(each) for each in container.pod.containers if _works_on_node(each)}
        return bool(agents) and _repository(container) not in agents
    except (OpaqueError, WrongShapeError):
        return False


def is_known(container: Container) -> bool:
    """Whether anything is known of its image, from what it is made of."""
    if container.row is not None or container.locked is not None:
        return True
    user = known_image(container).user
    return user is not None and user.by.of_image


def _works_on_node(container: Container) -> bool:
    """Whether it is an agent by its image, or has access to the node of its own."""
    if node_agent_image(container) is not None:
        return True
    if container.privileged or container.strings("securityContext", "capabilities", "add"):
        return True
    if container.items("volumeDevices"):
        return True
    mounted = {mount.text("name") for mount in container.items("volumeMounts")}
    return any(volume.text("name") in mounted and volume.has("hostPath") for volume in container.pod.items("volumes"))


def _repository(container: Container) -> str | None:
    return container.image.repository if container.image else None
