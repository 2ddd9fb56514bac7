"""Which binding gives which role to whom, as far as the tree shows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.account_use import ServiceAccounts
from hardener.facts.access.aggregation import Aggregation, Parts
from hardener.facts.access.running import Pods, Runs
from hardener.facts.access.views import Binding, Role, Subject
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.objects.object_links import Relations
from hardener.facts.objects.which_copy import Nearby
from hardener.kubernetes.objects.custom_definitions import definitions
from hardener.kubernetes.objects.discovery import Discovery, Row
from hardener.kubernetes.rbac.observed_rule import AuditLog
from hardener.kubernetes.rbac.platform import PART_OF, Platform, named_like, proved
from hardener.kubernetes.rbac.rules import Rule
from hardener.kubernetes.rbac.subjects import DEFAULT, GROUP
from hardener.sources import files
from hardener.sources.files import UnreadableError
from hardener.tree.core_views import Container, Object, OpaqueError, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.pod_kind import SYSTEM_NAMESPACES
from hardener.tree.tree import Tree

_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
# Other fields of a kustomization that find objects by their names.
_NAMING = ("replacements", "vars", "transformers")
_MANIFESTS = (".yaml", ".yml", ".json")
_PROXIED = re.compile(r"/nodes/[^\s/]*/proxy/|/proxy/metrics")


class Holder(Struct, frozen=True):
    """A subject of a binding, with the pods of the tree that run as it."""

    subject: Subject
    binding: Binding
    pods: Pods

    def __str__(self) -> str:
        names = self.pods.objects
        if not names:
            return str(self.subject)
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{self.subject} (used by {names[0]}{more}{self._without_token})"

    @property
    def _without_token(self) -> str:
        return ", without a token" if self.pods and all(map(_has_no_token, self.pods)) else ""


class Access(AsRead):
    """Which binding gives which role to whom. Looked up by name, so that asking costs the same in a large tree."""

    OF_RIGHTS = True

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._near: dict[tuple[str, str], Nearby] = {}
        self._taken_in: dict[int, list[Rule]] = {}
        self._custom_in: dict[str, tuple[Row, ...]] = {}

    # Roles and bindings.

    def roles(self, binding: Binding) -> list[Role]:
        """The roles of the tree that ``binding`` names, a few where several have that name."""
        key = (binding.role_kind, binding.role_name)
        found = self._roles.get(key)
        if not found:  # it may be one that this run made
            made = [item for item in self._tree.of(GROUP, key[0]) if item.name == key[1]]
            return [Role(item, item.path, item.data) for item in made[:1]]
        if key not in self._near:
            self._near[key] = Nearby(self._tree.ask(Builds), found, namespaced=key[0] == "Role")
        return [Role(item, item.path, item.data) for item in self._near[key].of(binding.object)]

    @cached_property
    def _roles(self) -> dict[tuple[str, str], list[Object]]:
        found: dict[tuple[str, str], list[Object]] = {}
        for kind in ("Role", "ClusterRole"):
            for item in self._tree.of(GROUP, kind):
                if "patch" not in item.classes:
                    found.setdefault((kind, item.name), []).append(item)
        return found

    def bindings(self, role: Object) -> list[Binding]:
        """The bindings of the tree that name ``role``, or a role that aggregates it; in this run they may have changed
        since they were read."""
        return [
            each
            for given in (role, *self._aggregation.of(role))
            for each in self._given.get(id(given), ())
            if (each.role_kind, each.role_name) == (given.kind, given.name)
        ]

    def parts(self, role: Object) -> Parts:
        """What a controller fills ``role`` with, where it is a ClusterRole with an aggregationRule."""
        return self._aggregation.parts(role)

    def taken_in(self, role: Object) -> list[Rule]:
        """The rules that a controller copies into ``role``, as read. Raises as ``Role.rules``."""
        if id(role) not in self._taken_in:
            parts = self.parts(role)
            others = [Role(item, item.path, item.data) for item in parts.roles]
            rules = [rule for other in others for _, rule in other.rules]
            self._taken_in[id(role)] = [*rules, *(rule for each in parts.built_in for rule in each.rules)]
        return self._taken_in[id(role)]

    @cached_property
    def _aggregation(self) -> Aggregation:
        return Aggregation(item for (kind, _), items in self._roles.items() if kind == "ClusterRole" for item in items)

    @cached_property
    def _given(self) -> dict[int, list[Binding]]:
        found: dict[int, list[Binding]] = {}
        for binding in self._bindings:
            for role in self.roles(binding):
                found.setdefault(id(role.object), []).append(binding)
        return found

    @cached_property
    def _bindings(self) -> list[Binding]:
        kinds = ("RoleBinding", "ClusterRoleBinding")
        items = (item for kind in kinds for item in self._tree.of(GROUP, kind))
        return [Binding(item, item.path, item.data) for item in items if "patch" not in item.classes]

    def bindings_of(self, name: str, namespace: str | None) -> list[Binding]:
        """The bindings of the tree that give rights to the account ``name`` of ``namespace``, as read."""
        named = self._tree.ask(Relations).bindings.get(name, ())
        found = {id(item): item for space, item, _ in named if None in (space, namespace) or space == namespace}
        return [Binding(item, item.path, item.data) for item in found.values()]

    def patched_by(self, binding: Binding) -> Evidence | None:
        """What patches ``binding``, or names it in another way in a kustomization: it would not find a renamed one."""
        item = binding.object
        for chain in self._tree.ask(Overlays).chains(item):
            layer = chain.patches[0].kustomization
            key = next((key for key in _PATCHES if layer.data.get(key)), None)
            return layer.fact(f"patches of {layer.piece.file.name} change it", *filter(None, (key,)))
        for layer in self._tree.ask(Builds).layers(item):
            for key in _NAMING:
                text = str(layer.data.get(key) or "")
                if item.kind in text or item.name in text:
                    return layer.fact(f"{key} of {layer.piece.file.name} change it", key)
        for other in self._tree.of(GROUP, item.kind):
            if other.name == item.name and "patch" in other.classes:
                return other.fact(f"{other.piece.file.name} patches it")
        return None

    # Whom they reach.

    def holders(self, role: Role) -> list[Holder]:
        """Whom the bindings of the tree give ``role``, with the pods that run as them."""
        found = []
        for binding in self.bindings(role.object):
            try:
                subjects = binding.subjects
            except (OpaqueError, WrongShapeError):
                continue
            found += [Holder(subject, binding, self.pods(binding, subject)) for subject in subjects]
        return found

    def pods(self, binding: Binding, subject: Subject) -> Pods:
        """The pod templates of the tree that run as an account, the subject of ``binding``."""
        runs = self._runs.get(subject.name) if subject.is_account else None
        if runs is None:
            return Pods()
        space = binding.namespace_of(subject)
        if space is None:
            items = runs.near.meeting(binding.object)
        elif space == DEFAULT:
            beside = [item for item in self._beside(binding, runs) if self._follows(item, binding, space)]
            if not beside:
                return runs.of_default
            items = [*runs.by_namespace.get(space, ()), *runs.unset, *beside]
        else:
            items = [*runs.by_namespace.get(space, ()), *runs.near_unset.of(binding.object)]
        return runs.of(items)

    def _beside(self, binding: Binding, runs: Runs) -> list[Object]:
        return runs.near.of(binding.object) if self._tree.ask(Builds).layers(binding.object) else []

    def _follows(self, item: Object, binding: Binding, space: str) -> bool:
        """Whether kustomize takes ``item`` for one of the namespace ``space`` as ``binding`` names it, and moves both
        (api/filters/nameref: an unset namespace is "default")."""
        builds = self._tree.ask(Builds)
        same = (item.namespace or DEFAULT) == space
        return same and not builds.roots(item).isdisjoint(builds.roots(binding.object))

    @cached_property
    def _runs(self) -> dict[str, Runs]:
        found: dict[str, dict[Object, list[PodTemplate]]] = {}
        for pod in self._tree.pod_templates:
            try:
                if "patch" in pod.classes:
                    continue
                for name in dict.fromkeys(state.service_account for state in states(pod)):
                    found.setdefault(name, {}).setdefault(pod.object, []).append(pod)
            except (OpaqueError, WrongShapeError):
                continue
        return {name: Runs(self._tree.ask(Builds), pods) for name, pods in found.items()}

    def surely(self, binding: Binding, subject: Subject, pod: PodTemplate) -> bool:
        """Whether ``pod``, of those that ``pods`` tells, is known to be in the namespace of the account."""
        builds = self._tree.ask(Builds)
        space, spaces = binding.namespace_of(subject), builds.namespaces(pod.object)
        if space is not None:
            moved = self._follows(pod.object, binding, space)
            return space in spaces or moved or (space == DEFAULT and None in spaces)
        if not builds.roots(binding.object).isdisjoint(builds.roots(pod.object)):
            return True
        return binding.object.folder == pod.object.folder

    def token_secrets(self, name: str) -> list[Object]:
        """The Secrets of the tree that hold a token of an account ``name``."""
        return self._token_secrets.get(name, [])

    @cached_property
    def _token_secrets(self) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for item in self._tree.of("", "Secret"):
            name = item.annotations.get("kubernetes.io/service-account.name")
            if name and item.text("type") == "kubernetes.io/service-account-token":
                found.setdefault(name, []).append(item)
        return found

    def account_objects(self, binding: Binding, subject: Subject) -> list[Object]:
        """The ServiceAccount objects of the tree that a subject of ``binding`` is."""
        builds = self._tree.ask(Builds)
        space = binding.namespace_of(subject)

        def fits(item: Object) -> bool:
            if space is None:
                return builds.meet(item, binding.object)
            return space == item.namespace or builds.may_be_in(item, space) or self._follows(item, binding, space)

        return list(filter(fits, self._tree.ask(Relations).service_accounts.get(subject.name, ())))

    # What is known of them.

    def platform(self, binding: Binding, subject: Subject) -> tuple[Platform, bool] | None:
        """The platform component that an account is that of, and whether more than its name shows it."""
        named = named_like(subject.name) if subject.is_account else []
        if not named:
            return None
        pods = self.pods(binding, subject)
        images = {
            name
            for pod in pods
            for container in _containers(pod)
            if container.image is not None
            for name in (container.image.normalized, container.image.repository)
            if name
        }
        labelled = [binding.object, *(pod.object for pod in pods), *self.account_objects(binding, subject)]
        labels = {label for item in labelled if (label := item.text("metadata", "labels", PART_OF))}
        for platform in named:
            if proved(platform, images, labels):
                return platform, True
        return named[0], False

    @cached_property
    def discovery(self) -> Discovery:
        """The resources of the cluster, custom ones of the tree included."""
        return Discovery(self._tree.settings.kubernetes_version, self.custom)

    @property
    def custom(self) -> Iterator[Row]:
        """The resources that CustomResourceDefinitions of the tree declare."""
        return (row for row, _ in self.custom_by_folder)

    @cached_property
    def custom_by_folder(self) -> tuple[tuple[Row, str], ...]:
        """The same with the folders of their files. Reads once more what held nothing else: most runs do not ask."""
        if self._tree.stream:
            texts = [piece.text for file in self._tree.files for piece in file.pieces]
            return tuple((row, "") for text in texts for row in definitions(text))
        found = []
        for path, is_link in self._tree.walk():
            if not is_link:
                known = self._tree.file_at(path)
                text = known.content.text if known is not None and not known.is_new else _text(path)
                found += [(row, os.path.dirname(path)) for row in definitions(text)]
        return tuple(found)

    def custom_in(self, folder: str) -> tuple[Row, ...]:
        """The resources that CustomResourceDefinitions in ``folder`` itself declare; cheaper than all of the tree."""
        if self._tree.stream:
            return tuple(self.custom)
        if folder not in self._custom_in:
            paths = (os.path.join(folder, name) for name in _names(folder) if name.endswith(_MANIFESTS))
            found = tuple(row for path in paths if not os.path.islink(path) for row in definitions(_text(path)))
            self._custom_in[folder] = found
        return self._custom_in[folder]

    @cached_property
    def asks_through_api_server(self) -> str | None:
        """What reads metrics of kubelets by way of the API server, which asks for nodes/proxy; None without a sign."""
        return next((str(item) for item in self._configs if _PROXIED.search(str(item.data.get("data")))), None)

    @cached_property
    def reads_config_of_kubelets(self) -> bool:
        """Whether any configuration asks kubelets for /configz."""
        return any("/configz" in str(item.data.get("data")) for item in self._configs)

    @property
    def _configs(self) -> list[Object]:
        return [item for kind in ("ConfigMap", "Secret") for item in self._tree.of("", kind)]

    @property
    def log(self) -> AuditLog | None:
        """The audit log of this run."""
        if not self._tree.settings.audit_logs and self._tree.recorded is None:
            return None
        from hardener.facts.access.audit_log import GivenLog  # late: most runs have no log

        return self._tree.ask(GivenLog).log

    def log_is_ours(self, namespace: str) -> bool:
        """Whether the log shows anybody whom the tree knows, and so may be of its cluster: an account of ``namespace``,
        or any that an object or a binding of the tree names. Those of kube-system are the same in every cluster."""
        return self.log_shows_the_tree or namespace in self._namespaces_of_log

    @cached_property
    def _namespaces_of_log(self) -> frozenset[str]:
        return frozenset(space for space, _ in self._accounts_of_log)

    @cached_property
    def log_shows_the_tree(self) -> bool:
        """Whether any account of the log, those of kube-system left out, is named in the tree."""
        accounts, builds = self._tree.ask(Relations).service_accounts, self._tree.ask(Builds)
        return any(
            self.bindings_of(name, space) or any(builds.may_be_in(item, space) for item in accounts.get(name, ()))
            for space, name in self._accounts_of_log
        )

    @property
    def _accounts_of_log(self) -> Iterator[tuple[str, str]]:
        seen = self.log.seen if self.log is not None else ()
        return ((space, name) for space, name in seen if space not in SYSTEM_NAMESPACES)


def _text(path: str) -> str:
    try:
        return files.read(path).text
    except UnreadableError:
        return ""


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _containers(pod: PodTemplate) -> tuple[Container, ...]:
    try:
        return pod.containers
    except (OpaqueError, WrongShapeError):
        return ()


def _has_no_token(pod: PodTemplate) -> bool:
    return mounted_token(pod) is None


def mounted_token(pod: PodTemplate) -> Evidence | None:
    """What gives ``pod`` a token of its account, in any state of it; None where it has none."""
    for state in states(pod):
        for index, volume in enumerate(state.items("volumes")):
            if any(source.has("serviceAccountToken") for source in volume.view("projected").items("sources")):
                return state.fact("a volume projects a token", "volumes", index)
        own = state.get("automountServiceAccountToken")
        if own is False:
            continue
        accounts = pod.tree.ask(ServiceAccounts).of(state)
        if (
            own is None
            and pod.follows_account
            and accounts
            and all(each.get("automountServiceAccountToken") is False for each in accounts)
        ):
            continue
        return state.fact("its token is mounted")
    return None
