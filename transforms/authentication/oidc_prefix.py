from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import AuthenticationFile, ControlPlane, by_table, components

_ADVICE = "write a prefix such as oidc: and adapt the bindings"
_GROUPS = "groups of the issuer have no prefix: a group called system:masters would own the cluster"


@transform(each=ControlPlane | AuthenticationFile, stage="authentication", severity=Severity.MEDIUM, only_reports=True)
def oidc_prefix(target: ControlPlane | AuthenticationFile) -> Steps:
    """Set prefixes for OIDC users and groups.

    Problem: users and groups of the identity provider can have the names of local ones.

    Result: Users and groups of the identity provider have names that differ from local ones.

    Why: without prefixes, whoever may choose a name or a group at the identity provider can act as another user of the
    cluster.

    May break: nothing, since it only reports: with a prefix, every binding has to use the prefixed names.
    """
    if isinstance(target, ControlPlane):
        yield from by_table(target, "oidc-prefix")
        for server in components(target, "kube-apiserver"):
            if server.get("oidc-groups-claim") and not server.get("oidc-groups-prefix"):
                yield server.finding(_GROUPS, "oidc-groups-claim", advice=_ADVICE, severity=Severity.MEDIUM)
        return
    for index, jwt in enumerate(target.items("jwt")):
        for claim in ("username", "groups"):
            path = ("claimMappings", claim)
            if jwt.has(*path, "claim") and not jwt.text(*path, "prefix"):
                text = f"{claim} of the issuer come{'s' if claim == 'username' else ''} without a prefix"
                yield target.finding(text, "jwt", index, *path, advice=_ADVICE, severity=Severity.MEDIUM)
