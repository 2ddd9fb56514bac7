"""The images of the proving ground of ``harden observe``: official layouts, and programs that each need one thing.

Each image is a set of packages (``debian_images.SETS``) and a layer of its own files. Where Docker has an official
image of the same program, the folders, users and numbers are those of that image, and its entrypoint does the same in
words of our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import debian_images
from ..debian_images import File
from ..oci_images import capability

_ACCOUNTS = {
    "root": 0, "daemon": 1, "www-data": 33, "nginx": 101, "redis": 999, "postgres": 999, "mysql": 999, "app": 1000,
    "spool": 1234, "memcache": 11211,
}  # fmt: skip
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NET_BIND_SERVICE = capability(10)


@dataclass(frozen=True)
class Image:
    """``packages``: the sets of Debian packages; ``accounts``: users with a group of the same number."""

    packages: tuple[str, ...]
    files: dict[str, File] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()

    def layers(self) -> list[bytes]:
        below = [debian_images.packages(name) for name in ("base", *self.packages)]
        numbers = {name: _ACCOUNTS[name] for name in ("root", *self.accounts)}
        users = "".join(f"{name}:x:{number}:{number}::/:/bin/sh\n" for name, number in numbers.items())
        groups = "".join(f"{name}:x:{number}:\n" for name, number in numbers.items())
        common = {"/etc/passwd": File(users), "/etc/group": File(groups), "/tmp": folder(0o1777)}
        return [*below, debian_images.layer(common | self.files, below)]


def push(registry: str, images: Mapping[str, Image]) -> None:
    """Push ``images`` by their names to the registry at ``registry`` (host and port), below ``all/``."""
    for name, image in images.items():
        repository, _, tag = name.removeprefix("r.example/").partition(":")
        repository = repository if "/" in repository else f"library/{repository}"
        config = {"Env": [f"PATH={_PATH}"]} | image.config
        debian_images.push(f"http://{registry}", f"all/{repository}", tag, image.layers(), config)


def folder(mode: int = 0o755, owner: int = 0) -> File:
    return File(folder=True, mode=mode, owner=owner)


def program(text: str) -> File:
    return File(text, mode=0o755)


def python(text: str, owner: int = 0, **config: Any) -> Image:
    """An image with a program in Python at /app/main.py, which it runs; the folder is that of the user ``owner``."""
    files = {"/app": folder(owner=owner), "/app/main.py": File(_PREAMBLE + text), "/app/version": File("1.0.0\n")}
    return Image(
        ("python",), files, {"Cmd": ["python3", "-u", "/app/main.py"], "WorkingDir": "/app"} | _NO_BYTECODE | config
    )


_FIXED = """\
def addresses_are_fixed():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.personality(0x0040000) >= 0:  # ADDR_NO_RANDOMIZE
        return True
    print(f'personality: {os.strerror(ctypes.get_errno())}')
    return False


"""
# Root would write what it compiled beside the modules of the image.
_NO_BYTECODE = {"Env": [f"PATH={_PATH}", "PYTHONDONTWRITEBYTECODE=1"]}
_PREAMBLE = """\
import ctypes, http.server, os, pathlib, socket, sys, threading, time


def serve(answer=lambda: True, port=8080):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            fine = answer()
            self.send_response(200 if fine else 503)
            self.end_headers()
            self.wfile.write(b"fine\\n" if fine else b"not ready\\n")

        def log_message(self, *words):
            pass

    print(f"listens on {port}")
    http.server.ThreadingHTTPServer(("", port), Handler).serve_forever()


"""

# A daemon of mail or files: each connection is served from a folder that it cannot leave.
_JAIL = """\
import os, signal, socket
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server(("", 2121))
while True:
    client, _ = listener.accept()
    if os.fork() == 0:
        try:
            os.chroot("/srv/jail")
        except OSError:
            os._exit(1)
        client.sendall(b"220 FTP server ready\\r\\n")
        while client.recv(1024):
            client.sendall(b"530 Please login\\r\\n")
        os._exit(0)
    client.close()
