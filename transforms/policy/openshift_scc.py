"""K04: what OpenShift lets pods do, in place of Pod Security levels."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.pod_constraints import PodConstraints, SecurityContextConstraints, said
from hardener.kubernetes.rbac.security_context_constraints import Opening, described, is_everybody, listed
from hardener.kubernetes.rbac.subjects import DEFAULT, service_account

_MOST = 3  # holders in one message
_LOOSE = frozenset({"volumes", "seccompProfiles"})  # they open nothing by themselves


@transform(each=SecurityContextConstraints, stage="policy", severity=Severity.HIGH, only_reports=True)
def openshift_scc(constraints: SecurityContextConstraints) -> Steps:
    """Restrict the SecurityContextConstraints.

    Problem: the SecurityContextConstraints allow more than their pods need, or to everybody.

    Result: Only accounts that need the SecurityContextConstraints can use them.

    Why: OpenShift runs a pod by the constraints that its service account may use. Where they allow privileged
    containers, root or access to the node, every account that may use them controls the node, and so does every member
    of a group that may use them.

    May break: nothing, since it only reports.
    """
    found = constraints.openings
    if not found:
        return
    if constraints.is_of_the_cluster:
        yield constraints.finding(
            f"it opens {listed(found)}, and is a default of OpenShift",
            *found[0].path,
            severity=Severity.LOW,
            advice="leave it unchanged, and grant it to nobody else",
            topic="object of SecurityContextConstraints that OpenShift brings",
        )
        return
    loose = all(opening.path[0] in _LOOSE for opening in found)
    yield constraints.finding(
        f"it opens {listed(found)}; {_holders(constraints)}",
        *found[0].path,
        severity=Severity.MEDIUM if loose else Severity.HIGH,
        topic="opening of SecurityContextConstraints",
        advice="start from restricted-v2, open only what its pods use, and bind its use to their service account",
    )
    yield from _of_groups(constraints, found)


def _of_groups(constraints: SecurityContextConstraints, found: list[Opening]) -> Iterator[Finding]:
    """A finding for each group that holds it of its own accord."""
    owns = any(opening.owns_node for opening in found)
    for index, group in enumerate(constraints.strings("groups")):
        who = described(group)
        if who is None:
            continue
        critical = owns and is_everybody(group)
        yield constraints.finding(
            f"Group {group}, {who}, may use it: {listed(found)}",
            "groups",
            index,
            severity=Severity.CRITICAL if critical else Severity.HIGH,
            advice="remove the group, and bind its use to the service accounts whose pods need it",
            topic=None if critical else "group with wide SecurityContextConstraints",
        )


def _holders(constraints: SecurityContextConstraints) -> str:
    """Who may use it, by its own lists and by RBAC."""
    names = [_user(name) for name in constraints.strings("users")]
    names += [f"Group {name}" for name in constraints.strings("groups")]
    given = constraints.tree.ask(PodConstraints).holders(constraints.object.name)
    if given:
        names.append(said(given, 1 if names else _MOST))
    if not names:
        return "nobody in the tree holds it"
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"held by {'; '.join(names[:_MOST])}{more}"


def _user(name: str) -> str:
    account = service_account({"kind": "User", "name": name})
    if account is None:
        return f"User {name}"
    every = " (of every pod there that names none)" if account[0] == DEFAULT else ""
    return f"ServiceAccount {account[1]}/{account[0]}{every}"
