"""Waivers: who may say what where, what it keeps from being made, and that nothing of it is silent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hardener.authoring import registry
from hardener.authoring.edits import Grade
from hardener.authoring.profile import Profile
from hardener.authoring.transform import SCANNERS, Steps
from hardener.engine import pipeline
from hardener.tree.core_views import Container
from hardener.tree.tree import Tree
from tests.conftest import DEPLOYMENT, ROOT, Done, Harden, commit, write
from tests.test_pipeline import declared

pytestmark = pytest.mark.slow  # its many cases together

SCHEMA = json.loads((ROOT / "hardener/report/schema.json").read_text(encoding="utf-8"))
PRIVILEGED = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  annotations: {}
  labels: {}
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
      annotations: {}
    spec:
      containers:
      - name: a
        image: example.com/a:1
        securityContext:
          privileged: true
      - name: b
        image: example.com/b:1
        securityContext:
          privileged: true
"""
Report = dict[str, Any]
Diff = Callable[..., Report]


@pytest.fixture
def diff(harden: Harden, tmp_path: Path) -> Diff:
    """The JSON report of ``harden diff`` on ``app.yaml`` with this text, under this configuration."""

    def running(text: str, *options: str, only: str = "no-privileged", config: str = "") -> Report:
        write(tmp_path, {"app.yaml": text, ".harden.yaml": config})
        commit(tmp_path)
        done = harden("diff", ".", "--format", "json", *(["--only", only] if only else []), *options)
        assert done.status in (0, 1), done.err
        report: Report = json.loads(done.out)
        jsonschema.Draft202012Validator(SCHEMA).validate(report)
        assert report["summary"]["waived"] == len(report["waived"])
        return report

    return running


def waived(report: Report) -> list[str]:
    """Which transforms are waived where, by the last index in the path (the container) where there is one."""
    found = []
    for record in report["waived"]:
        indexes = [part for part in record["path"] if isinstance(part, int)]
        found.append(f"{record['id']}{indexes[-1:] or ''}")
    return found


def findings(report: Report) -> list[tuple[str, int]]:
    return [(record["id"], record["line"]) for record in report["findings"]]


def annotated(value: str, place: str = "  annotations: {}", key: str = "ignore-no-privileged") -> str:
    return PRIVILEGED.replace(place, place.replace("{}", f"{{hardener.dev/{key}: {value}}}"), 1)


TEMPLATE = "      annotations: {}"


@pytest.mark.parametrize(
    ("text", "expected", "problems"),
    [
        (annotated("needs it"), ["no-privileged[0]", "no-privileged[1]"], []),
        (annotated("needs it", TEMPLATE), ["no-privileged[0]", "no-privileged[1]"], []),
        (annotated("needs it", key="ignore-all"), ["no-privileged[0]", "no-privileged[1]"], []),
        (annotated("'container=b; needs it'"), ["no-privileged[1]"], []),
        (annotated("'container=b;needs it'", TEMPLATE), ["no-privileged[1]"], []),
        (annotated("'container=c; needs it'"), [], [("waiver-unknown", 6)]),
        (annotated("'container=b; '"), [], [("waiver-without-reason", 6)]),
        (annotated("'container=b'"), [], [("waiver-without-reason", 6)]),
        (annotated("'  '"), [], [("waiver-without-reason", 6)]),
        (annotated("", TEMPLATE), [], [("waiver-without-reason", 14)]),
        (annotated("''", key="ignore-all"), [], [("waiver-without-reason", 6)]),
        (annotated("''", key="expose"), [], [("waiver-without-reason", 6)]),
        (annotated("for partners", key="expose"), [], []),
        (annotated("needs it", key="ignore-no-priviledged"), [], [("waiver-unknown", 6)]),
        (annotated("needs it", key="no-privileged"), [], [("waiver-unknown", 6)]),
        (annotated("needs it", key="ignore-no-host-pid"), [], []),  # that one does not run
        (annotated("needs it").replace("privileged: true", "privileged: false"), [], [("waiver-stale", 6)]),
    ],
)  # fmt: skip
def test_annotations(text: str, expected: list[str], problems: list[tuple[str, int]], diff: Diff) -> None:
    report = diff(text)
    assert waived(report) == expected
    assert findings(report) == problems


