"""What our NetworkPolicies have in common: options, label, file, name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, ClassVar

from hardener.errors import InputError
from hardener.facts.kustomize.free_names import Names
from hardener.facts.network.network_policies import MANAGED, Policy
from hardener.kubernetes.network.network_policy import Direction
from hardener.tree.core_views import Namespace, Object, View

ISOLATION_CHECKS = (
    "kube-linter:non-isolated-pod", "checkov:CKV2_K8S_6", "polaris:missingNetworkPolicy",
    "kubeaudit:allow-non-default-deny-ingress-network-policy", "kubeaudit:allow-non-default-deny-egress-network-policy",
    "kubescape:C-0030", "kubescape:C-0206", "kubescape:C-0260",
)  # fmt: skip
"""The checks of other scanners that ask for a policy around every pod."""
TOPIC = "networkpolicies"


@dataclass(frozen=True)
class NetworkPolicies:
    """What is closed.

    ``egress``: whether outgoing connections are closed, too. ``internet``: "allow" leaves addresses outside open
    since nothing proves that they are not needed, "deny" does not. ``orphans``: a Service that nothing in the tree
    names is open to its "same-namespace", or "closed". ``callers``: a workload of which nothing shows whom it calls
    ("silent") may call every Service of its namespace, or only connections that are "shown" are open.
    ``namespace_wide``: policies for all pods of a namespace, those of others included, are made where the tree
    shows all of them ("auto"), "always" or "never". ``prune_managed``: rules of our own policies go when nothing
    explains them. ``allow`` and ``api_server``: addresses (CIDR, separated by commas) that stay open where
    ``internet`` is "deny", to all and to clients of the Kubernetes API.
    """

    GROUP: ClassVar[str] = "network-policy"
    egress: bool = True
    internet: str = "allow"
    orphans: str = "same-namespace"
    callers: str = "silent"
    namespace_wide: str = "auto"
    prune_managed: bool = False
    allow: str = ""
    api_server: str = ""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("internet", self.internet, ("allow", "deny")),
            ("orphans", self.orphans, ("same-namespace", "closed")),
            ("callers", self.callers, ("silent", "shown")),
            ("namespace-wide", self.namespace_wide, ("auto", "always", "never")),
        ):
            if value not in known:
                raise InputError(f"network-policy.{name}: {value} is none of {', '.join(known)}")
        for name, text in (("allow", self.allow), ("api-server", self.api_server)):
            for block in blocks(text):
                try:
                    ip_network(block)
                except ValueError:
                    raise InputError(f"network-policy.{name}: {block} is no CIDR such as 10.0.0.0/16") from None


def blocks(text: str) -> list[str]:
    """Return the parts of a list that is separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def directions(options: NetworkPolicies) -> list[Direction]:
    """Return the directions that policies of this run close."""
    return ["ingress", "egress"] if options.egress else ["ingress"]


def types(closed: Iterable[Direction]) -> list[str]:
    """Return the `policyTypes` of what is ``closed``."""
    return [direction.capitalize() for direction in closed]


def opened(policy: Policy, asked: Iterable[Direction]) -> str:
    """Return in words what ``policy``, which lets everything through in some direction, does in those that are
    ``asked``."""
    words = {"ingress": "lets everybody in", "egress": "lets its pods connect to every pod and address"}
    found = []
    for direction in asked:
        if direction in policy.open:
            some = " of TCP" if policy.open[direction].ports is not None else ""
            found.append(f"{words[direction]} on every port{some}")
    return " and ".join(found)


def policy(name: str, namespace: str | None, spec: dict[str, Any]) -> dict[str, Any]:
    """Return a NetworkPolicy of ours; one without a namespace goes where the workload beside it goes."""
    metadata: dict[str, Any] = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    metadata["labels"] = dict([MANAGED])
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def free_name(view: View, name: str) -> str:
    """Return ``name``, or the next free one."""
    return view.tree.ask(Names).free("NetworkPolicy", name, view)


def of(namespace: Namespace) -> list[Object]:
    """Return the NetworkPolicies of a namespace, as read."""
    return [item for item in namespace.objects if (item.group, item.kind) == ("networking.k8s.io", "NetworkPolicy")]


def written(namespace: Namespace) -> str | None:
    """Return the name of a namespace beside its object: as it stands there, whatever kustomizations make of it."""
    return namespace.object.name if namespace.declared else namespace.name
