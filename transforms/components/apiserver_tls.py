from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, components

from ._tls import Tls, suites, version


@transform(each=ControlPlane, stage="components", severity=Severity.MEDIUM, cis="1.2.29", options=Tls)
def apiserver_tls(carrier: ControlPlane, options: Tls) -> Steps:
    """Require current TLS on the API server.

    Problem: the API server accepts outdated TLS.

    Result: The API server accepts current TLS only.

    Why: whoever records traffic of old TLS versions and cipher suites can decrypt it, now or later.

    May break: clients that support only those; with TLS 1.3 as the minimum, older load balancers and libraries, too.
    """
    for server in components(carrier, "kube-apiserver"):
        yield from version(server, options.minimum)
        yield from suites(server, when_unset=False)
