"""Where an application is entered from outside the cluster, and which of its Services its own workloads call.

An application is what the same kustomization builds, else what has the same namespace in the same folder.
"""

from __future__ import annotations

from collections.abc import Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.network.connections import Connections, Edge
from hardener.facts.network.exposure.components import administration, data_store, monitoring
from hardener.facts.objects.object_links import Relations
from hardener.kubernetes.components.component import says_internal
from hardener.tree.core_views import Object, PodTemplate, Service
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree
from hardener.tree.view import OpaqueError, literal

PUBLIC = ("LoadBalancer", "NodePort")
_Application = tuple[str, str | None]


class Entrances(AsRead):
    """The entrances of each application: public Services that no workload of it calls, Ingresses and routes.

    What leads to a component for insiders (administration, data, monitoring, messages) is none: those who use the
    application do not come in there, and such a Service may be closed itself.
    """

    def __init__(self, tree: Tree) -> None:
        self._builds = tree.ask(Builds)
        self._callers: dict[Object, Edge] = {}
        # Not that of the tree: what it is asked for later has Services as this run leaves them.
        for edge in Connections.collect(tree).edges:
            if edge.service is not None and edge.client.object is not edge.server.object:
                self._callers.setdefault(edge.service, edge)
        self._entrances: dict[_Application, list[Object]] = {}
        for item in tree.of("", "Service"):
            for entrance in self._of(item):
                for application in self._applications(entrance):
                    self._entrances.setdefault(application, []).append(entrance)

    def _of(self, service: Object) -> Iterator[Object]:
        relations = service.tree.ask(Relations)
        routes = [item for item, _ in relations.routes_to(service)]
        view = Service(service, service.path, service.data)
        try:
            is_public = view.get("spec", "type") in PUBLIC and service not in self._callers
            if (routes or is_public) and _is_for_insiders(view, relations.selected_pods(service)):
                return
        except (OpaqueError, WrongShapeError):
            return
        yield from routes
        if is_public:
            yield service

    def _applications(self, item: Object) -> set[_Application]:
        roots = self._builds.roots(item)
        if roots:
            return {(root, None) for root in roots}
        folder = item.folder
        return {(folder, name or "") for name in self._builds.namespaces(item)}

    def is_of(self, service: Service, item: Object) -> bool:
        """Whether ``item`` belongs to the application of ``service``: it is built with it, or stands in its folder."""
        return bool(self._applications(service.object) & self._applications(item))

    def called_inside(self, service: Service) -> list[Evidence]:
        """Why ``service`` is one for the inside: workloads of its application call it, and the application has another
        entrance; [] where that does not show."""
        item = service.object
        edge = self._callers.get(item)
        if edge is None or not self._applications(item) & self._applications(edge.client.object):
            return []
        others = (other for application in self._applications(item) for other in self._entrances.get(application, ()))
        entrance = next((other for other in others if other is not item), None)
        if entrance is None:
            return []
        called = edge.client.fact(f"{edge.client.object} calls it from inside the cluster")
        return [
            called,
            Evidence(f"{entrance} is the public entry point of the application", entrance.piece, entrance.path),
        ]


def _is_for_insiders(service: Service, pods: list[PodTemplate]) -> bool:
    found = administration(service, pods) or data_store(service, pods) or monitoring(service, pods)
    return found is not None or says_internal(literal(service.object.name))
