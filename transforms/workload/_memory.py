"""How much memory a container needs, as far as its flags, its volumes and the image table tell."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.images.container_commands import every_word
from hardener.facts.kustomize.overlays.states import states
from hardener.kubernetes import quantity
from hardener.kubernetes.command_evidence import Heap, heap_bytes
from hardener.kubernetes.component import is_data_store, is_jvm
from hardener.tree.core_views import Container, OpaqueError, View

from ._volumes import mounts

MIB = 2**20
GIB = 2**30
_FLAGS = {"xmx": "-Xmx or -XX:MaxRAM", "max-old-space": "--max-old-space-size", "gomemlimit": "GOMEMLIMIT"}

# Of what the image table calls so, no number is known before somebody uses it.
_BY_CLASS = {
    "model-server": "holds the model that it serves in its memory",
    "notebook": "computes in its memory what its users write",
}


def heap_limit(container: Container) -> tuple[Fraction, list[Evidence]]:
    """The least limit beside a heap of the size that a flag names, and that flag; 0 without one."""
    found = [(_beside(heap), [_flag(state, heap)]) for state, heap in _heaps(container)]
    return max(found, key=lambda one: one[0], default=(Fraction(0), []))


def _heaps(container: Container) -> list[tuple[Container, Heap]]:
    """The heap that a flag names, where the container is written and where a kustomization patches it."""
    found = ((state, heap_bytes(every_word(state), state.env)) for state in states(container))
    return [(state, heap) for state, heap in found if heap is not None]


def _beside(heap: Heap) -> Fraction:
    if heap.kind == "xmx":
        return heap.bytes * Fraction(3, 2) + 256 * MIB
    if heap.kind == "max-old-space":
        return heap.bytes * Fraction(7, 5) + 128 * MIB
    return heap.bytes * Fraction(11, 10)


def needed(container: Container) -> tuple[Fraction, list[Evidence]]:
    """What the container surely uses, and how that is known: its heap or the image table; 0 without either."""
    found = max(_heaps(container), key=lambda one: one[1].bytes, default=None)
    row = _of_row(container)
    if found is not None and found[1].bytes >= row:
        return found[1].bytes, [_flag(*found)]
    return row, [_row_fact(container)] if row else []


def from_request(container: Container, request: Fraction) -> tuple[Fraction, list[Evidence]]:
    """The limit above a request that the author wrote."""
    return _above(request), [container.fact("the manifest requests memory", "resources", "requests", "memory")]


def beside_request(request: Fraction, fact: Evidence) -> tuple[Fraction, list[Evidence]]:
    """The limit above a request that a kustomization sets."""
    return _above(request), [fact]


def from_image(container: Container, default: Fraction) -> tuple[Fraction, list[Evidence]]:
    """The limit of a container without numbers: the default, more where the image table says so."""
    row = _of_row(container)
    return max(default, _above(row)) if row else default, [_row_fact(container)] if row else []


def of_volumes(container: Container) -> tuple[Fraction, list[Evidence]]:
    """The size of its in-memory volumes, which counts as its memory; and a doubt for each that has no size."""
    total, doubt = _of_volumes(container)
    for state in states(container)[1:]:
        try:
            other, more = _of_volumes(state)
        except (OpaqueError, WrongShapeError):
            continue
        total, doubt = max(total, other), doubt or more
    return total, doubt


def _of_volumes(container: Container) -> tuple[Fraction, list[Evidence]]:
    total, doubt = Fraction(0), []
    for volume in memory_volumes(container):
        size = quantity.parse(volume.get("emptyDir", "sizeLimit"))
        total += size or 0
        if size is None:
            doubt.append(volume.fact("files in this in-memory volume count as well, and it has no size", "emptyDir"))
    return total, doubt


def memory_volumes(container: Container) -> list[View]:
    """The in-memory volumes that it mounts."""
    volumes = (mount.volume for mount in mounts(container) if mount.source == "emptyDir")
    return [volume for volume in volumes if volume is not None and volume.get("emptyDir", "medium") == "Memory"]


def unknowable(container: Container, default: str) -> str | None:
    """Why no default limit fits: it holds data or sizes itself by what it finds, and there is no number."""
    written = container.get("resources", "requests", "memory")
    # A request as large as our default may be ours, of an earlier run: it is no number of the author's.
    if (written is not None and str(written) != default) or needed(container)[0]:
        return None
    image = container.image
    repository = image.repository if image else None
    if is_data_store(repository) or (container.row is not None and container.row.class_ == "data-store"):
        return f"{image.name if image else container.name} is a data store"
    reason = _BY_CLASS.get(container.row.class_ or "") if container.row is not None else None
    if reason is not None:
        return f"{repository or container.name} {reason}"
    if is_jvm((*every_word(container), *container.env.values()), repository):
        return "a Java virtual machine sizes its heap by the limit"
    if container.pod.kind == "StatefulSet" and any(m.source == "persistentVolumeClaim" for m in mounts(container)):
        return "a StatefulSet that keeps data in a claim"
    return None


def _above(request: Fraction) -> Fraction:
    if request >= 4 * GIB:
        return Fraction(ceil(request * Fraction(5, 4) / (64 * MIB)) * 64 * MIB)
    return max(2 * request, Fraction(256 * MIB))


def _of_row(container: Container) -> Fraction:
    text = container.row.memory if container.row is not None else None
    return quantity.parse(text) or Fraction(0)


def _row_fact(container: Container) -> Evidence:
    return container.fact("image table: how much memory it needs", "image")


def _flag(container: Container, heap: Heap) -> Evidence:
    return container.fact(f"{_FLAGS[heap.kind]} says how much memory it uses")
