from __future__ import annotations

from hardener.authoring.transform import Steps, transform
from hardener.facts.access.views import Role

from ._wildcards import apigroups


@transform(each=Role, stage="authorization", cis="5.1.3", absence=True, after=("rbac-wildcard-resources",))
def rbac_wildcard_apigroups(role: Role) -> Steps:
    """Replace wildcard API groups in RBAC rules.

    Problem: a rule of the role covers every API group.

    Result: The rule names the API groups of its resources.

    Why: a resource of the same name in any group, also of an operator that is installed later, is covered without
    anybody deciding so.

    May break: a custom resource of that name whose definition is not in the tree is left out.
    """
    yield from apigroups(role)
