"""K04: exceptions that void a policy."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.support.data_path import Path
from hardener.tree.addon_views import PolicyException
from hardener.tree.view import View

_ALL = "*"
_SELECTORS = ("selector", "namespaceSelector", "annotations")
_BY_WHOM = ("subjects", "roles", "clusterRoles")


@transform(each=PolicyException, stage="policy", severity=Severity.HIGH, only_reports=True)
def policy_exception_for_all(exception: PolicyException) -> Steps:
    """Restrict the policy exception.

    Problem: the exception applies to everything.

    Result: The exception names the workloads that it is for.

    Why: an exception that matches every namespace switches the policy off for the whole cluster, although the list of
    policies shows it.

    May break: nothing, since it only reports: only its owner knows which workloads need the exception.
    """
    place = _open(exception)
    if place is None:
        return
    names = [entry.text("policyName") or "" for entry in exception.items("spec", "exceptions")]
    names = names or [entry.text("name") or "" for entry in exception.items("spec", "policyRefs")]
    what = f"policy {', '.join(filter(None, names))}" if any(names) else "its policies"
    yield exception.finding(
        f"{exception.object} excepts every namespace from {what}",
        *place,
        advice="name the namespaces and the workloads (namespaces, names) that need the exception",
        severity=Severity.HIGH,
    )


def _open(exception: PolicyException) -> Path | None:
    """Where it matches everything; None where a name, a selector or a condition bounds it."""
    if exception.has("spec", "conditions") or exception.has("spec", "matchConditions"):
        return None
    if exception.object.group == "policies.kyverno.io":
        return ("spec",)
    for key in ("any", "all"):
        for at, clause in enumerate(exception.items("spec", "match", key)):
            if _is_open(clause):
                return ("spec", "match", key, at)
    return None


def _is_open(clause: View) -> bool:
    resources = clause.view("resources")
    if any(clause.has(key) for key in _BY_WHOM) or any(resources.keys(key) for key in _SELECTORS):
        return False
    names = {*resources.strings("names"), resources.text("name") or _ALL}
    namespaces = resources.strings("namespaces")
    return names == {_ALL} and (not namespaces or _ALL in namespaces)
