"""Post-renderers: real Helm 3 and Helm 4 on a chart of their own making."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener import __version__
from tests import helm
from tests.conftest import ROOT, texts

Objects = dict[tuple[str, str], Any]
MARK = "postrenderer.helm.sh/postrender-filename"


@pytest.fixture(params=helm.PACKAGES, ids="helm-{}".format)
def rendered(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Objects, Objects, Path]:
    """What helm renders without and with harden behind it: its major version, both, and the folder of the run."""
    major: int = request.param
    run = helm.Helm(helm.program(major), tmp_path / "homes")
    helm.chart(run, tmp_path)
    plain = run("template", "demo", "demo", cwd=tmp_path)
    if major == 3:
        way = ["--post-renderer-args", "filter"]
    else:
        way = []
        done = run("plugin", "install", ROOT / "integrations" / "helm", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    arguments = ["--post-renderer", "harden", *way, "--post-renderer-args", "--report=report.json"]
    hardened = run("template", "demo", "demo", *arguments, cwd=tmp_path)
    assert (plain.returncode, hardened.returncode) == (0, 0), hardened.stderr
    return major, objects(plain.stdout), objects(hardened.stdout), tmp_path


def objects(text: str) -> Objects:
    return {(item["kind"], item["metadata"]["name"]): item for item in texts(text) if item}


def test_a_chart_is_hardened(rendered: tuple[int, Objects, Objects, Path]) -> None:
    major, before, after, _ = rendered
    assert before.keys() == after.keys()
    (pod,) = (item["spec"]["template"]["spec"] for (kind, _), item in after.items() if kind == "Deployment")
    assert pod["securityContext"]["runAsNonRoot"] == "true"
    hook = next(item for (kind, _), item in after.items() if kind == "Pod")
    # Helm 3 does not show its hooks to a post-renderer.
    assert ("securityContext" in hook["spec"]) == (major == 4)
    assert hook["metadata"]["annotations"] == {"helm.sh/hook": "test"}


def test_the_report_goes_to_a_file(rendered: tuple[int, Objects, Objects, Path]) -> None:
    *_, folder = rendered
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["summary"]["edits"] == len(report["changes"]) > 0


@pytest.mark.helm
def test_helm_4_takes_no_program(tmp_path: Path) -> None:
    run = helm.Helm(helm.program(4), tmp_path / "homes")
    helm.chart(run, tmp_path)
    done = run("template", "demo", "demo", "--post-renderer", "harden", cwd=tmp_path)
    assert done.returncode == 1 and "not found" in done.stderr, "then the plugin is not needed any more"


def test_the_plugin_has_the_version_of_the_program() -> None:
    plugin = yaml.safe_load((ROOT / "integrations/helm/plugin.yaml").read_text(encoding="utf-8"))
    assert plugin["version"] == __version__
