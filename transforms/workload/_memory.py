"""How much memory a container needs, as far as its flags, its volumes and the image table tell."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.container_commands import every_word
from hardener.facts.images.observations import Use, most_used
from hardener.facts.kustomize.overlays.states import patched, states
from hardener.kubernetes.objects import quantity
from hardener.kubernetes.pods.command_evidence import Heap, heap_bytes
from hardener.tree.core_views import Container, OpaqueError, View

from ._volumes import mounts

MIB = 2**20
_NOTHING = Fraction(0)
_KEPT = "heaps"  # by the view of a container, of which several transforms ask
_NO_HEAPS: list[tuple[Container, Heap]] = []  # of most; nobody adds to it
_FLAGS = {"xmx": "-Xmx or -XX:MaxRAM", "max-old-space": "--max-old-space-size", "gomemlimit": "GOMEMLIMIT"}


def heap_limit(container: Container) -> tuple[Fraction, list[Evidence]]:
    """Return the limit that leaves room beside a heap of the size that a flag names, and that flag; 0 without one."""
    heaps = _heaps(container)
    if not heaps:
        return _NOTHING, []
    return max([(_beside(heap), [_flag(state, heap)]) for state, heap in heaps], key=lambda one: one[0])


def _heaps(container: Container) -> list[tuple[Container, Heap]]:
    """The heap that a flag names, where the container is written and where a kustomization patches it."""
    if container.tree.kustomizations:
        return _look_for_heaps(container)
    found: list[tuple[Container, Heap]] | None = container.__dict__.get(_KEPT)
    if found is None:  # its words and variables are those that were read
        found = container.__dict__[_KEPT] = _look_for_heaps(container) or _NO_HEAPS
    return found


def _look_for_heaps(container: Container) -> list[tuple[Container, Heap]]:
    found = []
    for state in states(container):
        heap = heap_bytes(every_word(state), state.env)
        if heap is not None:
            found.append((state, heap))
    return found


def _beside(heap: Heap) -> Fraction:
    if heap.kind == "xmx":
        return heap.bytes * Fraction(3, 2) + 256 * MIB
    if heap.kind == "max-old-space":
        return heap.bytes * Fraction(7, 5) + 128 * MIB
    return heap.bytes * Fraction(11, 10)


def needed(container: Container) -> tuple[Fraction, list[Evidence]]:
    """Return what the container surely uses, and how that is known: its heap or the image table; 0 without either."""
    heaps, row = _heaps(container), _of_row(container)
    found = max(heaps, key=lambda one: one[1].bytes) if heaps else None
    if found is not None and found[1].bytes >= row:
        return found[1].bytes, [_flag(*found)]
    return row, [] if row is _NOTHING else [_row_fact(container)]


def row_need(container: Container) -> tuple[Fraction, list[Evidence]]:
    """Return what the image table says that it needs; 0 where it says nothing."""
    need = _of_row(container)
    return need, [] if need is _NOTHING else [_row_fact(container)]


def peak(container: Container) -> tuple[Fraction, list[Evidence]]:
    """Return the most that it was seen to use, and that; 0 where nobody looked."""
    most = _most(container, "memory")
    return (_NOTHING, []) if most is None else (Fraction(most.amount), [container.fact(_used(most), "image")])


def twice_the_peak(container: Container) -> tuple[Fraction, list[Evidence]]:
    """Return twice the most that it was seen to use, and that; 0 where nobody looked. A short run is no measure of what
    it needs, so it is the least that a limit leaves it."""
    most = _most(container, "memory")
    if most is None:
        return _NOTHING, []
    return Fraction(2 * most.amount), [container.fact(f"{_used(most)}, so it gets twice that", "image")]


def twice_the_busiest(container: Container) -> tuple[Fraction, list[Evidence]]:
    """Return twice the processors that it was seen to keep busy at once, and that; 0 where nobody looked."""
    most = _most(container, "cpu")
    if most is None:
        return _NOTHING, []
    moment = f" after {most.at} s" if most.at is not None else ""
    text = f"harden observe: it used {most.amount}m of a processor{moment} ({most.when}), so it gets twice that"
    return Fraction(2 * most.amount, 1000), [container.fact(text, "image")]


def _used(most: Use) -> str:
    moment = f", the most after {most.at} s" if most.at is not None else ""
    return f"harden observe: it used {ceil(most.amount / MIB)}Mi in {most.seconds} s{moment} ({most.when})"


def _most(container: Container, resource: str) -> Use | None:
    """The most that it was seen to use, in any state of its manifest."""
    return None if container.tree.lock is None else most_used(states(container), resource)


def of_volumes(container: Container) -> tuple[Fraction, list[Evidence]]:
    """Return the size of its in-memory volumes, which counts as its memory; and a doubt for each that has no size."""
    total, doubt = _of_volumes(container)
    for state in patched(container):
        try:
            other, more = _of_volumes(state)
        except (OpaqueError, WrongShapeError):
            continue
        total, doubt = max(total, other), doubt or more
    return total, doubt


def _of_volumes(container: Container) -> tuple[Fraction, list[Evidence]]:
    total, doubt = _NOTHING, []
    for volume in memory_volumes(container):
        size = quantity.parse(volume.get("emptyDir", "sizeLimit"))
        total += size or 0
        if size is None:
            doubt.append(volume.fact("files in this in-memory volume count as memory, and it has no sizeLimit"))
    return total, doubt


def memory_volumes(container: Container) -> list[View]:
    """Return the in-memory volumes that it mounts."""
    volumes = (mount.volume for mount in mounts(container) if mount.source == "emptyDir")
    return [volume for volume in volumes if volume is not None and volume.get("emptyDir", "medium") == "Memory"]


def _of_row(container: Container) -> Fraction:
    row = container.row
    need = quantity.parse(row.memory) if row is not None else None
    return need or _NOTHING


def _row_fact(container: Container) -> Evidence:
    origin = container.row.origin if container.row is not None else ""
    return container.fact(f"{origin}: how much memory it needs", "image")


def _flag(container: Container, heap: Heap) -> Evidence:
    return container.fact(f"{_FLAGS[heap.kind]} says how much memory it uses")
