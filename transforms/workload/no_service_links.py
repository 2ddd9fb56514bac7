from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import verdict
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.states import signs
from hardener.kubernetes.network.service_links import mentions
from hardener.tree.core_views import Container, Object, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree


@transform(each=PodTemplate, stage="token")
def no_service_links(pod: PodTemplate) -> Steps:
    """Set enableServiceLinks: false.

    Problem: the pod gets the addresses of all Services of its namespace as variables.

    Result: The pod gets no variables with the addresses of other Services.

    Why: the variables of each Service show an intruder where to go next, and in a large namespace they make starts slow
    or fail.

    May break: a program that finds its servers by variables such as REDIS_SERVICE_HOST or REDIS_PORT_6379_TCP no longer
    does; DNS names and the variables of the API server stay.
    """
    if pod.get("enableServiceLinks") is False:
        return
    against = [fact for container in pod.containers for fact in signs(container, _of_container)]
    against += signs(pod, _of_config_maps)
    nothing = Evidence("nothing in its command, variables or ConfigMaps mentions them")
    doubts = [pod.fact("the manifest says true", "enableServiceLinks")] if pod.has("enableServiceLinks") else []
    found = verdict(against=against, absent=[nothing], doubts=doubts)
    yield pod.set("enableServiceLinks", to=False, **found.words)


def _of_container(container: Container) -> Iterator[Evidence]:
    names = {item.text("name") or "" for item in container.items("env")}
    texts = [*container.words, *container.probe_words, *(f"{k}={v}" for k, v in container.env.items())]
    # A variable that the manifest sets itself is there without the links.
    for name in dict.fromkeys(name for text in texts for name in mentions(text) if name not in names):
        yield container.fact(f"container {container.name} mentions {name}")


def _of_config_maps(pod: PodTemplate) -> Iterator[Evidence]:
    known = pod.tree.ask(_ConfigMaps).mentions
    for name in dict.fromkeys(_names(pod)) if known else ():
        for item, found in known.get(name, []):
            if pod.tree.ask(Builds).meet(item, pod.object):
                yield item.fact(f"{item} mentions {found}", "data")


class _ConfigMaps(AsRead):
    """The ConfigMaps that mention such a variable, and the first one, by name."""

    def __init__(self, tree: Tree) -> None:
        self.mentions: dict[str, list[tuple[Object, str]]] = {}
        for item in tree.objects:
            if (item.group, item.kind) == ("", "ConfigMap"):
                try:
                    texts = [item.text("data", key) or "" for key in item.keys("data")]
                except WrongShapeError:
                    continue
                name = next((name for text in texts for name in mentions(text)), None)
                if name is not None:
                    self.mentions.setdefault(item.name, []).append((item, name))


def _names(pod: PodTemplate) -> Iterator[str]:
    """The ConfigMaps that the pod reads."""
    for volume in pod.items("volumes"):
        yield volume.text("configMap", "name") or ""
        for part in volume.items("projected", "sources"):
            yield part.text("configMap", "name") or ""
    for container in pod.containers:
        yield from (entry.text("configMapRef", "name") or "" for entry in container.items("envFrom"))
        yield from (_key_of(entry) for entry in container.items("env"))


def _key_of(entry: View) -> str:
    return entry.text("valueFrom", "configMapKeyRef", "name") or ""
