"""What overlays are asked, and what they answer in a tree without any kustomization, for which nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING

from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, Object, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

if TYPE_CHECKING:
    from hardener.facts.kustomize.overlays.reading import Layer
    from hardener.facts.kustomize.overlays.variants import Chain, Result, Variant


MOST_PATCHES = 100
"""Of patches that are for one object in one build: what more of them make together is not looked at, since each of them
is asked for each thing that stands in it."""


class Overlays(AsRead):
    """What the kustomizations of the tree make of its pods. This class answers for a tree without any: nothing."""

    @classmethod
    def collect(cls, tree: Tree) -> Overlays:
        if not tree.kustomizations:
            return Overlays(tree)
        from hardener.facts.kustomize.overlays.variants import PatchedOverlays  # late: few trees have any

        return PatchedOverlays(tree)

    patches_anything = False
    crowded: Mapping[Object, tuple[Object, int]] = {}
    """The objects for which more patches of one build are than are looked at: the kustomization that comes to be too
    many, and how many they are with it. They are known once ``weighed`` was asked for."""

    def chains(self, item: Object) -> tuple[Chain, ...]:
        return ()

    def variants(self, pod: PodTemplate) -> tuple[PodTemplate, ...]:
        return ()

    def variants_in(self, pod: PodTemplate, namespace: str | None) -> tuple[PodTemplate, ...]:
        return ()

    def containers(self, container: Container) -> list[Container]:
        return []

    def objects(self, item: Object) -> tuple[Variant, ...]:
        return ()

    def always_patched(self, item: Object) -> bool:
        """Whether every build that holds ``item`` does something to it, so that it is applied nowhere as written."""
        return False

    def results(self, item: Object) -> tuple[tuple[Chain, Result], ...]:
        return ()

    def is_weighed(self, document: Object) -> bool:
        return False

    def items(self) -> Iterable[Object]:
        """What patches are weighed for."""
        return ()

    @property
    def weighed(self) -> Set[tuple[Piece, Path]]:
        """Where the patches start that are for a pod or a Service of the tree."""
        return frozenset()

    def layer(self, kustomization: Object) -> Layer:
        """What ``kustomization`` does."""
        return Layer()
