from __future__ import annotations

from collections.abc import Collection

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.grants import Access, Holder
from hardener.facts.access.pod_constraints import PodConstraints, reaches_everybody, said
from hardener.facts.access.views import Binding, Role
from hardener.kubernetes.rbac.rules import ANY
from hardener.kubernetes.rbac.security_context_constraints import ROLE, Opening, listed, used_by

_ADVICE = (
    "give the pods a security context that restricted-v2 or nonroot-v2 accepts, and bind that; else a"
    " SecurityContextConstraints of their own, and protect whoever can make pods there"
)


@transform(each=Role | Binding, stage="authorization", severity=Severity.HIGH, only_reports=True)
def rbac_scc_grant(target: Role | Binding) -> Steps:
    """Restrict the use of wide SecurityContextConstraints.

    Problem: the object gives pods wider SecurityContextConstraints than the default.

    Result: Only reviewed accounts may use wider SecurityContextConstraints than the default.

    Why: whoever may use a wider one, or can create a pod with that service account, gets what it allows: with
    `privileged`, the node and everything that runs on it.

    May break: nothing, since it only reports.
    """
    if isinstance(target, Binding):
        yield from _of_binding(target)
    else:
        yield from _of_role(target)


def _of_binding(binding: Binding) -> Steps:
    """A binding to the ClusterRole by which one of every cluster is used; no manifest shows that role."""
    if binding.role_kind != "ClusterRole" or not binding.role_name.startswith(ROLE):
        return

    name = binding.role_name.removeprefix(ROLE)
    access = binding.tree.ask(Access)
    holders = [Holder(subject, binding, access.pods(binding, subject)) for subject in binding.subjects]
    if holders:
        yield from _said(binding, [name], holders, "roleRef", "name")


def _of_role(role: Role) -> Steps:
    if role.owner is not None:  # what is bound to it is looked at
        return
    for index, rule in role.rules:
        if not rule.is_everything and (names := used_by(rule)):
            yield from _said(role, names, role.tree.ask(Access).holders(role), "rules", index)


def _said(target: Role | Binding, names: Collection[str], holders: list[Holder], *path: str | int) -> Steps:
    """The findings about a grant of the constraints ``names`` to ``holders``."""
    known = {name: target.tree.ask(PodConstraints).openings(name) for name in names}
    wide = {name: found for name, found in known.items() if found}
    if wide:
        yield _of_wide(target, wide, holders, *path)
    strangers = [name for name, found in known.items() if found is None]
    if strangers:
        yield target.finding(
            f"the role lets pods use SecurityContextConstraints {', '.join(strangers)}, which the tree does not"
            f" show; {said(holders)}",
            *path,
            severity=Severity.MEDIUM,
            advice="check what it lets pods do (oc describe scc)",
            topic="use of SecurityContextConstraints that the tree does not show",
        )


def _of_wide(
    target: Role | Binding, wide: dict[str, tuple[Opening, ...]], holders: list[Holder], *path: str | int
) -> Finding:
    texts = [f"{name} ({listed(found)})" for name, found in wide.items() if name != ANY]
    if ANY in wide:
        texts.insert(0, f"of any name, privileged too ({listed(wide[ANY])})")
    owns = any(opening.owns_node for found in wide.values() for opening in found)
    open_to_all = owns and any(map(reaches_everybody, holders))
    return target.finding(
        f"the role lets pods use SecurityContextConstraints {', '.join(texts)}; {said(holders)}",
        *path,
        severity=Severity.CRITICAL if open_to_all else Severity.HIGH,
        advice=_ADVICE,
        topic=None if open_to_all else "use of wide SecurityContextConstraints",
    )
