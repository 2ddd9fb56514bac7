"""The rules of one direction of a policy, put together from single connections."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any

from msgspec import Struct, field

from hardener.authoring.edits import Evidence
from hardener.facts.network.connections import Port
from hardener.kubernetes.network.network_policy import PEERS, Direction

Value = dict[str, Any]


class Rule(Struct, frozen=True):
    """A rule as it is written, with why; ``by_peer`` is why for each of its peers."""

    value: Value
    evidence: tuple[Evidence, ...]
    by_peer: tuple[tuple[Evidence, ...], ...] = ()


class _Peer(Struct):
    value: Value
    evidence: dict[Evidence, None] = field(default_factory=dict)
    said: bool = False  # by a rule with more ports


def _known(ports: Iterable[Port]) -> tuple[Port, ...]:
    """``ports``, each once; none, which means all of them, where an expression says one."""
    return _known_of(tuple(ports))


@lru_cache(maxsize=1024)  # the rules of a tree have few ports
def _known_of(ports: tuple[Port, ...]) -> tuple[Port, ...]:
    return () if any([port.is_unknown for port in ports]) else tuple(dict.fromkeys(ports))


class Rules(Struct):
    """Connections with the same ports become one rule with all their peers; rules and peers stand in the order in
    which they came. What anybody may do is one rule before the others, and no other rule says it again. A port that an
    expression says may be any, so nothing narrows it."""

    direction: Direction
    _open: dict[tuple[Port, ...], dict[Evidence, None]] = field(default_factory=dict)
    _rules: dict[tuple[tuple[Port, ...], bool], dict[str, _Peer]] = field(default_factory=dict)

    def allow(
        self, peers: list[Value], ports: Iterable[Port], evidence: Iterable[Evidence], *, apart: bool = False
    ) -> None:
        """Let through connections with each of ``peers`` on ``ports``; none means all of them. What is said ``apart``
        shares a rule only with what is, too."""
        rule = self._rules.setdefault((_known(ports), apart), {})
        facts = dict.fromkeys(evidence)
        for peer in peers:
            known = rule.get(name := repr(peer))
            if known is None:
                known = rule[name] = _Peer(peer)
            known.evidence.update(facts)

    def allow_anybody(self, ports: Iterable[Port], evidence: Iterable[Evidence]) -> None:
        """Let through connections with anybody on ``ports``; none means all of them."""
        self._open.setdefault(_known(ports), {}).update(dict.fromkeys(evidence))

    def finished(self) -> list[Rule]:
        """Return the rules as they are written."""
        self._mark_what_is_said()
        found = [self._of_anybody()] if self._open else []
        if () in self._open:
            return found
        opened = {port for ports in self._open for port in ports}
        for (own, _), rule in self._rules.items():
            peers = [peer for peer in rule.values() if not peer.said]
            if peers and not (own and opened.issuperset(own)):
                by_peer = tuple([tuple(peer.evidence) for peer in peers])
                every = by_peer[0] if len(peers) == 1 else tuple(dict.fromkeys(chain.from_iterable(by_peer)))
                found.append(Rule(self._value([peer.value for peer in peers], own), every, by_peer))
        return found

    def _of_anybody(self) -> Rule:
        facts = dict.fromkeys(fact for evidence in self._open.values() for fact in evidence)
        opened = {port for ports in self._open for port in ports}
        ports = [] if () in self._open else sorted(opened, key=lambda port: port.order)
        return Rule(self._value(None, ports), tuple(facts))

    def _mark_what_is_said(self) -> None:
        if len(self._rules) < 2:
            return
        for (own, apart), rule in self._rules.items():
            if own and not apart:
                for name, peer in rule.items():
                    peer.said = self._is_said(name, peer, own)

    def _is_said(self, name: str, peer: _Peer, own: tuple[Port, ...]) -> bool:
        """Whether another rule says of ``peer`` what the one with the ports ``own`` does, and more. It gets the
        evidence."""
        for (ports, apart), rule in self._rules.items():
            if apart or (ports and len(ports) <= len(own)):
                continue
            if name in rule and (not ports or set(ports) > set(own)):
                rule[name].evidence.update(peer.evidence)
                return True
        return False

    def _value(self, peers: list[Value] | None, ports: Iterable[Port]) -> Value:
        written = [{"protocol": port.protocol, "port": port.port} for port in ports]
        value: Value = {} if peers is None else {PEERS[self.direction]: peers}
        return value | ({"ports": written} if written else {})
