"""What in a pod shows that it works on its node: its programs, hooks, ports, mounts, variables and names, each asked of
the one table of ``hardener.kubernetes.pods.node_work``."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence
from hardener.facts.images.container_commands import spoken
from hardener.kubernetes.pods import node_work
from hardener.tree.core_views import Container, PodTemplate

from ._host_path import path_of
from ._ports import shown_ports
from ._volumes import mounts


def parts(pod: PodTemplate) -> Iterator[Iterator[Evidence]]:
    """Yield where to look for the signs of ``pod``, each place by itself: one may hold what is filled in later."""
    for container in pod.containers:
        yield from (look(container) for look in (_programs, _servers, _folders, _variables, _names))
    yield from (_hooks(pod), _workload(pod))


def _programs(container: Container) -> Iterator[Evidence]:
    for program, speaker in spoken(container, node_work.started_at_node, probes=True):
        yield speaker.says(f"runs {program}")


def _servers(container: Container) -> Iterator[Evidence]:
    for port, fact in shown_ports(container).items():
        if (server := node_work.served_from_node(port)) is not None:
            yield Evidence(f"container {container.name} serves port {port}, that of {server}", fact.piece, fact.path)


def _folders(container: Container) -> Iterator[Evidence]:
    for mount in mounts(container):
        path = path_of(mount.volume) if mount.volume is not None else None
        if path is not None and node_work.is_folder_of_work(path, mount.path):
            text = f"container {container.name} mounts {path} of the node at {mount.path}"
            yield mount.view.fact(text, "mountPath")


def _variables(container: Container) -> Iterator[Evidence]:
    for index, item in enumerate(container.items("env")):
        name = item.text("name") or ""
        if node_work.is_variable_of_node(name):
            yield container.fact(f"env {name} is one of a program that works on the node", "env", index)


def _names(container: Container) -> Iterator[Evidence]:
    image = container.image
    of_image = ":".join(filter(None, (image.name, image.tag))) if image is not None else ""
    for noun, name, key in (("image", of_image, "image"), ("container", container.text("name") or "", "name")):
        if (word := node_work.word_of_node(name)) is not None:
            yield container.fact(f"{noun} {name} is named for work on the node ({word})", key)


def _workload(pod: PodTemplate) -> Iterator[Evidence]:
    if (word := node_work.word_of_node(pod.object.name)) is not None:
        yield pod.object.fact(f"{pod.object} is named for work on the node ({word})", "metadata", "name")


def _hooks(pod: PodTemplate) -> Iterator[Evidence]:
    """What something else, a tool for backups most of all, is told to run in the pod."""
    view = pod.metadata
    if not view.has("annotations"):
        return
    for key in view.keys("annotations"):
        for program in node_work.started_at_node(node_work.words_of_hook(key, view.text("annotations", key) or "")):
            yield view.fact(f"annotation {key} runs {program}", "annotations", key)
