"""Policies of ours that are there already: what they lack is added, and nothing is taken without being asked."""

from collections.abc import Iterator
from typing import Any

from hardener.authoring.edits import Edit, Evidence, Finding, Severity
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.facts.network.network_policies import Policy
from hardener.kubernetes.network.network_policy import PEERS, Direction
from hardener.kubernetes.network.policy_rules import Missing, missing, unexplained, without
from hardener.support.data_path import Path
from hardener.tree.core_views import Object

from ._rules import Rule

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
    """Take out what stands at ``paths``."""
    found = _watched(Evidence("nothing in the tree explains it any more"))
    for path in paths:
        yield policy.object.drop("spec", direction, *path, **found.words)


def unexplained_finding(policy: Policy, direction: Direction, paths: list[Path]) -> Finding:
    """Return the finding that what stands at ``paths`` stays, though nothing explains it."""
    what = "a rule or peer" if len(paths) == 1 else f"{len(paths)} rules or peers"
    text = f"nothing in the tree explains {what} of {policy.object} for {direction}"
    advice = "--prune-managed removes what nothing explains; a policy without harden's label is yours, and left alone"
    return policy.object.finding(text, "spec", direction, *paths[0], advice=advice, severity=Severity.LOW)
