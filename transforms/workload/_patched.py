"""The numbers that kustomizations set for a container, where they meet the ones that are written in its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.overlays.states import patched
from hardener.kubernetes.objects import quantity
from hardener.tree.core_views import Container, OpaqueError

Number = tuple[Fraction, Evidence, object]
"""An amount, where it is set, and as it is written there."""


def most_requested(container: Container, resource: str) -> Number | None:
    """The largest request of ``resource`` that a kustomization sets, and sets no limit to."""
    if not container.tree.kustomizations:
        return None
    return max(_numbers(container, resource, "requests", "limits"), key=lambda number: number[0], default=None)


def least_limit(container: Container, resource: str) -> Number | None:
    """The smallest limit of ``resource`` that a kustomization sets, and has no request below."""
    if not container.tree.kustomizations:
        return None
    return min(_numbers(container, resource, "limits", "requests"), key=lambda number: number[0], default=None)


def _numbers(container: Container, resource: str, kind: str, other: str) -> Iterator[Number]:
    for state in patched(container):
        try:
            written = state.get("resources", kind, resource)
            amount = quantity.parse(written)
            if amount is None or written == container.get("resources", kind, resource):
                continue
            beside = state.get("resources", other, resource)
            # What it has from the manifest may be ours.
            if beside is None or beside == container.get("resources", other, resource):
                text = f"a kustomization sets its {resource} {kind.removesuffix('s')} to {written}"
                yield amount, state.fact(text, "resources", kind, resource), written
        except (OpaqueError, WrongShapeError):
            continue
