"""Steps that a MutatingAdmissionPolicy of the tree makes anyway, in each pod that the cluster creates: what they set
is no guess, since the pods run so.

Source: kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy: a policy acts where a binding names
it, on what its matchConstraints select, if its matchConditions hold. It counts here only where nothing bounds it and
its expression decides nothing by a condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from hardener.authoring.edits import Edit, Evidence, Grade, Set, WrongShapeError
from hardener.facts.access.admission import MutatingPolicy
from hardener.kubernetes.policies.cel_mutation import may_set
from hardener.tree.core_views import Container, OpaqueError, PodTemplate, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

GROUP, POLICY, BINDING = "admissionregistration.k8s.io", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"
_BOUNDS = ("namespaceSelector", "objectSelector", "excludeResourceRules")
# Fields that act whenever they are set; the token of a pod is mounted before such a policy runs.
_FIELDS = frozenset({
    "allowPrivilegeEscalation", "enableServiceLinks", "hostUsers", "readOnlyRootFilesystem", "runAsGroup",
    "runAsNonRoot", "runAsUser",
})  # fmt: skip
_CONDITIONS = ("?", "has(", "filter(", "optional")


class Mutations(AsRead):
    """The expressions that change each pod of the cluster, with the policy that holds them."""

    def __init__(self, tree: Tree) -> None:
        self._found = list(_expressions(tree))

    def sets(self, field: str, value: str, *, init: bool) -> Evidence | None:
        """The policy that sets ``field`` to ``value`` in each pod; ``init``: in its init containers, too."""
        for fact, text in self._found:
            if may_set(text, field, value) and (not init or "initContainers" in text):
                return fact
        return None


def _expressions(tree: Tree) -> Iterator[tuple[Evidence, str]]:
    bound = {
        item.text("spec", "policyName") for item in tree.of(GROUP, BINDING) if not item.has("spec", "matchResources")
    }
    for item in tree.of(GROUP, POLICY):
        try:
            policy = MutatingPolicy(item, item.path, item.data)
            if item.name in bound and policy.visits_pods and not _is_bounded(policy):
                for path, text in policy.expressions():
                    if not any(sign in text for sign in _CONDITIONS):
                        yield item.fact(f"{item} sets it in each pod that the cluster creates", *path), text
        except (OpaqueError, WrongShapeError):
            continue


def _is_bounded(policy: MutatingPolicy) -> bool:
    limits = any(policy.has("spec", "matchConstraints", key) for key in _BOUNDS)
    return limits or policy.has("spec", "matchConditions") or policy.has("spec", "variables")


def weighed(tree: Tree, target: View, edits: list[Edit]) -> list[Edit]:
    """``edits``, one step on ``target``, with the policies that make all of it anyway: then it is no guess."""
    if not isinstance(target, Container | PodTemplate):
        return edits
    init = target.init if isinstance(target, Container) else False
    facts = [_made(tree, edit, init) for edit in edits]
    if not facts or not all(facts):
        return edits
    return [_known(edit, fact) for edit, fact in zip(edits, facts, strict=True) if fact is not None]


def _made(tree: Tree, edit: Edit, init: bool) -> Evidence | None:
    field = edit.path[-1] if isinstance(edit, Set) else None
    if not isinstance(edit, Set) or field not in _FIELDS:
        return None
    inside = init or "initContainers" in edit.path
    return tree.ask(Mutations).sets(str(field), _word(edit.value), init=inside)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _known(edit: Edit, fact: Evidence) -> Edit:
    grade = Grade.REVIEW if edit.grade is Grade.GUESS else edit.grade
    return replace(edit, grade=grade, evidence=(*edit.evidence, fact))
