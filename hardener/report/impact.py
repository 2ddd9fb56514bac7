"""What a person has to know before the changes are applied: what restarts, what is released, what may show late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hardener.authoring.edits import Basis
from hardener.authoring.transform import name_of
from hardener.engine.outcome import Change, Outcome
from hardener.kubernetes.pod_template import JOB_LIKE, PARTIAL_KINDS, POD_KINDS
from hardener.report.reachability import summary
from hardener.tree.core_views import Container, PodTemplate


def lines(outcome: Outcome) -> Iterator[str]:
    """The lines of ``outcome``, the gravest first."""
    for impact, (noun, plural), fate in _RELEASED:
        released = [change for change in outcome.changes if change.edit.impact == impact]
        if released:
            yield f"{counted(len(released), noun, plural)} {fate}: {_names(released)}"
    isolated = [change for change in outcome.changes if change.edit.impact == "namespace-isolated"]
    if isolated:
        names = ", ".join(str(change.object.namespace) for change in isolated)
        count = counted(len(isolated), "namespace")
        yield f"{count} isolated, a pod there reaches nothing that no policy names: {names}"
    closed = [change for change in outcome.changes if change.edit.impact == "workload-isolated"]
    if closed:
        yield (
            f"{counted(len(closed), 'workload')} isolated by a NetworkPolicy, where the network plugin of the cluster "
            f"enforces them (CIS 5.3.1): a connection that no manifest shows is refused"
        )
    reach = summary.reached(outcome)
    if reach is not None:
        yield from summary.lines(reach)
    pods = [change for change in outcome.changes if "spec" in change.path and change.object.kind in _WITH_PODS]
    pods = [change for change in pods if (change.object.group, change.object.kind) != ("", "Service")]  # of Knative is
    # What a kubelet starts from a file, it starts anew when the file changes.
    static = [change for change in pods if change.object.kind == "Pod" and _is_of_component(change)]
    if static:
        number = len({id(change.object) for change in static})
        yield (
            f"{counted(number, 'component')} of the control plane restart{'s' * (number == 1)} on each node that gets "
            f"the new file: {_names(static)}"
        )
    of_static = {id(change.object) for change in static}
    pods = [change for change in pods if id(change.object) not in of_static]
    recreated = [change for change in pods if change.object.kind in JOB_LIKE]
    if recreated:
        count = counted(len({id(change.object) for change in recreated}), "object")
        yield (
            f"{count} must be recreated, since Kubernetes refuses the change of a running Pod or Job "
            f"(kubectl replace --force, Argo CD Replace=true, Flux force: true): {_names(recreated)}"
        )
    rolled = [change for change in pods if change.object.kind not in JOB_LIKE and change.object.kind != "CronJob"]
    if rolled:
        number = len({id(change.object) for change in rolled})
        yield f"{counted(number, 'workload')} restart{'s' * (number == 1)}: {_names(rolled)}"
    unknown = [c for c in outcome.changes if c.transform.id == "run-as-non-root" and c.edit.basis is Basis.ASSUMED]
    if unknown:
        count = counted(len({id(change.object) for change in unknown}), "workload")
        yield f"{count} will not start where the image runs as root, which harden.lock could tell: {_names(unknown)}"
    late = [change for change in outcome.changes if change.edit.late]
    if late:
        ids = ", ".join(dict.fromkeys(change.transform.id for change in late))
        objects = counted(len({id(change.object) for change in late}), "workload")
        yield f"a mistake would show late, under load, in {objects}: watch {ids}"


# What a person has to know before it is applied: impact, what is counted, and what becomes of it.
_RELEASED = (
    ("rights-lost", ("binding", "s"), "reduced to fewer rights; what an account did beyond them is refused"),
    ("address-released", ("public address", "es"), "released; a revert brings new ones"),
    ("internal-address-released", ("internal address", "es"), "released; a revert brings new ones"),
    ("node-port-closed", ("Service", "s"), "closed on the ports of the nodes; a revert opens other ports"),
    ("host-port-closed", ("host port", "s"), "closed; clients of a node's address no longer get in"),
    (
        "secret-moved",
        ("object", "s"),
        "without the secrets in it: pods wait until the Secret that takes their place is filled",
    ),
    ("node-rights-lost", ("role", "s"), "of nodes without administration of AWS: pods that used it lose it"),
    ("objects-refused", ("policy object", "s"), "put in force: what breaks them is refused when it is created next"),
    (
        "kubelet-closed",
        ("kubelet configuration", "s"),
        "closed to callers without a name or a role; a node without the CA file or the kernel settings that it names "
        "does not start its kubelet",
    ),
    ("account-created", ("workload", "s"), "given a new service account, which has to be applied before them"),
)
_OF_COMPONENTS = ("components", "authentication", "logging")  # stages
_OF_PODS = frozenset({name_of(PodTemplate), name_of(Container)})
_WITH_PODS = POD_KINDS | PARTIAL_KINDS


def _is_of_component(change: Change) -> bool:
    """Whether it changes how a component of the control plane runs; what visits ordinary pods leaves static ones."""
    visited = {visit.view for visit in change.transform.visits}
    return change.transform.stage in _OF_COMPONENTS and visited.isdisjoint(_OF_PODS)


def _names(changes: list[Change]) -> str:
    return listed({id(change.object): str(change.object) for change in changes})


def listed(objects: dict[int, str]) -> str:
    """The names of ``objects``, the first five in full."""
    names = Counter(objects.values())
    shown = list(names)[:5]
    text = ", ".join(f"{name} x {names[name]}" if names[name] > 1 else name for name in shown)
    more = len(objects) - sum(names[name] for name in shown)
    return f"{text} and {more} more" if more else text


def counted(number: int, noun: str, plural: str = "s") -> str:
    """``number`` with its noun, which gets the ending ``plural`` unless there is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{plural}"
