"""What autoscalers of the tree do with the requests of a container."""

from __future__ import annotations

from hardener.authoring.edits import WrongShapeError
from hardener.facts.objects.resource_limits import ResourcePolicies
from hardener.tree.core_views import Container, Object, View

_SCALED = ("cpu", "memory")


def vertical(container: Container, resource: str) -> Object | None:
    """Return the VerticalPodAutoscaler that sets ``resource`` of ``container``, or None."""
    if resource not in _SCALED:
        return None
    for item in container.tree.ask(ResourcePolicies).vertical_autoscalers(container.pod.object):
        if _sets(item, container.name, resource):
            return item
    return None


def _sets(autoscaler: Object, name: str, resource: str) -> bool:
    # Without quotes, Off is the boolean false to a YAML reader. Without a mode the autoscaler acts.
    try:
        if autoscaler.get("spec", "updatePolicy", "updateMode") in ("Off", False):
            return False
        policies = {policy.text("containerName"): policy for policy in _policies(autoscaler)}
        policy = policies.get(name) or policies.get("*")
        if policy is None:
            return True
        controlled = policy.strings("controlledResources") or _SCALED
        return policy.get("mode") not in ("Off", False) and resource in controlled
    except WrongShapeError:
        return False  # the API server refuses it


def _policies(autoscaler: Object) -> list[View]:
    return autoscaler.items("spec", "resourcePolicy", "containerPolicies")


def horizontal(container: Container, resource: str) -> Object | None:
    """Return the HorizontalPodAutoscaler that scales by the use of ``resource`` relative to its request, or None."""
    for item in container.tree.ask(ResourcePolicies).horizontal_autoscalers(container.pod.object):
        if _scales_by(item, container.name, resource):
            return item
    return None


def _scales_by(autoscaler: Object, name: str, resource: str) -> bool:
    try:
        metrics = autoscaler.items("spec", "metrics")
        if not metrics:
            return resource == "cpu"  # autoscaling/v1 knows no other, and v2 defaults to it
        return any(_is_relative(metric, name, resource) for metric in metrics)
    except WrongShapeError:
        return False


def _is_relative(metric: View, name: str, resource: str) -> bool:
    for key in ("resource", "containerResource"):
        source = metric.view(key)
        if source.text("name") != resource or source.text("container") not in (None, name):
            continue
        # v2beta1 has the number beside the name, later versions have it in a target of a type.
        if source.has("targetAverageUtilization") or source.text("target", "type") == "Utilization":
            return True
    return False
