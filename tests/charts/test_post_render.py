"""What no value reaches goes where the deployer patches what helm has rendered, and is what a run wants."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.charts import kustomize_program
from hardener.kubernetes.kustomize.patch import merge, patch_between

from .. import helm
from ..conftest import Done, Harden, commit, run, write

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      containers:
        - name: web
          image: example.com/web:1.2.3
          {{- with .Values.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
---
apiVersion: batch/v1
kind: Job
metadata: {name: before, namespace: shop, annotations: {helm.sh/hook: pre-install}}
spec:
  template:
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      containers: [{name: before, image: 'example.com/before:1'}]
"""
CHART = {
    "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
    "charts/app/values.yaml": "resources: {}\n",
    "charts/app/templates/web.yaml": WEB,
    ".harden.yaml": "helm: {values: true, post-render: true, charts: {app: charts/app}}\n",
}
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  releaseName: web
  chart: {spec: {chart: app, version: 1.0.0, sourceRef: {kind: HelmRepository, name: r}}}
"""
KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
helmCharts:
- name: app
  version: 1.0.0
  releaseName: web
  namespace: shop
"""
FILES = {"release.yaml": RELEASE, "kustomization.yaml": KUSTOMIZATION}


def applied(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, **files: str) -> Done:
    monkeypatch.setenv("PATH", str(helm.downloaded(4).parent), prepend=":")
    write(folder, {**CHART, name: FILES[name], **files})
    commit(folder)
    return run("apply", ".", "--yes", cwd=folder)


def patches_in(path: Path) -> list[dict[str, Any]]:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = data.get("patches") or [
        patch for one in data.get("spec", {}).get("postRenderers", ()) for patch in one["kustomize"]["patches"]
    ]
    return list(found)


@pytest.mark.helm
@pytest.mark.parametrize("name", FILES)
def test_what_no_value_reaches_is_patched_behind_helm(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm.program(4)
    done = applied(tmp_path, name, monkeypatch)
    assert done.status == 0, done.err
    (entry,) = patches_in(tmp_path / name)
    assert entry["target"] == {"group": "apps", "kind": "Deployment", "name": "web"}
    spec = yaml.safe_load(entry["patch"])["spec"]["template"]["spec"]
    assert spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    assert "resources" not in spec["containers"][0], "a value reaches it"
    assert "limits" in (tmp_path / name).read_text(encoding="utf-8")
    said = run("diff", ".", cwd=tmp_path).all
    assert " 0 edits, 0 files would change" in said
    assert "Job/before" in said and "helm hands its hooks to no post-renderer" in said.replace("\n", " ")


@pytest.mark.helm
def test_a_patch_that_cannot_be_read_stays_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm.program(4)
    own = "  postRenderers: [{kustomize: {images: [{name: example.com/web, newTag: '2'}]}}]\n"
    applied(tmp_path, "release.yaml", monkeypatch, **{"release.yaml": RELEASE + own})
    text = (tmp_path / "release.yaml").read_text(encoding="utf-8")
    assert own in text and "patches" not in text


SAYS = {
    "nothing": "exit 1",
    "another object": "echo '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}'",
    "no end": "exec sleep 9",
}


@pytest.mark.helm
@pytest.mark.parametrize(("name", "case"), list(zip(("kustomize", "kubectl", "kustomize"), SAYS, strict=True)))
def test_a_patch_of_which_kustomize_makes_something_else_is_not_written(
    case: str, name: str, tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    helm.program(4)
    monkeypatch.setattr(kustomize_program, "SECONDS", 0.2)
    programs = tmp_path_factory.mktemp("bin")
    (programs / name).write_text(f"#!/bin/sh\n{SAYS[case]}\n", encoding="utf-8")
    (programs / name).chmod(0o755)
    alone(programs, monkeypatch)
    write(tmp_path, {**CHART, "release.yaml": RELEASE})
    commit(tmp_path)
    found = json.loads(harden("diff", ".", "--format", "json").out)
    said = [each["message"] for each in found["findings"] if each["id"] == "no-privilege-escalation"]
    assert any("kustomize makes something else of its patch" in each for each in said)
    assert not any("by harden alone" in each["message"] for each in found["findings"])
    assert {each["id"] for each in found["changes"]} == {"cpu-limit", "memory-limit", "resource-requests"}


@pytest.mark.helm
def test_without_kustomize_that_is_said(
    tmp_path: Path, harden: Harden, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    helm.program(4)
    alone(tmp_path_factory.mktemp("bin"), monkeypatch)
    write(tmp_path, {**CHART, "release.yaml": RELEASE})
    commit(tmp_path)
    found = json.loads(harden("diff", ".", "--format", "json").out)
    assert any(each["id"] == "no-privilege-escalation" for each in found["changes"])
    (said,) = [each["message"] for each in found["findings"] if "by harden alone" in each["message"]]
    assert said.endswith("tried by harden alone: neither kustomize nor kubectl is on PATH")


def alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be helm on PATH, git, what these need, and what lies in ``folder``."""
    for name in ("git", "sh", "sleep", "unshare"):
        if (path := shutil.which(name)) is not None:
            (folder / name).symlink_to(path)
    monkeypatch.setenv("PATH", f"{helm.downloaded(4).parent}{os.pathsep}{folder}")


BEFORE = yaml.safe_load("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {a: b}}
spec:
  replicas: 2
  template:
    spec:
      hostNetwork: true
      initContainers: [{name: one, image: a}, {name: two, image: b}]
      containers:
      - {name: web, image: c, args: [x, y], env: [{name: A, value: '1'}, {name: B, value: '2'}]}
      volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}]
""")
AFTERS = {
    "a field of a container": "spec.template.spec.containers.0.securityContext={runAsNonRoot: true}",
    "the last of two that run in order": "spec.template.spec.initContainers.1.image=d",
    "a volume more": "spec.template.spec.volumes.2={name: x, emptyDir: {}}",
    "a variable less": "spec.template.spec.containers.0.env=[{name: B, value: '2'}]",
    "a list without names": "spec.template.spec.containers.0.args=[x]",
    "a field less": "spec.template.spec.hostNetwork=null",
    "an annotation": "metadata.annotations.c=d",
}


@pytest.mark.parametrize("change", AFTERS.values(), ids=AFTERS.keys())
def test_the_patch_between_two_states_makes_the_second(change: str, tmp_path: Path) -> None:
    after = yaml.safe_load(yaml.dump(BEFORE))
    path, _, value = change.partition("=")
    put(after, path.split("."), yaml.safe_load(value))
    patch = patch_between(BEFORE, after)
    assert patch is not None
    assert merge(BEFORE, patch) == after
    assert "replicas" not in patch["spec"] if "spec" in patch else True
    if shutil.which("kustomize") is None:
        return  # merge is held against kustomize elsewhere, too
    resources = {"base.yaml": BEFORE, "patch.yaml": patch, "kustomization.yaml": {
        "resources": ["base.yaml"], "patches": [{"path": "patch.yaml"}],
    }}  # fmt: skip
    write(tmp_path, {name: yaml.dump(data) for name, data in resources.items()})
    built = subprocess.run(["kustomize", "build", "."], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert yaml.safe_load(built.stdout) == after


def put(data: Any, parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        data = data[int(part)] if isinstance(data, list) else data.setdefault(part, {})
    last = parts[-1]
    if isinstance(data, list):
        data[int(last) :] = [value]
    elif value is None:
        del data[last]
    else:
        data[last] = value
