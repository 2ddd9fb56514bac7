"""K04: scripts that start privileged pods."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission.guardrails import Guardrails
from hardener.tree.script_views import Script


@transform(each=Script, stage="policy", severity=Severity.HIGH, pss="baseline", cis="5.2.1", only_reports=True)
def script_kubectl_privileged(script: Script) -> Steps:
    """No script starts a pod that has its node by way of flags.

    Why: what `kubectl run --overrides` or `kubectl debug --profile=sysadmin` starts is in no manifest that anybody
    reviews; where it works for a script it works for everybody who has the rights of one.

    May break: nothing, the script is only reported.
    """
    for run in script.tree.ask(Guardrails).runs:
        if run.script.object is not script.object:
            continue
        what = run.started.sign or "; ".join(broken.message for broken in run.broken)
        yield script.finding(
            f"{run.started.command} starts a pod that no manifest shows: {what}", "lines", run.line,
            advice="enforce Pod Security level baseline in its namespace, so that it is refused; what is needed of it "
            "belongs into a manifest", severity=Severity.HIGH,
        )  # fmt: skip
