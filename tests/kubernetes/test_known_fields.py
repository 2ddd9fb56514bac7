"""Fields that Kubernetes does not know: which are found, what was meant, and what is never judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.kubernetes.objects import known_fields
from hardener.kubernetes.objects.known_fields import Unknown, WrongProtocol, judged, judged_pod
from tests.field_table import generate

V35, V37 = (1, 35), (1, 37)
POD = "apiVersion: v1\nkind: Pod\nspec: {}"


def pod(spec: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(POD.format(spec))
    return loaded


def only(document: dict[str, Any], version: tuple[int, int] = V35) -> Unknown:
    (found,) = judged(document, version)
    assert isinstance(found, Unknown)
    return found


MEANT = {
    "other capitals": ("{containers: [{securitycontext: {}}]}", "securityContext", True),
    "underscores": ("{containers: [{security_context: {}}]}", "securityContext", True),
    "a letter that is missing": ("{containers: [{resource: {}}]}", "resources", False),
    "a letter that is missing in a long name": (
        "{securityContext: {runAsNonRot: true}}", "runAsNonRoot", True,
    ),
    "two letters that changed places": ("{containers: [{securityContext: {capabilites: {}}}]}", "capabilities", True),
    "a host namespace": ("{hostPid: true}", "hostPID", True),
    "two wrong letters in a long name": ("{tolarationes: []}", "tolerations", False),
    "nothing like it": ("{xyz: 1}", None, False),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "meant", "is_security"), MEANT.values(), ids=MEANT)
def test_what_was_meant_is_the_nearest_field_of_the_same_place(spec: str, meant: str | None, is_security: bool) -> None:
    found = only(pod(spec))
    assert (found.meant, found.home, found.is_security) == (meant, None, is_security)


HOMES = {
    "a field of containers at the pod": (
        "{securityContext: {readOnlyRootFilesystem: true}}", "spec.containers[].securityContext", True,
    ),
    "a field of a security context at the container": ("{containers: [{privileged: true}]}",
        "spec.containers[0].securityContext", True),
    "a field of the pod at the container": ("{containers: [{hostNetwork: true}]}", "spec", True),
    "what a variable takes its value from": (
        "{containers: [{env: [{secretKeyRef: {}}]}]}", "spec.containers[0].env[0].valueFrom", False,
    ),
    "one of many kinds of volumes is not meant": ("{volumes: [{storageos: {pool: a}}]}", None, False),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "home", "is_security"), HOMES.values(), ids=HOMES)
def test_a_field_of_another_place_has_its_home_there(spec: str, home: str | None, is_security: bool) -> None:
    found = only(pod(spec))
    assert (found.meant, found.home, found.is_security) == (None, home, is_security)


def test_labels_belong_into_matchlabels() -> None:
    found = only({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"app": "web"}}})
    assert found.home == "spec.selector.matchLabels"


def test_a_policy_whose_peers_are_misspelt_is_of_security() -> None:
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {"ingress": [{"form": []}]}}
    found = only(policy)
    assert (found.path, found.meant, found.is_security) == (("spec", "ingress", 0, "form"), "from", True)


def test_a_field_of_another_version_names_that() -> None:
    spec = pod("{volumes: [{emptyDir: {mode: '01777'}}]}")
    assert only(spec).since == "1.37"
    assert list(judged(spec, V37)) == []
    gone = pod("{workloadRef: {name: a}}")
    assert only(gone, V37).until == "1.35"
    assert list(judged(gone, V35)) == []


def test_a_protocol_is_written_in_capitals() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"protocol": "tcp"}, {"protocol": "HTTP"}]}}
    assert list(judged(service, V35)) == [WrongProtocol(("spec", "ports", 0, "protocol"), "TCP")]


LEFT = {
    "a custom kind": "apiVersion: example.com/v1\nkind: Deployment\nspec: {xyz: 1}",
    "an API version that is gone": "apiVersion: extensions/v1beta1\nkind: Deployment\nspec: {xyz: 1}",
    "what was generated": "apiVersion: v1\nkind: Pod\nstatus: {xyz: 1}\nmetadata: {managedFields: [{xyz: 1}]}",
    "labels, annotations and data": "apiVersion: v1\nkind: ConfigMap\ndata: {xyz: a}\nmetadata: {labels: {xyz: a}}",
    "a directive of a patch": "apiVersion: v1\nkind: Pod\nspec: {$patch: delete}",
    "a key that is filled in": "apiVersion: v1\nkind: Pod\nspec: {'${name}': 1}",
    "no value": "apiVersion: v1\nkind: Pod\nspec: {xyz: null}",
    "the schema of a definition": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "spec: {versions: [{name: v1, schema: {openAPIV3Schema: {xyz: 1}}}]}"
    ),
    "another form": "apiVersion: v1\nkind: Pod\nspec: [{xyz: 1}]",
}


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
def test_what_is_not_judged(text: str) -> None:
    assert list(judged(yaml.safe_load(text), V35)) == []


@pytest.mark.parametrize("version", [(1, 32), (1, 38), (2, 0)])
def test_a_version_without_a_table_is_not_judged(version: tuple[int, int]) -> None:
    assert list(judged(pod("{xyz: 1}"), version)) == []
    assert list(judged_pod({"spec": {"xyz": 1}}, version)) == []


def test_a_template_alone_is_judged_without_its_head() -> None:
    template = {"apiVersion": "a", "kind": "b", "metadata": {"labels": {}}, "spec": {"hostPid": True}}
    (found,) = judged_pod(template, V35)
    assert isinstance(found, Unknown)
    assert (found.path, found.meant) == (("spec", "hostPid"), "hostPID")


def test_the_table_is_what_the_definitions_say() -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="its schemas are the source")
    data = Path(known_fields.__file__).parents[1] / "data" / "fields.json"
    schemas = Path(validate.__file__).with_name("kubernetes-json-schema")
    assert data.read_text(encoding="utf-8") == generate(schemas)
    assert data.stat().st_size < 2 * 1024 * 1024
