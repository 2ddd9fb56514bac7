"""What cpu, memory and disk a container gets, and who else has a say: the decision behind requests and limits.

Limits are decided first, from what the author wrote, then requests: what this run writes is nobody's number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import ClassVar

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity, WrongShapeError
from hardener.authoring.verdict import Effect, verdict
from hardener.errors import InputError
from hardener.facts.images.container_commands import every_word
from hardener.facts.images.numbers_elsewhere import Number, NumbersElsewhere
from hardener.facts.images.products import runs_data_store
from hardener.facts.kustomize.overlays.states import patched, states
from hardener.facts.objects.resource_limits import ResourcePolicies
from hardener.kubernetes.components.component import is_data_store, is_jvm, is_machine_learning
from hardener.kubernetes.objects import quantity
from hardener.tree.core_views import Container, OpaqueError

from . import _memory
from . import _recorded_use as recorded_use
from ._autoscalers import horizontal, vertical
from ._bounds import Bounds, bounds, quota
from ._volumes import mounts

_LEARNING_GROUPS = frozenset({"kubeflow.org", "ray.io"})
_SIZED = {"memory": "heap", "cpu": "threads"}
_KSERVE = "serving.kserve.io"
# Of an NVIDIA, AMD or Intel device, where no resource asks for it; these values show none.
_VISIBLE = "_VISIBLE_DEVICES"
_NO_DEVICE = frozenset({"", "none", "void", "-1"})


def unsized(container: Container, resource: str, *, requested: bool) -> str | None:
    """Return why no limit of ``resource`` ("cpu" or "memory") fits ``container`` without somebody who measures; None
    where one does. ``requested``: whether its author wrote a request."""
    device = next(_devices(container), None)
    if device is not None:
        return f"container {container.name} works with {device}"
    image, words = container.image, every_word(container)
    repository = image.known_part if image else None
    if (learning := _learning(container, repository)) is not None:
        return f"{repository or container.name} {learning}"
    if _memory.heap_limit(container)[1]:
        return None
    if runs_data_store(container):
        return f"{image.name if image else container.name} is a data store"
    if _memory.row_need(container)[1]:
        return None
    if (held := _held(container, resource)) is not None:
        return held
    if is_jvm((*words, *container.env.values()), repository):
        return f"a Java virtual machine sizes its {_SIZED[resource]} by the limit"
    if resource == "memory" and not requested and _keeps_data(container):
        return "a StatefulSet that keeps data in a claim"
    return None


def _held(container: Container, resource: str) -> str | None:
    """What its image holds, by a bill of materials, that takes as much as it is given."""
    runtimes, servers = recorded_use.holds(container)
    stores = [name for name in servers if is_data_store(name)]
    if stores:
        return f"its image holds {', '.join(stores)}, a data store"
    if "java" in runtimes:
        return f"its image holds a Java virtual machine, which sizes its {_SIZED[resource]} by the limit"
    return None


def _learning(container: Container, repository: str | None) -> str | None:
    """What is computed where a model, or whoever writes a notebook, decides how much it takes."""
    class_ = _class(container)
    if class_ == "notebook":
        return "computes what its users write"
    if class_ == "model-server" or is_machine_learning(every_word(container), repository) or _is_of_learning(container):
        return "computes with a model or for one"
    return None


def _class(container: Container) -> str | None:
    return container.row.class_ if container.row is not None else None


def _keeps_data(container: Container) -> bool:
    claims = (mount.source == "persistentVolumeClaim" for mount in mounts(container))
    return container.pod.kind == "StatefulSet" and any(claims)


def _is_of_learning(container: Container) -> bool:
    """Whether it is the worker of an API for models: of training, of a cluster of Ray, the predictor of KServe."""
    group = container.object.group
    return not container.init and (group in _LEARNING_GROUPS or (group == _KSERVE and "predictor" in container.path))


def _devices(container: Container) -> Iterator[str]:
    """The devices that it is given, where it is written or where a kustomization patches it.

    Source: kubernetes.io/docs/concepts/configuration/manage-resources-containers, extended resources (every name with
    a domain other than kubernetes.io), and resource claims.
    """
    for state in states(container):
        try:
            if state.has("resources"):
                yield from _asked_for(state)
        except (OpaqueError, WrongShapeError):
            continue
        for name, value in state.env.items():
            if name.endswith(_VISIBLE) and value.strip().lower() not in _NO_DEVICE:
                yield f"the devices of {name}"


def _asked_for(state: Container) -> Iterator[str]:
    for kind in ("limits", "requests"):
        for name in state.keys("resources", kind):
            domain, slash, _ = str(name).partition("/")
            if slash and domain != "kubernetes.io" and not domain.endswith(".kubernetes.io"):
                yield str(name)
    for claim in state.items("resources", "claims"):
        yield f"the resource claim {claim.text('name')}"


NONE = "none"
_USAGE, _TABLE = "usage", "table"
# The numbers where nothing is known. Beside each stands what maintainers of 55 public projects wrote for 1,005
# containers, 746 of them with a cpu request, 556 with a memory request, 100 and 708 with a limit of cpu and memory.
_CPU_REQUEST = "25m"  # within four times of 84 % of theirs; 50m of 39 %, 100m of 31 %
_MEMORY_REQUEST = "128Mi"  # within four times of 86 %; 64Mi of 80 %, 256Mi of 76 %
_CPU_LIMIT = "1"  # at least theirs in 86 %; 500m in 78 %
_CPU_LIMIT_RATIO = 4  # max(4 x request, 1) is at least theirs in 89 % of 97
_MEMORY_LIMIT = "2Gi"  # at least theirs in 83 %; 512Mi in 58 %, 1Gi in 73 %
# Beside a request, max(4 x request, 1Gi) is at least theirs in 80 % of 521; max(2 x request, 256Mi) in 45 %.
_MEMORY_LIMIT_RATIO, _MEMORY_LIMIT_LEAST = 4, "1Gi"
# What is taken over from another container: none of theirs requests more, and 97 % limit to no more.
_CPU_ELSEWHERE_MOST, _MEMORY_ELSEWHERE_MOST = "4", "8Gi"
_NOTHING = Fraction(0)
_POD_NUMBERS = (1, 34)  # from here on the API server reads spec.resources
_OF_WHOLE_PODS = ("cpu", "memory")
_PatchedNumber = tuple[Fraction, Evidence, object]  # an amount that a kustomization sets, where, and as it is written
_MEMORY_STEP, _CPU_STEP = Fraction(64 * _memory.MIB), Fraction(1, 2)
DEFAULT = Evidence("the manifest has no number: this is a default, measure and adjust it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The numbers for containers that say nothing themselves.

    Beside a request, a cpu limit is ``cpu_limit_ratio`` times the request, at least ``cpu_limit``, and a memory limit
    ``memory_limit_ratio`` times, at least ``memory_limit_least``. ``cpu_limit: none`` writes cpu limits only where a
    quota asks for them; ``equal_memory`` makes memory requests equal to their limits. What another container of the
    application has that runs the same program is taken over up to ``cpu_elsewhere_most`` and ``memory_elsewhere_most``.
    ``from: usage`` takes what was used in a cluster (harden.evidence.yaml) before all of that, ``table`` does not.
    """

    GROUP: ClassVar[str] = "resources"
    cpu_request: str = _CPU_REQUEST
    memory_request: str = _MEMORY_REQUEST
    cpu_limit: str = _CPU_LIMIT
    cpu_limit_ratio: int = _CPU_LIMIT_RATIO
    memory_limit: str = _MEMORY_LIMIT
    memory_limit_ratio: int = _MEMORY_LIMIT_RATIO
    memory_limit_least: str = _MEMORY_LIMIT_LEAST
    equal_memory: bool = False
    cpu_elsewhere_most: str = _CPU_ELSEWHERE_MOST
    memory_elsewhere_most: str = _MEMORY_ELSEWHERE_MOST
    ephemeral_request: str = "64Mi"
    ephemeral_limit: str = "1Gi"
    from_: str = _USAGE

    def __post_init__(self) -> None:
        for name in (
            *("cpu_request", "memory_request", "memory_limit_least", "ephemeral_request", "ephemeral_limit"),
            *("cpu_elsewhere_most", "memory_elsewhere_most"),
        ):
            self._check(name)
        for name in ("cpu_limit", "memory_limit"):
            if getattr(self, name) != NONE:
                self._check(name)
        if self.from_ not in (_USAGE, _TABLE):
            raise InputError(f"resources.from: {self.from_} is neither {_USAGE} nor {_TABLE}")
        for name in ("cpu_limit_ratio", "memory_limit_ratio"):
            if getattr(self, name) < 1:
                raise InputError(f"resources.{name.replace('_', '-')}: a limit is not below its request")

    def request(self, resource: str) -> str:
        """Return the request of a container of which nothing is known."""
        return {"cpu": self.cpu_request, "memory": self.memory_request}.get(resource, self.ephemeral_request)

    def most_elsewhere(self, resource: str) -> Fraction:
        """Return the largest number of "cpu" or "memory" that is taken over from another container."""
        return parsed(self.cpu_elsewhere_most if resource == "cpu" else self.memory_elsewhere_most)

    def _check(self, name: str) -> None:
        amount = quantity.parse(getattr(self, name))
        if amount is None or amount <= 0:
            raise InputError(f"resources.{name.replace('_', '-')}: {getattr(self, name)} is no quantity")


