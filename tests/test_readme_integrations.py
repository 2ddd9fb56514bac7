"""README.md, "A first week", "Where it runs" and the golden files: every snippet is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import helm
from tests.conftest import ROOT, commit, run, texts, write
from tests.test_github_action import run_action

README = (ROOT / "README.md").read_text(encoding="utf-8")
TOOLS = Path(sys.executable).parent
ALLOWED = {"harden diff": 1, "harden check": 1, "kubectl harden diff": 1}  # exit codes that say: there is something


def blocks(language: str, heading: str) -> list[str]:
    """The blocks of code in ``language`` below ``heading``, up to the next heading of its level or above."""
    part = re.search(rf"^(##+) {re.escape(heading)}$(.*?)(?=^## |^\1 |\Z)", README, re.S | re.M)
    found = re.findall(rf"^```{language}\n(.*?)^```$", part[2], re.S | re.M) if part else []
    assert found, f"README.md shows no {language} under {heading}"
    return found


def shell(script: str, folder: Path, *, path: str = "", **environment: str) -> str:
    """Run the lines of ``script`` one by one in ``folder``; returns all that they print."""
    names = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = os.pathsep.join(filter(None, (path, str(TOOLS), os.environ["PATH"])))
    settings = {"PATH": path, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    said = ""
    for line in script.splitlines():
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=folder, capture_output=True, text=True, env={**os.environ, **names, **settings, **environment},
        )  # fmt: skip
        expected = next((code for command, code in ALLOWED.items() if line.startswith(command)), 0)
        assert done.returncode in (0, expected), f"{line}\n{done.stdout}{done.stderr}"
        said += done.stdout + done.stderr
    return said


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A Git repository with the example as its folder ``k8s``."""
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "k8s")
    commit(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of a runner, where harden is installed once."""
    return tmp_path_factory.mktemp("runner")


@pytest.mark.slow
def test_a_first_week(shop: Path) -> None:
    safe, workloads, network = blocks("sh", "A first week")
    assert "Applied: " in shell(safe, shop)
    assert "Applied: " in shell(workloads, shop)
    assert "-> StatefulSet/postgres" in shell(network, shop)
    log = subprocess.run(["git", "log", "--stat", "--format=%s"], cwd=shop, capture_output=True, text=True).stdout
    assert re.findall("^harden: .*$", log, re.M) == [
        "harden: network", "harden: workloads", "harden: what the manifests prove",
    ]  # fmt: skip
    assert "k8s/harden-networkpolicies.yaml" in log.partition("harden: workloads")[0]
    assert run("apply", "k8s", "--quiet", cwd=shop).status == 0
    assert run("check", "k8s", "--quiet", cwd=shop).status == 0


def job(workflow: str) -> list[dict[str, Any]]:
    (found,) = yaml.safe_load(workflow)["jobs"].values()
    return [step for step in found["steps"] if not step.get("uses", "").startswith("actions/checkout@")]


def test_the_workflow_of_a_pull_request(shop: Path, runner: Path) -> None:
    (step,) = job(blocks("yaml", "GitHub Actions")[0])
    done = run_action(runner, shop, python=sys.executable, **step["with"])
    assert (done.status, done.outputs["status"]) == (1, "1"), done.log
    assert re.search(r"^check failed: \d+ changes are pending", done.log, re.M)


def test_the_workflow_of_golden_files(shop: Path, runner: Path) -> None:
    (name,) = re.findall(r"^golden/.*$", blocks("text", "Golden files for your own manifests")[0], re.M)
    write(shop, {name: (shop / "k8s/web.yaml").read_bytes()})
    assert "1 passed" in shell("harden golden accept golden", shop)
    install, verify = job(blocks("yaml", "Golden files for your own manifests")[0])
    done = run_action(runner, shop, python=sys.executable, **install["with"])
    assert done.status == 0, done.log
    assert "1 passed, 0 failed" in shell(verify["run"], shop, path=done.path)
    write(shop, {name: (shop / "k8s/web.yaml").read_text(encoding="utf-8").replace("readOnly", "readonly") + "# x\n"})
    with pytest.raises(AssertionError, match="1 failed"):
        shell(verify["run"], shop, path=done.path)


@pytest.mark.helm
def test_helm_3(tmp_path: Path) -> None:
    (lines,) = (text for text in blocks("sh", "Helm") if "plugin" not in text)
    run_helm(3, lines, tmp_path)


@pytest.mark.helm
def test_helm_4(tmp_path: Path) -> None:
    (lines,) = (text for text in blocks("sh", "Helm") if "plugin" in text)
    run_helm(4, lines, tmp_path)
    assert (tmp_path / "harden.txt").read_text(encoding="utf-8").startswith("harden ")


def run_helm(major: int, lines: str, folder: Path) -> None:
    program = helm.program(major)
    homes = folder / "homes"
    helm.chart(helm.Helm(program, homes), folder).rename(folder / "chart")
    (folder / "integrations").symlink_to(ROOT / "integrations")
    names = {f"HELM_{name}_HOME": str(homes / name.lower()) for name in ("CACHE", "DATA", "CONFIG")}
    assert "runAsNonRoot: true" in shell(lines, folder, path=str(program.parent), **names)


@pytest.mark.kustomize
def test_kustomize(shop: Path) -> None:
    (shop / "k8s").rename(shop / "base")
    (shop / "integrations").symlink_to(ROOT / "integrations")
    pipe, function, in_place = blocks("sh", "Kustomize and KRM functions")
    assert "readOnlyRootFilesystem: true" in shell(pipe, shop)
    own = shop / "base/kustomization.yaml"
    with own.open("a", encoding="utf-8") as stream:
        stream.write("transformers: [harden.yaml]\n")
    assert "harden 0" in shell(function, shop)
    assert texts((shop / "built.yaml").read_text(encoding="utf-8"))
    silent = function.replace("--enable-exec ", "")
    with pytest.raises(AssertionError, match="grep"):
        shell(silent, shop)
    shell(in_place, shop)
    assert (shop / "results/results-0.yaml").exists()
    assert "readOnlyRootFilesystem: true" in (shop / "base/api.yaml").read_text(encoding="utf-8")


@pytest.mark.kubectl
def test_kubectl(shop: Path) -> None:
    assert "profile baseline" in shell(blocks("sh", "kubectl")[0], shop)


@pytest.mark.kubectl
def test_argo_cd(shop: Path) -> None:
    (shop / "integrations").symlink_to(ROOT / "integrations")
    (found,) = texts(shell(blocks("sh", "Argo CD")[0], shop))
    plugin = yaml.safe_load(found["data"]["plugin.yaml"])
    assert (plugin["kind"], plugin["metadata"]["name"]) == ("ConfigManagementPlugin", "harden")


def test_the_image() -> None:
    """Both commands stand in the Containerfile, too; tests/test_recipes.py runs what is in it."""
    own = (ROOT / "integrations/container/Containerfile").read_text(encoding="utf-8")
    build, start = blocks("sh", "Container image")[0].splitlines()
    assert f"#   {build}\n#   {start}\n" in own and "--build-arg BASE=" in build and "\nARG BASE\n" in own
