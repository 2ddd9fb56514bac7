"""What stands behind a Service: the pods that its selector matches, and which of their ports."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.network.connections.model import Port
from hardener.facts.objects.object_links import Relations
from hardener.sources.open_values import OpenDict, OpenList
from hardener.support.shapes import mapping, mappings
from hardener.tree import pod_kind
from hardener.tree.core_views import Object, OpaqueError, PodTemplate
from hardener.tree.tree import Tree


def number(value: Any) -> int | None:
    """A port as a number; None for anything else."""
    if isinstance(value, str) and value.isdigit() and len(value) < 6:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536 else None


class Endpoints:
    """The pods behind Services, looked up once for each."""

    def __init__(self, tree: Tree) -> None:
        self._relations = tree.ask(Relations)
        self._overlays = tree.ask(Overlays)
        self._pods: dict[Object, list[PodTemplate]] = {}
        self._ports: dict[tuple[Object, PodTemplate, int | str | None], tuple[Port, ...]] = {}

    def pods(self, service: Object) -> list[PodTemplate]:
        """The pods behind ``service``; none for one without selector."""
        found = self._pods.get(service)
        if found is None:
            try:
                found = [pod for pod in self._relations.selected_pods(service) if not is_patch(pod)]
            except (WrongShapeError, OpaqueError):
                found = []
            self._pods[service] = found
        return found

    def states(self, service: Object) -> tuple[Object, ...]:
        """``service`` as it is written, then as the kustomizations of the tree patch it."""
        return (service, *self._overlays.objects(service))

    def ports(self, service: Object, pod: PodTemplate, wanted: int | str | None = None) -> tuple[Port, ...]:
        """``ports_of`` all states of both."""
        key = (service, pod, wanted)
        known = self._ports.get(key)
        if known is None:
            pairs = [(one, state) for one in self.states(service) for state in states(pod)]
            found = dict.fromkeys(port for one, state in pairs for port in ports_of(one, state, wanted))
            known = self._ports[key] = tuple(found if len(pairs) == 1 else sorted(found, key=lambda port: port.order))
        return known


def is_patch(pod: PodTemplate) -> bool:
    """Whether it is a part of a pod template that is laid over another."""
    try:
        return pod_kind.is_patch(pod)
    except (WrongShapeError, OpaqueError):
        return False


def selector(service: Object) -> dict[str, str]:
    return {str(key): str(value) for key, value in mapping(mapping(service.data.get("spec")).get("selector")).items()}


def is_computed(service: Object) -> bool:
    """Whether a program computes the selector, or a part of it."""
    found = mapping(service.data.get("spec")).get("selector")
    return isinstance(found, str | OpenDict)


def is_headless(service: Object) -> bool:
    return mapping(service.data.get("spec")).get("clusterIP") == "None"


def ports_of(service: Object, pod: PodTemplate, wanted: int | str | None = None) -> tuple[Port, ...]:
    """The ports of ``pod`` that ``service`` leads to: by the port or port name ``wanted``, else all.

    A reference to a port that the Service does not have is one to all of them. Of a headless Service, clients connect
    to the pod itself, so the port that they name is the pod's; those who ask DNS for the ports get its targetPort. No
    ports at all, which only a headless one may have, means all of the pod.
    """
    listed = mappings(mapping(service.data.get("spec")).get("ports"))
    chosen = [item for item in listed if wanted is not None and wanted in (number(item.get("port")), item.get("name"))]
    headless = is_headless(service)
    if headless and isinstance(wanted, int) and not chosen:
        return (Port(wanted),)
    found: dict[Port, None] = {}
    declared = _Declared(pod)
    for item in chosen or listed:
        protocol = item.get("protocol")
        protocol = protocol if isinstance(protocol, str) else "TCP"
        own = number(item.get("port"))
        found.update(dict.fromkeys(_targets(item.get("targetPort"), item.get("port"), protocol, declared)))
        if headless and own is not None:
            found[Port(own, protocol)] = None
    listed_in = mapping(service.data.get("spec")).get("ports")
    if isinstance(listed_in, OpenList) and not listed_in.alike:
        found.update(dict.fromkeys(expressions(f"${{{listed_in.why}}}", "TCP")))
    return tuple(sorted(found, key=lambda port: port.order))


def expressions(written: Any, protocol: Any) -> Iterator[Port]:
    """The port that an expression says; none where ``written`` is none."""
    port = Port(str(written), str(protocol or "TCP"))
    if isinstance(written, str) and port.is_unknown:
        yield port


def _targets(target: Any, written: Any, protocol: str, declared: _Declared) -> Iterator[Port]:
    own = number(written)
    value = number(target) or (own if target in (None, "", 0) else None)
    if value is not None:
        yield Port(value, protocol)
    elif target in (None, "", 0):
        yield from expressions(written, protocol)
    elif isinstance(target, str):
        yield from declared.named(target, protocol)


def named_ports(pod: PodTemplate, name: str, protocol: str = "TCP") -> list[Port]:
    """The port that ``name`` means in ``pod``; itself where no container declares it."""
    return _Declared(pod).named(name, protocol)


class _Declared:
    """The ports that containers of ``pod`` declare, read once for all names that are asked for."""

    def __init__(self, pod: PodTemplate) -> None:
        self._pod = pod

    @cached_property
    def _numbers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for item in declared_ports(self._pod):
            name, value = item.get("name"), number(item.get("containerPort"))
            if isinstance(name, str) and value is not None:
                found.setdefault(name, []).append(value)
        return found

    def named(self, name: str, protocol: str) -> list[Port]:
        """As ``named_ports``."""
        return [Port(value, protocol) for value in self._numbers.get(name, ())] or [Port(name, protocol)]


def declared_ports(pod: PodTemplate) -> Iterator[dict[str, Any]]:
    """The ``ports`` of all containers of ``pod``, as written."""
    for container in (*mappings(pod.data.get("initContainers")), *mappings(pod.data.get("containers"))):
        yield from mappings(container.get("ports"))
    yield from mappings(mapping(pod.data.get("model")).get("ports"))