class Amount(Struct):
    """What a request or limit becomes, and the facts behind it; without any it is a default.

    ``doubt`` are facts that speak against the number; ``unknown`` says why no number fits at all; below ``least`` it
    may not go. ``default`` is what is said where there are no facts. ``measured``: it is what a run showed.
    """

    text: str
    evidence: list[Evidence] = field(default_factory=list)
    doubt: list[Evidence] = field(default_factory=list)
    unknown: str | None = None
    least: Fraction = _NOTHING
    default: Evidence = DEFAULT
    measured: bool = False

    @property
    def number(self) -> Fraction:
        return parsed(self.text)


def has_number(container: Container, resource: str) -> bool:
    """Return whether the author wrote a request, or a limit, which the API server takes for the request too."""
    if container.has("resources", "requests", resource):
        return True
    transform = f"{'ephemeral' if resource == 'ephemeral-storage' else resource}-limit"
    return container.has("resources", "limits", resource) and transform not in container.changed_by


def request_of(resource: str, container: Container, options: Resources) -> Amount:
    """Return the request of a container that names none; no more than the limit that a kustomization sets."""
    amount = _request_of(resource, container, options)
    least = _least_limit(container, resource)
    if least is None or least[0] >= amount.number:
        return amount
    text = quantity.format_cpu(least[0]) if resource == "cpu" else quantity.format_memory(least[0])
    if parsed(text) > least[0]:
        return Amount(str(least[2]), [least[1]])  # in the author's own words, since any other is rounded up
    return Amount(text, [least[1]])


