"""K05: every workload has a policy of its own that lets through what the manifests show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.facts.network.connections.recorded import NeverRecorded
from hardener.facts.network.network_policies import DIRECTIONS, Isolation, Policy
from hardener.facts.network.pod_labels import NAME, Own
from hardener.facts.objects.system_pods import classes_of
from hardener.kubernetes.network.network_policy import PEERS, Direction
from hardener.kubernetes.network.policy_rules import Missing, missing, unexplained, without
from hardener.kubernetes.objects.object_names import as_object_name
from hardener.support.data_path import Path
from hardener.tree.core_views import Object, PodTemplate

from ._policies import ISOLATION_CHECKS, TOPIC, NetworkPolicies, directions, free_name, policy
from ._rules import Rule, Rules
from ._traffic import Traffic, on_host_network

Wanted = list[Rule]


def additions(policy: Policy, direction: Direction, wanted: Wanted, gone: list[Path]) -> Iterator[Edit]:
    """Yield what ``policy`` lacks of ``wanted``; what stands at the paths ``gone`` is taken as removed."""
    view = policy.object
    rules = policy.rules(direction)
    kept = [number for number in range(len(rules or ())) if (number,) not in gone]
    if direction not in policy.directions:
        found = _watched(Evidence(f"no policy closes {direction}"))
        yield view.append("spec", "policyTypes", value=direction.capitalize(), **found.words)
    for item in missing(without(rules, gone), [rule.value for rule in wanted], direction):
        rule = wanted[item.wanted]
        if item.into is None:
            yield _whole_rule(view, direction, item, rule)
            continue
        for number in item.peers or ():
            peer, found = rule.value[PEERS[direction]][number], _watched(*rule.by_peer[number])
            yield view.append("spec", direction, kept[item.into], PEERS[direction], value=peer, **found.words)


def _whole_rule(view: Object, direction: Direction, item: Missing, rule: Rule) -> Edit:
    numbers = item.peers or ()
    peers = [rule.value[PEERS[direction]][number] for number in numbers]
    value: dict[str, Any] = {} if item.peers is None else {PEERS[direction]: peers}
    if item.ports:
        value["ports"] = list(item.ports)
    facts = dict.fromkeys(fact for number in numbers for fact in rule.by_peer[number])
    return view.append("spec", direction, value=value, **_watched(*(facts or rule.evidence)).words)


def _watched(*known: Evidence) -> Verdict:
    return verdict(known=known, effect=Effect.WATCHED)


def lonely(policy: Policy, direction: Direction, explained: Wanted) -> list[Path]:
    """Return the rules and peers of ``policy`` that no evidence explains, as paths from its list of rules."""
    return list(unexplained(policy.rules(direction), [rule.value for rule in explained], direction))


def removals(policy: Policy, direction: Direction, paths: list[Path]) -> Iterator[Edit]:
    """Yield the edits that take out the rules and peers of ``policy`` at ``paths``."""
    found = _watched(Evidence("nothing in the tree explains it any more"))
    for path in paths:
        yield policy.object.drop("spec", direction, *path, **found.words)


def unexplained_finding(policy: Policy, direction: Direction, paths: list[Path]) -> Finding:
    """Return the finding that what stands at ``paths`` stays, though nothing explains it."""
    what = "a rule or peer" if len(paths) == 1 else f"{len(paths)} rules or peers"
    text = f"nothing in the tree explains {what} of {policy.object} for {direction}"
    advice = "--prune-managed removes what nothing explains; a policy without harden's label is yours, and left alone"
    return policy.object.finding(text, "spec", direction, *paths[0], advice=advice, severity=Severity.LOW)


_NO_CLIENT = Evidence("nothing connects to it")


def _never_recorded(pod: PodTemplate) -> Iterator[Finding]:
    """The connections that manifests name and a recording never saw: they stay open."""
    for edge, days in pod.tree.ask(NeverRecorded).of(pod):
        text = f"it names {edge.server.object}, and the recording of {days} saw no connection: it stays open"
        advice = "remove the setting if nothing uses it"
        yield pod.finding(text, advice=advice, severity=Severity.LOW)


@transform(
    each=PodTemplate, stage="network", severity=Severity.MEDIUM, cis="5.3.2", classes=("node-agent",),
    options=NetworkPolicies, absence=True, any_image=True,
    peers=ISOLATION_CHECKS,
)  # fmt: skip
def netpol_workload(pod: PodTemplate, options: NetworkPolicies) -> Steps:
    """Add a NetworkPolicy for the workload.

    Problem: the pods accept and open connections that no manifest shows.

    Result: The pods accept and open only the connections that the manifests show.

    Why: without a policy every pod of the cluster, and whoever takes one over, reaches every other pod and the address
    at which clouds hand out the credentials of the node.

    May break: a connection that no manifest shows, such as one to a host name in a program of the image, is refused as
    soon as the cluster enforces policies. Not every network plugin does. With Cilium an ipBlock matches neither pods
    nor the API server.
    """
    if pod.kind == "PodTemplate":
        return  # nothing runs from it
    if on_host_network(pod):
        text = "no NetworkPolicy applies to a pod on the network of its node"
        advice = "filter on the node, or give it a network of its own"
        yield pod.finding(text, "hostNetwork", advice=advice, severity=Severity.LOW)
        yield from Traffic([pod], options).unknown_calls()
        return
    yield from _never_recorded(pod)
    isolation = pod.tree.ask(Isolation)
    own = isolation.selectors.own(pod)
    if own.selector is None:
        to_do = "write a NetworkPolicy by hand, with labels that only its pods have"
        yield pod.finding(f"no policy isolates it: {own.problem}", advice=to_do)
        return
    pods = [twin for twin in isolation.selectors.twins(pod) if _counts(twin)]
    if pods[:1] != [pod]:
        return  # the first of them has it
    for other in isolation.foreign(pod)[:1]:
        text = (
            f"{other} may isolate workloads, and harden does not read its rules: no NetworkPolicy is written beside it"
        )
        advice = "check that it closes and opens what it should"
        yield other.finding(text, advice=advice, severity=Severity.LOW, once=f"{id(other)}")
        return
    yield from _isolated(pods, own, options)


def _isolated(pods: list[PodTemplate], own: Own, options: NetworkPolicies) -> Steps:
    """The policy of ``pods``, whom their ``own`` labels tell from others; the first stands for all."""
    pod, selector = pods[0], own.selector or {}
    isolation = pod.tree.ask(Isolation)
    traffic = Traffic(pods, options)
    selecting = isolation.selecting(pod)
    existing = isolation.own_policy(pod, selector)
    by_others = [item for item in selecting if not item.managed]
    closed = _closed(pod, by_others)
    yield from _refused(traffic, selecting, closed)
    rules: dict[Direction, Wanted] = {}
    if "ingress" not in closed:
        rules["ingress"] = traffic.ingress().finished()
        if options.orphans == "closed":
            yield from _orphans(traffic)
    if "egress" not in closed and _is_to_close_egress(existing, options):
        with_dns = not _have_dns(traffic, selecting, existing)
        rules["egress"] = traffic.egress(with_dns=with_dns).finished()
        yield from traffic.unreachable()
        yield from traffic.unknown_calls()
    if existing is not None:
        yield from _extended(existing, rules, traffic)
    elif rules:
        yield from _created(pod, selector, rules, by_others, directions(options))
    if own.added is not None and rules and (existing is None or existing.legal):
        yield from _labelled(pods, own.added)


def _closed(pod: PodTemplate, by_others: list[Policy]) -> list[Direction]:
    """The directions that policies ``by_others`` close for ``pod`` already."""
    isolation = pod.tree.ask(Isolation)
    return [each for each in DIRECTIONS if by_others and isolation.closes(pod, by_others, each)]


def _refused(traffic: Traffic, selecting: list[Policy], closed: list[Direction]) -> Iterator[Finding]:
    for direction in closed:
        yield from traffic.refused([item for item in selecting if direction in item.directions], direction)


def _is_to_close_egress(existing: Policy | None, options: NetworkPolicies) -> bool:
    return options.egress or (existing is not None and "egress" in existing.directions)


def _have_dns(traffic: Traffic, selecting: list[Policy], existing: Policy | None) -> bool:
    """Whether policies beside ours, wherever the pods are applied, close what they open and let them ask for names."""
    pod = traffic.pods[0]
    isolation = pod.tree.ask(Isolation)
    others = [item for item in selecting if item is not existing]
    closing = [item for item in others if isolation.closes(pod, [item], "egress")]
    beside = [item for item in closing if isolation.comes_with(pod.object, [item.object])]
    return bool(beside) and _opens_dns(beside, traffic)


def _labelled(pods: list[PodTemplate], label: str) -> Iterator[Edit]:
    no_label = Evidence("its pods have no label by which a policy could select only them")
    found = verdict(why=[no_label], effect=Effect.WATCHED, basis=Basis.PROVED)
    for twin in pods:
        template = twin.object.view(*twin.template_path[len(twin.object.path) :])
        yield template.set("metadata", "labels", NAME, to=label, **found.words)


def _counts(pod: PodTemplate) -> bool:
    return pod.object.editable and not set(classes_of(pod)) - {"node-agent"} and not on_host_network(pod)


def _orphans(traffic: Traffic) -> Iterator[Finding]:
    for entry in traffic.orphans():
        if entry.service is not None:
            message = f"nothing in the tree names {entry.service}, so no connection to it is allowed"
            to_do = "name its clients with an ingress rule, or set network-policy.orphans: same-namespace"
            yield entry.service.finding(message, advice=to_do)
        else:
            text = f"{entry.evidence[0].text}: no connection to it is allowed"
            advice = "name its clients with an ingress rule, or set network-policy.orphans: same-namespace"
            yield entry.server.finding(
                text, advice=advice, severity=Severity.LOW, topic="workload with ports that no Service leads to"
            )


def _opens_dns(policies: list[Policy], traffic: Traffic) -> bool:
    """Whether ``policies`` together let the pods ask all name servers that they use."""
    dns = Rules("egress")
    traffic.add_dns(dns)
    rules = [rule for item in policies for rule in item.rules("egress") or ()]
    return not missing(rules, [rule.value for rule in dns.finished()], "egress")


def _created(
    pod: PodTemplate,
    selector: dict[str, Any],
    rules: dict[Direction, Wanted],
    by_others: list[Policy],
    asked: list[Direction],
) -> Iterator[Edit]:
    undone = _undone(pod, by_others)
    spec: dict[str, Any] = {"podSelector": selector, "policyTypes": [direction.capitalize() for direction in rules]}
    spec |= {direction: [rule.value for rule in wanted] for direction, wanted in rules.items() if wanted}
    is_shared = pod.tree.ask(Isolation).selectors.shares_name(pod)
    name = f"harden-{pod.object.name}" + (f"-{pod.kind.lower()}" if is_shared else "")
    value = policy(free_name(pod, as_object_name(name)), pod.namespace, spec)
    impact = "workload-isolated" if undone.keys().isdisjoint(asked) else "workload-half-isolated"
    found = verdict(known=dict.fromkeys(_explained(rules, by_others, undone)), effect=Effect.WATCHED)
    yield pod.create(TOPIC, value, impact=impact, **found.words)


def _undone(pod: PodTemplate, by_others: list[Policy]) -> dict[Direction, Policy]:
    """The policies of others that leave a direction open, whatever is written beside them."""
    isolation = pod.tree.ask(Isolation)
    found: dict[Direction, Policy] = {}
    for each in DIRECTIONS if by_others else ():
        holding = [item for item in by_others if isolation.closes(pod, [item], each)]
        if (opening := isolation.left_open(holding, each)) is not None:
            found[each] = opening
    return found


def _explained(
    rules: dict[Direction, Wanted], by_others: list[Policy], undone: dict[Direction, Policy]
) -> Iterator[Evidence]:
    """Why a policy has the ``rules`` that it has, and what others say beside it."""
    for wanted in rules.values():
        for rule in wanted:
            yield from rule.evidence
    if "ingress" in rules and not rules["ingress"]:
        yield _NO_CLIENT
    for item in by_others:
        if left := item.directions - rules.keys() - undone.keys():
            yield item.object.fact(f"{item.object} closes {', '.join(sorted(left))}")
    for direction, item in undone.items():
        yield item.object.fact(f"{item.object} leaves {direction} open, whatever other policies say")


def _extended(existing: Policy, rules: dict[Direction, Wanted], traffic: Traffic) -> Iterator[Edit | Finding]:
    if not existing.legal:
        text = f"the API server refuses {existing.object}, so nothing isolates {traffic.pods[0].object}"
        yield existing.object.finding(text, advice="remove it, and run again")
        return
    edits: list[Edit] = []
    for direction, wanted in rules.items():
        # That a policy for all pods opens DNS, too, is no reason to doubt a rule that does.
        explained = wanted if direction == "ingress" else traffic.egress().finished()
        gone = lonely(existing, direction, explained)
        if gone and not traffic.options.prune_managed:
            yield unexplained_finding(existing, direction, gone)
            gone = []
        edits += additions(existing, direction, wanted, gone)
        edits += removals(existing, direction, gone)
    if edits and not existing.object.editable:
        message = f"{existing.object} lacks connections that the manifests show, and is outside the given paths"
        yield existing.object.finding(message, advice="run harden over its folder, too")
        return
    yield from edits
