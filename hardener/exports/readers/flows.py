"""Who talked to whom: Hubble and Cilium, Calico, Inspektor Gadget's trace_tcp, ClientIntents of Otterize."""

from __future__ import annotations

from typing import Any

from hardener.exports.collector import Collector, into_deployment
from hardener.exports.model import Workload
from hardener.exports.shapes import at, entries, mapping, number, text, texts

# AUDIT: a policy would refuse it and does not yet; REDIRECTED: to a proxy, which lets it through or not.
_LET_THROUGH = frozenset({"FORWARDED", "AUDIT", "REDIRECTED"})
# The node of a pod itself, whose probes no policy refuses, and the probes of Cilium.
_NODE = frozenset({"reserved:host", "reserved:health"})


def is_flow(document: dict[str, Any]) -> bool:
    """Whether it is a line of ``hubble observe -o jsonpb``, with or without the envelope."""
    flow = _flow(document)
    return isinstance(flow.get("source"), dict) and isinstance(flow.get("destination"), dict) and "verdict" in flow


def _flow(document: dict[str, Any]) -> dict[str, Any]:
    found = document.get("flow")
    return found if isinstance(found, dict) else document


def read_flow(document: dict[str, Any], into: Collector) -> None:
    """A flow of Hubble that was let through. Source: cilium/cilium api/v1/flow/flow.proto, 1.18.

    Of an answer the other side is who called; without ``is_reply`` that is not known, but of the packet that opens a
    connection.
    """
    flow = _flow(document)
    is_answer = _is_answer(flow)
    if text(flow, "verdict") not in _LET_THROUGH or is_answer is None:
        return
    port, protocol = _port(mapping(flow, "l4"), answer=is_answer)
    if port is None:
        return
    sides = [mapping(flow, "source"), mapping(flow, "destination")]
    caller, called = reversed(sides) if is_answer else sides
    if _NODE.isdisjoint(texts(caller, "labels")):
        key = into.source("Hubble", text(flow, "time"))
        into.put_peer(_endpoint(caller), _endpoint(called), port, protocol, key)


def _is_answer(flow: dict[str, Any]) -> bool | None:
    said = flow.get("is_reply")
    if isinstance(said, bool):
        return said
    flags = mapping(flow, "l4", "TCP", "flags")
    return False if flags.get("SYN") is True and flags.get("ACK") is not True else None


def _port(layer: dict[str, Any], *, answer: bool) -> tuple[int | None, str]:
    for protocol in ("TCP", "UDP", "SCTP"):
        found = mapping(layer, protocol)
        if found:
            return number(found.get("source_port" if answer else "destination_port")), protocol
    return None, ""


def _endpoint(side: dict[str, Any]) -> Workload | None:
    namespace, pod = text(side, "namespace"), text(side, "pod_name")
    if not namespace or not pod:
        return None
    for owner in entries(side, "workloads"):
        if text(owner, "name"):  # of the pod itself nothing is kept: a log may show more pods than memory holds
            return Workload(text(owner, "kind"), namespace, text(owner, "name"))
    return Workload("Pod", namespace, pod)


def is_calico(document: dict[str, Any]) -> bool:
    """Whether it is a flow log of Calico."""
    return {"source_type", "dest_type", "action", "dest_port"} <= document.keys()


def read_calico(document: dict[str, Any], into: Collector) -> None:
    """A flow log of Calico. Source: docs.tigera.io/calico/latest/observability/elastic/flow/datatypes: ``wep`` is a
    pod, its ``name_aggr`` ends with ``*`` for what a controller made."""
    if text(document, "action") != "allow":
        return
    key = into.source("Calico", text(document, "start_time"), text(document, "end_time"))
    source, target = (_calico_side(document, side) for side in ("source", "dest"))
    into.put_peer(source, target, number(document.get("dest_port")) or 0, text(document, "proto"), key)


def _calico_side(document: dict[str, Any], side: str) -> Workload | None:
    if text(document, f"{side}_type") != "wep":
        return None
    namespace, name = text(document, f"{side}_namespace"), text(document, f"{side}_name")
    together = text(document, f"{side}_name_aggr")
    if together.endswith("-*"):  # without the part that differs in each pod
        stem = together.removesuffix("-*")
        made = into_deployment(stem)
        return Workload("Deployment", namespace, made) if made else Workload("", namespace, stem)
    return Workload("Pod", namespace, name if name != "-" else together)


def is_connection(document: dict[str, Any]) -> bool:
    """Whether it is a line of ``trace_tcp`` or ``trace_tcpconnect`` of Inspektor Gadget."""
    return isinstance(at(document, "dst", "k8s"), dict) and text(document, "type") in ("connect", "")


def read_connection(document: dict[str, Any], into: Collector) -> None:
    """A connection that a container opened. Source: inspektor-gadget 0.30 on, gadgets/trace_tcp."""
    where, there = mapping(document, "k8s"), mapping(document, "dst", "k8s")
    source = Workload("Pod", text(where, "namespace"), text(where, "podName"))
    if not source.name or text(document, "error"):
        return
    key = into.source("Inspektor Gadget", text(document, "timestamp"))
    port = number(at(document, "dst", "port")) or 0
    if text(there, "kind") == "svc":
        target: Workload | None = Workload("Service", text(there, "namespace"), text(there, "name"))
    elif text(there, "name"):
        target = Workload("Pod", text(there, "namespace"), text(there, "name"))
    else:
        target = None
    into.put_peer(source, target, port, "TCP", key)


def read_intents(item: dict[str, Any], into: Collector) -> None:
    """ClientIntents. Source: otterize/intents-operator src/operator/api (v1alpha3 ``service``/``calls``, v2
    ``workload``/``targets``)."""
    namespace = text(item, "metadata", "namespace") or "default"
    spec = mapping(item, "spec")
    caller = mapping(spec, "workload") or mapping(spec, "service")
    if not text(caller, "name"):
        return
    source = Workload(text(caller, "kind"), namespace, text(caller, "name"))
    key = into.source("ClientIntents", text(item, "metadata", "creationTimestamp"))
    for target in (*entries(spec, "targets"), *entries(spec, "calls")):
        named = mapping(target, "kubernetes") or mapping(target, "service") or target
        name, _, other = text(named, "name").partition(".")
        if name and not set(texts(target, "type")) & {"internet"}:
            into.put_peer(source, Workload(text(named, "kind"), other or namespace, name), 0, "", key)
