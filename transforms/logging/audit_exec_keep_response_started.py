from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Basis, Edit, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.support.data_path import Path
from hardener.tree.audit_policy_views import AuditPolicy

from ._policy import FOLLOW_UP, described

_STAGE = "ResponseStarted"


@transform(each=AuditPolicy, stage="logging", severity=Severity.MEDIUM, after=("audit-policy-default",))
def audit_exec_keep_response_started(policy: AuditPolicy) -> Steps:
    """Record the start of exec sessions.

    Problem: the audit policy omits the start of shells and tunnels.

    Result: The audit log records when a shell or a tunnel begins.

    Why: the answer to such a request is complete when the session is over, hours later or never; detection rules read
    the line of its start.

    May break: nothing; where the whole policy omitted the stage, each watch now has a second line.
    """
    if not policy.judged or not (found := policy.omitting()):
        return
    places: list[Path] = [()]
    places += [("rules", rule) for rule in sorted({v.verdict.rule for v in found if v.verdict.rule is not None})]
    for place in places:
        yield from _kept(policy, place, f"{described(found[0])} is logged only when it ends")


def _kept(policy: AuditPolicy, place: Path, why: str) -> Iterator[Edit]:
    stages = policy.strings(*place, "omitStages")
    if _STAGE not in stages:
        return
    path = (*place, "omitStages")
    found = verdict(known=[policy.fact(why, *path)], basis=Basis.PROVED)
    if set(stages) == {_STAGE}:
        yield policy.drop(*path, follow_up=FOLLOW_UP, **found.words)
        return
    for index, stage in enumerate(stages):
        if stage == _STAGE:
            yield policy.drop(*path, index, follow_up=FOLLOW_UP, **found.words)
