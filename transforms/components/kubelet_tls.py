from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ComponentFile, ControlPlane, components

from ._tls import suites, version


@transform(each=ControlPlane | ComponentFile, stage="components", severity=Severity.MEDIUM, cis="4.2.12")
def kubelet_tls(carrier: ControlPlane | ComponentFile) -> Steps:
    """Require current TLS on the kubelet.

    Problem: the kubelet accepts outdated TLS.

    Result: The kubelet accepts current TLS only.

    Why: anyone who records the traffic can decrypt old versions and suites, now or later.

    May break: a client that knows only those; the API server and current collectors know better ones.
    """
    for kubelet in components(carrier, "kubelet"):
        yield from version(kubelet, "VersionTLS12")
        yield from suites(kubelet, when_unset=kubelet.is_file)
