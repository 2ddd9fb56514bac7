"""Which fields of the objects that this program looks at are mappings, and which are lists.

An API server decodes an object before it looks at it, and refuses one in which a field has another form. Source: the
schemas of Kubernetes, against which a test compares the table.
"""

from __future__ import annotations

from typing import NamedTuple

from hardener.kubernetes.pods.pod_template import group
from hardener.support.data_path import Path

# A field is "{" a mapping, "[" a list, "[{" a list of mappings, "Type" a mapping with these fields, "[Type" a list of
# such. What is not named may be anything.
_WORKLOAD = {"selector": "{", "template": "PodTemplateSpec", "strategy": "{", "updateStrategy": "{",
             "volumeClaimTemplates": "[{"}  # fmt: skip
_PROBES = dict.fromkeys(("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"), "{")
TYPES: dict[str, dict[str, str]] = {
    "ObjectMeta": {"labels": "{", "annotations": "{", "ownerReferences": "[{", "finalizers": "["},
    "PodTemplateSpec": {"metadata": "ObjectMeta", "spec": "PodSpec"},
    "PodSpec": {
        "initContainers": "[Container", "containers": "[Container", "ephemeralContainers": "[{", "volumes": "[{",
        "imagePullSecrets": "[{", "tolerations": "[{", "hostAliases": "[{", "topologySpreadConstraints": "[{",
        "readinessGates": "[{", "nodeSelector": "{", "affinity": "{", "dnsConfig": "{", "os": "{",
        "securityContext": "PodSecurityContext",
    },
    "Container": {
        "command": "[", "args": "[", "ports": "[{", "env": "[{", "envFrom": "[{", "volumeMounts": "[{",
        "volumeDevices": "[{", "resources": "ResourceRequirements", "securityContext": "SecurityContext", **_PROBES,
    },
    "ResourceRequirements": {"limits": "{", "requests": "{", "claims": "[{"},
    "SecurityContext": {
        "capabilities": "Capabilities", "seccompProfile": "{", "appArmorProfile": "{", "seLinuxOptions": "{",
        "windowsOptions": "{",
    },
    "PodSecurityContext": {
        "seccompProfile": "{", "appArmorProfile": "{", "seLinuxOptions": "{", "windowsOptions": "{", "sysctls": "[{",
        "supplementalGroups": "[",
    },
    "Capabilities": {"add": "[", "drop": "["},
    "DeploymentSpec": {key: _WORKLOAD[key] for key in ("selector", "template", "strategy")},
    "DaemonSetSpec": {key: _WORKLOAD[key] for key in ("selector", "template", "updateStrategy")},
    "StatefulSetSpec": {
        key: _WORKLOAD[key] for key in ("selector", "template", "updateStrategy", "volumeClaimTemplates")
    },
    "ReplicaSetSpec": {key: _WORKLOAD[key] for key in ("selector", "template")},
    "ReplicationControllerSpec": {key: _WORKLOAD[key] for key in ("selector", "template")},
    "JobSpec": {key: _WORKLOAD[key] for key in ("selector", "template")},
    "CronJobSpec": {"jobTemplate": "JobTemplateSpec"},
    "JobTemplateSpec": {"metadata": "ObjectMeta", "spec": "JobSpec"},
    "ServiceSpec": {
        "ports": "[{", "selector": "{", "externalIPs": "[", "loadBalancerSourceRanges": "[", "clusterIPs": "[",
        "ipFamilies": "[",
    },
    "IngressSpec": {"rules": "[{", "tls": "[{", "defaultBackend": "{"},
    "NetworkPolicySpec": {"podSelector": "{", "ingress": "[{", "egress": "[{", "policyTypes": "["},
    "LimitRangeSpec": {"limits": "[{"},
    "ResourceQuotaSpec": {"hard": "{", "scopes": "["},
    "PersistentVolumeSpec": {
        "capacity": "{", "accessModes": "[", "hostPath": "{", "local": "{", "nfs": "{", "csi": "{", "claimRef": "{",
        "nodeAffinity": "{", "mountOptions": "[",
    },
    "HorizontalPodAutoscalerSpec": {"scaleTargetRef": "{", "metrics": "[{"},
}  # fmt: skip
_RULES = {"rules": "[{", "aggregationRule": "{"}
_BINDING = {"roleRef": "{", "subjects": "[{"}
_DATA = {"data": "{", "binaryData": "{"}
_RBAC = "rbac.authorization.k8s.io"
KINDS: dict[tuple[str, str], dict[str, str]] = {
    ("", "Pod"): {"spec": "PodSpec"},
    ("", "ReplicationController"): {"spec": "ReplicationControllerSpec"},
    ("", "PodTemplate"): {"template": "PodTemplateSpec"},
    ("", "Service"): {"spec": "ServiceSpec"},
    ("", "ServiceAccount"): {"secrets": "[{", "imagePullSecrets": "[{"},
    ("", "ConfigMap"): _DATA,
    ("", "Secret"): {"data": "{", "stringData": "{"},
    ("", "Namespace"): {"spec": "{"},
    ("", "LimitRange"): {"spec": "LimitRangeSpec"},
    ("", "ResourceQuota"): {"spec": "ResourceQuotaSpec"},
    ("", "PersistentVolume"): {"spec": "PersistentVolumeSpec"},
    **{("apps", kind): {"spec": f"{kind}Spec"} for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")},
    ("batch", "Job"): {"spec": "JobSpec"},
    ("batch", "CronJob"): {"spec": "CronJobSpec"},
    ("networking.k8s.io", "Ingress"): {"spec": "IngressSpec"},
    ("networking.k8s.io", "NetworkPolicy"): {"spec": "NetworkPolicySpec"},
    ("autoscaling", "HorizontalPodAutoscaler"): {"spec": "HorizontalPodAutoscalerSpec"},
    (_RBAC, "Role"): {"rules": "[{"},
    (_RBAC, "ClusterRole"): _RULES,
    (_RBAC, "RoleBinding"): _BINDING,
    (_RBAC, "ClusterRoleBinding"): _BINDING,
}
"""(API group, kind) to the fields of the object beside its metadata; versions do not differ in them."""


class Misshapen(NamedTuple):
    """A field that has another form: where it is, whether it is to be a list (else a mapping), and what it is."""

    path: Path
    is_list: bool
    found: str


def misshapen(document: dict[str, object]) -> Misshapen | None:
    """The first field of ``document`` that an API server would not decode; None where there is none, and for a kind
    that the table does not hold. A text that is filled in later may become anything."""
    fields = _FIELDS.get((group(document.get("apiVersion")), str(document.get("kind"))))
    return _in(fields, document) if fields is not None else None


_FIELDS = {kind: {"metadata": "ObjectMeta"} | fields for kind, fields in KINDS.items()}


def _in(fields: dict[str, str], holder: dict[str, object]) -> Misshapen | None:
    """The first of ``fields`` that has another form in ``holder``, where its path begins."""
    found: dict[str, Misshapen] = {}
    for key, value in holder.items():  # a table names many fields, and an object has few
        form = fields.get(key)
        if form is not None and value is not None and (wrong := _judge(form, value)) is not None:
            found[key] = _below(key, wrong)
    return next((found[key] for key in fields if key in found), None) if found else None


def _judge(form: str, value: object) -> Misshapen | None:
    """What of ``value`` has another form than ``form``, where its path begins."""
    if form[0] == "[":
        if not isinstance(value, list):
            return _wrong(value, is_list=True)
        inner = form[1:]
        for index, item in enumerate(value) if inner else ():
            if item is not None and (wrong := _judge(inner, item)) is not None:
                return _below(index, wrong)
        return None
    if not isinstance(value, dict):
        return _wrong(value, is_list=False)
    return _in(TYPES[form], value) if form != "{" else None


def _below(part: str | int, wrong: Misshapen) -> Misshapen:
    return wrong._replace(path=(part, *wrong.path))


def _wrong(value: object, *, is_list: bool) -> Misshapen | None:
    if isinstance(value, str) and ("$" in value or "{{" in value):
        return None
    found = "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "a single value"
    return Misshapen((), is_list, found)
