"""K05: policies of Cilium, Calico and cluster administrators that close nothing."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.support.data_path import Path
from hardener.tree.addon_views import CalicoPolicy, CiliumPolicy, ClusterPolicy
from hardener.tree.view import View

Policy = CiliumPolicy | CalicoPolicy | ClusterPolicy

_DIRECTIONS = {"ingress": "fromEntities", "egress": "toEntities"}
# Entities of Cilium that are everybody, or everybody outside of the cluster.
_ALL = "all"
_OUTSIDE = "world"
_ADMIN_SUBJECTS = ("namespaces", "pods")
_PEERS = {"ingress": "from", "egress": "to"}


@transform(
    each=CiliumPolicy | CalicoPolicy | ClusterPolicy, stage="network", severity=Severity.MEDIUM, only_reports=True
)
def addon_policy_allow_all(policy: Policy) -> Steps:
    """Restrict policies that allow everything.

    Problem: the policy allows all traffic in a direction.

    Result: The policy restricts traffic in each direction that it names.

    Why: a rule that allows everybody undoes the restrictions of other policies for all pods that it selects; a
    cluster-wide policy does so in every namespace.

    May break: nothing, since it only reports: manifests do not say who needs the open rule.
    """
    reader = _calico if isinstance(policy, CalicoPolicy) else _cluster if isinstance(policy, ClusterPolicy) else _cilium
    for direction, path, who in reader(policy):
        verb = "lets in" if direction == "ingress" else "lets its pods connect to"
        advice = (
            "name in it who may connect to its pods"
            if direction == "ingress"
            else "name in it where its pods may connect to"
        )
        yield policy.finding(
            f"{policy.object} {verb} {who}",
            *path,
            advice=advice,
            severity=Severity.MEDIUM if direction == "ingress" else Severity.LOW,
            topic="rule for everybody in a policy of a network add-on",
        )


def _specs(policy: View) -> Iterator[tuple[Path, View]]:
    """The spec of a policy of Cilium, and each of ``specs``."""
    if policy.has("spec"):
        yield ("spec",), policy.view("spec")
    for at, spec in enumerate(policy.items("specs")):
        yield ("specs", at), spec


def _cilium(policy: View) -> Iterator[tuple[str, Path, str]]:
    for path, spec in _specs(policy):
        for direction, key in _DIRECTIONS.items():
            for at, rule in enumerate(spec.items(direction)):
                entities = rule.strings(key)
                if _is_bounded(rule, key):
                    continue
                if _ALL in entities:
                    yield direction, (*path, direction, at, key), "everybody"
                elif _OUTSIDE in entities and direction == "ingress":
                    yield direction, (*path, direction, at, key), "everybody outside of the cluster"


def _is_bounded(rule: View, key: str) -> bool:
    """Whether ports, callers or other things bound the rule, beside who it is for."""
    return any(rule.has(other) for other in rule.keys() if other != key)


def _calico(policy: View) -> Iterator[tuple[str, Path, str]]:
    for direction in _DIRECTIONS:
        for at, rule in enumerate(policy.items("spec", direction)):
            if rule.text("action") == "Allow" and set(rule.keys()) == {"action"}:
                yield direction, ("spec", direction, at), "everybody"


def _cluster(policy: View) -> Iterator[tuple[str, Path, str]]:
    for direction, key in _PEERS.items():
        for at, rule in enumerate(policy.items("spec", direction)):
            peers = rule.items(key)
            whole = any(peer.has("namespaces") and not peer.keys("namespaces") for peer in peers)
            if rule.text("action") in ("Allow", "Accept") and whole and not rule.has("ports"):
                yield direction, ("spec", direction, at), "every pod of the cluster, whatever a NetworkPolicy says"
