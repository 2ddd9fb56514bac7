"""The extension for VS Code: its own tests, and that it names what the server knows."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from .conftest import ROOT

FOLDER = ROOT / "integrations" / "vscode"


@pytest.mark.node
def test_its_unit_tests_pass() -> None:
    if shutil.which("node") is None:
        pytest.skip("needs Node.js: apt-get install nodejs")
    done = subprocess.run(["node", "--test"], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_it_names_the_command_of_the_server() -> None:
    pytest.importorskip("pygls", reason="needs the extra: pip install -e '.[lsp]'")
    from hardener.lsp.server import LEAVE

    assert f'const LEAVE = "{LEAVE}";' in (FOLDER / "settings.js").read_text(encoding="utf-8")
