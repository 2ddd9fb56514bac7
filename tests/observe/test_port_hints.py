"""What a tree says of the ports of a pod."""

from __future__ import annotations

from typing import Any

from hardener.observe.port_hints import hints
from hardener.observe.questions import Path

Map = dict[str, Any]
CONTAINER: Map = {
    "name": "web",
    "ports": [{"containerPort": 8080, "name": "web"}, {"containerPort": 9090, "name": "metrics"}],
    "readinessProbe": {"httpGet": {"path": "/ready", "port": "web", "httpHeaders": [{"name": "X-A", "value": "b"}]}},
    "livenessProbe": {"tcpSocket": {"port": 8080}},
}
SERVICE: Map = {
    "metadata": {"name": "shop"},
    "spec": {
        "ports": [{"port": 80, "name": "front", "appProtocol": "HTTP"}, {"port": 5432, "appProtocol": "postgresql"}]
    },
}


def ingress(*paths: Map, host: str = "shop.example") -> Map:
    return {"spec": {"rules": [{"host": host, "http": {"paths": list(paths)}}]}}


def leads(path: str, port: Map) -> Map:
    return {"path": path, "backend": {"service": {"name": "shop", "port": port}}}


def test_names_and_paths_of_each_port() -> None:
    rules = [
        ingress(leads("/cart", {"number": 80}), leads("/api(/|$)(.*)", {"name": "front"}), leads("/x", {"number": 81})),
        ingress(leads("/any", {"number": 80}), host="*.example"),
    ]
    found = hints({"containers": [CONTAINER]}, {"shop": {80: 8080, 5432: 5432}}, [SERVICE], rules)
    assert {port: hint.names for port, hint in found.items()} == {
        8080: {"web", "front", "http"}, 9090: {"metrics"}, 5432: {"postgresql"},
    }  # fmt: skip
    assert found[8080].paths == [
        Path("/ready", "", (("X-A", "b"),)), Path("/cart", "shop.example"), Path("/api", "shop.example"),
    ]  # fmt: skip
    assert found[9090].paths == []


def test_nothing_is_said_of_what_nothing_names() -> None:
    assert hints({"containers": [{"name": "web"}]}, {}, [SERVICE], [ingress(leads("/", {"number": 80}))]) == {}
