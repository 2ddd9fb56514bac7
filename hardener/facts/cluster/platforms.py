"""For which platforms the manifests were written, as far as a label, an annotation or a kind tells."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hardener.kubernetes.api_groups import OPENSHIFT
from hardener.tree.core_views import Object
from hardener.tree.fact import AsRead

if TYPE_CHECKING:
    from hardener.tree.tree import Tree

# Sources: docs.aws.amazon.com/eks, cloud.google.com/kubernetes-engine and learn.microsoft.com/azure/aks, on load
# balancers, identities of workloads and storage.
_GROUPS = {
    "cloud.google.com": "GKE", "networking.gke.io": "GKE", "eks.services.k8s.aws": "EKS", "elbv2.k8s.aws": "EKS",
    "vpcresources.k8s.aws": "EKS", "karpenter.k8s.aws": "EKS", "aadpodidentity.k8s.io": "AKS",
}  # fmt: skip
_ANNOTATIONS = {
    "eks.amazonaws.com/": "EKS", "service.beta.kubernetes.io/aws-": "EKS", "alb.ingress.kubernetes.io/": "EKS",
    "iam.gke.io/": "GKE", "cloud.google.com/": "GKE", "networking.gke.io/": "GKE",
    "azure.workload.identity/": "AKS", "service.beta.kubernetes.io/azure-": "AKS",
    "appgw.ingress.kubernetes.io/": "AKS",
}  # fmt: skip
_CLASSES = {
    "alb": "EKS", "gce": "GKE", "gce-internal": "GKE", "azure-application-gateway": "AKS",
    "azure/application-gateway": "AKS", "webapprouting.kubernetes.azure.com": "AKS",
}  # fmt: skip
_PROVISIONERS = {
    "ebs.csi.aws.com": "EKS", "efs.csi.aws.com": "EKS", "ebs.csi.eks.amazonaws.com": "EKS",
    "pd.csi.storage.gke.io": "GKE", "filestore.csi.storage.gke.io": "GKE",
    "disk.csi.azure.com": "AKS", "file.csi.azure.com": "AKS",
}  # fmt: skip


class Platforms(AsRead):
    """The platforms that the manifests are for."""

    def __init__(self, tree: Tree) -> None:
        self.openshift = [item for item in tree.objects if item.group in OPENSHIFT]
        """Objects of kinds that only OpenShift has."""
        self.name = tree.settings.platform or ("openshift" if any(item.editable for item in self.openshift) else None)
        """ "openshift" where the configuration or a file that may be edited says so, else None.

        Files beside them do not: a repository may hold the manifests of several clusters.
        """
        self._tree = tree

    @cached_property
    def signs(self) -> dict[str, Object]:
        """The platforms that objects of the files that may be edited are for, each with the first such object."""
        found: dict[str, Object] = {}
        for item in self._tree.objects:
            if item.editable and not item.classes:
                for name in _of(item):
                    found.setdefault(name, item)
        return found


def described(tree: Tree) -> list[str]:
    """What a run is made for beside plain Kubernetes, each with what says so."""
    signs = {name: str(item) for name, item in tree.ask(Platforms).signs.items()}
    said = tree.settings.platform
    if said is not None:
        signs.pop("OpenShift", None)
        signs = {"OpenShift" if said == "openshift" else "no OpenShift": "as the configuration says"} | signs
    return [f"{name} ({sign})" for name, sign in signs.items()]


def _of(item: Object) -> Iterator[str]:
    if item.group in OPENSHIFT:
        yield "OpenShift"
    if item.group in _GROUPS:
        yield _GROUPS[item.group]
    for key in item.annotations:
        head, slash, rest = key.partition("/")
        if slash:
            name = _ANNOTATIONS.get(head + slash) or _ANNOTATIONS.get(head + slash + rest.partition("-")[0] + "-")
            if name is not None:
                yield name
    if item.kind in ("Ingress", "StorageClass"):
        spec: Any = item.data.get("spec")
        named = spec.get("ingressClassName") if isinstance(spec, dict) else None
        named = named or item.annotations.get("kubernetes.io/ingress.class")
        for value, table in ((named, _CLASSES), (item.data.get("provisioner"), _PROVISIONERS)):
            if isinstance(value, str) and value in table:
                yield table[value]
