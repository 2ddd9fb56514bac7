"""Workloads that learn at run time whom they talk to, or tell the API server to call them: no manifest names the other
end, and no policy may cut it.

Gateways and ingress controllers, Prometheus and its like, and whoever may read Endpoints, Services or pods of the API.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.grants import Access
from hardener.facts.access.makers import PodMakers
from hardener.facts.access.views import Binding
from hardener.kubernetes.components.component import is_ingress_or_gateway
from hardener.kubernetes.pods.custom_resource import is_custom_group
from hardener.kubernetes.rbac.rules import Rule
from hardener.kubernetes.rbac.subjects import GROUP
from hardener.support.shapes import mappings
from hardener.tree.core_views import PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree
from hardener.tree.view import OpaqueError

_PROMETHEUS = frozenset({"prometheus", "vmagent", "vmsingle", "victoria-metrics"})
_ADDRESSES = (("", "endpoints"), ("discovery.k8s.io", "endpointslices"), ("", "pods"), ("", "services"))
_READ = ("list", "watch")
_REGISTERED = (
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("apiregistration.k8s.io", "apiservices"),
)
_WRITE = ("create", "update", "patch")
_BUILT_IN = frozenset({"cluster-admin", "admin", "edit", "view"})  # roles that no manifest shows
_ACTIVATOR = "knative.dev/serving/cmd/activator"


class RunTimePeers(AsRead):
    """Looked up by pod; the bindings of the tree are read once. What reads roles is loaded where there are any."""

    OF_RIGHTS = True

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._bound = [item for kind in ("RoleBinding", "ClusterRoleBinding") for item in tree.of(GROUP, kind)]

    @property
    def has_rights(self) -> bool:
        """Whether the tree gives anybody a right; without one nobody makes pods or registers anything."""
        return bool(self._bound)

    def makes_pods(self, pod: PodTemplate) -> Evidence | None:
        """Why ``pod`` may make pods that the tree does not show, and that may call it; None where it may not."""
        makers = self._makers
        return None if makers is None else makers.by_pod.get(pod)

    def makers_in(self, namespace: str | None) -> list[Evidence]:
        """Why there may be pods in ``namespace`` that workloads of the tree make."""
        makers = self._makers
        return [] if makers is None else makers.possible.get(namespace, [])

    @property
    def _makers(self) -> PodMakers | None:
        if not self._bound:
            return None
        return self._tree.ask(PodMakers)

    def learns(self, pod: PodTemplate) -> Evidence | None:
        """Why ``pod`` talks to pods that it learns of at run time; None where nothing shows that it does."""
        names = images(pod)
        for name in (*names, pod.object.name):
            if is_ingress_or_gateway(name):
                return pod.fact(f"{pod.object} is a gateway or an ingress controller")
        if _is_prometheus(names):
            return pod.fact(f"{pod.object} scrapes the pods that it discovers")
        return self._readers.get(pod)

    def controls(self, pod: PodTemplate) -> Evidence | None:
        """Why ``pod`` serves the whole cluster: it has rights on pods or custom resources of all namespaces; None where
        nothing shows that."""
        return self._controllers.get(pod)

    def registers(self, pod: PodTemplate) -> Evidence | None:
        """Why ``pod`` may register webhooks or an API by itself, which the API server then calls."""
        return self._registrars.get(pod)

    @cached_property
    def _readers(self) -> dict[PodTemplate, Evidence]:
        return self._holders_of(_may_read_addresses, "lets it list pods, Services or endpoints")

    @cached_property
    def _registrars(self) -> dict[PodTemplate, Evidence]:
        return self._holders_of(_may_register, "lets it register webhooks, which the API server calls")

    @cached_property
    def _controllers(self) -> dict[PodTemplate, Evidence]:
        return self._holders_of(_may_control, "gives it rights on pods or custom resources of all namespaces")

    def _holders_of(self, may: _Right, says: str) -> dict[PodTemplate, Evidence]:
        """Who holds a right, each with the first binding that gives it."""
        found: dict[PodTemplate, Evidence] = {}
        for binding, rules, holders in self._held:
            if may(binding, rules):
                fact = binding.fact(f"{binding.object} {says}")
                found.update((pod, fact) for pod in holders if pod not in found)
        return found

    @cached_property
    def _held(self) -> list[tuple[Binding, list[Rule], list[PodTemplate]]]:
        """The bindings that give pods of the tree rights, with the rules and these pods."""
        found: list[tuple[Binding, list[Rule], list[PodTemplate]]] = []
        if not self._bound:
            return found
        access = self._tree.ask(Access)
        for item in self._bound:
            if "patch" in item.classes:
                continue
            binding = Binding(item, item.path, item.data)
            try:
                holders = [pod for subject in binding.subjects for pod in access.pods(binding, subject)]
                if holders:
                    found.append((binding, binding.rules, holders))
            except (OpaqueError, WrongShapeError):
                continue
        return found


_Right = Callable[[Binding, list[Rule]], bool]


def _may_read_addresses(binding: Binding, rules: list[Rule]) -> bool:
    return _is_built_in(binding, rules) or _covers(rules, _ADDRESSES, _READ)


def _may_register(binding: Binding, rules: list[Rule]) -> bool:
    if binding.namespaced:
        return False
    return binding.role_name == "cluster-admin" or _covers(rules, _REGISTERED, _WRITE)


def _may_control(binding: Binding, rules: list[Rule]) -> bool:
    if binding.namespaced:
        return False
    is_custom_rule = any(is_custom_group(group) for rule in rules for group in rule.groups)
    return is_custom_rule or _is_built_in(binding, rules) or _covers(rules, (("", "pods"),), _READ)


def _is_built_in(binding: Binding, rules: list[Rule]) -> bool:
    return not rules and binding.role_kind == "ClusterRole" and binding.role_name in _BUILT_IN


def _covers(rules: list[Rule], resources: tuple[tuple[str, str], ...], verbs: tuple[str, ...]) -> bool:
    return any(rule.covers(group, resource, verb) for rule in rules for group, resource in resources for verb in verbs)


def images(pod: PodTemplate) -> list[str]:
    """The images of the containers of ``pod`` as written, without their digests."""
    written = [item.get("image") for item in mappings(pod.data.get("containers"))]
    return [image.partition("@")[0] for image in written if isinstance(image, str)]


def is_prometheus(pod: PodTemplate) -> bool:
    """Whether an image of ``pod`` collects measurements as Prometheus does."""
    return _is_prometheus(images(pod))


def _is_prometheus(images: list[str]) -> bool:
    return not _PROMETHEUS.isdisjoint([name.rpartition("/")[2].partition(":")[0] for name in images])


def gateway_of_all_namespaces(pod: PodTemplate) -> Evidence | None:
    """Why gateways of other namespaces lead to ``pod``: Knative's activator holds requests for pods that are not there
    yet (knative.dev, "Architecture"); None for others."""
    if any([_ACTIVATOR in name for name in images(pod)]):
        return pod.fact("gateways send requests to Knative's activator")
    return None
