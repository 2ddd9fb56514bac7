"""Which pods read a Secret that holds a token of a service account."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.config_data import references
from hardener.facts.objects.which_copy import Nearby
from hardener.tree.core_views import Object, PodTemplate, Secret
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree
from hardener.tree.view import OpaqueError

_TYPE = "kubernetes.io/service-account-token"


class TokenSecrets(AsRead):
    """The Secrets of the tree that hold a token of a service account, as read, by name."""

    def __init__(self, tree: Tree) -> None:
        self.by_name: dict[str, list[Object]] = {}
        for item in tree.of("", "Secret"):
            if item.text("type") == _TYPE:
                self.by_name.setdefault(item.name, []).append(item)


def tokens_read(pod: PodTemplate) -> Iterator[Evidence]:
    """The Secrets with a token of a service account that ``pod`` reads: it logs in to the API server with one."""
    known = pod.tree.ask(TokenSecrets).by_name
    for name in known:
        if _names(pod, name) and Nearby(pod.tree.ask(Builds), known[name]).of(pod.object):
            yield known[name][0].fact(f"the pod reads Secret {name}, a token of a service account", "type")


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
