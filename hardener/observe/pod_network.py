"""Who is where on the private network of an application: addresses of pods, and names of Services and pods for them.

Sources: kubernetes.io/docs/concepts/services-networking/dns-pod-service (names); pkg/kubelet/envvars (variables).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from hardener.observe.accepted import PROTOCOLS, is_host, is_namespace, is_port, is_port_name
from hardener.support.shapes import mapping, mappings

Map = dict[str, Any]
_PORT = re.compile(r"[0-9]{1,5}")
_MOST_PORTS = 256  # of one Service
_FIRST = 16  # addresses before are those of the engine
_NOBODY = 2  # where nothing answers: the API server is not there
_CLUSTER = "svc.cluster.local"


class PortForward(Struct, frozen=True):
    """A port of a Service that is another one of its pods, for each ``name`` of it."""

    port: int
    target: int


class Endpoint(Struct, eq=False):
    """Where one pod is: its ``address``, its ``names`` and the Services that lead to it, each with the port of the pod
    behind each port of its own. ``forwards`` are those that somebody has to carry; ``unreachable`` tells of what nobody
    can."""

    address: str
    names: list[str] = field(default_factory=list)
    services: dict[str, dict[int, int]] = field(default_factory=dict)
    forwards: list[PortForward] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)


class Pod(Struct, frozen=True, eq=False):
    """What the network has to know of a pod: a key of it, its kind and name, its labels and its spec."""

    key: str
    kind: str
    name: str
    labels: Map
    spec: Map
    service: str | None = None  # that governs a StatefulSet


class Network:
    """The endpoints of ``pods`` in ``subnet``, by the ``services`` (Service objects) of their ``namespace``."""

    def __init__(self, subnet: str, namespace: str, pods: Iterable[Pod], services: Iterable[Map]) -> None:
        hosts = ipaddress.ip_network(subnet)
        self.namespace = namespace
        self.api_server = str(hosts[_NOBODY])
        self.endpoints: dict[str, Endpoint] = {}
        self._services: list[tuple[str, str, list[Map], bool]] = []
        pods = list(pods)
        for number, pod in enumerate(pods):
            self.endpoints[pod.key] = Endpoint(str(hosts[_FIRST + number]))
        for service in services:
            spec = mapping(service.get("spec"))
            name = str(mapping(service.get("metadata")).get("name"))
            if not _is_accepted(name, spec):
                continue  # no cluster has it: its names would go into a file of hosts, and into variables
            wanted = mapping(spec.get("selector"))
            behind = [pod for pod in pods if wanted and wanted.items() <= pod.labels.items()]
            for pod in behind[:1]:  # one of them answers; with more, each is one of its endpoints
                self._join(self.endpoints[pod.key], pod, name, spec)
            if behind:
                headless = spec.get("clusterIP") == "None"
                self._services.append(
                    (name, self.endpoints[behind[0].key].address, mappings(spec.get("ports")), headless)
                )
        for pod in pods:
            if pod.service is not None and is_namespace(pod.service) and is_host(pod.name):
                self.endpoints[pod.key].names += _spellings(f"{pod.name}-0.{pod.service}", namespace)

    def _join(self, endpoint: Endpoint, pod: Pod, name: str, spec: Map) -> None:
        endpoint.names += _spellings(name, self.namespace)
        own = {port.get("containerPort") for port in _ports(pod.spec)}
        for port in mappings(spec.get("ports")):
            number = port["port"]
            target = _target(port, pod.spec)
            if target is None:
                endpoint.unreachable.append(
                    f"port {number} of Service/{name}: no container has its port {port.get('targetPort')}"
                )
                continue
            endpoint.services.setdefault(name, {})[number] = target
            if number == target or spec.get("clusterIP") == "None":
                continue
            if number in own or str(port.get("protocol", "TCP")) != "TCP":
                endpoint.unreachable.append(f"port {number} of Service/{name} cannot be carried to {target}")
            elif PortForward(number, target) not in endpoint.forwards:
                endpoint.forwards.append(PortForward(number, target))

    def hosts(self) -> Iterator[tuple[str, str]]:
        """Each name with its address."""
        for endpoint in self.endpoints.values():
            yield from ((name, endpoint.address) for name in dict.fromkeys(endpoint.names))

    def variables(self) -> dict[str, str]:
        """The variables of all Services, and of the API server."""
        found = _service_variables("KUBERNETES", self.api_server, [{"name": "https", "port": 443}])
        for name, address, ports, headless in self._services:
            if not headless:
                found |= _service_variables(name.upper().replace("-", "_"), address, ports)
        return found

    def api_variables(self) -> dict[str, str]:
        """The variables of the API server alone."""
        return _service_variables("KUBERNETES", self.api_server, [{"name": "https", "port": 443}])

    def key_at(self, address: str) -> str | None:
        """The key of the pod with ``address``."""
        return next((key for key, endpoint in self.endpoints.items() if endpoint.address == address), None)

    def called(self, key: str, port: int) -> str:
        """What somebody meant who connected to ``port`` of the pod ``key``: "Service/cache:6379", else "POD:PORT"."""
        for name, ports in self.endpoints[key].services.items():
            for number, target in ports.items():
                if port in (number, target):
                    return f"Service/{name}:{number}"
        return f"{key}:{port}"


def _is_accepted(name: str, spec: Map) -> bool:
    """Whether an API server takes a Service of this name with the ports of ``spec``."""
    ports = mappings(spec.get("ports"))
    return is_namespace(name) and len(ports) <= _MOST_PORTS and all(map(_is_port, ports))


def _is_port(port: Map) -> bool:
    name = port.get("name")
    return (
        is_port(port.get("port")) and (name is None or is_port_name(name)) and port.get("protocol", "TCP") in PROTOCOLS
    )


def _spellings(name: str, namespace: str) -> list[str]:
    return [name, f"{name}.{namespace}", f"{name}.{namespace}.svc", f"{name}.{namespace}.{_CLUSTER}"]


def _target(port: Map, spec: Map) -> int | None:
    target = port.get("targetPort") or port.get("port")
    if isinstance(target, int):
        return target
    if isinstance(target, str) and _PORT.fullmatch(target):
        return int(target)
    named = (each.get("containerPort") for each in _ports(spec) if each.get("name") == target)
    found = next(named, None)
    return found if isinstance(found, int) else None


def _ports(spec: Mapping[str, Any]) -> list[Map]:
    containers = [*mappings(spec.get("initContainers")), *mappings(spec.get("containers"))]
    return [port for container in containers for port in mappings(container.get("ports"))]


def _service_variables(name: str, address: str, ports: list[Map]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not ports:
        return found
    first = ports[0]
    found[f"{name}_SERVICE_HOST"] = address
    found[f"{name}_SERVICE_PORT"] = str(first["port"])
    for port in ports:
        if port.get("name"):
            found[f"{name}_SERVICE_PORT_{str(port['name']).upper().replace('-', '_')}"] = str(port["port"])
    for port in ports:
        protocol = str(port.get("protocol", "TCP"))
        url = f"{protocol.lower()}://{address}:{port['port']}"
        if port is first:
            found[f"{name}_PORT"] = url
        of_port = f"{name}_PORT_{port['port']}_{protocol.upper()}"
        found |= {
            of_port: url,
            f"{of_port}_PROTO": protocol.lower(),
            f"{of_port}_PORT": str(port["port"]),
            f"{of_port}_ADDR": address,
        }
    return found
