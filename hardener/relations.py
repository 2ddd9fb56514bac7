"""Which objects of the tree name or select each other: Services and pods, Ingresses, service accounts and roles."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from hardener.kubernetes.ingress import backends
from hardener.views import Object, PodTemplate, View

if TYPE_CHECKING:
    from hardener.workspace import Workspace

Labels = dict[str, str]


class Relations:
    """Looked up by name and label, so that asking costs the same in a large tree."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def bindings(self) -> dict[str, list[tuple[str | None, Object, tuple[str | int, ...]]]]:
        """RBAC subjects by service account name: (namespace or None where unset, the binding, the subject's path)."""
        found: dict[str, list[tuple[str | None, Object, tuple[str | int, ...]]]] = {}
        for item in self._workspace.objects:
            subjects = item.data.get("subjects")
            if item.kind not in ("RoleBinding", "ClusterRoleBinding") or not isinstance(subjects, list):
                continue
            for index, subject in enumerate(subjects):
                if isinstance(subject, dict) and subject.get("kind") == "ServiceAccount":
                    namespace = subject.get("namespace") or item.namespace
                    entry = (namespace, item, (*item.path, "subjects", index))
                    found.setdefault(str(subject.get("name")), []).append(entry)
        return found

    @cached_property
    def service_accounts(self) -> dict[str, list[Object]]:
        """The ServiceAccount objects of the tree by name."""
        found: dict[str, list[Object]] = {}
        for item in self._workspace.of("", "ServiceAccount"):
            found.setdefault(item.name, []).append(item)
        return found

    @cached_property
    def _pods_by_label(self) -> dict[tuple[str, str], list[PodTemplate]]:
        found: dict[tuple[str, str], list[PodTemplate]] = {}
        for pod in self._workspace.pod_templates:
            for label in pod.labels.items():
                found.setdefault(label, []).append(pod)
        return found

    def selected_pods(self, service: View | Object) -> list[PodTemplate]:
        """The pod templates that the selector of ``service`` matches in its namespace."""
        selector = service.view("spec", "selector").data
        labels = {str(key): str(value) for key, value in selector.items()}
        if not labels:
            return []
        candidates = self._pods_by_label.get(next(iter(labels.items())), [])
        return [
            pod
            for pod in candidates
            if labels.items() <= pod.labels.items() and self._workspace.builds.meet(pod.object, service.object)
        ]

    @cached_property
    def _services(self) -> list[tuple[Object, dict[str, str]]]:
        found = []
        for item in self._workspace.of("", "Service"):
            spec = item.data.get("spec")
            selector = spec.get("selector") if isinstance(spec, dict) else None
            if isinstance(selector, dict) and selector:
                found.append((item, {str(key): str(value) for key, value in selector.items()}))
        return found

    @cached_property
    def _services_by_label(self) -> dict[tuple[str, str], list[tuple[Object, dict[str, str]]]]:
        found: dict[tuple[str, str], list[tuple[Object, dict[str, str]]]] = {}
        for item, selector in self._services:
            found.setdefault(next(iter(selector.items())), []).append((item, selector))
        return found

    def services_of(self, pod: PodTemplate) -> list[Object]:
        """The Services of the tree that select ``pod``."""
        found = []
        for label in pod.labels.items():
            for item, selector in self._services_by_label.get(label, []):
                if selector.items() <= pod.labels.items() and self._workspace.builds.meet(pod.object, item):
                    found.append(item)
        return found

    @cached_property
    def _ingresses(self) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for item in self._workspace.objects:
            if item.kind == "Ingress":
                for name in set(backends(item.data.get("spec"))):
                    found.setdefault(name, []).append(item)
        return found

    def ingresses_of(self, service: Object) -> list[Object]:
        """The Ingresses that lead to ``service``."""
        found = self._ingresses.get(service.name, [])
        return [item for item in found if self._workspace.builds.meet(item, service)]
