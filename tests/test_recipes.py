"""integrations/ and kubectl: what the recipes say is run."""

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
from tests.built import builder
from tests.conftest import DEPLOYMENT, ROOT, commit, texts, write

TOOLS = Path(sys.executable).parent
PLUGIN = yaml.safe_load((ROOT / "integrations/argocd/plugin.yaml").read_text(encoding="utf-8"))
SIDECAR = (ROOT / "integrations/argocd/repo-server.yaml").read_text(encoding="utf-8")
CONTAINERFILE = (ROOT / "integrations/container/Containerfile").read_text(encoding="utf-8")


def run(*command: str, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    path = environment.pop("PATH", f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
    return subprocess.run(
        command, cwd=cwd, input=stdin, capture_output=True, text=True, env={**os.environ, **environment, "PATH": path}
    )


# -- kubectl harden


@pytest.mark.kubectl
def test_kubectl_finds_harden(tmp_path: Path) -> None:
    kubectl = builder("kubectl")[0]
    listed = run(kubectl, "plugin", "list", cwd=tmp_path)
    assert f"{TOOLS}/kubectl-harden" in listed.stdout, listed.stderr


@pytest.mark.kubectl
@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["diff", "k8s"], 1, "To apply: "),
        (["diff", "gone"], 2, "harden: gone: no such file"),
        (["apply", "k8s", "--profile", "baseline", "--quiet"], 0, "profile baseline"),
        (["--version"], 0, "harden "),
    ],
)
def test_kubectl_harden_is_harden(arguments: list[str], status: int, said: str, tmp_path: Path) -> None:
    write(tmp_path, {"k8s/web.yaml": DEPLOYMENT})
    commit(tmp_path)
    done = run(builder("kubectl")[0], "harden", *arguments, cwd=tmp_path)
    assert done.returncode == status and said in done.stdout + done.stderr


# -- Argo CD


