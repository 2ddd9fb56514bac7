"""MutatingAdmissionPolicies, on request: what pods get that say nothing themselves."""

from __future__ import annotations

from hardener.authoring.edits import Basis, Edit, Evidence, Severity
from hardener.authoring.transform import Steps
from hardener.authoring.verdict import verdict
from hardener.facts.access.admission import PolicyHome, Shown
from hardener.facts.access.admission.guardrails import Guardrails
from hardener.facts.kustomize.free_names import Names
from hardener.kubernetes.policies.admission_policy import GROUP
from hardener.kubernetes.policies.mutating_policy import BINDING, DEFAULTS, POLICY, SINCE, binding, policy

from ._writing import TOPIC, extend, facts

_DIFFERS = "pods in the cluster then differ from the manifests in Git"


def steps(home: PolicyHome, spaces: list[Shown]) -> Steps:
    """What the tree lacks of the defaults, which hold in ``spaces``."""
    version = home.tree.settings.kubernetes_version
    if version < SINCE:
        yield home.finding(
            "no defaults are written (policies.mutate): MutatingAdmissionPolicy is served since 1.36, and "
            f"{version[0]}.{version[1]} is assumed", advice="set --kubernetes-version 1.36, or unset policies.mutate",
            severity=Severity.LOW,
        )  # fmt: skip
        return
    tree = home.tree
    names = [space.name for space in spaces]
    for default in DEFAULTS if spaces else ():
        own = tree.ask(Guardrails).own(GROUP, POLICY, default.name)
        if own is None:
            name = tree.ask(Names).free(POLICY, default.name, home)
            known = [Evidence("policies.mutate is set"), *facts(spaces)]
            found = verdict(known=known, doubts=[Evidence(_DIFFERS)], basis=Basis.PROVED)
            values = (policy(default, name), binding(name, tree.ask(Names).free(BINDING, name, home), names))
            yield [home.create(TOPIC, value, **found.words) for value in values]
            continue
        edits: list[Edit] = []
        for item in tree.of(GROUP, BINDING):
            if item.text("spec", "policyName") == own.name and item.editable:
                path = ("spec", "matchResources", "namespaceSelector", "matchExpressions", 0, "values")
                edits += extend(item, spaces, *path)
        if edits:
            yield edits
