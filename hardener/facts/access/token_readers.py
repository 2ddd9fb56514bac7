"""Which pods read a Secret that holds a token of a service account."""

from __future__ import annotations

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.config_data import references
from hardener.facts.objects.which_copy import Nearby
from hardener.tree.core_views import PodTemplate, Secret
from hardener.tree.view import OpaqueError


def readers(secret: Secret) -> list[PodTemplate]:
    """The pods of the tree that read ``secret``, and not another one of its name, as variables or as files."""
    tree, item = secret.tree, secret.object
    near = Nearby(tree.ask(Builds), [other for other in tree.of("", "Secret") if other.name == item.name])
    return [pod for pod in tree.pod_templates if _names(pod, item.name) and item in near.of(pod.object)]


def _names(pod: PodTemplate, name: str) -> bool:
    try:
        for container in pod.containers:
            if any(kind == "Secret" and called == name for kind, called, _ in references(container)):
                return True
        return any(volume.text("secret", "secretName") == name for volume in pod.items("volumes"))
    except (OpaqueError, WrongShapeError):
        return False
