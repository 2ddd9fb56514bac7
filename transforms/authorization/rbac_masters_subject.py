from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.views import Binding
from hardener.kubernetes.components.static_tokens import MASTERS


@transform(each=Binding, stage="authorization", severity=Severity.HIGH, cis="5.1.7", only_reports=True)
def rbac_masters_subject(binding: Binding) -> Steps:
    """Remove system:masters.

    Problem: the object relies on the group system:masters.

    Result: Nothing relies on the group system:masters.

    Why: the API server skips authorization for this group, so removing a binding changes nothing, and a member keeps
    all rights until its certificate expires.

    May break: nothing, since it only reports.
    """
    if binding.owner is not None:
        return
    for subject in binding.subjects:
        if (subject.kind, subject.name) == ("Group", MASTERS):
            text = f"the binding names the group {MASTERS}, whose members RBAC cannot limit"
            advice = "stop issuing certificates with O=system:masters, and bind a group of your own to a role"
            yield binding.finding(text, "subjects", subject.index, severity=Severity.HIGH, advice=advice)
