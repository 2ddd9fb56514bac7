"""K04: the API server holds the pods of a namespace to a level of the Pod Security Standards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.errors import InputError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.namespace_contents import is_shared
from hardener.facts.objects.owned_pods import OwnedPods
from hardener.facts.objects.pod_security_levels import level_of, next_violation, what_lifts
from hardener.kubernetes.pod_security import LEVELS
from hardener.support.shell_words import command
from hardener.tree.core_views import Namespace, PodTemplate

_PREFIX = "pod-security.kubernetes.io/"
_TOPIC = "namespace without an enforced Pod Security level"
_RESTRICTED = "restricted"
_REPORTING = ("audit", "warn")  # modes that refuse no pod


@dataclass(frozen=True)
class NamespaceLabels:
    """``enforce``: the strictest level that pods are refused by, "baseline" or "restricted"."""

    GROUP: ClassVar[str] = "namespace-labels"
    enforce: str = _RESTRICTED

    def __post_init__(self) -> None:
        if self.enforce not in LEVELS[1:]:
            raise InputError(f"namespace-labels.enforce: {self.enforce} is none of {', '.join(LEVELS[1:])}")


@transform(
    each=Namespace, stage="labels", severity=Severity.MEDIUM, pss="restricted", cis="5.2.1", absence=True,
    options=NamespaceLabels,
)  # fmt: skip
def namespace_pss_labels(namespace: Namespace, options: NamespaceLabels) -> Steps:
    """Set Pod Security labels.

    Problem: the namespace has no Pod Security labels, or weaker ones than its pods need.

    Result: The API server refuses or reports pods of the namespace below its Pod Security level.

    Why: the built-in admission check refuses pods that violate the standard, whoever creates them, so the next manifest
    cannot undo this one. The version is pinned, so that an upgrade of the cluster does not change the verdict.

    May break: a pod that is not in the given files, or that something adds a container to, may be refused when it is
    created; running pods stay.
    """
    if any(map(is_shared, namespace.names)):
        return
    standing = _Standing(namespace, options.enforce)
    if not namespace.declared:
        if standing.pods and not namespace.tree.stream and not any(mark in str(namespace.name) for mark in "$({<"):
            yield _undeclared(namespace, standing)
        return
    from hardener.facts.access.admission.guardrails import Guardrails  # late: most trees declare no namespace

    doubt = namespace.tree.ask(Guardrails).unseen(namespace)
    yield from _labelled(namespace, standing, doubt, options)


def _labelled(namespace: Namespace, standing: _Standing, doubt: list[Evidence], options: NamespaceLabels) -> Steps:
    present = _level(namespace, "enforce")
    enforced: list[Edit] = []
    if standing.reaches_any and not doubt:
        enforced = _labels(namespace, "enforce", standing.capped, _fact(namespace, standing), Effect.WATCHED)
        yield enforced
    elif present is None and (standing.reaches_any or not standing.pods):
        yield _not_enforced(namespace, standing, doubt)
    if present is not None and present not in LEVELS:
        text = f"namespace {_called(namespace)} enforces {present}, which is no Pod Security level"
        advice = f"write one of {', '.join(LEVELS)}; the API server refuses it as it is"
        yield namespace.finding(text, "metadata", "labels", _PREFIX + "enforce", advice=advice)
    yield from _too_low(namespace, standing, present, options, doubt)
    inert = namespace.fact("warnings and audit records refuse no pod")
    for mode in _REPORTING:
        if enforced or not any(_level(namespace, other) for other in _REPORTING):  # else somebody chose
            yield _labels(namespace, mode, _RESTRICTED, inert, Effect.PLAIN)


class _Standing:
    """The levels that the workloads of a namespace reach: ``reached`` by all of them, and ``worst``, those that reach
    no more."""

    def __init__(self, namespace: Namespace, highest: str) -> None:
        owned = namespace.tree.ask(OwnedPods)
        pods = dict.fromkeys([*namespace.pods, *(pod for name in namespace.names for pod in owned.get(name, ()))])
        self.pods = [(level_of(pod, name), name, pod) for pod in pods for name in _names(namespace, pod)]
        self.reached = min((level for level, _, _ in self.pods), key=LEVELS.index, default=LEVELS[0])
        self.worst = {pod: name for level, name, pod in self.pods if level == self.reached}
        self.count = len({pod for _, _, pod in self.pods})
        self.capped = min(self.reached, highest, key=LEVELS.index)

    @property
    def reaches_any(self) -> bool:
        """Whether there is a level to enforce."""
        return bool(self.pods) and self.reached != LEVELS[0]


def _names(namespace: Namespace, pod: PodTemplate) -> list[str | None]:
    """Those of the names of ``namespace`` under which ``pod`` comes out."""
    if len(namespace.names) == 1:
        return list(namespace.names)
    return [name for name in pod.tree.ask(Builds).namespaces(pod.object) if name in set(namespace.names)]


def _level(namespace: Namespace, mode: str) -> str | None:
    return namespace.text("metadata", "labels", _PREFIX + mode)


def _called(namespace: Namespace) -> str:
    names = sorted(map(str, namespace.names))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _fact(namespace: Namespace, standing: _Standing) -> Evidence:
    count = "its only workload" if standing.count == 1 else f"all {standing.count} workloads of the namespace"
    return namespace.fact(f"{count} that the tree shows reach{'es' * (standing.count == 1)} {standing.reached}")


def _labels(namespace: Namespace, mode: str, level: str, known: Evidence, effect: Effect) -> list[Edit]:
    """The label of ``mode`` with its version; nothing where the namespace is at this level or above already."""
    present = _level(namespace, mode)
    if present is not None and (present not in LEVELS or LEVELS.index(present) >= LEVELS.index(level)):
        return []
    facts = [known]
    if present is not None:
        written = namespace.fact(f"{mode}: {present} is set on the namespace", "metadata", "labels", _PREFIX + mode)
        facts.append(written)
    found = verdict(known=facts, effect=effect, basis=Basis.PROVED)
    version = "v{}.{}".format(*namespace.tree.settings.kubernetes_version)
    return [
        namespace.set("metadata", "labels", _PREFIX + key, to=value, **found.words)
        for key, value in ((mode, level), (f"{mode}-version", version))
    ]


def _command(namespace: Namespace, level: str) -> str:
    # The dry run prints what the API server holds against the pods that run: its ValidateNamespace warns of each.
    label = command("kubectl label namespace {} {}", _first_name(namespace), f"{_PREFIX}enforce={level}")
    return f"{label} (with --dry-run=server it names the running pods that fall below)"


def _first_name(namespace: Namespace) -> str:
    return next((str(name) for name in namespace.names), "")


def _not_enforced(namespace: Namespace, standing: _Standing, doubt: list[Evidence]) -> Finding:
    reason = _and_more(doubt) if doubt else "the tree shows no workload of this namespace"
    level = standing.capped if standing.reaches_any else LEVELS[1]
    text = f"namespace {_called(namespace)} enforces no Pod Security level: {reason}"
    advice = f"once all its pods are known to pass: {_command(namespace, level)}"
    return namespace.finding(text, advice=advice, severity=Severity.LOW, topic=_TOPIC)


def _undeclared(namespace: Namespace, standing: _Standing) -> Finding:
    """What to do where another tree, or a person, makes the namespace."""
    workloads = (
        "its only workload here reaches" if standing.count == 1 else f"its {standing.count} workloads here reach"
    )
    text = (
        f"no Namespace object of the tree says what namespace {_called(namespace)} enforces; "
        f"{workloads} {standing.reached}"
    )
    if not standing.reaches_any:
        advice = f"if nothing labels it: {_command_to_report(namespace)}; enforce a level once all its pods reach it"
        return namespace.finding(f"{text} ({_reason(standing)})", advice=advice, severity=Severity.LOW, topic=_TOPIC)
    advice = f"if nothing labels it: {_command(namespace, standing.capped)}"
    return namespace.finding(text, advice=advice, severity=Severity.LOW, topic=_TOPIC)


def _command_to_report(namespace: Namespace) -> str:
    labels = [f"{_PREFIX}{mode}={_RESTRICTED}" for mode in _REPORTING]
    label = command("kubectl label namespace {} {} {}", _first_name(namespace), *labels)
    return f"{label} (neither refuses a pod)"


def _reason(standing: _Standing) -> str:
    """What keeps the first of the lowest pods from any level."""
    pod, name = next(iter(standing.worst.items()))
    broken = next_violation(pod, name)
    return broken if standing.count == 1 else f"{pod.object}: {broken}"


def _too_low(
    namespace: Namespace, standing: _Standing, present: str | None, options: NamespaceLabels, doubt: list[Evidence]
) -> Steps:
    """Which pod costs the namespace its level, or is refused by the one that it has."""
    asked = present if present in LEVELS else None
    wanted = max(asked or LEVELS[0], options.enforce, key=LEVELS.index)
    if not standing.pods or LEVELS.index(standing.reached) >= LEVELS.index(wanted):
        return
    pod, name = next(iter(standing.worst.items()))
    others = len(standing.worst) - 1
    who = f"{pod.object}{f' and {others} more' if others else ''}"
    called = f"namespace {_called(namespace)}"
    keep, besides = "keep" if others else "keeps", ""
    lifts = what_lifts(pod, name)
    harden, other = "harden it", ", or"
    if lifts is not None:
        harden = f"if it works without root, --accept {lifts}, and its capabilities go as well"
        other = "; else"
    if asked is not None and LEVELS.index(standing.reached) < LEVELS.index(asked):
        what = f"{who} {'reach' if others else 'reaches'} {standing.reached}, and {called} enforces {asked}"
        advice = f"{harden}{other} lower the label: the API server refuses the next such pod"
    elif standing.reaches_any:
        what = f"{who} {keep} {called} below level {wanted}"
        advice = f"{harden}{other} move it to a namespace of its own"
    else:
        what = f"{who} {keep} {called} from any Pod Security level"
        advice = f"{harden}{other} move it to a namespace of its own"
        besides = f"; besides, {_and_more(doubt)}" if doubt else ""
    yield pod.finding(f"{what}: {next_violation(pod, name)}{besides}", advice=advice)


def _and_more(facts: list[Evidence]) -> str:
    more = len(facts) - 1
    return facts[0].text + (f" (and {more} more such sign{'s' * (more > 1)})" if more else "")
