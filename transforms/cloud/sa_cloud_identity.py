from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.network.network_policies import Isolation
from hardener.tree.core_views import Container, PodTemplate

from ._scaffold import IRSA

_EKS = (
    f"{IRSA}; or, with eksctl, iam.podIdentityAssociations with namespace, serviceAccountName and permissionPolicyARNs"
)
_GKE = (
    "annotate its service account with iam.gke.io/gcp-service-account, and bind roles/iam.workloadIdentityUser to "
    "serviceAccount:PROJECT.svc.id.goog[NS/SA]"
)
_AKS = (
    "annotate its service account with azure.workload.identity/client-id, label the pod "
    'azure.workload.identity/use: "true"'
    " and write an azurerm_federated_identity_credential with subject system:serviceaccount:NS:SA"
)
# Variables that the SDKs of the clouds read a lasting key from.
_KEYS = {
    "AWS_ACCESS_KEY_ID": ("AWS", _EKS),
    "AWS_SECRET_ACCESS_KEY": ("AWS", _EKS),
    "GOOGLE_APPLICATION_CREDENTIALS": ("Google Cloud", _GKE),
    "GOOGLE_CREDENTIALS": ("Google Cloud", _GKE),
    "AZURE_CLIENT_SECRET": ("Azure", _AKS),
    "ARM_CLIENT_SECRET": ("Azure", _AKS),
}
# What older add-ons give a role to a pod by; all of them let pods take others' roles.
_OLD = (
    ("annotations", "iam.amazonaws.com/role", "kube2iam or kiam", _EKS),
    ("labels", "aadpodidbinding", "aad-pod-identity", _AKS),
)


@transform(
    each=PodTemplate,
    stage="cloud",
    severity=Severity.HIGH,
    classes=("windows", "node-agent", "control-plane", "system-namespace", "partial"),
    only_reports=True,
)
def sa_cloud_identity(pod: PodTemplate) -> Steps:
    """Replace cloud keys with a workload identity.

    Problem: the pod uses a long-lived key or the node's identity to log in to the cloud.

    Result: The pod logs in to the cloud as its service account.

    Why: a key in a variable stays valid wherever it is copied to, and nobody rotates it; a token of the service account
    expires by itself and works only for this workload.

    May break: nothing, since it only reports: create the role in the cloud first.
    """
    for container in pod.containers:
        found = dict.fromkeys(_keys(container))
        for cloud, advice in dict.fromkeys(_KEYS[name] for name in found):
            names = [name for name in found if _KEYS[name][0] == cloud]
            text = f"the container logs in to {cloud} with a long-lived key ({', '.join(names)})"
            yield container.finding(text, advice=advice, severity=Severity.HIGH)
    for place, key, what, advice in _OLD:
        if pod.metadata.has(place, key):
            text = f"the pod gets its cloud role from {what}, which is no longer maintained"
            yield pod.finding(text, advice=advice, severity=Severity.HIGH)


def _keys(container: Container) -> Iterator[str]:
    names = [variable.text("name") or "" for variable in container.items("env")]
    yield from (name for name in (*names, *container.tree.ask(Isolation).identities.loaded(container)) if name in _KEYS)
