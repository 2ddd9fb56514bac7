"""Whom the policies of a run shut out without harden having understood them: workloads that are only partly read, and
pods that the tree does not show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cached_property, reduce
from itertools import islice
from operator import or_

from msgspec import Struct, structs

from hardener.facts.network.connections.endpoints import Endpoints
from hardener.facts.network.connections.model import Connections
from hardener.facts.network.silent_workloads import SilentWorkloads
from hardener.kubernetes.network.network_policy import NAMESPACE_LABEL, Direction, Pod, Policy, judge, leaves
from hardener.kubernetes.network.reachability import Network, bits
from hardener.report.reachability.layout import Layout
from hardener.tree.core_views import Object, PodTemplate
from hardener.tree.tree import Tree

_SOME_PORT = 1  # that no rule names
_ELSEWHERE = "\0elsewhere"  # a namespace of which nothing is known


class Unseen(StrEnum):
    """Which pods that the tree does not show are refused; each holds those of the next as well."""

    ANY = "any"  # of its namespace, and of others
    OTHER_NAMESPACES = "other-namespaces"
    NONE = "none"


class Shut(Struct, frozen=True, eq=False, dict=True):
    """Whom ``policies``, which isolate the pods of ``server`` since this run, refuse there.

    ``services`` lead to these pods. ``unseen`` are pods that the tree does not show, by the ports of the Services, or
    all where there are none; ``out`` such pods that these pods do not reach where an ipBlock means no pods (Cilium).
    ``partly_read`` are the numbers of workloads, as bits of ``layout``, that could reach the pods as read, of whom
    harden does not know whom else they call: they are silent, or name a host that no Service of the tree is.
    """

    server: PodTemplate
    policies: tuple[Object, ...]
    services: tuple[Object, ...]
    unseen: Unseen
    out: Unseen
    partly_read: int
    layout: Layout

    @property
    def says_anything(self) -> bool:
        return bool(self.partly_read) or not self.unseen is self.out is Unseen.NONE

    @property
    def clients(self) -> Iterator[PodTemplate]:
        """The workloads that are partly read, in the order of the tree."""
        left = self.partly_read
        while left:
            lowest = left & -left
            yield self.layout.pods[lowest.bit_length() - 1]
            left ^= lowest

    @property
    def count(self) -> int:
        return self.partly_read.bit_count()


def merged(found: list[Shut]) -> Shut | None:
    """What copies of one workload come to, each in a cluster of its own; None for none."""
    if len(found) < 2:
        return found[0] if found else None
    policies = dict.fromkeys(policy for each in found for policy in each.policies)
    most = list(Unseen).index
    unseen = min((each.unseen for each in found), key=most)
    out = min((each.out for each in found), key=most)
    partly_read = reduce(or_, (each.partly_read for each in found))
    return structs.replace(found[0], policies=tuple(policies), unseen=unseen, out=out, partly_read=partly_read)


def sentences(found: Iterable[Shut]) -> Iterator[str]:
    """Yield for each workload whom its policies refuse, the first of them by name."""
    for shut in found:
        names, one = ", ".join(map(str, shut.policies)), len(shut.policies) == 1
        services = f" ({', '.join(map(str, shut.services))})" if shut.services else ""
        refused = [_IN[shut.unseen]] if shut.unseen is not Unseen.NONE else []
        if shut.count:
            refused.append(f"{_some(shut)}, read only in part")
        parts = [f"refuse{'s' * one} {' and '.join(refused)}"] if refused else []
        if shut.out is not Unseen.NONE:
            parts.append(f"with Cilium, let{'s' * one} its pods call no {_OUT[shut.out]}")
        yield f"{names}{services} {'; '.join(parts)}"


def _some(shut: Shut) -> str:
    shown = ", ".join(str(pod.object) for pod in islice(shut.clients, MOST_NAMED))
    more = shut.count - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


MOST_NAMED = 20
"""Of the workloads that a policy shuts out."""
_IN = {
    Unseen.ANY: "every pod that the tree does not show",
    Unseen.OTHER_NAMESPACES: "pods of other namespaces that the tree does not show",
}
_OUT = {
    Unseen.ANY: "pod that it does not name",
    Unseen.OTHER_NAMESPACES: "pod of another namespace that it does not name",
}


class ShutOut:
    """Asked for each workload that is isolated; what is the same for all of them is found once."""

    def __init__(self, tree: Tree, layout: Layout) -> None:
        self._tree = tree
        self._layout = layout
        connections = tree.ask(Connections)
        in_part = [*tree.ask(SilentWorkloads).found, *(item.pod for item in connections.unresolved)]
        self._in_part = bits([layout.numbers[pod] for pod in in_part if pod in layout.numbers])

    @cached_property
    def _services(self) -> dict[PodTemplate, list[Object]]:
        endpoints, found = Endpoints(self._tree), dict[PodTemplate, list[Object]]()
        for service in self._tree.of("", "Service"):
            for pod in endpoints.pods(service):
                found.setdefault(pod, []).append(service)
        return found

    def of(self, pod: PodTemplate, before: Network, after: Network) -> Shut:
        """Whom the policies of ``pod`` refuse ``after`` the run, and did not ``before``."""
        number = self._layout.numbers[pod]
        server, policies = after.pods[number], after.policies_of(number)
        unseen, out, closed = Unseen.NONE, Unseen.NONE, 0
        if is_newly_closed(before, after, number, "ingress"):
            unseen = self._refused(pod, server, policies)
            closed = before.sources(number) & ~after.sources(number)
        if is_newly_closed(before, after, number, "egress"):
            out = _out_of_reach(server, policies)
        origins = dict.fromkeys(policy.origin for policy in policies)
        services = tuple(self._services.get(pod, ()))
        return Shut(pod, tuple(origins), services, unseen, out, closed & self._in_part, self._layout)

    def _refused(self, pod: PodTemplate, server: Pod, policies: list[Policy]) -> Unseen:
        served = self._tree.ask(SilentWorkloads).served(pod) or ()
        ports: list[tuple[int | str | None, str]] = [(port.port, port.protocol) for port in served]
        ports = ports or [(None, "TCP")]
        for unseen, stranger in _strangers(server):
            if not all(judge(policies, stranger, server, *on).ingress.open for on in ports):
                return unseen
        return Unseen.NONE


def is_newly_closed(before: Network, after: Network, number: int, way: Direction) -> bool:
    """Whether a pod is isolated that was not; beside a policy that lets everything through none isolates it."""
    return after.is_closed(number, way) and not before.is_closed(number, way)


def _out_of_reach(client: Pod, policies: list[Policy]) -> Unseen:
    for unseen, stranger in _strangers(client):
        if not leaves(policies, client, stranger, _SOME_PORT, "TCP", blocks_cover_pods=False):
            return unseen
    return Unseen.NONE


def _strangers(pod: Pod) -> tuple[tuple[Unseen, Pod], ...]:
    """Pods that the tree does not show: of the namespace of ``pod``, and of another."""
    near = Pod(pod.namespace, {}, pod.namespace_labels)
    return (Unseen.ANY, near), (Unseen.OTHER_NAMESPACES, Pod(_ELSEWHERE, {}, {NAMESPACE_LABEL: _ELSEWHERE}))
