"""Which text is worth parsing: most of the bytes of a real tree are CRDs and other things that are never looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardener.kubernetes.components.bare_document import may_be_bare
from hardener.kubernetes.components.kubeconfig import is_kubeconfig
from hardener.kubernetes.network.ingress import ROUTES
from hardener.kubernetes.objects.kind_names import may_be_misspelt
from hardener.kubernetes.pods.custom_resource import may_loosen, may_name_images, may_name_services
from hardener.kubernetes.pods.kubectl_flags import may_make, may_start
from hardener.kubernetes.pods.operator_pods import OPERATED, RENDERED_ELSEWHERE
from hardener.kubernetes.pods.operator_templates import HOLDERS, TEMPLATES
from hardener.kubernetes.pods.pod_template import PARTIAL_KINDS, POD_KINDS
from hardener.support.late_pattern import late_pattern

INTERESTING: frozenset[str] = POD_KINDS | PARTIAL_KINDS | {kind for _, kind in (*RENDERED_ELSEWHERE, *ROUTES)} | {
    "Service", "ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Gateway",
    "SecurityContextConstraints", "ExternalSecret", "ClusterExternalSecret", "SecretStore", "ClusterSecretStore",
    "EncryptionConfiguration", "ClusterConfig",
    "EC2NodeClass", "AWSMachineTemplate", "AWSManagedControlPlane", "InstanceGroup",
    "Policy", "ClusterPolicy", "ValidatingPolicy", "NamespacedValidatingPolicy", "ImageValidatingPolicy",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding", "ConstraintTemplate", "PodSecurityPolicy",
    "AdmissionConfiguration", "PodSecurityConfiguration",
    "Namespace", "NetworkPolicy", "HorizontalPodAutoscaler", "VerticalPodAutoscaler", "LimitRange",
    "ResourceQuota", "ClusterConfiguration", "InitConfiguration", "JoinConfiguration", "KubeadmControlPlane",
    "KubeadmControlPlaneTemplate", "KubeadmConfig", "KubeadmConfigTemplate", "KubeletConfiguration",
    "KubeProxyConfiguration", "KubeSchedulerConfiguration", "AuthenticationConfiguration", "PersistentVolume",
    "APIService", "ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig", "AppProject", "StorageClass",
    "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "AdminNetworkPolicy",
    "ClusterNetworkPolicy", "PeerAuthentication", "AuthorizationPolicy", "PolicyException", "ResourceClaim",
    "ResourceClaimTemplate", "AuthorizationConfiguration", "CredentialProviderConfig", "ReferenceGrant",
    "BackendTLSPolicy", "ServersTransport", "ServersTransportTCP", "DestinationRule", "Backend",
}  # fmt: skip
EVIDENCE: frozenset[str] = frozenset({
    "ConfigMap", "Secret", "Endpoints", "EndpointSlice", "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration", "IngressClass", "VMServiceScrape", "VMPodScrape", "PodMonitoring",
    "BaselineAdminNetworkPolicy", "PodIdentityAssociation", "SealedSecret", "PersistentVolumeClaim", "GitRepository",
})  # fmt: skip
"""Kinds that say something about workloads, and are not looked at for themselves."""

# Of operators; others have kinds of the same names (Cluster, Backup, Agent).
_OPERATED: dict[str, list[str]] = {}
for _group, _kind in OPERATED | TEMPLATES.keys() | HOLDERS:
    _OPERATED.setdefault(_kind, []).append(_group)

_DEFINITION = "CustomResourceDefinition"
_KINDS_OF_CLUSTERS = frozenset(("Cluster", "InstanceGroup"))
_CLUSTERS = ("kops.k8s.io/", "kind.x-k8s.io/")  # there are others of the kind Cluster

_KIND = re.compile(r"""\n["']?kind["']?[ \t]*:[ \t]*["']?(\w+)""")  # a line end is found faster than a start
_NESTED_KIND = late_pattern(r"""kind(?<!\wkind)["']?[ \t]*:[ \t]*["']?(\w+)""")


# Of a CustomResourceDefinition: the API server calls a Service to convert its objects.
_WEBHOOK = late_pattern(r"""\bstrategy["']?[ \t]*:[ \t]*["']?Webhook\b""")


def is_interesting(text: str) -> bool:
    """Whether a piece of text can hold an object that this program looks at; tells without parsing."""
    kinds = []
    for kind in _each_kind(text):  # a whole file is asked about, too, and its first object tells most often
        if kind in INTERESTING or kind in EVIDENCE or kind.endswith("List"):
            return True
        kinds.append(kind)
    if _has_group_of_interest(text, kinds) or ("Config" in kinds and _is_kubeconfig(text)):
        return True
    if not kinds:
        return may_be_bare(text)
    if any(map(may_be_misspelt, kinds)) or _is_cluster(text, kinds) or _calls_webhook(text, kinds):
        return True
    return any(kind != _DEFINITION for kind in kinds) and _may_hold_pods(text)


def _may_hold_pods(text: str) -> bool:
    """Whether an object of a kind that no table has may say something of pods."""
    return may_name_images(text) or may_name_services(text) or may_loosen(text)


def _has_group_of_interest(text: str, kinds: list[str]) -> bool:
    """Whether the API group of an object, or its exception from a policy, tells what its kind does not."""
    # What has no group is a template of OpenShift's old API.
    if any((f"{group}/" if group else "objects") in text for kind in kinds for group in _OPERATED.get(kind, ())):
        return True
    if "constraints.gatekeeper.sh/" in text:
        return True  # their kinds are those of templates
    if "erviceAccount" in text and ("argoproj.io/" in text or "fluxcd.io/" in text):
        return True  # whose rights they work with
    return "postureExceptionPolicy" in text  # an exception of Kubescape, which names kinds by patterns


def _is_kubeconfig(text: str) -> bool:
    return is_kubeconfig(text)


def _is_cluster(text: str, kinds: list[str]) -> bool:
    """Whether a file with ``kinds`` describes a cluster of kOps or kind."""
    return not _KINDS_OF_CLUSTERS.isdisjoint(kinds) and any(group in text for group in _CLUSTERS)


def _calls_webhook(text: str, kinds: list[str]) -> bool:
    """Whether it defines a resource with a conversion webhook; other definitions are large, and call nobody."""
    return _DEFINITION in kinds and "Webhook" in text and _WEBHOOK.search(text) is not None


def is_evidence_only(text: str) -> bool:
    """Whether an interesting text holds nothing that is looked at for itself: that it cannot be read is no problem."""
    kinds = _kinds(text)
    only = EVIDENCE | {_DEFINITION, "Config"}
    return bool(kinds) and all(kind in only for kind in kinds)


TOKENS = ("hardener.dev", "Tokens")
"""What a file of static tokens is taken for."""


_PIPELINE = late_pattern(r"""^[ \t]*(?:-[ \t]+)?["']?[\w.-]*(?:run|script|cmds?|commands?|shell)["']?[ \t]*:""", re.M)


def is_interesting_pipeline(text: str, *, any_command: bool = False) -> bool:
    """Whether a YAML file without a kind may be a pipeline whose commands start pods by flags of kubectl; with
    ``any_command``, one whose commands may make any object."""
    if not may_start(text) and not (any_command and may_make(text)):
        return False
    return not _kinds(text) and bool(_PIPELINE.search(text))


def _kinds(text: str) -> list[str]:
    return list(_each_kind(text))


def _each_kind(text: str) -> Iterator[str]:
    # A kind in column 0 is that of a block document; only other layouts (flow, JSON, indented) need a closer look.
    found = _KIND.match(f"\n{text}") if text.startswith(("kind", '"kind', "'kind")) else None
    if found is not None:
        yield found[1]
    for found in _KIND.finditer(text):
        yield found[1]
    if found is None or "\nitems" in text or '\n"items' in text:  # of a list of objects, whatever its own kind is
        yield from _NESTED_KIND.findall(text)
