"""Kustomize overlays as evidence: what they set for a pod is weighed when its base is hardened."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.authoring import profile
from hardener.engine import pipeline
from hardener.facts.kustomize.overlays.states import states
from hardener.facts.kustomize.overlays.variants import Chain
from hardener.tree.core_views import PodTemplate

from .conftest import DEPLOYMENT, Harden, write
from .overlay_trees import (
    BASE,
    HEAD,
    OF_WEB,
    SPEC,
    USER,
    WEB,
    applied,
    held,
    is_stable,
    merging,
    of_container,
    operating,
    patched_states,
    place,
    read,
    run,
    why,
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Which overlays change a pod.

PATCH = f"{HEAD}spec:\n  template:\n    spec:\n      hostPID: true\n"
OP = f'[{{"op": "add", "path": "{SPEC}/hostPID", "value": true}}]'
INLINE = "".join(f"    {line}\n" for line in PATCH.splitlines())


@pytest.mark.parametrize(
    "overlay",
    [
        {"dev/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n", "dev/p.yaml": PATCH},
        {"dev/kustomization.yaml": "resources: [../base]\npatchesStrategicMerge: [p.yaml]\n", "dev/p.yaml": PATCH},
        {"dev/kustomization.yaml": f"resources: [../base]\npatchesStrategicMerge:\n- |\n{INLINE}"},
        {"dev/kustomization.yaml": f"resources: [../base]\npatches:\n- patch: |\n{INLINE}"},
        {
            "dev/kustomization.yaml": f"resources: [../base]\npatches:\n- target: {OF_WEB}\n  patch: |\n"
            f'    [{{"op": "add", "path": "{SPEC}/hostPID", "value": true}}]\n'
        },
        {
            "dev/kustomization.yaml": "resources: [../base]\npatchesJson6902:\n- path: p.json\n"
            "  target: {group: apps, version: v1, kind: Deployment, name: web}\n",
            "dev/p.json": f'[{{"op": "add", "path": "{SPEC}/hostPID", "value": true}}]',
        },
        {
            "dev/kustomization.yaml": "resources: [../base]\ncomponents: [../c]\n",
            "c/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
            "patches: [{path: p.yaml}]\n",
            "c/p.yaml": PATCH,
        },
        {
            "dev/kustomization.yaml": "resources: [../mid]\npatches: [{target: {name: x-web}, path: p.yaml}]\n",
            "mid/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\n",
            "dev/p.yaml": PATCH.replace("name: web", "name: x-web"),
        },
        {
            "dev/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
            "dev/p.yaml": "apiVersion: v1\nkind: List\nitems:\n- " + PATCH.replace("\n", "\n  ").rstrip(" "),
        },
    ],
    ids=["path", "strategic", "strategic inline", "inline", "json inline", "json 6902", "component", "renamed", "list"],
)  # fmt: skip
def test_a_patch_of_every_kind_is_seen(tree: Path, overlay: dict[str, str]) -> None:
    [(name, data)] = patched_states(read(tree, BASE, overlay))
    assert name in ("web", "x-web")
    assert data["hostPID"] is True
    assert data["containers"] == [{"name": "web", "image": "example.com/web:1.2.3"}]


EXACT = "group: apps, version: v1, kind: Deployment"


@pytest.mark.parametrize(
    ("settings", "key", "target", "is_seen"),
    [
        ("namespace: dev", "patchesJson6902", f"{EXACT}, name: web, namespace: dev", True),
        ("namespace: dev", "patches", "namespace: dev", False),
        ("namePrefix: x-", "patchesJson6902", f"{EXACT}, name: x-web", True),
        ("namePrefix: x-", "patches", "name: x-web", False),
        ("commonLabels: {a: b}", "patchesJson6902", f"{EXACT}, name: web, labelSelector: a=b", True),
        ("commonLabels: {a: b}", "patches", "labelSelector: a=b", False),
    ],
)
def test_old_json_patches_see_what_their_kustomization_sets(
    tree: Path, settings: str, key: str, target: str, is_seen: bool
) -> None:
    """kustomize applies them later than all others."""
    overlay = {
        "dev/kustomization.yaml": f"resources: [../base]\n{settings}\n{key}:\n- path: p.json\n  target: {{{target}}}\n",
        "dev/p.json": OP,
    }
    assert bool(patched_states(read(tree, BASE, overlay))) is is_seen


@pytest.mark.parametrize(
    ("below", "selector"),
    [
        ("labels: [{pairs: {a: b}}]", "labelSelector: a=b"),
        ("commonAnnotations: {a: b}", "annotationSelector: a=b"),
        ("patches: [{path: meta.yaml}]", "labelSelector: c=d"),
    ],
)
def test_what_a_kustomization_below_sets_selects(tree: Path, below: str, selector: str) -> None:
    overlay = {
        "base/kustomization.yaml": f"resources: [web.yaml]\n{below}\n",
        "base/meta.yaml": HEAD + "  labels: {c: d}\n",
        "dev/kustomization.yaml": f"resources: [../base]\npatches: [{{path: p.json, target: {{{selector}}}}}]\n",
        "dev/p.json": OP,
    }
    [(_, data)] = patched_states(read(tree, BASE, overlay))
    assert data["hostPID"] is True


@pytest.mark.parametrize(
    "overlay",
    [
        {},
        {"dev/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\n"},
        {"dev/kustomization.yaml": "resources: [../base]\nreplicas: [{name: web, count: 3}]\n"},
        {"dev/kustomization.yaml": "resources: [../base]\nimages: [{name: example.com/web, newTag: '2'}]\n"},
        {"dev/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
         "dev/p.yaml": f"{HEAD}spec:\n  replicas: 3\n"},
        {"dev/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
         "dev/p.yaml": PATCH.replace("name: web", "name: api")},
        {"dev/kustomization.yaml": "resources: [../base]\npatches: [{path: missing.yaml}]\n"},
        {"dev/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n", "dev/p.yaml": "a: [\n"},
        {"c/kustomization.yaml": "kind: Component\npatches: [{path: p.yaml}]\n", "c/p.yaml": PATCH},
        {"dev/kustomization.yaml": "resources: [../base]\npatches: [1, null, {path: 1}, {patch: [a]}, 'x', {}]\n"},
        {"dev/kustomization.yaml": "resources: [../base]\npatches: {a: b}\nimages: [a, {name: 1}, {newTag: 2}]\n"},
    ],
    ids=["none", "prefix", "replicas", "tag", "replicas patch", "other", "missing", "broken", "unused component",
         "odd entries", "odd keys"],
)  # fmt: skip
def test_what_changes_no_pod_makes_no_state(tree: Path, overlay: dict[str, str]) -> None:
    assert patched_states(read(tree, BASE, overlay)) == []


def test_builds_with_the_same_patches_are_one_state(tree: Path) -> None:
    base = {
        **BASE,
        "base/kustomization.yaml": "resources: [web.yaml]\npatches: [{path: p.yaml}]\n",
        "base/p.yaml": PATCH,
    }
    overlays = {f"{name}/kustomization.yaml": "resources: [../base]\n" for name in ("dev", "test", "prod")}
    assert len(patched_states(read(tree, base, overlays))) == 1


@pytest.mark.parametrize(
    ("image", "reasons", "is_made_with_a_number"),
    [
        ("python", ["as it is patched, the user of its image is root"], True),
        # A port below 1024 speaks against a number that says nothing of the image.
        ("nginx", ["image table: it serves port 80",
                   "the user of its image is not known, and no number is written"], False),
    ],
)  # fmt: skip
def test_an_image_that_is_known_to_be_another_makes_a_state(
    tree: Path, image: str, reasons: list[str], is_made_with_a_number: bool
) -> None:
    images = f"images: [{{name: example.com/web, newName: {image}}}]\n"
    [(_, data)] = patched_states(read(tree, BASE, {"dev/kustomization.yaml": f"resources: [../base]\n{images}"}))
    assert data["containers"][0]["image"] == f"{image}:1.2.3"
    outcome = run(tree, only="run-as-non-root")
    assert not applied(outcome, "run-as-non-root")
    assert why(held(outcome, "run-as-non-root")) == reasons
    outcome = run(tree)
    assert bool(applied(outcome, "run-as-non-root")) is is_made_with_a_number


def test_an_image_that_a_patch_names_may_be_another(tree: Path) -> None:
    overlay = of_container("image: web")
    overlay["dev/kustomization.yaml"] += "images: [{name: web, newName: nginx}]\n"
    [(_, data)] = patched_states(read(tree, BASE, overlay))
    assert data["containers"][0]["image"] == "nginx"


def test_states_follow_what_this_run_changes(tree: Path) -> None:
    workspace = read(tree, BASE, merging("hostPID: true"))
    pod = next(pod for pod in workspace.pod_templates if not pod.object.classes)
    assert not states(pod)[1].has("securityContext")
    pipeline.run(workspace, profile.load("restricted"), only=frozenset(["seccomp-runtime-default"]))
    assert states(pod)[1].text("securityContext", "seccompProfile", "type") == "RuntimeDefault"


def test_an_expression_in_a_patch_stops_nothing(tree: Path) -> None:
    outcome = run(tree, BASE, of_container("securityContext: {runAsUser: '${USER}'}\ncommand: ['${COMMAND}']"))
    assert applied(outcome, "no-privilege-escalation")
    assert not [finding for finding in outcome.findings if finding.id in ("opaque-value", "not-valid-kubernetes")]


def test_a_tree_without_patches_applies_none(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("asked for nothing")

    monkeypatch.setattr(Chain, "apply", refuse)
    monkeypatch.setattr("hardener.facts.kustomize.overlays.variants.PatchedOverlays._collect", refuse)
    assert run(tree, BASE, {"dev/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\n"}).changes


# What overlays set is evidence for the base. The line is where the patch says it.

COMMAND = of_container("command: [sh, -c, chown app /data && run]")


def test_an_overlay_that_runs_as_root(tree: Path) -> None:
    outcome = run(tree, BASE, USER)
    step = held(outcome, "run-as-non-root")
    assert why(step) == ["as it is patched, runAsUser is 0"]
    assert place(outcome, step) == ("dev/user.yaml", 11)
    assert not applied(outcome, "run-as-non-root")
    added = {change.after for change in applied(outcome, "drop-capabilities") if change.path[-2] == "add"}
    assert added == {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}, "what root in the overlay may need"


def test_a_command_that_needs_root(tree: Path) -> None:
    outcome = run(tree, BASE, COMMAND)
    step = held(outcome, "run-as-non-root")
    assert why(step) == ["container web runs chown"]
    assert place(outcome, step) == ("dev/user.yaml", 9)


def test_the_largest_request_of_all_builds_decides(tree: Path) -> None:
    base = {**BASE, "base/web.yaml": WEB + "        resources: {requests: {cpu: '2', memory: 3Gi}}\n"}
    outcome = run(tree, base, of_container("resources: {requests: {cpu: 100m, memory: 64Mi}}"), only="cpu-limit")
    assert [change.after for change in applied(outcome, "cpu-limit")] == ["8"]


def test_other_containers_stay_strict(tree: Path) -> None:
    base = {**BASE, "base/web.yaml": WEB + "      - name: api\n        image: example.com/api:1.2.3\n"}
    outcome = run(tree, base, USER, only="run-as-user run-as-non-root")
    assert [change.path[-4:] for change in applied(outcome, "run-as-non-root")] == [
        ("containers", 1, "securityContext", "runAsNonRoot")
    ]


def test_a_container_that_an_overlay_adds_is_not_bound_by_the_pod(tree: Path) -> None:
    sidecar = "containers:\n- name: agent\n  image: redis:7\n"
    outcome = run(tree, BASE, merging(sidecar), only="run-as-user run-as-non-root")
    assert [change.path[-4:] for change in applied(outcome, "run-as-non-root")] == [
        ("containers", 0, "securityContext", "runAsNonRoot")
    ]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ("requests: {memory: 1Gi}", {"memory-limit": "4Gi"}),
        ("requests: {cpu: '1'}", {"cpu-limit": "4"}),
        ("limits: {memory: 64Mi}", {"resource-requests": "64Mi", "memory-limit": "2Gi"}),
        ("limits: {cpu: 10m}", {"resource-requests": "10m"}),
        # In the words of the overlay: rounded to whole millicores it would be more than its limit.
        ("limits: {cpu: 1500u}", {"resource-requests": "1500u"}),
        ("requests: {memory: 1Gi}\n  limits: {memory: 4Gi}", {"memory-limit": "2Gi", "resource-requests": "128Mi"}),
        ("requests: {memory: ${MEMORY}}", {"memory-limit": "2Gi"}),
    ],
)
def test_numbers_fit_those_of_the_overlay(tree: Path, resources: str, expected: dict[str, str]) -> None:
    only = "cpu-limit memory-limit resource-requests"
    outcome = run(tree, BASE, of_container(f"resources:\n  {resources}"), only=only)
    found = {(change.transform.id, change.after) for change in outcome.changes}
    assert expected.items() <= found
    assert not outcome.held
    is_stable(tree, outcome, only)


def test_a_heap_of_the_overlay(tree: Path) -> None:
    outcome = run(tree, BASE, of_container("env:\n- name: JAVA_OPTS\n  value: -Xmx2g"), only="memory-limit")
    [change] = outcome.changes
    assert change.after == "3328Mi"
    assert [fact.text for fact in change.evidence] == ["-Xmx or -XX:MaxRAM says how much memory it uses"]


def test_an_account_of_the_overlay_that_is_bound(tree: Path) -> None:
    binding = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader}]
"""
    overlay = merging("serviceAccountName: reader")
    overlay["dev/kustomization.yaml"] = "resources: [../base, binding.yaml]\npatches: [{path: user.yaml}]\n"
    assert applied(run(tree, BASE, only="automount-token"), "automount-token")
    assert not applied(run(tree, overlay, {"dev/binding.yaml": binding}, only="automount-token"), "automount-token")


