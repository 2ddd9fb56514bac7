"""What the NetworkPolicies of a run close, in numbers; nothing is counted for a run that changes none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from hardener.engine.outcome import Outcome
from hardener.report.reachability.measure import Reachability, measure
from hardener.report.reachability.shut_out import Unseen

_SHOWN = 5


def reached(outcome: Outcome) -> Reachability | None:
    """Return who can reach whom before and after the run; None where it touches no NetworkPolicy."""
    if not any((c.object.group, c.object.kind) == ("networking.k8s.io", "NetworkPolicy") for c in outcome.changes):
        return None

    return measure(outcome.tree)


def lines(found: Reachability) -> Iterator[str]:
    """Yield the numbers for people, and by name what is lost."""
    parts = []
    if found.edges:
        parts.append(f"{found.edges - len(found.lost)} of {found.edges} connections that the tree names stay open")
    if found.open_before:
        parts.append(
            f"pairs of workloads that can talk: {found.open_before} before, {found.open_after} after "
            f"({_share(found.open_before, found.open_after)} % closed{_kept(found)})"
        )
    if parts:
        yield "; ".join(parts)
    if found.lost:
        yield f"cut, although the manifests show them: {_some([_edge(edge) for edge in found.lost])}"
    by_egress = {id(entry) for entry in found.out_of_reach}
    if closed := [f"{each.server.object} ({each.way})" for each in found.entries_lost if id(each) not in by_egress]:
        yield f"closed to what came in from elsewhere: {_some(closed)}"
    if found.out_of_reach:
        servers = [str(entry.server.object) for entry in found.out_of_reach]
        yield f"some workloads of their namespace, whose egress is closed, cannot call them any more: {_some(servers)}"
    if found.dns_lost:
        yield f"cannot ask the DNS of the cluster any more: {_some([str(pod.object) for pod in found.dns_lost])}"


def shut_line(found: Reachability) -> str | None:
    """Return how many workloads are closed to whom harden has not understood; None where none is."""
    refused, out = Counter(shut.unseen for shut in found.shut), Counter(shut.out for shut in found.shut)
    parts = [f"{_workloads(refused[each])} closed to {pods}" for each, pods in _PODS.items() if refused[each]]
    if clients := reduce(or_, (shut.partly_read for shut in found.shut), 0).bit_count():
        by = sum(shut.count > 0 for shut in found.shut)
        parts.append(f"{_workloads(by)} closed to {_workloads(clients)} read only in part")
    if calling := sum(number for each, number in out.items() if each is not Unseen.NONE):
        parts.append(f"with Cilium {_workloads(calling)} can call only pods that a policy names")
    return f"{'; '.join(parts)} (-v has each)" if parts else None


_PODS = {
    Unseen.ANY: "pods that the tree does not show",
    Unseen.OTHER_NAMESPACES: "pods of other namespaces that the tree does not show",
}


def _workloads(number: int) -> str:
    return f"{number} workload{'s' * (number != 1)}"


def record(found: Reachability) -> dict[str, Any]:
    """Return the numbers of ``found`` as JSON has them."""
    return {
        "isolated": len(found.isolated),
        "pairs": found.pairs,
        "openBefore": found.open_before,
        "openAfter": found.open_after,
        "keptNamed": found.kept_named,
        "keptPartlyRead": found.kept_in_part,
        "connections": found.edges,
        "connectionsLost": len(found.lost),
        "entries": found.entries,
        "entriesLost": len(found.entries_lost),
        "dnsLost": len(found.dns_lost),
    }


def _kept(found: Reachability) -> str:
    """Why what is open stays open, beside what is closed."""
    anyway = found.open_after - found.kept_named - found.kept_in_part
    reasons = (
        (found.kept_named, "named in the tree"),
        (found.kept_in_part, "open since a workload is only partly read"),
        (anyway, "open since anybody may connect"),
    )
    return "".join(f"; {count} {why}" for count, why in reasons if count)


def _edge(edge: Any) -> str:
    ports = "/".join(map(str, edge.ports))
    return f"{edge.client.object} to {edge.server.object}" + (f" port {ports}" if ports else "")


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _share(before: int, after: int) -> int:
    """How much is closed in percent: 100 only where all is, 0 only where nothing is."""
    closed = before - after
    return 0 if closed <= 0 else 100 if not after else min(99, max(1, round(100 * closed / before)))
