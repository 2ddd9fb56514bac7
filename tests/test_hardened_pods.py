"""What harden makes of a pod runs: nginx and redis in podman, before and after, with the facts of harden.lock.

The images are made of packages of Debian, pushed to a registry on loopback, locked by ``harden lock`` and pinned by
``harden apply``. Two are laid out as the official images are, for which the image table speaks; of the others only the
lock knows anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import debian_images, services
from .conftest import commit, run, write
from .debian_images import File
from .podman import Podman, ready
from .pods import Manifests, Map, Refused, running
from .registries import logged_in_nowhere
from .registries import running as registry_running

_BIND_SERVICE = bytes.fromhex(
    "0100000200040000000000000000000000000000"
)  # =ep: effective, permitted bit 10, revision 2
_USERS = "".join(
    f"{name}:x:{number}:{number}::/:/bin/sh\n"
    for name, number in (("root", 0), ("www-data", 33), ("nginx", 101), ("redis", 999))
)
_GROUPS = "".join(f"{line.split(':')[0]}:x:{line.split(':')[2]}:\n" for line in _USERS.splitlines())
_COMMON = {"/etc/passwd": File(_USERS), "/etc/group": File(_GROUPS), "/srv/index.html": File("it works\n")}

# As Debian has it: its files are its own, its logs in a folder of the image.
_PLAIN = _COMMON | {
    "/etc/nginx/sites-enabled/default": File("server { listen 80; root /srv; }\n"),
}
# github.com/nginx/docker-nginx: temporary files below /var/cache/nginx, the logs are links.
_OFFICIAL = _COMMON | {
    "/etc/nginx/nginx.conf": File(
        "user nginx; pid /run/nginx.pid; error_log /var/log/nginx/error.log notice;\n"
        "events {}\nhttp {\n  access_log /var/log/nginx/access.log;\n"
        + "".join(
            f"  {kind}_temp_path /var/cache/nginx/{kind}_temp;\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "  server { listen 80; root /srv; }\n}\n"
    ),
    "/var/cache/nginx": File(folder=True, mode=0o755),
    "/var/log/nginx/access.log": File(link="/dev/stdout"),
    "/var/log/nginx/error.log": File(link="/dev/stderr"),
}
# github.com/redis/docker-library-redis: root gives the files away and steps down.
_ENTRYPOINT = """\
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ]; then set -- redis-server "$@"; fi
if [ "$1" = redis-server ] && [ "$(busybox id -u)" = 0 ]; then
  busybox find . \\! -user redis -exec busybox chown redis '{}' +
  exec gosu redis "$0" "$@"
fi
exec "$@"
"""
_REDIS = _COMMON | {
    "/data": File(folder=True, mode=0o755, owner=999),
    "/usr/local/bin/docker-entrypoint.sh": File(_ENTRYPOINT, mode=0o755),
}
_SERVE = """\
#!/bin/sh
set -e
for folder in "$UPLOAD_DIR" "${1#--log-dir=}"; do
  busybox mkdir -p "$folder"
  echo ready > "$folder/state"
