"""Which pods log in to a cloud as their service account, as far as the tree shows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from hardener.edits import Evidence
from hardener.neighbours import Neighbours
from hardener.views import Object, PodTemplate

if TYPE_CHECKING:
    from hardener.workspace import Workspace

_GKE = "iam.gke.io/gcp-service-account"
# The objects of AWS Controllers for Kubernetes and of Crossplane that give a service account a role.
_ASSOCIATIONS = ("eks.services.k8s.aws", "eks.aws.upbound.io")


class CloudIdentities:
    """Looked up by the name of the service account."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def _gke(self) -> dict[str, Neighbours]:
        found: dict[str, list[Object]] = {}
        for item in self._workspace.of("", "ServiceAccount"):
            if _GKE in item.annotations:
                found.setdefault(item.name, []).append(item)
        return {name: Neighbours(self._workspace.builds, items) for name, items in found.items()}

    @cached_property
    def _eks(self) -> dict[str, list[tuple[str | None, Object]]]:
        found: dict[str, list[tuple[str | None, Object]]] = {}
        for item in (item for group in _ASSOCIATIONS for item in self._workspace.of(group, "PodIdentityAssociation")):
            spec = item.data.get("spec")
            for holder in (spec, spec.get("forProvider") if isinstance(spec, dict) else None):
                if isinstance(holder, dict) and isinstance(holder.get("serviceAccount"), str):
                    namespace = holder.get("namespace")
                    entry = (namespace if isinstance(namespace, str) else None, item)
                    found.setdefault(holder["serviceAccount"], []).append(entry)
        return found

    def gke(self, pod: PodTemplate) -> Evidence | None:
        """Why the pod asks the metadata server of GKE for a token; None where nothing says so."""
        near = self._gke.get(pod.service_account)
        for item in near.meeting(pod.object) if near is not None else ():
            if self._workspace.builds.meet(item, pod.object):
                return item.fact(f"{item} stands for an account of Google Cloud", "metadata", "annotations", _GKE)
        return None

    def eks(self, pod: PodTemplate) -> Evidence | None:
        """Why the pod asks the EKS Pod Identity agent for credentials; None where nothing says so."""
        for namespace, item in self._eks.get(pod.service_account, ()):
            if self._workspace.builds.may_be_in(pod.object, namespace):
                return item.fact(f"{item} gives its service account a role of AWS")
        return None