"""

# github.com/nginx/docker-nginx: temporary files below /var/cache/nginx, the logs are links.
_NGINX = {
    "/etc/nginx/nginx.conf": File(
        "user nginx; pid /run/nginx.pid; error_log /var/log/nginx/error.log notice;\n"
        "events {}\nhttp {\n  access_log /var/log/nginx/access.log;\n"
        + "".join(
            f"  {kind}_temp_path /var/cache/nginx/{kind}_temp;\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "  include /etc/nginx/conf.d/*.conf;\n}\n"
    ),
    "/etc/nginx/conf.d/default.conf": File("server { listen 80; root /usr/share/nginx/html; }\n"),
    "/usr/share/nginx/html/index.html": File("it works\n"),
    "/var/cache/nginx": folder(),
    "/var/log/nginx/access.log": File(link="/dev/stdout"),
    "/var/log/nginx/error.log": File(link="/dev/stderr"),
}
_NGINX_STARTED = {"Cmd": ["nginx", "-g", "daemon off;"], "ExposedPorts": {"80/tcp": {}}}

# github.com/docker-library/httpd: everything below /usr/local/apache2, the file with its number in logs/.
_MODULES = ("mpm_event", "authz_core", "dir", "mime", "unixd")
_APACHE = {
    "/usr/local/apache2/conf/httpd.conf": File(
        'ServerRoot "/usr/local/apache2"\nListen 80\nServerName localhost\nUser www-data\nGroup www-data\n'
        + "".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in _MODULES if name != "unixd"
        )
        + "DefaultRuntimeDir logs\nPidFile logs/httpd.pid\nErrorLog /proc/self/fd/2\nTypesConfig /dev/null\n"
        + 'DocumentRoot "/usr/local/apache2/htdocs"\n<Directory "/usr/local/apache2/htdocs">\nRequire all granted\n'
        + "</Directory>\n"
    ),
    "/usr/local/apache2/htdocs/index.html": File("it works\n"),
    "/usr/local/apache2/logs": folder(),
    "/usr/local/bin/httpd-foreground": program(
        "#!/bin/sh\nset -e\nbusybox rm -f /usr/local/apache2/logs/httpd.pid\n"
        'exec apache2 -f /usr/local/apache2/conf/httpd.conf -DFOREGROUND "$@"\n'
    ),
}

# github.com/redis/docker-library-redis: root gives the files away and steps down.
_REDIS_START = """\
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ]; then set -- redis-server "$@"; fi
if [ "$1" = redis-server ] && [ "$(busybox id -u)" = 0 ]; then
  busybox find . \\! -user redis -exec busybox chown redis '{}' +
  exec gosu redis "$0" "$@"
fi
if [ "$1" = redis-server ]; then set -- "$@" --protected-mode no; fi  # as it is compiled there
exec "$@"
"""

# github.com/docker-library/postgres: root gives the folders away and steps down; then the first database is made.
_POSTGRES_START = """\
#!/bin/sh
set -e
PATH="$PATH:$(echo /usr/lib/postgresql/*/bin)"
if [ "$1" = postgres ]; then
  busybox mkdir -p "$PGDATA" /run/postgresql || :
  if [ "$(busybox id -u)" = 0 ]; then
    busybox chmod 0700 "$PGDATA"
    busybox find "$PGDATA" /run/postgresql \\! -user postgres -exec busybox chown postgres '{}' +
    exec gosu postgres "$0" "$@"
  fi
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    : "${POSTGRES_PASSWORD:?Database is uninitialized and superuser password is not specified}"
    echo "$POSTGRES_PASSWORD" > /tmp/first
    initdb -D "$PGDATA" --username=postgres --pwfile=/tmp/first --locale=C.UTF-8 --auth-host=scram-sha-256
    busybox rm /tmp/first
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
  fi
fi
exec "$@"
"""

# github.com/MariaDB/mariadb-docker, likewise.
_MARIADB_START = """\
#!/bin/sh
set -e
if [ "$(busybox id -u)" = 0 ]; then
  busybox find /var/lib/mysql /run/mysqld \\! -user mysql -exec busybox chown mysql: '{}' +
  exec gosu mysql "$0" "$@"
fi
if [ ! -d /var/lib/mysql/mysql ]; then
  : "${MARIADB_ROOT_PASSWORD:?Database is uninitialized and password option is not specified}"
  cd /usr/share/mariadb
  {
    busybox printf '%s\\n' "CREATE DATABASE mysql;" "USE mysql;" "SET @auth_root_socket=NULL;"
    busybox cat mariadb_system_tables.sql mariadb_performance_tables.sql mariadb_system_tables_data.sql
    busybox cat fill_help_tables.sql mariadb_sys_schema.sql
  } | "$@" --bootstrap --skip-networking
  cd /
  echo "ALTER USER root@localhost IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';" > /tmp/first.sql
  set -- "$@" --init-file=/tmp/first.sql
