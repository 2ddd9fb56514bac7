"""Each engine runs a workload as it is and hardened, and nothing stays: docker with a daemon of its own, and podman as
a user who is not root. Podman as root is what all other tests of observe run."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .. import services
from ..conftest import commit, write

Map = dict[str, Any]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to start a daemon and to be somebody else"),
    pytest.mark.skipif(not Path("/bin/busybox").exists(), reason="needs /bin/busybox: apt-get install busybox-static"),
]
IMAGE = "localhost/bare:1"
# It has no list of users, as many an image of one program has not. A file of its Secret is read through its group.
MANIFEST = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: login}}
stringData: {{word: correct-horse}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      securityContext: {{fsGroup: 4711}}
      containers:
      - name: main
        image: {IMAGE}
        command: [/bin/busybox, sh, -ec, "busybox cat /login/word; exec busybox httpd -f -p 8080"]
        ports: [{{containerPort: 8080}}]
        securityContext: {{runAsUser: 1000, runAsGroup: 1000}}
        volumeMounts: [{{name: login, mountPath: /login}}]
      volumes:
      - name: login
        secret: {{secretName: login, defaultMode: 0440}}
"""
LISTS = {
    "containers": ("ps", "-aq"), "networks": ("network", "ls", "-q"), "volumes": ("volume", "ls", "-q"),
    "images": ("images", "-aq"),
}  # fmt: skip


@dataclass(frozen=True)
class Host:
    """Runs programs where an engine is: ``before`` are words before each."""

    name: str
    folder: Path
    before: tuple[str, ...]
    environment: dict[str, str]

    def __call__(self, *words: str, input: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self.before, *words], input=input, capture_output=True, timeout=300, env=self.environment, check=False,
            cwd=self.folder,
        )  # fmt: skip

    def left(self) -> Map:
        """What the engine has."""
        return {what: sorted(self(self.name, *words).stdout.split()) for what, words in LISTS.items()}


def layer() -> bytes:
    """A root with busybox alone."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as archive:
        archive.add("/bin/busybox", "bin/busybox")
        for name in ("tmp", "etc", "login"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
    return into.getvalue()


@contextmanager
def docker(folder: Path) -> Iterator[Host]:
    daemon = services.program("dockerd")
    environment = os.environ | {"DOCKER_HOST": f"unix://{folder}/docker.sock", "DOCKER_CONFIG": str(folder)}
    (folder / "none.json").write_text("{}", encoding="utf-8")
    words = [
        daemon, "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "-p", f"{folder}/pid", "-H",
        environment["DOCKER_HOST"], "--storage-driver", "vfs", "--bridge", "none",
        "--config-file", f"{folder}/none.json",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as process:
        try:
            host = Host("docker", folder, (), environment)
            until = time.monotonic() + 60
            while host("docker", "version").returncode != 0:
                if process.poll() is not None or time.monotonic() > until:
                    pytest.skip(f"dockerd does not start here: {(folder / 'log').read_text()[-200:].strip()}")
                time.sleep(0.2)
            yield host
        finally:
            process.terminate()


@contextmanager
def rootless(folder: Path) -> Iterator[Host]:
    for name in ("podman", "runc", "newuidmap", "pasta"):
        services.program(name)
    settings = f"""\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
[engine.runtimes]
runc = ["{services.program("runc")}"]
"""
    (folder / "containers.conf").write_text(settings, encoding="utf-8")
    script = Path(__file__).with_name("rootless.sh")
    environment = os.environ | {
        "CONTAINERS_CONF": str(folder / "containers.conf"), "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
    }  # fmt: skip
    python = os.path.realpath(sys.executable)
    # One process holds the namespaces; the others enter them.
    with subprocess.Popen(
        ["unshare", "-m", "bash", script, folder, python, "sh", "-c", "echo ready; exec cat"], env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdin is not None and holder.stdout is not None and holder.stderr is not None
        try:
            if holder.stdout.readline() != "ready\n":
                pytest.skip(f"nobody can be somebody else here: {holder.stderr.read().strip()}")
            enter = ("nsenter", "-m", "-t", str(holder.pid), "--", "setpriv", "--reuid", "65534", "--regid", "65534")
            home = {"HOME": f"{folder}/home", "XDG_RUNTIME_DIR": f"{folder}/home/run", "PYTHONDONTWRITEBYTECODE": "1"}
            yield Host("podman", folder, (*enter, "--clear-groups"), environment | home)
        finally:
            holder.stdin.close()


@pytest.mark.podman
@pytest.mark.docker
@pytest.mark.parametrize("engine", [docker, rootless])
def test_an_engine_runs_it_hardened_and_nothing_stays(engine: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="engine-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with engine(folder) as host:
            made = host(host.name, "import", "-", IMAGE, input=layer())
            if made.returncode != 0:
                pytest.skip(f"{host.name} does not work here: {made.stderr.decode().strip()[-200:]}")
            write(folder / "tree", {"web.yaml": MANIFEST})
            commit(folder / "tree")
            host("chmod", "-R", "a+rX", str(folder / "tree"))
            before = host.left()
            words = f"observe {folder}/tree --check --engine {host.name} --format json --seconds 1 --show-output"
            done = host(sys.executable, "-m", "hardener", *words.split())
            assert done.returncode == 0, done.stderr.decode()
            said = json.loads(done.stdout)
            (found,) = said["workloads"]
            assert said["engine"].startswith(f"{host.name} ")
            assert (found["state"], found["containers"][0]["listens"]) == ("held", ["8080/tcp"]), found
            assert {"read-only-root-filesystem", "drop-capabilities"} <= set(found["held"])
            assert host.left() == before
