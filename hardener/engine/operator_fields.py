"""Which edits of a pod that an operator makes have a field of its custom resource to be written to."""

from __future__ import annotations

from typing import Any

from hardener.authoring.edits import Drop, Edit, Finding, Set, Severity
from hardener.kubernetes.pods.operator_templates import OperatorTemplate
from hardener.support.data_path import value_at
from hardener.tree.core_views import Container, PodTemplate, View


def spoken(pod: PodTemplate | None, yielded: list[Any]) -> list[Any]:
    """What of ``yielded`` is said of ``pod``: of one that an operator lays over its own, not what that may lack."""
    if pod is None or pod.operator is None or not pod.operator.is_merged:
        return yielded
    return [each for each in yielded if not (isinstance(each, Finding) and each.severity is Severity.LOW)]


def taken(operator: OperatorTemplate, target: View, steps: list[list[Edit]]) -> list[list[Edit]]:
    """Those of ``steps`` at ``target`` that the operator takes."""
    return [step for step in steps if all(_is_taken(operator, target, edit) for edit in step)]


def _is_taken(operator: OperatorTemplate, target: View, edit: Edit) -> bool:
    if edit.piece is not target.object.piece:
        return False
    rest = _in_container(target, edit)
    if not rest or (operator.takes is not None and rest[0] not in operator.takes):
        return False
    return not operator.is_merged or _only_tightens(edit)


def _in_container(target: View, edit: Edit) -> tuple[str | int, ...]:
    """Where ``edit`` stands in the container that it is for; () where it is for none."""
    pod = target.pod if isinstance(target, Container) else target
    containers = [target] if isinstance(target, Container) else getattr(pod, "containers", ())
    for container in containers:
        if edit.path[: len(container.path)] == container.path:
            return edit.path[len(container.path) :]
    return ()


def _only_tightens(edit: Edit) -> bool:
    """Whether it takes away, or turns round, what is written: the rest of such a pod is the operator's own."""
    if isinstance(edit, Drop):
        return True
    return isinstance(edit, Set) and isinstance(value_at(edit.piece.data, edit.path), bool)
