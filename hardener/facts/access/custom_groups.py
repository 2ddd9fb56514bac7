"""Whether the tree shows every resource of an API group that CustomResourceDefinitions declare.

Rules with stars reach those that it does not show too: whoever holds one may live of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.access.grants import Access, Holder
from hardener.facts.access.views import Binding, Role
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.hidden_pods import shown_folders
from hardener.kubernetes.pods.operator_pods import RENDERED_ELSEWHERE
from hardener.kubernetes.rbac.rules import ANY, Rule
from hardener.kubernetes.rbac.subjects import GROUP
from hardener.tree.core_views import OpaqueError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_DEFINITIONS = ("apiextensions.k8s.io", "customresourcedefinitions")
_NOWHERE = "no CustomResourceDefinition of the tree declares"
_MAKING = ("create", "update", "patch")


class CustomGroups(AsRead):
    """What the tree holds of groups of custom resources, and what speaks against its holding all of one."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._declared: dict[str, set[str]] = {}
        self._kinds: dict[str, set[str]] = {}
        for row in tree.ask(Access).custom:
            self._declared.setdefault(row.group, set()).add(row.resource)
            self._kinds.setdefault(row.group, set()).add(row.kind)

    def doubts(
        self, groups: Collection[str], holders: Collection[Holder], *, of_any: bool = False
    ) -> Iterator[Evidence]:
        """Why there may be resources of ``groups``, or ``of_any`` group, that no definition of the tree declares: one
        reason of each sort."""
        custom = [group for group in groups if group in self._declared]
        if not custom and not of_any:
            return
        yield from self._made_by(holders, "them" if of_any else custom[0])
        for group in custom:
            if group in self._named:
                yield self._named[group]
        yield from self._brought

    def _made_by(self, holders: Collection[Holder], group: str) -> Iterator[Evidence]:
        for holder in holders:
            subject, binding = holder.subject, holder.binding
            given = [binding]
            if subject.is_account:
                given += self._tree.ask(Access).bindings_of(subject.name, binding.namespace_of(subject))
            for each in given:
                if not each.namespaced and _may_define(each):
                    text = f"{subject} may create CustomResourceDefinitions, and so more of {group} than the tree shows"
                    yield binding.fact(text, "subjects", subject.index)
                    return

    @cached_property
    def _named(self) -> dict[str, Evidence]:
        """By group, a rule or an object of the tree that is of a resource without a definition there."""
        found: dict[str, Evidence] = {}
        for kind in ("Role", "ClusterRole"):
            for item in self._tree.of(GROUP, kind):
                role = Role(item, item.path, item.data)
                try:
                    rules = role.rules
                except (OpaqueError, WrongShapeError):
                    continue
                for index, rule in rules:
                    for group, resource in self._undeclared(rule):
                        text = f"{item} names {resource} of {group}, which {_NOWHERE}"
                        found.setdefault(group, role.fact(text, "rules", index))
        for item in self._tree.objects:
            kinds = self._kinds.get(item.group)
            if kinds is not None and item.kind not in kinds and not item.kind.endswith("List"):
                text = f"{item} is of a kind that {_NOWHERE}"
                found.setdefault(item.group, item.fact(text))
        return found

    def _undeclared(self, rule: Rule) -> Iterator[tuple[str, str]]:
        for group in rule.groups:
            declared = self._declared.get(group)
            for resource in rule.resources if declared is not None else ():
                name = resource.partition("/")[0]
                if declared is not None and name != ANY and name not in declared:
                    yield group, name

    @cached_property
    def _brought(self) -> tuple[Evidence, ...]:
        """The first thing of the tree that brings objects which it does not show; definitions may be among them."""
        for item in self._tree.objects:
            if (item.group, item.kind) in RENDERED_ELSEWHERE and not item.classes and not shown_folders(item):
                return (item.fact(f"{item} installs objects that the tree does not show, perhaps more definitions"),)
        for _, fact in self._tree.ask(Builds).unseen():
            return (fact,)
        return ()


def _may_define(binding: Binding) -> bool:
    """Whether ``binding`` lets its subjects write CustomResourceDefinitions."""
    if binding.everything is not None:
        return True
    for role in binding.roles:
        try:
            if any(rule.covers(*_DEFINITIONS, verb) for rule in role.granted for verb in _MAKING):
                return True
        except (OpaqueError, WrongShapeError):
            continue
    return False
