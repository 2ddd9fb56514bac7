"""What several runs show of the same: of containers that run the same, and of a container that was seen before."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hardener.lock.observed import Observation
from hardener.observe.capability_trial import TRANSFORM, ordered

Observations = dict[str, list[Observation]]
"""What was seen, by the keys of stanzas of harden.lock."""


def together(seen: Iterable[tuple[str, Observation]]) -> Observations:
    """What was ``seen`` of containers, by the keys of stanzas: one for all that run the same."""
    found: Observations = {}
    for key, made in seen:
        known = found.setdefault(key, [])
        same = next((each for each in known if (each.digest, each.runs) == (made.digest, made.runs)), None)
        if same is None:
            known.append(made)
        else:
            known[known.index(same)] = _merged(same, made)
    return found


def with_before(new: Observation, before: Observation) -> Observation:
    """``new``, and what was seen before of the same: a manifest that is hardened by now shows less of what it needs."""
    held = {
        id: tuple(sorted({*before.held.get(id, ()), *new.held.get(id, ())}))
        for id in sorted({*before.held, *new.held} - new.failed.keys())
    }
    failed = {id: each for id, each in before.failed.items() if id not in new.held} | dict(new.failed)
    memory = [each.memory for each in (new, before) if each.memory is not None]

    def both(name: str) -> tuple[str, ...]:
        return tuple(sorted({*getattr(new, name), *getattr(before, name)}))

    return replace(
        new,
        wrote=both("wrote"),
        occupied=both("occupied"),
        connects=both("connects"),
        token=before.token if new.token is None else new.token,
        memory=max(memory) if memory else None,
        held=held,
        failed=failed,
        because={id: {**before.because, **new.because}[id] for id in failed},
        needs=before.needs if new.needs is None and TRANSFORM not in new.failed else new.needs,
    )


def _merged(one: Observation, other: Observation) -> Observation:
    """What two containers show that run the same: what holds for one only is not taken for both."""
    failed = {
        id: tuple(sorted({*one.failed.get(id, ()), *other.failed.get(id, ())}))
        for id in sorted({*one.failed, *other.failed})
    }
    held = {
        id: tuple(sorted({*one.held.get(id, ()), *other.held.get(id, ())}))
        for id in sorted({*one.held, *other.held} - failed.keys())
    }
    memory = [each.memory for each in (one, other) if each.memory is not None]
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
        user=one.user if one.user == other.user else None,
        memory=max(memory) if memory else None,
        token=True if True in tokens else False if False in tokens else None,
        held=held,
        failed=failed,
        because={**other.because, **one.because},
        needs=None if one.needs is None or other.needs is None else ordered((*one.needs, *other.needs)),
    )
