"""What a finding says was not judged: one field says it, every report carries it, and the gate ends with 2 for it."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardener.commands.run import Choices, plan_of
from hardener.engine.outcome import Report
from hardener.tree.tree import Tree

from .conftest import Harden, git, write

ROOT = Path(__file__).parent.parent
# How a finding says that something was not judged.
SAYS = re.compile(
    r"not looked at|not decided|not hardened|not judged|(?:is|was|are|were) not read\b|harden does not check"
    r"|cannot check|an expression (?:sets|decides)|left as it is \((?:patch|owned|static-pod)|(?:is|are) not known"
    r"|that this tree does not show"
)
# What is judged all the same, and why: the words are about the ground for another value, and not about this one.
JUDGED = {
    "_stars": "the star itself is the finding; what it is needed for says whether it can be written out",
    "_wildcards": "the wildcard itself is the finding; which resources a group has says what would narrow it",
    "run_as_user": "the group of a user of the image",
    "drop_capabilities": "what the manifest says is judged; the user of the image decides how sure a change is",
    "no_privilege_escalation": "the same",
    "write_files": "Git is asked before a file is written",
    "find_audit_gaps": "an audit log is evidence",
    "automount_token": "that the token is mounted is the finding",
    "rbac_scc_grant": "that it is granted is the finding",
    "tf_node_admin_detach": "that it is given is the finding",
    "_administrators": "that it is an administrator is the finding",
    "namespace_pss_labels": "levels of pods, which are judged themselves",
    "resource_requests": "the number that would be written",
}


def cases() -> list[Path]:
    """Golden cases in which a finding says so."""
    cases = []
    for found in sorted((ROOT / "golden").rglob("findings.txt")):
        lines = [line for line in found.read_text().splitlines() if line.startswith("finding ")]
        is_rendered = found.parent.parent.name == "charts"  # by helm, which may not be there
        if not is_rendered and any(SAYS.search(line) for line in lines):
            cases.append(found.parent)
    return cases


def findings(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    work = tmp_path / "work"
    shutil.copytree(case / "before", work)
    monkeypatch.chdir(work)
    plan = plan_of(Choices(profile="strict"), str(work))
    return plan.run(Tree.read([str(work)], root=str(work), settings=plan.settings), lambda name: None).findings


def is_judged(finding: Report) -> bool:
    """Whether the finding comes of a rule that judges what it is about."""
    return finding.id.replace("-", "_") in JUDGED or finding.id.startswith(("rbac-", "audit-log", "waiver"))


@pytest.mark.parametrize("case", cases(), ids=lambda case: "/".join(case.parts[-2:]))
def test_a_finding_that_says_it_has_the_field(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(case, tmp_path, monkeypatch)
    said = [finding for finding in found if SAYS.search(finding.message) and not is_judged(finding)]
    assert [f"{each.id}: {each.message}" for each in said if not each.not_looked_at] == []


def sentences() -> Iterator[tuple[str, int, str]]:
    """(module, line, text) of every text in the sources that says so, but for docstrings and comments."""
    for file in sorted(path for folder in ("transforms", "hardener") for path in (ROOT / folder).rglob("*.py")):
        text = file.read_text()
        if not re.search(r"\b(?:finding|Report|Problem)\(", text):
            continue
        module = ast.parse(text)
        docs = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                if SAYS.search(node.value):
                    yield file.stem, node.lineno, node.value


def test_every_module_that_says_it_sets_the_field_or_is_known_to_judge() -> None:
    silent = Counter(name for name, _, _ in sentences() if not sets_the_field(name) and name not in JUDGED)
    assert silent == Counter()


def sets_the_field(name: str) -> bool:
    files = [path for folder in ("transforms", "hardener") for path in (ROOT / folder).rglob(f"{name}.py")]
    return any(re.search(r"not_looked_at|\bProblem\(", path.read_text()) for path in files)


THING = """\
apiVersion: acme.example.com/v1
kind: Thing
metadata: {name: d, namespace: shop}
spec:
  parts:
  - {name: a, image: "a:1"}
"""


def test_reports_carry_it(harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"t.yaml": THING})
    git(tmp_path, "init", "-q")
    report = json.loads(harden("check", ".", "--format", "json").out)
    assert [(each["id"], each["notLookedAt"]) for each in report["findings"]] == [("operator-resource", True)]
    results = json.loads(harden("check", ".", "--format", "sarif").out)["runs"][0]["results"]
    assert [each["properties"]["notLookedAt"] for each in results] == [True]
    done = harden("check", ".", "--no-waivers", "--fail-on", "critical")
    assert done.status == 2
    assert "not looked at: t.yaml:6: not hardened: Thing of acme.example.com names an image" in done.out


@pytest.mark.parametrize("option", [["--fail-on", "none"], []], ids=str)
def test_without_the_gate_it_fails_nothing(option: list[str], harden: Harden, tmp_path: Path) -> None:
    write(tmp_path, {"t.yaml": THING})
    git(tmp_path, "init", "-q")
    assert harden("check", ".", *option).status == 0


PART = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: controller}
spec:
  replicas: 0
  template:
    spec:
      containers:
      - name: controller
        args: [/usr/local/bin/controller]
        env: [{name: REPLICAS, value: "0"}]
"""


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("", "", 0),
        ("replicas: 0", "replicas: 2", 0),
        ("[/usr/local/bin/controller]", "[/usr/local/bin/controller, --insecure]", 2),
        ("[/usr/local/bin/controller]", "[/usr/local/bin/kube-apiserver]", 2),
        ('value: "0"', "value: hunter2", 2),
        ('value: "0"', "valueFrom: {secretKeyRef: {name: s, key: k}}", 2),
        ("      containers:", "      hostPID: true\n      containers:", 2),
        ("        args:", "        securityContext: {privileged: true}\n        args:", 2),
        ("        args:", "        volumeMounts: [{name: v, mountPath: /}]\n        args:", 2),
        ("        args:", "        $patch: delete\n        args:", 2),
        ("    spec:\n", "    metadata: {labels: {app: other}}\n    spec:\n", 2),
        ("controller}", "controller, annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}", 2),
        ("  replicas: 0", "  replicas: 0\n  volumeClaimTemplates: []", 2),
    ],
)
def test_a_part_that_sets_nothing_weak_is_looked_at(
    old: str, new: str, status: int, harden: Harden, tmp_path: Path
) -> None:
    write(tmp_path, {"k8s/part.yaml": PART.replace(old, new, 1) if old else PART})
    git(tmp_path, "init", "-q")
    done = harden("check", "k8s", "--no-waivers", "--fail-on", "high", cwd=tmp_path)
    assert done.status == status, done.out
    assert ("a part of a workload that sets nothing weak: a container has no image" in done.out) == (status == 0)
