from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.declare import Steps, transform
from hardener.edits import Basis, Edit, Evidence, Finding, Grade, Severity
from hardener.kubernetes.component import (
    DATA_PORTS,
    is_data_store,
    is_ingress_or_gateway,
    says_external,
    sensitive_component,
)
from hardener.views import Container, PodTemplate, Service, View

EXPOSE = "hardener.dev/expose"

# Fields that the API server refuses, or that mean nothing, on a Service of type ClusterIP.
_FIELDS = (
    "loadBalancerClass", "loadBalancerSourceRanges", "loadBalancerIP", "allocateLoadBalancerNodePorts",
    "healthCheckNodePort",
)  # fmt: skip
# Annotations by which a provider or an address announcer makes the load balancer. One of them, with the source ranges,
# the API server refuses on a ClusterIP Service.
_LOAD_BALANCER = re.compile(
    r"load-?balancer|/l4-rbs$|^metallb\.(universe\.tf|io)/|^(io\.cilium/lb-|lbipam\.cilium\.io/)", re.I
)
_STATIC_ADDRESS = re.compile(r"eip-allocations|static-ip|azure-pip|ip-addresses", re.I)
_DNS = re.compile(r"^external-dns\.|azure-dns-label|^dns\.|/dns-?name$", re.I)


@transform(each=Service, stage="exposure", severity=Severity.CRITICAL, absence=True)
def service_cluster_ip(service: Service) -> Steps:
    """Administration and data components are reachable inside the cluster only.

    Why: a dashboard, a database or a queue on a public address is found by scanners within hours, and its login is
    then all that stands between the internet and the cluster; `kubectl port-forward` reaches it as well.

    May break: whoever dials the load balancer or the node port loses the way in, its address is released, and a
    revert brings a new one.
    """
    kind = service.get("spec", "type")
    if service.strings("spec", "externalIPs"):
        yield service.finding(
            "externalIPs let whoever may write Services take over traffic to any address (CVE-2020-8554)",
            "spec", "externalIPs",
            advice="announce the address with a load balancer, and remove externalIPs",
        )  # fmt: skip
    if kind not in ("LoadBalancer", "NodePort"):
        return
    pods = service.tree.relations.selected_pods(service)
    sensitive = _administration(service, pods) or _data(service, pods)
    deliberate = list(_deliberate(service, pods))
    if sensitive is None:
        yield _left_open(service, kind, deliberate)
        return
    # What exposes it on purpose is evidence; that the component is one for insiders remains true.
    grade = Grade.BREAKING if deliberate else Grade.REVIEW
    yield service.set(
        "spec", "type", to="ClusterIP", grade=grade, basis=Basis.INFERRED, evidence=[sensitive, *deliberate],
        impact="address-released" if kind == "LoadBalancer" else None,
    )  # fmt: skip
    yield from _clean(service, grade, [Evidence("a ClusterIP Service has no such field")])


def _administration(service: Service, pods: list[PodTemplate]) -> Evidence | None:
    for pod in pods:
        for container in _serving(service, pod):
            image = container.image
            if (container.row and container.row.sensitive) or (image and sensitive_component([image.repository])):
                return container.fact("the image is that of an administration interface", "image")
        if component := sensitive_component([pod.object.name]):
            return pod.object.fact(f"the workload is {component} by its name", "metadata", "name")
    component = sensitive_component([service.object.name])
    return service.fact(f"the Service is {component} by its name", "metadata", "name") if component else None


def _data(service: Service, pods: list[PodTemplate]) -> Evidence | None:
    for pod in pods:
        for container in _serving(service, pod):
            if container.image and is_data_store(container.image.repository):
                return container.fact(f"{container.image.name} is a data store", "image")
    for index, port in enumerate(service.items("spec", "ports")):
        for number in sorted(DATA_PORTS & _numbers(port, pods)):
            return service.fact(f"port {number} is that of a data store", "spec", "ports", index)
    if is_data_store(service.object.name):
        return service.fact("the Service is a data store by its name", "metadata", "name")
    return None


def _serving(service: Service, pod: PodTemplate) -> list[Container]:
    """The containers behind the ports of the Service; what runs beside them says nothing about it."""
    containers = [container for container in pod.containers if not container.init]
    targets = {_target(port) for port in service.items("spec", "ports")}
    serving = [
        container
        for container in containers
        if any(targets & {port.get("containerPort"), port.get("name")} for port in container.items("ports"))
    ]
    return serving or (containers if len(containers) == 1 else [])


