from __future__ import annotations

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import HOSTED, ControlPlane, components

from ._plugins import added


@transform(each=ControlPlane, stage="components", severity=Severity.LOW, cis="1.2.3", absence=True)
def deny_service_external_ips(carrier: ControlPlane) -> Steps:
    """Enable DenyServiceExternalIPs.

    Problem: the API server lets Services capture traffic to any address.

    Result: The API server refuses Services with new external addresses.

    Why: whoever may write Services can otherwise read the traffic of others (CVE-2020-8554). The field is deprecated
    since Kubernetes 1.36 (KEP-5707); until kube-proxy drops it, only the plugin refuses it.

    May break: a Service with externalIPs that is not in the given files is refused at its next update; existing
    Services stay.
    """
    for server in components(carrier, "kube-apiserver"):
        if any(item.has("spec", "externalIPs") for item in carrier.tree.of("", "Service")):
            return  # service-external-ips says so
        if server.installer == HOSTED:
            unseen = Evidence("the Services of its cluster are not in this tree")
            yield from added(server, "DenyServiceExternalIPs", against=[unseen])
        else:
            none = Evidence("no Service of the tree has externalIPs")
            yield from added(server, "DenyServiceExternalIPs", none)