def commented(line: str, comment: str, *, above: bool = False) -> str:
    new = f"{comment}\n{line}" if above else f"{line} {comment}"
    assert line in PRIVILEGED
    return PRIVILEGED.replace(line, new, 1)


WAIVER = "# harden: ignore[no-privileged] needs it"
BOTH, FIRST = ["no-privileged[0]", "no-privileged[1]"], ["no-privileged[0]"]


@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("apiVersion: apps/v1", BOTH),  # the document begins here
        ("kind: Deployment", None),
        ("spec:", BOTH),
        ("      containers:", BOTH),
        ("      - name: a", FIRST),  # the item begins here
        ("        image: example.com/a:1", None),
        ("        securityContext:", FIRST),
        ("          privileged: true", FIRST),
        ("      - name: b", ["no-privileged[1]"]),
    ],
)
def test_a_comment_speaks_for_the_node_of_its_line(
    line: str, above: bool, expected: list[str] | None, diff: Diff
) -> None:
    report = diff(commented(line, WAIVER, above=above))
    assert waived(report) == (expected or [])
    assert [id for id, _ in findings(report)] == ([] if expected else ["waiver-stale"])


@pytest.mark.parametrize(
    ("comment", "expected", "problems"),
    [
        ("# harden: ignore[no-privileged,no-host-pid] needs it", FIRST, []),
        ("# harden: ignore[ no-privileged , no-host-pid ] needs it", FIRST, []),
        ("#harden:ignore [no-privileged] needs it", FIRST, []),
        ("# for the disks # harden: ignore[no-privileged] needs it", FIRST, []),
        ("# harden: ignore[no-privileged]", [], ["waiver-without-reason"]),
        ("# harden: ignore[no-privileg] needs it", [], ["waiver-unknown"]),
        ("# harden: ignore[no-privileged, no-host-pit] needs it", FIRST, ["waiver-unknown"]),
        ("# harden: ignore[] needs it", [], ["waiver-unknown"]),
        ("# harden: ignore no-privileged", [], ["waiver-unknown"]),
        ("# harden: ingore[no-privileged] needs it", [], ["waiver-unknown"]),
        ("# to harden: later", [], []),
        ("# harden: later", [], []),
    ],
)
def test_comments(comment: str, expected: list[str], problems: list[str], diff: Diff) -> None:
    report = diff(commented("          privileged: true", comment))
    assert waived(report) == expected
    assert [id for id, _ in findings(report)] == problems


def test_a_comment_above_another_comment_speaks_for_the_same_line(diff: Diff) -> None:
    report = diff(commented("      - name: a", f"{WAIVER}\n      # and so on", above=True))
    assert waived(report) == FIRST
    assert waived(diff(commented("      - name: a", f"{WAIVER}\n\n", above=True))) == []


def test_text_in_a_block_scalar_is_no_waiver(diff: Diff) -> None:
    text = PRIVILEGED.replace("  annotations: {}", f"  annotations:\n    note: |\n      {WAIVER}", 1)
    report = diff(text)
    assert (waived(report), findings(report)) == ([], [])


ENTRY = "exceptions:\n- id: {id}\n  match: {{{match}}}\n  reason: {reason}\n  expires: {expires}\n"


def entry(id: str = "no-privileged", match: str = "", reason: str = "needs it", expires: str = "2026-12-31") -> str:
    return ENTRY.format(id=id, match=match, reason=reason, expires=expires)


