from __future__ import annotations

from hardener.declare import Steps, transform
from hardener.edits import Grade, Severity
from hardener.views import Container

from ._resources import Resources, judged, limit_range, memory_is_unknowable
from ._resources import memory_limit as limit_of


@transform(
    each=Container,
    stage="resources",
    severity=Severity.LOW,
    classes=("windows", "node-agent", "system-namespace"),
    options=Resources,
    after=("resource-requests",),
)
def memory_limit(container: Container, options: Resources) -> Steps:
    """A container stops at a memory limit.

    Why: a leak, or a miner that came in through a bug, is stopped in its own container instead of starving the node
    and every pod on it.

    May break: a process that needs more is killed, perhaps only under load and long after the rollout.
    """
    amount = limit_of(container, options) if judged(container) else None
    if amount is None:
        return
    unknowable = memory_is_unknowable(container, options)
    if unknowable:
        yield container.finding(
            f"no memory limit is written: {unknowable}, and the manifest holds no number",
            "resources",
            advice="measure what it uses under load and set resources.limits.memory to that with room to spare",
            severity=Severity.LOW,
        )
        return
    refused = limit_range(container, "memory limit")
    if refused is not None:
        yield refused
        return
    yield container.set(
        "resources", "limits", "memory", to=amount.text,
        grade=Grade.REVIEW, basis=amount.basis, evidence=amount.facts, late=True,
    )  # fmt: skip
