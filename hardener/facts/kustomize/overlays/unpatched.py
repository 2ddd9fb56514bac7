"""The overlays of a tree without any kustomization: they make nothing of anything, and nothing is loaded for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardener.facts.kustomize.overlays.variants import Chain, Result, Variant
    from hardener.tree.core_views import Container, Object, PodTemplate


class Unpatched:
    """Answers what ``Overlays`` is asked."""

    patches_anything = False

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

    def results(self, item: Object) -> tuple[tuple[Chain, Result], ...]:
        return ()

    def is_weighed(self, document: Object) -> bool:
        return False
