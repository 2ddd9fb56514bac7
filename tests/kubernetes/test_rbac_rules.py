"""What rules of RBAC grant, what their stars stand for, and which grants lead further."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.kubernetes.objects.custom_definitions import definitions
from hardener.kubernetes.objects.discovery import Discovery, Row
from hardener.kubernetes.rbac.bootstrap import is_bootstrapped
from hardener.kubernetes.rbac.dangerous_grants import GRANTS, dangerous
from hardener.kubernetes.rbac.expansion import expand_groups, expand_resources, expand_verbs
from hardener.kubernetes.rbac.kubectl_commands import needed, wait_for
from hardener.kubernetes.rbac.owners import is_built_in, owner
from hardener.kubernetes.rbac.platform import named_like, proved
from hardener.kubernetes.rbac.rules import Rule, compact, rule_of

NOW = (1, 35)
ALL = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
READ = ("get", "list", "watch")


def rule(groups: str, resources: str, verbs: str, *names: str) -> Rule:
    """A rule from words; the core group is "core"."""
    return Rule(
        tuple(name.replace("core", "") for name in groups.split()),
        tuple(resources.split()),
        tuple(verbs.split()),
        names,
    )


@pytest.mark.parametrize(
    ("own", "asked", "allowed"),
    [
        (rule("core", "pods", "get"), ("", "pods", "get"), True),
        (rule("core", "pods", "get"), ("", "pods/log", "get"), False),
        (rule("core", "*", "get"), ("", "pods/log", "get"), True),
        (rule("apps", "*/scale", "update"), ("apps", "deployments/scale", "update"), True),
        (rule("apps", "*/scale", "update"), ("apps", "deployments", "update"), False),
        (rule("core", "pods/*", "get"), ("", "pods/log", "get"), False),  # no wildcard in RBAC
        (rule("*", "secrets", "*"), ("", "secrets", "list"), True),
        (rule("apps", "secrets", "*"), ("", "secrets", "list"), False),
        (rule("core", "secrets", "get create", "own"), ("", "secrets", "get"), True),
        (rule("core", "secrets", "get create", "own"), ("", "secrets", "create"), False),  # carries no name
        (rule("core", "secrets", "deletecollection", "own"), ("", "secrets", "deletecollection"), False),
        (rule("core", "pods/exec", "create", "own"), ("", "pods/exec", "create"), True),  # its path has the name
    ],
)
def test_what_a_rule_covers(own: Rule, asked: tuple[str, str, str], allowed: bool) -> None:
    assert own.covers(*asked) is allowed


@pytest.mark.parametrize(
    ("own", "everything"),
    [
        (rule("*", "*", "*"), True),
        (rule("core", "*", "*"), True),
        (rule("apps", "*", "*"), False),
        (rule("*", "*", "get"), False),
    ],
)
def test_what_makes_an_administrator(own: Rule, everything: bool) -> None:
    assert own.is_everything is everything


def test_the_core_group_for_reading_is_written_out() -> None:
    found = expand_resources(rule("core", "*", "get watch list"), Discovery(NOW), namespaced=True)
    assert [(each.resources, each.verbs) for each in found.rules] == [
        (
            (
                "configmaps", "endpoints", "events", "limitranges", "persistentvolumeclaims", "pods", "podtemplates",
                "replicationcontrollers", "resourcequotas", "secrets", "serviceaccounts", "services",
            ),
            READ,
        ),
        (
            (
                "persistentvolumeclaims/status", "pods/log", "pods/resize", "pods/status",
                "replicationcontrollers/scale", "replicationcontrollers/status", "resourcequotas/status",
                "services/status",
            ),
            ("get",),
        ),
    ]  # fmt: skip
    assert found.lost == [
        "get pods/attach", "get pods/ephemeralcontainers", "get pods/exec", "get pods/portforward", "get pods/proxy",
        "get services/proxy",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "verbs", "lost"),
    [
        (rule("apps", "statefulsets", "*"), ALL, []),
        (rule("core", "pods pods/log", "*"), ALL, []),
        (rule("core", "pods/log", "*"), ("get",), []),
        (rule("core", "users", "*"), ("impersonate",), []),
        (rule("core", "serviceaccounts", "*"), ALL, ["impersonate serviceaccounts"]),
        (rule("rbac.authorization.k8s.io", "roles", "*"), ALL, ["bind roles", "escalate roles"]),
        (rule("apps", "deployments/finalizers", "*"), ("update",), []),
        (rule("core", "configmaps", "*", "own"), ("get", "list", "watch", "update", "patch", "delete"), []),
        (rule("core", "pods/eviction", "*", "own"), ("create",), []),
    ],
)
def test_verbs_are_written_out(own: Rule, verbs: tuple[str, ...], lost: list[str]) -> None:
    found = expand_verbs(own, Discovery(NOW))
    assert [each.verbs for each in found.rules] == [verbs]
    assert found.lost == lost


def test_what_is_not_known_is_not_written_out() -> None:
    discovery = Discovery(NOW)
    assert expand_verbs(rule("example.com", "shops", "*"), discovery).unknown == ["shops"]
    assert expand_resources(rule("example.com", "*", "get"), discovery, namespaced=True).rules == []
    assert expand_groups(rule("*", "shops", "get"), discovery).unknown == ["shops"]


def test_a_group_of_which_nothing_is_left_hinders_nothing() -> None:
    found = expand_resources(rule("apps extensions", "*", "list"), Discovery(NOW), namespaced=True)
    assert {each.groups for each in found.rules} == {("apps",)}


def test_groups_are_written_out() -> None:
    found = expand_groups(rule("*", "events ingresses", "get"), Discovery(NOW))
    assert [each.groups for each in found.rules] == [("", "events.k8s.io", "networking.k8s.io")]


def test_a_role_gets_what_lives_in_a_namespace() -> None:
    discovery = Discovery(NOW)
    own = rule("rbac.authorization.k8s.io", "*", "get")
    in_role = expand_resources(own, discovery, namespaced=True).rules
    in_cluster_role = expand_resources(own, discovery, namespaced=False).rules
    assert [each.resources for each in in_role] == [("rolebindings", "roles")]
    assert in_cluster_role[0].resources == ("clusterrolebindings", "clusterroles", "rolebindings", "roles")


@pytest.mark.parametrize(
    ("version", "resource", "known"),
    [((1, 31), "pods/resize", False), ((1, 33), "pods/resize", True), ((1, 25), "pods", True)],
)
def test_the_table_is_of_a_release(version: tuple[int, int], resource: str, known: bool) -> None:
    assert (Discovery(version).find("", resource) is not None) is known


def test_a_definition_may_hold_names_and_sub_resources_in_one_line() -> None:
    text = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: orders.example.com}
spec:
  group: example.com
  names: {kind: Order, listKind: OrderList, plural: orders}
  scope: Namespaced
  versions:
  - name: v1
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas}}
"""
    assert [row.resource for row in definitions(text)] == ["orders", "orders/status", "orders/scale"]


