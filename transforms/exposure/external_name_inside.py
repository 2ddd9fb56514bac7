"""K06: a Service of the type ExternalName leads to the outside alone."""

from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import Service

_LOOPBACK = ("localhost", "127.")
_METADATA = ("169.254.169.254", "metadata.google.internal", "metadata.azure.internal", "instance-data.ec2.internal")
_OTHER_WAYS = ("nip.io", "sslip.io")


@transform(each=Service, stage="exposure", severity=Severity.MEDIUM, only_reports=True)
def external_name_inside(service: Service) -> Steps:
    """Remove the ExternalName that points into the cluster.

    Problem: the ExternalName Service points into the cluster, to its node or to the cloud's metadata service.

    Result: The Service points only to hosts outside the cluster.

    Why: an Ingress controller or gateway that follows the name connects to itself, to its node or to the credentials of
    the cloud, where nobody expects a caller from the outside.

    May break: nothing, since it only reports: only the owner knows what the name was for.
    """
    if service.get("spec", "type") != "ExternalName":
        return
    name = (service.text("spec", "externalName") or "").rstrip(".").lower()
    where = _inside(name)
    if where is not None:
        text = f"{service.object} leads to {name}, {where}"
        advice = "name the host that callers need, or a Service with a selector where its pods run in the cluster"
        yield service.finding(text, "spec", "externalName", advice=advice)


def _inside(name: str) -> str | None:
    if name.startswith(_LOOPBACK) or name.endswith(".localhost"):
        return "the loopback of whoever calls it"
    if name in _METADATA:
        return "where the cloud hands out credentials"
    if name.endswith(_OTHER_WAYS) and ("127.0.0.1" in name or "169.254.169.254" in name):
        return "which is an address of the inside"
    return None
