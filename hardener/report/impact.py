"""What a person has to know before the changes are applied: what restarts, what is released, what may show late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Grade, WrongShapeError
from hardener.authoring.known import KnownBy
from hardener.authoring.transform import name_of
from hardener.engine.outcome import Change, Outcome
from hardener.facts.images.known_image import known_image
from hardener.facts.objects.written_contexts import WrittenContexts
from hardener.kubernetes.components.kernel_settings import NAME
from hardener.kubernetes.pods.pod_template import JOB_LIKE, PARTIAL_KINDS, POD_KINDS
from hardener.report.reachability import summary
from hardener.report.reachability.measure import Reachability
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, Object, OpaqueError, PodTemplate


class Entry(Struct, frozen=True):
    """One line. ``id`` says what kind of consequence it is, ``objects`` whom it is about, each once; none where it is
    about no change of an object."""

    id: str
    text: str
    objects: tuple[Object, ...] = ()


def lines(outcome: Outcome, reach: Reachability | None = None) -> Iterator[str]:
    """Return the lines of ``outcome``, the gravest first. ``reach`` is what is reached, where known."""
    return (entry.text for entry in entries(outcome, reach))


def entries(outcome: Outcome, reach: Reachability | None = None) -> Iterator[Entry]:
    """Yield the same lines, with what a program wants to know of them. ``reach`` is what is reached, where known."""
    by_impact: dict[str, list[Change]] = {}
    for change in outcome.changes:
        if change.edit.impact is not None:
            by_impact.setdefault(change.edit.impact, []).append(change)
    yield from _released(by_impact)
    yield from _isolated(by_impact)
    reach = reach or summary.reached(outcome)
    if reach is not None:
        yield from (Entry("reachability", text) for text in summary.lines(reach))
        if (shut := summary.shut_line(reach)) is not None:
            yield Entry("shut-out", shut, tuple(policy for each in reach.shut for policy in each.policies))
    yield from _restarted(outcome)
    yield from (Entry("users-by-number", text) for text in _users(outcome))
    yield from _guessed([change for change in outcome.changes if change.edit.grade is Grade.GUESS])
    yield from _grouped(by_impact.get("group-of-volumes", []))
    yield from _late([change for change in outcome.changes if change.edit.late])


def _released(by_impact: dict[str, list[Change]]) -> Iterator[Entry]:
    for impact, (noun, plural), fate in _RELEASED:
        if released := by_impact.get(impact):
            said = fate if len(released) == 1 else _PLURAL.get(impact, fate)
            yield _entry(impact, released, f"{counted(len(released), noun, plural)} {said}: {_names(released)}")


def _isolated(by_impact: dict[str, list[Change]]) -> Iterator[Entry]:
    if isolated := by_impact.get("namespace-isolated"):
        names = ", ".join(str(change.object.namespace) for change in isolated)
        count = counted(len(isolated), "namespace")
        text = f"{count} isolated: a pod there reaches only what a policy names: {names}"
        yield _entry("namespace-isolated", isolated, text)
    if closed := by_impact.get("workload-isolated"):
        also = (
            "; so is 169.254.169.254, where clouds give the credentials of the node" if _cuts_metadata(closed) else ""
        )
        text = (
            f"{counted(len(closed), 'workload')} isolated by a NetworkPolicy: connections not shown in the "
            f"manifests are refused, where the network plugin of the cluster enforces policies (CIS 5.3.1){also}"
        )
        yield _entry("workload-isolated", closed, text)
    if half := by_impact.get("workload-half-isolated"):
        text = (
            f"{counted(len(half), 'workload')} isolated in one direction only: another policy lets everything through "
            f"in the other: {_names(half)}"
        )
        yield _entry("workload-half-isolated", half, text)


def _restarted(outcome: Outcome) -> Iterator[Entry]:
    """What starts anew, by what makes it do so: the kubelet, a person, a controller."""
    pods = [change for change in outcome.changes if _is_of_pods(change)]
    static = [change for change in pods if change.object.kind == "Pod" and _is_of_component(change)]
    of_static = {id(change.object) for change in static}
    others = [change for change in pods if id(change.object) not in of_static]
    # What a kubelet starts from a file, it starts anew when the file changes.
    yield from _restart("components-restart", static)
    yield from _restart("objects-recreated", [change for change in others if change.object.kind in JOB_LIKE])
    yield from _restart("workloads-restart", [change for change in others if change.object.kind not in _NOT_ROLLED])


def _cuts_metadata(policies: list[Change]) -> bool:
    """Whether one of the new ``policies`` leaves the metadata address of clouds out of what its pods may call."""
    return any(
        "169.254.169.254/32" in str(change.after) or "169.254.0.0/16" in str(change.after) for change in policies
    )


_RESTARTS = {  # noun, and what becomes of one or several
    "components-restart": ("component", "of the control plane restart{s} on each node that gets the new file"),
    "objects-recreated": (
        "object",
        "must be recreated, since Kubernetes refuses the change of a running Pod or Job "
        "(kubectl replace --force, Argo CD Replace=true, Flux force: true)",
    ),
    "workloads-restart": ("workload", "restart{s}"),
}


def _restart(kind: str, changes: list[Change]) -> Iterator[Entry]:
    if changes:
        number, (noun, fate) = _number_of_objects(changes), _RESTARTS[kind]
        said = fate.replace("{s}", "s" * (number == 1))
        yield _entry(kind, changes, f"{counted(number, noun)} {said}: {_names(changes)}")


def _is_of_pods(change: Change) -> bool:
    """Whether it changes what runs: the Service of Knative holds a pod, that of Kubernetes none."""
    item = change.object
    return "spec" in change.path and item.kind in _WITH_PODS and (item.group, item.kind) != ("", "Service")


def _grouped(grouped: list[Change]) -> Iterator[Entry]:
    if grouped:
        volumes = list(dict.fromkeys(name for change in grouped for name in _volumes(change)))
        text = (
            f"{counted(len(volumes), 'volume')} get{'s' * (len(volumes) == 1)} a group, which files there keep after a "
            f"revert: {listed(dict(enumerate(volumes)))}"
        )
        yield _entry("group-of-volumes", grouped, text)


def _guessed(guessed: list[Change]) -> Iterator[Entry]:
    if guessed:
        number, ids = _number_of_objects(guessed), ", ".join(dict.fromkeys(change.transform.id for change in guessed))
        text = f"{counted(number, 'object')} changed by a guess ({ids}), try it first: {_names(guessed)}"
        yield _entry("guessed", guessed, text)


def _late(late: list[Change]) -> Iterator[Entry]:
    if late:
        ids = ", ".join(dict.fromkeys(change.transform.id for change in late))
        objects = counted(_number_of_objects(late), "workload")
        yield _entry("late", late, f"{objects} may fail only under load: watch {ids}")


def _number_of_objects(changes: list[Change]) -> int:
    return len({id(change.object) for change in changes})


def _entry(kind: str, changes: list[Change], text: str) -> Entry:
    return Entry(kind, text, tuple({id(change.object): change.object for change in changes}.values()))


def _users(outcome: Outcome) -> Iterator[str]:
    """How many containers run as a number that this run writes, by what is known of their images."""
    numbers = [change for change in outcome.changes if change.edit.impact == "user-by-number"]
    objects = {id(change.object) for change in numbers}
    guessed = {(id(change.object), change.path) for change in numbers if change.edit.grade is Grade.GUESS}
    pods = [pod for pod in outcome.tree.pods_and_parts if id(pod.object) in objects]
    if by := Counter(source for pod in pods for source in _sources(pod, guessed)):
        yield from _by_source(by)


def _by_source(by: Counter[str | None]) -> Iterator[str]:
    sources = dict.fromkeys([*(source.words for source in KnownBy), _MANIFEST])
    texts = [f"{by[source]} known from {source}" for source in sources if by[source]]
    if by[None]:
        texts.append(f"{by[None]} by a guess: it may need its own user or root")
    number = sum(by.values())
    yield f"{counted(number, 'container')} get{'s' * (number == 1)} a numeric runAsUser: {'; '.join(texts)}"
    if by[None]:
        yield "  to know more: harden lock --deep PATH, or images: in .harden.yaml"


def _sources(pod: PodTemplate, guessed: set[tuple[int, Path]]) -> Iterator[str | None]:
    """Where the new numbers of ``pod`` are known from; None for those that are ``guessed``."""
    written = pod.tree.ask(WrittenContexts)
    try:
        for container in pod.containers:
            number = container.effective("runAsUser")
            if number and number != written.number(container):
                known, holder = known_image(container), container if container.has(*_NUMBER) else pod
                fact = known.number if known.uid == number else known.any_number
                if (id(pod.object), (*holder.path, *_NUMBER)) in guessed:
                    yield None
                else:
                    yield fact.by.words if fact is not None else _MANIFEST
    except (OpaqueError, WrongShapeError):
        return


def _volumes(change: Change) -> Iterator[str]:
    """The volumes that a group is for, each with its object."""
    for fact in change.edit.evidence:
        mount: Any = fact.piece.data if fact.piece is not None else None
        for part in fact.path[:-1]:
            mount = mount[part]
        if isinstance(mount, dict) and "mountPath" in mount:
            yield f"{mount.get('name')} of {change.object}"


_NUMBER = ("securityContext", "runAsUser")
_MANIFEST = "the manifest"
# What a person has to know before it is applied: impact, what is counted, and what becomes of it.
_RELEASED = (
    ("rights-lost", ("binding", "s"), "reduced to fewer rights; other requests of the account are refused"),
    ("address-released", ("public address", "es"), "released; reverting assigns another"),
    ("internal-address-released", ("internal address", "es"), "released; reverting assigns another"),
    ("node-port-closed", ("Service", "s"), "loses its NodePort; reverting assigns another"),
    ("host-port-closed", ("host port", "s"), "closed; clients that use a node's address are refused"),
    ("secret-moved", ("object", "s"), "without its secrets; pods wait until the new Secret is filled"),
    ("node-rights-lost", ("role", "s"), "of nodes without rights to administer AWS; pods that used them are refused"),
    ("objects-refused", ("policy object", "s"), "put in force; new objects that break them are refused"),
    (
        "kubelet-closed",
        ("kubelet configuration", "s"),
        "closed to callers without a name or a role; a node without the CA file or the kernel settings that it names "
        "does not start its kubelet",
    ),
    (
        "kernel-settings",
        ("node configuration", "s"),
        f"strict about the kernel; a kubelet does not start on a node where the sysctls of {NAME} are not set",
    ),
    ("account-created", ("workload", "s"), "given a new service account; apply the account first"),
)
_PLURAL = {  # where several are said in other words than one
    "address-released": "released; reverting assigns others",
    "internal-address-released": "released; reverting assigns others",
    "node-port-closed": "lose their NodePorts; reverting assigns others",
}
_OF_COMPONENTS = ("components", "authentication", "logging")  # stages
_OF_PODS = frozenset({name_of(PodTemplate), name_of(Container)})
_WITH_PODS = POD_KINDS | PARTIAL_KINDS
_NOT_ROLLED = frozenset({*JOB_LIKE, "CronJob"})


def _is_of_component(change: Change) -> bool:
    """Whether it changes how a component of the control plane runs; what visits ordinary pods leaves static ones."""
    visited = {visit.view for visit in change.transform.visits}
    if change.transform.stage not in _OF_COMPONENTS or not visited.isdisjoint(_OF_PODS):
        return False
    from hardener.tree.control_plane import components  # late: few trees hold a component

    try:
        return any(components(change.object))
    except (OpaqueError, WrongShapeError):
        return False


def _names(changes: list[Change]) -> str:
    objects = {id(change.object): change.object for change in changes}
    return listed({key: str(item) for key, item in objects.items()})


def listed(objects: dict[int, str]) -> str:
    """Return the names of ``objects``, the first five in full."""
    names = Counter(objects.values())
    shown = list(names)[:5]
    text = ", ".join(f"{name} x {names[name]}" if names[name] > 1 else name for name in shown)
    more = len(objects) - sum(names[name] for name in shown)
    return f"{text} and {more} more" if more else text


def counted(number: int, noun: str, plural: str = "s") -> str:
    """Return ``number`` with its noun, which gets the ending ``plural`` unless there is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{plural}"
