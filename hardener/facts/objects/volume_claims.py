"""The PersistentVolumeClaims of the tree, and who may mount what stands behind them.

Source: kubernetes.io/docs/concepts/storage/persistent-volumes, access modes: a volume of ReadWriteOnce is mounted by
one node, one of ReadWriteOncePod by one pod.
"""

from __future__ import annotations

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.which_copy import Nearby
from hardener.tree.core_views import Object, OpaqueError, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

OF_ONE_NODE = frozenset({"ReadWriteOnce", "ReadWriteOncePod"})


class VolumeClaims(AsRead):
    """Claims by name; of several of one name that which stands nearest to the pod."""

    def __init__(self, tree: Tree) -> None:
        self._builds = tree.ask(Builds)
        self._by_name: dict[str, list[Object]] = {}
        for item in tree.of("", "PersistentVolumeClaim"):
            self._by_name.setdefault(item.name, []).append(item)
        self._near: dict[str, Nearby] = {}

    def access_modes(self, pod: PodTemplate, name: str) -> frozenset[str] | None:
        """The access modes of the volume ``name`` of ``pod``: of its claim, or of the template that makes one; None
        where the tree does not show them."""
        try:
            found = [frozenset(claim.strings("spec", "accessModes")) for claim in self._claims(pod, name)]
        except (OpaqueError, WrongShapeError):
            return None
        modes = frozenset().union(*found)
        return modes or None

    def storage_class(self, pod: PodTemplate, name: str) -> str | None:
        """The storage class of the volume ``name`` of ``pod``, as its claim names it; None where none is named, where
        there are several, and where the tree does not show it."""
        try:
            found = {claim.text("spec", "storageClassName") for claim in self._claims(pod, name)}
        except (OpaqueError, WrongShapeError):
            return None
        return found.pop() if len(found) == 1 else None

    def _claims(self, pod: PodTemplate, name: str) -> list[View]:
        volume = next((each for each in pod.items("volumes") if each.text("name") == name), None)
        if volume is None:  # a claim template of a StatefulSet
            templates = pod.object.items("spec", "volumeClaimTemplates") if pod.kind == "StatefulSet" else ()
            return [each for each in templates if each.text("metadata", "name") == name]
        claim = volume.text("persistentVolumeClaim", "claimName")
        if not claim or claim not in self._by_name:
            return []
        if claim not in self._near:
            self._near[claim] = Nearby(self._builds, self._by_name[claim])
        return list(self._near[claim].of(pod.object))
