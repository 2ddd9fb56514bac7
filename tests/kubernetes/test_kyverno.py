"""Policies for Kyverno fit its definitions, and refuse what the same rules refuse in CEL."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

import pytest
import yaml

from hardener.kubernetes.policies import kyverno
from hardener.kubernetes.policies.admission_rules import RULES
from tests.cel import refused
from tests.conftest import ROOT
from tests.kubernetes.test_admission_rules import CASES, RESOURCES

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = json.loads((ROOT / "tests" / "data" / "kyverno.schema.json").read_text())
RELEASES = [(1, 11), (1, 13), (1, 16), (1, 17)]


def check(value: dict[str, Any]) -> None:
    jsonschema.validate(value, {"$ref": f"#/$defs/{value['kind']}", "$defs": SCHEMA["$defs"]})


# The language of patterns, as far as these policies use it (Kyverno, pkg/engine/anchor and pkg/engine/pattern).


def fits(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_entry(value, key, below) for key, below in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(fits(item, pattern[0]) for item in value)
    if isinstance(pattern, bool):
        return value is pattern
    return all(_scalar(_text(value), part.strip()) for part in str(pattern).split("&"))


def _entry(value: dict[str, Any], key: str, below: Any) -> bool:
    if key.startswith("X("):
        return value.get(key[2:-1]) is None
    if key.startswith("=("):
        return key[2:-1] not in value or fits(value[key[2:-1]], below)
    return key in value and fits(value[key], below)


def _scalar(text: str, pattern: str) -> bool:
    if pattern.startswith("!"):
        return not _scalar(text, pattern[1:])
    if pattern.startswith(">"):
        return text.lstrip("-").isdigit() and int(text) > int(pattern[1:])
    return fnmatch.fnmatchcase(text, pattern)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def broken(policy: dict[str, Any], kind: str, value: dict[str, Any]) -> list[str]:
    """The messages of the rules of a ClusterPolicy that ``value`` breaks."""
    found = []
    for rule in policy["spec"]["rules"]:
        (match,) = rule["match"]["any"]
        if kind not in match["resources"]["kinds"] or _excluded(rule, value) or not _meant(rule, value):
            continue
        validate = rule["validate"]
        patterns = validate.get("anyPattern") or [validate["pattern"]]
        if not any(fits(value, pattern) for pattern in patterns):
            found.append(validate["message"])
    return found


def _excluded(rule: dict[str, Any], value: dict[str, Any]) -> bool:
    metadata = value.get("metadata", {})
    for each in rule.get("exclude", {}).get("any", []):
        resources = each["resources"]
        labels = resources.get("selector", {}).get("matchLabels", {})
        for wanted, present in ((labels, "labels"), (resources.get("annotations", {}), "annotations")):
            own = metadata.get(present, {})
            if wanted and all(key in own and _scalar(own[key], text) for key, text in wanted.items()):
                return True
    return False


def _meant(rule: dict[str, Any], value: dict[str, Any]) -> bool:
    reference = value.get("roleRef", {})
    for condition in rule.get("preconditions", {}).get("all", []):
        known = condition["key"]
        for key in ("kind", "name"):
            known = known.replace(f"{{{{ request.object.roleRef.{key} }}}}", str(reference.get(key)))
        assert "{{" not in known
        if (known == condition["value"]) != (condition["operator"] == "Equals"):
            return False
    return True


# Where a pattern cannot say what CEL does: a rule of Pods looks at containers that only debug, too, and an object that
# has no `spec` at all is no Service that an API server takes.
@pytest.mark.parametrize("case", CASES, ids=[f"{c[0]}: {c[2]}" for c in CASES])
def test_a_cluster_policy_refuses_what_the_rule_does(case: tuple[str, str, str, dict[str, Any], int]) -> None:
    name, kind, what, value, _ = case
    rule = RULES[f"harden-{name}"]
    found = broken(kyverno.cluster_policy(rule, rule.name, [], (1, 16)), kind, value)
    if what == "no externalIPs":
        return  # an API server drops the empty list before Kyverno sees it
    assert found == list(rule.broken(kind, value))


@pytest.mark.parametrize("case", CASES, ids=[f"{c[0]}: {c[2]}" for c in CASES])
def test_a_validating_policy_refuses_what_the_rule_does(case: tuple[str, str, str, dict[str, Any], int]) -> None:
    name, kind, _, value, _ = case
    rule = RULES[f"harden-{name}"]
    for policy in kyverno.validating_policies(rule, rule.name, ["shop"]):
        assert (refused(policy["spec"], value, RESOURCES[kind]) or []) == list(rule.broken(kind, value))


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("namespaces", [[], ["shop", "blog"]])
def test_what_is_written_fits_the_definitions(release: tuple[int, int], namespaces: list[str]) -> None:
    for rule in RULES.values():
        policy = kyverno.cluster_policy(rule, rule.name, namespaces, release)
        check(policy)
        rules = policy["spec"]["rules"]
        assert all(("failureAction" in each["validate"]) == (release >= (1, 13)) for each in rules)
        assert ("validationFailureAction" in policy["spec"]) == (release < (1, 13))
        for policy in kyverno.validating_policies(rule, rule.name, namespaces):
            check(policy)


def test_a_schema_that_passes_everything_would_be_no_test() -> None:
    policy = kyverno.cluster_policy(RULES["harden-pod-isolation"], "x", [], (1, 16))
    policy["spec"]["rules"][0]["validate"]["failureActions"] = "Audit"
    with pytest.raises(jsonschema.ValidationError):
        check(policy)


def test_controllers_are_covered_where_a_policy_names_pods_alone() -> None:
    rule = RULES["harden-pod-isolation"]
    found = kyverno.validating_policies(rule, "p", ["shop"])
    resources = {
        policy["metadata"]["name"]: [each["resources"] for each in policy["spec"]["matchConstraints"]["resourceRules"]]
        for policy in found
    }
    assert resources == {
        "p-warn": [["pods"]], "p-ephemeral-warn": [["pods/ephemeralcontainers"]],
        "p": [["pods"]], "p-ephemeral": [["pods/ephemeralcontainers"]],
    }  # fmt: skip


def test_a_denial_leaves_out_what_lives_in_no_namespace() -> None:
    rule = RULES["harden-rbac-guardrails"]
    _, deny = kyverno.validating_policies(rule, "p", ["shop"])
    (resources,) = deny["spec"]["matchConstraints"]["resourceRules"]
    assert resources["resources"] == ["rolebindings"]
    assert deny["spec"]["evaluation"] == {"background": {"enabled": False}}


@pytest.mark.parametrize("name", ["seed-k04-secure", "seed-k04-kyverno"])
def test_the_golden_policies_fit_the_definitions(name: str) -> None:
    for path in (ROOT / "golden" / "profiles" / "restricted" / name / "after").glob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text()):
            check(document)


def test_the_seed_refuses_what_it_meant_to_once_it_is_corrected() -> None:
    """The four faults of its patterns on the pods that show them."""
    before = yaml.safe_load((ROOT / "golden/profiles/restricted/seed-k04-secure/before/k04.yaml").read_text())
    after = yaml.safe_load((ROOT / "golden/profiles/restricted/seed-k04-secure/after/k04.yaml").read_text())

    def pod(**spec: Any) -> dict[str, Any]:
        return {"spec": {"containers": [{"name": "a"}]} | spec}

    nonroot = {"runAsNonRoot": True}
    table = [
        (pod(securityContext=nonroot), [True, False], [False, False]),  # a good pod that leaves privileged out
        (pod(containers=[{"securityContext": nonroot | {"privileged": False}}]), [False, True], [False, False]),
        (pod(initContainers=[{"securityContext": {"privileged": True}}], securityContext=nonroot), [True, False],
         [True, False]),
        (pod(ephemeralContainers=[{"securityContext": {"privileged": True}}], securityContext=nonroot,
             containers=[{"securityContext": {"privileged": False}}]), [False, False], [True, False]),
        (pod(containers=[{"securityContext": {"privileged": False, "runAsNonRoot": False}}], securityContext=nonroot),
         [False, False], [False, True]),
    ]  # fmt: skip
    for value, old, new in table:
        for policy, wanted in ((before, old), (after, new)):
            messages = [rule["validate"]["message"] for rule in policy["spec"]["rules"]]
            assert [message in broken(policy, "Pod", value) for message in messages] == wanted, value


@pytest.mark.parametrize(
    ("text", "found"),
    [("v1.16.2", (1, 16)), ("1.9", (1, 9)), ("latest", None), ("v1.13.0-rc.1", (1, 13)), ("", None)],
)
def test_versions(text: str, found: tuple[int, int] | None) -> None:
    assert kyverno.version(text) == found


@pytest.mark.parametrize(
    ("text", "found"), [("3.3.7", (1, 13)), ("~3.6.0", (1, 16)), ("3.7.x", (1, 17)), ("2.7.5", None), ("*", None)]
)
def test_versions_of_the_chart(text: str, found: tuple[int, int] | None) -> None:
    assert kyverno.version_of_chart(text) == found


def test_nothing_that_an_object_says_of_itself_leaves_it_out() -> None:
    for rule in RULES.values():
        for part in kyverno.cluster_policy(rule, "x", ["shop"], (1, 16))["spec"]["rules"]:
            assert "exclude" not in part
            for condition in (each for found in part.get("preconditions", {}).values() for each in found):
                assert "metadata" not in condition["key"]
