from __future__ import annotations

from typing import Any

from hardener.authoring.edits import Edit, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.cluster.cloud_nodes import reads_metadata
from hardener.facts.cluster.platforms import Platforms
from hardener.facts.network.network_policies import Isolation
from hardener.support.data_path import Path
from hardener.tree.core_views import NetworkPolicy
from hardener.tree.view import View

_ADDRESSES = {"0.0.0.0/0": "169.254.169.254/32", "::/0": "fd00:ec2::254/128"}
_LEFT_OUT = {"0.0.0.0/0": ["169.254.169.254/32"], "::/0": ["fd00:ec2::254/128", "fd20:ce::254/128"]}
_HELD = {
    "0.0.0.0/0": frozenset({"169.254.169.254/32", "169.254.0.0/16", "169.254.169.0/24"}),
    "::/0": frozenset({"fd00:ec2::254/128", "fd00:ec2::/32", "fc00::/7", "fd00::/8"}),
}


@transform(each=NetworkPolicy, stage="cloud", severity=Severity.HIGH)
def netpol_metadata_block(policy: NetworkPolicy) -> Steps:
    """Block the cloud metadata service.

    Problem: the NetworkPolicy lets pods reach the metadata service of the cloud.

    Result: Pods cannot reach the metadata service of the cloud.

    Why: pods have no reason to reach the metadata address unless the platform serves them identity there. A rule
    without peers ({} or only ports) opens it, too; harden adds the peers that it implies: every pod, and every address
    except this one.

    May break: pods that use the role of their node lose it; policies do not apply to pods with hostNetwork. The address
    of EKS Pod Identity (169.254.170.23) stays open. With Cilium an address in a rule matches neither nodes nor the API
    server; a rule without peers matches them.
    """
    blocks, rules = _open_blocks(policy), _open_rules(policy)
    if not blocks and not rules:
        return
    served = _served(policy)
    if served is not None:
        message = f"pods can reach the metadata address of the cloud, and may need it: {served.text}"
        to_do = (
            "GKE serves the identity of workloads there; check that workload identity is on (GKE_METADATA). On AWS and "
            "Azure give the pods an identity of their own"
        )
        yield policy.finding(message, *(*blocks, *rules)[0], advice=to_do, severity=Severity.LOW)
        return
    edits: list[Edit] = []
    for path in blocks:
        value = _ADDRESSES[str(policy.get(*path, "cidr"))]
        holds = Evidence(f"{policy.get(*path, 'cidr')} holds the metadata address")
        found = verdict(why=[holds], effect=Effect.WATCHED)
        edits.append(policy.append(*path, "except", value=value, **found.words))
    cilium = policy.tree.ask(Isolation).cilium if rules else None
    if cilium is not None:
        text = (
            f"a rule that names nobody opens the metadata address of the cloud, and {cilium} is a sign of Cilium, "
            "where no address in a rule means a node or the API server"
        )
        advice = "deny it in a CiliumNetworkPolicy: egressDeny: [{toCIDR: [169.254.169.254/32]}]"
        yield policy.finding(text, *rules[0], advice=advice, severity=Severity.MEDIUM)
    for path in rules if cilium is None else ():
        opens = policy.fact("a rule without peers opens every address, also the metadata address", *path)
        found = verdict(why=[opens], effect=Effect.WATCHED)
        edits.append(policy.set(*path, "to", to=_everybody_else(), **found.words))
    yield from edits


def _open_blocks(policy: NetworkPolicy) -> list[Path]:
    """Where an ``ipBlock`` of egress holds the metadata address on the port of HTTP."""
    found: list[Path] = []
    for number, rule in enumerate(policy.items("spec", "egress")):
        if not _reaches_http(rule):
            continue
        for index, peer in enumerate(rule.items("to")):
            cidr = peer.get("ipBlock", "cidr")
            if cidr in _ADDRESSES and not _HELD[str(cidr)] & set(peer.strings("ipBlock", "except")):
                found.append(("spec", "egress", number, "to", index, "ipBlock"))
    return found


def _open_rules(policy: NetworkPolicy) -> list[Path]:
    """The rules of egress that name no peer, and so mean the metadata address, too."""
    known = policy.tree.ask(Isolation).by_object.get(policy.object)
    if known is None or not known.legal or "egress" not in known.directions:
        return []
    rules = enumerate(policy.items("spec", "egress"))
    return [("spec", "egress", number) for number, rule in rules if not rule.items("to") and _reaches_http(rule)]


def _everybody_else() -> list[dict[str, Any]]:
    """The peers that stand for all but the metadata addresses. Every pod is named by itself, since a block of all
    addresses means none with some network plugins; IPv6 stays as open as it was."""
    blocks = ({"cidr": cidr, "except": [*addresses]} for cidr, addresses in _LEFT_OUT.items())
    return [{"namespaceSelector": {}}, *({"ipBlock": block} for block in blocks)]


def _reaches_http(rule: View) -> bool:
    ports = rule.items("ports")
    return not ports or any(_is_http(port) for port in ports)


def _is_http(port: View) -> bool:
    number, last = port.get("port"), port.get("endPort")
    if port.get("protocol") not in (None, "TCP"):
        return False
    if not isinstance(number, int):
        return number is None  # a named port is one of pods
    return number <= 80 <= (last if isinstance(last, int) else number)


def _served(policy: NetworkPolicy) -> Evidence | None:
    """Why a pod of the policy, or all of the tree, gets its identity at the metadata address."""
    isolation = policy.tree.ask(Isolation)
    for pod in policy.tree.pod_templates:
        if any(found.object is policy.object for found in isolation.selecting(pod)):
            why = isolation.identities.gke(pod) or reads_metadata(pod)
            if why is not None:
                return why
    sign = policy.tree.ask(Platforms).signs.get("GKE")
    return Evidence(f"{sign} is for GKE") if sign is not None else None
