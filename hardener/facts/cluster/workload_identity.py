"""Which pods log in to a cloud as their service account, and which with a lasting key, as far as the tree shows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from hardener.authoring.edits import Evidence
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.which_copy import Nearby, Neighbours
from hardener.support.shapes import mapping
from hardener.tree.core_views import Container, Object, PodTemplate
from hardener.tree.tree import Tree

_GKE = "iam.gke.io/gcp-service-account"
# The objects of AWS Controllers for Kubernetes and of Crossplane that give a service account a role.
_EXTERNAL = ("external-secrets.io", "ExternalSecret")
_ASSOCIATIONS = ("eks.services.k8s.aws", "eks.aws.upbound.io")


class CloudIdentities:
    """Looked up by the name of the service account."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @cached_property
    def _gke(self) -> dict[str, Neighbours]:
        found: dict[str, list[Object]] = {}
        for item in self._tree.of("", "ServiceAccount"):
            if _GKE in item.annotations:
                found.setdefault(item.name, []).append(item)
        return {name: Neighbours(self._tree.ask(Builds), items) for name, items in found.items()}

    @cached_property
    def _eks(self) -> dict[str, list[tuple[str | None, Object]]]:
        found: dict[str, list[tuple[str | None, Object]]] = {}
        for item in (item for group in _ASSOCIATIONS for item in self._tree.of(group, "PodIdentityAssociation")):
            spec = item.data.get("spec")
            for holder in (spec, spec.get("forProvider") if isinstance(spec, dict) else None):
                if isinstance(holder, dict) and isinstance(holder.get("serviceAccount"), str):
                    namespace = holder.get("namespace")
                    entry = (namespace if isinstance(namespace, str) else None, item)
                    found.setdefault(holder["serviceAccount"], []).append(entry)
        return found

    @property
    def are_there(self) -> bool:
        """Whether any account of the tree stands for one of Google Cloud, or has a role of AWS by EKS Pod Identity."""
        return bool(self._gke or self._eks)

    def gke(self, pod: PodTemplate) -> Evidence | None:
        """Why the pod asks the metadata server of GKE for a token; None where nothing says so."""
        near = self._gke.get(pod.service_account)
        for item in near.meeting(pod.object) if near is not None else ():
            if self._tree.ask(Builds).meet(item, pod.object):
                return item.fact(f"{item} represents an account of Google Cloud", "metadata", "annotations", _GKE)
        return None

    def eks(self, pod: PodTemplate) -> Evidence | None:
        """Why the pod asks the EKS Pod Identity agent for credentials; None where nothing says so."""
        for namespace, item in self._eks.get(pod.service_account, ()):
            if self._tree.ask(Builds).may_be_in(pod.object, namespace):
                return item.fact(f"{item} gives its service account a role of AWS")
        return None

    @cached_property
    def _sources(self) -> dict[tuple[str, str], Nearby]:
        """What gives variables, by the kind and name that pods know; an ExternalSecret as the Secret that it makes."""
        found: dict[tuple[str, str], list[Object]] = {}
        for group, kind in (("", "ConfigMap"), ("", "Secret"), _EXTERNAL):
            for item in self._tree.of(group, kind):
                target = mapping(mapping(item.data.get("spec")).get("target")).get("name") if group else None
                name = target if isinstance(target, str) else item.name
                found.setdefault(("Secret" if group else kind, name), []).append(item)
        return {key: Nearby(self._tree.ask(Builds), items) for key, items in found.items()}

    def loaded(self, container: Container) -> Iterator[str]:
        """The variables that ``container`` has from whole ConfigMaps and Secrets. Raises WrongShapeError."""
        for entry in container.items("envFrom"):
            for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                near = self._sources.get((kind, entry.text(field, "name") or ""))
                for item in near.of(container.object) if near is not None else ():
                    yield from ((entry.text("prefix") or "") + key for key in _keys(item))


def _keys(item: Object) -> Iterator[str]:
    for field in ("data", "stringData"):
        yield from map(str, mapping(item.data.get(field)))
    entries = mapping(item.data.get("spec")).get("data")
    for entry in entries if isinstance(entries, list) else ():
        yield str(mapping(entry).get("secretKey"))
