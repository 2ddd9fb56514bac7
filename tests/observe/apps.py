"""Images for the applications beside the repository, of packages of Debian, laid out as their Dockerfiles say.

Where a program needs what no package has, something stands in for it that looks the same from outside: it runs as the
same user in the same folder, listens where the Dockerfile says, writes where the program is known to write, answers the
probes, and calls what the environment or the source names. ``Part`` says which it is, for each image.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from .. import debian_images
from ..conftest import SHARED
from ..debian_images import File
from .images import IMAGES, Image, folder, program

APPS = SHARED / "apps"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GO = Path(__file__).with_name("stand_in.go")
_USERS = "root:x:0:0::/root:/sbin/nologin\nnobody:x:65534:65534::/nonexistent:/sbin/nologin\n"


@dataclass(frozen=True)
class Part:
    """An image. ``own``: it runs the program that the Dockerfile names; ``but``: what is not as there, beside the
    distribution; ``binaries``: paths of the static program, each with what the linker sets; ``bare``: without any
    package."""

    image: Image
    but: str = ""
    binaries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    bare: bool = False
    own: bool = False

    def layers(self) -> list[bytes]:
        """Its layers, the lowest first."""
        if self.bare:
            common = {"/etc/passwd": File(_USERS), "/tmp": folder(0o1777)}
            below = [debian_images.layer(common | self.image.files, [])]
        else:
            below = self.image.layers()
        built = {path: _built(tuple(sorted(told.items()))) for path, told in self.binaries.items()}
        return [*below, _layer(built)] if built else below


@dataclass(frozen=True)
class App:
    """An application: the folder of it, the path of its manifests there, and its images by their names."""

    folder: Path
    manifests: str
    parts: Mapping[str, Part]


@cache
def _built(told: tuple[tuple[str, str], ...]) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        words = " ".join(f"-X main.{name}={value}" for name, value in told)
        made = Path(place) / "made"
        subprocess.run(
            ["go", "build", "-ldflags", f"-s -w {words}", "-o", made, _GO],
            env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}, check=True, cwd=place,
        )  # fmt: skip
        return made.read_bytes()


def _layer(files: Mapping[str, bytes]) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as found:
        for path, content in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.mode, member.size = 0o755, len(content)
            found.addfile(member, io.BytesIO(content))
    return into.getvalue()


def _source(name: str) -> str:
    return (APPS / name).read_text(encoding="utf-8")


def _applets(*names: str) -> dict[str, File]:
    return {f"/usr/bin/{name}": File(link="busybox") for name in names}


def _config(**config: Any) -> dict[str, Any]:
    env = config.pop("Env", [])
    ports: dict[str, Any] = {f"{port}/tcp": {} for port in config.pop("ports", ())}
    return {"Env": [_PATH, *env]} | ({"ExposedPorts": ports} if ports else {}) | config


# The voting application.

_VOTE_PAGE = (
    "<!doctype html>\n<title>{{option_a}} vs {{option_b}}</title>\n<form method=POST>"
    "<button name=vote value=a>{{option_a}}</button><button name=vote value=b>{{option_b}}</button></form>"
    "{{hostname}}\n"
)
# A runtime of .NET puts a socket and a pipe for debuggers there, and goes on where it cannot.
_WORKER = """\
import os, pathlib, socket, sys, time
import psycopg2, redis

try:
    debugger = socket.socket(socket.AF_UNIX)
    debugger.bind(f'/tmp/dotnet-diagnostic-{os.getpid()}-1-socket')
    os.mkfifo(f'/tmp/clr-debug-pipe-{os.getpid()}-1-in')
except OSError as error:
    print(f'no debugger: {error}')
while True:
    try:
        database = psycopg2.connect('host=db user=postgres password=postgres')
        break
    except psycopg2.OperationalError:
        print('Waiting for db')
        time.sleep(1)
