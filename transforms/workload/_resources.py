"""What cpu, memory and disk a container gets, and who else has a say: the decision behind requests and limits.

Limits are decided first, from what the author wrote, then requests: what this run writes is nobody's number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from fractions import Fraction
from math import ceil
from typing import ClassVar

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Grade, Severity
from hardener.errors import InputError
from hardener.kubernetes import quantity
from hardener.support.fast_dataclass import dataclass
from hardener.tree.core_views import Container

from . import _memory
from ._autoscalers import horizontal, vertical
from ._bounds import Bounds, bounds, quota
from ._patched import least_limit, most_requested

NONE = "none"
_CPU_LIMIT, _MEMORY_LIMIT = "500m", "512Mi"  # also where a profile writes none, but a quota refuses pods without
_POD_NUMBERS = (1, 34)  # from here on the API server reads spec.resources
_OF_WHOLE_PODS = ("cpu", "memory")
DEFAULT = Evidence("no number in the manifest: a default, to be measured and adjusted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The numbers for containers that say nothing themselves. ``cpu_limit: none`` writes cpu limits only where a quota
    asks for them; ``equal_memory`` makes memory requests equal to their limits."""

    GROUP: ClassVar[str] = "resources"
    cpu_request: str = "100m"
    memory_request: str = "128Mi"
    cpu_limit: str = _CPU_LIMIT
    cpu_limit_ratio: int = 4
    memory_limit: str = _MEMORY_LIMIT
    equal_memory: bool = False
    ephemeral_request: str = "64Mi"
    ephemeral_limit: str = "1Gi"

    def __post_init__(self) -> None:
        for name in ("cpu_request", "memory_request", "ephemeral_request", "ephemeral_limit"):
            self._check(name)
        for name in ("cpu_limit", "memory_limit"):
            if getattr(self, name) != NONE:
                self._check(name)
        if self.cpu_limit_ratio < 1:
            raise InputError("resources.cpu-limit-ratio: a limit is not below its request")

    def _check(self, name: str) -> None:
        amount = quantity.parse(getattr(self, name))
        if amount is None or amount <= 0:
            raise InputError(f"resources.{name.replace('_', '-')}: {getattr(self, name)} is no quantity")


@dataclass(slots=True)
class Amount:
    """What a request or limit becomes, and the facts behind it; without any it is a default.

    ``doubt`` are facts that speak against the number; ``unknown`` says why no number fits at all; below ``least`` it
    may not go.
    """

    text: str
    evidence: list[Evidence] = field(default_factory=list)
    doubt: list[Evidence] = field(default_factory=list)
    unknown: str | None = None
    least: Fraction = Fraction(0)

    @property
    def number(self) -> Fraction:
        return parsed(self.text)


def has_number(container: Container, resource: str) -> bool:
    """Whether the author wrote a request, or a limit, which the API server takes for the request too."""
    if container.has("resources", "requests", resource):
        return True
    transform = f"{'ephemeral' if resource == 'ephemeral-storage' else resource}-limit"
    return container.has("resources", "limits", resource) and transform not in container.changed_by


def request_of(resource: str, container: Container, options: Resources) -> Amount:
    """The request of a container that names none; no more than the limit that a kustomization sets."""
    amount = _request_of(resource, container, options)
    least = least_limit(container, resource)
    if least is None or least[0] >= amount.number:
        return amount
    text = quantity.format_cpu(least[0]) if resource == "cpu" else quantity.format_memory(least[0])
    if parsed(text) > least[0]:
        return Amount(str(least[2]), [least[1]])  # in the author's own words, since any other is rounded up
    return Amount(text, [least[1]])


def _request_of(resource: str, container: Container, options: Resources) -> Amount:
    if resource != "memory":
        return Amount(options.cpu_request if resource == "cpu" else options.ephemeral_request)
    needed, evidence = _memory.needed(container)
    if needed <= parsed(options.memory_request):
        return Amount(options.memory_request)
    return Amount(quantity.format_memory(_whole(needed)), evidence)


def cpu_limit(container: Container, options: Resources) -> Amount | None:
    """The missing cpu limit, from the request; None where there is one, or where none is wanted."""
    if container.has("resources", "limits", "cpu"):
        return None
    evidence, default = [], options.cpu_limit
    if default == NONE:
        asked = quota(container, "cpu")
        if asked is None:
            return None
        evidence, default = [asked], _CPU_LIMIT
    written = container.get("resources", "requests", "cpu")
    request = quantity.parse(written)
    if written is not None and request is None:
        return None
    most = most_requested(container, "cpu")
    if most is not None and (request is None or most[0] > request):
        request, fact, written = most
    elif request is None:
        return Amount(default, evidence)
    else:
        fact = container.fact("the manifest requests cpu", "resources", "requests", "cpu")
    evidence = [fact, *evidence]
    wanted = request * options.cpu_limit_ratio
    return Amount(default if wanted <= parsed(default) else quantity.format_like(wanted, written), evidence)


