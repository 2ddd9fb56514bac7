from __future__ import annotations

from hardener.authoring.transform import Steps, transform
from hardener.facts.access.views import Role

from ._wildcards import verbs


@transform(each=Role, stage="authorization", cis="5.1.3", after=("rbac-wildcard-apigroups",))
def rbac_wildcard_verbs(role: Role) -> Steps:
    """Replace wildcard verbs in RBAC rules.

    Problem: a rule of the role allows every verb.

    Result: The rule names the verbs that it allows.

    Why: a wildcard also grants verbs that are no requests of their own, such as impersonate, bind and escalate, and
    verbs that are added later; a list can be reviewed.

    May break: an account that impersonates others or assigns roles by the wildcard can no longer do so.
    """
    yield from verbs(role)
