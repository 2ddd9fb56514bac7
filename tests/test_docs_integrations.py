"""docs/: a first week, pipelines, what is rendered, golden files: every snippet is run where its programs are there."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import helm
from tests.conftest import DEPLOYMENT, ROOT, commit, texts, write
from tests.shown import blocks, shell
from tests.test_github_action import installed, run_action


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A Git repository with the example as its folder ``k8s``."""
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "k8s")
    commit(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of a runner, where a job before has installed harden."""
    return installed(tmp_path_factory).folder


def job(workflow: str) -> list[dict[str, Any]]:
    (found,) = yaml.safe_load(workflow)["jobs"].values()
    return [step for step in found["steps"] if not step.get("uses", "").startswith("actions/checkout@")]


def test_the_workflow_of_a_pull_request(shop: Path, runner: Path) -> None:
    (step,) = job(blocks("docs/ci.md", "yaml", "GitHub Actions")[0])
    done = run_action(runner, shop, python=sys.executable, **step["with"])
    assert (done.status, done.outputs["status"]) == (1, "1"), done.log
    assert re.search(r"^check failed: \d+ changes are pending", done.log, re.M)


def test_the_workflow_of_golden_files(shop: Path, runner: Path) -> None:
    (name,) = re.findall(
        r"^golden/.*$", blocks("docs/golden.md", "text", "Golden files for your own manifests")[0], re.M
    )
    write(shop, {name: (shop / "k8s/web.yaml").read_bytes()})
    assert "1 passed" in shell("harden golden accept golden", shop)
    install, verify = job(blocks("docs/golden.md", "yaml", "Golden files for your own manifests")[0])
    done = run_action(runner, shop, python=sys.executable, **install["with"])
    assert done.status == 0, done.log
    assert "1 passed, 0 failed" in shell(verify["run"], shop, path=done.path)
    write(shop, {name: (shop / "k8s/web.yaml").read_text(encoding="utf-8").replace("readOnly", "readonly") + "# x\n"})
    with pytest.raises(AssertionError, match="1 failed"):
        shell(verify["run"], shop, path=done.path)


@pytest.mark.helm
def test_helm_3(tmp_path: Path) -> None:
    for lines in blocks("docs/rendered.md", "sh", "Helm"):
        if "plugin" not in lines:
            run_helm(3, lines, tmp_path)
            assert (tmp_path / "harden.txt").read_text(encoding="utf-8").startswith("harden ")
            (tmp_path / "harden.txt").unlink()
            shutil.rmtree(tmp_path / "chart")


@pytest.mark.helm
@pytest.mark.parametrize("major", [3, 4])
def test_helm_hides_a_report_on_standard_error(major: int, tmp_path: Path) -> None:
    (lines,) = (text for text in blocks("docs/rendered.md", "sh", "Helm") if ("plugin" in text) == (major == 4)
                and "--post-renderer" in text)  # fmt: skip
    silent = re.sub(r" --post-renderer-args --report=\S+", "", lines)
    assert silent != lines and "hardened 1 file" not in run_helm(major, silent, tmp_path)


@pytest.mark.helm
def test_helm_4(tmp_path: Path) -> None:
    (lines,) = (text for text in blocks("docs/rendered.md", "sh", "Helm") if "plugin" in text)
    run_helm(4, lines, tmp_path)
    assert (tmp_path / "harden.txt").read_text(encoding="utf-8").startswith("harden ")


def run_helm(major: int, lines: str, folder: Path) -> str:
    program = helm.program(major)
    homes = folder / "homes"
    helm.chart(helm.Helm(program, homes), folder).rename(folder / "chart")
    names = {f"HELM_{name}_HOME": str(homes / name.lower()) for name in ("CACHE", "DATA", "CONFIG")}
    said = shell(lines, folder, path=str(program.parent), HARDEN=str(ROOT), **names)
    assert "runAsNonRoot: true" in said
    return said


@pytest.mark.kustomize
def test_kustomize(shop: Path) -> None:
    (shop / "k8s").rename(shop / "base")
    pipe, function, in_place = blocks("docs/rendered.md", "sh", "Kustomize and KRM functions")
    assert "readOnlyRootFilesystem: true" in shell(pipe, shop)
    own = shop / "base/kustomization.yaml"
    with own.open("a", encoding="utf-8") as stream:
        stream.write("transformers: [harden.yaml]\n")
    assert "harden 0" in shell(function, shop, HARDEN=str(ROOT))
    assert texts((shop / "built.yaml").read_text(encoding="utf-8"))
    silent = function.replace("--enable-exec ", "")
    with pytest.raises(AssertionError, match="grep"):
        shell(silent, shop, HARDEN=str(ROOT))
    shell(in_place, shop, HARDEN=str(ROOT))
    assert (shop / "results/results-0.yaml").exists()
    assert "readOnlyRootFilesystem: true" in (shop / "base/web.yaml").read_text(encoding="utf-8")


@pytest.mark.kubectl
def test_kubectl(shop: Path) -> None:
    assert "profile baseline" in shell(blocks("docs/install.md", "sh", "kubectl")[0], shop)


@pytest.mark.kubectl
def test_argo_cd(shop: Path) -> None:
    create, patch = blocks("docs/rendered.md", "sh", "Argo CD")[0].splitlines()
    create, _, to_cluster = create.partition(" | ")
    assert to_cluster == "kubectl apply -f -"
    (found,) = texts(shell(create, shop, HARDEN=str(ROOT)))
    plugin = yaml.safe_load(found["data"]["plugin.yaml"])
    assert (plugin["kind"], plugin["metadata"]["name"]) == ("ConfigManagementPlugin", "harden")
    server = DEPLOYMENT.replace("name: web\n", "name: argocd-repo-server\n", 1)
    write(shop, {"server.yaml": server})
    named = "kubectl patch deployment argocd-repo-server -n argocd "
    assert patch.startswith(named)
    local = patch.replace(named, "kubectl patch --local -f server.yaml -o yaml ")
    (patched,) = texts(shell(local, shop, HARDEN=str(ROOT)))
    assert [one["name"] for one in patched["spec"]["template"]["spec"]["containers"]] == ["harden", "web"]
    application = yaml.safe_load(blocks("docs/rendered.md", "yaml", "Argo CD")[0])
    script = plugin["spec"]["generate"]["args"][0]
    for variable in application["source"]["plugin"]["env"]:
        assert f"ARGOCD_ENV_{variable['name']}:-" in script


def test_the_image() -> None:
    """Both commands stand in the Containerfile, too; tests/test_recipes.py runs what is in it."""
    own = (ROOT / "integrations/container/Containerfile").read_text(encoding="utf-8")
    build, start = blocks("docs/install.md", "sh", "Container image")[0].splitlines()
    assert f"#   {build}\n#   {start}\n" in own and "--build-arg BASE=" in build and "\nARG BASE\n" in own
