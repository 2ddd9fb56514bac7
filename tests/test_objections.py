"""What an overlay could not bear is not written into its base, and what it weakens there is a finding on its patch."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.kubernetes.validity import violations

from .built import builder
from .conftest import corpus_copy, write
from .overlay_trees import (
    BASE,
    SPEC,
    USER,
    WEB,
    applied,
    findings,
    held,
    is_stable,
    merging,
    of_container,
    operating,
    place,
    run,
    why,
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# The net: what the rules of Kubernetes refuse once it is patched is not written.

MOUNT = {"name": "v", "mountPath": "/data"}
VOLUME = {"name": "v", "emptyDir": {}}
NGINX = {
    **BASE,
    "base/web.yaml": WEB.replace("example.com/web:1.2.3", "nginx:1.27") + "        ports: [{containerPort: 80}]\n",
}
PARTED = {**BASE, "base/web.yaml": WEB + "        volumeMounts:\n        - {name: v, mountPath: /data}\n"
          "      volumes:\n      - name: v\n        emptyDir: {}\n"}  # fmt: skip


@pytest.mark.parametrize(
    ("base", "overlay", "id", "reason"),
    [
        (BASE, of_container("securityContext: {privileged: true}"), "no-privilege-escalation",
         "with patch dev/user.yaml: allowPrivilegeEscalation: false is rejected with privileged: true"),
        (BASE, operating({"op": "add", "path": f"{SPEC}/volumes", "value": [VOLUME]}), "read-only-root-filesystem",
         "with patch dev/ops.yaml: there is no volume harden-web-tmp"),
        (PARTED, operating({"op": "add", "path": f"{SPEC}/containers/0/volumeMounts/-",
                            "value": {"name": "v", "mountPath": "/tmp"}}), "read-only-root-filesystem",
         "with patch dev/ops.yaml: /tmp is mounted twice"),
        (PARTED, operating({"op": "replace", "path": f"{SPEC}/containers/0/volumeMounts", "value": [MOUNT]}),
         "read-only-root-filesystem", "with patch dev/ops.yaml: volumeMounts would lose what the step adds"),
        (BASE, of_container("securityContext: {capabilities: {add: [SYS_TIME]}}"), "drop-capabilities",
         "with patch dev/user.yaml: add would lose what the step adds"),
        (BASE, operating({"op": "test", "path": f"{SPEC}/volumes", "value": None}), "read-only-root-filesystem",
         f"patch dev/ops.yaml could no longer be applied: the test of {SPEC}/volumes fails"),
        ({**BASE, "base/web.yaml": WEB + "        securityContext: {privileged: true, runAsGroup: 5}\n"},
         operating({"op": "replace", "path": f"{SPEC}/containers/0/securityContext/privileged", "value": False}),
         "no-privileged", "patch dev/ops.yaml would no longer find what it changes"),
        (NGINX, merging("securityContext: {runAsUser: 0}"), "run-as-non-root", "as it is patched, runAsUser is 0"),
    ],
)  # fmt: skip
def test_what_an_overlay_could_not_bear_is_held_back(
    tree: Path, base: dict[str, str], overlay: dict[str, str], id: str, reason: str
) -> None:
    outcome = run(tree, base, overlay)
    assert not applied(outcome, id)
    assert reason in why(held(outcome, id))
    assert not outcome.refused


@pytest.mark.parametrize(("options", "is_made"), [("", True), (", readOnly: true", False)])
def test_an_overlay_that_mounts_a_volume_of_its_own_there(tree: Path, options: str, is_made: bool) -> None:
    overlay = merging(
        f"containers:\n- name: web\n  volumeMounts: [{{name: mine, mountPath: /tmp{options}}}]\n"
        "volumes: [{name: mine, emptyDir: {}}]"
    )
    outcome = run(tree, BASE, overlay)
    assert bool(applied(outcome, "read-only-root-filesystem")) is is_made
    assert bool(held(outcome, "read-only-root-filesystem")) is not is_made


FAILING = operating({"op": "test", "path": f"{SPEC}/hostNetwork", "value": True})


def test_a_patch_that_fails_anyway_holds_nothing_back(tree: Path) -> None:
    outcome = run(tree, BASE, FAILING)
    assert not outcome.held and applied(outcome, "no-privilege-escalation")


def test_a_number_of_the_base_is_not_what_a_patch_sets(tree: Path) -> None:
    base = {**BASE, "base/web.yaml": WEB + "        securityContext: {runAsUser: 0}\n"}
    outcome = run(tree, base, of_container("env: [{name: A, value: b}]"), only="run-as-user")
    assert not outcome.held and applied(outcome, "run-as-user")


def test_the_patch_that_breaks_it_is_named(tree: Path) -> None:
    overlay = of_container("securityContext: {privileged: true}")
    overlay["dev/kustomization.yaml"] += "- path: more.yaml\n"
    overlay["dev/more.yaml"] = of_container("env: [{name: A, value: b}]")["dev/user.yaml"]
    step = held(run(tree, BASE, overlay), "no-privilege-escalation")
    assert why(step)[0].startswith("with patch dev/user.yaml: ")


def test_what_is_accepted_lifts_no_rule_of_kubernetes(tree: Path) -> None:
    outcome = run(tree, BASE, of_container("securityContext: {privileged: true}"), risk="breaking")
    step = held(outcome, "no-privilege-escalation")
    assert why(step)[1] == "--accept does not help here: change the patch first"
    assert step is not None
    assert step.patch == [
        {"op": "add", "path": f"{SPEC}/containers/0/securityContext/allowPrivilegeEscalation", "value": False}
    ]


def test_a_patch_that_does_not_fit_any_more(tree: Path) -> None:
    """An expression stands where this run would write a mapping; kustomize cannot merge the two."""
    outcome = run(tree, BASE, of_container("securityContext: ${CONTEXT}"))
    assert why(held(outcome, "no-privilege-escalation"))[0] == (
        "patch dev/user.yaml could no longer be applied: object and patch have different shapes at one place"
    )


def test_a_net_of_the_node_takes_no_settings_of_the_pod(tree: Path) -> None:
    outcome = run(tree, NGINX, merging("hostNetwork: true"))
    assert not outcome.held
    [change] = applied(outcome, "unprivileged-ports")
    assert (change.path[-2:], change.after) == (("add", 0), "NET_BIND_SERVICE")


def test_numbers_of_the_pod_that_a_container_would_win_over(tree: Path) -> None:
    base = {
        **BASE,
        "base/web.yaml": WEB.replace("example.com/web:1.2.3", "redis:7")
        + """\
      - name: api
        image: example.com/api:1.2.3
