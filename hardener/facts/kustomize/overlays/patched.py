"""The pods whose patches are weighed: those of the given files, and those that patches in the given files are for."""

from __future__ import annotations

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.tree.core_views import OpaqueError, PodTemplate
from hardener.tree.tree import Tree

_NEVER_WEIGHED = frozenset({"patch", "owned", "static-pod"})


class PatchedPod(PodTemplate):
    """A pod that may be edited, or one for which there is a patch among the files that the run was given.

    What is said of it stands in its patches, so a narrowed run (--since) visits all of them.
    """

    __slots__ = ()
    NEEDS = "kustomizations"
    SAID_ELSEWHERE = True

    @classmethod
    def of_tree(cls, tree: Tree) -> list[PodTemplate]:
        return [pod for pod in tree.pod_templates if pod.object.editable or _is_patched_here(tree, pod)]


def _is_patched_here(tree: Tree, pod: PodTemplate) -> bool:
    chains = tree.ask(Overlays).chains(pod.object)
    if not any(patch.editable for chain in chains for patch in chain.patches):
        return False
    try:
        return _NEVER_WEIGHED.isdisjoint(pod.classes)
    except (OpaqueError, WrongShapeError):
        return False  # said where that file is given
