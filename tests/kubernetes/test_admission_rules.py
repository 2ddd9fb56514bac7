"""Every expression that is written into a policy, run on objects that must pass and on objects that must not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.kubernetes.pods.kubectl_pods import started
from hardener.kubernetes.policies.admission_policy import denial, policy, warning
from hardener.kubernetes.policies.admission_rules import API_SERVER, RULES
from hardener.kubernetes.policies.kyverno import validating_policies
from hardener.kubernetes.policies.mutating_policy import DEFAULTS
from hardener.kubernetes.policies.mutating_policy import binding as binding_of_default
from hardener.kubernetes.policies.mutating_policy import policy as mutating_policy
from tests.cel import given as given_by_default
from tests.cel import refused
from tests.conftest import shared

LISTS = ("containers", "initContainers", "ephemeralContainers")
RESOURCES = {
    "Pod": "pods", "Service": "services", "Secret": "secrets", "RoleBinding": "rolebindings",
    "ClusterRoleBinding": "clusterrolebindings",
}  # fmt: skip


def pod(containers: str = "containers", **security: Any) -> dict[str, Any]:
    """A pod with one container of its own list, and a plain one where that is another list."""
    spec: dict[str, Any] = {"containers": [{"name": "app", "image": "a@sha256:0"}]}
    own = {"name": "own", "image": "b@sha256:0", "securityContext": security}
    spec[containers] = [*spec["containers"], own] if containers == "containers" else [own]
    return {"metadata": {"name": "web"}, "spec": spec}


def with_spec(**fields: Any) -> dict[str, Any]:
    base = pod()
    base["spec"] |= fields
    return base


def binding(role: str, *subjects: dict[str, str], **metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": list(subjects)}


def service(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": spec}


ACCOUNT = {"kind": "ServiceAccount", "name": "my-app", "namespace": "default"}
PERSON = {"kind": "User", "name": "jane"}
ANYBODY = {"kind": "Group", "name": "system:unauthenticated"}
NONROOT = {"securityContext": {"runAsNonRoot": True}}

# Rule, kind, what it is, the object, and how many validations it fails.
CASES: list[tuple[str, str, str, dict[str, Any], int]] = [
    ("pod-isolation", "Pod", "plain", pod(), 0),
    ("pod-isolation", "Pod", "says that it is not privileged", pod(privileged=False), 0),
    *(("pod-isolation", "Pod", f"privileged in {name}", pod(name, privileged=True), 1) for name in LISTS),
    ("pod-isolation", "Pod", "hostPID", with_spec(hostPID=True), 1),
    ("pod-isolation", "Pod", "hostIPC", with_spec(hostIPC=True), 1),
    ("pod-isolation", "Pod", "hostNetwork", with_spec(hostNetwork=True), 1),
    ("pod-isolation", "Pod", "host namespaces refused by itself", with_spec(hostPID=False, hostNetwork=False), 0),
    ("pod-isolation", "Pod", "hostPath", with_spec(volumes=[{"name": "h", "hostPath": {"path": "/"}}]), 1),
    ("pod-isolation", "Pod", "emptyDir", with_spec(volumes=[{"name": "h", "emptyDir": {}}]), 0),
    ("pod-isolation", "Pod", "all of it", with_spec(
        hostPID=True, volumes=[{"name": "h", "hostPath": {"path": "/"}}],
        containers=[{"name": "a", "securityContext": {"privileged": True}}]), 3),
    ("pod-nonroot", "Pod", "says nothing", pod(), 1),
    ("pod-nonroot", "Pod", "pod says it", with_spec(**NONROOT), 0),
    *(("pod-nonroot", "Pod", f"{name} takes it back", {
        "spec": pod(name, runAsNonRoot=False)["spec"] | NONROOT}, 1) for name in LISTS),
    ("pod-nonroot", "Pod", "every container says it", with_spec(containers=[{"name": "a"} | NONROOT]), 0),
    ("pod-nonroot", "Pod", "one container says it, an init container does not", with_spec(
        containers=[{"name": "a"} | NONROOT], initContainers=[{"name": "b"}]), 1),
    ("pod-nonroot", "Pod", "user 0 of the pod", with_spec(securityContext={"runAsNonRoot": True, "runAsUser": 0}), 1),
    ("pod-nonroot", "Pod", "user 0 of a container", {"spec": pod(runAsUser=0)["spec"] | NONROOT}, 1),
    ("pod-nonroot", "Pod", "user 1000", {"spec": pod(runAsUser=1000)["spec"] | NONROOT}, 0),
    ("pod-nonroot", "Pod", "Windows", with_spec(os={"name": "windows"}), 0),
    ("pod-nonroot", "Pod", "Linux by name", with_spec(os={"name": "linux"}), 1),
    ("rbac-guardrails", "ClusterRoleBinding", "seed k02", binding("cluster-admin", ACCOUNT, name="app-admin"), 1),
    ("rbac-guardrails", "ClusterRoleBinding", "cluster-admin of a person", binding("cluster-admin", PERSON), 0),
    *[
        ("rbac-guardrails", "ClusterRoleBinding", f"cluster-admin of an account, as {kind} {name}",
         binding("cluster-admin", {"kind": kind, "name": name}), 1)
        for kind, name in (
            ("User", "system:serviceaccount:shop:x"), ("Group", "system:serviceaccounts"),
            ("Group", "system:serviceaccounts:shop"), ("Group", "system:authenticated"),
        )
    ],
    ("rbac-guardrails", "ClusterRoleBinding", "cluster-admin of a group of people",
     binding("cluster-admin", {"kind": "Group", "name": "oidc:admins"}), 0),
    ("rbac-guardrails", "RoleBinding", "cluster-admin of a namespace for its accounts",
     binding("cluster-admin", {"kind": "Group", "name": "system:serviceaccounts:shop"}), 0),
    ("rbac-guardrails", "RoleBinding", "cluster-admin of one namespace", binding("cluster-admin", ACCOUNT), 0),
    ("rbac-guardrails", "ClusterRoleBinding", "view", binding("view", ACCOUNT), 0),
    ("rbac-guardrails", "ClusterRoleBinding", "nobody", {
        "metadata": {}, "roleRef": {"name": "cluster-admin"}}, 0),
    ("rbac-guardrails", "ClusterRoleBinding", "anybody", binding("view", PERSON, ANYBODY), 1),
    ("rbac-guardrails", "RoleBinding", "anybody, of a namespace", binding("reader", ANYBODY), 1),
    ("rbac-guardrails", "ClusterRoleBinding", "what is public", binding("system:public-info-viewer", ANYBODY), 0),
    ("rbac-guardrails", "RoleBinding", "a Role that is called like what is public", {
        "metadata": {}, "roleRef": {"kind": "Role", "name": "system:public-info-viewer"}, "subjects": [ANYBODY]}, 1),
    ("rbac-guardrails", "RoleBinding", "a Role that is called like one of kubeadm", {
        "metadata": {}, "roleRef": {"kind": "Role", "name": "kubeadm:bootstrap-signer-clusterinfo"},
        "subjects": [ANYBODY]}, 1),
    ("rbac-guardrails", "ClusterRoleBinding", "a label that anybody may set", binding(
        "cluster-admin", ACCOUNT, ANYBODY, labels={"kubernetes.io/bootstrapping": "rbac-defaults"}), 2),
    ("image-digest", "Pod", "pinned", pod(), 0),
    ("image-digest", "Pod", "a tag", with_spec(containers=[{"name": "a", "image": "a:1.2"}]), 1),
    ("image-digest", "Pod", "a tag of an init container", with_spec(initContainers=[{"name": "a", "image": "a"}]), 1),
    ("image-digest", "Pod", "a tag to debug with", with_spec(ephemeralContainers=[{"name": "a", "image": "a"}]), 1),
    ("image-digest", "Pod", "a digest to debug with", pod("ephemeralContainers"), 0),
    ("image-digest", "Pod", "a tag that is mounted", with_spec(
        volumes=[{"name": "v", "emptyDir": {}}, {"name": "m", "image": {"reference": "models:1"}}]), 1),
    ("image-digest", "Pod", "a digest that is mounted", with_spec(
        volumes=[{"name": "m", "image": {"reference": "models@sha256:0", "pullPolicy": "Always"}}]), 0),
    ("image-digest", "Pod", "an image volume without an image", with_spec(volumes=[{"name": "m", "image": {}}]), 1),
    ("service-exposure", "Service", "no type", service(), 0),
    ("service-exposure", "Service", "ClusterIP", service(type="ClusterIP"), 0),
    ("service-exposure", "Service", "LoadBalancer", service(type="LoadBalancer"), 1),
    ("service-exposure", "Service", "NodePort", service(type="NodePort"), 1),
    ("service-exposure", "Service", "externalIPs", service(externalIPs=["1.2.3.4"]), 1),
    ("service-exposure", "Service", "no externalIPs", service(externalIPs=[]), 0),
    ("service-exposure", "Service", "an annotation that anybody may set", {
        "metadata": {"annotations": {"hardener.dev/expose": "the shop"}}, "spec": {"type": "LoadBalancer"}}, 1),
    ("sa-token-secret", "Secret", "no type", {"metadata": {}}, 0),
    ("sa-token-secret", "Secret", "Opaque", {"metadata": {}, "type": "Opaque"}, 0),
    ("sa-token-secret", "Secret", "a token", {"metadata": {}, "type": "kubernetes.io/service-account-token"}, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "value", "count"),
    [(c[0], c[1], c[3], c[4]) for c in CASES],
    ids=[f"{c[0]}: {c[2]}" for c in CASES],
)
def test_what_a_policy_refuses(name: str, kind: str, value: dict[str, Any], count: int) -> None:
    rule = RULES[f"harden-{name}"]
    found = refused(policy(rule, rule.name)["spec"], value, RESOURCES[kind])
    assert found is None or len(found) == count
    assert list(rule.broken(kind, value)) == (found or [])


def test_every_validation_has_an_object_that_passes_and_one_that_fails() -> None:
    for rule in RULES.values():
        spec = policy(rule, rule.name)["spec"]
        own = [refused(spec, c[3], RESOURCES[c[1]]) for c in CASES if f"harden-{c[0]}" == rule.name]
        for _, message in rule.validations:
            assert {message in found for found in own if found is not None} == {True, False}
        assert None not in own  # an object cannot leave itself out


def test_only_the_api_server_itself_is_let_through() -> None:
    rule = RULES["harden-rbac-guardrails"]
    value = binding("cluster-admin", ACCOUNT, ANYBODY, labels={"kubernetes.io/bootstrapping": "rbac-defaults"})
    spec = policy(rule, rule.name)["spec"]
    assert refused(spec, value, "clusterrolebindings", user=API_SERVER) is None
    for user in ("jane", "system:admin", "system:apiserver-2", "system:serviceaccount:kube-system:system:apiserver"):
        assert len(refused(spec, value, "clusterrolebindings", user=user) or []) == 2
    assert not any(each.conditions for each in RULES.values() if each is not rule)


MARKED = {
    "name": "system:public-info-viewer", "namespace": "kube-system",
    "labels": {"kubernetes.io/bootstrapping": "rbac-defaults", "app.kubernetes.io/managed-by": "harden"},
    "annotations": {
        "hardener.dev/expose": "why", "hardener.dev/ignore-all": "why", "kubernetes.io/config.mirror": "0",
        "rbac.authorization.kubernetes.io/autoupdate": "true",
    },
}  # fmt: skip


@pytest.mark.parametrize("case", [c for c in CASES if c[4]], ids=[f"{c[0]}: {c[2]}" for c in CASES if c[4]])
def test_no_mark_on_an_object_lets_it_through(case: tuple[str, str, str, dict[str, Any], int]) -> None:
    rule = RULES[f"harden-{case[0]}"]
    found = refused(policy(rule, rule.name)["spec"], case[3] | {"metadata": MARKED}, RESOURCES[case[1]])
    assert len(found or []) == case[4]


TAGGED = {"name": "app", "image": "a:1.2"}
MOUNTED = [{"name": "m", "image": {"reference": "models:1"}}]


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        (pod(), with_spec(containers=[TAGGED]), 1),  # kubectl set image
        (with_spec(containers=[TAGGED]), with_spec(containers=[TAGGED]) | {"metadata": {"labels": {"a": "b"}}}, 0),
        (with_spec(containers=[TAGGED]), with_spec(containers=[TAGGED | {"image": "a:1.3"}]), 1),
        (with_spec(containers=[TAGGED | {"name": "b"}]), with_spec(containers=[TAGGED]), 1),
        (with_spec(containers=[TAGGED]), pod(), 0),
        (pod(), with_spec(ephemeralContainers=[TAGGED | {"name": "debug"}]), 1),  # kubectl debug
        (pod(), pod("ephemeralContainers"), 0),
        (with_spec(containers=[TAGGED]), with_spec(containers=[TAGGED], ephemeralContainers=[{
            "name": "debug", "image": "b@sha256:0"}]), 0),
        (with_spec(volumes=MOUNTED), with_spec(volumes=MOUNTED), 0),
    ],
)  # fmt: skip
def test_what_an_update_may_do_to_images(old: dict[str, Any], new: dict[str, Any], count: int) -> None:
    rule = RULES["harden-image-digest"]
    for spec in (policy(rule, rule.name)["spec"], *(each["spec"] for each in validating_policies(rule, "p", ["shop"]))):
        assert len(refused(spec, new, old=old) or []) == count


def test_every_way_in_is_watched() -> None:
    """What may change later is looked at when it changes; what stays as it was created need not be."""
    found = {
        name: sorted((each["resources"][0], tuple(each["operations"])) for each in rule.resources)
        for name, rule in RULES.items()
    }
    debug = ("pods/ephemeralcontainers", ("UPDATE",))
    both = ("CREATE", "UPDATE")
    assert found == {
        "harden-pod-isolation": [("pods", ("CREATE",)), debug],
        "harden-pod-nonroot": [("pods", ("CREATE",)), debug],
        "harden-rbac-guardrails": [("clusterrolebindings", both)],
        "harden-image-digest": [("pods", both), debug],
        "harden-service-exposure": [("services", both)],
        "harden-sa-token-secret": [("secrets", ("CREATE",))],
    }


@pytest.mark.parametrize("name", LISTS)
def test_the_pod_of_the_seed_is_refused_in_every_list_of_containers(name: str) -> None:
    (run,) = started(shared("seed", "k04-insecure.sh").read_text())
    assert run.pod is not None
    (hack,) = run.pod["spec"]["containers"]
    assert hack["securityContext"] == {"privileged": True}
    rule = RULES["harden-pod-isolation"]
    value = pod()
    value["spec"][name] = [*value["spec"].get(name, []), hack]
    for each in (run.pod, value):
        assert refused(policy(rule, rule.name)["spec"], each) == [rule.validations[0][1]]


SECURITY = st.fixed_dictionaries(
    {}, optional={"privileged": st.booleans(), "runAsNonRoot": st.booleans(), "runAsUser": st.sampled_from([0, 1000])}
)
CONTAINER = st.fixed_dictionaries(
    {"name": st.just("a")},
    optional={"securityContext": SECURITY, "image": st.sampled_from(["a:1", "a@sha256:0", "a:1@sha256:0"])},
)
PODS = st.fixed_dictionaries(
    {"containers": st.lists(CONTAINER, min_size=1, max_size=2)},
    optional={
        "initContainers": st.lists(CONTAINER, max_size=2),
        "ephemeralContainers": st.lists(CONTAINER, max_size=1),
        "securityContext": SECURITY,
        "hostPID": st.booleans(),
        "hostNetwork": st.booleans(),
        "hostIPC": st.booleans(),
        "os": st.fixed_dictionaries({"name": st.sampled_from(["linux", "windows"])}),
        "volumes": st.lists(
            st.sampled_from(
                [
                    {"name": "a", "emptyDir": {}},
                    {"name": "b", "hostPath": {"path": "/"}},
                    {"name": "c", "image": {"reference": "c:1"}},
                    {"name": "d", "image": {"reference": "d@sha256:0"}},
                ]
            ),
            max_size=2,
        ),
    },
)


@pytest.mark.slow
@given(PODS)
@settings(max_examples=60)
def test_the_expressions_and_their_twins_in_python_agree_on_pods(spec: dict[str, Any]) -> None:
    value = {"metadata": {"name": "web"}, "spec": spec}
    for rule in RULES.values():
        if "Pod" in rule.kinds:
            assert refused(policy(rule, rule.name)["spec"], value) == list(rule.broken("Pod", value)), json.dumps(value)


def test_a_denial_leaves_out_what_lives_in_no_namespace() -> None:
    rule = RULES["harden-rbac-guardrails"]
    resources = denial(rule, rule.name, rule.name, ["shop"])["spec"]["matchResources"]
    assert [each["resources"] for each in resources["resourceRules"]] == [["rolebindings"]]
    for other in RULES.values():
        if other is not rule:
            assert "resourceRules" not in denial(other, other.name, other.name, ["shop"])["spec"]["matchResources"]


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.30", "1.34", "1.37"])
def test_policies_and_bindings_fit_the_schema(version: str) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    for rule in RULES.values():
        for value in (policy(rule, rule.name), warning(rule.name, "w"), denial(rule, rule.name, "d", ["shop"])):
            validate.validate(value, version, strict=True)
            actions = set(value["spec"].get("validationActions", []))
            assert not {"Deny", "Warn"} <= actions  # the API server refuses it


@pytest.mark.parametrize(
    ("name", "spec", "added"),
    [
        ("seccomp", {}, {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}),
        ("seccomp", {"securityContext": {"runAsNonRoot": True}},
         {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}),
        ("seccomp", {"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "a"}}}, None),
        ("seccomp", {"os": {"name": "windows"}}, None),
        ("seccomp", {"os": {"name": "linux"}}, {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}),
    ],
)  # fmt: skip
def test_what_pods_get_by_default(name: str, spec: dict[str, Any], added: dict[str, Any] | None) -> None:
    (default,) = (each for each in DEFAULTS if each.name == f"harden-default-{name}")
    body = mutating_policy(default, default.name)["spec"]
    assert given_by_default(body, {"spec": spec}) == (None if added is None else {"spec": added})
    assert given_by_default(body, {"spec": spec}, "system:nodes") is None  # a mirror pod stays as its file


def test_no_default_is_about_what_another_plugin_has_done_before() -> None:
    """The API server runs policies that change objects behind its own plugins, which have mounted the token by then."""
    assert [default.name for default in DEFAULTS] == ["harden-default-seccomp"]


@pytest.mark.parametrize("version", ["1.36", "1.37"])
def test_policies_that_give_defaults_fit_the_schema(version: str) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    for default in DEFAULTS:
        for value in (mutating_policy(default, default.name), binding_of_default(default.name, "b", ["shop"])):
            validate.validate(value, version, strict=True)
