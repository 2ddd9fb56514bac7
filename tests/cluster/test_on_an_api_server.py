"""What a run makes of manifests is taken by a real API server as they were, and generated policies judge there as their
expressions say."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hardener.kubernetes.policies.admission_policy import denial, policy, warning
from hardener.kubernetes.policies.admission_rules import API_SERVER, RULES
from hardener.kubernetes.policies.mutating_policy import DEFAULTS
from hardener.kubernetes.policies.mutating_policy import binding as binding_of_default
from hardener.kubernetes.policies.mutating_policy import policy as mutating_policy

from ..conftest import ROOT, shared, write
from ..kubernetes.test_admission_rules import CASES, RESOURCES
from ..kubernetes_versions import ALPHA, BETA, DEPRECATED, GA, NONE, OFF, ROWS, VERSIONS, Row
from .api_server import Server, started
from .dry_runs import RUNS, VERSION, Compared, compare
from .node import Map

ALL_CASES = os.environ.get("HARDEN_CASES") == "all"
ALL_TREES = os.environ.get("HARDEN_TREES") == "all"
# Charts are rendered by helm, and what is edited there are values.
GOLDEN = [
    path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "golden").rglob("before"))
    if path.is_dir() and path.parts[-3] != "charts" and "charts" not in path.parts
]
TREES = {
    "apps": ("aks-store-demo", "microservices-demo", "voting-app"),
    "corpus": ("argo-cd", "bad-pods", "kube-prometheus", "kubernetes-examples", "microservices-demo", "podinfo"),
}
SAMPLE = {("apps", "voting-app")}
_EVERY = 1 if ALL_CASES else 90
_RBAC = "rbac.authorization.k8s.io"
_LONGEST = 60.0  # seconds, until a policy is known everywhere
_DEPRECATED_FIELD = "AllowServiceExternalIPs"  # its gate keeps what the field does
_OF_NO_NAMESPACE = "ClusterRoleBinding"
_OURS = "ValidatingAdmissionPolicy"


@pytest.fixture(scope="module")
def api_server() -> Iterator[Server]:
    """One for all tests."""
    with started() as server:
        yield server


def _nothing_worse(found: Compared) -> None:
    print(found)
    assert (found.refused, found.warned, found.unsaid) == ([], [], [])


@pytest.mark.parametrize("tree", [(kind, name) for kind, names in TREES.items() for name in names], ids="/".join)
def test_a_tree_is_taken_as_before(tree: tuple[str, str], api_server: Server) -> None:
    if not ALL_TREES and tree not in SAMPLE:
        pytest.skip("HARDEN_TREES=all asks all trees")
    _nothing_worse(compare(api_server, shared(*tree)))


@pytest.mark.parametrize("case", GOLDEN[::_EVERY])
def test_a_golden_case_is_taken_as_before(case: str, api_server: Server) -> None:
    _nothing_worse(compare(api_server, ROOT / case))


_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  unheard: 1
  securityContext: {runAsNonRoot: true}
  containers:
  - {name: web, image: a}
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("image: a", "imagePullPolicy: Always", {"refused": "spec.containers[0].image: Required value"}),
        ("runAsNonRoot: true", "runAsUser: 1", {"warned": "restricted: runAsNonRoot != true"}),
        ("unheard: 1", "unseen: 1", {"unsaid": "written, and not known: spec.unseen"}),
    ],
)
def test_what_got_worse_is_noticed(
    old: str, new: str, found: dict[str, str], api_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that writes nonsense, and reports nothing."""
    write(tmp_path, {"pod.yaml": _POD})

    def nonsense(copy: Path, **_: Any) -> Any:
        (copy / "pod.yaml").write_text(_POD.replace(old, new))
        return SimpleNamespace(findings=())

    monkeypatch.setattr("tests.cluster.dry_runs.harden_tree", nonsense)
    done = compare(api_server, tmp_path)
    missing = [line for line in done.unsaid if line.endswith("no finding names spec.unheard")]
    assert len(missing) == 1
    lists = {"refused": done.refused, "warned": done.warned, "unsaid": [x for x in done.unsaid if x not in missing]}
    for name, lines in lists.items():
        assert len(lines) == (len(RUNS) if name in found else 0)
        assert all(found[name] in line for line in lines)


# Policies.


@pytest.fixture(scope="module")
def guarded_server(api_server: Server) -> Iterator[Server]:
    """With all policies, which warn everywhere; each refuses in a namespace that is called like it."""
    for name in ("other", *RULES):
        api_server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    made: list[Map] = []
    for rule in RULES.values():
        bindings = [warning(rule.name, f"{rule.name}-warn"), denial(rule, rule.name, f"{rule.name}-deny", [rule.name])]
        made += [policy(rule, rule.name), *bindings]
    for item in made:
        api_server.create(item)
    _wait_for(lambda: all(_judged(api_server, "other", case)[0] for case in _failing_first()))
    _wait_for(lambda: all(_judged(api_server, f"harden-{case[0]}", case)[1] for case in _failing_first()))
    yield api_server
    for item in reversed(made):
        api_server.delete(item)


def _wait_for(holds: Any) -> None:
    limit = time.monotonic() + _LONGEST
    while not holds():
        assert time.monotonic() < limit, "the policies are not in force"
        time.sleep(0.5)


Case = tuple[str, str, str, Map, int]


def _failing_first() -> list[Case]:
    """Of each policy an object that a server can judge, and that breaks it."""
    plain = [case for case in CASES if case[4] and case[1] != _OF_NO_NAMESPACE and not _is_debugged(case[3])]
    return list({case[0]: case for case in reversed(plain)}.values())


def _is_debugged(value: Map) -> bool:
    return bool(value.get("spec", {}).get("ephemeralContainers"))