@pytest.mark.parametrize(
    ("config", "expected", "problems"),
    [
        (entry(), BOTH, []),
        (entry("K01"), BOTH, []),
        (entry("'*'"), BOTH, []),
        (entry("K02"), [], []),
        (entry("K11"), [], ["waiver-unknown"]),
        (entry("no-privilegd"), [], ["waiver-unknown"]),
        (entry(match="kind: Deployment, name: w*, namespace: shop, path: '*.yaml'"), BOTH, []),
        (entry(match="container: b"), ["no-privileged[1]"], []),
        (entry(match="container: c"), [], ["waiver-stale"]),
        (entry(match="kind: StatefulSet"), [], ["waiver-stale"]),
        (entry("'*'", match="name: eb"), [], ["waiver-stale"]),
        (entry(match="namespace: shop2"), [], ["waiver-stale"]),
        (entry(match="path: k8s/*"), [], ["waiver-stale"]),
        (entry(match="path: '**/app.yaml'"), BOTH, []),
        (entry(reason="''"), [], ["waiver-without-reason"]),
        ("exceptions:\n- id: no-privileged\n  expires: 2026-12-31\n", [], ["waiver-without-reason"]),
        ("exceptions:\n- {id: no-privileged, reason: why, expires: 2026-12-31}\n", BOTH, []),
        (entry(expires="2026-11-25"), BOTH, []),
        (entry(expires="2026-11-24"), [], ["waiver-expired"]),
        (entry(expires="2027-11-25"), BOTH, []),
        (entry(expires="2027-11-26"), [], ["waiver-too-long"]),
    ],
)  # fmt: skip
def test_exceptions(config: str, expected: list[str], problems: list[str], diff: Diff) -> None:
    report = diff(PRIVILEGED, "--as-of", "2026-11-25", config=config)
    assert waived(report) == expected
    assert [(record["id"], record["file"], record["line"]) for record in report["findings"]] == [
        (id, ".harden.yaml", 2) for id in problems
    ]


@pytest.mark.parametrize(
    ("match", "holds"),
    [("", True), ("path: kustomization.yaml", True), ("path: other/", False), ("kind: Deployment", False)],
)
def test_an_exception_speaks_of_a_file_without_objects_by_its_path(
    match: str, holds: bool, harden: Harden, tmp_path: Path
) -> None:
    images = "resources: [app.yaml]\nimages:\n- name: example.com/web\n  newTag: 2.0.0\n"
    config = entry("pin-kustomize-image", match=match)
    write(tmp_path, {"app.yaml": DEPLOYMENT, "kustomization.yaml": images, ".harden.yaml": config})
    commit(tmp_path)
    options = ("--only", "pin-kustomize-image", "--as-of", "2026-11-25", "--format", "json")
    report = json.loads(harden("diff", ".", *options).all)
    (record,) = report["waived"] if holds else (each for each in report["findings"] if each["id"] != "waiver-stale")
    assert record["file"] == "kustomization.yaml"


def test_an_exception_for_what_is_outside_the_paths_is_not_stale(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"a/app.yaml": PRIVILEGED, "b/app.yaml": DEPLOYMENT, ".harden.yaml": entry(match="path: a/")})
    commit(tmp_path)
    options = ("--only", "no-privileged", "--as-of", "2026-11-25", "--format", "json")
    assert json.loads(harden("diff", "b", *options).all)["findings"] == []
    assert waived(json.loads(harden("diff", "a", *options).all)) == BOTH


KNOWN = "exceptions[0]: known are id, expires, match, reason, owner"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (entry().replace("  expires:", "  ends:"), f"unknown key ends in {KNOWN}"),
        (entry().rpartition("  expires:")[0], "exceptions[0].expires is missing"),
        (entry(expires="next year"), "exceptions[0].expires: a day looks like 2026-11-25"),
        (entry(match="kinds: Pod"), "unknown key kinds in exceptions[0].match (did you mean kind?): known are "
         "kind, name, namespace, container, path"),
        (entry() + "  ticket: 7\n", f"unknown key ticket in {KNOWN}"),
        ("kubernetes-versions: x\n", "unknown key kubernetes-versions (did you mean kubernetes-version?): known are "
         "profile, max-grade, max-risk, kubernetes-version, platform, options, exceptions, peer-marks, namespaces, "
         "registries, deep, images, exclude, helm, observe, import"),
        ("registries: {a.example: {mirror: x}}\n", "unknown key mirror in registries[...] (did you mean mirrors?): "
         "known are mirrors, insecure"),
        ("peer-marks: no way\n", "peer-marks: expected true or false, got a text"),
    ],
)  # fmt: skip
def test_a_wrong_exception_is_one_line(config: str, said: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"app.yaml": PRIVILEGED, ".harden.yaml": config})
    commit(tmp_path)
    assert harden("diff", ".") == Done(2, "", f"harden: .harden.yaml: {said}\n")