done
exec busybox httpd -f -p 8080 -h /srv
"""
_NGINX = ["nginx", "-g", "daemon off;"]
IMAGES: dict[str, tuple[dict[str, File], Map]] = {
    "r.example/shop/web:1.4.2": (_PLAIN, {
        "Cmd": _NGINX, "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/run": {}, "/var/lib/nginx": {}, "/var/log/nginx": {}},
    }),
    "nginx:1.27.3": (_OFFICIAL, {"Cmd": _NGINX, "ExposedPorts": {"80/tcp": {}}}),
    "redis:7.2.4": (_REDIS, {
        "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["redis-server"], "ExposedPorts": {"6379/tcp": {}},
        "Volumes": {"/data": {}}, "WorkingDir": "/data",
    }),
    # A program that carries a capability, as caddy's and coredns's do.
    "r.example/shop/status:2.0.1": (
        _COMMON | {"/usr/bin/httpd": File(program="/usr/bin/busybox", mode=0o755, capability=_BIND_SERVICE)},
        {"User": "1000", "Cmd": ["httpd", "-f", "-p", "80", "-h", "/srv"], "ExposedPorts": {"80/tcp": {}}},
    ),
    "r.example/shop/named:1.0.0": (
        _COMMON, {"User": "www-data", "Cmd": ["busybox", "httpd", "-f", "-p", "8080", "-h", "/srv"]},
    ),
    "r.example/shop/rooted:1.0.0": (_COMMON, {"Cmd": ["busybox", "httpd", "-f", "-p", "8080", "-h", "/srv"]}),
    # A program that is told where to write.
    "r.example/shop/uploads:1.0.0": (
        _COMMON | {"/usr/local/bin/serve": File(_SERVE, mode=0o755)}, {"Entrypoint": ["serve"]},
    ),
}  # fmt: skip

_GET = ("busybox", "wget", "-qSO-")
_PAGE = (*_GET, "http://127.0.0.1/index.html"), "200 OK"
_HIGH_PAGE = (*_GET, "http://127.0.0.1:8080/index.html"), "200 OK"
_PING = ("redis-cli", "ping"), "PONG"
# What a client asks inside the pod, and what it must hear.
ANSWERS = {
    "web": _PAGE,
    "nginx": _PAGE,
    "status": _PAGE,
    "named": _HIGH_PAGE,
    "rooted": _HIGH_PAGE,
    "uploads": _HIGH_PAGE,
    "redis": _PING,
    "store": _PING,
}
_WORKLOAD = """\
apiVersion: apps/v1
kind: {kind}
metadata:
  name: {name}
spec:
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
      - name: main
        image: {image}
"""
_CLAIM = """\
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
_TOLD = '        env: [{name: UPLOAD_DIR, value: /uploads}]\n        args: ["--log-dir=/logs"]\n'
_APPEND = '        args: ["--appendonly", "yes"]\n'


def _workload(name: str, image: str, kind: str = "Deployment") -> str:
    return _WORKLOAD.format(name=name, image=image, kind=kind)


MANIFESTS = {
    "web.yaml": _workload("web", "r.example/shop/web:1.4.2"),
    "nginx.yaml": _workload("nginx", "nginx:1.27.3"),
    "status.yaml": _workload("status", "r.example/shop/status:2.0.1"),
    "named.yaml": _workload("named", "r.example/shop/named:1.0.0"),
    "rooted.yaml": _workload("rooted", "r.example/shop/rooted:1.0.0"),
    "uploads.yaml": _workload("uploads", "r.example/shop/uploads:1.0.0") + _TOLD,
    "redis.yaml": _workload("redis", "redis:7.2.4") + _APPEND,
    "store.yaml": _workload("store", "redis:7.2.4", "StatefulSet") + _APPEND + _CLAIM,
}


GUESSING = ("--max-grade", "guess")


