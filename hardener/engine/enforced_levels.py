"""A level by which the API server refuses pods rests on how these pods come out: with a change that is lost the label
goes, and the advice to set one."""

from __future__ import annotations

from collections.abc import Iterable

from hardener.engine.outcome import Change, Outcome
from hardener.facts.objects.namespace_contents import targets
from hardener.tree.core_views import Object

_ENFORCE = "pod-security.kubernetes.io/enforce"


def resting_on(outcome: Outcome, lost: Iterable[Change]) -> list[Change]:
    """The changes that have a namespace enforce a level, where one of its pods ``lost`` a change that levels ask
    for."""
    labels = [change for change in outcome.changes if change.edit.path and change.edit.path[-1] == _ENFORCE]
    spaces = _lowered(outcome, lost) if labels else set()
    return [change for change in labels if change.object in spaces]


def drop_advice(outcome: Outcome, lost: Iterable[Change]) -> None:
    """Take the advice to enforce a level from the findings about such namespaces."""
    advised = [report for report in outcome.findings if f"{_ENFORCE}=" in report.advice]
    spaces = _lowered(outcome, lost) if advised else set()
    stale = {id(report) for report in advised if report.object in spaces}
    if stale:
        outcome.findings = [report for report in outcome.findings if id(report) not in stale]


def _lowered(outcome: Outcome, lost: Iterable[Change]) -> set[Object]:
    """The objects that stand for the namespaces of the pods that ``lost`` a change which levels ask for."""
    lower = {change.object for change in lost if change.transform.pss}
    if not lower:
        return set()
    return {space.object for space in targets(outcome.tree) if any(pod.object in lower for pod in space.pods)}
