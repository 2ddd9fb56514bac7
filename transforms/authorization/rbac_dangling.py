from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.grants import Access
from hardener.facts.access.views import Binding
from hardener.kubernetes.rbac.owners import is_built_in


@transform(each=Binding, stage="authorization", severity=Severity.LOW, absence=True, only_reports=True)
def rbac_dangling(binding: Binding) -> Steps:
    """Correct or remove the dangling binding.

    Problem: the binding names a role or account that does not exist.

    Result: The binding names a role and accounts that exist.

    Why: whoever creates an object of that name later gets these rights, or gives them to others, and nobody reviews it.

    May break: nothing, since it only reports.
    """
    if binding.owner is not None or not binding.get("roleRef", "name"):
        return

    if not is_built_in(binding.role_kind, binding.role_name) and not binding.roles:
        yield binding.finding(
            f"{binding.role_kind} {binding.role_name} is not in the tree",
            "roleRef",
            "name",
            severity=Severity.LOW,
            advice="check that it exists (kubectl get roles,clusterroles -A), or delete the binding",
            topic="binding of a role that is not in the tree",
        )
    for subject in binding.subjects:
        if not subject.is_account or subject.name == "default":
            continue
        access = binding.tree.ask(Access)
        if not access.account_objects(binding, subject) and not access.pods(binding, subject):
            yield binding.finding(
                f"{subject} is not in the tree",
                "subjects",
                subject.index,
                severity=Severity.LOW,
                advice="check that it exists (kubectl get serviceaccounts -A), or remove it from the binding",
                topic="binding of an account that is not in the tree",
            )