def _target(port: View) -> object:
    return port.get("targetPort") if port.has("targetPort") else port.get("port")


def _numbers(port: View, pods: list[PodTemplate]) -> set[object]:
    """The numbers that a port of the Service goes by, outside and in its pods."""
    target = _target(port)
    ports = [port for pod in pods for container in pod.containers for port in container.items("ports")]
    return {port.get("port"), target, *(p.get("containerPort") for p in ports if p.get("name") == target)}


def _deliberate(service: Service, pods: list[PodTemplate]) -> Iterator[Evidence]:
    """The signs that somebody exposed the Service on purpose (DECISIONS 2.5)."""
    for field in ("loadBalancerClass", "loadBalancerSourceRanges", "loadBalancerIP", "externalIPs"):
        if service.has("spec", field):
            yield service.fact(f"{field} is set", "spec", field)
    for key in service.keys("metadata", "annotations"):
        if key == EXPOSE and (service.text("metadata", "annotations", key) or "").strip():
            yield service.fact(f"annotation {EXPOSE} asks for it", "metadata", "annotations", key)
        elif _LOAD_BALANCER.search(key) or _STATIC_ADDRESS.search(key) or _DNS.search(key):
            yield service.fact(f"annotation {key} shapes its way in", "metadata", "annotations", key)
    for index, port in enumerate(service.items("spec", "ports")):
        if port.has("nodePort"):
            yield service.fact("a node port is fixed", "spec", "ports", index, "nodePort")
    if says_external(service.object.name):
        yield service.fact("its name says that it is for the outside", "metadata", "name")
    for pod in pods:
        names = [pod.object.name, *(c.image.repository for c in pod.containers if c.image and c.image.repository)]
        if any(is_ingress_or_gateway(name) for name in names):
            yield pod.object.fact("an ingress controller or gateway", "metadata", "name")
    if service.get("spec", "type") == "NodePort":
        for ingress in service.tree.relations.ingresses_of(service.object):
            if _needs_node_port(ingress.annotations, ingress.text("spec", "ingressClassName"), service):
                yield ingress.fact("its Ingress class sends traffic to node ports", "metadata", "name")


def _needs_node_port(annotations: dict[str, str], name: str | None, service: Service) -> bool:
    kind = name or annotations.get("kubernetes.io/ingress.class") or ""
    if kind.startswith("gce"):
        return not service.has("metadata", "annotations", "cloud.google.com/neg")
    return kind == "alb" and annotations.get("alb.ingress.kubernetes.io/target-type", "instance") == "instance"


def _clean(service: Service, grade: Grade, evidence: list[Evidence]) -> Iterator[Edit]:
    for field in _FIELDS:
        if service.has("spec", field):
            yield service.drop("spec", field, grade=grade, basis=Basis.PROVED, evidence=evidence)
    # The policy may stay, and means something, only while there are external addresses.
    if service.has("spec", "externalTrafficPolicy") and not service.strings("spec", "externalIPs"):
        yield service.drop("spec", "externalTrafficPolicy", grade=grade, basis=Basis.PROVED, evidence=evidence)
    for index, port in enumerate(service.items("spec", "ports")):
        if port.has("nodePort"):
            yield service.drop("spec", "ports", index, "nodePort", grade=grade, basis=Basis.PROVED, evidence=evidence)
    keys = service.keys("metadata", "annotations")
    gone = [key for key in keys if _LOAD_BALANCER.search(key)]
    evidence = [Evidence("a ClusterIP Service has no load balancer to shape")]
    if gone and len(gone) == len(keys):
        yield service.drop("metadata", "annotations", grade=grade, basis=Basis.PROVED, evidence=evidence)
        return
    for key in gone:
        yield service.drop("metadata", "annotations", key, grade=grade, basis=Basis.PROVED, evidence=evidence)


def _left_open(service: Service, kind: str, deliberate: list[Evidence]) -> Finding:
    if deliberate:
        message = f"type {kind} opens it to the outside, on purpose as it seems: {deliberate[0].text}"
        return service.finding(
            message, "spec", "type", severity=Severity.LOW,
            advice="see that it is meant for everybody who can reach it, and serves TLS",
        )  # fmt: skip
    return service.finding(
        f"type {kind} opens it to the outside of the cluster", "spec", "type",
        advice="set type: ClusterIP if only the cluster needs it; else put an Ingress with TLS before it, or narrow it "
        "with loadBalancerSourceRanges or an internal load balancer",
    )  # fmt: skip
