"""Roles and bindings of RBAC as transforms see them."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.kubernetes.rbac.bootstrap import is_bootstrapped
from hardener.kubernetes.rbac.dangerous_grants import AGGREGATION
from hardener.kubernetes.rbac.owners import owner
from hardener.kubernetes.rbac.rules import Rule, rule_of
from hardener.kubernetes.rbac.subjects import GROUP, service_account
from hardener.tree.core_views import OpaqueError
from hardener.tree.view import View, literal


class Subject(Struct, frozen=True):
    """A subject of a binding, and its place there. A service account that is written as a user is one too.

    ``namespace`` is that of a service account, as written; None where the subject names none.
    """

    kind: str
    name: str
    namespace: str | None
    index: int

    @property
    def is_account(self) -> bool:
        return self.kind == "ServiceAccount"

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"


class Role(View):
    """A Role or ClusterRole."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({(GROUP, "Role"), (GROUP, "ClusterRole")})

    @property
    def namespaced(self) -> bool:
        return self.object.kind == "Role"

    @property
    def owner(self) -> str | None:
        """Why it is not for the tree to change; None for one that is."""
        return owner(self.object.kind, self.data)

    @property
    def rules(self) -> list[tuple[int, Rule]]:
        """Its rules with their places. Raises WrongShapeError, and OpaqueError where a word is filled in later."""
        found = []
        for index, item in enumerate(self.items("rules")):
            rule = rule_of(item.data)
            for word in (*rule.groups, *rule.resources, *rule.verbs, *rule.names, *rule.urls):
                if literal(word) != word:
                    raise OpaqueError(word, (*self.path[1:], "rules", index))
            found.append((index, rule))
        return found

    @property
    def is_aggregated(self) -> bool:
        """Whether a controller fills in its rules, and it is none of those that every cluster has."""
        return bool(self.data.get("aggregationRule")) and is_bootstrapped(self.object.kind, self.data) is None

    @property
    def granted(self) -> list[Rule]:
        """What it allows: its rules, and those that a controller copies into it as far as the tree and what every
        cluster has show them. Raises as ``rules``."""
        written = [rule for _, rule in self.rules]
        if not self.is_aggregated:
            return written
        from hardener.facts.access.grants import Access  # late: it looks at these views

        return [*written, *self.tree.ask(Access).taken_in(self.object)]

    @property
    def variants(self) -> list[Role]:
        """The role as each build of the tree makes of it that patches it; for reading only."""
        return [Role(item, item.path, item.data) for item in self.tree.ask(Overlays).objects(self.object)]

    @property
    def aggregated_to(self) -> list[str]:
        """The labels by which its rules are added to other roles."""
        labels = self.keys("metadata", "labels") if not self.namespaced else ()
        return [key for key in labels if key.startswith(AGGREGATION) and self.text("metadata", "labels", key) == "true"]


class Binding(View):
    """A RoleBinding or ClusterRoleBinding."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({(GROUP, "RoleBinding"), (GROUP, "ClusterRoleBinding")})

    @property
    def namespaced(self) -> bool:
        """Whether it gives rights in one namespace (in this run it may have become such a one)."""
        return self.text("kind") == "RoleBinding"

    @property
    def owner(self) -> str | None:
        """Why it is not for the tree to change; None for one that is."""
        return owner(self.text("kind") or self.object.kind, self.data)

    @property
    def role_kind(self) -> str:
        return self.text("roleRef", "kind") or ""

    @property
    def role_name(self) -> str:
        return self.text("roleRef", "name") or ""

    @property
    def roles(self) -> list[Role]:
        """The roles of the tree that it names, a few where several have that name."""
        from hardener.facts.access.grants import Access  # late: it looks at these views

        return self.tree.ask(Access).roles(self)

    def gives(self, roles: Collection[tuple[str, str]]) -> bool:
        """Whether it gives one of ``roles``, kinds and names of what the cluster has, and the tree makes no other role
        of that name."""
        return (self.role_kind, self.role_name) in roles and all(role.owner is not None for role in self.roles)

    @property
    def rules(self) -> list[Rule]:
        """The rules of its roles. Raises WrongShapeError, and OpaqueError where one is filled in later."""
        return [rule for role in self.roles for rule in role.granted]

    @property
    def subjects(self) -> list[Subject]:
        """Its subjects. Raises WrongShapeError, and OpaqueError where a name is filled in later."""
        found = []
        for index, item in enumerate(self.items("subjects")):
            account = service_account(item.data)
            if account is not None:
                for word in filter(None, account):
                    if literal(word) != word:
                        raise OpaqueError(word, (*self.path[1:], "subjects", index))
                found.append(Subject("ServiceAccount", *account, index))
            else:
                kind = item.text("kind") or "User"
                found.append(Subject(kind, item.text("name") or "", None, index))
        return found

    def namespace_of(self, subject: Subject) -> str | None:
        """The namespace of an account among its subjects; None where nobody says."""
        return subject.namespace or (self.object.namespace if self.namespaced else None)

    @property
    def everything(self) -> Role | str | None:
        """What makes an administrator of its subjects: a role of the tree, or "cluster-admin"; None where nothing
        does."""
        if self.role_kind != "ClusterRole":
            return None
        if self.role_name == "cluster-admin":
            return "cluster-admin"
        for role in self.roles:
            try:
                if any(rule.is_everything and not rule.names for rule in role.granted):
                    return role
            except OpaqueError:
                continue
        return None