def memory_limit(container: Container, options: Resources) -> Amount | None:
    """The missing memory limit: from the request, a heap flag, a row of the image table, or the default."""
    written = container.get("resources", "requests", "memory")
    request = quantity.parse(written)
    if container.has("resources", "limits", "memory") or (written is not None and request is None):
        return None
    asked = quota(container, "memory")
    if options.memory_limit == NONE and asked is None:
        return None
    default = parsed(_MEMORY_LIMIT if options.memory_limit == NONE else options.memory_limit)
    planned = request_of("memory", container, options)
    if request is not None:
        base, evidence = _memory.from_request(container, request)
    else:
        base, evidence = _memory.from_image(container, default)
        base = max(base, planned.number)
    most = most_requested(container, "memory")
    patched = most is not None and _memory.beside_request(most[0], most[1])
    if patched and patched[0] > base:
        base, evidence = patched
    least, heap = _memory.heap_limit(container)
    shared, doubt = _memory.of_volumes(container)
    wanted = max(base, least) + shared
    evidence = [*heap, *evidence]
    if shared:
        evidence.append(Evidence("files in its in-memory volumes count as memory"))
    # The author's unit is kept where the number comes from the author's.
    own = request is not None and wanted == base
    text = quantity.format_like(wanted, written) if own else quantity.format_memory(_whole(wanted))
    if asked is not None:
        # The quota lets no pod in without a limit, so any number is better than none.
        return Amount(text, [*evidence, asked], doubt, None, least + shared)
    unknown = _memory.unknowable(container, planned.text)
    return Amount(text, evidence, doubt, unknown, least + shared)


def written(
    container: Container, kind: str, resource: str, amount: Amount, options: Resources
) -> Iterator[Edit | Finding]:
    """The edit that writes ``amount``; a finding where somebody else has the say, nothing where a LimitRange fills in.

    ``kind`` is "requests" or "limits".
    """
    noun = f"{resource} {kind.removesuffix('s')}"
    if resource in _OF_WHOLE_PODS and container.pod.has("resources"):
        yield from _of_whole_pod(container, resource, kind)
        return
    autoscaler = vertical(container, resource)
    if autoscaler is not None:
        advice = "bound it with minAllowed and maxAllowed there, or take the container out of its policy"
        yield _left(container, f"{autoscaler} decides its {resource}", noun, advice)
        return
    found = bounds(container, resource)
    if found is not None:
        if found.unclear is not None:
            why = f"{found.unclear} bounds whole pods, or is filled in later"
            yield _left(container, why, noun, f"write a {noun} that it lets in")
            return
        if (found.limit if kind == "limits" else found.request) is not None:
            return
        if kind == "limits":
            fitting = _fitting(container, resource, amount, found, options)
            if fitting is None:
                why = f"none that fits is let in by {found.names}"
                yield _left(container, why, noun, f"change the {resource} request, or the bounds of that LimitRange")
                return
            amount = fitting
    if amount.unknown:
        advice = f"measure what it uses under load and set resources.{kind}.{resource} to that with room to spare"
        yield _left(container, f"{amount.unknown}, and the manifest holds no number", noun, advice)
        return
    doubt = list(amount.doubt)
    if kind == "requests" and (scaler := horizontal(container, resource)):
        doubt.append(scaler.fact(f"{scaler} scales by the use of {resource} relative to this request"))
    yield container.set(
        "resources", kind, resource, to=amount.text, grade=Grade.REVIEW,
        basis=Basis.INFERRED if amount.evidence else Basis.ASSUMED,
        evidence=(amount.evidence or [DEFAULT]) + doubt, late=kind == "limits",
    )  # fmt: skip


def _fitting(container: Container, resource: str, amount: Amount, found: Bounds, options: Resources) -> Amount | None:
    """The limit ``amount`` as a LimitRange lets it in beside the request; None where that is no number to work with."""
    number = container.get("resources", "requests", resource)
    request = quantity.parse(number) if number is not None else found.request
    if request is None:
        request = request_of(resource, container, options).number
    wanted = max(amount.number, request)
    fitting = found.fit(wanted, request)
    if fitting is None or fitting < amount.least:
        return None
    if fitting == amount.number:
        return amount
    text = quantity.format_cpu(fitting) if resource == "cpu" else quantity.format_memory(fitting)
    if parsed(text) > fitting:  # rounded up, past the bound
        text = quantity.format_cpu(fitting - Fraction(1, 1000))
    return Amount(text, [*amount.evidence, *found.facts], amount.doubt, amount.unknown, amount.least)


def _of_whole_pod(container: Container, resource: str, kind: str) -> Iterator[Finding]:
    """The pod has numbers as a whole, which its containers could contradict: what is missing there, said once."""
    pod = container.pod
    if pod.has("resources", kind, resource) or (kind == "requests" and pod.has("resources", "limits", resource)):
        return
    lacking = (
        other for other in pod.containers
        if not other.has("resources", kind, resource) and not (kind == "requests" and has_number(other, resource))
    )  # fmt: skip
    if next(lacking).path != container.path:
        return
    noun = f"{resource} {kind.removesuffix('s')}"
    early = pod.tree.settings.kubernetes_version < _POD_NUMBERS
    yield pod.finding(
        f"no {noun} is written: the pod has numbers as a whole, which those of its containers could contradict"
        + ("; before Kubernetes 1.34 they mean nothing" if early else ""),
        "resources",
        advice=f"write spec.resources.{kind}.{resource}",
        severity=Severity.LOW,
    )


def _left(container: Container, why: str, noun: str, advice: str) -> Finding:
    return container.finding(f"no {noun} is written: {why}", "resources", advice=advice, severity=Severity.LOW)


def _whole(amount: Fraction) -> Fraction:
    """In whole MiB, rounded up."""
    return Fraction(ceil(amount / _memory.MIB) * _memory.MIB)


def parsed(text: str) -> Fraction:
    """The amount of a text that is known to be a quantity."""
    return quantity.parse(text) or Fraction(0)
