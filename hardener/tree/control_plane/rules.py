"""The rules of the table, made of a component: a step, and findings."""

from __future__ import annotations

from hardener.authoring.edits import Basis, Edit, Evidence, Grade, Severity
from hardener.authoring.transform import Steps
from hardener.authoring.verdict import Effect, worst
from hardener.kubernetes.components import flags as component_flags
from hardener.kubernetes.components.flags import Rule
from hardener.tree.control_plane.component import HOSTED, Component, How
from hardener.tree.control_plane.saying import how as said
from hardener.tree.control_plane.saying import since

_OWNED = ("static-pod", HOSTED, "kubeadm", "cluster-api", "file")
# What the grade of a row means: the table knows flags, and no tree.
_EFFECTS = {Grade.SAFE: Effect.PLAIN, Grade.REVIEW: Effect.WATCHED, Grade.BREAKING: Effect.BEYOND}


def applied(component: Component, id: str) -> Steps:
    """What the rules of the transform ``id`` make of ``component``: findings, and all edits as one step.

    They are one step because the places of several flags in one list move with each other.
    """
    broken = [rule for rule in component_flags.rules(id) if _is_broken(component, rule)]
    for rule in broken:
        if rule.message:
            yield component.finding(rule.message, rule.flag, advice=rule.advice, severity=Severity(rule.severity))
    edits: list[Edit] = []
    by_flag: dict[str, list[Rule]] = {}
    for rule in broken:
        if not rule.message:
            by_flag.setdefault(rule.flag, []).append(rule)
    for rules in by_flag.values():
        edits += _edits(component, rules)
    if edits:
        yield edits


def _is_broken(component: Component, rule: Rule) -> bool:
    """Whether the rule is about this carrier and version, and speaks against it."""
    if component.name not in rule.components or (rule.only == "file" and not component.is_file):
        return False
    if rule.only == "flags" and component.defaults_zero:
        return False
    if rule.since is not None and component.version < rule.since:
        return False
    if any(component.value(flag) not in (None, "false") for flag in rule.unless):
        return False
    if rule.absent and component.installer not in _OWNED:
        return False  # a distribution sees to it itself
    if not component.can(rule.flag):
        return False
    return rule.is_broken(component.get(rule.flag), component.assumed(rule.flag))


def _edits(component: Component, rules: list[Rule]) -> list[Edit]:
    """The edits of the rules that speak against one flag; of several the last that has a value decides."""
    flag, rule = rules[0].flag, rules[-1]
    written = component.get(flag)
    how = _how(component, rules, written)
    names = [name for each in rules for name in (*each.holds, *([each.gate] if each.gate else []))]
    if names:
        return component.without(flag, names, how)
    if rule.rename is not None:
        moved = component.set(rule.rename, str(written), how) if component.get(rule.rename) is None else []
        return [*component.unset(flag, how), *moved]
    if rule.remove:
        return component.unset(flag, how)
    return component.set(flag, str(rule.to), how)


def _how(component: Component, rules: list[Rule], written: str | None) -> How:
    evidence = [component.state(rules[0].flag)]
    for rule in rules:
        if rule.why:
            evidence.append(Evidence(rule.why))
        if rule.since is not None:
            removed = rule.remove or rule.without or rule.rename is not None
            evidence.append(since(component, rule.since, removed=removed, what=", ".join(rule.holds)))
    basis = Basis.PROVED if written is not None else Basis.INFERRED
    grade = worst(*[Grade(rule.grade) for rule in rules])
    return said(component, *evidence, effect=_EFFECTS[grade], basis=basis)
