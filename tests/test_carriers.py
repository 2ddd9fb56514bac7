"""Flags of cluster components, in every carrier: how they are read, and what is written."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.authoring import registry
from hardener.authoring.edits import replay, widened
from hardener.engine.targets import Targets
from hardener.kubernetes.components import flags as component_flags
from hardener.kubernetes.components.bare_document import name_of
from hardener.kubernetes.components.flag_values import GOOD_SUITES, is_weak, parsed_version, seconds, tls_older
from hardener.tree.control_plane import ComponentFile, ControlPlane, DevelopmentCluster, How, components, unread
from hardener.tree.control_plane.component import Component
from hardener.tree.tree import Tree

POD = """apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver}
spec:
  containers:
  - name: sidecar
    image: example.com/sidecar
    command: [sh, --profiling=true]
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.35.0
"""
MAP = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n"
LIST = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
K3S = "tls-san: [k3s.example.com]\ncluster-init: true\n"
KOPS = "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nspec:\n  kubeAPIServer:\n"
TALOS = "version: v1alpha1\nmachine: {}\ncluster:\n  apiServer:\n"
SERVER = "kube-apiserver"
GATES = "A=true,B=true"


def component(text: str, name: str = SERVER) -> Component:
    """The only component called ``name`` in ``text``."""
    tree = Tree.from_text(text)
    [found] = [each for target in Targets(tree).of(ControlPlane | ComponentFile) for each in components(target, name)]
    return found


def after(found: Component, edits: list[Any]) -> Any:
    """The object, as plain data, once ``edits`` are made."""
    piece = found.view.object.piece
    replay(piece.data, widened(edits))
    return piece.data[0]


@pytest.mark.parametrize(
    ("text", "flag", "value"),
    [
        (POD + "    command: [kube-apiserver, --profiling=true]\n", "profiling", "true"),
        (POD + "    command: [/usr/bin/kube-apiserver, --profiling]\n", "profiling", "true"),
        (POD + "    command: [kube-apiserver, --profiling, --v=2]\n", "profiling", "true"),
        (POD + "    command: [kube-apiserver, --request-timeout, 5m]\n", "request-timeout", "5m"),
        (POD + "    command: [kube-apiserver, '--audit-log-path=\"\"']\n", "audit-log-path", None),
        (K3S + "kube-apiserver-arg+: [profiling=true]\n", "profiling", "true"),
        (POD + "    command: [kube-apiserver, --request-timeout]\n    args: [5m]\n", "request-timeout", "5m"),
        (POD + "    command: [kube-apiserver]\n    args: [--request_timeout=5m]\n", "request-timeout", "5m"),
        (POD + "    command: [kube-apiserver, --v=1, --v=2]\n", "v", "2"),
        (
            POD + "    command: [kube-apiserver, --authorization-mode=A, --authorization-mode, B]\n",
            "authorization-mode",
            "A,B",
        ),
        (LIST + "apiServer:\n  extraArgs: [{name: tls-cipher-suites, value: A}]\n", "tls-cipher-suites", "A"),
        (POD + "    command: [kube-apiserver, --audit-log-path=]\n", "audit-log-path", None),
        (POD + "    command: [kube-apiserver]\n", "profiling", None),
        (MAP + 'apiServer:\n  extraArgs: {profiling: "true"}\n', "profiling", "true"),
        (LIST + 'apiServer:\n  extraArgs: [{name: v, value: "1"}, {name: v, value: "2"}]\n', "v", "2"),
        (LIST + "apiServer: {}\n", "profiling", None),
        (K3S + "kube-apiserver-arg: profiling=true\n", "profiling", "true"),
        (K3S + "kube-apiserver-arg: [v=2, profiling=true]\n", "profiling", "true"),
        (KOPS + "    anonymousAuth: true\n", "anonymous-auth", "true"),
        (KOPS + "    enableAdmissionPlugins: [A, B]\n", "enable-admission-plugins", "A,B"),
        (TALOS + '    extraArgs: {profiling: "true"}\n', "profiling", "true"),
    ],
)
def test_a_flag_is_read_as_the_component_reads_it(text: str, flag: str, value: str | None) -> None:
    assert component(text).get(flag) == value


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        (POD + "    command: [kube-apiserver, --v=2]\n", "command", [SERVER, "--v=2", "--profiling=false"]),
        (POD + "    command: [kube-apiserver, --profiling]\n", "command", [SERVER, "--profiling=false"]),
        (POD + "    command: [kube-apiserver]\n    args: [--v=2]\n", "args", ["--v=2", "--profiling=false"]),
        (POD + "    command: [kube-apiserver]\n", "command", [SERVER, "--profiling=false"]),
    ],
)
def test_a_flag_is_set_in_the_list_that_holds_flags(text: str, path: str, value: list[str]) -> None:
    found = component(text)
    assert after(found, found.set("profiling", "false", How()))["spec"]["containers"][1][path] == value


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        (MAP, ("apiServer", "extraArgs"), {"profiling": "false"}),
        (LIST, ("apiServer", "extraArgs"), [{"name": "profiling", "value": "false"}]),
        (MAP + "apiServer:\n  extraArgs: []\n", ("apiServer", "extraArgs"), [{"name": "profiling", "value": "false"}]),
        (LIST + "apiServer:\n  extraArgs: {v: '2'}\n", ("apiServer", "extraArgs"), {"v": "2", "profiling": "false"}),
        (K3S, ("kube-apiserver-arg",), ["profiling=false"]),
        (K3S + "kube-apiserver-arg: v=2\n", ("kube-apiserver-arg",), ["v=2", "profiling=false"]),
        (K3S + "kube-apiserver-arg: profiling=true\n", ("kube-apiserver-arg",), "profiling=false"),
        (KOPS + "    enableProfiling: true\n", ("spec", "kubeAPIServer"), {"enableProfiling": False}),
        (TALOS + "    certSANs: []\n", ("cluster", "apiServer"), {"certSANs": [], "extraArgs": {"profiling": "false"}}),
    ],
)
def test_a_flag_is_set_in_the_form_of_its_carrier(text: str, path: tuple[str, ...], value: Any) -> None:
    found = component(text)
    data = after(found, found.set("profiling", "false", How()))
    for key in path:
        data = data[key]
    assert data == value


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("--token-auth-file=/a", []),
        ("--token-auth-file, /a, --v=2", ["--v=2"]),
        ("--token-auth-file=/a, --v=2, --token-auth-file, /b", ["--v=2"]),
    ],
)
def test_a_flag_goes_wherever_it_stands(words: str, left: list[str]) -> None:
    found = component(POD + f"    command: [kube-apiserver, {words}]\n")
    data = after(found, found.unset("token-auth-file", How()))
    assert data["spec"]["containers"][1]["command"] == [SERVER, *left]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("command: [sh, -c, exec kube-apiserver --profiling]", ("kube-apiserver", [])),
        ("command: [/go-runner, /usr/bin/kube-apiserver, --insecure-port=1]", ("kube-apiserver", ["insecure-port"])),
        ("args: [--authorization-mode=AlwaysAllow]", ("kube-apiserver", ["AlwaysAllow"])),
        ("args: [version]", None),
        ("command: [kube-apiserver, --authorization-mode=AlwaysAllow]", None),
    ],
)
def test_a_component_whose_flags_cannot_be_read_is_known(line: str, found: tuple[str, list[str]] | None) -> None:
    pods = Targets(Tree.from_text(f"{POD}    {line}\n")).of(ControlPlane)
    assert [(name, weak) for pod in pods for name, _, weak in unread(pod)] == ([found] if found else [])


def test_the_sections_of_a_kubeadm_file_come_into_force_by_kubeadm() -> None:
    kubelet = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    assert "kubeadm upgrade node phase kubelet-config" in component(f"{LIST}---\n{kubelet}", "kubelet").restart
    assert "copy the file to each node" in component(kubelet, "kubelet").restart


def test_the_places_of_a_list_become_one() -> None:
    words = "--authorization-mode=AlwaysAllow, --v=2, --authorization-mode, Node"
    found = component(POD + f"    command: [kube-apiserver, {words}]\n")
    data = after(found, found.set("authorization-mode", "Node,RBAC", How()))
    assert data["spec"]["containers"][1]["command"] == [SERVER, "--v=2", "--authorization-mode", "Node,RBAC"]


def test_a_word_in_the_other_list_goes_with_its_flag() -> None:
    found = component(POD + "    command: [kube-apiserver, --token-auth-file]\n    args: [/a, --v=2]\n")
    container = after(found, found.unset("token-auth-file", How()))["spec"]["containers"][1]
    assert (container["command"], container["args"]) == ([SERVER], ["--v=2"])


def test_a_folder_that_another_flag_needs_stays_mounted() -> None:
    pod = POD + "    command: [kube-apiserver, --token-auth-file=/etc/k/a.csv, --client-ca-file=/etc/k/ca.crt]\n"
    found = component(pod + "    volumeMounts: [{name: k, mountPath: /etc/k}]\n")
    assert found.unmount("/etc/k/a.csv", How()) == []


@pytest.mark.parametrize(
    ("text", "flag", "value"),
    [
        (POD + "    command: [kube-apiserver]\n", "authorization-mode", "AlwaysAllow"),
        (LIST, "authorization-mode", "Node,RBAC"),
        (LIST, "profiling", "true"),
        (K3S, "profiling", None),
        (KOPS + "    anonymousAuth: false\n", "authorization-mode", None),
    ],
)
def test_what_holds_without_a_flag_depends_on_who_starts_the_component(text: str, flag: str, value: str | None) -> None:
    assert component(text).value(flag) == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - {name: a, command: [kubectl, get]}\n", None),
        ("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - {name: a, command: [etcd]}\n", None),
        (
            "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: true\n  containers:\n  - {name: a, command: [etcd]}\n",
            "etcd",
        ),
        ("apiVersion: example.com/v1\nkind: ClusterConfiguration\napiServer: {}\n", None),
        ("apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nspec: {kubeAPIServer: {}}\n", None),
        ("tls-san: [a]\n", None),
        ("token: a\nserver: https://example.com\n", None),
        ("kubelet-arg: [v=2]\n", "kubelet"),
        ("machine: {kubelet: {}}\ncluster: {}\nversion: v1alpha1\n", "kubelet"),
        ("machine: a\ncluster: b\nversion: v2\n", None),
    ],
)
def test_a_carrier_is_known_by_its_group_and_kind_or_by_its_keys(text: str, name: str | None) -> None:
    tree = Tree.from_text(text)
    found = [each.name for target in Targets(tree).of(ControlPlane) for each in components(target)]
    assert found == ([name] if name else [])


def test_rke1_is_only_looked_at() -> None:
    assert name_of({"nodes": [], "services": {"kube-api": {}}}) == ("rke", "RkeConfiguration")
    assert name_of({"nodes": [], "services": {"web": {}}}) is None
    assert DevelopmentCluster.KINDS.isdisjoint(ControlPlane.KINDS)


IDS = sorted({rule.id for id in registry.transforms() for rule in component_flags.rules(id)})


def test_every_rule_belongs_to_a_transform() -> None:
    component_flags.rules("")
    assert set(component_flags._table()[1]) == set(IDS)


@pytest.mark.parametrize("id", IDS)
def test_every_rule_has_a_condition_and_an_outcome(id: str) -> None:
    for rule in component_flags.rules(id):
        conditions = (rule.equals, rule.differs, rule.present, rule.absent, rule.above, rule.starts, rule.holds)
        assert sum(map(bool, (*conditions, rule.lacks, rule.gate))) == 1, rule
        edits = (rule.to is not None, rule.remove, rule.without, rule.rename is not None)
        assert sum(edits) == (0 if rule.message else 1), rule
        assert bool(rule.message) == bool(rule.advice), rule
        for name in rule.components:
            assert rule.flag in component_flags.flags(name), f"{name} --{rule.flag}"


@pytest.mark.parametrize(
    ("text", "number"), [("1m0s", 60), ("2h45m", 9900), ("300ms", 0.3), ("90", 90), ("1 m", None), ("soon", None)]
)
def test_durations_are_those_of_go(text: str, number: float | None) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize(
    ("value", "wanted", "older"),
    [("VersionTLS10", "VersionTLS12", True), ("VersionTLS13", "VersionTLS12", False), (None, "VersionTLS12", False)],
)
def test_versions_of_tls_have_an_order(value: str | None, wanted: str, older: bool) -> None:
    assert tls_older(value, wanted) is older


@pytest.mark.parametrize(
    ("suite", "weak"),
    [
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", True),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", True),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", False),
        ("TLS_AES_128_GCM_SHA256", False),
        *((suite, False) for suite in GOOD_SUITES),
    ],
)
def test_a_suite_needs_forward_secrecy_and_authenticated_encryption(suite: str, weak: bool) -> None:
    assert is_weak(suite) is weak


@pytest.mark.parametrize(
    ("text", "version"),
    [("v1.34.1", (1, 34)), ("1.33", (1, 33)), ("v1.35.0-rc.1", (1, 35)), ("3.6.5-0", None), ("latest", None)],
)
def test_a_version_of_kubernetes_is_told_from_others(text: str, version: tuple[int, int] | None) -> None:
    assert parsed_version(text) == version
