"""Policies for Kyverno: ClusterPolicies where the tree writes such or the version knows no other, else
ValidatingPolicies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hardener.authoring.edits import Basis, Edit, Evidence, Finding, Severity
from hardener.authoring.transform import Steps
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.admission import PolicyHome, Shown
from hardener.facts.access.admission.guardrails import Guardrails
from hardener.facts.kustomize.free_names import Names
from hardener.kubernetes.policies import kyverno
from hardener.kubernetes.policies.admission_rules import AdmissionRule
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.view import View

from ._options import Policies
from ._writing import create, extend
from ._writing import older as is_older

ACTIONS, ACTION_OF_RULE_SINCE = kyverno.ACTIONS, kyverno.ACTION_OF_RULE_SINCE
Version = tuple[int, int]


def release(view: View, options: Policies) -> tuple[Version, Evidence]:
    """Return the version of Kyverno, and where it is known from."""
    asked = options.release
    if asked is not None:
        return asked, Evidence("policies.kyverno-version is {}.{}".format(*asked))
    found = view.tree.ask(Guardrails).kyverno_version
    if found is not None:
        return found
    return kyverno.DEFAULT_VERSION, Evidence(
        "nothing shows the version of Kyverno: {}.{} is assumed".format(*kyverno.DEFAULT_VERSION)
    )


def is_known(view: View, options: Policies) -> bool:
    """Return whether the version is more than assumed."""
    return options.release is not None or view.tree.ask(Guardrails).kyverno_version is not None


def deprecation(home: PolicyHome, version: Version) -> Steps:
    """Yield the finding that policies in the language of Kyverno itself will not be served for ever."""
    if version >= kyverno.CEL_SINCE and home.tree.ask(Guardrails).holds_cluster_policies:
        text = "ClusterPolicy is deprecated since Kyverno 1.17; new policies are written in it as the others are"
        advice = "write them as ValidatingPolicy before the update to 1.20, which is announced to drop ClusterPolicy"
        yield home.finding(text, advice=advice, severity=Severity.LOW)


def writer(version: Version) -> Callable[[PolicyHome, AdmissionRule, list[Shown]], Iterator[Edit]]:
    """Return what writes policies for ``version``."""

    def edits(home: PolicyHome, rule: AdmissionRule, spaces: list[Shown]) -> Iterator[Edit]:
        if version < kyverno.CEL_SINCE or home.tree.ask(Guardrails).holds_cluster_policies:
            yield from _cluster_policy(home, rule, spaces, version)
        else:
            yield from _validating_policies(home, rule, spaces)

    return edits


def older(home: PolicyHome, rule: AdmissionRule) -> Iterator[Finding]:
    """Yield the finding that the policies of ``rule`` are not what is written today."""
    guardrails = home.tree.ask(Guardrails)
    own = guardrails.own(kyverno.GROUP, kyverno.CLUSTER_POLICY, rule.name)
    if own is not None:
        yield from is_older(own, kyverno.cluster_policy(rule, own.name, [], kyverno.DEFAULT_VERSION)["spec"])
    for value in kyverno.validating_policies(rule, rule.name, ["any"]):
        own = guardrails.own(kyverno.CEL_GROUP, kyverno.VALIDATING_POLICY, value["metadata"]["name"])
        if own is not None:
            yield from is_older(own, value["spec"])


def _cluster_policy(home: PolicyHome, rule: AdmissionRule, spaces: list[Shown], version: Version) -> Iterator[Edit]:
    kind = kyverno.CLUSTER_POLICY
    own = home.tree.ask(Guardrails).own(kyverno.GROUP, kind, rule.name)
    if own is None:
        name = home.tree.ask(Names).free(kind, rule.name, home)
        yield create(home, kyverno.cluster_policy(rule, name, [space.name for space in spaces], version), spaces)
    elif own.editable and spaces:
        for path in _override_lists(own):
            yield from _overridden(own, spaces, *path)


def _override_lists(item: Object) -> Iterator[Path]:
    """Where a policy says what holds in which namespace."""
    if item.has("spec", "validationFailureAction"):
        yield ("spec", "validationFailureActionOverrides")
        return
    for index, rule in enumerate(item.items("spec", "rules")):
        if rule.has("validate"):
            yield ("spec", "rules", index, "validate", "failureActionOverrides")


def _overridden(item: Object, spaces: list[Shown], *path: str | int) -> Iterator[Edit]:
    for index, override in enumerate(item.items(*path)):
        if override.text("action") == "Enforce":
            yield from extend(item, spaces, *path, index, "namespaces")
            return
    passing = [space.namespace.fact(f"namespace {space.name} passes") for space in spaces]
    found = verdict(known=passing, effect=Effect.WATCHED, basis=Basis.PROVED)
    value = {"action": "Enforce", "namespaces": [space.name for space in spaces]}
    yield item.append(*path, value=value, **found.words)


def _validating_policies(home: PolicyHome, rule: AdmissionRule, spaces: list[Shown]) -> Iterator[Edit]:
    kind = kyverno.VALIDATING_POLICY
    for value in kyverno.validating_policies(rule, rule.name, [space.name for space in spaces]):
        name = value["metadata"]["name"]
        refuses = not name.endswith("-warn")
        own = home.tree.ask(Guardrails).own(kyverno.CEL_GROUP, kind, name)
        if own is None:
            value["metadata"]["name"] = home.tree.ask(Names).free(kind, name, home)
            yield create(home, value, spaces if refuses else ())
        elif refuses and own.editable:
            path = ("spec", "matchConstraints", "namespaceSelector", "matchExpressions")
            for index, each in enumerate(own.items(*path)):
                if each.text("operator") == "In":
                    yield from extend(own, spaces, *path, index, "values")