@dataclass(frozen=True)
class Machine:
    """A podman, and the manifests: as they were, as ``harden apply`` leaves them, the same with its guesses, with all
    that ``harden lock --deep`` reads from the images, with more accepted, and without a lock: there nothing is known of
    the images. The last three with guesses, too."""

    podman: Podman
    before: Manifests
    waiting: Manifests
    after: Manifests
    deep: Manifests
    accepted: Manifests
    unlocked: Manifests


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    for name in ("docker-registry", "podman", "runc"):
        services.program(name)  # before layers are made
    packages = [debian_images.packages(name) for name in ("base", "web-and-store")]
    (folder / "registry").mkdir()
    with registry_running(folder / "registry") as host:
        for name, (files, config) in IMAGES.items():
            repository, _, tag = name.removeprefix("r.example/").partition(":")
            repository = repository if "/" in repository else f"library/{repository}"
            own = debian_images.layer(files, packages)
            debian_images.push(f"http://{host}", f"all/{repository}", tag, [*packages, own], config)
        with ready({"r.example": f"{host}/all", "docker.io": f"{host}/all"}) as podman:
            done = podman("run", "--rm", "--network", "none", "redis:7.2.4", "redis-cli", "--version", check=False)
            if done.returncode != 0:
                pytest.skip(f"podman runs no container here: {done.stderr.strip().splitlines()[-1]}")
            before = _tree(folder / "before", host)
            names = ("waiting", "after", "deep", "accepted", "unlocked")
            waiting, after, deep, accepted, unlocked = (_tree(folder / name, host) for name in names)
            _harden(waiting)
            _harden(after, apply=GUESSING)
            _harden(deep, lock=("--deep",), apply=GUESSING)
            _harden(accepted, apply=(*GUESSING, "--accept", "run-as-user,run-as-non-root,fs-group"))
            assert run("apply", ".", "--yes", *GUESSING, cwd=unlocked).status == 0
            yield Machine(podman, *map(Manifests.of, (before, waiting, after, deep, accepted, unlocked)))


def _tree(folder: Path, registry: str) -> Path:
    mirrors = f"{{mirrors: [{registry}/all]}}"
    write(folder, MANIFESTS | {".harden.yaml": f"registries:\n  r.example: {mirrors}\n  docker.io: {mirrors}\n"})
    commit(folder)
    return folder


def _harden(folder: Path, *, lock: tuple[str, ...] = (), apply: tuple[str, ...] = ()) -> None:
    with pytest.MonkeyPatch.context() as patch:
        logged_in_nowhere(patch, folder.parent)
        for words in (("lock", ".", *lock), ("apply", ".", "--yes", *apply)):
            done = run(*words, cwd=folder)
            assert done.status == 0, done.all


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("state", "name"),
    [
        *((state, name) for state in ("before", "waiting", "after", "deep") for name in ANSWERS),
        *(("accepted", name) for name in ("web", "store")),
        *(("unlocked", name) for name in ("named", "rooted", "uploads")),
    ],
)
def test_it_answers(machine: Machine, state: str, name: str, tmp_path: Path) -> None:
    manifests: Manifests = getattr(machine, state)
    command, wanted = ANSWERS[name]
    with running(machine.podman, manifests.pod(name), tmp_path, manifests) as container:
        container.ask(*command, wanted=wanted)


# The red half: what a pod says when it is hardened by hand, or less than harden does. Each takes a pod and spoils it.


def _settings(pod: Map) -> Map:
    settings: Map = pod["containers"][0].setdefault("securityContext", {})
    return settings


def naive(pod: Map) -> None:
    """What most guides say, and no more."""
    _settings(pod).update(
        runAsNonRoot=True, readOnlyRootFilesystem=True, allowPrivilegeEscalation=False, capabilities={"drop": ["ALL"]}
    )


def naive_with_a_user(pod: Map) -> None:
    naive(pod)
    _settings(pod)["runAsUser"] = 65532


def only_not_root(pod: Map) -> None:
    _settings(pod)["runAsNonRoot"] = True


def only_read_only(pod: Map) -> None:
    _settings(pod)["readOnlyRootFilesystem"] = True


def only_drop_all(pod: Map) -> None:
    _settings(pod)["capabilities"] = {"drop": ["ALL"]}


def without_number(pod: Map) -> None:
    del pod["securityContext"]["runAsUser"]


def without_sysctl(pod: Map) -> None:
    del pod["securityContext"]["sysctls"]


def without_group(pod: Map) -> None:
    del pod["securityContext"]["fsGroup"]


def without_capabilities(pod: Map) -> None:
    del _settings(pod)["capabilities"]["add"]


