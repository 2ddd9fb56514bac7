from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import ServiceAccount

_IDENTITIES = ("eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id")


@transform(each=ServiceAccount, stage="cloud", severity=Severity.HIGH, only_reports=True)
def sa_cloud_default(account: ServiceAccount) -> Steps:
    """Move the cloud identity off the default service account.

    Problem: every pod that names no account gets the cloud identity.

    Result: The cloud identity belongs to the service account of one workload.

    Why: every pod that names no account runs as `default`, and has the identity of that account; an identity that
    accounts of several namespaces share has the rights of all of them.

    May break: nothing, since it only reports: only its owner knows which workload needs the identity.
    """
    for name in _IDENTITIES:
        identity = account.text("metadata", "annotations", name)
        if not identity:
            continue
        if account.object.name == "default":
            text = f"every pod of the namespace that names no service account is {identity} in the cloud"
            advice = "give it to a service account of the workload that needs it"
            yield account.finding(text, "metadata", "annotations", name, advice=advice, severity=Severity.HIGH)
        spaces = {
            item.namespace
            for item in account.tree.of("", "ServiceAccount")
            if item.annotations.get(name) == identity and item.namespace is not None
        }
        if len(spaces) > 1:
            text = f"{identity} is shared by accounts of {', '.join(sorted(spaces))}"
            advice = "make one for each, with the rights that its workload needs"
            yield account.finding(
                text, "metadata", "annotations", name, advice=advice, severity=Severity.MEDIUM, once=identity
            )
