"""Versions of built-in APIs that no API server serves any more.

Source: the Deprecated API Migration Guide of Kubernetes. Kinds of which a transform speaks are left out: those of
rbac.authorization.k8s.io (`rbac-api-version`), and PodSecurityPolicy (`psp-objects`).
"""

from __future__ import annotations

from typing import NamedTuple


class Removed(NamedTuple):
    """Not served since ``since``; ``now`` is what is served in its place."""

    since: tuple[int, int]
    now: str


# Kubernetes version, API version, kinds, what to write.
_TABLE = (
    ((1, 16), "extensions/v1beta1", "Deployment DaemonSet ReplicaSet", "apps/v1"),
    ((1, 16), "extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1"),
    ((1, 16), "apps/v1beta1", "Deployment StatefulSet", "apps/v1"),
    ((1, 16), "apps/v1beta2", "Deployment StatefulSet DaemonSet ReplicaSet", "apps/v1"),
    ((1, 21), "batch/v2alpha1", "CronJob", "batch/v1"),
    ((1, 22), "extensions/v1beta1", "Ingress", "networking.k8s.io/v1"),
    ((1, 22), "networking.k8s.io/v1beta1", "Ingress IngressClass", "networking.k8s.io/v1"),
    ((1, 22), "admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration MutatingWebhookConfiguration",
     "admissionregistration.k8s.io/v1"),
    ((1, 22), "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    ((1, 22), "apiregistration.k8s.io/v1beta1", "APIService", "apiregistration.k8s.io/v1"),
    ((1, 22), "scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1"),
    ((1, 22), "storage.k8s.io/v1beta1", "StorageClass CSIDriver CSINode VolumeAttachment", "storage.k8s.io/v1"),
    ((1, 25), "batch/v1beta1", "CronJob", "batch/v1"),
    ((1, 25), "discovery.k8s.io/v1beta1", "EndpointSlice", "discovery.k8s.io/v1"),
    ((1, 25), "autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2"),
    ((1, 25), "policy/v1beta1", "PodDisruptionBudget", "policy/v1"),
    ((1, 25), "node.k8s.io/v1beta1", "RuntimeClass", "node.k8s.io/v1"),
    ((1, 26), "autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2"),
)  # fmt: skip
_REMOVED = {(version, kind): Removed(since, now) for since, version, kinds, now in _TABLE for kind in kinds.split()}


def removed(api_version: str, kind: str) -> Removed | None:
    """What became of ``kind`` in ``api_version``; None where it is served, or not known."""
    return _REMOVED.get((api_version, kind))
