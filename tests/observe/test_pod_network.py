"""Names, addresses and ports of the private network are those that a cluster would give."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.observe.pod_network import Network, Pod, PortForward

Map = dict[str, Any]
SUBNET = "10.120.0.0/20"


def pod(name: str, *ports: Map, kind: str = "Deployment", service: str | None = None, **labels: Any) -> Pod:
    spec = {"containers": [{"name": "main", "ports": list(ports)}]}
    return Pod(f"{kind}/{name}", kind, name, {"app": name} | labels, spec, service)


def service(name: str, *ports: Map, selector: Any = None, **more: Any) -> Map:
    spec = {"selector": {"app": name} if selector is None else selector, "ports": list(ports)} | more
    return {"metadata": {"name": name}, "spec": spec}


def network(pods: list[Pod], *services: Map) -> Network:
    return Network(SUBNET, "shop", pods, services)


def names(found: Network) -> list[str]:
    return [name for name, _ in found.hosts()]


def test_names_of_a_service() -> None:
    found = network([pod("web"), pod("cache")], service("cache", {"port": 6379}))
    address = found.endpoints["Deployment/cache"].address
    assert list(found.hosts()) == [
        ("cache", address), ("cache.shop", address), ("cache.shop.svc", address),
        ("cache.shop.svc.cluster.local", address),
    ]  # fmt: skip
    assert found.key_at(address) == "Deployment/cache"
    assert found.key_at("10.120.15.200") is None


def test_names_of_the_pod_of_a_stateful_set() -> None:
    found = network([pod("db", kind="StatefulSet", service="data")], service("data", selector={"app": "db"}))
    assert "data" in names(found) and "db-0.data.shop.svc.cluster.local" in names(found)
    assert "db-0" not in names(found)


def test_several_services_lead_to_a_pod() -> None:
    found = network(
        [pod("web")], service("web", {"port": 80}),
        service("other", {"port": 81, "targetPort": 80}, selector={"app": "web"}),
    )  # fmt: skip
    assert found.endpoints["Deployment/web"].services == {"web": {80: 80}, "other": {81: 80}}
    assert {"web", "other"} <= set(names(found))


def test_many_pods_have_an_address_each() -> None:
    found = network([pod(f"p{number}") for number in range(600)])
    assert len({endpoint.address for endpoint in found.endpoints.values()}) == 600


NAMED = {"name": "http", "containerPort": 8080}
PORTS: dict[str, tuple[list[Map], Map, dict[int, int], list[PortForward], list[str]]] = {
    "same": ([], {"port": 80}, {80: 80}, [], []),
    "target is null": ([], {"port": 80, "targetPort": None}, {80: 80}, [], []),
    "another": ([], {"port": 80, "targetPort": 8080}, {80: 8080}, [PortForward(80, 8080)], []),
    "as text": ([], {"port": 80, "targetPort": "8080"}, {80: 8080}, [PortForward(80, 8080)], []),
    "named": ([NAMED], {"port": 80, "targetPort": "http"}, {80: 8080}, [PortForward(80, 8080)], []),
    "named, not there": (
        [NAMED], {"port": 80, "targetPort": "web"}, {}, [], ["port 80 of Service/web: no container has its port web"],
    ),
    "taken": (
        [{"containerPort": 80}, NAMED], {"port": 80, "targetPort": "http"}, {80: 8080}, [],
        ["port 80 of Service/web cannot be carried to 8080"],
    ),
    "udp": (
        [], {"port": 53, "targetPort": 5353, "protocol": "UDP"}, {53: 5353}, [],
        ["port 53 of Service/web cannot be carried to 5353"],
    ),
    "no number": ([], {"port": "80"}, {}, [], []),
}  # fmt: skip


@pytest.mark.parametrize(("own", "port", "led", "carried", "lost"), PORTS.values(), ids=PORTS)
def test_ports(own: list[Map], port: Map, led: dict[int, int], carried: list[PortForward], lost: list[str]) -> None:
    endpoint = network([pod("web", *own)], service("web", port)).endpoints["Deployment/web"]
    assert endpoint.services.get("web", {}) == led
    assert (endpoint.forwards, endpoint.unreachable) == (carried, lost)


def test_a_headless_service_carries_nothing() -> None:
    found = network([pod("web")], service("web", {"port": 80, "targetPort": 8080}, clusterIP="None"))
    assert found.endpoints["Deployment/web"].forwards == []
    assert found.variables() == found.api_variables()


@pytest.mark.parametrize("selector", [{}, {"app": "web", "tier": "x"}, {"app": "Web"}, "web", {"app": ["web"]}])
def test_a_service_that_selects_nobody(selector: Any) -> None:
    found = network([pod("web")], service("web", {"port": 80}, selector=selector))
    assert names(found) == []
    assert "WEB_SERVICE_HOST" not in found.variables()


def test_variables() -> None:
    found = network(
        [pod("my-cache")], service("my-cache", {"name": "re-dis", "port": 6379}, {"port": 53, "protocol": "UDP"})
    )
    at = found.endpoints["Deployment/my-cache"].address
    assert {name: value for name, value in found.variables().items() if name.startswith("MY_")} == {
        "MY_CACHE_SERVICE_HOST": at,
        "MY_CACHE_SERVICE_PORT": "6379",
        "MY_CACHE_SERVICE_PORT_RE_DIS": "6379",
        "MY_CACHE_PORT": f"tcp://{at}:6379",
        "MY_CACHE_PORT_6379_TCP": f"tcp://{at}:6379",
        "MY_CACHE_PORT_6379_TCP_PROTO": "tcp",
        "MY_CACHE_PORT_6379_TCP_PORT": "6379",
        "MY_CACHE_PORT_6379_TCP_ADDR": at,
        "MY_CACHE_PORT_53_UDP": f"udp://{at}:53",
        "MY_CACHE_PORT_53_UDP_PROTO": "udp",
        "MY_CACHE_PORT_53_UDP_PORT": "53",
        "MY_CACHE_PORT_53_UDP_ADDR": at,
    }
    assert found.api_variables()["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
    assert found.api_variables()["KUBERNETES_SERVICE_HOST"] == found.api_server == "10.120.0.2"


@pytest.mark.parametrize(
    ("port", "called"), [(80, "Service/web:80"), (8080, "Service/web:80"), (9, "Deployment/web:9")]
)
def test_what_a_connection_was_meant_for(port: int, called: str) -> None:
    found = network([pod("web")], service("web", {"port": 80, "targetPort": 8080}))
    assert found.called("Deployment/web", port) == called


def test_shapes_that_are_none() -> None:
    odd: list[Map] = [{"metadata": None, "spec": []}, {"spec": {"selector": {"app": "web"}, "ports": {"port": 1}}}, {}]
    assert network([pod("web")], *odd).variables()
