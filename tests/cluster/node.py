"""A Kubernetes with a node of its own, started for the tests and gone with them, and images made for it.

``../shared/cluster`` brings the programs and says what else it needs; nothing is pulled.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .. import services
from ..conftest import shared
from ..oci_images import OCI_INDEX, OCI_MANIFEST, Blob, File, blob, capability, layer

Map = dict[str, Any]
Key = tuple[str, str]
_PORTS = (8080, 80)
_LONGEST = 180.0  # seconds
_AT_ONCE = 70  # pods: a node takes 110
_ON_ITS_WAY = ("ContainerCreating", "PodInitializing")
_BUSYBOX = Path("/bin/busybox")
_NET_BIND_SERVICE = 10
_CONFIG = "application/vnd.oci.image.config.v1+json"
_APPLETS = "sh sleep cat echo id ls mkdir touch chown httpd ping mount su date".split()
_PASSWD = b"root:x:0:0::/root:/bin/sh\nweb:x:1234:1234::/home/web:/bin/sh\n"


@dataclass(frozen=True)
class Node:
    """Runs pods; ``folder`` is where the cluster was started."""

    folder: Path

    def kubectl(self, *words: str, objects: Iterable[Map] = ()) -> str:
        """What kubectl prints, with ``objects`` on its standard input."""
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        command = [services.program("kubectl"), "--kubeconfig", str(self.folder / "kubeconfig"), *words]
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def load(self, archive: Path) -> None:
        """Take the images of an OCI archive."""
        command = ["ctr", "-a", str(self.folder / "containerd.sock"), "-n", "k8s.io", "images", "import", str(archive)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    def user(self, container: str) -> int:
        """The number of the user that the first process of a container has."""
        command = ["ctr", "-a", str(self.folder / "containerd.sock"), "-n", "k8s.io", "tasks", "list"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        pids = {words[0]: words[1] for words in map(str.split, done.stdout.splitlines()[1:])}
        status = Path("/proc", pids[container], "status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:")))

    @property
    def environment(self) -> dict[str, str]:
        """That of a program which finds kubectl and this cluster, as the context ``here``."""
        folder = str(Path(services.program("kubectl")).parent)
        path = os.pathsep.join((folder, os.environ.get("PATH", "")))
        return os.environ | {"KUBECONFIG": str(self.folder / "kubeconfig"), "PATH": path}

    def namespaces(self, label: str) -> list[str]:
        """Those that bear ``label``."""
        return self.kubectl("get", "namespaces", "-l", label, "-o", "name").split()

    def ends(self, wanted: Mapping[Key, Sequence[Map]]) -> dict[Key, str]:
        """Run the pod of each list of objects in a namespace of its own: "" where it comes to serve, else why it does
        not."""
        waiting = list(wanted)
        found: dict[Key, str] = {}
        while waiting:
            some, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
            self._create({key: wanted[key] for key in some})
            found |= self._ended(some)
            if waiting:
                self.kubectl("delete", "pods", "--all", "-A", "--force", "--grace-period", "0")
        return found

    def _create(self, wanted: Mapping[Key, Sequence[Map]]) -> None:
        spaces, pods = [], []
        for key, objects in wanted.items():
            space = "-".join(key)
            (labels,) = (one["metadata"].get("labels", {}) for one in objects if one["kind"] == "Namespace")
            (pod,) = (one for one in objects if one["kind"] == "Pod")
            spaces.append(_object("Namespace", {"name": space, "labels": labels}))
            spaces.append(_object("ServiceAccount", {"name": "default", "namespace": space}))
            pods.append({**pod, "metadata": {**pod["metadata"], "name": "app", "namespace": space}})
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", objects=spaces)
        self.kubectl("create", "-f", "-", objects=pods)

    def _ended(self, keys: Sequence[Key]) -> dict[Key, str]:
        limit = time.monotonic() + _LONGEST
        while True:
            statuses = self._statuses()
            ends = {key: _end(statuses["-".join(key)]) for key in keys}
            known = {key: end for key, end in ends.items() if end is not None}
            if len(known) == len(ends):
                return known
            assert time.monotonic() < limit, {space: statuses[space] for space in map("-".join, ends.keys() - known)}
            time.sleep(1)

    def _statuses(self) -> dict[str, Map]:
        items = json.loads(self.kubectl("get", "pods", "-A", "-o", "json"))["items"]
        return {item["metadata"]["namespace"]: item["status"] for item in items}


@contextmanager
def started() -> Iterator[Node]:
    """A cluster with a node; skips where it cannot be, and says why."""
    start, stop = shared("cluster", "start"), shared("cluster", "stop")
    if not _BUSYBOX.exists():
        pytest.skip("needs /bin/busybox: apt-get install busybox-static")
    if os.geteuid() != 0:
        pytest.skip("needs root, for a kubelet")
    folder = Path(tempfile.mkdtemp(prefix="node-", dir="/tmp"))  # containerd takes no long names
    try:
        done = subprocess.run([start, folder, str(free_port()), "--node"], capture_output=True, text=True, timeout=180)
        if done.returncode == 2:
            pytest.skip(done.stderr.strip().splitlines()[-1])
        assert done.returncode == 0, done.stderr
        yield Node(folder)
    finally:
        _end_containers(folder)
        subprocess.run([stop, folder], capture_output=True, timeout=120)
        _end_shims(folder)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that is free, with the two behind it: other clusters of this machine have some."""
    for port in range(16443, 17443, 10):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for number in range(port, port + 3):
                held.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
    pytest.skip("there is no free port for a cluster")