def generate(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command of the plugin, as its sidecar runs it: in the folder of the application."""
    spec = PLUGIN["spec"]["generate"]
    names = {"ARGOCD_APP_NAME": "demo", "ARGOCD_APP_NAMESPACE": "shop"}
    return run(*spec["command"], *spec["args"], cwd=folder, **names | environment)


def hardened(text: str) -> list[Any]:
    documents = [item for item in texts(text) if item]
    for item in documents:
        if item["kind"] == "Deployment":
            pod = item["spec"]["template"]["spec"]
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            for container in pod["containers"]:
                assert container["securityContext"]["allowPrivilegeEscalation"] == "false"
    return [item["kind"] for item in documents]


@pytest.mark.slow
def test_an_application_of_plain_manifests(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": DEPLOYMENT.rstrip("\n"), "b.yml": DEPLOYMENT.replace("web", "api"), "c.txt": "no"})
    done = generate(tmp_path)
    assert (done.returncode, hardened(done.stdout)) == (0, ["Deployment", "Deployment"]), done.stderr
    assert "profile restricted" in done.stderr


@pytest.mark.kustomize
def test_an_application_of_a_kustomization(tmp_path: Path) -> None:
    builder("kustomize")
    write(tmp_path, {"web.yaml": DEPLOYMENT, "kustomization.yaml": "resources: [web.yaml]\nnamePrefix: a-\n"})
    done = generate(tmp_path, ARGOCD_ENV_HARDEN_PROFILE="strict")
    assert (done.returncode, hardened(done.stdout)) == (0, ["Deployment"]), done.stderr
    assert "name: a-web" in done.stdout and "profile strict" in done.stderr


@pytest.mark.helm
def test_an_application_of_a_chart(tmp_path: Path) -> None:
    program = helm.program(3)
    helm.chart(helm.Helm(program, tmp_path / "homes"), tmp_path)
    done = generate(tmp_path / "demo", PATH=f"{program.parent}{os.pathsep}{TOOLS}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert "Deployment" in hardened(done.stdout) and "app.kubernetes.io/instance: demo" in done.stdout


@pytest.mark.helm
def test_an_application_of_a_chart_with_values(tmp_path: Path) -> None:
    program = helm.program(3)
    helm.chart(helm.Helm(program, tmp_path / "homes"), tmp_path)
    write(tmp_path, {"demo/env/prod.yaml": "replicaCount: 7\n", "demo/more.yaml": "fullnameOverride: shop\n"})
    path = f"{program.parent}{os.pathsep}{TOOLS}{os.pathsep}{os.environ['PATH']}"
    done = generate(tmp_path / "demo", PATH=path, ARGOCD_ENV_HELM_VALUES="env/prod.yaml more.yaml")
    assert done.returncode == 0 and "replicas: 7" in done.stdout and "name: shop\n" in done.stdout, done.stderr


@pytest.mark.parametrize("name", ["/etc/passwd", "../other/values.yaml", "a/../../b", "https://example.com/v.yaml"])
def test_values_from_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path, {"app/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n"})
    done = generate(tmp_path / "app", ARGOCD_ENV_HELM_VALUES=f"values.yaml {name}")
    assert done.returncode == 1 and done.stdout == "" and f"{name} is not below the application" in done.stderr


@pytest.mark.kustomize
@pytest.mark.parametrize(
    ("files", "environment"),
    [
        ({"kustomization.yaml": "resources: [gone.yaml]\n"}, {}),
        ({"web.yaml": DEPLOYMENT}, {"ARGOCD_ENV_HARDEN_PROFILE": "restrictd"}),
        ({"web.yaml": DEPLOYMENT + "# \udcff"}, {}),
    ],
    ids=["no build", "no profile", "no UTF-8"],
)
def test_a_failure_prints_nothing_that_could_be_applied(
    files: dict[str, str], environment: dict[str, str], tmp_path: Path
) -> None:
    builder("kustomize")
    write(tmp_path, {name: text.encode(errors="surrogateescape") for name, text in files.items()})
    done = generate(tmp_path, **environment)
    assert done.returncode != 0 and done.stdout == ""


@pytest.mark.kustomize
def test_the_plugin_is_one_and_its_sidecar_is_a_patch(tmp_path: Path) -> None:
    assert (PLUGIN["apiVersion"], PLUGIN["kind"]) == ("argoproj.io/v1alpha1", "ConfigManagementPlugin")
    server = DEPLOYMENT.replace("name: web\n", "name: argocd-repo-server\n", 1)
    kustomization = "resources: [server.yaml]\npatches: [{path: patch.yaml}]\n"
    write(tmp_path, {"server.yaml": server, "patch.yaml": SIDECAR, "kustomization.yaml": kustomization})
    built = run(*builder("kustomize"), str(tmp_path), cwd=tmp_path)
    (found,) = texts(built.stdout)
    pod = found["spec"]["template"]["spec"]
    assert {item["name"] for item in pod["containers"]} == {"web", "harden"}
    # The sidecar itself leaves harden nothing to do.
    found["spec"]["template"]["spec"]["containers"] = yaml.safe_load(SIDECAR)["spec"]["template"]["spec"]["containers"]
    only = "run-as-non-root,drop-capabilities,no-privilege-escalation,seccomp-runtime-default,read-only-root-filesystem"
    ours = run("harden", "filter", "--only", only, "-v", cwd=tmp_path, stdin=yaml.safe_dump(found))
    assert "0 edits" in ours.stderr, ours.stderr


# -- the image

INSTRUCTIONS = re.findall(r"^([A-Z]+) (.*)$", CONTAINERFILE, re.M)


def test_the_image_runs_as_nobody_and_its_base_is_not_ours_to_choose() -> None:
    assert [text for name, text in INSTRUCTIONS if name in ("FROM", "USER", "ARG")] == [
        "BASE", "${BASE} AS build", "${BASE}", "65532:65532",
    ]  # fmt: skip


@pytest.mark.long
def test_the_commands_of_the_image_work(tmp_path: Path) -> None:
    """What the build runs, in folders of this test in place of those of the image."""
    assert {name for name, _ in INSTRUCTIONS} <= {
        "ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"
    }  # fmt: skip
    folders = {f"/{name}": tmp_path / name for name in ("src", "opt/harden", "opt/build", "opt/wheel", "work")}
    here, path = tmp_path, os.environ["PATH"]
    entry: list[str] = []
    default: list[str] = []
    for name, text in INSTRUCTIONS:
        for inside, outside in folders.items():
            text = re.sub(rf"(?<![\w/]){inside}\b", str(outside), text)
        if name == "WORKDIR":
            here = Path(text)
            here.mkdir()
        elif name == "COPY" and not text.startswith("--from"):
            *sources, target = text.split()
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, here / target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, here / target)
        elif name == "RUN":
            done = run("sh", "-c", text, cwd=here, PATH=path)
            assert done.returncode == 0, f"{text}: {done.stderr}"
        elif name == "ENV":
            path = text.removeprefix("PATH=").replace("$PATH", path)
        elif name == "ENTRYPOINT":
            entry = yaml.safe_load(text)
        elif name == "CMD":
            default = yaml.safe_load(text)
    assert Path(shutil.which(entry[0], path=path) or "").is_relative_to(folders["/opt/harden"])
    shown = run(*entry, *default, cwd=here, PATH=path)
    assert shown.returncode == 0 and "Harden Kubernetes manifests" in shown.stdout
    write(here, {"main.tf": 'resource "aws_eks_cluster" "main" {}\n'})
    assert "enabled_cluster_log_types" in run(*entry, "diff", ".", cwd=here, PATH=path).stdout


@pytest.mark.podman
def test_the_image_is_built(tmp_path: Path) -> None:
    base = os.environ.get("HARDEN_TEST_BASE")
    program = shutil.which("podman") or shutil.which("buildah")
    if not base or program is None:
        pytest.skip("needs podman or buildah, and an image with Python named by HARDEN_TEST_BASE")
    build = [
        program,
        "build",
        "-f",
        "integrations/container/Containerfile",
        "--build-arg",
        f"BASE={base}",
        "-t",
        "harden",
    ]
    done = run(*build, ".", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    runs = [program, "run", "--rm", "--network", "none", "--read-only", "harden", "--version"]
    if "podman" in program:
        assert run(*runs, cwd=tmp_path).stdout.startswith("harden ")
