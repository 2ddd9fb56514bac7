"""Whether a pod uses the Kubernetes API, as far as the tree shows (spec-workloads 8)."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from hardener.edits import Evidence
from hardener.kubernetes.command_evidence import api_client
from hardener.views import Container, PodTemplate

STANDARD_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"

# Injected sidecars that log in with the token of the pod.
_INJECTED = {
    "vault.hashicorp.com/agent-inject": "the injected Vault agent logs in with the token",
    "consul.hashicorp.com/connect-inject": "the injected Consul sidecar logs in with the token",
}
_CLIENTS = frozenset({"kubectl", "helm"})


def api_use(pod: PodTemplate) -> list[Evidence]:
    """What shows that the pod needs a token of its service account; none when nothing does."""
    return [*_bound(pod), *_tokens(pod), *_injected(pod), *(e for c in pod.containers for e in _container(c))]


def _bound(pod: PodTemplate) -> Iterator[Evidence]:
    for namespace, binding, path in pod.tree.relations.bindings.get(pod.service_account, []):
        if pod.tree.builds.may_be_in(pod.object, namespace):
            yield Evidence(f"{binding} names its service account", binding.piece, path)


def _tokens(pod: PodTemplate) -> Iterator[Evidence]:
    for index, volume in enumerate(pod.items("volumes")):
        if any(source.has("serviceAccountToken") for source in volume.view("projected").items("sources")):
            yield pod.fact("a volume projects a token", "volumes", index)
    for container in pod.containers:
        for index, mount in enumerate(container.items("volumeMounts")):
            if mount.get("mountPath") == STANDARD_PATH:
                yield container.fact("a volume is mounted where the token stands", "volumeMounts", index)


def _injected(pod: PodTemplate) -> Iterator[Evidence]:
    for key, text in _INJECTED.items():
        if str(pod.metadata.text("annotations", key)).lower() == "true":
            yield pod.metadata.fact(text, "annotations", key)


def _container(container: Container) -> Iterator[Evidence]:
    row, image = container.row, container.image
    if row is not None and row.api == "needed" and not any(fnmatchcase(container.name, g) for g in row.api_except):
        yield container.fact("image table: it uses the Kubernetes API", "image")
    if image is not None and image.name is not None and _CLIENTS & set(image.name.split("-")):
        yield container.fact(f"image {image.name} is a client of the Kubernetes API", "image")
    for name in api_client((*container.words, *container.probe_words), container.env):
        yield container.fact(f"container {container.name} mentions {name}")
