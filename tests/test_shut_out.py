"""Whom the policies of a run shut out that harden has not understood, as reports say it; and what is not shut out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Harden, commit, write
from .test_silent_workloads import CALLER, SET, calls, workload

API = workload("api", more=SET)
BATCH = workload("batch", served=False).replace("namespace: shop", "namespace: jobs")  # nothing shows whom it calls


def report(harden: Harden, *arguments: str) -> Any:
    return json.loads(harden("diff", ".", "--only", "netpol-workload", "--format", "json", *arguments).out)


@pytest.mark.parametrize(
    ("manifests", "unseen", "partly_read"),
    [
        pytest.param(API + CALLER, "any", [], id="who is named alone comes in: pods that are not shown do not"),
        pytest.param(API, "other-namespaces", [], id="its namespace comes in, since nothing names it"),
        pytest.param(workload("api", more=SET, kind="NodePort"), None, [], id="anybody comes in"),
        pytest.param(API + CALLER + BATCH, "any", ["batch"], id="who is partly read, and in another namespace"),
        pytest.param(API + CALLER + workload("batch", served=False), "any", [],
                     id="who is partly read, and in its namespace, is let in"),
        pytest.param(API + CALLER + workload("web", more=calls("http://gone"), served=False), "any", ["web"],
                     id="who names a host that the tree does not show"),
    ],
)  # fmt: skip
def test_whom_a_policy_shuts_out(
    manifests: str, unseen: str | None, partly_read: list[str], harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"all.yaml": manifests})
    commit(tmp_path)
    found = report(harden)["summary"]["reachability"]["shutOut"]
    (own,) = [each for each in found if each["workload"]["name"] == "api"]
    assert own["unseen"] == (unseen or "none")
    assert [each["name"] for each in own["workloads"]] == partly_read
    assert (own["partlyRead"], [each["name"] for each in own["policies"]]) == (len(partly_read), ["harden-api"])
    assert [each["name"] for each in own["services"]] == ["api"]


SENTENCE = (
    "  NetworkPolicy/harden-api (Service/api) refuses every pod that the tree does not show and Deployment/batch, "
    "read only in part; with Cilium, lets its pods call no pod that it does not name\n"
)


def test_the_sentence_of_each_policy(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"all.yaml": API + CALLER + BATCH})
    commit(tmp_path)
    short = harden("diff", ".", "--only", "netpol-workload").all
    line = "closed to pods that the tree does not show; 2 workloads closed to 1 workload read only in part"
    assert line in short
    assert SENTENCE not in short
    assert SENTENCE in harden("diff", ".", "--only", "netpol-workload", "-v").all
    page = harden("diff", ".", "--only", "netpol-workload", "--format", "html").out
    assert "<h2" in page and "Whom each policy shuts out" in page


def ways_out(harden: Harden, name: str) -> list[Any]:
    """The peers, on all ports, to which the policy ``name`` lets its pods out."""
    (policy,) = [each["after"] for each in report(harden)["changes"] if each["after"]["metadata"]["name"] == name]
    return [peer for rule in policy["spec"]["egress"] if "ports" not in rule for peer in rule["to"]]


def of(namespace: str) -> dict[str, Any]:
    named = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}
    return {"namespaceSelector": {"matchExpressions": [named]}}


@pytest.mark.parametrize(
    ("manifests", "peer"),
    [
        pytest.param(workload("web", more=calls("http://gone"), served=False), {"podSelector": {}},
                     id="a host of its namespace that the tree does not show"),
        pytest.param(workload("web", more=calls("http://gone.far.svc"), served=False), of("far"),
                     id="one of another namespace"),
        pytest.param(workload("web", served=False) + API.replace("namespace: shop", "namespace: far"),
                     {"namespaceSelector": {}}, id="nothing shows whom it calls, and another namespace serves"),
        pytest.param(workload("web", served=False) + API, {"podSelector": {}},
                     id="nothing shows whom it calls, and only its namespace serves"),
    ],
)  # fmt: skip
def test_ways_out_to_pods_rest_on_selectors(
    manifests: str, peer: dict[str, Any], harden: Harden, tmp_path: Path
) -> None:
    """With Cilium an ipBlock means no pods."""
    write(tmp_path, {"all.yaml": manifests})
    commit(tmp_path)
    assert peer in ways_out(harden, "harden-web")


def test_the_workload_that_is_called_like_a_host_may_be_called(harden: Harden, tmp_path: Path) -> None:
    """Its Service may stand elsewhere."""
    api = workload("api", more=SET, served=False)
    other = workload("other", more=SET, served=False)
    write(tmp_path, {"all.yaml": api + other + CALLER})
    commit(tmp_path)
    made = {change["after"]["metadata"]["name"]: change["after"]["spec"] for change in report(harden)["changes"]}
    assert made["harden-api"]["ingress"] == [{"from": [{"podSelector": {"matchLabels": {"app": "caller"}}}]}]
    assert "ingress" not in made["harden-other"]


SHUT = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: own, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
---
"""


