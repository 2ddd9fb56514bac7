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

    Why: whoever records traffic of old TLS versions and cipher suites can decrypt it, now or later.

    May break: clients that support only those; the API server and current metrics collectors support newer ones.
    """
    for kubelet in components(carrier, "kubelet"):
        yield from version(kubelet, "VersionTLS12")
        yield from suites(kubelet, when_unset=kubelet.is_file)
