"""Many pods under many policies: who governs whom, and how many pairs of pods can talk.

A set of pods is an integer with one bit per pod, so that what holds for many pods at once (all of a namespace, all that
no policy isolates) costs one operation. The answers are those of ``network_policy.allows`` for every pair.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct, field

from hardener.kubernetes.network.label_selector import EVERYTHING, Selector
from hardener.kubernetes.network.network_policy import (
    DIRECTIONS,
    Direction,
    Peer,
    Pod,
    Policy,
    Rule,
    RulePorts,
    lets_all,
    meet,
    opens,
)

Set = int
_OnPorts = dict[RulePorts | None, Set]  # sets of pods by the ports on which they may talk


class _Group(Struct):
    """The policies of one namespace that have one selector, and the pods that it selects."""

    members: tuple[int, ...]
    policies: list[Policy] = field(default_factory=list)
    sources: _OnPorts | None = None

    def isolates(self, direction: Direction) -> bool:
        return any(policy.rules(direction) is not None for policy in self.policies)


class Network:
    """``pods`` by a small number of their own, under ``policies``; ``blocks_cover_pods`` as of ``judge``. ``twin`` is a
    network of the same pods, with which it shares what is known of them alone."""

    def __init__(
        self,
        pods: Mapping[int, Pod],
        policies: Iterable[Policy],
        *,
        blocks_cover_pods: bool = True,
        twin: Network | None = None,
    ) -> None:
        self.pods = pods
        if twin is not None:
            self._index = twin._index
        self._blocks_cover_pods = blocks_cover_pods
        self._everybody = bits(pods)
        groups: dict[tuple[str, Selector], _Group] = {}
        for policy in policies:
            key = (policy.namespace, policy.selector)
            if key not in groups:
                groups[key] = _Group(self._index.find(*key))
            groups[key].policies.append(policy)
        for group in groups.values():
            if len(group.policies) > 1:
                group.policies = list(dict.fromkeys(group.policies))
        self._groups = list(groups.values())
        self._governing: dict[int, list[_Group]] = {}
        for group in self._groups:
            for number in group.members:
                self._governing.setdefault(number, []).append(group)
        self._meetings: dict[tuple[RulePorts, RulePorts], bool] = {}
        self._near: dict[str, Set] = {}  # the pods of a namespace

    @cached_property
    def _index(self) -> _Index:
        return _Index({number: pod for number, pod in self.pods.items() if not pod.host_network})

    def policies_of(self, number: int) -> list[Policy]:
        """The policies that select a pod."""
        return [policy for group in self._governing.get(number, ()) for policy in group.policies]

    def is_isolated(self, number: int, direction: Direction) -> bool:
        return any(group.isolates(direction) for group in self._governing.get(number, ()))

    def is_closed(self, number: int, direction: Direction) -> bool:
        """Whether a policy isolates a pod and none lets everything through again."""
        policies = self.policies_of(number)
        return self.is_isolated(number, direction) and not any(lets_all(policy, direction) for policy in policies)

    def sources(self, number: int, port: tuple[int | str | None, str] | None = None) -> Set:
        """The other pods that can open a connection to a pod: on ``port`` (as of ``judge``, with its protocol), or on
        some port."""
        pod, found = self.pods[number], 0
        peers = self._peers(number)
        for ports, leaving in self._leaving(number):
            for own, coming in peers:
                both = leaving & coming
                if not both & ~found:
                    continue
                if port is None:
                    passes = self._meet(ports, own, pod)
                else:
                    passes = opens(ports, pod, *port) and opens(own, pod, *port)
                if passes:
                    found |= both
        return found & ~(1 << number)

    def neighbours(self, number: int) -> Set:
        """The other pods of the namespace of a pod, those on the network of their node left out."""
        namespace = self.pods[number].namespace
        if namespace not in self._near:
            self._near[namespace] = bits(self._index.find(namespace, EVERYTHING))
        return self._near[namespace] & ~(1 << number)

    # Ingress: by the pod that is reached.

    def _peers(self, number: int) -> list[tuple[RulePorts | None, Set]]:
        """The pods that the ingress policies of a pod let in, by port."""
        if not self.is_isolated(number, "ingress"):
            return [(None, self._everybody)]
        return [entry for group in self._governing[number] for entry in self._sources_of(group).items()]

    def _sources_of(self, group: _Group) -> _OnPorts:
        if group.sources is None:
            group.sources = {}
            for policy, rule in _rules(group, "ingress"):
                found = 0
                for peer in self._peers_of(rule):
                    found |= self._everybody if peer is None else self._index.peers(policy.namespace, peer)
                group.sources[rule.ports] = group.sources.get(rule.ports, 0) | found
        return group.sources

    # Egress: the same tables, turned round to the pod that is reached.

    def _leaving(self, number: int) -> Iterator[tuple[RulePorts | None, Set]]:
        """The pods whose egress policies let them out to a pod, by port."""
        yield None, self._unrestricted
        yield from self._to_all.items()
        for table in self._to.get(number, ()):
            yield from table.items()

    @cached_property
    def _unrestricted(self) -> Set:
        restricted = 0
        for group in self._groups:
            if group.isolates("egress"):
                restricted |= bits(group.members)
        return self._everybody & ~restricted

    @cached_property
    def _to_all(self) -> _OnPorts:
        return self._egress[0]

    @cached_property
    def _to(self) -> dict[int, list[_OnPorts]]:
        found: dict[int, list[_OnPorts]] = {}
        for (namespace, peer), table in self._egress[1].items():
            for number in self._index.members(namespace, peer):
                found.setdefault(number, []).append(table)
        return found

    @cached_property
    def _egress(self) -> tuple[_OnPorts, dict[tuple[str, Peer], _OnPorts]]:
        """The pods that may leave, by port: to all other pods, and to those that are one peer of one namespace."""
        to_all: _OnPorts = {}
        to_some: dict[tuple[str, Peer], _OnPorts] = {}
        for group in self._groups:
            members = bits(group.members)
            for policy, rule in _rules(group, "egress"):
                for peer in self._peers_of(rule):
                    # What is selected by namespace means the same in the policies of every namespace.
                    key = None if peer is None else ("" if peer.namespaces is not None else policy.namespace, peer)
                    table = to_all if key is None else to_some.setdefault(key, {})
                    table[rule.ports] = table.get(rule.ports, 0) | members
        return to_all, to_some

    def _peers_of(self, rule: Rule) -> set[Peer | None]:
        """The peers of a rule that are pods; None for all of them."""
        if rule.peers is None:
            return {None}
        found: set[Peer | None] = set()
        for peer in rule.peers:
            if peer.block is None:
                found.add(peer)
            elif self._blocks_cover_pods and peer.block.is_everywhere:
                return {None}
        return found

    def _meet(self, one: RulePorts | None, other: RulePorts | None, pod: Pod) -> bool:
        if one is None or other is None or one.names or other.names:
            return meet(one, other, pod)
        if (one, other) not in self._meetings:
            self._meetings[one, other] = meet(one, other, pod)
        return self._meetings[one, other]


def hangs_on_blocks(policies: Iterable[Policy]) -> bool:
    """Whether it makes a difference to ``policies`` that blocks of all addresses cover pods."""
    return any(
        peer.block is not None and peer.block.is_everywhere
        for policy in policies
        for direction in DIRECTIONS
        for rule in policy.rules(direction) or ()
        for peer in rule.peers or ()
    )


def _rules(group: _Group, direction: Direction) -> Iterator[tuple[Policy, Rule]]:
    for policy in group.policies:
        for rule in policy.rules(direction) or ():
            yield policy, rule


def bits(numbers: Collection[int]) -> Set:
    """``numbers`` as a set."""
    found = bytearray(max(numbers, default=0) // 8 + 1)
    for number in numbers:
        found[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(found, "little")


class _Index:
    """Pods by namespace and label; all pods of a namespace know the same labels of it."""

    def __init__(self, pods: Mapping[int, Pod]) -> None:
        self._pods = pods
        self._labels_of: dict[str, Mapping[str, str]] = {}
        self._by_label: dict[tuple[str, str, str], list[int]] = {}
        self._by_namespace: dict[str | None, list[int]] = {None: list(pods)}
        for number, pod in pods.items():
            self._labels_of[pod.namespace] = pod.namespace_labels
            self._by_namespace.setdefault(pod.namespace, []).append(number)
            for key, value in pod.labels.items():
                self._by_label.setdefault((pod.namespace, key, value), []).append(number)
        self._namespaces: dict[tuple[str, str], list[str]] = {}
        for name, labels in self._labels_of.items():
            for label in labels.items():
                self._namespaces.setdefault(label, []).append(name)
        self._found: dict[tuple[str | None, Selector], tuple[int, ...]] = {}
        self._members: dict[tuple[str, Peer], tuple[int, ...]] = {}
        self._sets: dict[tuple[str, Peer], Set] = {}

    def find(self, namespace: str | None, selector: Selector) -> tuple[int, ...]:
        """The pods of ``namespace`` (None: of all) that ``selector`` matches."""
        key = (namespace, selector)
        if key not in self._found:
            candidates = self._by_namespace.get(namespace, [])
            for need in selector.requirements:
                if need.operator == "In":  # the rarest of the labels that it names is looked at
                    labelled = [self._labelled(namespace, need.key, value) for value in need.values]
                    if sum(map(len, labelled)) < len(candidates):
                        candidates = [number for numbers in labelled for number in numbers]
            self._found[key] = tuple(n for n in candidates if selector.matches(self._pods[n].labels))
        return self._found[key]

    def _labelled(self, namespace: str | None, key: str, value: str) -> list[int]:
        if namespace is None:
            return self._anywhere.get((key, value), [])
        return self._by_label.get((namespace, key, value), [])

    @cached_property
    def _anywhere(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = {}
        for number, pod in self._pods.items():
            for label in pod.labels.items():
                found.setdefault(label, []).append(number)
        return found

    def members(self, namespace: str, peer: Peer) -> tuple[int, ...]:
        """The pods that ``peer``, which is no block, means in a policy of ``namespace``."""
        pods = EVERYTHING if peer.pods is None else peer.pods
        if peer.namespaces is None:
            return self.find(namespace, pods) if peer.pods is not None else ()
        if peer.namespaces == EVERYTHING:
            return self.find(None, pods)
        key = ("", peer)
        if key not in self._members:
            names = self._matching(peer.namespaces)
            self._members[key] = tuple(n for name in names for n in self.find(name, pods))
        return self._members[key]

    def peers(self, namespace: str, peer: Peer) -> Set:
        """``members`` as a set."""
        key = ("" if peer.namespaces is not None else namespace, peer)
        if key not in self._sets:
            self._sets[key] = bits(self.members(namespace, peer))
        return self._sets[key]

    def _matching(self, selector: Selector) -> Iterable[str]:
        for need in selector.requirements:
            if need.operator == "In":
                candidates = [name for value in need.values for name in self._namespaces.get((need.key, value), ())]
                return [name for name in candidates if selector.matches(self._labels_of[name])]
        return [name for name, labels in self._labels_of.items() if selector.matches(labels)]
