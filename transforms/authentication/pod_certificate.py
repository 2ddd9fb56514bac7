"""K09: certificates that the kubelet gets for a pod."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import PodTemplate

_DAY = 86_400  # the default, and the most that signers of Kubernetes give
_API_CLIENT = "kubernetes.io/kube-apiserver-client-pod"


@transform(
    each=PodTemplate, stage="token", severity=Severity.LOW,
    classes=("node-agent", "control-plane", "system-namespace", "partial"), only_reports=True,
)  # fmt: skip
def pod_certificate(pod: PodTemplate) -> Steps:
    """Shorten the lifetime of pod certificates.

    Problem: a certificate of the pod lives longer than a day, or is accepted by the API server.

    Result: A copied certificate expires within a day.

    Why: the kubelet renews it by itself, so a long lifetime helps only whoever copied it. A certificate of the signer
    kubernetes.io/kube-apiserver-client-pod is a login to the Kubernetes API, which automountServiceAccountToken: false
    does not remove. Source: the API reference (PodCertificateRequestSpec), KEP-4317.

    May break: nothing, since it only reports: a program that reads its certificate once needs a restart in that time.
    """
    for at, volume in enumerate(pod.items("volumes")):
        for number, source in enumerate(volume.items("projected", "sources")):
            path = ("volumes", at, "projected", "sources", number, "podCertificate")
            life = source.get("podCertificate", "maxExpirationSeconds")
            if isinstance(life, int) and life > _DAY:
                yield pod.finding(
                    f"the certificate of the pod may live for {-(-life // _DAY)} days",
                    *path,
                    "maxExpirationSeconds",
                    advice=f"remove maxExpirationSeconds, or write {_DAY} at most: the kubelet renews the certificate",
                    severity=Severity.LOW,
                    topic="certificate of a pod with a long life",
                )
            if (
                source.get("podCertificate", "signerName") == _API_CLIENT
                and pod.get("automountServiceAccountToken") is False
            ):
                yield pod.finding(
                    "automountServiceAccountToken is false, and yet its certificate is a login of the Kubernetes API",
                    *path,
                    "signerName",
                    advice="remove the source where nothing asks the API; else give its service account no more rights "
                    "than that needs",
                    severity=Severity.LOW,
                )