print('Connected to db')
database.autocommit = True
database.cursor().execute(
    'CREATE TABLE IF NOT EXISTS votes (id VARCHAR(255) NOT NULL UNIQUE, vote VARCHAR(255) NOT NULL)'
)
store = redis.Redis(host='redis')
while True:
    time.sleep(0.1)
    try:
        store.lpop('votes')
    except redis.exceptions.ConnectionError:
        print('Waiting for redis')
        time.sleep(1)
    database.cursor().execute('SELECT 1')
"""
_ENTRYPOINT = "the entrypoint is in words of our own"
_REDIS = Part(IMAGES["redis:7.2.4"], _ENTRYPOINT, own=True)
_NO_SOCKETS = "module.exports = () => ({ on() {}, sockets: { emit() {} } });\n"


def _postgres() -> Image:
    """As it is on Alpine: the number of its user is another."""
    found = IMAGES["postgres:17.2"]
    start = found.files["/usr/local/bin/docker-entrypoint.sh"]
    files = {
        "/var/lib/postgresql/data": folder(0o1777, 70), "/run/postgresql": folder(0o3777, 70),
        "/usr/local/bin/docker-entrypoint.sh": start,
        "/etc/passwd": File("root:x:0:0::/root:/bin/sh\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\n"),
        "/etc/group": File("root:x:0:\npostgres:x:70:\n"),
    }  # fmt: skip
    return replace(found, files=files, accounts=())


def _voting_app() -> App:
    vote = Image(
        ("flask",),
        {"/usr/local/app": folder(), "/usr/local/app/app.py": File(_source("voting-app/vote/app.py")),
         "/usr/local/app/templates/index.html": File(_VOTE_PAGE)},
        _config(
            Cmd=["gunicorn", "app:app", "-b", "0.0.0.0:80", "--log-file", "-", "--access-logfile", "-", "--workers",
                 "4", "--keep-alive", "0"],
            WorkingDir="/usr/local/app", ports=(80,),
        ),
    )  # fmt: skip
    result = Image(
        ("express",),
        {"/usr/local/app/server.js": File(_source("voting-app/result/server.js")),
         "/usr/local/app/views/app.js": File(_source("voting-app/result/views/app.js")),
         "/usr/local/app/node_modules/socket.io/index.js": File(_NO_SOCKETS),
         "/node_modules": File(link="/usr/share/nodejs")},
        _config(
            Entrypoint=["/usr/bin/tini", "--"], Cmd=["node", "server.js"], Env=["PORT=80"],
            WorkingDir="/usr/local/app", ports=(80,),
        ),
    )  # fmt: skip
    worker = Image(
        ("python-clients",), {"/app/worker.py": File(_WORKER)},
        _config(Entrypoint=["python3", "-u", "worker.py"], WorkingDir="/app", Env=["PYTHONDONTWRITEBYTECODE=1"]),
    )  # fmt: skip
    return App(
        APPS / "voting-app", "k8s-specifications",
        {
            "dockersamples/examplevotingapp_vote": Part(vote, "templates/ is a page of our own", own=True),
            "dockersamples/examplevotingapp_result": Part(
                result, "socket.io does nothing: no package has it", own=True
            ),
            "dockersamples/examplevotingapp_worker": Part(
                Image(worker.packages, worker.files, worker.config), "Python for .NET; queries as the source has them"
            ),
            "redis:alpine": _REDIS,
            "postgres:15-alpine": Part(_postgres(), _ENTRYPOINT, own=True),
        },
    )  # fmt: skip


# The store of pets.

# What the first of the scripts of the official image tries, before it finds a file that is not its own.
_NGINX_ENTRY = """\
#!/bin/sh
set -e
if ! busybox touch /etc/nginx/conf.d/default.conf 2>/dev/null; then
  echo "can not modify /etc/nginx/conf.d/default.conf (read-only file system?)"
fi
exec "$@"
"""
_RABBITMQ_ENTRY = """\
#!/bin/sh
set -e
if [ "$1" = rabbitmq-server ] && [ "$(busybox id -u)" = 0 ]; then
  busybox find /var/lib/rabbitmq \\! -user app -exec busybox chown app '{}' +
  exec gosu app "$0" "$@"
