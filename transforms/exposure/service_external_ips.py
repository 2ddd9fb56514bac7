from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import Service

_DEPRECATED_SINCE = (1, 36)  # KEP-5707; kube-proxy drops them in a later release


@transform(each=Service, stage="exposure", severity=Severity.MEDIUM, only_reports=True)
def service_external_ips(service: Service) -> Steps:
    """Remove externalIPs from a Service.

    Problem: the Service captures traffic to the addresses in externalIPs.

    Result: The Service receives no traffic for addresses that it names itself.

    Why: every node takes the traffic for an address in `externalIPs`, whoever owns it, so whoever may write Services
    can read the traffic of others (CVE-2020-8554). The field is deprecated since Kubernetes 1.36.

    May break: nothing, since it only reports: clients of the address cannot connect without it.
    """
    count = len(service.strings("spec", "externalIPs"))
    if count:
        text = f"externalIPs take over all traffic to {count} address{'es' * (count > 1)} (CVE-2020-8554)"
        if service.tree.settings.kubernetes_version >= _DEPRECATED_SINCE:
            text += "; they are deprecated since Kubernetes 1.36, and a later one ignores them"
        advice = (
            "let a load balancer announce the address and remove externalIPs; the admission plugin "
            "DenyServiceExternalIPs refuses them in the whole cluster"
        )
        yield service.finding(text, "spec", "externalIPs", advice=advice)
