from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.views import Role

from ._wildcards import resources


@transform(each=Role, stage="authorization", severity=Severity.HIGH, cis="5.1.3", after=("rbac-cluster-admin-binding",))
def rbac_wildcard_resources(role: Role) -> Steps:
    """Replace wildcard resources in RBAC rules.

    Problem: a rule of the role covers every resource.

    Result: The rule names the resources that it covers.

    Why: a wildcard covers every present and future object type, including subresources that run code, such as
    pods/exec; the explicit list keeps today's use and nothing else.

    May break: the new list leaves out subresources that give access to pods and accounts, and resources that are
    installed later.
    """
    yield from resources(role)