fi
busybox mkdir -p /var/lib/rabbitmq/mnesia
echo "$RABBITMQ_DEFAULT_USER" > /var/lib/rabbitmq/mnesia/users
[ -e /var/lib/rabbitmq/.erlang.cookie ] || (umask 077; echo cookie > /var/lib/rabbitmq/.erlang.cookie)
exec "$@"
"""
# github.com/documentdb/documentdb, scripts/emulator_entrypoint.sh: its folders are made by sudo; without them no
# database starts.
_DOCUMENTDB_ENTRY = """\
#!/bin/sh
sudo busybox mkdir -p /var/log/documentdb/postgres
sudo busybox chown -R documentdb:documentdb /var/log/documentdb
if [ ! -d "$DATA_PATH" ]; then sudo busybox mkdir -p "$DATA_PATH"; fi
sudo busybox chown -R documentdb:documentdb "$DATA_PATH"
echo started | busybox tee -a /var/log/documentdb/gateway_entrypoint.log
# As initdb does, which makes a folder its own.
if ! busybox chmod 0700 "$DATA_PATH" || ! echo 17 > "$DATA_PATH/PG_VERSION"; then
  echo "PostgreSQL failed to start."
  exit 1
fi
echo '{}' > /home/documentdb/gateway/SetupConfiguration_temp.json
exec /home/documentdb/gateway/documentdb_gateway
"""
_PAM = "auth sufficient pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
_ORDERS = """\
const http = require('http'), net = require('net');
const connect = () => net.connect(process.env.ORDER_QUEUE_PORT, process.env.ORDER_QUEUE_HOSTNAME)
  .on('connect', () => console.log('connected to RabbitMQ'))
  .on('error', error => console.error('failed to initialize RabbitMQ connection:', error.message))
  .on('close', () => setTimeout(connect, 1000));
connect();
http.createServer((asked, reply) => reply.end('{"status":"ok"}'))
  .listen(3000, process.env.FASTIFY_ADDRESS, () => console.log('Server listening'));
