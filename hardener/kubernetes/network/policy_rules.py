"""Rules of NetworkPolicies side by side: which ones a list lacks, and which of its rules nothing asks for.

A peer stands for itself only: that one selector takes in the pods of another is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct

from hardener.kubernetes.network.network_policy import PEERS, Direction, Peer, Ports, parse


class Missing(Struct, frozen=True):
    """What has to be added for the rule number ``wanted``: its peers with the numbers ``peers`` (None: anybody) at
    ``ports`` (none: all of them).

    ``into`` is the number of the rule with just these ports that takes the peers; None asks for a rule of its own.
    """

    wanted: int
    peers: tuple[int, ...] | None
    ports: tuple[Mapping[str, Any], ...]
    into: int | None


class _Rule(Struct, frozen=True, dict=True):
    """Peers and ports by what they mean, and ports as written. The peer None is anybody, ports None are all."""

    peers: tuple[Peer | None, ...]
    ports: tuple[Ports, ...] | None
    written_ports: tuple[Any, ...]

    @cached_property
    def _known(self) -> frozenset[Peer | None]:
        return frozenset(self.peers)

    def admits(self, peer: Peer | None) -> bool:
        return None in self._known or peer in self._known


def missing(rules: object, wanted: Sequence[Mapping[str, Any]], direction: Direction) -> list[Missing]:
    """List what ``rules`` lack of ``wanted``, whose rules are legal; nothing when they let through all of it."""
    present = _read(rules, direction)
    return [
        lacking
        for number, rule in enumerate(_read(list(wanted), direction))
        for lacking in _lacking(present, rule, number)
    ]


def _lacking(present: Sequence[_Rule], rule: _Rule, number: int) -> Iterator[Missing]:
    """What the rules ``present`` lack of ``rule``, the wanted one of that number."""
    by_ports: dict[tuple[int, ...], list[int]] = {}
    for position, peer in enumerate(rule.peers):
        closed = _closed_ports(present, rule, peer)
        if closed is not None:
            by_ports.setdefault(closed, []).append(position)
    for closed, positions in by_ports.items():
        ports, peers = {(rule.ports or ())[n] for n in closed}, [rule.peers[n] for n in positions]
        into = next((n for n, other in enumerate(present) if _joins(other, peers, ports)), None)
        numbers = None if None in rule.peers else tuple(positions)
        yield Missing(number, numbers, tuple(rule.written_ports[n] for n in closed), into)


def _closed_ports(present: Sequence[_Rule], rule: _Rule, peer: Peer | None) -> tuple[int, ...] | None:
    """The numbers of the ports of ``rule`` on which the rules ``present`` do not let ``peer`` through; empty where it
    wants all ports; None where nothing is missing."""
    open_to = [other for other in present if other.admits(peer)]
    if any(other.ports is None for other in open_to):
        return None
    if rule.ports is None:
        return ()
    opened = [ports for other in open_to for ports in other.ports or ()]
    closed = tuple(n for n, own in enumerate(rule.ports) if not any(_holds(other, own) for other in opened))
    return closed or None


def unexplained(
    rules: object, wanted: Sequence[Mapping[str, Any]], direction: Direction
) -> Iterator[tuple[int | str, ...]]:
    """What of ``rules`` nothing in ``wanted`` asks for, as paths from their list: (0,) or (0, "from", 1).

    A peer of which one port is asked for is asked for.
    """
    reasons = _read(list(wanted), direction)
    for number, rule in enumerate(_read(rules, direction)):
        lonely = [
            position
            for position, peer in enumerate(rule.peers)
            if not any(_explains(reason, peer, rule.ports) for reason in reasons)
        ]
        if len(lonely) == len(rule.peers):
            yield (number,)
        else:
            yield from ((number, PEERS[direction], position) for position in lonely)


def without(rules: object, paths: Sequence[tuple[int | str, ...]]) -> list[Any]:
    """A copy of ``rules`` without what stands at ``paths``."""
    gone = set(paths)
    found = []
    for number, rule in enumerate(rules if isinstance(rules, list) else []):
        if (number,) in gone:
            continue
        kept = dict(rule) if isinstance(rule, dict) else rule
        for key in PEERS.values():
            if any(path[:2] == (number, key) for path in gone):
                kept[key] = [peer for index, peer in enumerate(kept[key]) if (number, key, index) not in gone]
        found.append(kept)
    return found


def _joins(rule: _Rule, peers: list[Peer | None], ports: set[Ports]) -> bool:
    """Whether ``peers`` go into a rule: one with the same ports, for peers of their kind."""
    if rule.peers == (None,) or None in peers or set(rule.ports or ()) != ports:
        return False
    return any(map(_is_wide, rule.peers)) == any(map(_is_wide, peers))


def _is_wide(peer: Peer | None) -> bool:
    return peer is not None and peer.block is not None and peer.block.is_everywhere


def _explains(reason: _Rule, peer: Peer | None, ports: tuple[Ports, ...] | None) -> bool:
    if not reason.admits(peer):
        return False
    if reason.ports is None:
        return True
    return ports is not None and any(_holds(other, own) for own in ports for other in reason.ports)


def _holds(ports: Ports, other: Ports) -> bool:
    """Whether whoever may use ``ports`` may use ``other``."""
    if ports == other:
        return True
    same = ports.protocol == other.protocol and ports.name is None and other.name is None
    return same and ports.first <= other.first and other.last <= ports.last


def _read(rules: object, direction: Direction) -> list[_Rule]:
    """The rules of a list; none where the API server would not take it."""
    policy = parse({"spec": {"policyTypes": [direction.capitalize()], direction: rules}}, "")
    found = []
    for number, rule in enumerate((policy and policy.rules(direction)) or ()):
        written = (rules[number] if isinstance(rules, list) else None) or {}
        peers: tuple[Peer | None, ...] = (None,) if rule.peers is None else rule.peers
        found.append(_Rule(peers, rule.ports, tuple(written.get("ports") or ())))
    return found
