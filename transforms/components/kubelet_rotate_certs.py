from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, by_table


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.MEDIUM, cis="4.2.10")
def kubelet_rotate_certs(carrier: ControlPlane | ComponentFile) -> Steps:
    """Rotate kubelet client certificates.

    Problem: the kubelet does not renew its client certificate.

    Result: The kubelet renews its client certificate before it expires.

    Why: without that the node drops out of the cluster when the certificate expires, and a stolen one is valid until
    then.

    May break: nothing where the controller manager signs certificates, as it does by default.
    """
    yield from by_table(carrier, "kubelet-rotate-certs")