def test_what_only_the_egress_of_others_refuses_is_not_called_closed(harden: Harden, tmp_path: Path) -> None:
    closed = [f"--set=network-policy.{each}" for each in ("orphans=closed", "internet=deny", "callers=shown")]
    write(tmp_path, {"all.yaml": SHUT + API + workload("user", more=SET, served=False)})
    commit(tmp_path)
    texts = [each["message"] for each in report(harden, *closed)["impact"]]
    assert not [text for text in texts if "closed to what came in" in text]
    assert [text for text in texts if "whose egress is closed, cannot call them any more: Deployment/api" in text]


ROLES = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: whole}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "true"}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {LABEL: "true"}}
rules: [{apiGroups: [""], resources: [RESOURCE], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: whole, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: whole}
subjects: [{kind: ServiceAccount, name: default, namespace: shop}]
---
"""


@pytest.mark.parametrize(
    ("label", "resource", "denies"),
    [
        pytest.param("part", "configmaps", True, id="a part that makes no pods"),
        pytest.param("part", "pods", False, id="a part that makes pods"),
        pytest.param("other", "configmaps", False, id="no part in the tree: what the cluster has may make pods"),
    ],
)
def test_a_role_that_takes_in_others_may_make_pods(
    label: str, resource: str, denies: bool, harden: Harden, tmp_path: Path
) -> None:
    """Where there may be pods that the tree does not show, no namespace is closed and none enforces a level."""
    roles = ROLES.replace("LABEL", label).replace("RESOURCE", resource)
    write(tmp_path, {"all.yaml": roles + workload("runner", more=SET, served=False)})
    commit(tmp_path)
    changes = json.loads(harden("diff", ".", "--format", "json").out)["changes"]
    assert any(change["id"] == "netpol-default-deny" for change in changes) is denies
    labels = [change for change in changes if change["id"] == "namespace-pss-labels"]
    assert any("pod-security.kubernetes.io/enforce" in change["path"] for change in labels) is denies


NEEDS = {
    "a source that is there": ("COPY app.py nginx.conf ./", ["app.py", "nginx.conf"], False),
    "one that is not": ("COPY app.py nginx.conf ./", ["app.py"], True),
    "a script that is not": ("COPY app.py ./\nCOPY run.sh ./", ["app.py"], True),
    "a folder or a binary, as in the image of another": ("COPY out server ./\nCOPY app.py ./", ["app.py"], False),
    "what only builds it": ("COPY app.py go.mod package.json requirements.txt ./", ["app.py"], False),
    "a pattern, which may fit nothing": ("COPY app.py *.conf ./", ["app.py"], False),
    "another stage": ("COPY app.py ./\nCOPY --from=build /out/nginx.conf ./", ["app.py"], False),
    "an address": ("COPY app.py ./\nADD https://example.com/nginx.conf ./", ["app.py"], False),
}


@pytest.mark.parametrize(("copies", "files", "lacking"), NEEDS.values(), ids=NEEDS)
def test_who_lacks_a_source_is_partly_read(
    copies: str, files: list[str], lacking: bool, harden: Harden, tmp_path: Path
) -> None:
    sources = {f"front/{name}": "serve()\n" for name in files} | {"api/Dockerfile": "FROM node\n"}
    manifests = API + CALLER + workload("front", more=calls("http://api"))
    write(
        tmp_path,
        {
            "k8s/all.yaml": manifests,
            "front/Dockerfile": f"FROM python:3\n{copies}\n",
            "api/Dockerfile": "FROM node\n",
            **sources,
        },
    )
    commit(tmp_path)
    found = json.loads(harden("graph", ".", "--format", "json").out)["workloads"]
    (front,) = [each for each in found if each["name"] == "front"]
    assert any("which its image is built from" in fact["text"] for fact in front["silent"]) is lacking
