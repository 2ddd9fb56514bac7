"""A real podman, with a store and settings of its own, gone when the test ends.

Its runtime is ``runc``, behind a script that gives a process its capabilities as the runtimes of Kubernetes do: podman
also puts those of a user that is not root into the ambient set, and a pod would pass that Kubernetes lets die.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hardener.observe.engine import RUNTIME

from . import services

_LONGEST = 90.0  # seconds


@dataclass(frozen=True)
class Podman:
    """Runs ``podman``; ``folder`` is what it writes to, but for a cache of digests; ``settings`` its environment."""

    folder: Path
    settings: dict[str, str] = field(repr=False)

    def __call__(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        try:
            done = self._run(words)
        except subprocess.TimeoutExpired:
            if words[0] == "run":
                raise
            done = self._run(words)  # seen once on a busy machine: a pull that hung
        assert not check or done.returncode == 0, f"podman {' '.join(words)}: {done.stderr}"
        return done

    def _run(self, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["podman", *words], capture_output=True, text=True, timeout=_LONGEST, env=self.settings,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip


@contextmanager
def ready(mirrors: dict[str, str]) -> Iterator[Podman]:
    """A podman that takes images of the registries that ``mirrors`` names from where it says, without TLS.

    Skips where no container can run, and says why.
    """
    for name in ("podman", "runc", "conmon"):
        services.program(name)
    if os.geteuid() != 0:
        pytest.skip("needs root, for the owners of volumes")
    folder = Path(tempfile.mkdtemp(prefix="pods-", dir="/tmp"))  # podman takes no long names
    podman = Podman(folder, _settings(folder, mirrors, "overlay"))
    if podman("info", check=False).returncode != 0:
        podman = Podman(folder, _settings(folder, mirrors, "vfs"))
    try:
        yield podman
    finally:
        podman("rm", "-af", "-t", "0", check=False)
        podman("rmi", "-af", check=False)
        subprocess.run(["umount", folder / "root" / "overlay"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path, mirrors: dict[str, str], driver: str) -> dict[str, str]:
    runtime = folder / "runtime"
    runtime.write_text(RUNTIME.format(python=sys.executable, runtime=services.program("runc")), encoding="utf-8")
    runtime.chmod(0o755)
    files = {
        "containers.conf": f"""\
[engine]
runtime = "pods"
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
tmp_dir = "{folder}/tmp"
[engine.runtimes]
pods = ["{runtime}"]
[containers]
log_driver = "k8s-file"
[network]
network_config_dir = "{folder}/networks"
""",
        "storage.conf": f'[storage]\ndriver = "{driver}"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n',
        "registries.conf": 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "disabled"\n'
        + "".join(
            f'[[registry]]\nprefix = "{name}"\nlocation = "{place}"\ninsecure = true\n'
            for name, place in mirrors.items()
        ),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return os.environ | {
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
        "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
    }
