from __future__ import annotations

from hardener.authoring.edits import Severity
from hardener.authoring.transform import Steps, transform
from hardener.tree.core_views import Container

# Registries that get no new images, and where these are published now. Sources:
# kubernetes.io/blog/2023/02/06/k8s-gcr-io-freeze-announcement (frozen on 3 April 2023), and for the older name of the
# same registry kubernetes.io/blog/2022/11/28/registry-k8s-io-faster-cheaper-ga.
_RETIRED = {"k8s.gcr.io/": "registry.k8s.io/", "gcr.io/google_containers/": "registry.k8s.io/"}


@transform(
    each=Container, stage="image", severity=Severity.MEDIUM, classes=("node-agent", "system-namespace", "windows"),
    only_reports=True, any_image=True, peers=("kubescape:C-0253",),
)  # fmt: skip
def retired_registry(container: Container) -> Steps:
    """Move images off retired registries.

    Problem: {container} uses an image from a registry that no longer gets updates.

    Result: The image comes from a registry that gets security fixes.

    Why: k8s.gcr.io has been frozen since April 2023: it gets no fixed images, and may be shut down.

    May break: nothing, since it only reports: a registry or proxy of your own may have to let the new name through
    first.
    """
    image = container.text("image") or ""
    for old, new in _RETIRED.items():
        if image.startswith(old):
            yield container.finding(
                f"image {image} comes from {old.rstrip('/')}, which has got no image since April 2023",
                "image",
                advice=f"write {new}{image.removeprefix(old)}, then take a version that still gets fixes",
                topic="image of a registry that is frozen",
            )
