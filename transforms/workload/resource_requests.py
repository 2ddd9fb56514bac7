from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Edit, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.kubernetes.objects import quantity
from hardener.tree.core_views import Container

from ._autoscalers import horizontal
from ._resources import Amount, Resources, has_number, request_of, written


@transform(
    each=Container,
    stage="resources",
    severity=Severity.LOW,
    classes=("windows", "node-agent", "system-namespace", "partial"),
    options=Resources,
    after=("cpu-limit", "memory-limit"),
    # Of cpu and memory: checkov/kubernetes/checks/resource, and the controls library of Kubescape.
    peers=(
        "kube-linter:unset-cpu-requirements",
        "kube-linter:unset-memory-requirements",
        "checkov:CKV_K8S_10",
        "checkov:CKV_K8S_12",
        "polaris:cpuRequestsMissing",
        "polaris:memoryRequestsMissing",
        "kubescape:C-0268",
        "kubescape:C-0269",
    ),
)
def resource_requests(container: Container, options: Resources) -> Steps:
    """Set CPU and memory requests.

    Problem: {container} has no suitable CPU or memory request.

    Result: The scheduler reserves CPU and memory for the container.

    Why: without requests a pod is placed on a node that has no room for it, and is the first to be evicted when
    memory runs short, so one greedy neighbour takes the application down.

    May break: a cluster or a quota with no room for what is reserved leaves new pods pending; the old ones keep
    running until then.
    """
    if not has_number(container, "cpu"):
        yield from written(container, "requests", "cpu", request_of("cpu", container, options), options)
    if options.equal_memory and container.has("resources", "limits", "memory"):
        yield from _as_the_limit(container, options)
    elif not has_number(container, "memory"):
        yield from written(container, "requests", "memory", request_of("memory", container, options), options)


def _as_the_limit(container: Container, options: Resources) -> Iterator[Edit | Finding]:
    """The memory request becomes equal to the limit, so that the container is not killed for memory it was shown."""
    limit = container.get("resources", "limits", "memory")
    request = container.get("resources", "requests", "memory")
    amount, now = quantity.parse(limit), quantity.parse(request)
    if amount is None or amount == now or (request is not None and (now is None or now > amount)):
        return
    usual = Resources()
    if now == quantity.parse(usual.memory_request) and amount == quantity.parse(usual.memory_limit):
        text = (
            "the memory request stays below its limit: both are as large as the defaults, so the real need is not known"
        )
        advice = "measure its use under load, and set both to that plus a reserve"
        yield container.finding(text, "resources", "requests", "memory", advice=advice, severity=Severity.LOW)
        return
    scaler = horizontal(container, "memory") if request is not None else None
    if scaler is not None:
        text = f"the memory request stays below its limit: {scaler} scales by the use of memory relative to it"
        advice = "raise the request together with the target of the autoscaler"
        yield container.finding(text, "resources", "requests", "memory", advice=advice, severity=Severity.LOW)
        return
    fact = container.fact("equal to its limit", "resources", "limits", "memory")
    yield from written(container, "requests", "memory", Amount(str(limit), [fact]), options)
