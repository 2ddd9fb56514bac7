"""Who calls a Service beside the pods of a tree: the API server, and what collects measurements.

Sources: the APIs admissionregistration.k8s.io/v1, apiregistration.k8s.io/v1, apiextensions.k8s.io/v1 (conversion),
monitoring.coreos.com/v1 (ServiceMonitor, PodMonitor), operator.victoriametrics.com and monitoring.googleapis.com, whose
monitors have the same shape; the annotations of the example configuration of Prometheus
(github.com/prometheus/prometheus, documentation/examples/prometheus-kubernetes.yml).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from hardener.kubernetes.network.ingress import Backend
from hardener.kubernetes.network.service_names import meanings
from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern
from hardener.support.shapes import mapping, mappings

_WEBHOOKS = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})
_HTTPS = 443  # the port of a webhook that names none
_PREFIXES = ("prometheus.io", "monitoring.io")
_PURPOSES = {"metrics": "metrics", "metric": "metrics", "webhook": "webhook", "webhooks": "webhook"}
_REFERENCES = frozenset({"service", "serviceRef", "serviceReference"})
_URL = late_pattern(
    r"[a-z][a-z0-9+.-]{0,20}://([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::(\d{1,5}))?(?:[/?]|$)"
)
_DEEPEST = 40
_TRUE = frozenset({"true", "True", "1", "yes"})

# (API group, kind) -> the key of its endpoints, and whether it selects Services or pods.
MONITORS: dict[tuple[str, str], tuple[str, bool]] = {
    ("monitoring.coreos.com", "ServiceMonitor"): ("endpoints", True),
    ("monitoring.coreos.com", "PodMonitor"): ("podMetricsEndpoints", False),
    ("operator.victoriametrics.com", "VMServiceScrape"): ("endpoints", True),
    ("operator.victoriametrics.com", "VMPodScrape"): ("podMetricsEndpoints", False),
    ("monitoring.googleapis.com", "PodMonitoring"): ("endpoints", False),
}


class Monitor(NamedTuple):
    """What a monitor selects: ``services`` or pods by ``selector``, in ``namespaces`` (None: in its own; an empty
    tuple: in all), and the ports that are read (a port name, or the number or name of a port of the pod)."""

    services: bool
    selector: dict[str, Any]
    namespaces: tuple[str, ...] | None
    ports: tuple[tuple[int | str | None, int | str | None], ...]


def purpose(name: object) -> str | None:
    """What the name of a port says who calls it: "metrics", "webhook", or None."""
    return _purpose(name) if isinstance(name, str) and len(name) < 64 else None


@lru_cache(maxsize=256)  # a tree calls its ports by few names
def _purpose(name: str) -> str | None:
    words = re.split(r"[^a-z0-9]+", name.lower())
    return next((_PURPOSES[word] for word in words if word in _PURPOSES), None)


def api_server_calls(kind: str, document: dict[str, Any]) -> Iterator[Backend]:
    """The Services that the API server calls because of an object: webhooks, aggregated APIs, conversions."""
    if kind in _WEBHOOKS:
        webhooks = document.get("webhooks")
        for index in range(len(webhooks) if isinstance(webhooks, list) else 0):
            yield from _named(document, ("webhooks", index, "clientConfig", "service"))
    elif kind == "APIService":
        yield from _named(document, ("spec", "service"))
    elif kind == "CustomResourceDefinition":
        for path in (("webhook", "clientConfig", "service"), ("webhookClientConfig", "service")):
            yield from _named(document, ("spec", "conversion", *path))


def _named(document: dict[str, Any], path: Path) -> Iterator[Backend]:
    value: Any = document
    for part in path:
        value = value[part] if isinstance(part, int) else mapping(value).get(part)
    service = mapping(value)
    if isinstance(service.get("name"), str):
        namespace, port = service.get("namespace"), service.get("port")
        plain = port if isinstance(port, int) and not isinstance(port, bool) else _HTTPS
        yield Backend(service["name"], namespace if isinstance(namespace, str) else None, plain, path)


def named_services(value: object, path: Path = ()) -> Iterator[Backend]:
    """The Services that the spec of a custom resource names: by a reference, or in a URL. A port is the number that is
    written, None where none is."""
    if len(path) > _DEEPEST:
        return
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield from named_services(child, (*path, index))
    for key, child in mapping(value).items():
        if key in _REFERENCES and isinstance(mapping(child).get("name"), str):
            namespace, port = child.get("namespace"), child.get("port")
            plain = port if isinstance(port, int) and not isinstance(port, bool) else None
            yield Backend(child["name"], namespace if isinstance(namespace, str) else None, plain, (*path, key))
        elif isinstance(child, str) and (match := _URL.match(child)) is not None:
            for name, space in meanings(match[1].lower()):
                yield Backend(name, space, int(match[2]) if match[2] else None, (*path, key))
        elif isinstance(child, dict | list):
            yield from named_services(child, (*path, key))


def monitor(group: str, kind: str, document: dict[str, Any]) -> Monitor | None:
    """What an object has measured; None for one that is no monitor."""
    known = MONITORS.get((group, kind))
    spec = document.get("spec")
    if known is None or not isinstance(spec, dict):
        return None
    key, services = known
    spaces = mapping(spec.get("namespaceSelector"))
    names = spaces.get("matchNames")
    namespaces: tuple[str, ...] | None = None
    if spaces.get("any") is True:
        namespaces = ()
    elif isinstance(names, list) and names:
        namespaces = tuple(str(name) for name in names)
    ports = tuple(
        (_port(item.get("port")), _port(item.get("targetPort")) or _port(item.get("portNumber")))
        for item in mappings(spec.get(key))
    )
    return Monitor(services, mapping(spec.get("selector")), namespaces, ports)


def is_scraped(annotations: dict[str, str]) -> bool:
    """Whether annotations ask Prometheus to read measurements."""
    return bool(annotations) and any([annotations.get(f"{prefix}/scrape") in _TRUE for prefix in _PREFIXES])


def scrape_port(annotations: dict[str, str]) -> int | None:
    """The port of the pod that the annotations name."""
    for prefix in _PREFIXES:
        value = annotations.get(f"{prefix}/port", "")
        if value.isdigit() and len(value) < 6 and 0 < int(value) < 65536:
            return int(value)
    return None


def _port(value: Any) -> int | str | None:
    return value if isinstance(value, int | str) and not isinstance(value, bool) and value else None
