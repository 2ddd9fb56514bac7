"""What cpu and memory a container gets, and why: the one decision behind requests and limits (DECISIONS 2.8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import ClassVar

from hardener.edits import Basis, Evidence, Finding, Severity
from hardener.errors import HardenError
from hardener.kubernetes import quantity
from hardener.kubernetes.command_evidence import heap_bytes
from hardener.kubernetes.component import is_data_store, is_jvm
from hardener.views import Container

from ._volumes import mounts

MIB = 2**20
GIB = 2**30
NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The numbers for containers that say nothing themselves. ``cpu_limit: none`` writes no cpu limits."""

    GROUP: ClassVar[str] = "resources"
    cpu_request: str = "100m"
    memory_request: str = "128Mi"
    cpu_limit: str = "500m"
    cpu_limit_ratio: int = 4
    memory_limit: str = "512Mi"

    def __post_init__(self) -> None:
        for name in ("cpu_request", "memory_request", "cpu_limit", "memory_limit"):
            value = getattr(self, name)
            amount = quantity.parse(value)
            may_be_none = name.endswith("_limit") and value == NONE
            if not may_be_none and (amount is None or amount <= 0):
                raise HardenError(f"resources.{name.replace('_', '-')}: {value} is no quantity")
        if self.cpu_limit_ratio < 1:
            raise HardenError("resources.cpu-limit-ratio: a limit is not below its request")


@dataclass(slots=True)
class Amount:
    """What a request or limit becomes, and the facts behind it; none of them means that it is a default."""

    text: str
    evidence: list[Evidence] = field(default_factory=list)

    @property
    def basis(self) -> Basis:
        return Basis.INFERRED if self.evidence else Basis.ASSUMED

    @property
    def facts(self) -> list[Evidence]:
        return self.evidence or [Evidence("no number in the manifest: a default, to be measured and adjusted")]


def judged(container: Container) -> bool:
    """Whether the container's own numbers decide; with numbers for the whole pod they may contradict those."""
    return not container.pod.has("resources")


def cpu_request(container: Container, options: Resources) -> Amount | None:
    """The missing cpu request; None where there is one, or a limit, which the API server takes for the request too."""
    if _given(container, "cpu"):
        return None
    return Amount(options.cpu_request)


def memory_request(container: Container, options: Resources) -> Amount | None:
    """The missing memory request, as for cpu."""
    if _given(container, "memory"):
        return None
    return _memory_request(container, options)


def cpu_limit(container: Container, options: Resources) -> Amount | None:
    """The missing cpu limit, from the request."""
    if options.cpu_limit == NONE or container.has("resources", "limits", "cpu"):
        return None
    least = _parsed(options.cpu_limit)
    written = container.get("resources", "requests", "cpu")
    request = quantity.parse(written)
    if request is None:
        return None if written is not None else Amount(options.cpu_limit)
    wanted = request * options.cpu_limit_ratio
    evidence = [] if written == options.cpu_request else [_from_request(container, "cpu")]
    if wanted <= least:
        return Amount(options.cpu_limit, evidence)
    return Amount(quantity.format_like(wanted, written), evidence)


def memory_limit(container: Container, options: Resources) -> Amount | None:
    """The missing memory limit: from the request, a heap flag, a row of the image table, or the default."""
    if options.memory_limit == NONE or container.has("resources", "limits", "memory"):
        return None
    written = container.get("resources", "requests", "memory")
    request = quantity.parse(written)
    if written is not None and request is None:
        return None
    planned = _memory_request(container, options)
    from_author = request is not None and not _is_of_this_run(container, str(written), planned)
    if from_author and request is not None:
        base, evidence = _above(request), [_from_request(container, "memory")]
    else:
        needed = _memory_of_row(container)
        base, evidence = _parsed(options.memory_limit), []
        if needed is not None:
            base, evidence = max(base, _above(needed)), [_row_fact(container)]
    # A limit below the request is refused by the API server.
    base = max(base, request or Fraction(0))
    heap = _heap_limit(container)
    shared = sum(_memory_volumes(container), Fraction(0))
    if heap is not None:
        evidence = [_heap_fact(container), *evidence]
    if shared:
        evidence.append(Evidence("files in its in-memory volumes count as memory"))
    wanted = max(base, heap or Fraction(0)) + shared
    if from_author and wanted == base:
        return Amount(quantity.format_like(wanted, written), evidence)
    return Amount(quantity.format_memory(Fraction(ceil(wanted / MIB) * MIB)), evidence)


