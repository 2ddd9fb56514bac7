"""For which platforms the manifests were written, as far as a label, an annotation or a kind tells."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.objects.api_groups import OPENSHIFT
from hardener.tree.core_views import Object
from hardener.tree.fact import AsRead
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
        signs = [item for item in tree.objects if item.group in OPENSHIFT and not _is_optional(item)]
        self.openshift = [item for item in signs if not _functions(item)]
        """Objects of kinds that only OpenShift has, without those of test data and of optional parts of programs."""
        self.name = tree.settings.platform or ("openshift" if any(item.editable for item in self.openshift) else None)
        """ "openshift" where the configuration or an object of a file that may be edited says so, else None.

        It is for the head of a report: what an object is applied to says ``of``.
        """
        self._tree = tree
        self._builds = tree.ask(Builds)
        self._roots = frozenset(root for item in self.openshift for root in self._builds.roots(item))
        self._folders: dict[str, set[str | None]] = {}  # in which namespaces their objects come out
        for item in self.openshift:
            self._folders.setdefault(item.folder, set()).update(self._builds.known_namespaces(item))
        # A function may be called for one cloud alone; what it makes then is made for that one together.
        self._functions = frozenset(_functions(item)[-1] for item in signs if _functions(item))

    def of(self, item: Object) -> str | None:
        """The platform that ``item`` is applied to: by the configuration, else "openshift" where its kind is one that
        only OpenShift has, where the function that makes it makes such an object, too, where each build that holds it
        holds one, or, where none does, its folder, in a namespace that may be its own; else None."""
        if self._tree.settings.platform is not None:
            return self._tree.settings.platform
        if item.group in OPENSHIFT or not self._functions.isdisjoint(_functions(item) if self._functions else ()):
            return "openshift"
        if not self.openshift:
            return None
        roots = self._builds.roots(item)
        found = roots <= self._roots if roots else self._is_beside_one(item)
        return "openshift" if found else None

    def _is_beside_one(self, item: Object) -> bool:
        """Whether the folder of ``item`` holds an object that only OpenShift has, in a namespace that may be its own:
        the files of a folder may be for several clusters."""
        there = self._folders.get(item.folder)
        if there is None:
            return False
        own = self._builds.known_namespaces(item)
        return None in there or None in own or not there.isdisjoint(own)

    @property
    def is_configured(self) -> bool:
        """Whether the configuration says it; what objects show may be one of several clusters."""
        return self._tree.settings.platform is not None

    @cached_property
    def signs(self) -> dict[str, Object]:
        """The platforms that objects of the files that may be edited are for, each with the first such object."""
        found: dict[str, Object] = {}
        for item in self._tree.objects:
            if item.editable and not item.classes:
                for name in _of(item):
                    found.setdefault(name, item)
        return found


def _is_optional(item: Object) -> bool:
    """Whether ``item`` stands in test data that a kustomization takes in, or a program makes it under a condition."""
    if item.tree.selection.is_test_data(item.piece.file.path):
        return True
    program = item.piece.source.making(item.piece.file)
    return program is not None and program.is_optional(int(item.path[0]))


def _functions(item: Object) -> tuple[tuple[str, int], ...]:
    """The functions of a program that make ``item``, each with its file, the outermost first."""
    program = item.piece.source.making(item.piece.file)
    lines = program.functions(int(item.path[0])) if program is not None else ()
    return tuple((item.piece.file.path, line) for line in lines)


def described(tree: Tree) -> list[str]:
    """What a run is made for beside plain Kubernetes, each with what says so."""
    signs = {name: str(item) for name, item in tree.ask(Platforms).signs.items()}
    said = tree.settings.platform
    if said is not None:
        signs.pop("OpenShift", None)
        signs = {"OpenShift" if said == "openshift" else "no OpenShift": "as the configuration says"} | signs
    return [f"{name} ({sign})" for name, sign in signs.items()]


def _of(item: Object) -> Iterator[str]:
    if item.group in OPENSHIFT and not _is_optional(item) and not _functions(item):
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
