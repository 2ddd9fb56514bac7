from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.views import Binding
from hardener.kubernetes.rbac.dangerous_grants import dangerous
from hardener.kubernetes.rbac.owners import DISCOVERY
from hardener.kubernetes.rbac.security_context_constraints import ROLE, USE, used_by
from hardener.tree.view import OpaqueError

_EVERYBODY = "system:authenticated"
_ACCOUNTS = "system:serviceaccounts"


@transform(each=Binding, stage="authorization", severity=Severity.HIGH, only_reports=True)
def rbac_authenticated_broad(binding: Binding) -> Steps:
    """Remove roles of all authenticated users.

    Problem: the binding gives a role to every authenticated user.

    Result: The role is given only to named users, groups and service accounts.

    Why: every account, including ones from outside the organisation on some clouds (on GKE any Google account is in
    system:authenticated), gets these rights; the rights of all service accounts go to every pod.

    May break: nothing, since it only reports.
    """
    if binding.gives(DISCOVERY) or binding.owner is not None or _only_uses(binding):
        return
    for subject in binding.subjects:
        if subject.kind != "Group" or subject.name.split(":")[:2] not in (
            [*_EVERYBODY.split(":")],
            [*_ACCOUNTS.split(":")],
        ):
            continue
        open_to_all = subject.name == _EVERYBODY
        severity = Severity.HIGH if open_to_all else Severity.MEDIUM
        if _is_dangerous(binding):
            severity = Severity.CRITICAL if open_to_all else Severity.HIGH
        yield binding.finding(
            f"{subject} holds {binding.role_kind} {binding.role_name}",
            "subjects",
            subject.index,
            severity=severity,
            advice="bind the accounts that need it by name",
            topic=f"role for all of {subject.name}" if severity is not Severity.CRITICAL else None,
        )


def _only_uses(binding: Binding) -> bool:
    """Whether its role lets pods use SecurityContextConstraints and nothing else: rbac-scc-grant says which."""
    try:
        rules = binding.rules
    except OpaqueError:
        return False
    if not binding.roles:  # it is one of the cluster
        return binding.role_name.startswith(ROLE)
    return bool(rules) and all(rule.verbs == (USE,) and used_by(rule) for rule in rules)


def _is_dangerous(binding: Binding) -> bool:
    if binding.role_kind == "ClusterRole" and binding.role_name in ("cluster-admin", "admin", "edit"):
        return True
    for role in binding.roles:
        try:
            version = role.tree.settings.kubernetes_version
            if any(True for _ in dangerous(enumerate(role.granted), version, system=not binding.namespaced)):
                return True
        except OpaqueError:
            continue
    return False
