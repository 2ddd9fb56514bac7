"""What the tree shows of admission policies: which it holds, which engine runs them, where new ones belong, and in
which namespaces they may refuse, since all that is in them is shown and passes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.admission import CONSTRAINTS, Shown, is_managed
from hardener.facts.access.makers import PodMakers
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.facts.kustomize.overlays.states import states_in
from hardener.facts.objects.injected_sidecars import added
from hardener.facts.objects.namespace_contents import Namespaces, is_shared, unseen_sources
from hardener.kubernetes.pod_security import Violation, evaluate
from hardener.kubernetes.pods.kubectl_flags import may_start
from hardener.kubernetes.pods.kubectl_pods import Started, pipeline_commands, started
from hardener.kubernetes.pods.operator_pods import RENDERED_ELSEWHERE, chart
from hardener.kubernetes.policies import kyverno
from hardener.kubernetes.policies.admission_policy import BINDING, GROUP, POLICY
from hardener.kubernetes.policies.admission_rules import AdmissionRule
from hardener.tree.core_views import Namespace, Object, OpaqueError, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.script_views import Script
from hardener.tree.tree import Tree
from hardener.tree.view import View

_ACTIONS = "validationActions"
_KYVERNO = frozenset({
    (kyverno.GROUP, "ClusterPolicy"), (kyverno.GROUP, "Policy"), (kyverno.CEL_GROUP, "ValidatingPolicy"),
    (kyverno.CEL_GROUP, "NamespacedValidatingPolicy"), (kyverno.CEL_GROUP, "ImageValidatingPolicy"),
})  # fmt: skip
_KINDS = _KYVERNO | {(GROUP, POLICY), ("templates.gatekeeper.sh", "ConstraintTemplate")}


class Run(Struct, frozen=True):
    """A pod that a line of a script starts, and what keeps it from Pod Security level baseline."""

    script: Script
    line: int
    started: Started
    broken: tuple[Violation, ...]


class Guardrails(AsRead):
    """Collected when asked for the first time; which objects pass is asked anew each time."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @cached_property
    def policies(self) -> list[Object]:
        """The policies of the tree that refuse or report objects."""
        return [
            item
            for item in self._tree.objects
            if (item.group, item.kind) in _KINDS or item.group == CONSTRAINTS or item.kind == "PodSecurityPolicy"
        ]

    def own(self, group: str, kind: str, name: str) -> Object | None:
        """The object of this program that is called ``name``, or by the number that made it free."""
        called = re.compile(re.escape(name) + r"(?:-\d+)?")
        items = (item for item in self._tree.of(group, kind) if is_managed(item))
        return next((item for item in items if called.fullmatch(item.name)), None)

    def refusing(self, name: str) -> set[str]:
        """The namespaces in which the policy of this program called ``name`` refuses already."""
        found: set[str] = set()
        policy = self.own(GROUP, POLICY, name)
        if policy is not None:
            for item in self._tree.of(GROUP, BINDING):
                if item.text("spec", "policyName") == policy.name and "Deny" in item.strings("spec", _ACTIONS):
                    found.update(_selected(item, "spec", "matchResources"))
        of_cel = self.own(kyverno.CEL_GROUP, kyverno.VALIDATING_POLICY, name)
        if of_cel is not None:
            found.update(_selected(of_cel, "spec", "matchConstraints"))
        of_kyverno = self.own(kyverno.GROUP, kyverno.CLUSTER_POLICY, name)
        if of_kyverno is not None:
            spec = of_kyverno.view("spec")
            overrides = spec.items("validationFailureActionOverrides")
            for rule in spec.items("rules"):
                overrides += rule.items("validate", "failureActionOverrides")
            for each in overrides:
                found.update(each.strings("namespaces") if each.text("action") == "Enforce" else ())
        return found

    @property
    def engine(self) -> str:
        """ "vap", "kyverno", "gatekeeper" or "none": what was asked for, else what the tree holds."""
        asked = self._tree.settings.policy_engine
        if asked:
            return asked
        kinds = {(item.group, item.kind) for item in self.policies if item.editable}
        return "kyverno" if kinds & _KYVERNO and (GROUP, POLICY) not in kinds else "vap"

    @property
    def holds_cluster_policies(self) -> bool:
        """Whether somebody writes policies for Kyverno in its own language."""
        return any(item.kind in ("ClusterPolicy", "Policy") and item.group == kyverno.GROUP for item in self.policies)

    @cached_property
    def kyverno_version(self) -> tuple[tuple[int, int], Evidence] | None:
        """The version of Kyverno that the tree installs, with the sign of it."""
        for pod in self._tree.pod_templates:
            try:
                images = [container.image for container in pod.containers]
            except (OpaqueError, WrongShapeError):
                continue
            for image in images:
                if image is not None and image.name in ("kyverno", "kyvernopre") and image.tag:
                    if found := kyverno.version(image.tag):
                        return found, pod.fact(f"{pod.object} runs Kyverno {image.tag}")
        for kind in RENDERED_ELSEWHERE:
            for item in self._tree.of(*kind):
                if chart(item.data) == "kyverno" and (found := kyverno.version_of_chart(_chart_version(item))):
                    return found, item.fact(f"{item} installs chart {_chart_version(item)} of Kyverno")
        return None

    @cached_property
    def runs(self) -> list[Run]:
        """The pods below level baseline that scripts of the tree start."""
        version = self._tree.settings.kubernetes_version
        found: list[Run] = []
        for script in self._scripts:
            pipeline = _is_pipeline(script.object)
            for line, text in pipeline_commands(script.lines) if pipeline else script.commands():
                for each in started(text) if may_start(text) else ():
                    broken = evaluate(each.pod, "baseline", version) if each.pod else []
                    if broken or each.sign:
                        found.append(Run(script, line, each, tuple(broken)))
        return found

    @property
    def _scripts(self) -> list[Script]:
        return [Script(item, item.path, item.data) for kind in Script.KINDS for item in self._tree.of(*kind)]

    @cached_property
    def home(self) -> tuple[Object | None, list[Evidence]]:
        """Where policies belong, and what asks for them. What is outside of the given paths asks for nothing."""
        own = [item for item in self.policies if item.editable]
        runs = [run for run in self.runs if run.script.object.editable]
        reasons = [item.fact(f"the tree holds {item}") for item in own[:1]]
        reasons += [
            run.script.fact(f"{run.started.command} starts a pod that reaches its node", "lines", run.line)
            for run in runs[:1]
        ]
        if self._tree.settings.policy_engine not in (None, "none"):
            reasons.append(Evidence(f"--policy-engine {self._tree.settings.policy_engine}"))
        if not reasons or self._tree.stream:
            return None, reasons
        managed = [item for item in own if is_managed(item)]
        candidates = [*managed, *own, *(run.script.object for run in runs), *self._others()]
        return self._first_home(candidates), reasons

    def _first_home(self, candidates: Iterable[Object]) -> Object | None:
        """The first of ``candidates`` beside which a policy keeps its name; else the first of all."""
        # A pipeline stands in a folder whose every file is taken for one.
        possible = [item for item in candidates if not _is_pipeline(item)]
        straight = (item for item in possible if not self._renames(item))
        return next(straight, next(iter(possible), None))

    def _others(self) -> Iterator[Object]:
        tree = self._tree
        spaces = (space for space in tree.ask(Namespaces).values() if space.declared)
        yield from (space.object for space in spaces if space.object.editable)
        yield from (item for item in tree.objects if item.editable)

    def _renames(self, item: Object) -> bool:
        return any(each.prefix or each.suffix for each in self._tree.ask(Builds).affixes(item))

    def shown(self, rules: list[AdmissionRule]) -> list[Shown]:
        """The namespaces that the tree declares, and whose pods it shows all of, each with what breaks ``rules``."""
        found = []
        for name, space in sorted(self._tree.ask(Namespaces).items(), key=lambda item: str(item[0])):
            if name is None or is_shared(name) or not space.declared or not space.pods:
                continue
            if any(mark in name for mark in "$({<") or self.unseen(space):
                continue
            found.append(Shown(name, space, {rule.name: list(self._broken(rule, space)) for rule in rules}))
        return found

    def unseen(self, space: Namespace) -> list[Evidence]:
        """What speaks for pods of ``space``, or containers in them, that the tree does not show."""
        makers = (fact for name in space.names for fact in self._tree.ask(PodMakers).get(name, ()))
        return [*unseen_sources(space), *added(space), *dict.fromkeys(makers)]

    def _broken(self, rule: AdmissionRule, space: Namespace) -> Iterator[tuple[View, str]]:
        if "Pod" in rule.kinds:
            for pod in space.pods:
                yield from ((pod, reason) for reason in list(_reasons(rule, pod, space.name))[:1])
        for item in space.objects:
            if item.kind in rule.kinds and item.kind != "Pod":
                states = (item, *self._tree.ask(Overlays).objects(item))
                reasons = [reason for state in states for reason in rule.broken(item.kind, state.data)]
                yield from ((item, reason) for reason in reasons[:1])


def _reasons(rule: AdmissionRule, pod: PodTemplate, namespace: str | None) -> Iterator[str]:
    for state in states_in(pod, namespace):
        yield from rule.broken("Pod", {"metadata": state.metadata.data, "spec": state.data})


def _selected(item: Object, *path: str) -> Iterator[str]:
    """The namespaces that a selector below ``path`` names."""
    for each in item.items(*path, "namespaceSelector", "matchExpressions"):
        if each.text("operator") == "In":
            yield from each.strings("values")


def _is_pipeline(item: Object) -> bool:
    return (item.group, item.kind) in Script.KINDS and not item.name.endswith(".sh")


def _chart_version(item: Object) -> str:
    for path in (("spec", "chart", "spec", "version"), ("spec", "version"), ("spec", "source", "targetRevision")):
        value: Any = item.data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    return ""
