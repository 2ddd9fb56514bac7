"""K04: what the pods of a namespace may use of their nodes."""

from __future__ import annotations

import json

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.objects.namespace_contents import is_shared
from hardener.facts.objects.resource_limits import ResourcePolicies
from hardener.tree.core_views import Namespace

_DEFAULTS = {"defaultRequest": {"cpu": "50m", "memory": "64Mi"}, "default": {"memory": "512Mi"}}


@transform(
    each=Namespace, stage="labels", severity=Severity.LOW, absence=True, only_reports=True,
)  # fmt: skip
def namespace_bounds(namespace: Namespace) -> Steps:
    """Add a ResourceQuota or LimitRange.

    Problem: the namespace has no limit for its resources.

    Result: The namespace limits the resources that its pods use.

    Why: without a ResourceQuota or a LimitRange one namespace can take all memory and CPU time of the nodes, and a pod
    without limits can use as much as there is.

    May break: nothing, since it only reports: a quota refuses pods beyond it, and only the owner knows how much the
    namespace needs.
    """
    if not namespace.declared or not namespace.pods or namespace.tree.stream or any(map(is_shared, namespace.names)):
        return
    policies = namespace.tree.ask(ResourcePolicies)
    item = namespace.pods[0].object
    if policies.limit_ranges(item) or policies.quotas(item):
        return
    made = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "container-defaults", "namespace": str(namespace.name)},
        "spec": {"limits": [{"type": "Container", **_DEFAULTS}]},
    }
    yield namespace.finding(
        f"namespace {namespace.name} has no ResourceQuota and no LimitRange: nothing bounds what its pods take of "
        "their nodes",
        advice=f"add one with your own numbers, such as {json.dumps(made)}",
        severity=Severity.LOW,
        topic="namespace without a ResourceQuota or LimitRange",
    )
