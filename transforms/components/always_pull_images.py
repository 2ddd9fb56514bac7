from __future__ import annotations

from hardener.carriers import ControlPlane, components
from hardener.declare import Steps, transform
from hardener.edits import Evidence, Grade, Severity

from ._plugins import added


@transform(each=ControlPlane, stage="components", severity=Severity.LOW, cis="1.2.11")
def always_pull_images(carrier: ControlPlane) -> Steps:
    """A pod that uses a private image shows that it may.

    Why: an image that is on the node can otherwise be used by any pod there, without its credentials.

    May break: no pod starts while the registry does not answer, and pods without credentials of their own fail.
    """
    for server in components(carrier, "kube-apiserver"):
        yield from added(
            server, "AlwaysPullImages", Grade.BREAKING, Evidence("each start of a pod then needs its registry")
        )