@pytest.mark.parametrize("command", ["apply", "diff", "check", "filter"])
def test_as_of_is_a_day(command: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"app.yaml": PRIVILEGED})
    paths = () if command == "filter" else ("app.yaml",)
    said = "harden: 25.11.2026: a day looks like 2026-11-25\n"
    assert harden(command, *paths, "--as-of", "25.11.2026") == Done(2, "", said)


MARKS = [
    ("kube-linter", "annotations", "ignore-check.kube-linter.io/privileged-container: needs it", "needs it"),
    ("kube-linter", "annotations", "kube-linter.io/ignore-all: needs it", "needs it"),
    ("checkov", "annotations", "checkov.io/skip1: CKV_K8S_16=needs it", "needs it"),
    ("checkov", "annotations", "checkov.io/skip12: CKV_K8S_16", "checkov.io/skip12: CKV_K8S_16"),
    ("polaris", "annotations", "polaris.fairwinds.com/runAsPrivileged-exempt: 'true'",
     "polaris.fairwinds.com/runAsPrivileged-exempt: true"),
    ("polaris", "annotations", "polaris.fairwinds.com/exempt: 'true'", "polaris.fairwinds.com/exempt: true"),
    ("kube-score", "annotations", "kube-score/ignore: 'pod-probes, container-security-context'",
     "kube-score/ignore: pod-probes, container-security-context"),
    (None, "annotations", "kube-score/ignore: pod-probes", ""),
    (None, "labels", "kubeaudit.io/allow-privileged: disks", ""),  # it reads those of the pods
    (None, "annotations", "ignore-check.kube-linter.io/no-liveness-probe: no server", ""),
    (None, "annotations", "checkov.io/skip: CKV_K8S_16=needs it", ""),
    (None, "annotations", "checkov.io/skip1: CKV_K8S_8=no probe", ""),
    (None, "annotations", "polaris.fairwinds.com/runAsPrivileged-exempt: 'false'", ""),
    (None, "annotations", "kubeaudit.io/allow-privileged: disks", ""),
    (None, "labels", "checkov.io/skip1: CKV_K8S_16=needs it", ""),
]  # fmt: skip


@pytest.mark.parametrize(("carrier", "place", "mark", "reason"), MARKS)
def test_the_marks_of_peers(carrier: str | None, place: str, mark: str, reason: str, diff: Diff) -> None:
    text = PRIVILEGED.replace(f"  {place}: {{}}", f"  {place}: {{{mark}}}", 1)
    report = diff(text)
    expected = [(carrier, reason)] * 2 if carrier else []
    assert [(record["carrier"], record["reason"]) for record in report["waived"]] == expected
    assert report["findings"] == []  # what another tool looks for is not stale
    assert diff(text, config="peer-marks: false\n")["waived"] == []


@pytest.mark.parametrize(
    ("mark", "found"),
    [
        ("kubeaudit.io/allow-privileged: ''", BOTH),
        ("container.kubeaudit.io/b.allow-privileged: ''", ["no-privileged[1]"]),
    ],
)
def test_a_mark_of_kubeaudit_stands_on_the_pods(mark: str, found: list[str], diff: Diff) -> None:
    assert waived(diff(PRIVILEGED.replace("labels: {app: web}\n      ", f"labels: {{{mark}}}\n      "))) == found
    assert waived(diff(PRIVILEGED.replace("labels: {}", f"labels: {{{mark}}}"))) == []


