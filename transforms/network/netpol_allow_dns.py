"""K05: names are still resolved where everything else is closed."""

from __future__ import annotations

from hardener.authoring.edits import Basis, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.network.network_policies import Isolation
from hardener.tree.core_views import Namespace

from ._dns import cluster_dns
from ._policies import ISOLATION_CHECKS, TOPIC, NetworkPolicies, free_name, of, policy, written


@transform(
    each=Namespace, stage="network", severity=Severity.MEDIUM, options=NetworkPolicies, absence=True,
    after=("netpol-default-deny",),
    peers=ISOLATION_CHECKS,
)  # fmt: skip
def netpol_allow_dns(namespace: Namespace, options: NetworkPolicies) -> Steps:
    """Allow DNS in a closed namespace.

    Problem: the namespace is closed, and no policy allows DNS.

    Result: Pods of the namespace can ask the DNS of the cluster.

    Why: without it, a default deny stops every connection to a host name, which is nearly every connection.

    May break: nothing that worked under the default deny; a DNS server elsewhere needs its own rule.
    """
    # A policy for egress closes it by itself, so it may only stand beside one that does so anyway.
    if "netpol-default-deny" not in namespace.changed_by or not options.egress:
        return
    isolation = namespace.tree.ask(Isolation)
    there = [item for item in of(namespace) if item.name.startswith("allow-dns")]
    if isolation.comes_with(namespace.object, there):
        return
    peers, ports = cluster_dns(namespace.tree)
    spec = {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"to": peers, "ports": [{"protocol": port.protocol, "port": port.port} for port in ports]}],
    }
    value = policy(free_name(namespace, "allow-dns"), written(namespace), spec)
    why = namespace.fact("default-deny-all closes outgoing connections")
    yield namespace.create(TOPIC, value, **verdict(why=[why], effect=Effect.WATCHED, basis=Basis.PROVED).words)
