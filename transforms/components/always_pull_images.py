from __future__ import annotations

from hardener.authoring.edits import Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.control_plane import ControlPlane, components

from ._plugins import added


@transform(each=ControlPlane, stage="components", severity=Severity.LOW, cis="1.2.11")
def always_pull_images(carrier: ControlPlane) -> Steps:
    """Enable AlwaysPullImages.

    Problem: the API server lets pods use private images that the node already has.

    Result: Every pod needs credentials of its own for a private image.

    Why: any pod can otherwise use an image that its node has pulled for another, without credentials of its own.

    May break: no pod starts while the registry does not answer, and pods without credentials of their own fail.
    """
    for server in components(carrier, "kube-apiserver"):
        needs = Evidence("every pod start then needs the registry")
        yield from added(server, "AlwaysPullImages", against=[needs])
