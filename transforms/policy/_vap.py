"""Policies of the API server: a ValidatingAdmissionPolicy for each rule, a binding that warns, and one that refuses."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps
from hardener.authoring.verdict import verdict
from hardener.facts.access.admission import PolicyHome, Shown
from hardener.facts.access.admission.guardrails import Guardrails
from hardener.facts.kustomize.free_names import Names
from hardener.kubernetes.policies import mutating_policy
from hardener.kubernetes.policies.admission_policy import BINDING, GROUP, POLICY, SINCE, denial, policy, warning
from hardener.kubernetes.policies.admission_rules import AdmissionRule
from hardener.tree.core_views import Object

from ._writing import TOPIC, create, extend, facts
from ._writing import older as is_older

__all__ = ["SINCE", "defaults", "edits", "older"]

_SELECTOR = ("spec", "matchResources", "namespaceSelector", "matchExpressions")
_DIFFERS = "pods in the cluster then differ from the manifests in Git"


def edits(home: PolicyHome, rule: AdmissionRule, spaces: list[Shown]) -> Iterator[Edit]:
    """Yield what the tree lacks of ``rule``, which refuses in ``spaces``."""
    tree = home.tree
    own = tree.ask(Guardrails).own(GROUP, POLICY, rule.name)
    names = [space.name for space in spaces]
    if own is None:
        name = tree.ask(Names).free(POLICY, rule.name, home)
        yield create(home, policy(rule, name))
        yield create(home, warning(name, tree.ask(Names).free(BINDING, f"{name}-warn", home)))
    else:
        name = own.name
    bindings = [item for item in tree.of(GROUP, BINDING) if item.text("spec", "policyName") == name]
    refusing = [item for item in bindings if "Deny" in item.strings("spec", "validationActions")]
    if not refusing and spaces:
        yield create(home, denial(rule, name, tree.ask(Names).free(BINDING, name, home), names), spaces)
    for item in refusing[:1]:
        yield from _extended(item, spaces)


def older(home: PolicyHome, rule: AdmissionRule) -> Iterator[Finding]:
    """Yield the finding that the policy of ``rule`` is not what is written today."""
    own = home.tree.ask(Guardrails).own(GROUP, POLICY, rule.name)
    if own is not None:
        yield from is_older(own, policy(rule, own.name)["spec"])


def _extended(item: Object, spaces: list[Shown]) -> Iterator[Edit]:
    if not item.editable:
        return
    for index, each in enumerate(item.items(*_SELECTOR)):
        if each.text("operator") == "In":
            yield from extend(item, spaces, *_SELECTOR, index, "values")


def defaults(home: PolicyHome, spaces: list[Shown]) -> Steps:
    """Yield what the tree lacks of the MutatingAdmissionPolicies, on request: what pods get that say nothing
    themselves.

    They hold in ``spaces``.
    """
    version = home.tree.settings.kubernetes_version
    if version < mutating_policy.SINCE:
        yield home.finding(
            "no defaults are written (policies.mutate): MutatingAdmissionPolicy is served since 1.36, and "
            f"{version[0]}.{version[1]} is assumed",
            advice="set --kubernetes-version 1.36, or unset policies.mutate",
            severity=Severity.LOW,
        )
        return
    tree = home.tree
    names = [space.name for space in spaces]
    for default in mutating_policy.DEFAULTS if spaces else ():
        own = tree.ask(Guardrails).own(GROUP, mutating_policy.POLICY, default.name)
        if own is None:
            name = tree.ask(Names).free(mutating_policy.POLICY, default.name, home)
            known = [Evidence("policies.mutate is set"), *facts(spaces)]
            found = verdict(known=known, doubts=[Evidence(_DIFFERS)], basis=Basis.PROVED)
            values = (
                mutating_policy.policy(default, name),
                mutating_policy.binding(name, tree.ask(Names).free(mutating_policy.BINDING, name, home), names),
            )
            yield [home.create(TOPIC, value, **found.words) for value in values]
            continue
        edits: list[Edit] = []
        for item in tree.of(GROUP, mutating_policy.BINDING):
            if item.text("spec", "policyName") == own.name and item.editable:
                path = ("spec", "matchResources", "namespaceSelector", "matchExpressions", 0, "values")
                edits += extend(item, spaces, *path)
        if edits:
            yield edits