def _request_of(resource: str, container: Container, options: Resources) -> Amount:
    """The request of a container that names none: what it surely needs, what others have that run the same program,
    else the default."""
    default = options.request(resource)
    if resource not in _OF_WHOLE_PODS:
        return Amount(default)
    told = recorded_use.request(container, resource) if options.from_ == _USAGE else None
    if told is not None:
        return Amount(told.text, [told.fact], measured=True)
    elsewhere = container.tree.ask(NumbersElsewhere)
    # The API server takes a limit without a request for the request too.
    most = options.most_elsewhere(resource)
    same = elsewhere.largest(container, "requests", resource, most)
    if same is None:
        limit = elsewhere.largest(container, "limits", resource, most)
        same = limit if limit is not None and limit.amount < parsed(default) else None
    if resource == "memory":
        least = parsed(default) if same is None else same.amount
        peak, seen = _memory.peak(container)
        if seen and peak > max(least, _memory.needed(container)[0]):
            return Amount(quantity.format_memory(_in_steps(peak, _MEMORY_STEP)), seen, measured=True)
        needed, evidence = _memory.needed(container)
        if evidence and needed > least:
            return Amount(quantity.format_memory(_whole(needed)), evidence)
    return Amount(default) if same is None else Amount(same.text, [same.fact])


class _Request(Struct, frozen=True):
    """The request beside which a limit is put, as it is written, and how it is known; without evidence it is the
    default."""

    amount: Fraction
    written: object
    evidence: list[Evidence]


def _request_beside(container: Container, resource: str, options: Resources) -> _Request | None:
    """The request that ``container`` has, or will have; None where what is written is no number.

    A limit depends on the amount alone: one that is as large as harden's own may be of an earlier run, which did not
    write the limit, and the limit then has to become what one run would have made of it.
    """
    written = container.get("resources", "requests", resource)
    amount = quantity.parse(written)
    if written is not None and amount is None:
        return None
    planned = _request_of(resource, container, options)
    if amount is None:
        found = _Request(planned.number, planned.text, planned.evidence)
    else:
        fact = container.fact(f"the manifest requests {resource}", "resources", "requests", resource)
        if amount == parsed(options.request(resource)):
            found = _Request(amount, written, [])
        elif amount == request_of(resource, container, options).number:
            found = _Request(planned.number, planned.text, [fact] if planned.evidence else [])
        else:
            found = _Request(amount, written, [fact])
    most = _most_requested(container, resource)
    if most is not None and most[0] > found.amount:
        return _Request(most[0], most[2], [most[1]])
    return found


