"""K04: scripts that start privileged pods."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission.guardrails import Guardrails
from hardener.tree.script_views import Script


@transform(each=Script, stage="policy", severity=Severity.HIGH, pss="baseline", cis="5.2.1", only_reports=True)
def script_kubectl_privileged(script: Script) -> Steps:
    """Remove privileged kubectl commands from scripts.

    Problem: the script starts a pod with access to its node.

    Result: The script starts no pod with access to its node.

    Why: nobody reviews a pod that `kubectl run --overrides` or `kubectl debug --profile=sysadmin` starts, since it is
    in no manifest. Everybody with the rights of the script can start such a pod, too.

    May break: nothing, since it only reports.
    """
    for run in script.tree.ask(Guardrails).runs:
        if run.script.object is not script.object:
            continue
        what = run.started.sign or "; ".join(broken.message for broken in run.broken)
        text = f"{run.started.command} starts a pod that no manifest shows: {what}"
        advice = (
            "enforce Pod Security level baseline in its namespace, so that this pod is refused; write what is"
            " needed of it into a manifest"
        )
        yield script.finding(text, "lines", run.line, advice=advice, severity=Severity.HIGH)
