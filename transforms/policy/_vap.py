"""ValidatingAdmissionPolicies: one for each rule, a binding that warns, and one that refuses."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Edit, Finding
from hardener.facts.access.admission import PolicyHome, Shown
from hardener.facts.access.admission.guardrails import Guardrails
from hardener.facts.kustomize.free_names import Names
from hardener.kubernetes.policies.admission_policy import BINDING, GROUP, POLICY, SINCE, denial, policy, warning
from hardener.kubernetes.policies.admission_rules import AdmissionRule
from hardener.tree.core_views import Object

from ._writing import create, extend
from ._writing import older as is_older

__all__ = ["SINCE", "edits", "older"]

_SELECTOR = ("spec", "matchResources", "namespaceSelector", "matchExpressions")


def edits(home: PolicyHome, rule: AdmissionRule, spaces: list[Shown]) -> Iterator[Edit]:
    """What the tree lacks of ``rule``, which refuses in ``spaces``."""
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
    """That the policy of ``rule`` is not what is written today."""
    own = home.tree.ask(Guardrails).own(GROUP, POLICY, rule.name)
    if own is not None:
        yield from is_older(own, policy(rule, own.name)["spec"])


def _extended(item: Object, spaces: list[Shown]) -> Iterator[Edit]:
    if not item.editable:
        return
    for index, each in enumerate(item.items(*_SELECTOR)):
        if each.text("operator") == "In":
            yield from extend(item, spaces, *_SELECTOR, index, "values")