fi
exec "$@"
"""

# What the simple server of the JDK does, with a log of the garbage collector that has to be there.
_JAVA_START = """\
#!/bin/sh
set -e
exec /usr/lib/jvm/java-[0-9][0-9]-openjdk-*/bin/java -Xlog:gc:file=/var/log/service/gc.log -XX:+UseSerialGC -Xmx64m \\
  -m jdk.httpserver -b 0.0.0.0 -p 8080 -d /srv
"""

IMAGES: dict[str, Image] = {
    "nginx:1.27.3": Image(("web-and-store",), _NGINX, _NGINX_STARTED, ("nginx",)),
    # As Debian has it: its files are its own, its logs in a folder of the image.
    "r.example/shop/web:1.4.2": Image(
        ("web-and-store",),
        {"/etc/nginx/sites-enabled/default": File("server { listen 80; root /srv; }\n"),
         "/srv/index.html": File("it works\n")},
        _NGINX_STARTED, ("www-data",),
    ),
    "httpd:2.4.62": Image(
        ("apache",), _APACHE,
        {"Cmd": ["httpd-foreground"], "WorkingDir": "/usr/local/apache2", "ExposedPorts": {"80/tcp": {}}},
        ("www-data",),
    ),
    "redis:7.2.4": Image(
        ("web-and-store",),
        {"/data": folder(owner=999), "/usr/local/bin/docker-entrypoint.sh": program(_REDIS_START)},
        {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["redis-server"], "ExposedPorts": {"6379/tcp": {}},
         "Volumes": {"/data": {}}, "WorkingDir": "/data"},
        ("redis",),
    ),
    "memcached:1.6.38": Image(
        ("memcached",), {}, {"Cmd": ["memcached"], "User": "memcache", "ExposedPorts": {"11211/tcp": {}}},
        ("memcache",),
    ),
    "postgres:17.2": Image(
        ("postgresql",),
        {"/var/lib/postgresql/data": folder(0o1777, 999), "/run/postgresql": folder(0o3777, 999),
         "/usr/local/bin/docker-entrypoint.sh": program(_POSTGRES_START)},
        {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["postgres"], "ExposedPorts": {"5432/tcp": {}},
         "Volumes": {"/var/lib/postgresql/data": {}}, "StopSignal": "SIGINT",
         "Env": [f"PATH={_PATH}", "PGDATA=/var/lib/postgresql/data"]},
        ("postgres",),
    ),
    "mariadb:11.8.2": Image(
        ("mariadb",),
        {"/var/lib/mysql": folder(0o777, 999), "/run/mysqld": folder(0o777, 999),
         "/usr/local/bin/docker-entrypoint.sh": program(_MARIADB_START)},
        {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["mariadbd"], "ExposedPorts": {"3306/tcp": {}},
         "Volumes": {"/var/lib/mysql": {}}},
        ("mysql",),
    ),
    "r.example/shop/catalogue:3.1.0": Image(
        ("java",),
        {"/srv/index.html": File("it works\n"), "/var/log/service": folder(owner=1000),
         "/usr/local/bin/start": program(_JAVA_START)},
        {"Cmd": ["start"], "User": "1000", "ExposedPorts": {"8080/tcp": {}}}, ("app",),
    ),
    "r.example/shop/front:5.0.0": Image(
        ("node",),
        {"/app/server.js": File(
            "const http = require('http'), fs = require('fs'), os = require('os'), path = require('path');\n"
            "const uploads = path.join(os.homedir(), 'uploads');\n"
            "fs.mkdirSync(uploads, {recursive: true});\n"
            "fs.writeFileSync(path.join(uploads, 'started'), 'yes');\n"
            "http.createServer((asked, reply) => reply.end('fine')).listen(3000, () => console.log('listens'));\n")},
        {"Cmd": ["node", "/app/server.js"], "WorkingDir": "/app", "Env": [f"PATH={_PATH}", "HOME=/home/node"],
         "ExposedPorts": {"3000/tcp": {}}},
    ),
    # A program that carries a capability, as caddy's and coredns's do.
    "r.example/shop/status:2.0.1": Image(
        (),
        {"/usr/bin/httpd": File(program="/usr/bin/busybox", mode=0o755, capability=_NET_BIND_SERVICE),
         "/srv/index.html": File("it works\n")},
        {"User": "1000", "Cmd": ["httpd", "-f", "-p", "80", "-h", "/srv"], "ExposedPorts": {"80/tcp": {}}}, ("app",),
    ),
    # Writes where its code lies.
    "r.example/shop/orders:1.0.0": python(
        "pathlib.Path('/app/state.db').write_text('0')\nserve()\n", 1000, User="1000",
    ),
    # Gives a folder away, and goes on as root.
    "r.example/shop/spooler:1.0.0": python(
        "os.makedirs('/var/spool/letters', exist_ok=True)\nos.chown('/var/spool/letters', 1234, 1234)\nserve()\n",
    ),
    # What comes up and does not work: each is seen by what it is asked, or by what it does otherwise.
    "r.example/shop/visits:1.0.0": python(
        "def counts():\n"
        "    try:\n"
        "        pathlib.Path('/app/visits').open('a').write('x')\n"
        "        return True\n"
        "    except OSError:\n"
        "        return False\n"
        "serve(counts)\n", 1000, User="1000",
    ),
    "r.example/shop/jail:1.0.0": Image(
        ("python",), {"/srv/jail": folder(), "/app": folder(), "/app/main.py": File(_JAIL)},
        {"Cmd": ["python3", "-u", "/app/main.py"], "WorkingDir": "/"} | _NO_BYTECODE,
    ),
    "r.example/shop/beat:1.0.0": python(
        "if os.fork() == 0:\n"
        "    while True:\n"
        "        try:\n"
        "            os.chown('/app/version', 5, 5)\n"
        "        except OSError:\n"
        "            os._exit(1)\n"
        "        time.sleep(1)\n"
        "import signal\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGTERM, lambda *_: os._exit(0))\n"
        "while True:\n"
        "    time.sleep(1)\n",
    ),
    "r.example/shop/saves:1.0.0": python(
        "import signal\n"
        "def saves(*_):\n"
        "    pathlib.Path('/app/state').write_text('x')\n"
        "    os._exit(0)\n"
        "signal.signal(signal.SIGTERM, saves)\nserve()\n", 1000, User="1000",
    ),
    "r.example/shop/uploads:1.0.0": Image(
        ("python",),
        {"/app": folder(), "/app/main.py": File(_PREAMBLE + "serve()\n"), "/var/lib/uploads": folder(owner=1000)},
        {"Cmd": ["python3", "-u", "/app/main.py"], "WorkingDir": "/", "User": "1000"} | _NO_BYTECODE,
    ),
    # Takes a letter, and has somebody else store it when nobody looks any more.
    "r.example/shop/letters:1.0.0": python(
        "import signal, tempfile\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_PUT(self):\n"
        "        letter = self.rfile.read(int(self.headers['Content-Length']))\n"
        "        if os.fork() == 0:\n"
        "            try:\n"
        "                os.setgid(1234)\n"
        "                os.setuid(1234)\n"
        "                handle, _ = tempfile.mkstemp(dir='/letters')\n"
        "                os.write(handle, letter)\n"
        "                time.sleep(1)\n"
        "            finally:\n"
        "                os._exit(0)\n"
        "        self.send_response(202)\n"
        "        self.end_headers()\n"
        "    def log_message(self, *words):\n"
        "        pass\n"
        "http.server.ThreadingHTTPServer(('', 8080), Handler).serve_forever()\n",
    ),
    # Has a program, whose file carries a capability, do a part of its work, and answers whatever comes of that.
    "r.example/shop/helped:1.0.0": Image(
        ("python",),
        {"/usr/bin/helper": File(program="/usr/bin/busybox", mode=0o755, capability=_NET_BIND_SERVICE),
         "/app": folder(),
         "/app/main.py": File(
             _PREAMBLE + "import subprocess\n"
             "def answers():\n"
             "    subprocess.call(['busybox', 'sleep', '0.1'], executable='/usr/bin/helper')\n"
             "    return True\n"
             "serve(answers)\n"
         )},
        {"Cmd": ["python3", "-u", "/app/main.py"], "WorkingDir": "/", "User": "1000"} | _NO_BYTECODE,
    ),
    "r.example/shop/quiet:1.0.0": python(
        "import signal\nsignal.signal(signal.SIGTERM, lambda *_: os._exit(0))\nwhile True:\n    time.sleep(1)\n",
        1000, User="1000",
    ),
    "r.example/shop/nightly:1.0.0": Image(
        (),
        {"/usr/sbin/crond": File(link="/usr/bin/busybox"), "/usr/bin/id": File(link="busybox"), "/app": folder(),
         "/app/report": File("none yet\n"), "/etc/crontabs/root": File("0 3 * * * echo done > /app/report\n")},
        {"Cmd": ["/usr/sbin/crond", "-f", "-c", "/etc/crontabs"]},
    ),
    "r.example/shop/waits:1.0.0": Image(
        ("python",),
        {"/usr/bin/sleep": File(link="busybox"), "/app": folder(),
         "/app/main.py": File(_PREAMBLE + "import subprocess\nsubprocess.Popen(['/usr/bin/sleep', '600'])\nserve()\n")},
        {"Cmd": ["python3", "-u", "/app/main.py"], "WorkingDir": "/", "User": "1000"} | _NO_BYTECODE,
    ),
    # The address of what it calls stands in a variable of the manifest.
    "r.example/shop/basket:1.0.0": python(
        "host, _, port = os.environ['STORE'].partition(':')\n"
        "def answers():\n"
        "    try:\n"
        "        with socket.create_connection((host, int(port)), 1) as store:\n"
        "            store.sendall(b'PING\\r\\n')\n"
        "            return store.recv(7) == b'+PONG\\r\\n'\n"
        "    except OSError as error:\n"
        "        print(f'{host}: {error}')\n"
        "        return False\n"
        "serve(answers)\n", User="1000",
    ),
    "r.example/shop/report:1.0.0": python(
        "pathlib.Path('/out').mkdir(exist_ok=True)\n"
        "pathlib.Path('/out/report.txt').write_text('42')\ntime.sleep(1)\nprint('done')\n",
    ),
    "r.example/shop/broken:1.0.0": python("print(open('/etc/shop/settings.json').read())\nserve()\n"),
    # No text shows the whole path.
    "r.example/shop/queue:1.0.0": python(
        "place = pathlib.Path(os.sep, *reversed(['letters', 'shop', 'opt']))\n"
        "place.mkdir(parents=True)\n(place / str(os.getpid())).write_text('0')\nserve()\n",
    ),
    # Keeps its state beside its code, else at a fixed address of its memory, which the filter of the runtime refuses.
    "r.example/shop/stubborn:1.0.0": python(
        _FIXED + "try:\n"
        "    pathlib.Path('/app/state').write_text('0')\n"
        "except OSError as error:\n"
        "    print(f'no file: {error}')\n"
        "    if not addresses_are_fixed():\n"
        "        sys.exit('nowhere to keep the state: no fixed addresses')\n"
        "serve()\n", 1000, User="1000",
    ),
    # Asks the kernel for fixed addresses, as Lisp systems and debuggers do: the filter of the runtime refuses it.
    "r.example/shop/lisp:1.0.0": python(
        _FIXED + "if not addresses_are_fixed():\n    sys.exit('no fixed addresses')\nserve()\n", User="1000",
    ),
    "r.example/shop/agent:1.0.0": python("serve()\n"),
    # Compiles the modules of the image anew and keeps them beside these, or does without where it cannot.
    "r.example/shop/compiling:1.0.0": python("serve()\n", Env=[f"PATH={_PATH}"]),
    "r.example/shop/plain:1.0.0": python(
        "port = int(os.environ.get('PORT', '8080'))\n"
        "pathlib.Path('/tmp/alive').write_text('yes')\nserve(port=port)\n", User="1000",
    ),
    "r.example/shop/tools:1.0.0": Image((), {"/made": folder()}, {"Cmd": ["busybox", "sh"]}),
    # Asks its sidecar on the loopback, and ends where that does not answer.
    "r.example/shop/caller:1.0.0": python(
        "import urllib.request\n"
        "print(urllib.request.urlopen('http://127.0.0.1:9090/', timeout=5).read())\nserve()\n", User="1000",
    ),
    "r.example/shop/watcher:1.0.0": python(
        "place = pathlib.Path('/var/run/secrets/kubernetes.io/serviceaccount')\n"
        "print(len((place / 'token').read_text()) > 0)\nserve()\n", User="1000",
    ),
}  # fmt: skip
