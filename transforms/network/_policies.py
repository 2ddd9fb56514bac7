"""What the NetworkPolicies of a namespace have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from hardener.views import Namespace, Object

MANAGED = {"app.kubernetes.io/managed-by": "harden"}
TOPIC = "networkpolicies"


@dataclass(frozen=True)
class NetworkPolicies:
    """``egress``: whether outgoing connections are closed too."""

    GROUP: ClassVar[str] = "network-policy"
    egress: bool = True


def policies(namespace: Namespace) -> Iterator[Object]:
    """The NetworkPolicies of the tree in this namespace."""
    for item in namespace.objects:
        if (item.group, item.kind) == ("networking.k8s.io", "NetworkPolicy"):
            yield item


def closes_all(policy: Object, direction: str) -> bool:
    """Whether ``policy`` selects every pod of its namespace and lets nothing through in ``direction``."""
    selects_all = policy.has("spec") and not policy.keys("spec", "podSelector")
    return (
        selects_all and direction in policy.strings("spec", "policyTypes") and not policy.has("spec", direction.lower())
    )


def named(namespace: Namespace, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A NetworkPolicy of ours; a name that is taken gets a number."""
    taken = {item.name for item in policies(namespace)}
    free = next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in taken)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": free, "namespace": namespace.name, "labels": dict(MANAGED)},
        "spec": spec,
    }
