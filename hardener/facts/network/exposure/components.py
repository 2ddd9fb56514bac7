"""What a Service leads to, as far as images, names and ports tell: an administration interface, a data store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.products import runs_data_store
from hardener.kubernetes.components.component import DATA_PORTS, is_data_store, is_monitoring, sensitive_component
from hardener.tree.core_views import Container, Object, PodTemplate, Service, View
from hardener.tree.view import OpaqueError, literal


class Component(NamedTuple):
    """What it is called, what shows it, and the containers behind the Service where the tree has them."""

    name: str
    evidence: Evidence
    containers: list[Container]


def administration(service: Service | Object, pods: list[PodTemplate]) -> Component | None:
    """The administration interface that ``service`` leads to; None where there is no sign of one."""
    behind = [(pod, _serving(service, pod)) for pod in pods]
    containers = [container for _, found in behind for container in found]
    for pod, found in behind:
        for container in found:
            if component := _of_image(container):
                fact = container.fact(f"the image is that of {component}, an administration interface", "image")
                return Component(component, fact, containers)
        if component := sensitive_component([literal(pod.object.name)]):
            fact = pod.object.fact(
                f"the workload is {component} by its name, an administration interface", "metadata", "name"
            )
            return Component(component, fact, containers)
    if component := sensitive_component([literal(service.object.name)]):
        fact = service.fact(f"the Service is {component} by its name, an administration interface", "metadata", "name")
        return Component(component, fact, containers)
    return None


def _of_image(container: Container) -> str | None:
    image = container.image
    if image is None:
        return None
    known = container.row is not None and container.row.sensitive
    return sensitive_component([image.repository]) or (image.name if known else None)


def data_store(service: Service, pods: list[PodTemplate]) -> Evidence | None:
    """What shows that ``service`` leads to a data store; None where nothing does."""
    for pod in pods:
        for container in _serving(service, pod):
            if container.image and runs_data_store(container):
                return container.fact(f"{container.image.name} is a data store", "image")
    for index, port in enumerate(service.items("spec", "ports")):
        for number in sorted(DATA_PORTS & _numbers(port, pods)):
            return service.fact(f"port {number} is that of a data store", "spec", "ports", index)
    if is_data_store(literal(service.object.name)):
        return service.fact("the Service is a data store by its name", "metadata", "name")
    return None


def monitoring(service: Service, pods: list[PodTemplate]) -> Evidence | None:
    """What shows that ``service`` leads to a component that watches others or carries their messages."""
    for pod in pods:
        for container in _serving(service, pod):
            kind = _INSIDE.get(container.row.class_ or "") if container.row is not None else None
            if kind is not None and container.image is not None:
                return container.fact(
                    f"{container.row.origin if container.row else ''}: {container.image.name} {kind}", "image"
                )
            if container.image is not None and is_monitoring(container.image.repository):
                return container.fact(f"{container.image.name} watches other components", "image")
    if is_monitoring(literal(service.object.name)):
        return service.fact("by its name the Service watches other components", "metadata", "name")
    return None


_INSIDE = {
    "monitoring": "watches other components",
    "broker": "carries messages of others",
    "cache": "keeps data of others",
}


def containers_of(pod: PodTemplate) -> list[Container]:
    """The containers of ``pod`` without its init containers; none where they have a wrong shape."""
    try:
        return [container for container in pod.containers if not container.init]
    except (WrongShapeError, OpaqueError):
        return []


def targets(service: View, pods: list[PodTemplate]) -> set[object]:
    """The ports of pods that ``service`` leads to: numbers, and names where the pods declare none of that name."""
    found: set[object] = set()
    for port in _ports(service, "spec", "ports"):
        target = _target(port)
        found |= _declared(target, pods) or {target}
    return found


def _serving(service: Service | Object, pod: PodTemplate) -> list[Container]:
    """The containers behind the ports of ``service``; what runs beside them says nothing about it."""
    containers = containers_of(pod)
    wanted = {_target(port) for port in _ports(service, "spec", "ports")}
    found = [
        container
        for container in containers
        if any(wanted & {_value(port, "containerPort"), _value(port, "name")} for port in _ports(container, "ports"))
    ]
    return found or (containers if len(containers) == 1 else [])


def _ports(holder: View, *path: str) -> Iterator[View]:
    try:
        yield from holder.items(*path)
    except (WrongShapeError, OpaqueError):
        return


def _value(port: View, key: str) -> object:
    """What stands under ``key``; a value of its own, equal to no other, where there is nothing to compare."""
    try:
        found = port.get(key)
    except (WrongShapeError, OpaqueError):
        found = None
    return object() if found is None else found


def _target(port: View) -> object:
    return _value(port, "targetPort" if port.has("targetPort") else "port")


def _numbers(port: View, pods: list[PodTemplate]) -> set[object]:
    """The numbers that a port of the Service goes by, outside and in its pods."""
    target = _target(port)
    return {_value(port, "port"), target} | _declared(target, pods)


def _declared(name: object, pods: list[PodTemplate]) -> set[object]:
    """The numbers of the ports that the pods call ``name``."""
    ports = (port for pod in pods for container in containers_of(pod) for port in _ports(container, "ports"))
    return {_value(port, "containerPort") for port in ports if _value(port, "name") == name}
