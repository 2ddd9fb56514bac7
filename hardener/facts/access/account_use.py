"""Which pods run as which service account, what rights its bindings give, and who else uses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any

from msgspec import Struct, field

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.objects.object_links import Relations
from hardener.facts.objects.which_copy import Nearby
from hardener.kubernetes.objects.object_names import LONGEST_NAME, as_object_name
from hardener.kubernetes.pods.pod_template import PARTIAL_KINDS, POD_KINDS
from hardener.kubernetes.pods.token_users import runs_as_default
from hardener.kubernetes.rbac.subjects import SERVICE_ACCOUNT
from hardener.support.data_path import Path
from hardener.support.late_pattern import late_pattern
from hardener.tree.core_views import Object, OpaqueError, PodTemplate
from hardener.tree.fact import AsRead
from hardener.tree.pod_kind import is_patch
from hardener.tree.tree import Tree

DEFAULT = "default"
_MOST = 5  # bindings of one pod; more prove no more
_DEEPEST = 40
_LONGEST = LONGEST_NAME - 13  # with room for a number
_KEYS = ("serviceAccountName", "serviceAccount")
_TEXTS = ("values", "valuesContent")  # of a chart, as Argo CD and k3s hold them
_OF_PROJECTS = "defaultServiceAccount"  # of an AppProject: a name, or namespace:name
_VALUE = late_pattern(r"(?:^|\.)serviceAccount(?:\.name|Name)?$")  # of charts, as --set names it
# A line of the values of a chart that stand in a text: indent, key, value.
_LINE = late_pattern(r"""([ \t]*)([\w.-]+):(?:[ \t]+["']?([\w.-]+)["']?)?[ \t]*(?:#.*)?""")


class Bound(Struct, frozen=True):
    """A binding that names an account of a pod. ``sure``: the namespaces are the same, and not only possibly so."""

    evidence: Evidence
    sure: bool


class _Subject(Struct, eq=False):
    namespace: str | None
    binding: Object
    path: Path


class _Named(Struct, eq=False):
    """The subjects of one name: by the namespace that they are in, by binding, and those of no known namespace."""

    subjects: list[_Subject]
    near: Nearby
    unset: list[_Subject] = field(default_factory=list)
    by_namespace: dict[str, list[_Subject]] = field(default_factory=dict)
    by_binding: dict[int, list[_Subject]] = field(default_factory=dict)
    unset_by_binding: dict[int, list[_Subject]] = field(default_factory=dict)


class DefaultUsers(AsRead):
    """How many pods run as the account `default` of each namespace."""

    def __init__(self, tree: Tree) -> None:
        self._builds = tree.ask(Builds)
        of_default = (pod for pod in tree.pod_templates if not is_patch(pod) and pod.service_account == DEFAULT)
        self._count = Counter(name for pod in of_default for name in self._builds.namespaces(pod.object))

    def is_alone(self, pod: PodTemplate) -> bool:
        """Whether no other pod of the tree runs as the account that ``pod`` runs as, which is `default`."""
        return all(self._count[name] < 2 for name in self._builds.namespaces(pod.object))


class ServiceAccounts(AsRead):
    """Which pods run as which service account, and with what rights. Looked up by name and namespace, so that asking
    costs the same in a large tree."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._named: dict[str, _Named | None] = {}
        self._near: dict[str, Nearby] = {}
        self._given: dict[str, set[str | None]] = {}  # names of new accounts, by the namespaces of their workloads
        self._numbers: dict[str, int] = {}

    def of(self, pod: PodTemplate) -> list[Object]:
        """The ServiceAccount objects of the tree that ``pod`` may run as. Raises OpaqueError, WrongShapeError."""
        return self._accounts(pod.service_account, pod.object)

    def _accounts(self, name: str, item: Object) -> list[Object]:
        found = self._tree.ask(Relations).service_accounts.get(name)
        if not found:
            return []
        if name not in self._near:
            self._near[name] = Nearby(self._tree.ask(Builds), found)
        return self._near[name].of(item)

    # Rights.

    def bindings(self, pod: PodTemplate) -> list[Bound]:
        """The bindings of the tree that give rights to the account of ``pod``, the surest first, a few of them.

        Raises OpaqueError, WrongShapeError.
        """
        name = pod.service_account
        if not self._tree.ask(Relations).bindings:
            return []
        names = {name}
        for account in self._accounts(name, pod.object):
            names |= self._tree.ask(Builds).names(account)
        return self._bound(names, pod.object)

    def rights(self, account: Object) -> list[Bound]:
        """The bindings of the tree that give rights to ``account``, a few of them."""
        return self._bound(set(self._tree.ask(Builds).names(account)), account)

    def _bound(self, names: set[str], item: Object) -> list[Bound]:
        known = [name for name in sorted(names) if self._subjects(name) is not None]
        if not known:
            return []
        found = list(islice((bound for name in known for bound in self._of_name(name, item)), _MOST))
        return sorted(found, key=lambda bound: not bound.sure)

    def _of_name(self, name: str, item: Object) -> Iterator[Bound]:
        named = self._subjects(name)
        if named is None:
            return
        seen: set[int] = set()
        for subject, sure in self._matching(name, named, item):
            if id(subject) not in seen:
                seen.add(id(subject))
                text = f"{subject.binding} names its service account"
                yield Bound(Evidence(text, subject.binding.piece, subject.path), sure)

    def _subjects(self, name: str) -> _Named | None:
        if name in self._named:
            return self._named[name]
        subjects = [_Subject(*entry) for entry in self._tree.ask(Relations).bindings.get(name, ())]
        found = self._named[name] = None
        if subjects:
            builds = self._tree.ask(Builds)
            bindings = {id(subject.binding): subject.binding for subject in subjects}
            found = self._named[name] = _Named(subjects, Nearby(builds, bindings.values(), namespaced=False))
            for subject in subjects:
                binding = id(subject.binding)
                found.by_binding.setdefault(binding, []).append(subject)
                for space in (subject.namespace,) if subject.namespace else builds.namespaces(subject.binding):
                    if space is not None:
                        found.by_namespace.setdefault(space, []).append(subject)
                    if space is None or _is_open(space):
                        found.unset.append(subject)
                        found.unset_by_binding.setdefault(binding, []).append(subject)
        return found

    def _matching(self, name: str, named: _Named, item: Object) -> Iterator[tuple[_Subject, bool]]:
        """The subjects that are the account called ``name`` where ``item`` stands, and whether that is sure."""
        spaces = self._tree.ask(Builds).namespaces(item)
        # As written too: a kustomization rewrites the namespace of both, that of a subject where it is the one of the
        # account as written (kustomize api/filters/nameref).
        for space in dict.fromkeys((*spaces, item.namespace)):
            if space is not None:
                yield from ((subject, True) for subject in named.by_namespace.get(space, ()))
        yield from self._possible(name, named, item, any(space is None or _is_open(space) for space in spaces))

    @staticmethod
    def _possible(name: str, named: _Named, item: Object, anywhere: bool) -> Iterator[tuple[_Subject, bool]]:
        """The subjects that may be this account, as a namespace is not written or, with ``anywhere``, is filled in."""
        bindings, beside = named.near.placed(item)
        for binding in bindings:
            for subject in named.unset_by_binding.get(id(binding), ()):
                yield subject, beside and subject.namespace is None
            if anywhere and (beside or name != DEFAULT):
                yield from ((subject, False) for subject in named.by_binding[id(binding)])
        if item.namespace is None:  # what nobody names may be the namespace default
            yield from ((subject, False) for subject in named.by_namespace.get(DEFAULT, ()))
        if name != DEFAULT:  # where the name tells, a namespace that is not written may be any
            yield from ((subject, False) for subject in (named.subjects if anywhere else named.unset))

    # Users.

    def pods(self, account: Object) -> list[PodTemplate]:
        """The pod templates of the tree that may run as ``account``."""
        return self._pods.get(id(account), [])

    @cached_property
    def _pods(self) -> dict[int, list[PodTemplate]]:
        found: dict[int, list[PodTemplate]] = {}
        for pod in self._tree.pod_templates:
            try:
                if is_patch(pod):  # it is looked at where it is applied
                    continue
                accounts = {id(account) for state in states(pod) for account in self.of(state)}
                for account in accounts:
                    found.setdefault(account, []).append(pod)
            except (OpaqueError, WrongShapeError):
                continue  # which one it is, nobody knows
        return found

    @cached_property
    def taken(self) -> frozenset[str]:
        """The names of accounts that anything in the tree declares, uses, or gives rights to."""
        relations = self._tree.ask(Relations)
        used = []
        for pod in self._tree.pod_templates:
            try:
                used.append(pod.service_account)
            except (OpaqueError, WrongShapeError):
                continue
        return frozenset((*relations.service_accounts, *relations.bindings, *used, *self._others))

    def reserve(self, name: str, item: Object) -> str:
        """A name for a new account beside ``item``: ``name`` as far as an account may be called so, or with the first
        number that makes it a free one.

        Free is what the tree does not know in any way, and what was not given out for where the two may meet.
        """
        spaces = self._tree.ask(Builds).namespaces(item)
        free = name = as_object_name(name, longest=_LONGEST)
        while free in self.taken or self._clashes(free, spaces):
            number = self._numbers[name] = self._numbers.get(name, 1) + 1
            free = f"{name}-{number}"
        self._given.setdefault(free, set()).update(spaces)
        return free

    def _clashes(self, name: str, spaces: tuple[str | None, ...]) -> bool:
        given = self._given.get(name)
        return given is not None and (None in spaces or None in given or not given.isdisjoint(spaces))

    def others(self, account: Object) -> list[Object]:
        """Objects without a pod template that name ``account``: pods that the tree does not show run as it."""
        meet = self._tree.ask(Builds).meet
        return [item for item in self._others.get(account.name, ()) if meet(item, account)]

    def naming(self, name: str) -> list[Object]:
        """Objects without a pod template that name an account ``name``."""
        return self._others.get(name, [])

    def unread(self, name: str) -> list[Evidence]:
        """Where an account ``name`` is named in what cannot be read as objects: templates, and the values of charts."""
        return self._unread.get(name, [])

    @cached_property
    def _unread(self) -> dict[str, list[Evidence]]:
        found: dict[str, list[Evidence]] = {}
        for file in self._tree.files:
            for piece in file.pieces:
                for name in dict.fromkeys(SERVICE_ACCOUNT.findall(piece.text)) if piece.problem else ():
                    fact = Evidence(f"{file.name}:{piece.line + 1} names it, and could not be read")
                    found.setdefault(name, []).append(fact)
        for name, path in self._tree.chart_accounts.items():
            found.setdefault(name, []).append(Evidence(f"{path}, a template of a Helm chart, names it"))
        for item in self._tree.values:
            for name in dict.fromkeys(_named(item.data, 0)):
                found.setdefault(name, []).append(Evidence(f"the values of a chart name it ({item.piece.file.name})"))
        return found

    @cached_property
    def _others(self) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for item in [*self._tree.objects, *self._tree.fragments]:
            if (
                item.kind not in POD_KINDS
                and item.kind not in PARTIAL_KINDS
                and isinstance(item.data.get("spec"), dict)
            ):
                names = dict.fromkeys(_named(item.data["spec"], 0))
                for name in names or ((DEFAULT,) if runs_as_default(item.data) else ()):
                    found.setdefault(name, []).append(item)
        return found


def _is_open(namespace: str) -> bool:
    """Whether the name of a namespace is filled in later."""
    return "$" in namespace or "{{" in namespace


def _named(value: Any, depth: int) -> Iterator[str]:
    """The service accounts that a custom resource names: in the fields that are called as in a pod, in those of Argo
    CD, and in the values and parameters of a chart."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        yield from _named_by_fields(value)
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            if isinstance(child, dict | list):
                yield from _named(child, depth + 1)


def _named_by_fields(fields: dict[Any, Any]) -> Iterator[str]:
    for key in _KEYS:
        own = fields.get(key)
        if isinstance(own, dict):
            own = own.get("name")
        if isinstance(own, str):
            yield own
    if isinstance(fields.get(_OF_PROJECTS), str):
        yield fields[_OF_PROJECTS].rpartition(":")[2]
    name, text = fields.get("name"), fields.get("value")
    if isinstance(name, str) and isinstance(text, str) and _VALUE.search(name):
        yield text
    for key in _TEXTS:
        if isinstance(fields.get(key), str):
            yield from _named_in_text(fields[key])


def _named_in_text(values: str) -> Iterator[str]:
    """The service accounts that the values of a chart name, written as text: by lines, since many are templates."""
    inside: int | None = None  # the indent of the `serviceAccount:` that these lines are below
    for line in values.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        indent, key, name = len(match[1]), match[2], match[3]
        if inside is not None and indent <= inside:
            inside = None
        if key in _KEYS and name is None:
            inside = indent
        elif name is not None and (key in _KEYS or (inside is not None and key == "name")):
            yield name