def _without(path: str) -> Callable[[Map], None]:
    def spoil(pod: Map) -> None:
        mounts = pod["containers"][0]["volumeMounts"]
        mounts[:] = [mount for mount in mounts if mount["mountPath"] != path]

    spoil.__name__ = f"without_{path}"
    return spoil


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("state", "name", "spoil", "said"),
    [
        ("before", "nginx", naive, "image will run as root"),
        ("before", "nginx", naive_with_a_user, "Read-only file system"),
        ("before", "nginx", only_read_only, "Read-only file system"),
        ("before", "nginx", only_drop_all, "Operation not permitted"),
        ("before", "web", naive_with_a_user, "Read-only file system"),
        ("before", "named", only_not_root, "image has non-numeric user (www-data)"),
        ("before", "redis", only_not_root, "image will run as root"),
        ("before", "redis", naive_with_a_user, "Read-only file system"),
        ("before", "store", only_drop_all, "Operation not permitted"),
        ("before", "status", only_drop_all, "operation not permitted"),  # exec fails: the file carries a capability
        ("after", "nginx", without_sysctl, "bind() to 0.0.0.0:80 failed (13: Permission denied)"),
        ("after", "nginx", _without("/var/cache/nginx"), "/var/cache/nginx"),
        ("after", "nginx", _without("/run"), "/run/nginx.pid"),
        ("accepted", "web", without_sysctl, "bind() to 0.0.0.0:80 failed (13: Permission denied)"),
        ("accepted", "web", _without("/var/lib/nginx"), "/var/lib/nginx"),
        ("accepted", "web", _without("/var/log/nginx"), "/var/log/nginx"),
        ("accepted", "web", _without("/run"), "/run/nginx.pid"),
        ("after", "status", without_capabilities, "operation not permitted"),
        ("after", "web", without_capabilities, "Operation not permitted"),
        ("accepted", "store", without_group, "Permission denied"),
        ("after", "named", without_number, "image has non-numeric user (www-data)"),
        ("unlocked", "named", without_number, "image has non-numeric user (www-data)"),
        ("unlocked", "rooted", without_number, "image will run as root"),
        ("unlocked", "uploads", _without("/uploads"), "Read-only file system"),
        ("unlocked", "uploads", _without("/logs"), "Read-only file system"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else getattr(value, "__name__", ""),
)
def test_it_dies(
    machine: Machine, state: str, name: str, spoil: Callable[[Map], None], said: str, tmp_path: Path
) -> None:
    manifests: Manifests = getattr(machine, state)
    pod = manifests.pod(name)
    spoil(pod)
    try:
        with running(machine.podman, pod, tmp_path, manifests) as container:
            log = container.end()
    except Refused as refused:
        log = str(refused)
    assert said in log


def test_every_sort_of_fact_was_used(machine: Machine) -> None:
    """Of `web` only harden.lock knows anything; without its facts the pod would die in one of the ways above."""
    pod = machine.accepted.pod("web")
    assert "runAsUser" not in machine.after.pod("web")["securityContext"], "as root it can serve its low port"
    assert pod["securityContext"]["runAsUser"] == 65532
    assert pod["securityContext"]["sysctls"] == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}]
    paths = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert paths == {"/tmp", "/run", "/var/lib/nginx", "/var/log/nginx"}
    assert "runAsUser" not in machine.after.pod("status")["securityContext"], "its image names its user"
    assert machine.accepted.pod("store")["securityContext"]["fsGroup"] == 999
    assert machine.after.pod("named")["securityContext"]["runAsUser"] == 65532, "its number is not known"
    paths = {mount["mountPath"] for mount in machine.unlocked.pod("uploads")["containers"][0]["volumeMounts"]}
    assert paths == {"/tmp", "/uploads", "/logs"}
    assert machine.deep.pod("named")["securityContext"]["runAsUser"] == 33, "as its /etc/passwd says"


def test_what_is_not_known_waits(machine: Machine) -> None:
    for name in ("web", "rooted", "uploads"):
        pod = machine.waiting.pod(name)
        assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}, name
        assert _settings(pod) == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["NET_RAW"]}}, name
