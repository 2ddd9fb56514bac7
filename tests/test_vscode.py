"""The extension for VS Code: that it is built, its own tests, and that it names what the server knows."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from .conftest import ROOT

FOLDER = ROOT / "integrations" / "vscode"
OFFLINE = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "ENETUNREACH")
"""What npm says where it reaches no registry."""
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the extension, where the repository would have it."""
    copy = tmp_path / "integrations" / "vscode"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copy(ROOT / "LICENSE", tmp_path)
    return copy


def ran(folder: Path, *command: str) -> str:
    if shutil.which("node") is None:  # which runs npm, too
        pytest.skip("needs node: apt-get install nodejs")
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}: apt-get install {command[0]}")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    if done.returncode and any(word in done.stderr for word in OFFLINE):
        pytest.skip("npm reaches no registry")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.node
def test_it_is_built_and_its_unit_tests_pass(folder: Path) -> None:
    ran(folder, *INSTALL, "--omit=dev")
    ran(folder, "npm", "run", "build")
    assert "# skipped 0" in ran(folder, "npm", "test")


@pytest.mark.node
def test_its_unit_tests_need_no_package(folder: Path) -> None:
    ran(folder, "node", "--test")


@pytest.mark.node
@pytest.mark.long
def test_it_is_packed_for_vs_code(folder: Path) -> None:
    """It takes 300 packages, which pack it."""
    ran(folder, *INSTALL)
    ran(folder, "npm", "run", "package")
    (packed,) = folder.glob("*.vsix")
    names = set(zipfile.ZipFile(packed).namelist())
    assert {"extension/dist/extension.js", "extension/dist/licences.txt", "extension/LICENSE.txt"} <= names
    assert not [name for name in names if "node_modules" in name or "test" in name]


def test_no_registry_is_named() -> None:
    names = [name for name in os.listdir(FOLDER) if name.endswith((".json", ".npmrc"))]
    assert "package-lock.json" in names
    for name in names:
        assert '"resolved"' not in (FOLDER / name).read_text(encoding="utf-8")


def test_it_names_the_command_of_the_server() -> None:
    pytest.importorskip("pygls", reason="needs the extra: pip install -e '.[lsp]'")
    from hardener.lsp.server import LEAVE

    assert f'const LEAVE = "{LEAVE}";' in (FOLDER / "settings.js").read_text(encoding="utf-8")
