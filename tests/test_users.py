"""Whom a container runs as, and what a change of its user may shut out."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from hardener.authoring.edits import Grade
from hardener.tree.tree import Tree

from .conftest import Harden, write

user = import_module("hardener.transforms.workload._user")
mounts = import_module("hardener.transforms.workload._volumes").mounts
low_ports = import_module("hardener.transforms.workload._ports").low_ports

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    image: IMAGE
    securityContext: CONTEXT
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, VOLUME}]
"""


def pod(image: str = "example.com/web:1", context: str = "{}", volume: str = "emptyDir: {}") -> str:
    return POD.replace("IMAGE", image).replace("CONTEXT", context).replace("VOLUME", volume)


@pytest.mark.parametrize(
    ("written", "patches", "found"),
    [
        ("{runAsUser: 1000}", [], "non-root"),
        ("{runAsUser: 0}", [], "root"),
        ("{runAsUser: 0, runAsNonRoot: true}", [], "root"),  # it does not start, and no user is chosen for it
        ("{runAsNonRoot: true}", [], "non-root"),
        ("{runAsNonRoot: false}", [], "unknown"),
        ("{runAsUser: 1000}", ["{runAsUser: 0}"], "root"),
        ("{runAsUser: 0}", ["{runAsUser: 1000}"], "root"),
        ("{runAsUser: 1000}", ["{runAsUser: 2000}"], "non-root"),
        ("{runAsUser: 1000}", ["{runAsUser: null}"], "unknown"),
        ("{runAsUser: 1000}", ['{runAsUser: "${USER}"}'], "unknown"),
        ("{runAsUser: 1000}", ['{runAsUser: "${USER}"}', "{runAsUser: 0}"], "root"),
    ],
)
def test_the_worst_of_all_overlays_counts(written: str, patches: list[str], found: str, tmp_path: Path) -> None:
    write(tmp_path, {"base/pod.yaml": pod(context=written), "base/kustomization.yaml": "resources: [pod.yaml]\n"})
    for number, patch in enumerate(patches):
        text = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec: {{containers: [{{name: web, securityContext: {patch}}}]}}
"""
        kustomization = "resources: [../base]\npatches: [{path: patch.yaml}]\n"
        write(tmp_path / f"overlay-{number}", {"kustomization.yaml": kustomization, "patch.yaml": text})
    (template,) = (
        each
        for each in Tree.read([str(tmp_path)], root=str(tmp_path)).pod_templates
        if "patch" not in each.object.classes
    )
    assert user.final_user(template.containers[0]) == found


CLAIM = """\
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: own}
spec: {accessModes: MODES}
"""
CLAIMED = "persistentVolumeClaim: {claimName: own}"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (pod(volume=CLAIMED) + CLAIM.replace("MODES", "[ReadWriteOnce]"), ""),
        (pod(volume=CLAIMED) + CLAIM.replace("MODES", "[ReadWriteOncePod]"), ""),
        (pod(volume=CLAIMED) + CLAIM.replace("MODES", "[ReadWriteOnce, ReadWriteOncePod]"), ""),
        (pod(volume=CLAIMED) + CLAIM.replace("MODES", "[ReadWriteMany]"), "pods of other nodes may share"),
        (pod(volume=CLAIMED) + CLAIM.replace("MODES", "[ReadOnlyMany]"), "pods of other nodes may share"),
        (
            pod(volume=CLAIMED) + CLAIM.replace("MODES", "[ReadWriteOnce, ReadWriteMany]"),
            "(ReadWriteMany, ReadWriteOnce)",
        ),
        (pod(volume=CLAIMED), "does not show whether"),
        (
            pod("example.com/redis:7.2", volume=CLAIMED) + CLAIM.replace("MODES", "[ReadWriteOnce]"),
            "a data store may refuse",
        ),
        (pod("example.com/sshd:1", volume=CLAIMED), "refuses files whose modes"),
        (pod(volume="nfs: {server: a, path: /b}"), "an fsGroup may not open them"),
    ],
)
def test_an_fs_group_opens_what_no_other_node_may_mount(text: str, kept: str) -> None:
    (template,) = Tree.from_text(text).pod_templates
    (container,) = template.containers
    (mount,) = mounts(container)
    reason = user.against_group(container, mount)
    assert (reason is None) if not kept else kept in (reason or "")


@pytest.mark.parametrize(
    ("volume", "grade"),
    [
        ("emptyDir: {}", Grade.SAFE),
        ("hostPath: {path: /srv/data}", Grade.BREAKING),
        ("hostPath: {path: /usr/share/zoneinfo}", Grade.REVIEW),
        ("secret: {secretName: a, defaultMode: 256}", Grade.REVIEW),
    ],
)
def test_a_known_user_is_safe_where_no_volume_shuts_it_out(volume: str, grade: Grade) -> None:
    (template,) = Tree.from_text(pod("nginx:1.27.3", volume=volume)).pod_templates
    (choice,) = user.decide(template)
    assert choice.verdict.grade is grade, [fact.text for fact in choice.verdict.evidence]


BOTH = """\
apiVersion: v1
kind: Pod
metadata: {name: both}
spec:
  containers:
  - {name: nginx, image: "nginx:1.27.3"}
  - {name: api, image: "example.com/api:1"}
