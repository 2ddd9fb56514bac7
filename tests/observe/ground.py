"""Trees of manifests that ``harden observe`` runs with a podman and a registry of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from ..conftest import Done, commit, write
from ..podman import Podman
from . import application, images

Map = dict[str, Any]
# What else takes long is left out of an ordinary run of the tests.
ALL = os.environ.get("HARDEN_OBSERVE") == "all"
_HARDEN = Path(sys.executable).parent / "harden"
_LONGEST = 1500.0  # seconds


@dataclass
class Ground:
    """``host``: the registry; ``folder``: where logins and settings of nobody are."""

    host: str
    podman: Podman
    folder: Path
    _pushed: set[str] = field(default_factory=set)

    def try_out(self) -> None:
        """Skip the test where podman runs no container."""
        self.push(["r.example/shop/tools:1.0.0"])
        done = self.podman(
            "run", "--rm", "--network", "none", "r.example/shop/tools:1.0.0", "busybox", "true", check=False
        )
        if done.returncode != 0:
            pytest.skip(f"podman runs no container here: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")

    def push(self, names: Iterable[str]) -> None:
        known = images.IMAGES | application.OWN
        images.push(self.host, {name: known[name] for name in names if name not in self._pushed})
        self._pushed |= set(names)

    def tree(
        self,
        folder: Path,
        manifests: Mapping[str, str],
        names: Iterable[str],
        exercises: Mapping[str, str] = MappingProxyType({}),
    ) -> Path:
        """A Git repository in ``folder`` with ``manifests`` by the names of their files; the images ``names`` can be
        had. ``exercises``: commands by the names of workloads."""
        self.push(names)
        mirrors = f"{{mirrors: [{self.host}/all]}}"
        config = f"registries:\n  r.example: {mirrors}\n  docker.io: {mirrors}\n"
        config += yaml.safe_dump({"observe": {"exercise": dict(exercises)}}) if exercises else ""
        write(folder, {**manifests, ".harden.yaml": config})
        commit(folder)
        return folder

    def harden(self, *words: str, cwd: Path) -> Done:
        """Run ``harden`` as a program, with the podman of the tests and no logins."""
        nobody = {
            "REGISTRY_AUTH_FILE": str(self.folder / "no-logins.json"), "XDG_CONFIG_HOME": str(self.folder / "nobody"),
        }  # fmt: skip
        done = subprocess.run(
            [_HARDEN, *words], cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env=self.podman.settings | nobody, timeout=_LONGEST, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def observe(self, folder: Path, *words: str, seconds: int = 4) -> dict[str, Map]:
        """The workloads of ``folder`` by their names, as ``harden observe --format json`` tells of them. Nothing that
        it made may be left."""
        before = self.left()
        done = self.harden("observe", ".", "--format", "json", "--seconds", str(seconds), *words, cwd=folder)
        assert done.status in (0, 2), done.all
        assert done.out, done.err
        assert self.left() == before, "it left something behind"
        found: list[Map] = json.loads(done.out)["workloads"]
        return {one["workload"].partition("/")[2]: one for one in found}

    def left(self) -> Map:
        """The containers, pods, networks, volumes and images of podman."""
        asked = {
            "containers": ("ps", "-aq"), "pods": ("pod", "ls", "-q"), "networks": ("network", "ls", "-q"),
            "volumes": ("volume", "ls", "-q"), "images": ("images", "-aq"),
        }  # fmt: skip
        return {what: sorted(self.podman(*words).stdout.split()) for what, words in asked.items()}