@pytest.mark.parametrize(
    ("attributes", "fits"),
    [
        ({"kind": "Deployment", "name": "web"}, True),
        ({"kind": "Deploy.*", "namespace": "sh.p"}, True),
        ({"kind": "Deployment", "name": "we"}, False),
        ({"kind": "Deployment", "namespace": "other"}, False),
        ({"kind": "Deployment", "cluster": "prod"}, False),
        ({"kind": "Deployment", "name": "("}, False),
    ],
)
def test_exceptions_of_kubescape(attributes: dict[str, str], fits: bool, diff: Diff, tmp_path: Path) -> None:
    policy = {
        "name": "disks", "policyType": "postureExceptionPolicy",
        "resources": [{"designatorType": "Attributes", "attributes": attributes}],
        "posturePolicies": [{"controlID": "c-0057"}, {"frameworkName": "NSA"}],
    }  # fmt: skip
    write(tmp_path, {"exceptions.json": json.dumps([policy], indent=2)})
    report = diff(PRIVILEGED)
    assert waived(report) == (BOTH if fits else [])
    assert {(r["carrier"], r["reason"], r["origin"]["file"]) for r in report["waived"]} == (
        {("kubescape", "disks", "exceptions.json")} if fits else set()
    )


_WEB = "match: {any: [{resources: {kinds: [Deployment], names: [we*]}}]}"
_PRIVILEGED = "exceptions: [{policyName: disallow-privileged-containers}]"


@pytest.mark.parametrize(
    ("policies", "match", "fits"),
    [
        (_PRIVILEGED, _WEB, True),
        ("exceptions: [{policyName: disallow-priv*, ruleNames: [x]}]",
         "match: {all: [{resources: {kinds: [apps/v1/Deployment], namespaces: [shop]}}]}", True),
        ("exceptions: [{policyName: disallow-host-path}]", _WEB, False),
        (_PRIVILEGED, "match: {any: [{resources: {kinds: [Deployment]}}]}", False),
        (_PRIVILEGED, "match: {any: [{resources: {kinds: [Pod], names: [web]}}]}", False),
        (_PRIVILEGED, f"{_WEB}\n  conditions: {{any: [{{key: a, operator: Equals, value: b}}]}}", False),
        (_PRIVILEGED, "match: {any: [{resources: {names: [web], selector: {matchLabels: {a: b}}}}]}", False),
    ],
)  # fmt: skip
def test_an_exception_of_kyverno_is_for_what_it_names(
    policies: str, match: str, fits: bool, diff: Diff, tmp_path: Path
) -> None:
    head = "apiVersion: kyverno.io/v2\nkind: PolicyException\nmetadata: {name: disks}\nspec:\n"
    write(tmp_path, {"exception.yaml": f"{head}  {policies}\n  {match}\n"})
    report = diff(PRIVILEGED)
    assert waived(report) == (BOTH if fits else [])
    said = {(record["carrier"], record["reason"]) for record in report["waived"]}
    assert said == ({("kyverno", "disks")} if fits else set())


def test_transforms_say_which_checks_of_peers_ask_for_the_same() -> None:
    checks = registry.peer_checks()
    assert set(checks) == set(SCANNERS) and all(checks.values())
    assert checks["checkov"]["CKV_K8S_16"] == {"no-privileged"}
    assert checks["checkov"]["CKV_AWS_79"] == {"tf-imds-tokens"}
    # A container that may be root needs neither the promise nor the number.
    assert checks["kubescape"]["C-0013"] == {"run-as-non-root", "run-as-user"}
    assert all(start == start.lower() for start in checks["kubeaudit"])


def test_a_waiver_outranks_the_gate_and_is_no_reason_to_fail(harden: Harden, tmp_path: Path) -> None:
    text = annotated("needs it").replace("privileged: true", "{privileged: true, capabilities: {add: [SYS_ADMIN]}}")
    text = text.replace("        securityContext:\n          {", "        securityContext: {")
    write(tmp_path, {"app.yaml": text})
    commit(tmp_path)
    options = ("--only", "no-privileged", "--fail-on", "low", "--format", "json")
    done = harden("check", ".", *options)
    report = json.loads(done.out)
    assert (done.status, report["held"], waived(report)) == (0, [], BOTH)
    write(tmp_path, {"app.yaml": text.replace("needs it", "''")})
    done = harden("check", ".", *options)
    assert (done.status, len(json.loads(done.out)["held"])) == (1, 2)


