"""What an object keeps out of a cluster, and what is lost where another state of it takes its place, as plain data.

Sources: the concept pages "Network Policies", "Pod Security Admission", "Resource Quotas" and "Limit Ranges"; of other
projects, the kinds by which they close the network or refuse objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from hardener.kubernetes.network import network_policy
from hardener.kubernetes.network.label_selector import EVERYTHING
from hardener.kubernetes.network.network_policy import DIRECTIONS, Direction, Peer, Policy, Rule
from hardener.kubernetes.pod_security import LEVELS
from hardener.support.data_path import Path
from hardener.support.shapes import mapping, mappings

Data = dict[str, Any]

_ENFORCE = "pod-security.kubernetes.io/enforce"
_DEFAULT = "default"
# API group: its kinds that close something. None stands for all of them.
_KINDS: dict[str, frozenset[str] | None] = {
    "": frozenset({"ResourceQuota", "LimitRange"}),
    "networking.k8s.io": frozenset({"NetworkPolicy"}),
    "policy.networking.k8s.io": None,
    "cilium.io": frozenset({"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"}),
    "projectcalico.org": frozenset({"NetworkPolicy", "GlobalNetworkPolicy"}),
    "crd.projectcalico.org": frozenset({"NetworkPolicy", "GlobalNetworkPolicy"}),
    "security.istio.io": frozenset({"AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"}),
    "policy.linkerd.io": frozenset({"AuthorizationPolicy", "Server", "ServerAuthorization"}),
    "admissionregistration.k8s.io": frozenset({
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
    }),
    "kyverno.io": frozenset({"Policy", "ClusterPolicy"}),
    "policies.kyverno.io": None,
    "constraints.gatekeeper.sh": None,
    "templates.gatekeeper.sh": None,
}  # fmt: skip
_WIDEST = {4: 16, 6: 48}  # a block of fewer bits is no single network
_MOST_COMPARED = 100  # rules of one policy


class Loss(Struct, frozen=True):
    """What is lost, in words, and where in the new state that shows. ``is_grave``: a whole protection, or what anybody
    may use. ``is_known``: whether it can be told that it is a loss."""

    text: str
    path: Path = ()
    is_grave: bool = True
    is_known: bool = True


def is_protection(document: Data) -> bool:
    """Whether ``document`` closes something by being there."""
    group, kind = _kind(document)
    kinds = _KINDS.get(group, frozenset())
    return kinds is None or kind in kinds


def lost(before: Data, after: Data | None) -> Iterator[Loss]:
    """What ``before`` protects and ``after``, which takes its place, does not; None is nothing."""
    if _is_namespace(before):
        yield from _of_namespace(before, after)
        return
    if not is_protection(before):
        return
    name = f"{before.get('kind')}/{_metadata(before).get('name')}"
    if after is None or _kind(before) != _kind(after):
        yield Loss(f"{name} is gone", ("kind",))
    elif _metadata(before).get("namespace") != _metadata(after).get("namespace"):
        yield Loss(f"{name} is gone from its namespace", ("metadata", "namespace"))
    else:
        yield from _WEIGHED.get(_kind(before), _not_weighed)(before, after)


def _of_namespace(before: Data, after: Data | None) -> Iterator[Loss]:
    """The namespace itself may be made elsewhere, without the level."""
    is_there = after is not None and _is_namespace(after)
    is_there = is_there and _metadata(before).get("name") == _metadata(after or {}).get("name")
    old, new = _level(before), _level(after or {}) if is_there else None
    if _rank(new) < _rank(old):
        now = f"is {new}" if new else "is gone"
        text = f"the level that Pod Security enforces in Namespace/{_metadata(before).get('name')} {now}, not {old}"
        yield Loss(text, ("metadata", "labels", _ENFORCE))


def _of_policy(before: Data, after: Data) -> Iterator[Loss]:
    old, new = (network_policy.parse(each, _DEFAULT) for each in (before, after))
    if old is None:
        return
    name = f"NetworkPolicy/{_metadata(before).get('name')}"
    if new is None:
        yield Loss(f"{name} has a form that no API server takes", ("spec",))
        return
    if old.selector != new.selector and new.selector != EVERYTHING:
        yield Loss(f"{name} is for other pods", ("spec", "podSelector"))
    for direction in DIRECTIONS:
        yield from _of_direction(name, old, new, direction, after)


def _of_direction(name: str, old: Policy, new: Policy, direction: Direction, after: Data) -> Iterator[Loss]:
    own, others = old.rules(direction), new.rules(direction)
    if own is None:
        return
    if others is None:
        yield Loss(f"{name} closes {direction} no more", ("spec", "policyTypes"))
        return
    known = set(own)
    for number, rule in enumerate(others):
        if rule not in known and not _is_covered(own, rule):
            wide = rule.peers is None or any(map(_is_wide, rule.peers))
            text = f"{name} opens {direction} for {'everybody' if rule.peers is None else 'many' if wide else 'others'}"
            yield Loss(text, ("spec", direction, number), is_grave=wide)


def _is_covered(rules: tuple[Rule, ...], rule: Rule) -> bool:
    """Whether one of the first ``rules`` lets through all that ``rule`` does."""
    for own in rules[:_MOST_COMPARED]:
        peers = own.peers is None or (rule.peers is not None and set(rule.peers) <= set(own.peers))
        ports = own.ports is None or (rule.ports is not None and set(rule.ports) <= set(own.ports))
        if peers and ports:
            return True
    return False


def _is_wide(peer: Peer) -> bool:
    """Whether a peer is more than one network, or more than the namespaces that it names."""
    if peer.block is not None:
        return peer.block.network.prefixlen < _WIDEST[peer.block.network.version]
    return peer.namespaces is not None and not any(need.operator == "In" for need in peer.namespaces.requirements)


def _of_quota(before: Data, after: Data) -> Iterator[Loss]:
    """A limit that goes is a loss, and so is a quota that counts less; a number that is raised is a choice."""
    name = f"{before.get('kind')}/{_metadata(before).get('name')}"
    old, new = mapping(before.get("spec")), mapping(after.get("spec"))
    if gone := sorted(str(key) for key in mapping(old.get("hard")).keys() - mapping(new.get("hard")).keys()):
        yield Loss(f"{name} no longer limits {', '.join(gone)}", ("spec", "hard"))
    for key in ("scopes", "scopeSelector"):
        if new.get(key) and new.get(key) != old.get(key):
            yield Loss(f"{name} counts less than before", ("spec", key))


def _of_range(before: Data, after: Data) -> Iterator[Loss]:
    name = f"{before.get('kind')}/{_metadata(before).get('name')}"
    if gone := sorted(_bounds(before) - _bounds(after)):
        yield Loss(f"{name} no longer has {', '.join(gone)}", ("spec", "limits"))


def _bounds(document: Data) -> set[str]:
    """What a LimitRange sets: of which type, by which key, for which resource."""
    return {
        f"{item.get('type')} {key} {resource}"
        for item in mappings(mapping(document.get("spec")).get("limits"))
        for key, values in item.items()
        for resource in mapping(values)
    }


def _not_weighed(before: Data, after: Data) -> Iterator[Loss]:
    """Of other kinds nobody can say here whether a change is for the better."""
    skipped = ("metadata", "status")
    for key in dict.fromkeys((*before, *after)):
        if key not in skipped and before.get(key) != after.get(key):
            name = f"{before.get('kind')}/{_metadata(before).get('name')}"
            yield Loss(f"{name} is changed, and harden does not check what it refuses", (key,), is_known=False)
            return


def _is_namespace(document: Data) -> bool:
    return _kind(document) == ("", "Namespace")


def _level(document: Data) -> str | None:
    found = mapping(_metadata(document).get("labels")).get(_ENFORCE)
    return found if isinstance(found, str) else None


def _rank(level: str | None) -> int:
    return LEVELS.index(level) if level in LEVELS else 0


def _kind(document: Data) -> tuple[str, str]:
    return str(document.get("apiVersion") or "").rpartition("/")[0], str(document.get("kind") or "")


def _metadata(document: Data) -> dict[Any, Any]:
    return mapping(document.get("metadata"))


_WEIGHED: dict[tuple[str, str], Callable[[Data, Data], Iterator[Loss]]] = {
    ("networking.k8s.io", "NetworkPolicy"): _of_policy,
    ("", "ResourceQuota"): _of_quota,
    ("", "LimitRange"): _of_range,
}
