"""Components of clusters that nobody maintains any more.

Sources: the announcements of the projects themselves (ingress-nginx: kubernetes.io/blog/2025/11/11/ingress-nginx-
retirement; kubernetes-dashboard, kiam, kube2iam, weave-net, aad-pod-identity: notices in their repositories; Tiller:
helm.sh, 2020; dockershim: removed in Kubernetes 1.24).
"""

from __future__ import annotations

from typing import NamedTuple


class Ended(NamedTuple):
    """A component by the ``words`` in which its repository ends or begins; what ``why`` and what ``instead``."""

    name: str
    words: tuple[str, ...]
    why: str
    instead: str


_DASHBOARD = ("dashboard", "dashboard-web", "dashboard-api", "dashboard-auth")
_ROLES = "use IAM roles for service accounts or Pod Identity"
_ENDED = (
    Ended(
        "ingress-nginx",
        ("ingress-nginx/controller", "nginx-ingress-controller", "ingress-nginx/kube-webhook-certgen"),
        "no more releases since March 2026, not even for security",
        "move to Gateway API or to another Ingress controller",
    ),
    Ended(
        "kubernetes-dashboard",
        (*(f"kubernetesui/{name}" for name in _DASHBOARD), "kubernetes-dashboard-amd64"),
        "the project was archived in 2026",
        "Headlamp is the successor",
    ),
    Ended("Tiller", ("kubernetes-helm/tiller", "helm/tiller"), "Helm 2 ended in 2020", "move to Helm 3 or later"),
    Ended("kiam", ("uswitch/kiam",), "the project is archived", _ROLES),
    Ended("kube2iam", ("jtblin/kube2iam",), "nobody develops it any more", _ROLES),
    Ended(
        "aad-pod-identity",
        ("aad-pod-identity/nmi", "aad-pod-identity/mic", "aadpodidentity/nmi", "aadpodidentity/mic"),
        "archived in 2023",
        "use Microsoft Entra Workload ID",
    ),
    Ended(
        "Weave Net",
        ("weaveworks/weave-kube", "weaveworks/weave-npc"),
        "the project was archived in 2024",
        "move to a network plugin that is maintained",
    ),
    Ended("dockershim", ("kubernetes/dockershim",), "removed in Kubernetes 1.24", "use containerd or CRI-O"),
)


_ENDINGS = tuple(f"/{words}" for ended in _ENDED for words in ended.words)


def find(repository: str | None) -> Ended | None:
    """The component whose image this is, in whatever registry; None for any other."""
    path = f"/{repository}"
    if not repository or not path.endswith(_ENDINGS):
        return None
    return next(ended for ended in _ENDED if path.endswith(tuple(f"/{words}" for words in ended.words)))