def _sent(namespace: str, kind: str, value: Map) -> Map:
    """``value`` with what an API server asks for besides."""
    metadata = {"name": "judged", **value.get("metadata", {})}
    item: Map = {**value, "apiVersion": "v1", "kind": kind, "metadata": metadata}
    if kind == "Pod":
        spec = {"containers": [{"name": "app", "image": "a@sha256:0"}], **value["spec"]}
        lists = {key: [_whole(each) for each in spec[key]] for key in spec if key.endswith("ontainers")}
        item["spec"] = spec | lists
    elif kind == "Service":
        item["spec"] = {"ports": [{"port": 80}], **value["spec"]}
    elif kind.endswith("Binding"):
        item |= {"apiVersion": f"{_RBAC}/v1", "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", **value["roleRef"]}}
    if kind != _OF_NO_NAMESPACE:
        metadata["namespace"] = namespace
    return item


def _whole(container: Map) -> Map:
    return {"image": "a@sha256:0", **container}


def _judged(server: Server, namespace: str, case: Case, user: str | None = None) -> tuple[list[str], str]:
    """What the policy of ``case`` warns of, and why the server refuses the object: "" where it takes it."""
    name, kind, _, value, _ = case
    item = _sent(namespace, kind, value)
    if kind == "Secret" and value.get("type") == "kubernetes.io/service-account-token":
        item["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "default"}
    method, place = "POST", server.place(item)
    if _is_debugged(item):
        method, place = "PUT", f"{place}/{_debugged(server, case, item)}/ephemeralcontainers"
    headers = {"Impersonate-User": user, "Impersonate-Group": "system:masters"} if user else None
    status, found, warnings = server.ask(method, f"{place}?dryRun=All", item, user=headers)
    mark = f"'harden-{name}'"
    return [text for text in warnings if _OURS in text and mark in text], found["message"] if status >= 400 else ""


def _debugged(server: Server, case: Case, item: Map) -> str:
    """A pod that is there, and gets the ephemeral containers of ``item``."""
    name = item["metadata"]["name"] = f"debugged-{CASES.index(case)}"
    plain = {**item, "spec": {key: value for key, value in item["spec"].items() if key != "ephemeralContainers"}}
    found = server.stored(plain)
    item["metadata"] = found["metadata"]
    item["spec"] = {**found["spec"], "ephemeralContainers": item["spec"]["ephemeralContainers"]}
    return name


# No object that a server takes: an image volume without an image.
_NOT_VALID = {"an image volume without an image"}


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}: {case[2]}" for case in CASES])
def test_a_policy_judges_as_its_expressions_say(case: Case, guarded_server: Server) -> None:
    """One binding warns of each validation that fails; the other refuses in its namespaces, and what lives in none
    stays."""
    warned, refused = _judged(guarded_server, "other", case)
    if case[2] in _NOT_VALID:
        assert "Required value" in refused
        return
    assert (len(warned), refused) == (case[4], "")
    warned, refused = _judged(guarded_server, f"harden-{case[0]}", case)
    is_refused = bool(case[4]) and case[1] != _OF_NO_NAMESPACE
    assert bool(refused) is is_refused
    assert not is_refused or f"{_OURS} 'harden-{case[0]}'" in refused


def test_the_api_server_itself_is_let_through_and_nobody_else(guarded_server: Server) -> None:
    (case,) = (each for each in CASES if each[2] == "a label that anybody may set")
    assert _judged(guarded_server, "other", case, API_SERVER) == ([], "")
    assert len(_judged(guarded_server, "other", case, "system:apiserver-2")[0]) == case[4]


def test_every_kind_of_object_was_judged() -> None:
    assert {case[1] for case in CASES} == set(RESOURCES)


def test_a_policy_gives_pods_what_they_lack(api_server: Server) -> None:
    """The seccomp profile, in the namespaces of its binding; a profile of the pod's own stays."""
    (default,) = DEFAULTS
    item = _sent(api_server.namespace({}), "Pod", {"spec": {}})
    place = f"{api_server.place(item)}?dryRun=All"
    own = {**item, "spec": {**item["spec"], "securityContext": {"seccompProfile": {"type": "Unconfined"}}}}
    made = [
        mutating_policy(default, default.name),
        binding_of_default(default.name, f"{default.name}-here", [api_server.namespace({})]),
    ]
    for each in made:
        api_server.create(each)
    _wait_for(lambda: _seccomp(api_server.ask("POST", place, item)[1]) == "RuntimeDefault")
    assert _seccomp(api_server.ask("POST", place, own)[1]) == "Unconfined"
    for each in reversed(made):
        api_server.delete(each)


def _seccomp(pod: Map) -> str | None:
    found: str | None = pod["spec"].get("securityContext", {}).get("seccompProfile", {}).get("type")
    return found


_STAGES = {("", 1): GA, ("BETA", 1): BETA, ("BETA", 0): OFF, ("ALPHA", 0): ALPHA, ("DEPRECATED", 0): DEPRECATED}


@pytest.mark.parametrize("row", [row for row in ROWS if row.gate], ids=lambda row: row.name)
def test_the_stages_of_the_table_are_those_of_the_server(row: Row, api_server: Server) -> None:
    """The server has version 1.36; a gate that it does not know came later."""
    seen = re.search(rf'kubernetes_feature_enabled{{name="{row.gate}",stage="(\w*)"}} (\d)', api_server.metrics)
    told = row.stages[VERSIONS.index(VERSION)]
    if row.gate == _DEPRECATED_FIELD:
        assert seen is not None and told == DEPRECATED
    else:
        assert told == (NONE if seen is None else _STAGES[seen[1], int(seen[2])])
