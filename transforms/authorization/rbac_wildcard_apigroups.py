from __future__ import annotations

from hardener.authoring.transform import Steps, transform
from hardener.facts.access.views import Role

from ._wildcards import apigroups


@transform(each=Role, stage="authorization", cis="5.1.3", absence=True, after=("rbac-wildcard-resources",))
def rbac_wildcard_apigroups(role: Role) -> Steps:
    """Replace wildcard API groups in RBAC rules.

    Problem: a rule of the role covers every API group.

    Result: The rule names the API groups of its resources.

    Why: the rule also covers a resource of the same name in any other group, such as that of an operator which is
    installed later.

    May break: the new rule does not cover a custom resource of that name whose definition is not in the given files.
    """
    yield from apigroups(role)