def memory_is_unknowable(container: Container, options: Resources) -> str | None:
    """Why no default memory limit fits: it holds data or sizes itself by what it finds, and there is no number."""
    written = container.get("resources", "requests", "memory")
    # A request as large as our default may be ours, from this run or an earlier one: it is no number of the author's.
    if written is not None and str(written) != _memory_request(container, options).text:
        return None
    if heap_bytes(container.words, container.env) is not None or _memory_of_row(container) is not None:
        return None
    image = container.image
    repository = image.repository if image else None
    if is_data_store(repository) or (container.row is not None and container.row.class_ == "data-store"):
        return f"{image.name if image else container.name} is a data store"
    if is_jvm((*container.words, *container.env.values()), repository):
        return "a Java virtual machine sizes its heap by the limit"
    if container.pod.kind == "StatefulSet" and _mounts_claim(container):
        return "a StatefulSet that keeps data in a claim"
    return None


def limit_range(container: Container, resource: str) -> Finding | None:
    """A finding in place of a number where a LimitRange of the namespace already has a say."""
    ranges = container.tree.limit_ranges_of(container.object)
    if not ranges:
        return None
    return container.finding(
        f"no {resource} is written: LimitRange {ranges[0].name} has the say in this namespace",
        "resources",
        advice=f"write a {resource} within that LimitRange, or leave it to its defaults",
        severity=Severity.LOW,
    )


def _given(container: Container, resource: str) -> bool:
    return container.has("resources", "requests", resource) or container.has("resources", "limits", resource)


def _memory_request(container: Container, options: Resources) -> Amount:
    heap = heap_bytes(container.words, container.env)
    needed = _memory_of_row(container)
    least = _parsed(options.memory_request)
    wanted = max(least, heap.bytes if heap else least, needed or least)
    if wanted == least:
        return Amount(options.memory_request)
    evidence = [_heap_fact(container) if heap and wanted == heap.bytes else _row_fact(container)]
    return Amount(quantity.format_memory(Fraction(ceil(wanted / MIB) * MIB)), evidence)


def _is_of_this_run(container: Container, written: str, planned: Amount) -> bool:
    # The request written a moment ago is a default, no number of the author's.
    return "resource-requests" in container.pod.changed_by and written == planned.text


def _above(request: Fraction) -> Fraction:
    if request >= 4 * GIB:
        return Fraction(ceil(request * Fraction(5, 4) / (64 * MIB)) * 64 * MIB)
    return max(2 * request, Fraction(256 * MIB))


def _heap_limit(container: Container) -> Fraction | None:
    heap = heap_bytes(container.words, container.env)
    if heap is None:
        return None
    if heap.kind == "xmx":
        return heap.bytes * Fraction(3, 2) + 256 * MIB
    if heap.kind == "max-old-space":
        return heap.bytes * Fraction(7, 5) + 128 * MIB
    return heap.bytes * Fraction(11, 10)


def _memory_of_row(container: Container) -> Fraction | None:
    return quantity.parse(container.row.memory) if container.row is not None and container.row.memory else None


def _memory_volumes(container: Container) -> Iterator[Fraction]:
    mounted = {mount.get("name") for mount in container.items("volumeMounts")}
    for volume in container.pod.items("volumes"):
        if volume.get("name") in mounted and volume.has("emptyDir"):
            empty_dir = volume.view("emptyDir")
            size = quantity.parse(empty_dir.get("sizeLimit"))
            if empty_dir.get("medium") == "Memory" and size is not None:
                yield size


def _mounts_claim(container: Container) -> bool:
    return any(mount.source == "persistentVolumeClaim" for mount in mounts(container))


def _parsed(text: str) -> Fraction:
    return quantity.parse(text) or Fraction(0)


def _from_request(container: Container, resource: str) -> Evidence:
    return container.fact(f"the manifest requests {resource}", "resources", "requests", resource)


def _heap_fact(container: Container) -> Evidence:
    heap = heap_bytes(container.words, container.env)
    names = {"xmx": "-Xmx or -XX:MaxRAM", "max-old-space": "--max-old-space-size", "gomemlimit": "GOMEMLIMIT"}
    return container.fact(f"{names[heap.kind] if heap else 'a flag'} says how much memory it uses")


def _row_fact(container: Container) -> Evidence:
    return container.fact("image table: how much memory it needs", "image")
