"""Admission policies of a tree, as transforms see them; what the tree shows of them together is in ``guardrails``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from hardener.authoring.edits import Evidence, WrongShapeError, copied
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.kubernetes.policies.standard_policies import level
from hardener.support.data_path import Path
from hardener.support.shapes import mappings
from hardener.tree.core_views import Namespace, Object
from hardener.tree.tree import Tree
from hardener.tree.view import OpaqueError, View

CONSTRAINTS = "constraints.gatekeeper.sh"
_GROUP = "admissionregistration.k8s.io"
_OF_CEL = ("matchConditions", "variables", "validations")
# What a policy does with a violation differs by namespace, and is no part of what it asks for.
_ACTIONS = ("failureAction", "failureActionOverrides")
_MANAGED = ("app.kubernetes.io/managed-by", "harden")


def is_managed(item: Object) -> bool:
    """Whether this program made the object."""
    try:
        return item.text("metadata", "labels", _MANAGED[0]) == _MANAGED[1]
    except (OpaqueError, WrongShapeError):
        return False


def differing_fields(own: Object, wanted: Mapping[str, Any]) -> list[str]:
    """Return the fields of the spec of a policy of this program that ask for something else than ``wanted``."""
    return _differing(own.data.get("spec"), wanted)


def _differing(written: object, wanted: Mapping[str, Any]) -> list[str]:
    """The fields of the spec ``written`` (of any shape) that ask for something else than those of ``wanted``, by name:
    of a policy in CEL, or one of Kyverno that is made of rules."""
    found: Mapping[str, Any] = written if isinstance(written, Mapping) else {}
    if "rules" in wanted:
        return [] if _without_actions(found.get("rules")) == _without_actions(wanted["rules"]) else ["rules"]
    names = [] if _resources(found) == _resources(wanted) else ["matchConstraints.resourceRules"]
    return names + [name for name in _OF_CEL if (found.get(name) or []) != (wanted.get(name) or [])]


def _resources(spec: Mapping[str, Any]) -> object:
    constraints = spec.get("matchConstraints")
    return constraints.get("resourceRules") if isinstance(constraints, Mapping) else None


def _without_actions(rules: object) -> list[object]:
    found: list[object] = []
    for rule in rules if isinstance(rules, list) else []:
        validate = rule.get("validate") if isinstance(rule, Mapping) else None
        if isinstance(validate, Mapping):
            rule = {**rule, "validate": {key: value for key, value in validate.items() if key not in _ACTIONS}}
        found.append(rule)
    return found


class _Policy(View):
    """What policies of all engines have in common."""

    __slots__ = ()
    type_name = "Object"

    @property
    def managed(self) -> bool:
        """Whether this program made it."""
        return is_managed(self.object)

    @property
    def level(self) -> str | None:
        """The Pod Security level that it checks a part of, by its category or its name; None for any other policy."""
        item = self.object
        return level(item.kind, item.name, item.annotations.get("policies.kyverno.io/category", ""))


class KyvernoPolicy(_Policy):
    """A policy of Kyverno that is made of rules."""

    __slots__ = ()
    KINDS = frozenset({("kyverno.io", "ClusterPolicy"), ("kyverno.io", "Policy")})

    @property
    def states(self) -> tuple[KyvernoPolicy, ...]:
        """The policy as it is written, then as the kustomizations of the tree patch it, for reading only."""
        variants = self.tree.ask(Overlays).objects(self.object)
        return (self, *(KyvernoPolicy(variant, variant.path, variant.data) for variant in variants))

    def pattern(self, rule: int) -> Any:
        """A copy of the pattern of the rule with this index; None where it has none."""
        return copied(self._find(("spec", "rules", rule, "validate", "pattern")))

    def overrides(self, *path: str | int) -> list[dict[str, Any]]:
        """A copy of the actions for some namespaces at ``path``."""
        return mappings(copied(self._find(path)))


class CelPolicy(_Policy):
    """A policy of Kyverno that is made of expressions."""

    __slots__ = ()
    KINDS = frozenset({
        ("policies.kyverno.io", "ValidatingPolicy"), ("policies.kyverno.io", "NamespacedValidatingPolicy"),
    })  # fmt: skip


class AdmissionPolicy(View):
    """A ValidatingAdmissionPolicy."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({(_GROUP, "ValidatingAdmissionPolicy")})


