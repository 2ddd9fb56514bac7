"""A view in each of its states: as it is written, and as the kustomizations of the tree patch it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TypeVar, overload

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.tree.core_views import Container, OpaqueError, PodTemplate, Service
from hardener.tree.route_views import Ingress

T = TypeVar("T", Container, PodTemplate)


@overload
def states(view: PodTemplate) -> tuple[PodTemplate, ...]: ...
@overload
def states(view: Container) -> tuple[Container, ...]: ...
@overload
def states(view: Service) -> tuple[Service, ...]: ...
@overload
def states(view: Ingress) -> tuple[Ingress, ...]: ...
def states(
    view: PodTemplate | Container | Service | Ingress,
) -> tuple[PodTemplate | Container | Service | Ingress, ...]:
    """``view`` as it is written, then as the kustomizations of the tree patch it, for reading only."""
    if not view.tree.kustomizations:  # nearly always, and everybody asks
        return (view,)
    return (view, *patched(view))


@overload
def patched(view: PodTemplate) -> tuple[PodTemplate, ...]: ...
@overload
def patched(view: Container) -> tuple[Container, ...]: ...
@overload
def patched(view: Service) -> tuple[Service, ...]: ...
@overload
def patched(view: Ingress) -> tuple[Ingress, ...]: ...
def patched(
    view: PodTemplate | Container | Service | Ingress,
) -> tuple[PodTemplate | Container | Service | Ingress, ...]:
    """``view`` as the kustomizations of the tree patch it, for reading only."""
    if not view.tree.kustomizations:
        return ()
    overlays = view.tree.ask(Overlays)
    if isinstance(view, Service | Ingress):
        kind = type(view)
        return tuple(kind(variant, variant.path, variant.data) for variant in overlays.objects(view.object))
    return tuple(overlays.containers(view)) if isinstance(view, Container) else overlays.variants(view)


def applied_states(view: Ingress) -> tuple[Ingress, ...]:
    """Those of ``states`` that are applied: without the written one where every build patches it."""
    found = states(view)
    return found[1:] if view.tree.ask(Overlays).always_patched(view.object) else found


def states_in(pod: PodTemplate, namespace: str | None) -> tuple[PodTemplate, ...]:
    """Those of ``states`` that may come out in ``namespace``, the pod as it is written among them."""
    return (pod, *pod.tree.ask(Overlays).variants_in(pod, namespace))


def signs(target: T, find: Callable[[T], Iterable[Evidence]]) -> Iterable[Evidence]:
    """What ``find`` sees in a pod or container as it is written, then what it sees only as a kustomization patches it.

    What is wrong with a patched one stops nothing.
    """
    own = list(find(target))
    return chain(own, _signs_of_patched(target, find, own)) if target.tree.kustomizations else own


def _signs_of_patched(target: T, find: Callable[[T], Iterable[Evidence]], own: list[Evidence]) -> Iterator[Evidence]:
    seen = {fact.text for fact in own}
    for state in patched(target):
        try:
            found = list(find(state))
        except (OpaqueError, WrongShapeError):
            continue
        for fact in found:
            if fact.text not in seen:
                seen.add(fact.text)
                yield fact
