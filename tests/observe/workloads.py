"""Workloads whose outcome under ``harden observe`` is known beforehand, and why.

Each outcome was found by running the image by hand: as it is, with all that harden changes, and with each change that
does not hold alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import indent


@dataclass(frozen=True)
class Seen:
    """What is known of a container; None where nobody says it. ``wrote`` and the like are whole."""

    user: int | None = None
    wrote: tuple[str, ...] = ()
    occupied: tuple[str, ...] = ()
    listens: tuple[str, ...] = ()
    capabilities: tuple[str, ...] | None = None
    token: bool | None = None
    connects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workload:
    """``known``: each container by its name. ``held``: changes that hold, among others. ``failed``: those that do not,
    together where only several together stop it, with a part of the line that tells why. ``reason``: a part of it.
    ``needs``: the capabilities that it is left with. ``doubts``: what nobody saw of its work, so that nothing of a run
    makes a change safe. ``unheld``: changes that do not stop it, and that no run shows enough of. ``exercise``: a
    command that is given to ``harden observe``. ``most_runs``: of it, at most."""

    name: str
    manifests: str
    images: tuple[str, ...]
    state: str
    known: Mapping[str, Seen] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    failed: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    reason: str = ""
    needs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    unheld: tuple[str, ...] = ()
    exercise: str = ""
    most_runs: int = 8


_OWN = """\
apiVersion: {api}
kind: {kind}
metadata:
  name: {name}
spec:
{spec}  template:
    metadata:
      labels: {{app: {name}}}
    spec:
{pod}"""
_SERVICE = """\
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector: {{app: {name}}}
  ports: [{{port: {port}, targetPort: {target}}}]
"""
_SECRET = """\
---
apiVersion: v1
kind: Secret
metadata:
  name: {name}
stringData:
  password: not-a-word-in-any-log
"""


def workload(name: str, image: str, container: str = "", pod: str = "", kind: str = "Deployment") -> str:
    """A manifest: ``container`` are lines of its one container "main", ``pod`` lines of its pod."""
    selector = f"  selector:\n    matchLabels: {{app: {name}}}\n"
    head = {
        "Deployment": ("apps/v1", selector),
        "StatefulSet": ("apps/v1", f"  serviceName: {name}\n{selector}"),
        "Job": ("batch/v1", ""),
    }
    body = f"containers:\n- name: main\n  image: {image}\n{indent(container, '  ')}{pod}"
    api, spec = head[kind]
    return _OWN.format(api=api, kind=kind, name=name, spec=spec, pod=indent(body, "      "))


def service(name: str, port: int, target: int | None = None) -> str:
    return _SERVICE.format(name=name, port=port, target=target or port)


READ_ONLY = "read-only-root-filesystem"
_SILENT = 12  # runs, where no line of a log says which capability is missing
_ALL = ("drop-capabilities", "no-privilege-escalation", "seccomp-runtime-default")
_HARDENED = (*_ALL, READ_ONLY, "run-as-non-root")
_PASSWORD = "env:\n- name: {name}\n  valueFrom: {{secretKeyRef: {{name: {secret}, key: password}}}}\n"
_CLAIM = """\
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
_PUT = (
    "python3 -c 'import os, time, urllib.request as u; "
    'u.urlopen(u.Request(os.environ["HARDEN_URL"], b"dear", method="PUT"), timeout=9); time.sleep(1)\''
)
_SCRATCH = "volumes:\n- name: data\n  emptyDir: {}\n"


def _of(name: str, image: str, state: str = "held", known: Seen | None = None, **more: object) -> Workload:
    """One whose manifest has nothing but the image."""
    seen = {} if known is None else {"main": known}
    held = _HARDENED if state == "held" else ()
    settings: dict[str, object] = {"held": held} | more
    text = settings.pop("manifests", workload(name, image))
    return Workload(name, str(text), (image,), state, seen, **settings)  # type: ignore[arg-type]