class JudgingPolicy(View):
    """A policy of the API server or of Kyverno, or the binding of one: what says which requests are judged."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({
        (_GROUP, "ValidatingAdmissionPolicy"), (_GROUP, "ValidatingAdmissionPolicyBinding"),
        (_GROUP, "MutatingAdmissionPolicy"), (_GROUP, "MutatingAdmissionPolicyBinding"),
        ("policies.kyverno.io", "ValidatingPolicy"), ("policies.kyverno.io", "NamespacedValidatingPolicy"),
        ("kyverno.io", "ClusterPolicy"), ("kyverno.io", "Policy"),
    })  # fmt: skip


class PolicyBinding(_Policy):
    """The binding of a ValidatingAdmissionPolicy."""

    __slots__ = ()
    KINDS = frozenset({(_GROUP, "ValidatingAdmissionPolicyBinding")})


class MutatingPolicy(View):
    """A MutatingAdmissionPolicy."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({(_GROUP, "MutatingAdmissionPolicy")})

    @property
    def visits_pods(self) -> bool:
        """Whether it changes pods that are made, and not only what makes pods."""
        visited = any(map(_takes_new_pods, self.items("spec", "matchConstraints", "resourceRules")))
        left_out = self.items("spec", "matchConstraints", "excludeResourceRules") if visited else ()
        return visited and not any(_takes_new_pods(rule) and not rule.strings("resourceNames") for rule in left_out)

    def expressions(self) -> Iterator[tuple[Path, str]]:
        """What it does, by the path of each expression."""
        for index, mutation in enumerate(self.items("spec", "mutations")):
            for key in ("applyConfiguration", "jsonPatch"):
                text = mutation.text(key, "expression")
                if text:
                    yield ("spec", "mutations", index, key, "expression"), text


def _takes_new_pods(rule: View) -> bool:
    """Whether a rule of a policy matches a pod that is made (k8s.io/apiserver, plugin/policy/matching, and the Matcher
    of webhook/predicates/rules)."""
    wanted = (
        ("apiGroups", ("", "*")),
        ("apiVersions", ("v1", "*")),
        ("operations", ("CREATE", "*")),
        ("resources", ("pods", "*", "pods/*", "*/*")),
    )
    return rule.text("scope") != "Cluster" and all(
        any(value in values for value in rule.strings(key)) for key, values in wanted
    )


class AdmissionWebhook(View):
    """A webhook that is asked before an object is stored."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({(_GROUP, "ValidatingWebhookConfiguration")})


class PodSecurityPolicy(View):
    """A PodSecurityPolicy, which Kubernetes does not know any more."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({("policy", "PodSecurityPolicy"), ("extensions", "PodSecurityPolicy")})


class AdmissionFile(View):
    """The configuration of admission plugins that an API server reads."""

    __slots__ = ()
    type_name = "Object"
    KINDS = frozenset({
        ("apiserver.config.k8s.io", "AdmissionConfiguration"),
        ("pod-security.admission.config.k8s.io", "PodSecurityConfiguration"),
    })  # fmt: skip


class Constraint(_Policy):
    """A constraint of Gatekeeper; its kind is that of a template."""

    __slots__ = ()
    NEEDS = "asks_for_policies"

    @classmethod
    def of_tree(cls, tree: Tree) -> list[Constraint]:
        """Those of files that may be edited."""
        found = (item for item in tree.objects if item.group == CONSTRAINTS and item.editable)
        return [cls(item, item.path, item.data) for item in found]


class PolicyHome(View):
    """The object beside which policies of this program belong: one of the tree at most, none where nothing asks for
    them. ``reasons`` are what does."""

    __slots__ = ("reasons",)
    type_name = "Object"
    NEEDS = "asks_for_policies"
    reasons: list[Evidence]

    @classmethod
    def of_tree(cls, tree: Tree) -> list[PolicyHome]:
        """The home of the tree, if it has one."""
        if not tree.asks_for_policies:
            return []
        from hardener.facts.access.admission.guardrails import Guardrails  # late: few trees ask for it

        item, reasons = tree.ask(Guardrails).home
        if item is None:
            return []
        home = cls(item, item.path, item.data)
        home.reasons = reasons
        return [home]

    @property
    def renamed(self) -> bool:
        """Whether a kustomization renames what stands beside it: a binding would name what is not there."""
        return any(each.prefix or each.suffix for each in self.tree.ask(Builds).affixes(self.object))


class Shown(Struct):
    """A namespace all of whose pods the tree shows, by the name that it comes out under; ``broken`` holds, by rule, the
    objects that the rule refuses, each with the first reason."""

    name: str
    namespace: Namespace
    broken: dict[str, list[tuple[View, str]]] = field(default_factory=dict)
