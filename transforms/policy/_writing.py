"""What the policies of all engines have in common when they are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.verdict import Effect, Verdict, verdict
from hardener.facts.access.admission import PolicyHome, Shown, differing_fields
from hardener.tree.core_views import Object

TOPIC = "policies"
_IMPACT = "objects-refused"
_MOST = 3  # namespaces that are named as evidence


def create(home: PolicyHome, value: dict[str, Any], spaces: Sequence[Shown] = ()) -> Edit:
    """Return a new object; one that refuses in ``spaces`` where there are any."""
    if not spaces:
        inert = verdict(known=[*home.reasons, _inert(home)], basis=Basis.PROVED)
        return home.create(TOPIC, value, **inert.words)
    return home.create(TOPIC, value, impact=_IMPACT, **_passing(spaces).words)


def extend(item: Object, spaces: Sequence[Shown], *path: str | int) -> Iterator[Edit]:
    """Yield the namespaces of ``spaces`` that the list of names at ``path`` lacks."""
    names = item.strings(*path)
    for space in spaces:
        if space.name not in names:
            yield item.append(*path, value=space.name, **_passing([space]).words)


def older(item: Object, wanted: dict[str, Any]) -> Iterator[Finding]:
    """Yield the finding that a policy of this program asks for something else than ``wanted``, the spec that is written
    today. What stands in the tree may be changed by hand, so it is left as it is."""
    names = differing_fields(item, wanted)
    if item.editable and names:
        text = f"{item} asks for something else than what this version writes: {', '.join(names)}"
        advice = "delete it (its bindings stay) and run harden again, unless it was changed by hand for a reason"
        yield item.finding(text, "spec", advice=advice, severity=Severity.MEDIUM)


def _passing(spaces: Sequence[Shown]) -> Verdict:
    return verdict(known=facts(spaces), effect=Effect.WATCHED, basis=Basis.PROVED)


def _inert(home: PolicyHome) -> Evidence:
    return home.fact("warnings and audit records refuse nothing")


def facts(spaces: Sequence[Shown]) -> list[Evidence]:
    """Return the facts that all that is shown of ``spaces`` passes."""
    found = []
    for space in spaces[:_MOST]:
        count = len({id(pod.object) for pod in space.namespace.pods})
        workloads = "the only workload" if count == 1 else f"all {count} workloads"
        verb = "passes" if count == 1 else "pass"
        found.append(space.namespace.fact(f"{workloads} that the tree shows of namespace {space.name} {verb}"))
    more = len(spaces) - _MOST
    if more > 0:
        found.append(Evidence(f"and so for {more} more namespaces"))
    return found