def _end_containers(folder: Path) -> None:
    """End all containers at once; ``stop`` would take them one by one, and leaves their networks."""
    kubelet = folder / "kubelet.pid"
    if not kubelet.exists():
        return
    os.kill(int(kubelet.read_text()), signal.SIGTERM)  # else it starts them again
    command = ["ctr", "-a", str(folder / "containerd.sock"), "-n", "k8s.io"]
    networks = {place for name in _listed(command, "containers") for place in _networks(command, name)}
    for kind, *options in (("tasks", "-f"), ("containers",)):
        names = _listed(command, kind)
        subprocess.run([*command, kind, "delete", *options, *names], capture_output=True, timeout=120)
    for place in networks:
        subprocess.run(["umount", place], capture_output=True, timeout=60)
        place.unlink(missing_ok=True)


def _listed(command: Sequence[str], kind: str) -> list[str]:
    return subprocess.run([*command, kind, "list", "-q"], capture_output=True, text=True, timeout=60).stdout.split()


def _networks(command: Sequence[str], container: str) -> Iterator[Path]:
    """Where the namespace of the network of a container is mounted."""
    done = subprocess.run([*command, "containers", "info", container], capture_output=True, text=True, timeout=60)
    spec = json.loads(done.stdout)["Spec"] if done.returncode == 0 else {}
    for each in spec.get("linux", {}).get("namespaces", ()):
        if each["type"] == "network" and "path" in each:
            place = Path(each["path"])
            if place.parent.name == "netns":  # of a container it is /proc/PID/ns/net
                yield place


def _end_shims(folder: Path) -> None:
    """End what a container that was about to start leaves: a shim of our containerd, each by its own id."""
    socket_of_ours = str(folder / "containerd.sock").encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if socket_of_ours in words and b"containerd-shim" in words[0]:
                os.kill(int(process.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended


def _object(kind: str, metadata: Map) -> Map:
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def _end(status: Map) -> str | None:
    """Why a pod does not come up, "" where it serves; None where that is not known yet."""
    if status["phase"] == "Failed":
        return f"{status.get('reason')}: {status.get('message')}"
    container: Map = (status.get("containerStatuses") or [{}])[0]
    state: Map = container.get("state", {})
    ended: Map | None = state.get("terminated") or container.get("lastState", {}).get("terminated")
    waiting: Map = state.get("waiting", {})
    if ended:
        return str(ended.get("message", "")).strip() or f"exit code {ended['exitCode']}"
    if waiting and waiting["reason"] not in _ON_ITS_WAY:
        return f"{waiting['reason']}: {waiting.get('message')}"
    return "" if "running" in state and _serves(status.get("podIP", "")) else None


def _serves(address: str) -> bool:
    """Whether somebody listens: the node is on the network of its pods."""
    for port in _PORTS if address else ():
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            continue
        return True
    return False


# Images.


@dataclass(frozen=True)
class Made:
    """An image with a shell: what its config says, its files, and whether it has a server that may bind low ports."""

    config: Map
    files: tuple[File, ...] = ()
    binds_low_ports: bool = False

    @property
    def own_files(self) -> list[File]:
        if not self.binds_low_ports:
            return list(self.files)
        server = File("bin/busybox-low", _BUSYBOX.read_bytes(), 0o755, capability=capability(_NET_BIND_SERVICE))
        return [*self.files, server]


def write_archive(path: Path, images: Mapping[str, Made]) -> None:
    """Write an OCI archive of ``images``, by their names."""
    base = _base()
    blobs, entries = {base.digest: base}, []
    for name, made in images.items():
        layers = [base, layer(*made.own_files, pack="")]
        rootfs = {"type": "layers", "diff_ids": [one.digest for one in layers]}
        config = {"Env": ["PATH=/bin"], **made.config}
        whole = blob({"architecture": "amd64", "os": "linux", "config": config, "rootfs": rootfs}, _CONFIG)
        named = {"config": whole.descriptor, "layers": [one.descriptor for one in layers]}
        manifest = blob({"schemaVersion": 2, "mediaType": OCI_MANIFEST, **named}, OCI_MANIFEST)
        blobs |= {one.digest: one for one in (*layers, whole, manifest)}
        # By its digest, too, as one that was pulled.
        for each in (name, f"{name.rpartition(':')[0]}@{manifest.digest}"):
            entries.append({**manifest.descriptor, "annotations": {"io.containerd.image.name": each}})
    index = blob({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}, OCI_INDEX)
    with tarfile.open(path, mode="w") as archive:
        _add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        _add(archive, "index.json", index.body)
        for digest, one in blobs.items():
            _add(archive, f"blobs/{digest.replace(':', '/')}", one.body)


def _base() -> Blob:
    """The layer that all of them stand on."""
    links = [File(f"bin/{name}", target="busybox") for name in _APPLETS]
    return layer(
        File("bin/"), File("bin/busybox", _BUSYBOX.read_bytes(), 0o755), *links,
        File("tmp/", mode=0o1777), File("etc/"), File("etc/passwd", _PASSWD), File("mnt/"), File("www/"),
        File("home/"), File("home/web/", owner=(1234, 1234)), pack="",
    )  # fmt: skip


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
