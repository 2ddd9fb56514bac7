from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hardener.authoring.edits import Finding, Severity, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.at_work import is_system
from hardener.facts.access.grants import Access, Holder
from hardener.facts.access.views import Binding, Role
from hardener.facts.kustomize.overlays.variants import patch_of
from hardener.kubernetes.rbac.bootstrap import bootstrap_role
from hardener.kubernetes.rbac.dangerous_grants import AGGREGATED, EVERYTHING, Grant, dangerous, leads_further
from hardener.tree.view import OpaqueError

# Critical is kept for what is open to anybody; rbac-anonymous-subject and its neighbours say that.
_SEVERITIES = {"critical": Severity.HIGH, "high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW}
_PARTS = "system:"  # roles for parts of the cluster; cluster-admin, admin, edit and view are meant to be bound
_MOST = 3  # holders in one message
_TOO_MANY = 5  # grants of one rule, which is a wildcard then
_Danger = tuple["Grant", str, Severity]
_ADD = "name the roles here by a label that they have, or add the roles to the given paths"
_ADVICE = "grant only what is used, by name (resourceNames) and in one namespace, and protect whoever holds it"


@transform(
    each=Role | Binding, stage="authorization", severity=Severity.HIGH, cis="5.1", after=("rbac-nodes-proxy-narrow",),
    only_reports=True,
)  # fmt: skip
def rbac_dangerous_grant(target: Role | Binding) -> Steps:
    """Review rights that lead to more rights.

    Problem: the object gives rights that lead to more than they name.

    Result: Every role that leads to more rights than it names is reviewed.

    Why: whoever can read Secrets, create pods or impersonate users can get the rights of others; protect such an
    account as well as the accounts that it can become.

    May break: nothing, since it only reports.
    """
    yield from _of_binding(target) if isinstance(target, Binding) else _of_role(target)


def _of_binding(binding: Binding) -> Iterator[Finding]:
    """What a binding gives of a role of the cluster itself, whatever the tree says of that role: the API server adds
    what is missing there."""
    known = bootstrap_role(binding.role_kind, binding.role_name)
    if known is None or not known.name.startswith(_PARTS) or binding.owner is not None:
        return
    access, everywhere = binding.tree.ask(Access), not binding.namespaced
    holders = [Holder(subject, binding, access.pods(binding, subject)) for subject in binding.subjects]
    system = everywhere or is_system(binding.object.namespace)
    found = list(dangerous(enumerate(known.rules), binding.tree.settings.kubernetes_version, system=system))
    levels = _levels([grant for grant, _, _ in found], everywhere=everywhere)
    if holders and levels:
        reach = "in the cluster" if everywhere else "in its namespace"
        yield binding.finding(
            f"ClusterRole {known.name} holds {_named(levels)} {reach}; {_in_words(holders)}",
            "roleRef",
            "name",
            severity=_worst(levels),
            topic=f"binding of ClusterRole {known.name}",
            advice=_ADVICE,
        )


def _of_role(role: Role) -> Steps:
    if role.owner is not None and not role.is_aggregated:
        return
    holders = role.tree.ask(Access).holders(role)
    everywhere = not role.namespaced and (not holders or any(not holder.binding.namespaced for holder in holders))
    spaces = {holder.binding.object.namespace for holder in holders} | {role.object.namespace}
    system = everywhere or any(map(is_system, spaces))
    reach = "in the cluster" if everywhere else "in its namespace"
    by_rule = _by_rule(role, system=system, everywhere=everywhere)
    for index, found in by_rule.items():
        yield from _of_rule(role, index, found, reach, _in_words(holders))
    grants = [grant for found in by_rule.values() for grant, _, _ in found]
    yield from _of_patches(role, {grant.id for grant in grants}, system=system, everywhere=everywhere)
    yield from _aggregated(role, grants)
    if role.is_aggregated:
        yield from _of_cluster(role, holders, everywhere=everywhere)


def _by_rule(role: Role, *, system: bool, everywhere: bool) -> dict[int, list[_Danger]]:
    """The dangers of the rules of the role, by the numbers of the rules."""
    found: dict[int, list[_Danger]] = {}
    for grant, index, text in dangerous(role.rules, role.tree.settings.kubernetes_version, system=system):
        level = _level(grant, everywhere=everywhere)
        if level is not None:
            found.setdefault(index, []).append((grant, text, _SEVERITIES[level]))
    return found


def _of_cluster(role: Role, holders: Sequence[Holder], *, everywhere: bool) -> Steps:
    """What a controller copies into the role from those of every cluster. Those of the tree are judged by themselves,
    with everybody who holds this one."""
    parts = role.tree.ask(Access).parts(role.object)
    for number in parts.open:
        path = (*role.path[1:], "aggregationRule", "clusterRoleSelectors", number)
        yield OpaqueError("labels that no role of the tree has", path, "asks for", _ADD)
    rules = [(number, rule) for number, each in enumerate(parts.built_in) for rule in each.rules]
    found = list(dangerous(rules, role.tree.settings.kubernetes_version, system=everywhere))
    levels = _levels([grant for grant, _, _ in found], everywhere=everywhere)
    if not levels:
        return
    sources = list(dict.fromkeys(parts.built_in[number].name for grant, number, _ in found if grant in levels))
    more = f" and {len(sources) - _MOST} more" if len(sources) > _MOST else ""
    # Whoever holds all roles of the cluster is its administrator, by a rule that shows none of that.
    is_all = EVERYTHING in levels and bool(holders)
    names = f"{', '.join(sources[:_MOST])}{more} ({_named(levels)})"
    yield role.finding(
        f"its aggregationRule adds the rules of {names}; {_in_words(holders)}",
        "aggregationRule",
        severity=Severity.CRITICAL if is_all else _worst(levels),
        topic="role with an aggregationRule that takes in dangerous roles",
        advice="select the roles that are meant by a label of your own",
    )


def _levels(grants: Iterable[Grant], *, everywhere: bool) -> dict[Grant, Severity]:
    """Those of ``grants`` that mean something where they reach, with how bad they are."""
    found = {grant: _level(grant, everywhere=everywhere) for grant in grants}
    return {grant: _SEVERITIES[level] for grant, level in found.items() if level is not None}


def _named(grants: Iterable[Grant]) -> str:
    return "; ".join(f"{grant.id} {grant.title}" for grant in grants)


def _worst(levels: dict[Grant, Severity]) -> Severity:
    return max(levels.values(), key=lambda level: level.rank)


def _level(grant: Grant, *, everywhere: bool) -> str | None:
    return grant.cluster if everywhere else grant.namespace


def _in_words(holders: Sequence[Holder]) -> str:
    who = "; ".join(map(str, holders[:_MOST])) or "nobody in the tree holds it"
    more = len(holders) - _MOST
    return f"{who} and {more} more" if more > 0 else who


def _of_rule(role: Role, index: int, found: list[_Danger], reach: str, who: str) -> Iterator[Finding]:
    """A finding for each danger of a rule, or one for all where they are many."""
    if len(found) > _TOO_MANY:
        names = _named([grant for grant, _, _ in found])
        yield role.finding(
            f"rule {index + 1} holds {len(found)} dangerous grants {reach} ({names}); {who}",
            "rules",
            index,
            severity=max((severity for _, _, severity in found), key=lambda level: level.rank),
            topic=f"role with a rule of many dangerous grants {reach}",
            advice=_ADVICE,
        )
        return
    for grant, text, severity in found:
        yield role.finding(
            f"{grant.id} {grant.title} {reach} ({text}): {grant.why}; {who}",
            "rules",
            index,
            severity=severity,
            topic=f"role with {grant.id}, {grant.title}, {reach}",
            advice=_ADVICE,
        )


def _aggregated(role: Role, grants: list[Grant]) -> Iterator[Finding]:
    """A role that the controller adds to others, with one of ``grants`` that leads further."""
    further = next((grant for grant in grants if leads_further(grant) or grant is EVERYTHING), None)
    if further is not None and role.aggregated_to:
        yield role.finding(
            f"{AGGREGATED.id} {AGGREGATED.title} ({role.aggregated_to[0]}), with {further.title}: {AGGREGATED.why}",
            "metadata",
            "labels",
            severity=Severity.HIGH,
            topic=f"role with {AGGREGATED.id}, {AGGREGATED.title}",
            advice="remove the label, and bind the role to those who need it",
        )


def _of_patches(role: Role, own: set[str], *, system: bool, everywhere: bool) -> Iterator[Finding]:
    """What a kustomization adds to ``own``, the grants of the role as it is written."""
    for variant in role.variants if EVERYTHING.id not in own else ():
        try:
            rules = variant.rules
        except (OpaqueError, WrongShapeError):
            continue
        for grant, index, text in dangerous(rules, role.tree.settings.kubernetes_version, system=system):
            level = _level(grant, everywhere=everywhere)
            if level is None or grant.id in own:
                continue
            patch = patch_of(variant, "rules", index)
            yield variant.finding(
                f"patch {patch} gives {role.object} {grant.id} {grant.title} ({text}): {grant.why}",
                "rules",
                index,
                severity=_SEVERITIES[level],
                advice="remove it from the patch, or protect whoever holds it",
                once=f"{patch.piece.file.path} {patch.start} {role.object} {grant.id}",
            )
