"""An application of four workloads whose addresses stand in files of its images: no manifest names one.

``web`` (nginx) passes on to ``api`` (Python), which is ready once ``cache`` (redis) and ``database``
(postgresql) answer.
"""

from __future__ import annotations

from .. import debian_images
from . import images
from .images import IMAGES, Image
from .workloads import Seen, service, workload

_WEB = {
    "/etc/nginx/conf.d/default.conf": debian_images.File(
        "server {\n  listen 8080;\n  location / { proxy_pass http://api:8000; proxy_connect_timeout 1s; }\n}\n"
    )
}
_API = """\
import configparser
addresses = configparser.ConfigParser()
addresses.read('/app/settings.ini')
def asked(name, words, wanted):
    host, _, port = addresses['addresses'][name].partition(':')
    try:
        with socket.create_connection((host, int(port)), 1) as peer:
            peer.settimeout(1)
            peer.sendall(words)
            return peer.recv(16).startswith(wanted)
    except OSError as error:
        print(f'{name}: {error}')
        return False
# The protocol of PostgreSQL: a request for TLS has eight bytes, and N or S for an answer.
def ready():
    cache = asked('cache', b'PING\\r\\n', b'+PONG')
    database = asked('database', bytes([0, 0, 0, 8, 4, 210, 22, 47]), (b'N', b'S'))
    return cache and database
print('ready at start' if ready() else 'not ready at start')
serve(ready, 8000)
"""
_SETTINGS = "[addresses]\ncache = cache:6379\ndatabase = database:5432\n"


def _api() -> Image:
    found = images.python(_API, User="1000")
    return Image(
        found.packages, found.files | {"/app/settings.ini": debian_images.File(_SETTINGS)}, found.config, found.accounts
    )


_OFFICIAL = IMAGES["nginx:1.27.3"]
OWN = {
    "r.example/app/web:1.0.0": Image(_OFFICIAL.packages, _OFFICIAL.files | _WEB, _OFFICIAL.config, _OFFICIAL.accounts),
    "r.example/app/api:1.0.0": _api(),
}
NAMES = (*OWN, "redis:7.2.4", "postgres:17.2")
_READY = "readinessProbe: {{httpGet: {{path: /ready, port: {port}}}, periodSeconds: 1, failureThreshold: 30}}\n"
_DATABASE = """\
env:
- name: POSTGRES_PASSWORD
  valueFrom: {secretKeyRef: {name: database, key: password}}
- name: PGDATA
  value: /var/lib/postgresql/data/pgdata
volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
"""
_CLAIM = """\
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
_SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: database
stringData:
  password: not-a-word-in-any-log
"""
MANIFESTS = {
    "web.yaml": workload("web", "r.example/app/web:1.0.0", _READY.format(port=8080)) + service("web", 80, 8080),
    "api.yaml": workload("api", "r.example/app/api:1.0.0", _READY.format(port=8000)) + service("api", 8000),
    "cache.yaml": workload("cache", "redis:7.2.4") + service("cache", 6379),
    "database.yaml": workload("database", "postgres:17.2", _DATABASE, kind="StatefulSet")
    + _CLAIM + service("database", 5432),
    "database-secret.yaml": _SECRET,
}  # fmt: skip
PORTS = {"web": 8080, "api": 8000, "cache": 6379, "database": 5432}
PAIRS = {("web", "api"), ("api", "cache"), ("api", "database")}
# Nobody of the tree is seen to call the entrance, which tells nothing: its Service stays open to its namespace.
# It has no settings: whom it calls is built into its image, and a run of some seconds need not show all of that.
OPEN = {(name, "web") for name in PORTS if name != "web"} | {("web", "cache"), ("web", "database")}
KNOWN = {
    "web": Seen(0, ("/run", "/var/cache/nginx"), listens=("8080/tcp",), connects=("Service/api:8000",)),
    "api": Seen(1000, (), listens=("8000/tcp",), connects=("Service/cache:6379", "Service/database:5432")),
    "cache": Seen(999, ("/data",), listens=("6379/tcp",)),
    "database": Seen(999, ("/run/postgresql", "/tmp"), listens=("5432/tcp",)),
}