def _same_limit(container: Container, resource: str, request: _Request, options: Resources) -> Number | None:
    """The limit of another container that runs the same program, where it fits beside ``request``."""
    most = options.most_elsewhere(resource)
    limit = container.tree.ask(NumbersElsewhere).largest(container, "limits", resource, most)
    return None if limit is None or limit.amount < request.amount else limit


def cpu_limit(container: Container, options: Resources) -> Amount | None:
    """Return the missing cpu limit, from what the same program has elsewhere or from the request; None where there is
    one, or where none is wanted."""
    if container.has("resources", "limits", "cpu"):
        return None
    asked, default = quota(container, "cpu"), options.cpu_limit
    if default == NONE and asked is None:
        return None
    default = _CPU_LIMIT if default == NONE else default
    request = _request_beside(container, "cpu", options)
    if request is None:
        return None
    more = [] if asked is None else [asked]
    told = recorded_use.limit(container, "cpu") if options.from_ == _USAGE else None
    if told is not None and told.amount >= request.amount:
        return Amount(told.text, [told.fact, *more], measured=True)
    unknown = unsized(container, "cpu", requested=bool(request.evidence)) if asked is None else None
    same = _same_limit(container, "cpu", request, options)
    if same is not None:
        return Amount(same.text, [same.fact, *more], unknown=unknown)
    text = _times(request.written, options.cpu_limit_ratio, default)
    busiest, seen = _memory.twice_the_busiest(container)
    if seen and busiest > parsed(text):
        busiest = _in_steps(busiest, _CPU_STEP)
        return Amount(quantity.format_cpu(busiest), [*seen, *more], unknown=unknown, least=busiest, measured=True)
    return Amount(text, [*request.evidence, *more], unknown=unknown)


# A tree has few requests, and most are the default. Typed, since true is no amount and equals 1.
@lru_cache(maxsize=1024, typed=True)
def _times(request: object, ratio: int, least: str) -> str:
    """``ratio`` times the ``request``, in its unit, and no less than ``least``."""
    wanted = parsed(request) * ratio
    return least if wanted <= parsed(least) else quantity.format_like(wanted, request)


@lru_cache(maxsize=1024, typed=True)
def _larger(request: object, least: str) -> str:
    """The ``request`` as it is written, and no less than ``least``."""
    return least if parsed(request) <= parsed(least) else str(request)


def memory_limit(container: Container, options: Resources) -> Amount | None:
    """Return the missing memory limit: from what the same program has elsewhere, a heap flag, the request, a row of the
    image table, or the default, and never less than twice what it was seen to use; None where there is one, or where
    none is wanted."""
    if container.has("resources", "limits", "memory"):
        return None
    asked = quota(container, "memory")
    if options.memory_limit == NONE and asked is None:
        return None
    request = _request_beside(container, "memory", options)
    if request is None:
        return None
    recorded = _recorded_memory(container, request, options)
    found = recorded or _needed_memory(container, request, options)
    if asked is not None:
        # The quota lets no pod in without a limit, so any number is better than none.
        return replace(found, evidence=[*found.evidence, asked])
    if recorded is not None:
        return found
    path = ("resources", "requests", "memory")
    written = container.get(*path)
    default = DEFAULT
    if written is not None:
        text = (
            f"its request of {written} is as small as a default, so the limit is a default, too: measure and adjust it"
        )
        default = container.fact(text, *path)
    # What a run showed is no number of a person.
    unknown = unsized(container, "memory", requested=bool(request.evidence) and not _is_measured(container, request))
    return replace(found, unknown=unknown, default=default)


def _recorded_memory(container: Container, request: _Request, options: Resources) -> Amount | None:
    """The limit that what was used in a cluster comes to, with its in-memory volumes, and no less than a heap that a
    flag names or twice what a run used; None where nobody measured, or where the request is larger."""
    told = recorded_use.limit(container, "memory") if options.from_ == _USAGE else None
    if told is None or told.amount < request.amount:
        return None
    heap, flags = _memory.heap_limit(container)
    peak, seen = _memory.twice_the_peak(container)
    least = max(heap, peak)
    if least <= told.amount:
        return Amount(told.text, [told.fact], measured=True, least=least)
    text = quantity.format_memory(_whole(least))
    return Amount(text, [*(flags if heap >= peak else seen), told.fact], least=least)


