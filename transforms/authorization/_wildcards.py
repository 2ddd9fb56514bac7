"""What the transforms of wildcards do, loaded for a tree that holds roles."""

from __future__ import annotations

from hardener.authoring.edits import Finding, Severity
from hardener.authoring.transform import Steps
from hardener.facts.access.grants import Access
from hardener.facts.access.views import Role
from hardener.kubernetes.rbac.expansion import expand_groups, expand_resources, expand_verbs
from hardener.kubernetes.rbac.rules import ANY, Rule

from ._stars import has_star, judged, left, observed, platform, rules_of, written_out


def resources(role: Role) -> Steps:
    """Write out the resources of rules where they are a star."""
    if role.owner is not None:
        rules = role.rules if role.is_aggregated else ()  # one of every cluster is what it has to be
        starred = next((index for index, rule in rules if has_star(rule.resources)), None)
        if starred is not None:
            yield role.finding(
                f"rule {starred + 1} holds a wildcard, and the role is left alone: {role.owner}",
                "rules",
                starred,
                severity=Severity.LOW,
                advice="change it through what installs it",
                topic="role of the cluster with a wildcard",
            )
        return
    for index, rule in rules_of(role):
        if not has_star(rule.resources) and not has_star(rule.urls):
            continue
        reason = _kept(role, index, rule)
        if reason is not None:
            yield reason
            continue
        groups = role.tree.ask(Access).discovery.groups_known if ANY in rule.groups else rule.groups
        known = observed(role, rule)
        if known is not None:
            yield written_out(role, index, rule, *known)
            continue
        whole = Rule(tuple(groups), rule.resources, rule.verbs, rule.names)
        found = expand_resources(whole, role.tree.ask(Access).discovery, namespaced=role.namespaced)
        if found.unknown or not found.rules:
            names = ", ".join(found.unknown) or "its groups"
            yield left(role, index, f"the resources of {names} are not known", "name the resources that are used")
            continue
        yield written_out(role, index, rule, found.rules, judged(role, rule, found))


def _kept(role: Role, index: int, rule: Rule) -> Finding | None:
    if rule.urls:
        return left(
            role,
            index,
            "it covers paths, and Kubernetes has no list of paths",
            "name the paths that are used (/metrics, /healthz)",
        )
    if ANY not in rule.resources:
        return left(role, index, "it covers a sub-resource of every resource", "name the resources that are meant")
    component = platform(role)
    if component is not None:
        return left(
            role,
            index,
            f"{component} works with resources that others install",
            "check whether a few namespaces are enough for it",
            severity=Severity.HIGH if rule.is_everything else Severity.MEDIUM,
        )
    if ANY in rule.groups and not role.namespaced:
        what = "everything" if rule.is_everything else "every resource of every group"
        return left(
            role,
            index,
            f"it covers {what}, in the whole cluster",
            "name the groups and resources that are used",
            severity=Severity.HIGH,
        )
    return None


def apigroups(role: Role) -> Steps:
    """Write out the groups of rules where they are a star."""
    for index, rule in rules_of(role):
        if ANY not in rule.groups or has_star(rule.resources):
            continue
        known = observed(role, rule)
        found = expand_groups(rule, role.tree.ask(Access).discovery)
        if known is not None:
            yield written_out(role, index, rule, *known)
        elif (component := platform(role)) is not None:
            yield left(
                role, index, f"{component} works with resources that others install", "name the groups that are meant"
            )
        elif found.unknown or not found.rules:
            names = ", ".join(found.unknown)
            yield left(role, index, f"the group of {names} is not known", "name the groups that are meant")
        else:
            yield written_out(role, index, rule, found.rules, judged(role, rule, found))


def verbs(role: Role) -> Steps:
    """Write out the verbs of rules where they are a star."""
    for index, rule in rules_of(role):
        if ANY not in rule.verbs or has_star(rule.groups) or has_star(rule.resources) or rule.urls:
            continue
        known = observed(role, rule)
        found = expand_verbs(rule, role.tree.ask(Access).discovery)
        if known is not None:
            yield written_out(role, index, rule, *known)
        elif found.unknown or not found.rules:
            names = ", ".join(found.unknown)
            yield left(role, index, f"the verbs of {names} are not known", "name the verbs that are used")
        else:
            yield written_out(role, index, rule, found.rules, judged(role, rule, found))