"""
_ORDERS_PACKAGE = '{"name": "order-service", "version": "1.0.0", "scripts": {"start": "node app.js"}}\n'
# The busybox of Debian has another nc than that of Docker's image.
_NC = """\
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
exec busybox nc -w 2 "$1" "$2" -e busybox true
"""


def _store(name: str, port: int) -> Part:
    official = IMAGES["nginx:1.27.3"]
    files = {
        "/etc/nginx/conf.d/nginx.conf.template": File(_source(f"aks-store-demo/src/{name}/nginx.conf")),
        "/etc/nginx/conf.d/default.conf": File(
            _source(f"aks-store-demo/src/{name}/nginx.conf").replace("${APP_VERSION}", "0.1.0")
        ),
        "/docker-entrypoint.sh": program(_NGINX_ENTRY),
    }
    config = official.config | {
        "Entrypoint": ["/docker-entrypoint.sh"], "Env": [_PATH, "APP_VERSION=0.1.0"],
        "ExposedPorts": {"80/tcp": {}, f"{port}/tcp": {}},
    }  # fmt: skip
    image = replace(official, files=official.files | files, config=config)
    return Part(image, f"{_ENTRYPOINT}, and it has no pages", own=True)


def _debian(name: str, port: str) -> Part:
    """A program of Rust on debian:bookworm-slim."""
    config = _config(Cmd=[f"./{name}"], WorkingDir="/app", Env=["APP_VERSION=0.1.0"])
    return Part(Image((), _applets("cat"), config), "a static binary for one of Rust", {f"/app/{name}": {"port": port}})


def _aks_store_demo() -> App:
    here = "ghcr.io/azure-samples/aks-store-demo"
    orders = Image(
        ("npm",),
        {
            "/app/package.json": File(_ORDERS_PACKAGE),
            "/app/app.js": File(_ORDERS),
            "/root": folder(0o700),
            **_applets("env"),
        },
        _config(Cmd=["npm", "start"], WorkingDir="/app", Env=["APP_VERSION=0.1.0", "HOME=/root"], ports=(3000,)),
    )
    makeline = Image((), {}, _config(Cmd=["./main"], WorkingDir="/", Env=["APP_VERSION=0.1.0"], ports=(3001,)))
    rabbitmq = Image(
        (),
        {"/var/lib/rabbitmq": folder(0o1777, 1000),
         "/usr/local/bin/docker-entrypoint.sh": program(_RABBITMQ_ENTRY)},
        _config(
            Entrypoint=["docker-entrypoint.sh"], Cmd=["rabbitmq-server"], Volumes={"/var/lib/rabbitmq": {}},
            ports=(4369, 5671, 5672, 15672),
        ), ("app",),
    )  # fmt: skip
    documentdb = Image(
        ("sudo",),
        {"/usr/local/bin/start": program(_DOCUMENTDB_ENTRY), "/home/documentdb": folder(0o750, 1000),
         "/home/documentdb/gateway": folder(owner=1000),
         "/home/documentdb/gateway/scripts": folder(owner=1000), "/etc/pam.d/sudo": File(_PAM),
         "/etc/sudoers": File("root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440),
         "/etc/passwd": File("root:x:0:0::/root:/bin/sh\ndocumentdb:x:1000:1000::/home/documentdb:/bin/sh\n"),
         "/etc/group": File("root:x:0:\nsudo:x:27:documentdb\ndocumentdb:x:1000:\n")},
        _config(
            Entrypoint=["/usr/local/bin/start"], User="documentdb", WorkingDir="/home/documentdb/gateway/scripts",
            Env=["DATA_PATH=/data", "DOCUMENTDB_PORT=10260"],
        ),
    )  # fmt: skip
    return App(
        APPS / "aks-store-demo", "aks-store-all-in-one.yaml",
        {
            f"{here}/store-front:2.2.0": _store("store-front", 8080),
            f"{here}/store-admin:2.2.0": _store("store-admin", 8081),
            f"{here}/order-service:2.2.0": Part(
                orders, "a program of our own for npm and Node.js: no package has fastify"
            ),
            f"{here}/makeline-service:2.2.0": Part(
                makeline, "a static binary", {"/main": {"port": "3001"}}
            ),
            f"{here}/product-service:2.2.0": _debian("product-service", "3002"),
            f"{here}/virtual-customer:2.2.0": _debian("virtual-customer", "-"),
            f"{here}/virtual-worker:2.2.0": _debian("virtual-worker", "-"),
            "rabbitmq:4.3.2-management-alpine": Part(
                rabbitmq, "a static binary for the server; the entrypoint in words of our own",
                {"/usr/bin/rabbitmq-server": {"port": "5672", "more": "15672"}},
            ),
            "ghcr.io/documentdb/documentdb/documentdb-local:pg17-0.112.0": Part(
                documentdb, "a static binary for the gateway, no database; sudo and what the entrypoint asks of it",
                {"/home/documentdb/gateway/documentdb_gateway": {"port": "10260"}},
            ),
            "busybox:1.37.0": _BUSYBOX,
        },
    )  # fmt: skip


# A shell of busybox would take its own nc.
_BUSYBOX = Part(
    Image(
        ("dash",),
        _applets("awk", "cat", "nslookup", "seq", "sleep", "wget")
        | {"/usr/bin/nc": program(_NC), "/usr/bin/sh": File(link="dash")},
        _config(Cmd=["sh"]),
    ), "sh is dash and nc a script: the nc of Debian has no -z", own=True,
)  # fmt: skip


# The boutique.

_GRPC = """\
import concurrent.futures, os, time
import grpc

HEALTH = grpc.method_handlers_generic_handler('grpc.health.v1.Health', {
    'Check': grpc.unary_unary_rpc_method_handler(lambda request, context: bytes([8, 1])),
})
server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=10))
server.add_generic_rpc_handlers((HEALTH,))
port = os.environ.get('PORT', '8080')
server.add_insecure_port('[::]:' + port)
server.start()
print('listening on port: ' + port)
catalog = os.environ.get('PRODUCT_CATALOG_SERVICE_ADDR')
if catalog:
    channel = grpc.insecure_channel(catalog)
    ask = channel.unary_unary('/grpc.health.v1.Health/Check', lambda text: text, lambda text: text)
