"""How much a container used in a cluster, by ``harden.evidence.yaml``: what its request and its limit come to."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from msgspec import Struct

from hardener.authoring.edits import Evidence
from hardener.facts.images.recordings import Recording, Usage, limit_of, recording
from hardener.kubernetes.objects import quantity
from hardener.tree.core_views import Container

_MIB = 2**20


class Told(Struct, frozen=True):
    """An amount in cores or bytes, as it is written, and the fact behind it."""

    amount: Fraction
    text: str
    fact: Evidence


def request(container: Container, resource: str) -> Told | None:
    """The request that a recorder recommends for ``resource`` ("cpu" or "memory"); None where none does, and where what
    was recorded is a hint."""
    told = recording(container)
    for usage in _counting(told):
        amount = usage.cpu if resource == "cpu" else usage.memory
        if told is not None and amount:
            found = Fraction(amount, 1000) if resource == "cpu" else Fraction(amount)
            return _told(container, told, usage.by, found, resource, "it recommends a request of")
    return None


def limit(container: Container, resource: str) -> Told | None:
    """The limit that the most which was used comes to, of all sources the largest, so that no limit is below one at
    which it was killed; None as in ``request``, and where it was killed and nobody tells at how much."""
    told = recording(container)
    counting = _counting(told)
    if told is None or not counting:
        return None
    heeded = [usage for usage in told.facts.usage if usage in counting or usage.killed]
    found = [(amount, usage.by) for usage in heeded if (amount := limit_of(usage, told.recorded, resource))]
    if not found or (resource == "memory" and _was_killed_unmeasured(told)):
        return None
    amount, by = max(found)
    return _told(container, told, by, amount, resource, "the most that it used, with a reserve, is")


def killed(container: Container) -> Evidence | None:
    """That it was killed for memory at the limit which is written, or at a larger one; None where nobody saw that."""
    told, written = recording(container), container.get("resources", "limits", "memory")
    amount = quantity.parse(written)
    if told is None or amount is None:
        return None
    for usage in told.facts.usage:
        if usage.killed and (usage.memory_most or 0) >= amount:
            return container.fact(f"{told.place(usage.by)}: it was killed for memory at a limit of {written}")
    return None


def holds(container: Container) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The runtimes and the servers of its image, without their versions, by a bill of materials."""
    told = recording(container)
    found = told.image.holds if told is not None else ()
    runtimes = {name.partition(" ")[0] for each in found for name in each.runtimes}
    servers = {name.partition(" ")[0] for each in found for name in each.servers}
    return tuple(sorted(runtimes)), tuple(sorted(servers))


def _counting(told: Recording | None) -> list[Usage]:
    """What was used by the sources that are more than hints."""
    return [usage for usage in told.facts.usage if told.counts(usage.by)] if told is not None else []


def _was_killed_unmeasured(told: Recording) -> bool:
    return any(usage.killed and usage.memory_most is None for usage in told.facts.usage)


def _told(container: Container, told: Recording, by: str, amount: Fraction, resource: str, words: str) -> Told:
    whole = amount if resource == "cpu" else Fraction(ceil(amount / _MIB) * _MIB)
    text = quantity.format_cpu(whole) if resource == "cpu" else quantity.format_memory(whole)
    fact = container.fact(f"{told.place(by)}: {words} {text}")
    return Told(quantity.parse(text) or whole, text, fact)