def test_paths_that_the_overlay_writes_to_get_volumes(tree: Path) -> None:
    outcome = run(tree, BASE, of_container("command: [sh, -c, run > /var/cache/web/log]"))
    mounts = [change.after["mountPath"] for change in outcome.changes if "volumeMounts" in change.path]
    assert mounts == ["/tmp", "/var/cache/web"]
    outcome = run(tree, of_container("command: [sh, -c, run > /opt/log]"))
    assert "container web writes to /opt/log, where the image may hold files" in why(
        held(outcome, "read-only-root-filesystem")
    )


def test_a_port_of_the_overlay(tree: Path) -> None:
    outcome = run(tree, BASE, of_container("ports: [{containerPort: 80}]"))
    assert "port 80 is declared" in why(held(outcome, "run-as-user"))
    known = {path: text.replace("example.com/web:1.2.3", "nginx:1.27") for path, text in BASE.items()}
    outcome = run(tree, known, of_container("ports: [{containerPort: 80}]"))
    assert [change.after for change in applied(outcome, "unprivileged-ports")] == [
        {"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}
    ]


def test_a_root_container_that_an_overlay_adds_to_one_that_is_held_back(tree: Path) -> None:
    overlay = merging("containers:\n- name: web\n  command: [chown, a, /b]\n- name: agent\n  image: redis:7\n")
    step = held(run(tree, BASE, overlay, only="run-as-non-root"), "run-as-non-root")
    assert step is not None
    assert [change.path[-4:] for change in step.changes] == [("containers", 0, "securityContext", "runAsNonRoot")]


def test_pods_of_a_patch_have_no_states(tree: Path) -> None:
    workspace = read(tree, BASE, USER)
    [patch] = [pod for pod in workspace.pod_templates if "patch" in pod.object.classes]
    assert isinstance(patch, PodTemplate)
    assert states(patch) == (patch,)


# What cannot be read is said, and stops nothing.


@pytest.mark.parametrize(
    ("overlay", "place", "text"),
    [
        ({"dev/kustomization.yaml": "resources: [../base]\nreplacements:\n- path: r.yaml\n"},
         "dev/kustomization.yaml:3", "harden does not read the replacement r.yaml"),
        ({"dev/kustomization.yaml": "resources: [../base]\npatches:\n- {path: p.yaml}\n"},
         "dev/kustomization.yaml:3", "the patch p.yaml is not there"),
        ({"dev/kustomization.yaml": "resources: [../base]\npatchesStrategicMerge:\n- p.json\n", "dev/p.json": "[{"},
         "dev/kustomization.yaml:3", "the patch p.json cannot be read"),
        ({"dev/kustomization.yaml": "resources: [../base]\npatches:\n- patch: '{'\n"},
         "dev/kustomization.yaml:3", "this entry is no patch"),
        ({"dev/kustomization.yaml": f"resources: [../base]\npatches:\n- {{patch: '{OP}'}}\n"},
         "dev/kustomization.yaml:3", "this entry is no patch"),
        (operating({"op": "remove", "path": f"{SPEC}/containers/7"}), "dev/ops.yaml:1",
         f"patch dev/ops.yaml cannot be applied to Deployment/web: there is no {SPEC}/containers/7"),
        (merging("containers: {a: b}"), "dev/user.yaml:1",
         "patch dev/user.yaml cannot be applied to Deployment/web: "
         "object and patch have different shapes at one place"),
    ],
    ids=["replacements", "missing", "broken", "inline", "no target", "no item", "shape"],
)  # fmt: skip
def test_a_patch_that_kustomize_refuses_is_named(tree: Path, overlay: dict[str, str], place: str, text: str) -> None:
    outcome = run(tree, BASE, overlay)
    [finding] = [finding for finding in outcome.findings if finding.id == "patch"]
    assert finding.message == text
    assert f"{finding.file}:{finding.line}" == place
    assert applied(outcome, "run-as-non-root")


def test_a_broken_patch_that_is_refused_as_a_document_is_named_once(tree: Path) -> None:
    overlay = {
        "dev/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
        "dev/p.yaml": HEAD + "spec: [\n",
    }
    outcome = run(tree, BASE, overlay)
    assert [refused.file for refused in outcome.refused] == ["dev/p.yaml"]
    assert not [finding for finding in outcome.findings if finding.id == "patch"]


def test_what_is_to_be_rendered_is_named(harden: Harden, tmp_path: Path) -> None:
    overlay = "resources: [../../base]\nreplacements:\n- path: r.yaml\n"
    base = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": DEPLOYMENT}
    write(
        tmp_path,
        {**base, "overlays/the dev/kustomization.yaml": overlay, "kustomization.yaml": overlay.partition("\n")[2]},
    )
    out = harden("check", "-v").out
    assert "kustomize build 'overlays/the dev' > FILE; harden check FILE\n" in out
    assert "kustomize build . > FILE; harden check FILE\n" in out
