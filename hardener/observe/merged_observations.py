"""One observation of two: of what ran the same in a tree, and of what ran before and now."""

from __future__ import annotations

from msgspec.structs import replace

from hardener.lock.observed import Observation, peaks, shown_of_both
from hardener.observe.capability_trial import TRANSFORM, ordered


def with_before(new: Observation, before: Observation) -> Observation:
    """``new``, and what was seen before of the same: a manifest that is hardened by now shows less of what it needs."""
    held = {
        id: tuple(sorted({*before.held.get(id, ()), *new.held.get(id, ())}))
        for id in sorted({*before.held, *new.held} - new.failed.keys())
    }
    failed = {id: each for id, each in before.failed.items() if id not in new.held} | dict(new.failed)

    def both(name: str) -> tuple[str, ...]:
        return tuple(sorted({*getattr(new, name), *getattr(before, name)}))

    return replace(
        new,
        wrote=both("wrote"),
        occupied=both("occupied"),
        connects=both("connects"),
        prepared=both("prepared"),
        shown=new.shown or before.shown,
        token=before.token if new.token is None else new.token,
        **peaks(new, before),
        outside=both("outside"),
        held=held,
        failed=failed,
        because={id: {**before.because, **new.because}[id] for id in failed},
        needs=before.needs if new.needs is None and TRANSFORM not in new.failed else new.needs,
    )


def merged(one: Observation, other: Observation) -> Observation:
    """What two containers show that run the same: what holds for one only is not taken for both."""
    failed = {
        id: tuple(sorted({*one.failed.get(id, ()), *other.failed.get(id, ())}))
        for id in sorted({*one.failed, *other.failed})
    }
    held = {
        id: tuple(sorted({*one.held.get(id, ()), *other.held.get(id, ())}))
        for id in sorted({*one.held, *other.held} - failed.keys())
    }
    tokens = {one.token, other.token}

    def both(name: str) -> tuple[str, ...]:
        return tuple(sorted({*getattr(one, name), *getattr(other, name)}))

    return replace(
        one,
        came_up=one.came_up and other.came_up,
        wrote=both("wrote"),
        occupied=both("occupied"),
        listens=both("listens"),
        capabilities=both("capabilities"),
        connects=both("connects"),
        prepared=both("prepared"),
        shown=shown_of_both(one, other),
        doubts=both("doubts"),
        user=one.user if one.user == other.user else None,
        **peaks(one, other),
        outside=both("outside"),
        token=True if True in tokens else False if False in tokens else None,
        held=held,
        failed=failed,
        because={**other.because, **one.because},
        needs=None if one.needs is None or other.needs is None else ordered((*one.needs, *other.needs)),
    )