""",
    }
    outcome = run(tree, base, merging("securityContext: {runAsUser: 2000}"), only="run-as-user")
    step = held(outcome, "run-as-user")
    assert why(step)[0] == "with patch dev/user.yaml: runAsUser would no longer be what it sets"
    assert place(outcome, step) == ("dev/user.yaml", 8)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": f"{SPEC}/containers/0/volumeMounts/0/mountPath", "value": "/srv"},
        {"op": "add", "path": f"{SPEC}/containers/0/volumeMounts/-", "value": {"name": "v", "mountPath": "/srv"}},
        {"op": "add", "path": f"{SPEC}/containers/0/env", "value": [{"name": "A", "value": "1"}]},
        {"op": "test", "path": f"{SPEC}/containers/0/name", "value": "web"},
    ],
)
def test_a_json_patch_that_still_does_what_it_did_holds_nothing_back(tree: Path, operation: dict[str, Any]) -> None:
    outcome = run(tree, PARTED, operating(operation))
    assert not outcome.held
    assert applied(outcome, "read-only-root-filesystem")


@pytest.mark.parametrize("target", ["{annotationSelector: team!=shop}", "{kind: NetworkPolicy}"])
def test_a_json_patch_that_a_new_object_could_not_bear(tree: Path, target: str) -> None:
    """kustomize applies it to all that it fits; one that fails builds nothing."""
    overlay = operating({"op": "add", "path": "/spec/ingress/7", "value": {}})
    overlay["dev/kustomization.yaml"] = f"resources: [../base]\npatches:\n- path: ops.yaml\n  target: {target}\n"
    outcome = run(tree, BASE, overlay)
    assert not [change for change in outcome.changes if "harden-networkpolicies.yaml" in str(change.after)]
    assert why(held(outcome, "netpol-workload"))[0] == (
        "patch dev/ops.yaml could not be applied to NetworkPolicy/harden-web: there is no /spec/ingress"
    )


# What an overlay weakens is a finding on its patch.


@pytest.mark.parametrize(
    ("overlay", "line", "severity", "text"),
    [
        (of_container("securityContext:\n  privileged: true"), 11, "high", "container web: privileged: true"),
        (of_container("securityContext: {allowPrivilegeEscalation: true}"), 10, "medium",
         "container web: allowPrivilegeEscalation: true"),
        (of_container("securityContext: {readOnlyRootFilesystem: false}"), 10, "medium",
         "container web: readOnlyRootFilesystem: false"),
        (of_container("securityContext: {runAsUser: 0}"), 10, "medium", "container web: runAsUser: 0"),
        (of_container("securityContext: {capabilities: {add: [NET_RAW]}}"), 10, "medium",
         "container web: it adds NET_RAW"),
        (merging("hostNetwork: true"), 8, "high", "hostNetwork: true"),
        (merging("automountServiceAccountToken: true"), 8, "medium", "automountServiceAccountToken: true"),
        (merging("volumes: [{name: s, hostPath: {path: /var/run/docker.sock}}]"), 8, "high",
         'hostPath volumes: volume "s"'),
        (of_container("ports: [{containerPort: 80, hostPort: 80}]"), 10, "medium",
         'hostPort: container "web" uses hostPort 80'),
        (merging("containers: [{name: new, image: 'a:1'}]"), 8, "medium",
         "container new: it is added without allowPrivilegeEscalation: false and drop ALL"),
        (merging("containers: [{name: new, image: 'a:1', securityContext: {runAsUser: 0}}]"), 8, "medium",
         "container new: runAsUser: 0, it is added without allowPrivilegeEscalation: false and drop ALL"),
        (merging("securityContext: null"), 8, "medium",
         "no runAsNonRoot: true, no seccompProfile: RuntimeDefault"),
    ],
)  # fmt: skip
def test_what_a_patch_weakens(tree: Path, overlay: dict[str, str], line: int, severity: str, text: str) -> None:
    [finding] = findings(run(tree, BASE, overlay))
    assert finding.message.startswith(f"patch dev/user.yaml weakens Deployment/web: {text}")
    assert (finding.risk, finding.severity, finding.file, finding.line) == ("K01", severity, "dev/user.yaml", line)


def test_a_new_container_is_not_blamed_for_the_user_of_its_pod(tree: Path) -> None:
    root = {**BASE, "base/web.yaml": WEB + "      securityContext: {runAsUser: 0}\n"}
    adding = merging("containers: [{name: new, image: 'a:1'}]")
    [finding] = findings(run(tree, root, adding, only="weakened-by-overlay"))
    assert "runAsUser" not in finding.message


def test_what_a_json_patch_takes_away(tree: Path) -> None:
    limited = {**BASE, "base/web.yaml": WEB + "        resources: {limits: {memory: 1Gi}}\n"}
    removing = operating({"op": "remove", "path": f"{SPEC}/containers/0/resources"})
    [finding] = findings(run(tree, limited, removing, only="weakened-by-overlay"))
    assert (finding.message, finding.severity, finding.line) == (
        "patch dev/ops.yaml weakens Deployment/web: container web: no memory limit", "low", 2,
    )  # fmt: skip


@pytest.mark.parametrize("overlay", [of_container("env: [{name: A, value: a}]"), merging("hostNetwork: false")])
def test_a_patch_that_weakens_nothing(tree: Path, overlay: dict[str, str]) -> None:
    outcome = run(tree, BASE, overlay)
    assert findings(outcome) == []
    assert not [finding for finding in outcome.findings if finding.id == "patch"], "it was weighed"


OPERATION = f'[{{"op": "add", "path": "{SPEC}/hostPID", "value": true}}]'


@pytest.mark.parametrize(
    ("entry", "file"),
    [
        ("{path: p.yaml}", "c/p.yaml"),
        (f"{{patch: '{OPERATION}', target: {{kind: Deployment}}}}", "c/kustomization.yaml"),
        ("{path: p.json, target: {name: web}}", "c/p.json"),
        ("{patch: '{kind: Deployment, metadata: {name: web}, spec: {replicas: 3}}'}", ""),
    ],
)
def test_a_patch_of_pods_that_nothing_applies_is_judged_with_what_it_fits(tree: Path, entry: str, file: str) -> None:
    alone = {"c/kustomization.yaml": f"kind: Component\npatches:\n- {entry}\n", "c/p.json": OPERATION}
    if file == "c/p.yaml":
        alone["c/p.yaml"] = USER["dev/user.yaml"]
    found = run(tree, BASE, alone).findings
    assert {finding.file for finding in found if finding.id == "weakened-by-overlay"} == {file} - {""}
    assert not [finding for finding in found if finding.id == "patch"]


@pytest.mark.parametrize(
    ("target", "lines"),
    [
        ("{kind: SealedSecret}", {1: "a component with patches that no kustomization of the tree uses"}),
        ("{kind: {}, name: web}", {1: "a component", 3: "does not know which objects this selects"}),
    ],
)
def test_a_component_of_other_things_that_nothing_uses_is_named(tree: Path, target: str, lines: dict[int, str]) -> None:
    entry = f"kind: Component\npatches:\n- {{path: p.json, target: {target}}}\n"
    outcome = run(tree, BASE, {"c/kustomization.yaml": entry, "c/p.json": OPERATION})
    found = {finding.line: finding for finding in outcome.findings if finding.id == "patch"}
    assert {finding.file for finding in found.values()} == {"c/kustomization.yaml"}
    assert found.keys() == lines.keys()
    assert all(text in found[line].message for line, text in lines.items())


def test_a_waiver_in_the_patch_speaks_of_it(tree: Path) -> None:
    overlay = of_container("securityContext:\n  privileged: true # harden: ignore[weakened-by-overlay] needs devices")
    outcome = run(tree, BASE, overlay)
    assert findings(outcome) == []
    assert [waived.reason for waived in outcome.waived] == ["needs devices"]


def test_a_patch_beyond_the_given_paths_is_evidence_too(tree: Path) -> None:
    outcome = run(tree, BASE, of_container("securityContext: {privileged: true}"), edit="base")
    assert held(outcome, "no-privilege-escalation")
    assert [finding.file for finding in findings(outcome)] == ["dev/user.yaml"]


def test_a_namespace_is_labelled_for_its_worst_pod(tree: Path) -> None:
    namespace = {
        "base/kustomization.yaml": "namespace: shop\nresources: [web.yaml, shop.yaml]\n",
        "base/shop.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    }
    outcome = run(tree, BASE, namespace, {"dev/kustomization.yaml": "resources: [../base]\n"})
    labels = {change.path[-1]: change.after for change in applied(outcome, "namespace-pss-labels")}
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    outcome = run(tree, of_container("securityContext: {allowPrivilegeEscalation: true}"))
    labels = {change.path[-1]: change.after for change in applied(outcome, "namespace-pss-labels")}
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
    [reason] = [finding.message for finding in outcome.findings if finding.id == "namespace-pss-labels"]
    assert reason.endswith("as dev/user.yaml patches it")


# As kustomize renders it.


def _rendered(folder: Path) -> Counter[tuple[int, str]]:
    """The rules of Kubernetes that what is built there breaks."""
    done = subprocess.run([*builder("kubectl"), str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Counter(
        (broken.rule, broken.message) for item in yaml.safe_load_all(done.stdout) for broken in violations(item)
    )


def _overlays() -> Iterator[tuple[str, dict[str, str]]]:
    yield "user", USER
    yield "privileged", of_container("securityContext: {privileged: true, runAsUser: 0}")
    yield "numbers", of_container("resources: {requests: {memory: 3Gi, cpu: '3'}}")
    yield "limits", of_container("resources: {limits: {memory: 16Mi, cpu: 5m}}")
    yield "node", merging("hostNetwork: true\nhostPID: true\nsecurityContext: {runAsUser: 0}")
    yield "volumes", operating({"op": "add", "path": f"{SPEC}/volumes", "value": [VOLUME]})
    yield "mounts", operating({"op": "add", "path": f"{SPEC}/containers/0/volumeMounts/-",
                               "value": {"name": "v", "mountPath": "/tmp"}})  # fmt: skip
    yield "context", operating({"op": "add", "path": f"{SPEC}/securityContext", "value": {"runAsUser": 0}})
    yield "container", operating({"op": "add", "path": f"{SPEC}/containers/0", "value": {"name": "x", "image": "x:1"}})
    yield "tests", operating({"op": "test", "path": f"{SPEC}/securityContext", "value": None})


@pytest.mark.kubectl
@pytest.mark.parametrize("risk", ["review", "breaking"])
@pytest.mark.parametrize(
    ("name", "overlay"), list(_overlays()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_kustomize_renders_stays_valid(tree: Path, name: str, overlay: dict[str, str], risk: str) -> None:
    write(tree, {**PARTED, **overlay})
    before = _rendered(tree / "dev")
    outcome = run(tree, risk=risk)
    assert outcome.changes
    is_stable(tree, outcome, risk=risk)
    assert not _rendered(tree / "dev") - before


@pytest.mark.kubectl
@pytest.mark.long
def test_argo_cd_for_its_developers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its overlay dev-tilt takes the security contexts away that base has, and sets other ports by their index."""
    copy = corpus_copy("argo-cd", tmp_path)
    monkeypatch.chdir(copy)
    outcome = run(copy)
    found = findings(outcome)
    assert {finding.file for finding in found} == {"dev-tilt/kustomization.yaml"}
    assert [str(finding.object) for finding in found] == [
        "StatefulSet/argocd-application-controller",
        "Deployment/argocd-applicationset-controller",
        "Deployment/argocd-commit-server",
        "Deployment/argocd-dex-server",
        "Deployment/argocd-notifications-controller",
        "Deployment/argocd-redis",
        "Deployment/argocd-repo-server",
        "Deployment/argocd-server",
    ]
    before = _rendered(copy / "dev-tilt")
    is_stable(copy, outcome)
    assert not _rendered(copy / "dev-tilt") - before


