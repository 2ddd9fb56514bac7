"""What was held back is said by its grade: a step that a person should look at is no step that breaks something."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hardener.authoring import config
from hardener.kubernetes import pod_security
from tests.conftest import DEPLOYMENT, Done, Harden, write

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
POD = DEPLOYMENT.replace("  name: web  # the only one", "  name: web\n  namespace: shop", 1)
KUBEADM = "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: {}\n"
EKSCTL = 'apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: a, region: b, version: "{}"}}\n'
EKS = 'resource "aws_eks_cluster" "a" {{\n  name    = "a"\n  version = "{}"\n}}\n'


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_the_title_counts_by_grade(command: str, harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": NAMESPACE + POD})
    found = json.loads(harden("diff", ".", "--max-grade", "safe", "--format", "json").out)
    grades = [record["grade"] for record in found["held"] if record["grade"] != "guess"]
    assert "review" in grades
    assert found["summary"]["guesses"] == len(found["held"]) - len(grades) > 0
    counts = ", ".join(f"{grades.count(grade)} {grade}" for grade in ("review", "breaking") if grade in grades)
    out = harden(command, ".", "--max-grade", "safe").all
    assert f"\nHeld back: {len(grades)} ({counts}), above --max-grade safe; " in out
    assert "evidence that something breaks" not in out
    guesses = found["summary"]["guesses"]
    assert f"\nGuesses: {guesses} changes of 1 container wait; what its image needs is not known" in out


def test_each_entry_shows_its_grade_and_no_line_where_there_is_none(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": NAMESPACE + POD})
    held = json.loads(harden("diff", ".", "--max-grade", "safe", "--format", "json").out)["held"]
    out = harden("diff", ".", "--max-grade", "safe", "-v").all
    for record in held:
        line = f":{record['line']}" if record["line"] else ""
        head = f"  {record['id']} {record['risk']} {record['severity']} {record['grade']}  {record['file']}{line} "
        assert head in out
    made = [record for record in held if record["line"] == 0]
    assert made and not re.search(r"\.yaml:0\b", out)


def test_what_is_no_agent_of_the_node_any_more_is_hardened_like_any_other_pod(harden: Harden, tmp_path: Path) -> None:
    agent = POD.replace("kind: Deployment", "kind: DaemonSet").replace(
        "      containers:", "      hostPID: true\n      containers:"
    )
    write(tmp_path, {"web.yaml": agent})
    ids = {record["id"] for record in json.loads(harden("diff", ".", "--format", "json").out)["changes"]}
    assert "run-as-non-root" not in ids
    made = json.loads(harden("diff", ".", "--max-grade", "breaking", "--format", "json").out)
    assert {"no-host-pid", "run-as-non-root"} <= {record["id"] for record in made["changes"]}
    assert "node-agent" not in {record["id"] for record in made["findings"]}


def test_the_markdown_report_says_the_same(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": NAMESPACE + POD})
    out = harden("diff", ".", "--max-grade", "safe", "--format", "markdown").out
    assert re.search(r"Held back: \d+ \(\d+ review.*\), above --max-grade safe\.", out)
    assert re.search(r"- \*\*\S+\*\* K\d\d \w+ review: ", out) and ".yaml:0" not in out


def _remarks(done: Done) -> list[str]:
    """The lines under the one that says how the run is set, up to an empty one."""
    head = re.search(r"^harden \d.*\n((?:.+\n)*)", done.all, re.M)
    assert head
    return head[1].splitlines()


@pytest.mark.parametrize(
    ("name", "text", "options", "said"),
    [
        ("a.yaml", KUBEADM.format("v1.31.2"), (), "a.yaml says Kubernetes 1.31, older than 1.36: --kubernetes-version"),
        ("a.yaml", EKSCTL.format("1.30"), (), "a.yaml says Kubernetes 1.30, older than 1.36: --kubernetes"),
        ("a.tf", EKS.format("1.29"), (), "a.tf says Kubernetes 1.29, older than 1.36: --kubernetes-version 1.29"),
        ("a.tf", EKS.format("${var.version}"), (), None),
        ("a.yaml", KUBEADM.format("v1.31.2"), ("--kubernetes-version", "1.31"), None),
        ("a.yaml", KUBEADM.format("v1.36.0"), (), None),
        ("a.yaml", KUBEADM.format("stable"), (), None),
        ("a.yaml", KUBEADM.format("[1]"), (), None),
        ("a.yaml", DEPLOYMENT, ("--kubernetes-version", "1.53"), "Kubernetes 1.53 is newer than what harden knows"),
        ("a.yaml", DEPLOYMENT, ("--kubernetes-version", "1.37"), None),
    ],
)  # fmt: skip
def test_a_version_that_does_not_fit_is_one_line(
    name: str, text: str, options: tuple[str, ...], said: str | None, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {name: text})
    found = _remarks(harden("diff", ".", *options))
    assert [line.startswith(f"  {said}") for line in found] == ([True] if said else [])


def test_the_newest_version_is_the_one_of_the_tables() -> None:
    assert config.NEWEST == pod_security.NEWEST
