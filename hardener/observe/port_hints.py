"""What a tree says of the ports of a pod: names of protocols, and paths that probes and Ingresses ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hardener.observe.probes import KINDS, port_of
from hardener.observe.questions import Hint, Path
from hardener.support.shapes import mapping, mappings

Map = dict[str, Any]


def hints(
    spec: Map, services: Mapping[str, Mapping[int, int]], objects: Iterable[Map], ingresses: Iterable[Map]
) -> dict[int, Hint]:
    """What is said of each port of the pod with ``spec``. ``services``: its ports behind those of each Service;
    ``objects`` are all Services."""
    found: dict[int, Hint] = {}
    for container in mappings(spec.get("containers")):
        for port in mappings(container.get("ports")):
            if isinstance(port.get("containerPort"), int):
                _hint(found, port["containerPort"]).names.add(str(port.get("name") or "").lower())
        for number, path in _of_probes(container):
            _hint(found, number).paths.append(path)
    for service in objects:
        targets = services.get(str(mapping(service.get("metadata")).get("name")), {})
        for port in mappings(mapping(service.get("spec")).get("ports")):
            if port.get("port") in targets:
                names = (port.get("appProtocol"), port.get("name"))
                _hint(found, targets[port["port"]]).names.update(str(name).lower() for name in names if name)
    for number, path in _of_ingresses(ingresses, services, objects):
        _hint(found, number).paths.append(path)
    return found


def _hint(found: dict[int, Hint], port: int) -> Hint:
    return found.setdefault(port, Hint())


def _of_probes(container: Map) -> Iterator[tuple[int, Path]]:
    for probe in (mapping(container.get(kind)) for kind in KINDS):
        asks = mapping(probe.get("httpGet"))
        port = port_of(asks.get("port"), container) if asks else None
        if port is not None:
            headers = tuple(
                (str(each.get("name")), str(each.get("value"))) for each in mappings(asks.get("httpHeaders"))
            )
            yield port, Path(str(asks.get("path") or "/"), "", headers)


def _of_ingresses(
    ingresses: Iterable[Map], services: Mapping[str, Mapping[int, int]], objects: Iterable[Map]
) -> Iterator[tuple[int, Path]]:
    """The ports of the pod to which an Ingress leads, and the paths that it leads there."""
    numbers = {
        (str(mapping(each.get("metadata")).get("name")), str(port.get("name"))): port.get("port")
        for each in objects
        for port in mappings(mapping(each.get("spec")).get("ports"))
    }
    for rule in (each for ingress in ingresses for each in mappings(mapping(ingress.get("spec")).get("rules"))):
        for path in mappings(mapping(rule.get("http")).get("paths")):
            service = mapping(mapping(path.get("backend")).get("service"))
            name, port = str(service.get("name")), mapping(service.get("port"))
            number = port.get("number") or numbers.get((name, str(port.get("name"))))
            target = services.get(name, {}).get(number) if isinstance(number, int) else None
            if target is not None and not str(rule.get("host") or "").startswith("*"):
                yield target, Path(_plain(str(path.get("path") or "/")), str(rule.get("host") or ""))


def _plain(path: str) -> str:
    """The begin of a path that may be a pattern."""
    for number, each in enumerate(path):
        if each in "(*[\\^$|?+":
            return path[:number].rstrip("/") or "/"
    return path