# Paths limit what is edited and said, not what is known.


@pytest.mark.parametrize("edit", ["dev", "dev/user.yaml", "dev/kustomization.yaml", "base", "."])
def test_a_patch_is_weighed_wherever_its_base_is(tree: Path, edit: str) -> None:
    outcome = run(tree, BASE, USER, only="weakened-by-overlay", edit=edit)
    [finding] = findings(outcome)
    assert (finding.file, finding.line, finding.severity) == ("dev/user.yaml", 11, "medium")
    assert "patch dev/user.yaml weakens Deployment/web: container web: runAsUser: 0" in finding.message


def test_a_patch_of_another_overlay_is_not_said(tree: Path) -> None:
    other = {"test/kustomization.yaml": "resources: [../base]\npatches:\n- path: p.yaml\n",
             "test/p.yaml": USER["dev/user.yaml"].replace("runAsUser: 0", "runAsUser: 7")}  # fmt: skip
    assert findings(run(tree, BASE, USER, other, only="weakened-by-overlay", edit="test")) == []


def test_of_a_base_that_is_evidence_nothing_else_is_said(tree: Path) -> None:
    owned = WEB.replace("  name: web\n", "  name: web\n  ownerReferences: [{kind: App, name: a}]\n", 1)
    for base in (BASE, {**BASE, "base/web.yaml": owned}):
        outcome = run(tree, base, USER, edit="dev")
        assert {finding.file for finding in outcome.findings} <= {"dev/user.yaml", "dev/kustomization.yaml"}
        assert not outcome.changes
