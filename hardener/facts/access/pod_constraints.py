"""SecurityContextConstraints of the tree, and who may use them."""

from __future__ import annotations

from functools import cached_property

from hardener.authoring.edits import WrongShapeError
from hardener.facts.access.grants import Access, Holder
from hardener.facts.access.views import Binding
from hardener.kubernetes.rbac import security_context_constraints as constraints
from hardener.kubernetes.rbac.rules import ANY
from hardener.kubernetes.rbac.security_context_constraints import Opening
from hardener.kubernetes.rbac.subjects import GROUP
from hardener.tree.core_views import OpaqueError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree
from hardener.tree.view import View


class SecurityContextConstraints(View):
    """What OpenShift lets pods do that may use it."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({(constraints.GROUP, constraints.KIND), ("", constraints.KIND)})  # "" before OpenShift 4

    @property
    def openings(self) -> list[Opening]:
        """What it lets pods do beyond what those that OpenShift gives everybody let them."""
        return constraints.openings(self.data)

    @property
    def is_of_the_cluster(self) -> bool:
        """Whether OpenShift brings it, and nobody was added to those whom it names itself."""
        return constraints.is_of_the_cluster(self.data)


class PodConstraints(AsRead):
    """What SecurityContextConstraints open, by name, and who may use them by RBAC."""

    OF_RIGHTS = True

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._objects: dict[str, SecurityContextConstraints] = {}
        for group, kind in sorted(SecurityContextConstraints.KINDS):
            for item in tree.of(group, kind):
                self._objects.setdefault(item.name, SecurityContextConstraints(item, item.path, item.data))

    def openings(self, name: str) -> tuple[Opening, ...] | None:
        """What the one called ``name`` opens, as the tree holds it, else as OpenShift brings it; None where neither
        says. ``*`` is any, the most open of those that OpenShift brings."""
        if name in self._objects:
            return tuple(self._objects[name].openings)
        return constraints.built_in("privileged" if name == ANY else name)

    def holders(self, name: str) -> list[Holder]:
        """Whom roles and bindings of the tree let use the one called ``name``."""
        return [*self._holders.get(name, ()), *self._holders.get(ANY, ())]

    @cached_property
    def _holders(self) -> dict[str, list[Holder]]:
        access = self._tree.ask(Access)
        found: dict[str, list[Holder]] = {}
        for kind in ("RoleBinding", "ClusterRoleBinding"):
            for item in self._tree.of(GROUP, kind):
                binding = Binding(item, item.path, item.data)
                try:
                    names = dict.fromkeys(_used(binding)) if "patch" not in item.classes else {}
                    subjects = binding.subjects if names else []
                except (OpaqueError, WrongShapeError):
                    continue
                holders = [Holder(subject, binding, access.pods(binding, subject)) for subject in subjects]
                for name in names:
                    found.setdefault(name, []).extend(holders)
        return found


def _used(binding: Binding) -> list[str]:
    if binding.role_name.startswith(constraints.ROLE):
        return [binding.role_name.removeprefix(constraints.ROLE)]
    return [name for rule in binding.rules for name in constraints.used_by(rule)]


def reaches_everybody(holder: Holder) -> bool:
    """Whether a holder is a group of all of the cluster, in all of its namespaces."""
    subject = holder.subject
    return subject.kind == "Group" and constraints.is_everybody(subject.name) and not holder.binding.namespaced


def said(holders: list[Holder], most: int = 3) -> str:
    """Who they are, in one sentence."""
    if not holders:
        return "nobody in the tree holds it"
    names = list(dict.fromkeys(map(_named, holders)))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{'; '.join(names[:most])}{more}"


def _named(holder: Holder) -> str:
    who = constraints.described(holder.subject.name) if holder.subject.kind == "Group" else None
    where = f" in namespace {holder.binding.object.namespace}" if holder.binding.namespaced and who else ""
    return f"{holder}{where}{f' ({who})' if who else ''}"
