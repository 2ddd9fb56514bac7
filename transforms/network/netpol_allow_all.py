"""K05: no policy takes back what the others close."""

from __future__ import annotations

import json
from typing import Any

from hardener.authoring.edits import Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.facts.network.network_policies import Isolation, Policy
from hardener.facts.objects.system_pods import classes_of
from hardener.kubernetes.network.network_policy import Direction
from hardener.tree.core_views import NetworkPolicy, OpaqueError, PodTemplate

from ._policies import NetworkPolicies, directions, opened, types
from ._traffic import Traffic, on_host_network

_SHOWN = 3


@transform(
    each=NetworkPolicy, stage="network", severity=Severity.MEDIUM, cis="5.3.2", options=NetworkPolicies,
    only_reports=True,
    peers=(
        "kubeaudit:allow-non-default-deny-ingress-network-policy",
        "kubeaudit:allow-non-default-deny-egress-network-policy",
    ),
)  # fmt: skip
def netpol_allow_all(policy: NetworkPolicy, options: NetworkPolicies) -> Steps:
    """Restrict NetworkPolicies that allow everything.

    Problem: the NetworkPolicy allows all traffic in a direction.

    Result: The NetworkPolicy restricts traffic in each direction that it names.

    Why: policies are additive, so one with the rule {} opens the direction for its pods, whatever the others say. These
    pods are not isolated, although the list of policies suggests that they are.

    May break: nothing, since it only reports: manifests do not say who needs the open rule. The finding holds
    the policy that harden writes where there is none.
    """
    isolation = policy.tree.ask(Isolation)
    known = isolation.by_object.get(policy.object)
    wanted = [each for each in directions(options) if known is not None and each in known.open]
    if known is None or known.managed or not wanted:
        return
    pods = [pod for pod in isolation.selected(known) if _counts(pod)]
    yield policy.finding(
        f"{policy.object} closes nothing for {' and '.join(wanted)}: it {opened(known, wanted)}, and no other policy "
        f"can take that back ({_of_whom(known, pods)})",
        *known.open[wanted[0]].path,
        advice=_advice(pods, wanted, options),
        severity=Severity.MEDIUM if "ingress" in wanted else Severity.LOW,
        topic="rule for egress to everybody" if wanted == ["egress"] else None,
    )


def _counts(pod: PodTemplate) -> bool:
    return not set(classes_of(pod)) - {"node-agent"} and not on_host_network(pod)


def _of_whom(policy: Policy, pods: list[PodTemplate]) -> str:
    if policy.selects_all:
        count = f"{len(pods)} workload{'s' * (len(pods) != 1)} of the tree" if pods else "the tree shows none of them"
        return f"every pod of its namespace: {count}"
    if not pods:
        return "the tree shows none of its pods"
    return str(pods[0].object) + (f" and {len(pods) - 1} more" if len(pods) > 1 else "")


def _advice(pods: list[PodTemplate], wanted: list[Direction], options: NetworkPolicies) -> str:
    ready: list[str] = []
    more = 0
    for first in dict.fromkeys(pod.tree.ask(Isolation).selectors.twins(pod)[0] for pod in pods):
        if len(ready) == _SHOWN:
            more += 1
        elif (spec := _narrower(first, wanted, options)) is not None:
            ready.append(spec)
    if not ready:
        return "list in it who may connect to its pods, and where its pods may connect to"
    rest = [f"and {more} more, which harden writes once this policy is gone"] if more else []
    return f"replace it for {' and '.join(wanted)} by what the manifests show: {'; '.join(ready + rest)}"


def _narrower(pod: PodTemplate, wanted: list[Direction], options: NetworkPolicies) -> str | None:
    """The spec that a policy of ours for the pod has in the directions ``wanted``."""
    isolation = pod.tree.ask(Isolation)
    try:
        selector = isolation.selectors.own(pod).selector
        if selector is None:
            return None
        traffic = Traffic([twin for twin in isolation.selectors.twins(pod) if _counts(twin)], options)
        spec: dict[str, Any] = {"podSelector": selector, "policyTypes": types(wanted)}
        for direction in wanted:
            rules = (traffic.ingress() if direction == "ingress" else traffic.egress()).finished()
            spec |= {direction: [rule.value for rule in rules]} if rules else {}
    except (OpaqueError, WrongShapeError):
        return None

    return json.dumps({"spec": spec})
