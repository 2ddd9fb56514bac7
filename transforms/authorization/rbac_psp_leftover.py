from __future__ import annotations

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.access.views import Role

_RESOURCE = "podsecuritypolicies"
_GROUPS = frozenset({"policy", "extensions"})
_GONE = (1, 25)


@transform(each=Role, stage="authorization", severity=Severity.LOW)
def rbac_psp_leftover(role: Role) -> Steps:
    """Remove rules about PodSecurityPolicies.

    Problem: the role names PodSecurityPolicies, which no cluster has any more.

    Result: No rule names PodSecurityPolicies.

    Why: a rule without effect hides the ones with an effect, and suggests that pods are restricted.

    May break: nothing; Kubernetes removed the resource in 1.25.
    """
    if role.owner is not None or role.tree.settings.kubernetes_version < _GONE:
        return
    gone = Evidence("no release since 1.25 serves PodSecurityPolicy")
    common = verdict(known=[gone], basis=Basis.PROVED).words
    rules = role.rules
    dead = [
        index
        for index, rule in rules
        if _RESOURCE in rule.resources
        and rule.groups
        and _GROUPS.issuperset(rule.groups)
        and set(rule.resources) == {_RESOURCE}
    ]
    if dead and len(dead) == len(rules):
        yield role.set("rules", to=[], **common)
        return
    for index, rule in rules:
        if index in dead:
            yield role.drop("rules", index, **common)
        elif _RESOURCE in rule.resources and _GROUPS.intersection(rule.groups):
            yield role.drop("rules", index, "resources", rule.resources.index(_RESOURCE), **common)