def _needed_memory(container: Container, request: _Request, options: Resources) -> Amount:
    """The limit beside ``request``, and no less than a heap, a row of the table or a run shows that it needs."""
    heap, flags = _memory.heap_limit(container)
    text, beside = _beside(container, request, options, flags)
    base = parsed(text)
    need, row = _memory.row_need(container)
    peak, seen = _memory.twice_the_peak(container)
    least = max((heap, need, peak)) if flags or row or seen else _NOTHING
    evidence = [*flags, *beside]
    if row and need > base and row[0] not in evidence:
        evidence += row
    measured = bool(seen) and peak > max(base, heap, need)
    if measured:
        evidence += seen
    evidence = list(dict.fromkeys(evidence))
    wanted = base if least is _NOTHING else max(base, least)
    shared, doubt = _memory.of_volumes(container)
    if shared:
        evidence.append(Evidence("files in its in-memory volumes count as memory"))
        wanted, least = wanted + shared, least + shared
    if wanted is not base and wanted != base:  # else the author's unit is kept
        text = quantity.format_memory(_whole(wanted))
    return Amount(text, evidence, doubt, least=least, measured=measured)


def _beside(
    container: Container, request: _Request, options: Resources, flags: list[Evidence]
) -> tuple[str, list[Evidence]]:
    """The memory limit beside ``request``, and how it is known: as large as elsewhere; of a heap that ``flags`` name or
    a default whatever the request says; else from the request."""
    same = _same_limit(container, "memory", request, options)
    if same is not None:
        return same.text, [same.fact]
    if flags and (not request.evidence or request.amount == _whole(_memory.needed(container)[0])):
        return options.memory_limit_least, flags
    if not request.evidence or _is_measured(container, request):  # a run measures no limit but twice that
        default = _MEMORY_LIMIT if options.memory_limit == NONE else options.memory_limit
        return _larger(request.written, default), []
    return _times(request.written, options.memory_limit_ratio, options.memory_limit_least), request.evidence


def _is_measured(container: Container, request: _Request) -> bool:
    """Whether a ``request`` of memory is what a run showed."""
    peak, seen = _memory.peak(container)
    return bool(seen) and request.amount == _in_steps(peak, _MEMORY_STEP)


def _in_steps(amount: Fraction, step: Fraction) -> Fraction:
    """``amount`` rounded up: two runs of the same never measure the same."""
    return ceil(amount / step) * step


def replaced(container: Container, resource: str, options: Resources) -> Iterator[Edit]:
    """The limit and the request that harden wrote as defaults become what was used in a cluster, downwards, too.

    Both are as large as the defaults: a number that a person wrote stays.
    """
    limit, request = (quantity.parse(container.get("resources", kind, resource)) for kind in ("limits", "requests"))
    default = options.cpu_limit if resource == "cpu" else options.memory_limit
    if options.from_ != _USAGE or default == NONE or limit is None:
        return
    if (limit, request) != (parsed(default), parsed(options.request(resource))):
        return
    most, wanted = recorded_use.limit(container, resource), recorded_use.request(container, resource)
    if most is None or most.amount == limit:
        return
    own = container.fact("request and limit are as large as the defaults of harden", "resources")
    found = verdict(known=[most.fact, own], effect=Effect.WATCHED, basis=Basis.PROVED)
    edits = [container.set("resources", "limits", resource, to=most.text, late=True, **found.words)]
    if wanted is not None and request is not None and wanted.amount <= most.amount and wanted.amount != request:
        found = verdict(known=[wanted.fact, own], effect=Effect.WATCHED, basis=Basis.PROVED)
        edits.append(container.set("resources", "requests", resource, to=wanted.text, **found.words))
    elif request is not None and request > most.amount:
        return
    yield from edits


