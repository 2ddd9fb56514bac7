"""What SecurityContextConstraints open, and which of them a rule lets pods use."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.kubernetes.rbac.rules import Rule
from hardener.kubernetes.rbac.security_context_constraints import (
    built_in,
    described,
    is_of_the_cluster,
    openings,
    used_by,
)

CLOSED: dict[str, Any] = {
    "allowPrivilegedContainer": False, "allowedCapabilities": ["NET_BIND_SERVICE"],
    "runAsUser": {"type": "MustRunAsRange"}, "seLinuxContext": {"type": "MustRunAs"},
    "fsGroup": {"type": "RunAsAny"}, "supplementalGroups": {"type": "RunAsAny"}, "volumes": ["configMap", "secret"],
}  # fmt: skip
OPEN: dict[str, tuple[dict[str, Any], list[str], bool]] = {
    "nothing": ({}, [], False),
    "privileged": ({"allowPrivilegedContainer": True}, ["privileged containers"], True),
    "network and ports": (
        {"allowHostNetwork": True, "allowHostPorts": True}, ["the network of the node", "ports of the node"], False,
    ),
    "processes and memory": (
        {"allowHostPID": True, "allowHostIPC": True},
        ["the processes of the node", "the memory that processes of the node share"], False,
    ),
    "paths of the node": ({"allowHostDirVolumePlugin": True}, ["paths of the node"], False),
    "paths of the node for root": (
        {"allowHostDirVolumePlugin": True, "runAsUser": {"type": "RunAsAny"}},
        ["paths of the node", "any user, root too"], True,
    ),
    "any user": ({"runAsUser": {"type": "RunAsAny"}}, ["any user, root too"], False),
    "root, by number": ({"runAsUser": {"type": "MustRunAs", "uid": 0}}, ["root"], False),
    "another number": ({"runAsUser": {"type": "MustRunAs", "uid": 1000}}, [], False),
    "a range from root on": ({"runAsUser": {"type": "MustRunAsRange", "uidRangeMin": 0}}, ["root"], False),
    "root of a user namespace": (
        {"runAsUser": {"type": "RunAsAny"}, "userNamespaceLevel": "RequirePodLevel"}, [], False,
    ),
    "every capability": ({"allowedCapabilities": ["*"]}, ["every capability"], True),
    "a capability that owns the node": ({"allowedCapabilities": ["CAP_SYS_ADMIN"]}, ["capability SYS_ADMIN"], True),
    "others": (
        {"allowedCapabilities": ["NET_ADMIN", "CHOWN", "SYS_PTRACE"]}, ["capabilities NET_ADMIN, SYS_PTRACE"], False,
    ),
    "given unasked": ({"defaultAddCapabilities": ["NET_ADMIN"]}, ["without asking capability NET_ADMIN"], False),
    "labels of SELinux": ({"seLinuxContext": {"type": "RunAsAny"}}, ["any SELinux label"], False),
    "sysctls": ({"allowedUnsafeSysctls": ["kernel.msg*"]}, ["sysctls that reach the node"], False),
    "no seccomp": ({"seccompProfiles": ["*"]}, ["no seccomp profile"], False),
    "every volume, without the node": ({"volumes": ["*"]}, ["every kind of volume but paths of the node"], False),
    "null is nothing": ({"allowedCapabilities": None, "runAsUser": None, "volumes": None}, [], False),
    "shapes that the API refuses": ({"allowedCapabilities": "*", "runAsUser": "RunAsAny", "volumes": {}}, [], False),
}  # fmt: skip


@pytest.mark.parametrize("case", OPEN)
def test_what_an_object_opens(case: str) -> None:
    change, wanted, owns = OPEN[case]
    found = openings(CLOSED | change)
    assert [opening.text for opening in found] == wanted
    assert any(opening.owns_node for opening in found) is owns
    assert all(opening.path for opening in found)


@pytest.mark.parametrize("name", ["restricted", "restricted-v2", "restricted-v3", "nonroot", "nonroot-v2"])
def test_what_openshift_gives_everybody_opens_nothing(name: str) -> None:
    assert built_in(name) == ()


@pytest.mark.parametrize(
    ("name", "owns"),
    [
        ("privileged", True),
        ("hostmount-anyuid", True),
        ("hostaccess", False),
        ("anyuid", False),
        ("hostnetwork-v2", False),
    ],
)
def test_what_the_others_of_openshift_open(name: str, owns: bool) -> None:
    found = built_in(name)
    assert found and any(opening.owns_node for opening in found) is owns


def test_of_another_one_nothing_is_known() -> None:
    assert built_in("vendor") is None


GROUP, RESOURCE = "security.openshift.io", "securitycontextconstraints"
RULES = {
    "by name": (Rule((GROUP,), (RESOURCE,), ("use",), ("anyuid",)), ("anyuid",)),
    "all": (Rule((GROUP,), (RESOURCE,), ("use",)), ("*",)),
    "every verb": (Rule((GROUP,), (RESOURCE,), ("*",)), ("*",)),
    "everything of the group": (Rule((GROUP,), ("*",), ("use",)), ("*",)),
    "every group": (Rule(("*",), (RESOURCE,), ("use",)), ("*",)),
    "to read": (Rule((GROUP,), (RESOURCE,), ("get", "list")), ()),
    "of another group": (Rule(("policy",), ("podsecuritypolicies",), ("use",)), ()),
    "a path": (Rule((), (), ("*",), (), ("/metrics",)), ()),
}


@pytest.mark.parametrize("case", RULES)
def test_which_a_rule_lets_pods_use(case: str) -> None:
    rule, names = RULES[case]
    assert used_by(rule) == names


@pytest.mark.parametrize(
    ("name", "users", "groups", "own"),
    [
        ("privileged", ["system:admin"], ["system:cluster-admins"], True),
        ("privileged", ["system:serviceaccount:openshift-infra:build-controller"], [], True),
        ("privileged", ["system:serviceaccount:shop:web"], [], False),
        ("anyuid", [], ["system:authenticated"], False),
        ("ours", [], [], False),
    ],
)
def test_one_of_the_cluster_is_held_by_the_cluster(name: str, users: list[str], groups: list[str], own: bool) -> None:
    assert is_of_the_cluster({"metadata": {"name": name}, "users": users, "groups": groups}) is own


# What the manifests of OpenShift write, beyond what restricted-v2 does.
PRIVILEGED: dict[str, Any] = {
    "allowHostDirVolumePlugin": True, "allowHostIPC": True, "allowHostNetwork": True, "allowHostPID": True,
    "allowHostPorts": True, "allowPrivilegedContainer": True, "allowedCapabilities": ["*"],
    "allowedUnsafeSysctls": ["*"], "runAsUser": {"type": "RunAsAny"}, "seLinuxContext": {"type": "RunAsAny"},
    "seccompProfiles": ["*"], "volumes": ["*"],
}  # fmt: skip
EXPORTER: dict[str, Any] = {
    "allowHostDirVolumePlugin": True, "allowHostNetwork": True, "allowHostPID": True, "allowHostPorts": True,
    "runAsUser": {"type": "RunAsAny"}, "seLinuxContext": {"type": "RunAsAny"},
}  # fmt: skip
RELEASE = {"include.release.openshift.io/self-managed-high-availability": "true"}
OWN: dict[str, tuple[object, dict[str, Any], bool]] = {
    "privileged as it comes": ("privileged", PRIVILEGED, True),
    "privileged, narrowed": ("privileged", PRIVILEGED | {"allowedCapabilities": ["SYS_ADMIN"]}, True),
    "privileged, and more given unasked": ("privileged", PRIVILEGED | {"defaultAddCapabilities": ["SYS_ADMIN"]}, False),
    "the one of the node exporter": ("node-exporter", EXPORTER, True),
    "the one for nested containers": (
        "nested-container", {"seccompProfiles": ["*"], "allowedCapabilities": ["SETUID", "SETGID"]}, True,
    ),
    "anyuid as it comes": ("anyuid", {"runAsUser": {"type": "RunAsAny"}}, True),
    "anyuid for root alone": ("anyuid", {"runAsUser": {"type": "MustRunAs", "uid": 0}}, True),
    "anyuid with capabilities": (
        "anyuid", {"runAsUser": {"type": "RunAsAny"}, "allowedCapabilities": ["SYS_ADMIN"]}, False,
    ),
    "restricted-v2 as it comes": ("restricted-v2", {}, True),
    "restricted-v2, weakened": ("restricted-v2", {"allowPrivilegedContainer": True}, False),
    "one of somebody else with the annotation of a release": ("ours", {"allowPrivilegedContainer": True}, False),
    "a name that is none": ({"a": "b"}, {"allowPrivilegedContainer": True}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", OWN)
def test_one_of_the_cluster_opens_no_more_than_openshift_wrote(case: str) -> None:
    name, change, own = OWN[case]
    assert is_of_the_cluster(CLOSED | change | {"metadata": {"name": name, "annotations": RELEASE}}) is own


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ("system:serviceaccounts", "every pod of the cluster"),
        ("system:serviceaccounts:shop", "every pod of shop"),
        ("developers", None),
    ],
)
def test_who_is_in_a_group(group: str, said: str | None) -> None:
    assert described(group) == said