while True:
    time.sleep(1)
    if catalog:
        try:
            ask(b'', timeout=2)
        except grpc.RpcError as error:
            print(f'{catalog}: {error.code()}')
"""
_GRPC_OF_NODE = """\
const http2 = require('http2');
const server = http2.createServer();
server.on('stream', stream => {
  stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true});
  stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': '0'}));
  stream.resume().on('end', () => stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1])));
});
server.listen(process.env.PORT, '::', () => console.log(`gRPC server started on port ${process.env.PORT}`));
"""
_UNBUFFERED = ["PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"]


def _static(place: str, port: str, *, user: str = "", exposed: int, env: list[str] | None = None) -> Part:
    """A static binary on an image without a distribution."""
    where = place.rpartition("/")[0]
    config = _config(Entrypoint=[place], WorkingDir=where, Env=env or ["GOTRACEBACK=single"], ports=(exposed,))
    files = {where: folder()}
    return Part(
        Image((), files, config | ({"User": user} if user else {})), "a static binary on nothing",
        {place: {"port": port}}, bare=True,
    )  # fmt: skip


def _grpc(place: str, entry: str, port: int) -> Part:
    image = Image(
        ("grpc",), {f"{place}/{entry}": File(_GRPC), "/usr/bin/python": File(link="python3")},
        _config(Entrypoint=["python", entry], WorkingDir=place, Env=_UNBUFFERED, ports=(port,)),
    )  # fmt: skip
    return Part(image, "gRPC of Python with a program of our own: opentelemetry is no package")


def _node(entry: str, port: int) -> Part:
    image = Image(
        ("node",),
        {f"/usr/src/app/{entry}": File(_GRPC_OF_NODE)},
        _config(Entrypoint=["node", entry], WorkingDir="/usr/src/app", ports=(port,)),
    )
    return Part(image, "Node.js with a program of our own: no package has grpc-js")


def _microservices_demo() -> App:
    loads = Image(
        ("locust",),
        {"/loadgen/locustfile.py": File(_source("microservices-demo/src/loadgenerator/locustfile.py")),
         "/etc/ssl/certs/ca-certificates.crt": File(program="/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt")},
        _config(
            Entrypoint=["/bin/sh", "-c", 'locust --host="http://${FRONTEND_ADDR}" --headless -u "${USERS:-10}" '
                        '-r "${RATE:-1}" 2>&1'],
            WorkingDir="/loadgen", Env=[*_UNBUFFERED, "GEVENT_SUPPORT=True"],
        ),
    )  # fmt: skip
    java = _static("/app/build/install/hipstershop/bin/AdService", "9555", exposed=9555)
    parts = {
        "frontend": _static("/src/server", "", exposed=8080),
        "productcatalogservice": _static("/src/server", "", exposed=3550),
        "checkoutservice": _static("/src/checkoutservice", "", exposed=5050),
        "shippingservice": _static("/src/shippingservice", "", exposed=50051, env=["APP_PORT=50051"]),
        "cartservice": _static("/app/cartservice", "7070", user="1000", exposed=7070),
        "adservice": replace(java, but="a static binary for a JVM"),
        "emailservice": _grpc("/email_server", "email_server.py", 8080),
        "recommendationservice": _grpc("/recommendationservice", "recommendation_server.py", 8080),
        "currencyservice": _node("server.js", 7000),
        "paymentservice": _node("index.js", 50051),
        "loadgenerator": Part(loads, own=True),
    }
    here = "us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo"
    return App(
        APPS / "microservices-demo", "release/kubernetes-manifests.yaml",
        {f"{here}/{name}:v0.10.6": part for name, part in parts.items()}
        | {"redis:alpine": _REDIS, "busybox:1.38.0": _BUSYBOX},
    )  # fmt: skip


KNOWN = {
    "voting-app": _voting_app, "aks-store-demo": _aks_store_demo, "microservices-demo": _microservices_demo,
}  # fmt: skip
