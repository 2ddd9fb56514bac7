"""The modules that ``harden hook`` prints, run with the libraries that they are for.

Pulumi's engine, which would call the hook, is not run: the hook is called as the engine calls it.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hardener.commands import hooks

from ..conftest import run
from . import environments

CASES = [
    ("airflow", "kubernetes-31"), ("airflow", "kubernetes-37"),
    pytest.param("cdk8s", "kubernetes-37", marks=pytest.mark.node),
    ("kubespawner", "frameworks"), ("kubespawner", "kubernetes-37"), ("pulumi", "kubernetes-37"),
]  # fmt: skip
FILLED = {"seccompProfile": {"type": "RuntimeDefault"}}
CLOSED = {"allowPrivilegeEscalation": False}

# What a pod says, and what it says with the hook.
PODS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing said": (
        {"containers": [{"name": "a", "image": "b"}]},
        {
            "automountServiceAccountToken": False,
            "securityContext": FILLED,
            "containers": [{"name": "a", "image": "b", "securityContext": CLOSED}],
        },
    ),
    "all said": (
        {
            "automountServiceAccountToken": True,
            "securityContext": {"seccompProfile": {"type": "Unconfined"}},
            "containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": True}}],
        },
        {
            "automountServiceAccountToken": True,
            "securityContext": {"seccompProfile": {"type": "Unconfined"}},
            "containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": True}}],
        },
    ),
    "something said": (
        {
            "serviceAccountName": "default",
            "securityContext": {"runAsUser": 1000},
            "containers": [{"name": "a", "securityContext": {"readOnlyRootFilesystem": True}}],
        },
        {
            "serviceAccountName": "default",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsUser": 1000, **FILLED},
            "containers": [{"name": "a", "securityContext": {"readOnlyRootFilesystem": True, **CLOSED}}],
        },
    ),
    "a service account of its own": (
        {"serviceAccountName": "job", "containers": [{"name": "a"}]},
        {
            "serviceAccountName": "job",
            "securityContext": FILLED,
            "containers": [{"name": "a", "securityContext": CLOSED}],
        },
    ),
    "privileged": (
        {"containers": [{"name": "a", "securityContext": {"privileged": True}}]},
        {
            "automountServiceAccountToken": False,
            "securityContext": FILLED,
            "containers": [{"name": "a", "securityContext": {"privileged": True}}],
        },
    ),
    "capabilities": (
        {
            "containers": [
                {"name": "a", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}},
                {"name": "b", "securityContext": {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}},
                {"name": "c", "securityContext": {"capabilities": {"drop": ["ALL"]}}},
            ]
        },
        {
            "automountServiceAccountToken": False,
            "securityContext": FILLED,
            "containers": [
                {"name": "a", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}},
                {"name": "b", "securityContext": {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}},
                {"name": "c", "securityContext": {"capabilities": {"drop": ["ALL"]}, **CLOSED}},
            ],
        },
    ),
    "init containers": (
        {"initContainers": [{"name": "i"}], "containers": [{"name": "a"}]},
        {
            "automountServiceAccountToken": False,
            "securityContext": FILLED,
            "initContainers": [{"name": "i", "securityContext": CLOSED}],
            "containers": [{"name": "a", "securityContext": CLOSED}],
        },
    ),
    "windows": (
        {"os": {"name": "windows"}, "containers": [{"name": "a"}]},
        {"os": {"name": "windows"}, "containers": [{"name": "a"}]},
    ),
}  # fmt: skip
# The same with both switches on.
STRICT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing said": (
        {"containers": [{"name": "a"}]},
        {
            "automountServiceAccountToken": False,
            "securityContext": {**FILLED, "runAsNonRoot": True},
            "containers": [{"name": "a", "securityContext": {**CLOSED, "capabilities": {"drop": ["ALL"]}}}],
        },
    ),
    "privileged, and root": (
        {"securityContext": {"runAsNonRoot": False},
         "containers": [{"name": "a", "securityContext": {"privileged": True}}]},
        {
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": False, **FILLED},
            "containers": [{"name": "a", "securityContext": {"privileged": True}}],
        },
    ),
}  # fmt: skip


def hooked(name: str, environment: str, text: str, folder: Path, pods: dict[str, Any]) -> Any:
    path = folder / "the_hook.py"
    path.write_text(text, encoding="utf-8")
    given = json.dumps({case: said for case, (said, _) in pods.items()})
    return environments.run(environment, "hooked.py", name, str(path), given)


@pytest.mark.libraries
@pytest.mark.parametrize(("name", "environment"), CASES)
def test_a_hook_fills_in_what_is_open(tmp_path: Path, name: str, environment: str) -> None:
    made = hooked(name, environment, hooks.text(name), tmp_path, PODS)
    assert made == {case: wanted for case, (_, wanted) in PODS.items()}


@pytest.mark.libraries
@pytest.mark.parametrize(("name", "environment"), CASES)
def test_the_switches_of_a_hook(tmp_path: Path, name: str, environment: str) -> None:
    text = hooks.text(name)
    for switch in ("RUN_AS_NON_ROOT", "DROP_ALL_CAPABILITIES"):
        assert text.count(f"{switch} = False") == 1
        text = text.replace(f"{switch} = False", f"{switch} = True")
    made = hooked(name, environment, text, tmp_path, STRICT)
    assert made == {case: wanted for case, (_, wanted) in STRICT.items()}


@pytest.mark.parametrize("name", hooks.NAMES)
def test_a_printed_hook_stands_alone(tmp_path: Path, name: str) -> None:
    done = run("hook", name, cwd=tmp_path)
    assert (done.status, done.out) == (0, hooks.text(name))
    tree = ast.parse(done.out)
    assert ast.get_docstring(tree)
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert all(node.level == 0 and not (node.module or "").startswith("hardener") for node in froms)
    (tmp_path / "hook.py").write_text(done.out, encoding="utf-8")
    for command in (["format", "--check", "--diff"], ["check", "--select", "F,I,E"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "120", "hook.py"]
        checked = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_another_name_has_no_hook(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        hooks.text("manifest_pods")
    assert run("hook", "kopf", cwd=tmp_path).status == 2