WORKLOADS = (
    _of(
        "nginx", "nginx:1.27.3",
        known=Seen(0, ("/run", "/var/cache/nginx"), listens=("80/tcp",)),
        manifests=workload("nginx", "nginx:1.27.3", "ports: [{containerPort: 80}]\n"),
    ),
    _of(
        "web", "r.example/shop/web:1.4.2",
        known=Seen(0, ("/run", "/var/lib/nginx", "/var/log/nginx"), listens=("80/tcp",)),
    ),
    _of("apache", "httpd:2.4.62", known=Seen(0, ("/usr/local/apache2/logs",), listens=("80/tcp",))),
    # It starts as root and steps down: the user is that of the process that stays.
    _of(
        "cache", "redis:7.2.4", known=Seen(999, ("/data",), listens=("6379/tcp",), capabilities=()),
        manifests=workload("cache", "redis:7.2.4", 'args: ["--appendonly", "yes"]\n') + service("cache", 6379),
    ),
    _of("sessions", "memcached:1.6.38", known=Seen(11211, (), listens=("11211/tcp",), capabilities=())),
    _of(
        "database", "postgres:17.2", known=Seen(999, ("/run/postgresql", "/tmp"), listens=("5432/tcp",)),
        manifests=workload(
            "database", "postgres:17.2",
            _PASSWORD.format(name="POSTGRES_PASSWORD", secret="database")
            + "- name: PGDATA\n  value: /var/lib/postgresql/data/pgdata\n"
            + "volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]\n",
            kind="StatefulSet",
        ) + _CLAIM + service("database", 5432) + _SECRET.format(name="database"),
    ),
    _of(
        "ledger", "mariadb:11.8.2", known=Seen(999, ("/run/mysqld", "/tmp"), listens=("3306/tcp",)),
        manifests=workload(
            "ledger", "mariadb:11.8.2",
            _PASSWORD.format(name="MARIADB_ROOT_PASSWORD", secret="ledger")
            + "readinessProbe: {tcpSocket: {port: 3306}, periodSeconds: 1, failureThreshold: 30}\n"
            + "volumeMounts: [{name: data, mountPath: /var/lib/mysql}]\n",
            _SCRATCH,
        ) + _SECRET.format(name="ledger"),
    ),
    _of(
        "catalogue", "r.example/shop/catalogue:3.1.0",
        known=Seen(1000, ("/tmp", "/var/log/service"), listens=("8080/tcp",)),
    ),
    _of("front", "r.example/shop/front:5.0.0", known=Seen(0, ("/home",), listens=("3000/tcp",))),
    # One cause among all changes: its folder holds its code, so that nothing can be mounted there.
    _of(
        "orders", "r.example/shop/orders:1.0.0", "partly",
        Seen(1000, ("/app",), ("/app",), ("8080/tcp",)),
        held=(*_ALL, "run-as-non-root"), failed={(READ_ONLY,): "main writes to /app, where no volume is"},
    ),
    _of(
        "status", "r.example/shop/status:2.0.1",
        known=Seen(1000, (), listens=("80/tcp",), capabilities=("NET_BIND_SERVICE",)),
        needs=("NET_BIND_SERVICE",),
    ),
    # Every change that takes CHOWN from it stops it, alone: it is left with that and nothing else.
    _of(
        "spooler", "r.example/shop/spooler:1.0.0", "partly", Seen(0, ("/var/spool",), listens=("8080/tcp",)),
        held=(*_ALL, READ_ONLY), needs=("CHOWN",),
        failed={
            ("run-as-user",): "'/var/spool/letters'",
            ("run-as-non-root",): "root",
        },
    ),
    Workload(
        "basket",
        workload(
            "basket", "r.example/shop/basket:1.0.0",
            "env: [{name: STORE, value: 'store:6379'}]\n"
            "readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}\n",
        ) + "---\n" + workload("store", "redis:7.2.4") + service("store", 6379),
        ("r.example/shop/basket:1.0.0", "redis:7.2.4"), "held",
        {"main": Seen(1000, (), listens=("8080/tcp",), connects=("Service/store:6379",))}, _HARDENED,
    ),
    _of(
        "report", "r.example/shop/report:1.0.0", known=Seen(0, ("/out",)),
        manifests=workload("report", "r.example/shop/report:1.0.0", pod="restartPolicy: Never\n", kind="Job"),
    ),
    _of("broken", "r.example/shop/broken:1.0.0", "not-as-it-is", reason="/etc/shop/settings.json"),
    _of("queue", "r.example/shop/queue:1.0.0", known=Seen(0, ("/opt",), listens=("8080/tcp",))),
    _of(
        "stubborn", "r.example/shop/stubborn:1.0.0", "partly", Seen(1000, ("/app",), ("/app",), ("8080/tcp",)),
        held=(*_ALL, "run-as-non-root"), failed={(READ_ONLY,): "main writes to /app, where no volume is"},
    ),
    # Needs what the profile of the runtime keeps from it, which is always on.
    _of("lisp", "r.example/shop/lisp:1.0.0", "not-as-it-is", reason="no fixed addresses"),
    _of(
        "agent", "r.example/shop/agent:1.0.0", "refused", reason="hostPath /var/run/docker.sock",
        manifests=workload(
            "agent", "r.example/shop/agent:1.0.0",
            "volumeMounts: [{name: engine, mountPath: /var/run/docker.sock}]\n",
            "volumes:\n- name: engine\n  hostPath: {path: /var/run/docker.sock, type: Socket}\n",
        ),
    ),
    _of(
        "exporter", "r.example/shop/agent:1.0.0", "refused", reason="hostNetwork",
        manifests=workload("exporter", "r.example/shop/agent:1.0.0", pod="hostNetwork: true\n"),
    ),
    Workload(
        "site",
        workload(
            "site", "r.example/shop/tools:1.0.0",
            "command: [sh, -c, 'busybox test -s /made/index.html && exec busybox httpd -f -p 8080 -h /made']\n"
            "volumeMounts: [{name: data, mountPath: /made, readOnly: true}]\n",
            "initContainers:\n- name: write\n  image: r.example/shop/tools:1.0.0\n"
            "  command: [sh, -c, 'echo it works > /made/index.html']\n"
            "  volumeMounts: [{name: data, mountPath: /made}]\n" + _SCRATCH,
        ),
        ("r.example/shop/tools:1.0.0",), "held", {"main": Seen(0, (), listens=("8080/tcp",))}, _HARDENED,
    ),
    Workload(
        "caller",
        workload(
            "caller", "r.example/shop/caller:1.0.0", "",
            "initContainers:\n- name: beside\n  image: r.example/shop/plain:1.0.0\n  restartPolicy: Always\n"
            "  env: [{name: PORT, value: '9090'}]\n"
            "  startupProbe: {tcpSocket: {port: 9090}, periodSeconds: 1, failureThreshold: 20}\n",
        ),
        ("r.example/shop/caller:1.0.0", "r.example/shop/plain:1.0.0"), "held",
        {"main": Seen(1000, (), listens=("8080/tcp",)), "beside": Seen(1000, ("/tmp",), listens=("9090/tcp",))},
        _HARDENED,
    ),
    _of(
        "probed", "r.example/shop/plain:1.0.0", known=Seen(1000, ("/tmp",), listens=("8080/tcp",)),
        manifests=workload(
            "probed", "r.example/shop/plain:1.0.0",
            "startupProbe: {exec: {command: [busybox, test, -e, /tmp/alive]}, periodSeconds: 1, failureThreshold: 20}\n"
            "readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}\n"
            "livenessProbe: {tcpSocket: {port: 8080}, periodSeconds: 2}\n",
        ),
    ),
    _of(
        "watcher", "r.example/shop/watcher:1.0.0", known=Seen(1000, (), listens=("8080/tcp",), token=True),
        held=(*_ALL, "run-as-non-root", READ_ONLY, "projected-token"),  # it reads the token, and so it gets one
    ),
    # What comes up and does not work.
    _of(
        "visits", "r.example/shop/visits:1.0.0", "partly", Seen(1000, ("/app",), ("/app",), ("8080/tcp",)),
        held=(*_ALL, "run-as-non-root"), failed={(READ_ONLY,): "main writes to /app, where no volume is"},
    ),
    _of(
        "jail", "r.example/shop/jail:1.0.0", "partly", Seen(0, (), listens=("2121/tcp",)),
        held=(READ_ONLY, "drop-capabilities", "no-privilege-escalation"),
        failed={("run-as-user",): "2121/tcp FTP was answered with 220", ("run-as-non-root",): "root"},
        needs=("SETGID", "SETUID", "SYS_CHROOT"), most_runs=_SILENT,
        doubts=("nobody logged in at 2121/tcp FTP",),
    ),
    _of(
        "beat", "r.example/shop/beat:1.0.0", "partly", held=("drop-capabilities",), needs=("CHOWN",), most_runs=_SILENT,
        failed={
            # The process that gives a file away is gone, or no longer does it.
            ("run-as-user",): "main", ("run-as-non-root",): "root", (READ_ONLY,): "main writes to /app",
        },
    ),
    _of(
        "saves", "r.example/shop/saves:1.0.0", "partly", Seen(1000, ("/app",), ("/app",), ("8080/tcp",)),
        held=(*_ALL, "run-as-non-root"), failed={(READ_ONLY,): "main writes to /app, where no volume is"},
    ),
    _of("uploads", "r.example/shop/uploads:1.0.0", known=Seen(1000, (), listens=("8080/tcp",))),
    _of(
        "letters", "r.example/shop/letters:1.0.0", "partly", Seen(0, (), listens=("8080/tcp",)),
        manifests=workload(
            "letters", "r.example/shop/letters:1.0.0", "volumeMounts: [{name: letters, mountPath: /letters}]\n",
            "initContainers:\n- name: prepare\n  image: r.example/shop/letters:1.0.0\n"
            "  command: [sh, -c, 'chmod 1777 /letters']\n"
            "  volumeMounts: [{name: letters, mountPath: /letters}]\nvolumes: [{name: letters, emptyDir: {}}]\n",
        ),
        exercise=_PUT, needs=("SETGID", "SETUID"),
        failed={("run-as-user",): "", ("run-as-non-root",): "root"},
    ),
    _of(  # what the program would do with its rights nobody saw
        "helped", "r.example/shop/helped:1.0.0", known=Seen(1000, (), listens=("8080/tcp",)),
        held=("drop-capabilities", "seccomp-runtime-default", READ_ONLY, "run-as-non-root"),
        unheld=("no-privilege-escalation",), needs=("NET_BIND_SERVICE",),
    ),
    _of("quiet", "r.example/shop/quiet:1.0.0", known=Seen(1000, ())),
    _of(
        "nightly", "r.example/shop/nightly:1.0.0", "partly", Seen(0, ("/app", "/run"), ("/app",)), held=_ALL,
        failed={(READ_ONLY,): "main writes to /app", ("run-as-user",): "", ("run-as-non-root",): "root"},
    ),
    _of(
        "waits", "r.example/shop/waits:1.0.0", known=Seen(1000, (), listens=("8080/tcp",)),
        doubts=("it waits 600 s",),
    ),
    # What it writes beside the modules of the image it does not need.
    Workload(
        "compiling", workload("compiling", "r.example/shop/compiling:1.0.0"), ("r.example/shop/compiling:1.0.0",),
        "held", {}, _HARDENED,
    ),
)  # fmt: skip
SHORT = ("nginx", "status", "agent", "visits")  # what every run of the tests does