def test_the_report_names_reason_carrier_and_place(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"app.yaml": annotated("'container=b; reads the disks'")})
    commit(tmp_path)
    lines = harden("diff", ".", "--only", "no-privileged").all.splitlines()
    start = lines.index("Waived: 1")
    assert lines[start + 1 : start + 3] == [
        "  no-privileged K01  app.yaml:23 Deployment/web",
        "    annotation (app.yaml:6): reads the disks",
    ]
    assert any("1 waived" in line for line in lines)


def test_a_secret_in_a_reason_is_masked(harden: Harden, tmp_path: Path) -> None:
    token = "ghp_" + "aB3dE6gH9j" * 4  # in the form of a token of GitHub
    write(tmp_path, {"app.yaml": annotated(f"see {token[:40]}")})
    commit(tmp_path)
    for form in ("text", "json"):
        assert token[:40] not in harden("diff", ".", "--only", "no-privileged", "--format", form).all


def test_a_finding_is_waived_as_well(diff: Diff) -> None:
    text = PRIVILEGED.replace("privileged: true", "capabilities: {add: [SYS_ADMIN]}")
    found = diff(text, only="drop-capabilities")["findings"]
    assert {record["id"] for record in found} == {"drop-capabilities"}
    text = text.replace("annotations: {}", "annotations: {hardener.dev/ignore-drop-capabilities: mounts}", 1)
    report = diff(text, only="drop-capabilities")
    assert report["findings"] == report["changes"] == []
    assert [record["message"] for record in report["waived"] if "message" in record] == [r["message"] for r in found]


def pod_level(fields: str, comment: str = "", annotation: str = "") -> str:
    text = DEPLOYMENT.replace("      containers:\n", f"{fields}      containers:\n")
    text = text.replace("  name: web\nspec", f"  name: web\n  annotations: {{{annotation}}}\nspec")
    return text + f"      - name: b  {comment}\n        image: example.com/b:1\n"


@pytest.mark.parametrize("carrier", ["comment", "annotation"])
def test_what_only_the_pod_can_say_stays_for_the_pod(carrier: str, diff: Diff) -> None:
    comment = "# harden: ignore[no-host-network] multicast" if carrier == "comment" else ""
    annotation = "hardener.dev/ignore-no-host-network: container=b; multicast" if carrier == "annotation" else ""
    report = diff(pod_level("      hostNetwork: true\n", comment, annotation), only="no-host-network")
    assert (report["changes"], waived(report)) == ([], ["no-host-network"])


@pytest.mark.parametrize(
    ("id", "field", "weak", "strict"),
    [
        ("run-as-non-root", "runAsNonRoot", "false", True),
        ("run-as-user", "runAsUser", "0", 65532),
        ("seccomp-runtime-default", "seccompProfile", "{type: Unconfined}", "RuntimeDefault"),
    ],
)
def test_a_pod_does_not_decide_for_an_exempt_container(id: str, field: str, weak: str, strict: Any, diff: Diff) -> None:
    """The weak value of the pod stays for the one that is exempt; the other one gets the strict value itself."""
    report = diff(
        pod_level(f"      securityContext: {{{field}: {weak}}}\n", f"# harden: ignore[{id}] until 2.0"),
        "--max-grade", "breaking", only=id,
    )  # fmt: skip
    assert {tuple(c["path"][3:5]) for c in report["changes"]} == {("containers", 0)}
    assert strict in [change["after"] for change in report["changes"]]
    assert waived(report) == [f"{id}[1]"]


def test_a_whole_pod_is_waived_as_one(diff: Diff) -> None:
    text = pod_level("", annotation="hardener.dev/ignore-run-as-non-root: until 2.0")
    assert waived(diff(text, only="run-as-non-root")) == ["run-as-non-root"]