def written(
    container: Container, kind: str, resource: str, amount: Amount, options: Resources
) -> Iterator[Edit | Finding]:
    """Yield the edit that writes ``amount``; a finding where somebody else has the say, nothing where a LimitRange
    fills in.

    ``kind`` is "requests" or "limits".
    """
    noun = f"{resource} {kind.removesuffix('s')}"
    if resource in _OF_WHOLE_PODS and container.pod.has("resources"):
        yield from _of_whole_pod(container, resource, kind)
        return
    has_policies = container.tree.ask(ResourcePolicies).are_any
    if has_policies:
        allowed = _allowed(container, kind, resource, amount, options)
        if not isinstance(allowed, Amount):
            if allowed is not None:
                yield allowed
            return
        amount = allowed
    if amount.unknown:
        advice = f"measure its use under load, and set resources.{kind}.{resource} to that plus a reserve"
        requested = kind == "limits" and container.has("resources", "requests", resource)
        lack = "a request is no measure for a limit" if requested else "the manifest holds no number"
        yield _left(container, f"{amount.unknown}, and {lack}", noun, advice)
        return
    doubt = list(amount.doubt)
    if has_policies and kind == "requests" and (scaler := horizontal(container, resource)):
        doubt.append(scaler.fact(f"{scaler} scales by the use of {resource} relative to this request"))
    default = [] if amount.evidence else [amount.default]
    basis = Basis.PROVED if amount.measured else None
    found = verdict(known=amount.evidence, absent=default, doubts=doubt, effect=Effect.WATCHED, basis=basis)
    yield container.set("resources", kind, resource, to=amount.text, late=kind == "limits", **found.words)


def _allowed(
    container: Container, kind: str, resource: str, amount: Amount, options: Resources
) -> Amount | Finding | None:
    """``amount`` as autoscalers and LimitRanges let it be; a finding where one of them has the say, None where one
    fills in."""
    noun = f"{resource} {kind.removesuffix('s')}"
    autoscaler = vertical(container, resource)
    if autoscaler is not None:
        advice = "set minAllowed and maxAllowed there, or remove the container from its policy"
        return _left(container, f"{autoscaler} decides its {resource}", noun, advice)
    found = bounds(container, resource)
    if found is None:
        return amount
    if found.unclear is not None:
        why = f"{found.unclear} bounds whole pods, or is filled in later"
        return _left(container, why, noun, f"write a {noun} that it allows")
    if (found.limit if kind == "limits" else found.request) is not None:
        return None
    if kind == "requests":
        return amount
    fitting = _fitting(container, resource, amount, found, options)
    if fitting is None:
        why = f"{found.names} allows none that fits"
        return _left(container, why, noun, f"change the {resource} request, or the bounds of that LimitRange")
    return fitting


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
    return replace(amount, text=text, evidence=[*amount.evidence, *found.facts])


def _of_whole_pod(container: Container, resource: str, kind: str) -> Iterator[Finding]:
    """The pod has numbers as a whole, which its containers could contradict: what is missing there, said once."""
    pod = container.pod
    if pod.has("resources", kind, resource) or (kind == "requests" and pod.has("resources", "limits", resource)):
        return
    lacking = (
        other
        for other in pod.containers
        if not other.has("resources", kind, resource) and not (kind == "requests" and has_number(other, resource))
    )
    first = next(lacking, None)  # none where a request is only not equal to its limit
    if first is None or first.path != container.path:
        return
    noun = f"{resource} {kind.removesuffix('s')}"
    early = pod.tree.settings.kubernetes_version < _POD_NUMBERS
    text = (
        f"no {noun} is written: the pod sets resources as a whole, and numbers of its containers could contradict them"
        + ("; before Kubernetes 1.34 they mean nothing" if early else "")
    )
    yield pod.finding(text, "resources", advice=f"write spec.resources.{kind}.{resource}", severity=Severity.LOW)


def _left(container: Container, why: str, noun: str, advice: str) -> Finding:
    return container.finding(f"no {noun} is written: {why}", "resources", advice=advice, severity=Severity.LOW)


def _whole(amount: Fraction) -> Fraction:
    """In whole MiB, rounded up."""
    return Fraction(ceil(amount / _memory.MIB) * _memory.MIB)


def parsed(written: object) -> Fraction:
    """Return the amount of what is known to be a quantity."""
    amount = quantity.parse(written)
    return _NOTHING if amount is None else amount


def _most_requested(container: Container, resource: str) -> _PatchedNumber | None:
    """The largest request of ``resource`` that a kustomization sets, and sets no limit to."""
    if not container.tree.kustomizations:
        return None
    return max(_patched_numbers(container, resource, "requests", "limits"), key=lambda number: number[0], default=None)


def _least_limit(container: Container, resource: str) -> _PatchedNumber | None:
    """The smallest limit of ``resource`` that a kustomization sets, and has no request below."""
    if not container.tree.kustomizations:
        return None
    return min(_patched_numbers(container, resource, "limits", "requests"), key=lambda number: number[0], default=None)


def _patched_numbers(container: Container, resource: str, kind: str, other: str) -> Iterator[_PatchedNumber]:
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
