from __future__ import annotations

from collections.abc import Iterator

from hardener.declare import Steps, transform
from hardener.edits import Basis, Edit, Evidence, Grade
from hardener.kubernetes.component import is_ingress_or_gateway
from hardener.views import Container, Object, View

# Agents that the applications of a node find at the node's address.
_AT_THE_NODE = ("statsd", "jaeger-agent", "datadog", "telegraf", "fluent", "opentelemetry-collector", "syslog")


@transform(
    each=Container, stage="host", pss="baseline", cis="5.2.13", classes=("node-agent",), after=("no-host-network",)
)
def no_host_port(container: Container) -> Steps:
    """A port is reached through a Service, not at the address of the node.

    Why: a host port opens the container on every address of its node, past Services, and often past network policies.

    May break: clients that call a node's address and this port no longer find it.
    """
    if container.pod.get("hostNetwork") is True:
        return  # there every port is the node's, whatever is written
    services = container.tree.relations.services_of(container.pod)
    for port in container.items("ports"):
        if not port.get("hostPort"):
            continue
        against = list(_against(container))
        service = next((item for item in services if _serves(item, port)), None)
        if service is None:
            against.append(Evidence("no Service leads to it, so the host port may be the only way in"))
        if against:
            yield list(_without(port, Grade.BREAKING, against))
        elif service is not None:
            yield from _without(port, Grade.REVIEW, [service.fact(f"{service} leads to it", "spec", "ports")])


def _without(port: View, grade: Grade, evidence: list[Evidence]) -> Iterator[Edit]:
    for key in ("hostPort", "hostIP"):
        if port.has(key):
            yield port.drop(key, grade=grade, basis=Basis.INFERRED, evidence=evidence)


def _against(container: Container) -> Iterator[Evidence]:
    pod = container.pod
    if sign := pod.classes.get("node-agent"):
        yield Evidence(f"an agent of the node: {sign}")
    elif pod.kind == "DaemonSet":
        yield Evidence("a DaemonSet answers at every node's address")
    repository = (container.image.repository if container.image else None) or ""
    if is_ingress_or_gateway(repository):
        yield container.fact("its image is an ingress controller or gateway", "image")
    elif any(name in repository for name in _AT_THE_NODE):
        yield container.fact("applications find such an agent at the address of their node", "image")


def _serves(service: Object, port: View) -> bool:
    meant = {port.get("containerPort"), port.text("name")} - {None}
    for item in service.items("spec", "ports"):
        target = item.get("targetPort")
        if (item.get("port") if target is None else target) in meant:
            return True
    return False
