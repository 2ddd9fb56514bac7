"""The environments that ``.ci/libraries`` makes: what libraries need that cannot live beside harden."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .. import services

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent


def run(environment: str, script: str, *arguments: str, cwd: Path = HERE) -> Any:
    """What a script of this folder prints as its last line, which is JSON. The test is skipped without the environment.

    Raises CalledProcessError with what the script said.
    """
    services.allow("libraries")
    folder = ROOT / ".venv-libraries" / environment
    if not (folder / "ready").exists():
        pytest.skip(f"needs the libraries of {environment}: .ci/libraries")
    if "cdk8s" in arguments:
        services.program("node")
    command = [str(folder / "bin" / "python"), str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
