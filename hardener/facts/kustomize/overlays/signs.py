"""What shows in a pod as it is written, or as a kustomization of the tree makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.tree.core_views import Container, OpaqueError, PodTemplate

T = TypeVar("T", Container, PodTemplate)


def signs(target: T, find: Callable[[T], Iterable[Evidence]]) -> Iterator[Evidence]:
    """What ``find`` sees in a pod or container as it is written, then what it sees only as a kustomization patches it.

    What is wrong with a patched one stops nothing.
    """
    states = target.states
    own = list(find(target))
    yield from own
    if len(states) == 1:
        return
    seen = {fact.text for fact in own}
    for state in states[1:]:
        try:
            others = list(find(state))
        except (OpaqueError, WrongShapeError):
            continue
        for fact in others:
            if fact.text not in seen:
                seen.add(fact.text)
                yield fact