def test_definitions_are_read_off_their_text() -> None:
    text = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: shops.example.com
spec:
  group: example.com
  names:
    kind: Shop
    plural: shops
  scope: Cluster
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          scale:
            type: integer
    subresources:
      status: {}
---
apiVersion: v1
kind: ConfigMap
"""
    assert list(definitions(text)) == [
        Row("example.com", "shops", "Shop", False, ALL, custom=True),
        Row("example.com", "shops/status", "Shop", False, ("get", "update", "patch"), custom=True),
    ]


def test_rules_of_one_kind_stand_together() -> None:
    assert compact(
        [rule("core", "pods", "list"), rule("core", "pods", "get"), rule("core", "services", "get list")]
    ) == [rule("core", "pods services", "get list")]


def test_a_rule_keeps_its_fields() -> None:
    value = {"apiGroups": [""], "resources": ["pods"], "resourceNames": ["web"], "verbs": ["get"]}
    assert rule_of(value).value() == value
    assert rule_of({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}).value()["nonResourceURLs"] == ["/metrics"]


RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io"


@pytest.mark.parametrize(
    ("own", "ids"),
    [
        (rule("*", "*", "*"), {"D01"}),
        (rule(RBAC, "clusterroles", "escalate"), {"D02"}),
        (rule(RBAC, "roles", "bind"), {"D03"}),
        (rule(RBAC, "rolebindings", "create"), {"D03"}),
        (rule("core", "users groups", "impersonate"), {"D04"}),
        (rule("authentication.k8s.io", "userextras/scopes", "impersonate"), {"D04"}),
        (rule("authentication.k8s.io", "users", "impersonate:user-info"), {"D04"}),
        (rule(RBAC, "roles", "patch"), {"D05"}),
        (rule("core", "secrets", "watch"), {"D06"}),
        (rule("core", "secrets", "get", "own"), set()),
        (rule("core", "secrets", "create"), {"D07"}),
        (rule("core", "serviceaccounts/token", "create"), {"D08"}),
        (rule("core", "serviceaccounts/token", "create", "own"), set()),
        (rule("core", "pods", "create"), {"D09"}),
        (rule("apps", "deployments", "patch"), {"D09"}),
        (rule("batch", "cronjobs", "create"), {"D09"}),
        (rule("core", "pods/exec", "create"), {"D10"}),
        (rule("core", "pods/exec", "get"), set()),
        (rule("core", "pods/exec", "create", "vault-0"), {"D10"}),
        (rule("core", "pods/ephemeralcontainers", "patch"), {"D11"}),
        (rule("core", "pods", "update"), {"D12"}),
        (rule("core", "nodes/proxy", "get"), {"D13"}),
        (rule("core", "nodes", "patch"), {"D14"}),
        (rule("core", "pods/eviction", "create"), {"D14"}),
        (rule("certificates.k8s.io", "certificatesigningrequests/approval", "update"), {"D15"}),
        (rule("certificates.k8s.io", "signers", "approve"), {"D15"}),
        (rule(ADMISSION, "validatingadmissionpolicies", "delete"), {"D16"}),
        (rule(ADMISSION, "mutatingwebhookconfigurations", "patch"), {"D16"}),
        (rule("core", "persistentvolumes", "create"), {"D17"}),
        (rule("core", "configmaps", "update"), {"D18"}),
        (rule("core", "services/status", "patch"), {"D19"}),
        (rule("discovery.k8s.io", "endpointslices", "update"), {"D20"}),
        (rule("apiregistration.k8s.io", "apiservices", "create"), {"D21"}),
        (rule("core", "namespaces", "patch"), {"D22"}),
        (rule("apiextensions.k8s.io", "customresourcedefinitions", "patch"), {"D23"}),
        (rule("core", "services/proxy", "get"), {"D24"}),
        (rule("core", "events", "delete"), {"D25"}),
        (rule("networking.k8s.io", "networkpolicies", "delete"), {"D26"}),
        (rule("external-secrets.io", "pushsecrets", "create"), {"D27"}),
        (rule("kyverno.io", "policyexceptions", "create"), {"D28"}),
        (rule("security.openshift.io", "securitycontextconstraints", "update"), {"D30"}),
        (rule("core", "configmaps pods services", "get list watch"), set()),
    ],
)
def test_a_dangerous_grant_is_known(own: Rule, ids: set[str]) -> None:
    assert {grant.id for grant, _, _ in dangerous([(0, own)], NOW, system=True)} == ids


def test_everything_of_one_name_makes_no_administrator() -> None:
    found = {grant.id for grant, _, _ in dangerous([(0, rule("*", "*", "*", "own"))], NOW, system=True)}
    assert "D01" not in found and "D02" in found


def test_get_on_exec_runs_commands_before_1_35() -> None:
    own = [(0, rule("core", "pods/exec", "get"))]
    assert [grant.id for grant, _, _ in dangerous(own, (1, 34), system=True)] == ["D10"]


def test_every_row_of_the_list_is_there() -> None:
    special = {"D01", "D18", "D29"}  # these have conditions of their own
    assert {grant.id for grant in GRANTS} | special == {f"D{number:02}" for number in range(1, 31)}


@pytest.mark.parametrize(
    ("words", "rules"),
    [
        (["kubectl", "rollout", "restart", "deploy/x"], [rule("apps", "deployments", "get patch", "x")]),
        (["kubectl", "get", "pods", "-l", "app=web"], [rule("core", "pods", "list")]),
        (["kubectl", "get", "cm", "settings", "-o", "yaml"], [rule("core", "configmaps", "get", "settings")]),
        (
            ["kubectl", "wait", "--for=condition=ready", "pod/x"],
            [rule("core", "pods", "get", "x"), rule("core", "pods", "list watch")],
        ),
        (
            ["/bin/sh", "-c", "kubectl scale deployment web --replicas=0; echo done"],
            [rule("apps", "deployments", "get", "web"), rule("apps", "deployments/scale", "get patch update", "web")],
        ),
        (
            ["kubectl", "logs", "web"],
            [rule("core", "pods", "get", "web"), rule("core", "pods/log", "get", "web")],
        ),
        (["kubectl", "apply", "-f", "x.yaml"], None),
        (["kubectl", "get", "pods", "-A"], None),
        (["kubectl", "get", "nodes"], None),
        (["kubectl", "delete", "pod", "$POD"], None),
        (["kubectl", "delete", "pod", "--unknown-flag", "x"], None),
        (["kubectl", "get", "shops"], None),
        (["sh", "-c", "kubectl get pods; ./run"], None),
    ],
)
def test_what_kubectl_commands_need(words: list[str], rules: list[Rule] | None) -> None:
    found = needed(words, Discovery(NOW))
    assert (None if found is None else [own for need in found for own in need.rules]) == rules


def test_what_waiting_for_others_needs() -> None:
    found = wait_for(["job", "migrate"])
    assert found is not None
    assert [own.resources for own in found[0].rules] == [("jobs",), ("pods",)]
    assert wait_for([]) is None


NODES = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]}
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
LABEL = {"kubernetes.io/bootstrapping": "rbac-defaults"}
PROXIER = {"roleRef": {"kind": "ClusterRole", "name": "system:node-proxier"}}


@pytest.mark.parametrize(
    ("kind", "metadata", "data", "is_known"),
    [
        # What is equal to a role or binding of every cluster, or gives less.
        ("ClusterRole", {"name": "cluster-admin"}, {"rules": [EVERYTHING]}, True),
        ("ClusterRole", {"name": "system:node-proxier"}, {"rules": [NODES]}, True),
        ("ClusterRole", {"name": "system:node-proxier"}, {"rules": [NODES | {"verbs": ["get"]}]}, True),
        ("ClusterRole", {"name": "system:node-proxier"}, {"rules": []}, True),
        ("ClusterRole", {"name": "system:node-proxier"}, {"rules": [NODES | {"resourceNames": ["a"]}]}, True),
        ("ClusterRoleBinding", {"name": "cluster-admin"}, {
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": "system:masters"}],
        }, True),
        ("ClusterRoleBinding", {"name": "system:node-proxier"},
         PROXIER | {"subjects": [{"kind": "User", "name": "system:kube-proxy"}]}, True),
        ("ClusterRoleBinding", {"name": "system:node"},
         {"roleRef": {"kind": "ClusterRole", "name": "system:node"}}, True),
        ("ClusterRoleBinding", {"name": "kubeadm:node-proxier"},
         PROXIER | {"subjects": [{"kind": "ServiceAccount", "name": "kube-proxy", "namespace": "kube-system"}]}, True),
        # Its name, and other data.
        ("ClusterRole", {"name": "system:node-proxier"}, {"rules": [EVERYTHING]}, False),
        ("ClusterRole", {"name": "system:node-proxier"}, {"rules": [NODES | {"resources": ["*"]}]}, False),
        ("ClusterRole", {"name": "system:node-proxier"}, {"rules": [NODES | {"verbs": ["get", "patch"]}]}, False),
        ("ClusterRole", {"name": "system:node-proxier"}, {"rules": [NODES | {"verbs": "${VERBS}"}]}, False),
        ("ClusterRole", {"name": "system:node-proxier"}, {"rules": "${RULES}"}, False),
        ("ClusterRole", {"name": "system:kube-scheduler"}, {
            "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["update"]}],
        }, False),  # there only of its own name
        ("ClusterRole", {"name": "system:node-proxier"},
         {"rules": [NODES], "aggregationRule": {"clusterRoleSelectors": [{}]}}, False),
        ("ClusterRole", {"name": "admin"}, {"aggregationRule": {"clusterRoleSelectors": [{}]}}, False),
        ("ClusterRole", {"name": "admin"}, {"rules": [EVERYTHING]}, False),
        ("ClusterRole", {"name": "system:node",
                         "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}, {"rules": []}, False),
        ("Role", {"name": "system:node-proxier", "namespace": "shop"}, {"rules": [NODES]}, False),
        ("Role", {"name": "extension-apiserver-authentication-reader", "namespace": "shop"}, {"rules": []}, False),
        ("ClusterRoleBinding", {"name": "system:node-proxier"},
         PROXIER | {"subjects": [{"kind": "Group", "name": "system:authenticated"}]}, False),
        ("ClusterRoleBinding", {"name": "system:node-proxier"}, PROXIER | {"subjects": "${SUBJECTS}"}, False),
        ("ClusterRoleBinding", {"name": "system:node-proxier"}, {
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": "system:kube-proxy"}],
        }, False),
        # A name or a label of what no cluster has.
        ("ClusterRole", {"name": "system:nodes"}, {"rules": []}, False),
        ("ClusterRole", {"name": "eks:addon-manager"}, {"rules": []}, False),
        ("ClusterRole", {"name": "aks-service"}, {"rules": []}, False),
        ("ClusterRole", {"name": "kubeadm:x"}, {"rules": []}, False),
        ("ClusterRole", {"name": "x", "labels": LABEL}, {"rules": []}, False),
        ("ClusterRole", {"name": "web"}, {"rules": []}, False),
    ],
)  # fmt: skip
def test_what_belongs_to_the_cluster(kind: str, metadata: dict[str, Any], data: dict[str, Any], is_known: bool) -> None:
    assert (owner(kind, {"metadata": metadata, **data}) is not None) is (is_known or "aggregationRule" in data)
    assert (is_bootstrapped(kind, {"metadata": metadata, **data}) is not None) is is_known


def test_an_aggregated_role_is_filled_in_by_a_controller() -> None:
    value = {"metadata": {"name": "x"}, "aggregationRule": {"clusterRoleSelectors": []}}
    assert owner("ClusterRole", value) == "a controller fills in its rules (aggregationRule)"


def test_roles_that_every_cluster_has() -> None:
    assert is_built_in("ClusterRole", "view")
    assert is_built_in("Role", "extension-apiserver-authentication-reader")
    assert not is_built_in("Role", "view")


def test_a_name_alone_is_no_platform() -> None:
    (velero,) = named_like("velero")
    assert not proved(velero, [], [])
    assert proved(velero, ["docker.io/velero/velero"], [])
    assert proved(velero, [], ["velero"])
    assert named_like("web") == []
