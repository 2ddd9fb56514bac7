"""What requests of a log need beside the right that is recorded for them."""

from __future__ import annotations

import pytest

from hardener.kubernetes.rbac.rules import Rule, compact
from hardener.kubernetes.rbac.unlogged_rights import completed, is_unlogged, makes_objects

RBAC = "rbac.authorization.k8s.io"
CERTIFICATES = "certificates.k8s.io"


def rule(group: str, resource: str, *verbs: str, names: tuple[str, ...] = ()) -> Rule:
    return Rule((group,), (resource,), verbs, names)


EXEC = rule("", "pods/exec", "get", "create")
GIVEN = {
    "exec by GET": (rule("", "pods/exec", "get"), [EXEC]),
    "exec by POST": (rule("", "pods/exec", "create"), [EXEC]),
    "exec by both": (EXEC, [EXEC]),
    "of one pod it stays one": (
        rule("", "pods/exec", "get", names=("web",)), [rule("", "pods/exec", "get", "create", names=("web",))],
    ),
    "attach": (rule("", "pods/attach", "get"), [rule("", "pods/attach", "get", "create")]),
    "a forward": (rule("", "pods/portforward", "create"), [rule("", "pods/portforward", "get", "create")]),
    "a log of a pod": (rule("", "pods/log", "get"), [rule("", "pods/log", "get")]),
    "a proxy asks for its own verb": (rule("", "pods/proxy", "get"), [rule("", "pods/proxy", "get")]),
    "a role that is named": (
        rule(RBAC, "clusterroles", "bind", names=("view",)), [rule(RBAC, "clusterroles", "bind", names=("view",))],
    ),
    "a Route": (
        rule("route.openshift.io", "routes", "create"),
        [rule("route.openshift.io", "routes", "create"),
         rule("route.openshift.io", "routes/custom-host", "create", "update")],
    ),
    "to read a Route": (rule("route.openshift.io", "routes", "get"), [rule("route.openshift.io", "routes", "get")]),
    "the state of a custom resource": (
        rule("example.com", "shops/status", "update"),
        [rule("example.com", "shops/finalizers", "update"), rule("example.com", "shops/status", "update")],
    ),
    "the state of a Deployment": (
        rule("apps", "deployments/status", "patch"), [rule("apps", "deployments/status", "patch")],
    ),
    "a path": (Rule((), (), ("get",), (), ("/metrics",)), [Rule((), (), ("get",), (), ("/metrics",))]),
}  # fmt: skip


@pytest.mark.parametrize("case", GIVEN)
def test_what_a_request_needs_besides_is_given(case: str) -> None:
    seen, wanted = GIVEN[case]
    found = completed([seen])
    assert compact(found.rules) == compact(wanted)
    assert bool(found.added) is (compact(found.rules) != [seen] or "bind" in seen.verbs)
    assert not found.missing


MISSING = {
    "a role that nothing names": (rule(RBAC, "rolebindings", "bind", "create"), "it binds roles"),
    "more roles than are kept": (rule(RBAC, "clusterroles", "bind"), "it binds roles"),
    "a role is written": (rule(RBAC, "roles", "create"), "escalate"),
    "a ClusterRole is written": (rule(RBAC, "clusterroles", "patch", names=("a",)), "escalate"),
    "a certificate is approved": (rule(CERTIFICATES, "certificatesigningrequests/approval", "update"), "approve"),
    "a certificate is signed": (rule(CERTIFICATES, "certificatesigningrequests/status", "patch"), "sign on"),
    "a policy with parameters": (
        rule("admissionregistration.k8s.io", "validatingadmissionpolicies", "create"), "get on the kind",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISSING)
def test_what_cannot_be_known_is_named_and_never_given(case: str) -> None:
    seen, said = MISSING[case]
    found = completed([seen])
    assert [said in text for text in found.missing] == [True]
    assert not any("bind" in each.verbs or "escalate" in each.verbs for each in found.rules)


@pytest.mark.parametrize(
    "seen", [rule(RBAC, "roles", "get", "delete"), rule(RBAC, "rolebindings", "delete"), rule("", "secrets", "create")]
)
def test_of_other_requests_nothing_is_missing(seen: Rule) -> None:
    found = completed([seen])
    assert (found.rules, found.added, found.missing) == ([seen], [], [])


@pytest.mark.parametrize(
    ("each", "unlogged"),
    [
        (Rule((), (), ("get",), (), ("/metrics",)), True),
        (rule("", "nodes/metrics", "get"), True),
        (rule("security.openshift.io", "securitycontextconstraints", "use"), True),
        (rule("", "nodes", "get"), False),
        (rule("", "pods/exec", "create"), False),
    ],
)
def test_some_rights_are_used_without_a_request_in_the_log(each: Rule, unlogged: bool) -> None:
    assert is_unlogged(each) is unlogged


@pytest.mark.parametrize(
    ("each", "makes"),
    [
        (rule("apps", "deployments", "patch"), True),
        (rule("example.com", "shops/status", "update"), True),
        (rule("", "pods", "get", "list", "watch"), False),
        (rule("", "pods/exec", "create"), False),
    ],
)
def test_who_writes_objects_tells_of_it_by_events(each: Rule, makes: bool) -> None:
    assert makes_objects(each) is makes
