"""Which objects of the tree name or select each other: Services and pods, Ingresses, service accounts and roles."""

from __future__ import annotations

from functools import cached_property

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.which_copy import Neighbours
from hardener.kubernetes.network.ingress import Backend, Parent, backends, only_redirects, parents
from hardener.kubernetes.rbac.subjects import service_account
from hardener.support.data_path import Path
from hardener.tree.core_views import Object, OpaqueError, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree


class Relations(AsRead):
    """Which objects name or select each other. Looked up by name and label, so that asking costs the same in a large
    tree."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @cached_property
    def bindings(self) -> dict[str, list[tuple[str | None, Object, Path]]]:
        """RBAC subjects by service account name: (namespace or None where unset, the binding, the subject's path)."""
        found: dict[str, list[tuple[str | None, Object, Path]]] = {}
        for item in self._tree.objects:
            subjects = item.data.get("subjects")
            if item.kind not in ("RoleBinding", "ClusterRoleBinding") or not isinstance(subjects, list):
                continue
            for index, subject in enumerate(subjects):
                if (named := service_account(subject)) is not None:
                    name, namespace = named
                    entry = (namespace or item.namespace, item, (*item.path, "subjects", index))
                    found.setdefault(name, []).append(entry)
        return found

    @cached_property
    def service_accounts(self) -> dict[str, list[Object]]:
        """The ServiceAccount objects of the tree by name."""
        found: dict[str, list[Object]] = {}
        for item in self._tree.of("", "ServiceAccount"):
            found.setdefault(item.name, []).append(item)
        return found

    @cached_property
    def _pods_by_label(self) -> dict[tuple[str, str], list[PodTemplate]]:
        found: dict[tuple[str, str], list[PodTemplate]] = {}
        for pod in self._tree.pod_templates:
            if "patch" not in pod.object.classes:
                for label in self._labels(pod):
                    found.setdefault(label, []).append(pod)
        return found

    def _labels(self, pod: PodTemplate) -> frozenset[tuple[str, str]]:
        given = self._tree.ask(Builds).given_labels(pod.object)
        return given.union(pod.labels.items()) if given else frozenset(pod.labels.items())

    def selected_pods(self, service: View | Object) -> list[PodTemplate]:
        """The pod templates that the selector of ``service`` matches in its namespace, of those applied with it."""
        selector = service.view("spec", "selector").data
        labels = frozenset((str(key), str(value)) for key, value in selector.items())
        if not labels:
            return []
        pods, neighbours = self._matching(labels)
        return [pod for item in neighbours.meeting(service.object) for pod in pods[item]]

    def _matching(self, labels: frozenset[tuple[str, str]]) -> tuple[dict[Object, list[PodTemplate]], Neighbours]:
        """The pod templates with all of ``labels`` by object; those of one selector are looked up once."""
        found = self._by_selector.get(labels)
        if found is None:
            pods: dict[Object, list[PodTemplate]] = {}
            for pod in min((self._pods_by_label.get(label, []) for label in labels), key=len):
                if labels <= self._labels(pod):
                    pods.setdefault(pod.object, []).append(pod)
            found = self._by_selector[labels] = pods, Neighbours(self._tree.ask(Builds), pods)
        return found

    @cached_property
    def _by_selector(self) -> dict[frozenset[tuple[str, str]], tuple[dict[Object, list[PodTemplate]], Neighbours]]:
        return {}

    @cached_property
    def _services(self) -> list[Object]:
        return [item for item in self._tree.of("", "Service") if "patch" not in item.classes]

    @cached_property
    def _services_of(self) -> dict[tuple[Object, Path], list[Object]]:
        found: dict[tuple[Object, Path], list[Object]] = {}
        for item in self._services:
            try:
                pods = self.selected_pods(item)
            except (WrongShapeError, OpaqueError):
                continue
            for pod in pods:
                found.setdefault((pod.object, pod.path), []).append(item)
        return found

    def services_of(self, pod: PodTemplate) -> list[Object]:
        """The Services of the tree that select ``pod``."""
        return self._services_of.get((pod.object, pod.path), [])

    @cached_property
    def services_called(self) -> dict[str, Neighbours]:
        """The Services of the tree by name, as written and as kustomizations make it."""
        found: dict[str, list[Object]] = {}
        for item in self._services:
            for name in sorted(self._tree.ask(Builds).names(item)):
                found.setdefault(name, []).append(item)
        return {name: Neighbours(self._tree.ask(Builds), items) for name, items in found.items()}

    @cached_property
    def _routes(self) -> dict[Object, list[tuple[Object, Backend]]]:
        found: dict[Object, list[tuple[Object, Backend]]] = {}
        for item in self._tree.objects:
            for backend in backends(item.group, item.kind, item.data):
                services = self.services_called.get(backend.name)
                for service in services.meeting(item, backend.namespace) if services is not None else ():
                    found.setdefault(service, []).append((item, backend))
        return found

    def routes_to(self, service: Object) -> list[tuple[Object, Backend]]:
        """What opens ``service`` to the outside beside itself: Ingresses and routes, with the place that names it."""
        return self._routes.get(service, [])

    @cached_property
    def _routed(self) -> dict[tuple[Object, Path], list[Object]]:
        found: dict[tuple[Object, Path], list[Object]] = {}
        for service in self._routes:
            try:
                pods = self.selected_pods(service)
            except (WrongShapeError, OpaqueError):
                continue
            for pod in pods:
                found.setdefault((pod.object, pod.path), []).append(service)
        return found

    def routed_services_of(self, pod: PodTemplate) -> list[Object]:
        """The Services through which Ingresses and routes lead to ``pod``."""
        return self._routed.get((pod.object, pod.path), [])

    @cached_property
    def _bound(self) -> dict[str, list[tuple[Object, Parent]]]:
        found: dict[str, list[tuple[Object, Parent]]] = {}
        for item in self._tree.objects:
            for parent in parents(item.group, item.kind, item.data):
                found.setdefault(parent.name, []).append((item, parent))
        return found

    def redirects_only(self, gateway: Object, listener: str, port: object) -> bool:
        """Whether routes are bound to a listener of ``gateway``, and each of them sends all callers to HTTPS."""
        builds = self._tree.ask(Builds)
        bound = [
            item
            for item, parent in self._bound.get(gateway.name, [])
            if parent.section in (None, listener)
            and parent.port in (None, port)
            and (builds.may_be_in(gateway, parent.namespace) if parent.namespace else builds.meet(item, gateway))
        ]
        return bool(bound) and all(only_redirects(item.data) for item in bound)

    def ingresses_of(self, service: Object) -> list[Object]:
        """The Ingresses that lead to ``service``."""
        found = [item for item, _ in self.routes_to(service) if item.kind == "Ingress"]
        return list({id(item): item for item in found}.values())
