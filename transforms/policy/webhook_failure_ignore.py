"""K04: admission checks that are skipped when they cannot answer."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.facts.access.admission import AdmissionPolicy, AdmissionWebhook


@transform(each=AdmissionWebhook | AdmissionPolicy, stage="policy", severity=Severity.MEDIUM, only_reports=True)
def webhook_failure_ignore(target: AdmissionWebhook | AdmissionPolicy) -> Steps:
    """Set failurePolicy: Fail.

    Problem: requests are admitted if the admission check does not answer.

    Result: Requests are refused if the admission check does not answer.

    Why: with `failurePolicy: Ignore` a webhook is skipped as soon as somebody keeps it from answering, by load or by
    deleting its pod.

    May break: nothing, since it only reports: with `Fail` a webhook that is down blocks the requests that it checks.
    """
    if isinstance(target, AdmissionPolicy):
        if target.text("spec", "failurePolicy") == "Ignore":
            text = f"{target.object} is skipped where an expression fails: failurePolicy is Ignore"
            advice = "set Fail once its expressions are known to work for every object"
            yield target.finding(text, "spec", "failurePolicy", advice=advice, severity=Severity.LOW)
        return
    ignored = [
        (index, hook) for index, hook in enumerate(target.items("webhooks")) if hook.text("failurePolicy") == "Ignore"
    ]
    for index, hook in ignored[:1]:
        more = f" and {len(ignored) - 1} more webhooks" if len(ignored) > 1 else ""
        text = (
            f"{hook.text('name')}{more} of {target.object} is skipped when it does not answer: failurePolicy is Ignore"
        )
        advice = (
            "set Fail where it enforces security, with two replicas, and leave kube-system out by its "
            "namespaceSelector so that the cluster can start"
        )
        yield target.finding(text, "webhooks", index, "failurePolicy", advice=advice, severity=Severity.LOW)