"""


def test_a_number_for_the_whole_pod_rests_on_all_that_inherit_it(harden: Harden, tmp_path: Path) -> None:
    row = "images: [{match: example.com/api, user: root, uid: 101}]\n"
    write(tmp_path, {"pod.yaml": BOTH, ".harden.yaml": row})
    report = json.loads(harden("diff", ".", "--format", "json").out)
    (number,) = (change for change in report["changes"] if change["id"] == "run-as-user")
    assert number["path"] == ["spec", "securityContext", "runAsUser"]
    assert [fact["line"] for fact in number["evidence"]] == [6, 7]
    assert number["grade"] == "review"  # what nginx alone would make safe


@pytest.mark.parametrize(
    ("patch", "ports"),
    [
        ("{}", {80}),
        ("{ports: [{containerPort: 443}]}", {80, 443}),
        ("{ports: [{containerPort: 8443}]}", {80}),
        ("{args: [--port=81]}", {80, 81}),
    ],
)
def test_a_port_that_an_overlay_opens_counts(patch: str, ports: set[int], tmp_path: Path) -> None:
    """Who may not listen on it in one of the builds does not start there."""
    text = pod().replace("    securityContext: {}\n", "    ports: [{containerPort: 80}]\n")
    own = patch.replace("{", "{name: web, ", 1)
    patched = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{containers: [{own}]}}\n"
    write(tmp_path / "base", {"pod.yaml": text, "kustomization.yaml": "resources: [pod.yaml]\n"})
    kustomization = "resources: [../base]\npatches: [{path: patch.yaml}]\n"
    write(tmp_path / "overlay", {"kustomization.yaml": kustomization, "patch.yaml": patched})
    read = Tree.read([str(tmp_path)], root=str(tmp_path))
    (template,) = (each for each in read.pod_templates if "patch" not in each.object.classes)
    assert low_ports(template.containers[0]).keys() == ports


@pytest.mark.parametrize(
    ("context", "grade", "stays"),
    [("{runAsUser: 0}", "safe", True), ("{runAsUser: 1000}", "safe", False), ("{runAsUser: 0}", "guess", False)],
)
def test_root_of_the_pod_stays_while_a_container_says_it(
    context: str, grade: str, stays: bool, harden: Harden, tmp_path: Path
) -> None:
    text = pod(context=context).replace("spec:\n", "spec:\n  securityContext: {fsGroup: 1, runAsUser: 0}\n")
    write(tmp_path, {"pod.yaml": text})
    harden("apply", ".", "--only", "run-as-user", "--max-grade", grade, cwd=tmp_path)
    after = (tmp_path / "pod.yaml").read_text()
    assert ("securityContext: {fsGroup: 1, runAsUser: 0}" in after) is stays
    harden("apply", ".", "--only", "run-as-user", "--max-grade", grade, cwd=tmp_path)
    assert (tmp_path / "pod.yaml").read_text() == after