def test_a_container_keeps_its_own_value_beside_the_pods(diff: Diff) -> None:
    """What it says itself, it does not inherit, so the pod may decide for the others as ever."""
    text = DEPLOYMENT + (
        "      - name: b\n        image: example.com/b:1\n        securityContext:\n"
        "          seccompProfile: {type: Unconfined}  # harden: ignore[seccomp-runtime-default] traces\n"
    )
    report = diff(text, only="seccomp-runtime-default")
    assert [change["path"][3] for change in report["changes"]] == ["securityContext"]
    assert waived(report) == ["seccomp-runtime-default[1]"]


def drop_first(container: Container) -> Steps:
    yield container.drop("args", 0, grade=Grade.SAFE)


def rewrite(container: Container) -> Steps:
    for index, _ in enumerate(container.strings("args")):
        yield [container.set("args", index, to=str(index), grade=Grade.SAFE)]


def test_a_scope_is_found_again_when_items_before_it_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    transforms = [declared(drop_first, stage="host"), declared(rewrite)]
    monkeypatch.setattr(registry, "transforms", lambda: {item.id: item for item in transforms})
    lines = ["- a", "- b  # harden: ignore[rewrite] kept", "- c"]
    write(tmp_path, {"web.yaml": DEPLOYMENT + "        args:\n" + "".join(f"        {line}\n" for line in lines)})
    tree = Tree.read([str(tmp_path)], root=str(tmp_path))
    outcome = pipeline.run(tree, Profile("test", members={item.id: True for item in transforms}))
    assert outcome.files[0].text.splitlines()[-2:] == ["        - b  # harden: ignore[rewrite] kept", '        - "1"']
    assert [(item.place[1], item.line) for item in outcome.waived] == [(17, 17)]


def test_of_several_waivers_the_first_one_is_on_record(diff: Diff) -> None:
    text = annotated("the first").replace(TEMPLATE, "      annotations: {hardener.dev/ignore-all: the second}", 1)
    report = diff(text)
    assert {record["reason"] for record in report["waived"]} == {"the first"}
    assert findings(report) == []  # the second is used as well


def test_an_exposure_needs_a_reason(diff: Diff) -> None:
    text = (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: redis\n  annotations: {hardener.dev/expose: REASON}\n"
        "spec:\n  type: LoadBalancer\n  ports:\n  - port: 6379\n"
    )
    report = diff(text.replace("REASON", "partners dial it"), only="service-cluster-ip")
    assert (len(report["held"]), report["changes"]) == (1, [])
    report = diff(text.replace("REASON", "''"), only="service-cluster-ip")
    assert (report["held"], bool(report["changes"])) == ([], True)
    assert ("waiver-without-reason", 5) in findings(report)


@pytest.mark.parametrize(
    ("metadata", "sign"),
    [
        ("ownerReferences: [{apiVersion: v1, kind: X, name: x, uid: u}]", "owned"),
        ("finalizers: []", None),
    ],
)
def test_a_waiver_where_nothing_is_judged_is_not_stale(metadata: str, sign: str | None, diff: Diff) -> None:
    text = annotated("needs it").replace("privileged: true", "privileged: false")
    report = diff(text.replace("metadata:\n  name: web", f"metadata:\n  {metadata}\n  name: web", 1))
    assert [id for id, _ in findings(report)] == [sign or "waiver-stale"]


def test_a_namespace_that_nothing_declares_is_waived_by_name_only(diff: Diff) -> None:
    for key, taken in (("ignore-all", False), ("ignore-netpol-default-deny", True)):
        text = annotated("isolated by the mesh", key=key)
        assert waived(diff(text, only="netpol-default-deny")) == (["netpol-default-deny"] if taken else [])


def test_a_stream_honours_what_it_shows(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {".harden.yaml": entry(match="name: elsewhere")})
    commit(tmp_path)
    options = ("--only", "no-privileged", "--as-of", "2026-11-25")
    done = harden("filter", *options, stdin=annotated("needs it").encode())
    assert done.out == annotated("needs it")
    assert done.err.startswith(
        "changed nothing in 1 file; 2 waived\n"
    )  # the exception may be for what another stream shows


AGENT = "      hostPID: true\n      hostNetwork: true\n"


