from __future__ import annotations

from hardener.declare import Steps, transform
from hardener.edits import Grade, Severity
from hardener.views import Container

from ._resources import Resources, cpu_request, judged, limit_range, memory_request


@transform(
    each=Container,
    stage="resources",
    severity=Severity.LOW,
    classes=("windows", "node-agent", "system-namespace"),
    options=Resources,
)
def resource_requests(container: Container, options: Resources) -> Steps:
    """The scheduler reserves cpu and memory for every container.

    Why: without requests a pod is placed on a node that has no room for it, and is the first to be evicted when
    memory runs short, so one greedy neighbour takes the application down.

    May break: a cluster or a quota with no room for what is reserved leaves new pods pending; the old ones keep
    running until then.
    """
    if not judged(container):
        return
    amounts = {"cpu": cpu_request(container, options), "memory": memory_request(container, options)}
    wanted = {resource: amount for resource, amount in amounts.items() if amount is not None}
    if not wanted:
        return
    refused = limit_range(container, " and ".join(wanted) + " request")
    if refused is not None:
        yield refused
        return
    for resource, amount in wanted.items():
        yield container.set(
            "resources", "requests", resource, to=amount.text,
            grade=Grade.REVIEW, basis=amount.basis, evidence=amount.facts,
        )  # fmt: skip
