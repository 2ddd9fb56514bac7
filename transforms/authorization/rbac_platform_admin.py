from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.grants import Access, Holder
from hardener.facts.access.views import Binding

_ADVICE = "protect its namespace: whoever can run code there owns the cluster"


@transform(each=Binding, stage="authorization", severity=Severity.MEDIUM, cis="5.1.1", only_reports=True)
def rbac_platform_admin(binding: Binding) -> Steps:
    """Review components with administrator rights.

    Problem: a component of the cluster has administrator rights.

    Result: The component that acts for the whole cluster is known and reviewed.

    Why: a tool that installs what others write needs the rights of all of them, so its pods and whoever may change them
    are administrators; where the vendor offers a way to limit these rights, use it.

    May break: nothing, since it only reports.
    """
    if binding.everything is None or binding.owner is not None:
        return

    for subject in binding.subjects:
        found = binding.tree.ask(Access).platform(binding, subject)
        if found is None or not found[1]:
            continue
        component = found[0]
        holder = Holder(subject, binding, binding.tree.ask(Access).pods(binding, subject))
        yield binding.finding(
            f"{component.component} is an administrator of the cluster: {holder}",
            "subjects",
            subject.index,
            severity=_severity(binding),
            advice=f"{component.advice}; else {_ADVICE}" if component.advice else _ADVICE,
            topic=f"administrator of {component.component}",
        )


def _severity(binding: Binding) -> Severity:
    """What a label and the name of an image show of it, whoever sends the tree may have written."""
    return Severity.HIGH if binding.tree.settings.no_waivers else Severity.MEDIUM