def test_what_a_class_of_pod_keeps_anyway_is_waived_where_somebody_said_so(diff: Diff) -> None:
    """A node agent is left without most transforms; those that are waived are not among those that it lacks."""
    text = pod_level(AGENT, annotation="hardener.dev/ignore-run-as-non-root: reads the processes of the node")
    text = text.replace("kind: Deployment", "kind: DaemonSet")
    report = diff(text, only="run-as-non-root,drop-capabilities")
    assert waived(report) == ["run-as-non-root"]
    assert [record["message"].partition(" (")[0] for record in report["findings"]] == ["not done: drop-capabilities"]


@pytest.mark.parametrize("broken", ["securityContext: 7", "containers: 7", "hostNetwork: {}", "volumes: {}"])
def test_a_shape_that_the_api_refuses_is_no_crash(broken: str, diff: Diff) -> None:
    annotation = "hardener.dev/ignore-all: 'container=web; until 2.0', hardener.dev/ignore-run-as-user: until 2.0"
    for kind in ("Deployment", "DaemonSet"):
        text = pod_level(f"      {broken}\n" + AGENT * (kind == "DaemonSet"), annotation=annotation)
        text = text.replace("kind: Deployment", f"kind: {kind}")
        if broken.startswith(("containers", "hostNetwork")):
            text = text.replace("      containers:\n", "      initContainers:\n").replace(
                "      hostNetwork: true\n", ""
            )
        diff(text, "--max-grade", "breaking", only="")


@pytest.mark.parametrize(
    "metadata", ["annotations: 7", "annotations: [a]", "labels: {kubeaudit.io/allow-privileged: }"]
)
def test_metadata_of_any_shape_is_no_crash(metadata: str, diff: Diff) -> None:
    diff(DEPLOYMENT.replace("  name: web\n", f"  name: web  # {WAIVER} kubeaudit.io/ hardener.dev/\n  {metadata}\n"))


@pytest.mark.slow
def test_an_annotation_is_read_in_a_fresh_process(tmp_path: Path) -> None:
    # Not in this one, where the module of annotations may be loaded by now.
    text = PRIVILEGED.replace(
        "annotations: {}", 'annotations: {hardener.dev/ignore-no-privileged: "it is a driver"}', 1
    )
    write(tmp_path, {"web.yaml": text})
    command = [sys.executable, "-m", "hardener", "diff", "--only", "no-privileged", "."]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert "it is a driver" in done.stdout + done.stderr


ROLE_BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: deployer{namespace}}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: cluster-admin
subjects:
- kind: ServiceAccount
  name: deployer
  namespace: ci
"""


@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
@pytest.mark.parametrize("line", ["roleRef:", "  name: cluster-admin", "- kind: ServiceAccount"])
def test_a_comment_speaks_for_the_evidence_on_its_line(line: str, kind: str, diff: Diff) -> None:
    text = ROLE_BINDING.format(kind=kind, namespace=", namespace: ci" if kind == "RoleBinding" else "")
    only = "rbac-cluster-admin-binding"
    report = diff(text.replace(line, f"{line} # harden: ignore[{only}] the pipeline"), only=only)
    assert waived(report) == [only] and findings(report) == [] and not report["held"]


def show(container: Container) -> Steps:
    pod = container.object
    first = pod.fact("shares its volumes", "spec", "template", "spec", "containers", 0, "image")
    yield container.set("tty", to=True, grade=Grade.SAFE, evidence=[first])


def test_what_a_container_shows_of_another_one_waives_nothing_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = commented("        image: example.com/a:1", "# harden: ignore[show] kept")
    write(tmp_path, {"app.yaml": comment})
    shown = declared(show)
    monkeypatch.setattr(registry, "transforms", lambda: {shown.id: shown})
    tree = Tree.read([str(tmp_path / "app.yaml")], root=str(tmp_path))
    outcome = pipeline.run(tree, Profile("test", members={shown.id: True}))
    assert [record.changes[0].path[-2] for record in outcome.waived] == [0]
    assert [change.path[-2] for change in outcome.changes] == [1]
