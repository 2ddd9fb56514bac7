"""The order in which people write the keys of Kubernetes types, so that a new key lands where a reviewer expects it.

There is no official order; this one follows kubectl's documentation and the manifests of large projects. It is asked
only where to put a NEW key: keys that exist are never moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

_METADATA = ("apiVersion", "kind", "metadata")
_OBJECT = (*_METADATA, "immutable", "type", "spec", "template", "data", "stringData", "binaryData", "status")

# Type -> its keys in order. A key that is not named has no place of its own.
ORDER: dict[str, tuple[str, ...]] = {
    "Object": _OBJECT,
    "Service": _OBJECT,
    "Namespace": _OBJECT,
    "NetworkPolicy": _OBJECT,
    "AuditPolicy": (*_METADATA, "omitStages", "omitManagedFields", "rules"),
    "Workload": _OBJECT,
    "CronJob": _OBJECT,
    "Pod": _OBJECT,
    "ServiceAccount": (*_METADATA, "automountServiceAccountToken", "imagePullSecrets", "secrets"),
    "Role": (*_METADATA, "aggregationRule", "rules"),
    "RoleBinding": (*_METADATA, "roleRef", "subjects"),
    "Kustomization": (
        *_METADATA, "namespace", "namePrefix", "nameSuffix", "commonLabels", "labels", "commonAnnotations", "resources",
        "components", "configMapGenerator", "secretGenerator", "generatorOptions", "patches", "patchesStrategicMerge",
        "patchesJson6902", "replacements", "images", "replicas",
    ),
    "KustomizationImage": ("name", "newName", "newTag", "digest"),
    "ObjectMeta": ("name", "generateName", "namespace", "labels", "annotations", "ownerReferences", "finalizers"),
    "WorkloadSpec": (
        "serviceName", "replicas", "revisionHistoryLimit", "minReadySeconds", "strategy", "updateStrategy",
        "parallelism", "completions", "backoffLimit", "selector", "template", "volumeClaimTemplates",
    ),
    "CronJobSpec": (
        "schedule", "timeZone", "suspend", "concurrencyPolicy", "startingDeadlineSeconds", "successfulJobsHistoryLimit",
        "failedJobsHistoryLimit", "jobTemplate",
    ),
    "JobTemplateSpec": ("metadata", "spec"),
    "PodTemplateSpec": ("metadata", "spec"),
    "PodSpec": (
        "os", "hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace", "dnsPolicy", "dnsConfig",
        "hostname", "subdomain", "hostAliases", "runtimeClassName", "serviceAccountName", "serviceAccount",
        "automountServiceAccountToken", "enableServiceLinks", "securityContext", "imagePullSecrets", "initContainers",
        "containers", "ephemeralContainers", "volumes",
        # Below: written behind the containers as often as before them, so that no new key is drawn to them.
        "restartPolicy", "terminationGracePeriodSeconds", "activeDeadlineSeconds", "nodeName", "nodeSelector",
        "affinity", "tolerations", "topologySpreadConstraints", "priorityClassName", "priority", "preemptionPolicy",
        "schedulerName",
    ),
    "PodSecurityContext": (
        "runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "supplementalGroups",
        "supplementalGroupsPolicy", "seccompProfile", "appArmorProfile", "seLinuxOptions", "sysctls", "windowsOptions",
    ),
    "Sysctl": ("name", "value"),
    "SeccompProfile": ("type", "localhostProfile"),
    "AppArmorProfile": ("type", "localhostProfile"),
    "Container": (
        "name", "image", "imagePullPolicy", "restartPolicy", "command", "args", "workingDir", "ports", "envFrom", "env",
        "resources", "resizePolicy", "securityContext", "volumeMounts", "volumeDevices", "startupProbe",
        "livenessProbe", "readinessProbe", "lifecycle", "terminationMessagePath", "terminationMessagePolicy", "stdin",
        "stdinOnce", "tty",
    ),
    "SecurityContext": (
        "privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "runAsNonRoot", "runAsUser", "runAsGroup",
        "capabilities", "procMount", "seccompProfile", "appArmorProfile", "seLinuxOptions", "windowsOptions",
    ),
    "Capabilities": ("drop", "add"),
    "ResourceRequirements": ("claims", "requests", "limits"),
    "ResourceList": ("cpu", "memory", "ephemeral-storage"),
    "ContainerPort": ("name", "containerPort", "protocol", "hostPort", "hostIP"),
    "EnvVar": ("name", "value", "valueFrom"),
    "EnvVarSource": ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"),
    "KeySelector": ("name", "key", "optional"),
    "Probe": (
        "httpGet", "tcpSocket", "exec", "grpc", "initialDelaySeconds", "periodSeconds", "timeoutSeconds",
        "successThreshold", "failureThreshold", "terminationGracePeriodSeconds",
    ),
    "Lifecycle": ("postStart", "preStop", "stopSignal"),
    "VolumeMount": (
        "name", "mountPath", "subPath", "subPathExpr", "readOnly", "recursiveReadOnly", "mountPropagation",
    ),
    "Volume": ("name", "configMap", "secret", "projected", "downwardAPI", "emptyDir", "persistentVolumeClaim"),
    "EmptyDir": ("medium", "sizeLimit"),
    "HostPath": ("path", "type"),
    "SecretVolume": ("secretName", "defaultMode", "optional", "items"),
    "ConfigMapVolume": ("name", "defaultMode", "optional", "items"),
    "KeyToPath": ("key", "path", "mode"),
    "ProjectedVolume": ("defaultMode", "sources"),
    "ServiceAccountTokenProjection": ("path", "expirationSeconds", "audience"),
    "ServiceSpec": (
        "type", "clusterIP", "clusterIPs", "ipFamilyPolicy", "ipFamilies", "loadBalancerClass", "loadBalancerIP",
        "loadBalancerSourceRanges", "externalTrafficPolicy", "internalTrafficPolicy", "sessionAffinity", "selector",
        "ports",
    ),
    "ServicePort": ("name", "protocol", "appProtocol", "port", "targetPort", "nodePort"),
    "NetworkPolicySpec": ("podSelector", "policyTypes", "ingress", "egress"),
    "NetworkPolicyIngressRule": ("from", "ports"),
    "NetworkPolicyEgressRule": ("to", "ports"),
    "NetworkPolicyPeer": ("ipBlock", "namespaceSelector", "podSelector"),
    "NetworkPolicyPort": ("protocol", "port", "endPort"),
    "IPBlock": ("cidr", "except"),
    "LabelSelector": ("matchLabels", "matchExpressions"),
    "LabelSelectorRequirement": ("key", "operator", "values"),
    "PolicyRule": ("apiGroups", "resources", "resourceNames", "verbs", "nonResourceURLs"),
    "RoleRef": ("apiGroup", "kind", "name"),
    "Subject": ("kind", "apiGroup", "name", "namespace"),
}  # fmt: skip
# The spec of an object whose kind the caller does not tell: the specs a pod template or a Service can be in, as one.
ORDER["ObjectSpec"] = tuple(
    dict.fromkeys((*ORDER["ServiceSpec"], *ORDER["WorkloadSpec"], *ORDER["CronJobSpec"], *ORDER["PodSpec"]))
)

_TYPE_OF_KIND = {
    **dict.fromkeys(("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController"), "Workload"),
    **dict.fromkeys(("Job", "Rollout", "DeploymentConfig"), "Workload"),
    **dict.fromkeys(("Role", "ClusterRole"), "Role"),
    **dict.fromkeys(("RoleBinding", "ClusterRoleBinding"), "RoleBinding"),
    **{kind: kind for kind in ("CronJob", "Kustomization", "NetworkPolicy", "Pod", "Service", "ServiceAccount")},
}

_KEY_SELECTORS = {("EnvVarSource", key): "KeySelector" for key in ("configMapKeyRef", "secretKeyRef")}

# (type, key) -> type of the value, or of the items when the value is a list.
FIELD: dict[tuple[str, str], str] = {
    **{(kind, "metadata"): "ObjectMeta" for kind, keys in ORDER.items() if "metadata" in keys},
    ("Object", "spec"): "ObjectSpec",
    ("Object", "template"): "PodTemplateSpec",
    ("Workload", "spec"): "WorkloadSpec",
    ("WorkloadSpec", "template"): "PodTemplateSpec",
    ("WorkloadSpec", "selector"): "LabelSelector",
    ("CronJob", "spec"): "CronJobSpec",
    ("CronJobSpec", "jobTemplate"): "JobTemplateSpec",
    ("JobTemplateSpec", "spec"): "WorkloadSpec",
    ("PodTemplateSpec", "spec"): "PodSpec",
    ("Pod", "spec"): "PodSpec",
    ("PodSpec", "securityContext"): "PodSecurityContext",
    ("PodSpec", "containers"): "Container",
    ("PodSpec", "initContainers"): "Container",
    ("PodSpec", "ephemeralContainers"): "Container",
    ("PodSpec", "volumes"): "Volume",
    ("PodSpec", "resources"): "ResourceRequirements",
    ("PodSecurityContext", "seccompProfile"): "SeccompProfile",
    ("PodSecurityContext", "appArmorProfile"): "AppArmorProfile",
    ("PodSecurityContext", "sysctls"): "Sysctl",
    ("SecurityContext", "seccompProfile"): "SeccompProfile",
    ("SecurityContext", "appArmorProfile"): "AppArmorProfile",
    ("SecurityContext", "capabilities"): "Capabilities",
    ("Container", "securityContext"): "SecurityContext",
    ("Container", "resources"): "ResourceRequirements",
    ("Container", "ports"): "ContainerPort",
    ("Container", "env"): "EnvVar",
    ("Container", "volumeMounts"): "VolumeMount",
    ("Container", "lifecycle"): "Lifecycle",
    ("Container", "startupProbe"): "Probe",
    ("Container", "livenessProbe"): "Probe",
    ("Container", "readinessProbe"): "Probe",
    ("EnvVar", "valueFrom"): "EnvVarSource",
    **_KEY_SELECTORS,
    ("ResourceRequirements", "requests"): "ResourceList",
    ("ResourceRequirements", "limits"): "ResourceList",
    ("Volume", "emptyDir"): "EmptyDir",
    ("Volume", "hostPath"): "HostPath",
    ("Volume", "secret"): "SecretVolume",
    ("Volume", "configMap"): "ConfigMapVolume",
    ("Volume", "projected"): "ProjectedVolume",
    ("SecretVolume", "items"): "KeyToPath",
    ("ConfigMapVolume", "items"): "KeyToPath",
    ("ProjectedVolume", "sources"): "VolumeProjection",
    ("VolumeProjection", "serviceAccountToken"): "ServiceAccountTokenProjection",
    ("Service", "spec"): "ServiceSpec",
    ("ServiceSpec", "ports"): "ServicePort",
    ("NetworkPolicy", "spec"): "NetworkPolicySpec",
    ("NetworkPolicySpec", "podSelector"): "LabelSelector",
    ("NetworkPolicySpec", "ingress"): "NetworkPolicyIngressRule",
    ("NetworkPolicySpec", "egress"): "NetworkPolicyEgressRule",
    ("NetworkPolicyIngressRule", "from"): "NetworkPolicyPeer",
    ("NetworkPolicyIngressRule", "ports"): "NetworkPolicyPort",
    ("NetworkPolicyEgressRule", "to"): "NetworkPolicyPeer",
    ("NetworkPolicyEgressRule", "ports"): "NetworkPolicyPort",
    ("NetworkPolicyPeer", "ipBlock"): "IPBlock",
    ("NetworkPolicyPeer", "podSelector"): "LabelSelector",
    ("NetworkPolicyPeer", "namespaceSelector"): "LabelSelector",
    ("LabelSelector", "matchExpressions"): "LabelSelectorRequirement",
    ("Role", "rules"): "PolicyRule",
    ("RoleBinding", "roleRef"): "RoleRef",
    ("RoleBinding", "subjects"): "Subject",
    ("Kustomization", "images"): "KustomizationImage",
}
FIELD.update(
    {
        ("ObjectSpec", key): value
        for (parent, key), value in FIELD.items()
        if parent in ("WorkloadSpec", "CronJobSpec", "ServiceSpec", "PodSpec") and key != "selector"
    }
)
_POSITION = {name: {key: index for index, key in enumerate(keys)} for name, keys in ORDER.items()}


def of_kind(kind: object) -> str:
    """The type of a whole object by its `kind`; "Object" when nothing more is known of it."""
    return _TYPE_OF_KIND.get(kind, "Object") if isinstance(kind, str) else "Object"


def child(type_name: str | None, key: object) -> str | None:
    """The type below `key` of a type; a list index keeps the type, since a list has the type of its items."""
    if type_name is None or isinstance(key, int):
        return type_name
    return FIELD.get((type_name, key)) if isinstance(key, str) else None


def place(type_name: str | None, existing: Sequence[object], new: str) -> tuple[str, str | None]:
    """Where a new key goes among the existing ones: ("after", key), ("before", key) or ("end", None).

    Behind the existing key that comes nearest before it in the order of the type, and behind those that follow there
    and are earlier too; without one, before the existing key that comes first behind it. Unknown type or key, or no
    known neighbour: at the end.
    """
    positions = _POSITION.get(type_name or "", {})
    if new not in positions:
        return "end", None
    return _place(type_name or "", tuple(existing), new)


@lru_cache(maxsize=4096)  # mappings of one type have the same few keys all over a tree
def _place(type_name: str, existing: tuple[object, ...], new: str) -> tuple[str, str | None]:
    positions = _POSITION[type_name]
    wanted = positions[new]
    known = [(positions[key], key) for key in existing if isinstance(key, str) and key in positions and key != new]
    earlier = [pair for pair in known if pair[0] < wanted]
    if earlier:
        # Past the keys that follow there and are earlier too, so that `image`, `name` in this order stay together.
        anchor = max(earlier)[1]
        start = next(index for index, (_, key) in enumerate(known) if key == anchor)
        for position, key in known[start + 1 :]:
            if position > wanted:
                break
            anchor = key
        return "after", anchor
    return ("before", min(known)[1]) if known else ("end", None)
