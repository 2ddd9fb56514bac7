"""Workloads of packages of Debian, each with what is true of it, decided before harden saw it, and a client.

Their images are built from Dockerfiles, as the author of such an image writes them: the scripts of the packages make
the users and folders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from .clients import (
    BY_NETWORK,
    Client,
    all_of,
    appears,
    asks,
    grows,
    http,
    never_prints,
    prints,
    resolves,
    runs,
    says,
)
from .workloads import service, workload

REGISTRY = "r.example/debian"


@dataclass(frozen=True)
class Truth:
    """What of its changes holds. ``user``: whose process serves. ``needs``: the capabilities that it needs where it
    starts as its image says, None where that is more than Pod Security level baseline allows. ``read_only``: whether it
    works with a read-only root, with volumes where the image has no files. ``rootless``: whether it works where it is
    started as another user than root. ``but``: further transforms with which it does not work."""

    user: str
    needs: tuple[str, ...] | None = ()
    read_only: bool = True
    rootless: bool = False
    but: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packaged:
    """``packages`` to install, ``files`` of its image by their paths, ``script`` that is run then, and what it starts.

    ``container`` and ``pod`` are lines of its manifest, ``whole`` all of it. ``beside``: the name of another one whose
    Service it calls. ``kind``: what runs it.
    """

    name: str
    packages: str
    start: tuple[str, ...]
    truth: Truth
    client: Client
    script: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    lines: str = ""  # of its Dockerfile, before CMD
    port: int = 0
    kind: str = "Deployment"
    container: str = ""
    pod: str = ""
    whole: str = ""
    beside: str = ""

    @property
    def image(self) -> str:
        return f"{REGISTRY}/{self.name}:1"

    @property
    def dockerfile(self) -> str:
        """Its Dockerfile, on the image ``base``."""
        found = ["ARG BASE", "FROM $BASE", "ARG DEBIAN_FRONTEND=noninteractive"]
        found += [f"RUN apt-get -qq install -y --no-install-recommends {self.packages}"] if self.packages else []
        found += ["COPY files/ /"] if self.files else []
        found += [f"RUN {self.script}"] if self.script else []
        found += [self.lines] if self.lines else []
        found += [f"EXPOSE {self.port}"] if self.port else []
        return "\n".join([*found, f"CMD {json.dumps(list(self.start))}", ""])

    @property
    def manifest(self) -> str:
        if self.whole:
            return self.whole.replace("IMAGE", self.image)
        container = self.container or (f"ports: [{{containerPort: {self.port}}}]\n" if self.port else "")
        text = workload(self.name, self.image, container, self.pod, self.kind)
        return text + (service(self.name, self.port) if self.port else "")


def _python(text: str) -> dict[str, str]:
    return {"/srv/app/main.py": text}


_BIND, _DROP = ("NET_BIND_SERVICE",), ("SETGID", "SETUID")
_READY = "ports: [{containerPort: PORT}]\nreadinessProbe: {httpGet: {path: /, port: PORT}, periodSeconds: 3}\n"
_NEVER = "restartPolicy: Never\n"
_TASKS = """\
from celery import Celery
app = Celery("t", broker="redis://broker:6379/0")
app.conf.beat_schedule = {"a": {"task": "tasks.add", "schedule": 1.0}}
@app.task
def add():
    open("/work/done.txt", "a").write("x")
"""
_URLS = """\
from django.http import HttpResponse
from django.urls import path
def view(request):
    request.session["a"] = 1
    return HttpResponse("ok")
urlpatterns = [path("", view)]
"""
_HAPROXY = """\
global
  chroot /var/lib/haproxy
  user haproxy
  group haproxy
  stats socket /run/haproxy/admin.sock mode 660
  master-worker
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
frontend f
  bind :80
  http-request return status 200 content-type text/plain string ok
"""
_LATE = """\
#!/bin/sh
cd /
echo ok > /tmp/index.html
busybox httpd -p 8080 -h /tmp
sleep 45
echo rotate
echo x > /var/lib/rotate.state || { echo "cannot write rotate state"; exit 1; }
while :; do sleep 5; done
"""
_PHP_SITE = """\
server {
  listen 80;
  root /var/www/html;
  index index.php;
  client_max_body_size 8m;
  client_body_buffer_size 1k;
  location ~ [.]php$ {
    include fastcgi_params;
    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
    fastcgi_pass unix:/run/php/php-fpm.sock;
  }
}
"""
_PHP_PAGE = """\
<?php
session_start();
$_SESSION["n"] = 1;
if ($_SERVER["REQUEST_METHOD"] == "POST") {
  if (file_put_contents("/var/www/html/uploads/x", file_get_contents("php://input")) === false) http_response_code(500);
}
echo "ok ", session_id();
"""
# From inetd: on its own, vsftpd 3.0.5 of Debian trixie ends with SIGSEGV after a few connections, whatever it may do.
_VSFTPD_INETD = "ftp stream tcp nowait root /usr/sbin/vsftpd vsftpd /etc/vsftpd.conf\n"
_VSFTPD = """\
listen=NO
local_enable=YES
write_enable=YES
chroot_local_user=YES
allow_writeable_chroot=YES
anonymous_enable=NO
secure_chroot_dir=/var/run/vsftpd/empty
pam_service_name=vsftpd
pasv_min_port=30000
pasv_max_port=30005
seccomp_sandbox=NO
"""
# MQTT 3.1.1: connect as "c", clean; subscribe to "t" at most once; publish "w" there, to be kept.
_MQTT = (
    (b"\x10\x0d\0\4MQTT\4\2\0\x3c\0\1c", b"\x20\2\0\0"),
    (b"\x82\6\0\1\0\1t\0", b"\x90\3\0\1\0"),
    (b"\x31\4\0\1tw", b"\1tw"),
)
_FTP_USER = "useradd -m -d /home/ftpuser -s /bin/bash ftpuser && echo ftpuser:secret | chpasswd"

OF_FINDINGS = (
    Packaged(
        "celery", "celery python3-celery python3-redis",
        ("celery", "-A", "tasks", "worker", "-B", "-c", "1", "-l", "INFO"),
        Truth("root", (), read_only=False), grows("/work/done.txt"), files={"/work/tasks.py": _TASKS},
        lines="WORKDIR /work", beside="broker",
    ),
    Packaged(
        "broker", "redis-server", ("redis-server", "--protected-mode", "no", "--dir", "/tmp"),
        Truth("root", (), rootless=True), says(6379, (b"SET a b\r\nGET a\r\nSAVE\r\n", b"+OK\r\n$1\r\nb\r\n+OK")),
        port=6379,
    ),
    Packaged(
        "cron", "cron", ("cron", "-f"), Truth("root; its jobs: www-data", _DROP), appears("/var/www/last.txt"),
        files={"/etc/cron.d/job": "* * * * * www-data date > /var/www/last.txt\n"},
        script="mkdir -p /var/www && chown www-data /var/www",
    ),
    Packaged(
        "django", "python3-django gunicorn",
        ("sh", "-ec", "python3 manage.py migrate --noinput; exec gunicorn -b 0.0.0.0:8000 shop.wsgi"),
        Truth("root", (), read_only=False), http(8000, has="ok"), files={"/urls.py": _URLS},
        script="""cd / && django-admin startproject shop && mv /urls.py /shop/shop/ \
&& sed -i "s/ALLOWED_HOSTS = .*/ALLOWED_HOSTS=['*']/" /shop/shop/settings.py""",
        lines="WORKDIR /shop", port=8000, container=_READY.replace("PORT", "8000"),
    ),
    Packaged(
        "dovecot", "dovecot-imapd", ("dovecot", "-F"),
        Truth("root, dovenull, bob", ("SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT")),
        BY_NETWORK["dovecot"],
        script="""useradd -m bob && echo bob:secret | chpasswd \
&& printf 'log_path = /dev/stderr\\nssl = no\\nauth_allow_cleartext = yes\\n' > /etc/dovecot/conf.d/99-x.conf""",
        port=143,
    ),
    Packaged(
        "haproxy", "haproxy", ("haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"),
        Truth("haproxy", ("SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT")), http(80, has="ok"),
        files={"/etc/haproxy/haproxy.cfg": _HAPROXY}, script="mkdir -p /run/haproxy", port=80,
        container=_READY.replace("PORT", "80"),
    ),
    Packaged(
        "late", "", ("/start.sh",), Truth("root", (), read_only=False), http(8080, "/index.html", has="ok"),
        files={"/start.sh": _LATE}, port=8080,
    ),
    Packaged(
        "mosquitto", "mosquitto", ("/usr/sbin/mosquitto", "-c", "/etc/mosquitto/my.conf"),
        Truth("mosquitto", _DROP, rootless=True), all_of(says(1883, *_MQTT), never_prints("rror saving")),
        files={"/etc/mosquitto/my.conf": "listener 1883\nallow_anonymous true\npersistence true\n"
               "persistence_location /mosquitto/data/\nautosave_interval 30\n"},
        script="mkdir -p /mosquitto/data /mosquitto/log && chown mosquitto: /mosquitto/data /mosquitto/log", port=1883,
    ),
    Packaged(
        "php", "nginx-light php8.4-fpm", ("sh", "-ec", 'php-fpm8.4 -D; exec nginx -g "daemon off;"'),
        Truth("www-data", ("CHOWN", "SETGID", "SETUID", "NET_BIND_SERVICE"), read_only=True),
        all_of(http(80, "/index.php", has="ok"), http(80, "/index.php", "POST", b"x" * 200_000, has="ok")),
        files={"/etc/nginx/conf.d/app.conf": _PHP_SITE, "/var/www/html/index.php": _PHP_PAGE},
        script="""rm -f /etc/nginx/sites-enabled/default && mkdir -p /run/php /var/www/html/uploads \
&& chown www-data /var/www/html/uploads \
&& sed -i 's|^listen = .*|listen = /run/php/php-fpm.sock|' /etc/php/8.4/fpm/pool.d/www.conf""",
        port=80, container="ports: [{containerPort: 80}]\nlivenessProbe: {tcpSocket: {port: 80}, periodSeconds: 5}\n",
    ),
    Packaged(
        "postfix", "postfix", ("postfix", "start-fg"),
        Truth(
            "root, postfix, bob",
            ("CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT"),
        ),
        all_of(BY_NETWORK["postfix"], appears("/var/mail/bob", 20)),
        script="""postconf -e inet_interfaces=all maillog_file=/dev/stdout mydestination=shop.test,localhost \
local_transport=local && useradd -m bob""",
        port=25,
    ),
    Packaged(
        "puma", "puma ruby-rack ruby",
        ("puma", "--pidfile", "/app/tmp/pids/server.pid", "-b", "tcp://0.0.0.0:9292", "config.ru"),
        Truth("app", (), rootless=True), http(9292, has="ok"),
        files={"/app/config.ru": 'run lambda { |e| File.write("/app/log/access.log", "x", mode: "a"); '
               '[200, {"content-type"=>"text/plain"}, ["ok"]] }\n'},
        script="mkdir -p /app/tmp/pids /app/log && useradd -u 1001 app && chown -R app /app",
        lines="WORKDIR /app\nUSER app", port=9292,
    ),
    Packaged(
        "registry", "docker-registry", ("docker-registry", "serve", "/etc/docker/registry/config.yml"),
        Truth("docker-registry", (), rootless=True), BY_NETWORK["registry"],
        files={"/etc/docker/registry/config.yml": "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: "
               "/var/lib/docker-registry\nhttp:\n  addr: :5000\n"},
        script="chown -R docker-registry /var/lib/docker-registry", lines="USER docker-registry", port=5000,
    ),
    Packaged(
        "squid", "squid",
        ("sh", "-ec", "chown proxy:proxy /var/spool/squid /var/log/squid; squid -N -z 2>/dev/null; exec squid -N -d 1"),
        Truth("proxy", None, but=("no-privilege-escalation",)),  # its pinger opens a raw socket, by its file
        http(3128, "/squid-internal-static/icons/SN.png"),
        files={"/etc/squid/squid.conf": "http_access allow all\nhttp_port 3128\n"
               "cache_dir ufs /var/spool/squid 50 16 256\nshutdown_lifetime 1 seconds\npid_filename /run/squid.pid\n"},
        port=3128,
    ),
    Packaged(
        "sshd", "openssh-server", ("/usr/sbin/sshd", "-D", "-e"),
        Truth("root, sshd, deploy", ("SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT"), read_only=False),
        BY_NETWORK["sshd"],
        script="mkdir -p /run/sshd && useradd -m -s /bin/bash deploy && echo deploy:secret | chpasswd", port=22,
    ),
    Packaged(
        "vsftpd", "vsftpd openbsd-inetd", ("inetd", "-i", "/etc/inetd-ftp.conf"),
        Truth("root, ftp, ftpuser", ("SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT"), read_only=False),
        BY_NETWORK["vsftpd"], files={"/etc/vsftpd.conf": _VSFTPD, "/etc/inetd-ftp.conf": _VSFTPD_INETD},
        script=f"""{_FTP_USER} && chmod 755 /home/ftpuser && mkdir -p /var/run/vsftpd/empty \
&& sed -i s/pam_shells/pam_permit/ /etc/pam.d/vsftpd""",
        port=21,
    ),
)  # fmt: skip

_SERVE = """\
import http.server, pathlib, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        WORK
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok\\n")

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
_FLASK = """\
import sqlite3
import flask
app = flask.Flask(__name__)
with sqlite3.connect("/var/lib/notes/notes.db") as base:
    base.execute("create table if not exists notes (text)")

@app.route("/", methods=["GET", "POST"])
def notes():
    with sqlite3.connect("/var/lib/notes/notes.db") as base:
        if flask.request.method == "POST":
            base.execute("insert into notes values (?)", [flask.request.get_data().decode()])
        return f"{base.execute('select count(*) from notes').fetchone()[0]} notes"
"""
_EXPRESS = """\
const express = require('express'), fs = require('fs');
const app = express();
app.get('/', (asked, reply) => reply.send('ok'));
app.post('/', express.raw({type: () => true, limit: '9mb'}), (asked, reply) => {
  fs.writeFileSync('/srv/app/uploads/x', asked.body);
  reply.send('kept ' + fs.statSync('/srv/app/uploads/x').size);
});
app.listen(3000);
"""
_WORKER = """\
import pathlib, redis
queue = redis.Redis("broker")
while True:
    got = queue.blpop("letters", 1)
    if got is None:
        queue.rpush("letters", "a letter")
        continue
    with open("/results/letters.txt", "a") as file:
        file.write(got[1].decode() + "\\n")
"""
_SLAPD = "ldap:///"
_RSYNCD = """\
uid = nobody
gid = nogroup
use chroot = yes
log file = /dev/stdout
[data]
  path = /srv/data
  read only = no
"""
_PROFTPD = """\
ModulePath /usr/lib/proftpd
LoadModule mod_ls.c
LoadModule mod_xfer.c
ServerName files
ServerType standalone
Port 21
User proftpd
Group nogroup
DefaultRoot ~
RequireValidShell off
UseReverseDNS off
AuthOrder mod_auth_unix.c
PassivePorts 30000 30005
AllowOverwrite on
WtmpLog off
SystemLog none
"""
_SUPERVISOR = """\
[supervisord]
nodaemon=true
user=root
logfile=/dev/null
logfile_maxbytes=0
pidfile=/run/supervisord.pid
[unix_http_server]
file=/run/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///run/supervisor.sock
[program:web]
command=python3 -m http.server 8080 --directory /srv
user=www-data
[program:beat]
command=sh -c "while :; do date > /tmp/beat; sleep 1; done"
user=www-data
"""
_ICECAST = """\
<icecast>
  <limits><sources>2</sources></limits>
  <authentication><source-password>secret</source-password><admin-user>admin</admin-user>
  <admin-password>secret</admin-password></authentication>
  <hostname>radio.test</hostname>
  <listen-socket><port>8000</port></listen-socket>
  <paths><basedir>/usr/share/icecast2</basedir><logdir>/var/log/icecast2</logdir>
  <webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot></paths>
  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>2</loglevel></logging>
  <security><chroot>0</chroot><changeowner><user>icecast2</user><group>icecast</group></changeowner></security>
</icecast>
"""
_RSYSLOG = """\
module(load="imtcp")
$PrivDropToUser syslog
$PrivDropToGroup syslog
input(type="imtcp" port="514")
*.* action(type="omfile" file="/var/log/app/all.log" fileCreateMode="0640")
"""
_INETD = "8081 stream tcp nowait www-data /usr/bin/cat cat /etc/motd-of-shop\n"
_LOGROTATE = """\
/var/log/app/*.log {
  su root root
  size 1
  rotate 2
  create 0640 www-data www-data
}
"""
_SUDO = """\
#!/bin/sh
while :; do
  sudo -n -u www-data id -un > /tmp/who || { echo "nobody may become www-data"; exit 1; }
  sleep 2
done
"""
_POSTGRES = """\
#!/bin/sh
set -e
PATH=$PATH:/usr/lib/postgresql/17/bin
mkdir -p /run/postgresql "$PGDATA"
if [ "$(id -u)" = 0 ]; then
  chown postgres "$PGDATA" /run/postgresql
  exec setpriv --reuid postgres --regid postgres --clear-groups "$0"
fi
[ -s "$PGDATA/PG_VERSION" ] || initdb -D "$PGDATA" --username=postgres --auth=trust --locale=C.UTF-8
exec postgres -c listen_addresses='*'
"""
_MARIADB = """\
#!/bin/sh
set -e
mkdir -p /run/mysqld /data
chown mysql /run/mysqld /data
[ -d /data/mysql ] || mariadb-install-db --user=mysql --datadir=/data --skip-test-db > /dev/null
exec mariadbd --user=mysql --datadir=/data --bind-address=0.0.0.0
"""
_CRON_JOB = """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: logrotate
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: main
            image: IMAGE
"""
_PREPARED = """\
initContainers:
- name: prepare
  image: IMAGE
  command: [sh, -c, "mkdir -p /data/letters && chown 1000:1000 /data/letters"]
  securityContext: {runAsUser: 0}
  volumeMounts: [{name: data, mountPath: /data}]
volumes:
- name: data
  emptyDir: {}
"""
_TWO = """\
- name: writer
  image: IMAGE
  command: [sh, -c, "while :; do date > /pages/new; mv /pages/new /pages/index.html; sleep 1; done"]
  volumeMounts: [{name: pages, mountPath: /pages}]
volumes:
- name: pages
  emptyDir: {}
"""
_FTP_MORE = f"{_FTP_USER} && rm -f /etc/proftpd/conf.d/*"

NEW = (
    # Servers of pages.
    Packaged(
        "nginx", "nginx-light", ("nginx", "-g", "daemon off;"),
        Truth("www-data", ("CHOWN", "SETGID", "SETUID", "NET_BIND_SERVICE"), rootless=True),
        http(80, has="nginx"), port=80,
    ),
    Packaged(
        "apache", "apache2", ("apache2ctl", "-DFOREGROUND"),
        Truth("www-data", ("CHOWN", "SETGID", "SETUID", "NET_BIND_SERVICE")),  # it gives a socket to www-data
        http(80, has="Apache2"), port=80,
    ),
    Packaged(
        "lighttpd", "lighttpd", ("lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"),
        Truth("www-data", ("SETGID", "SETUID", "NET_BIND_SERVICE"), rootless=True), http(80, "/page.txt", has="ok"),
        script="echo ok > /var/www/html/page.txt", port=80,
    ),
    Packaged(
        "caddy", "caddy", ("caddy", "file-server", "--listen", ":80", "--root", "/srv"),
        Truth("root", _BIND, rootless=True), http(80, "/page.txt", has="ok"), script="echo ok > /srv/page.txt", port=80,
    ),
    Packaged(
        "webfs", "webfs", ("webfsd", "-F", "-p", "8000", "-r", "/srv", "-u", "www-data", "-g", "www-data"),
        Truth("www-data", _DROP, rootless=True), http(8000, "/page.txt", has="ok"),
        script="echo ok > /srv/page.txt", port=8000,
    ),
    # Programs of one's own.
    Packaged(
        "flask", "python3-flask gunicorn", ("gunicorn", "-b", "0.0.0.0:8000", "main:app"),
        Truth("app", (), rootless=True), all_of(http(8000, has="notes"), http(8000, method="POST", body=b"a note")),
        files=_python(_FLASK), script="mkdir -p /var/lib/notes && chown 1000 /var/lib/notes",
        lines="WORKDIR /srv/app\nUSER 1000", port=8000,
    ),
    Packaged(
        "express", "node-express", ("node", "main.js"), Truth("1000", (), rootless=True),
        all_of(http(3000, has="ok"), http(3000, method="POST", body=b"x" * 100_000, has="kept 100000")),
        files={"/srv/app/main.js": _EXPRESS}, script="mkdir -p /srv/app/uploads && chown 1000 /srv/app/uploads",
        lines="WORKDIR /srv/app\nUSER 1000", port=3000,
    ),
    Packaged(
        "uwsgi", "uwsgi-core uwsgi-plugin-python3",
        ("uwsgi_python3", "--http-socket", ":8080", "--uid", "www-data", "--gid", "www-data", "--wsgi-file", "/app.py"),
        Truth("www-data", _DROP, rootless=True), http(8080, has="ok"),
        files={"/app.py": "def application(asked, start):\n    start('200 OK', [])\n    return [b'ok']\n"}, port=8080,
    ),
    Packaged(
        "beside-code", "python3-minimal python3", ("python3", "-u", "main.py"),
        Truth("1000", (), read_only=False, rootless=True),
        http(8080, has="ok"), files=_python(_SERVE.replace("WORK", "pathlib.Path('visits').open('a').write('x')")),
        script="chown -R 1000 /srv/app", lines="WORKDIR /srv/app\nENV PYTHONDONTWRITEBYTECODE=1\nUSER 1000", port=8080,
    ),
    # What keeps data.
    Packaged(
        "redis", "redis-server",
        ("redis-server", "--protected-mode", "no", "--dir", "/var/lib/redis", "--appendonly", "yes"),
        Truth("root", (), rootless=True), says(6379, (b"SET a b\r\nGET a\r\nSAVE\r\n", b"+OK\r\n$1\r\nb\r\n+OK")),
        port=6379,
    ),
    Packaged(
        "memcached", "memcached", ("memcached", "-u", "memcache"), Truth("memcache", _DROP, rootless=True),
        says(11211, (b"set a 0 60 1\r\nb\r\n", b"STORED"), (b"get a\r\n", b"VALUE a 0 1\r\nb")), port=11211,
    ),
    Packaged(
        "postgres", "postgresql-17", ("/start.sh",), Truth("postgres", ("CHOWN", *_DROP), rootless=True),
        runs("psql", "-U", "postgres", "-h", "127.0.0.1", "-tc",
             "create table if not exists t (a int); insert into t values (1); checkpoint; "
             "select 'rows', count(*) from t",
             has="rows"),
        files={"/start.sh": _POSTGRES}, lines="ENV PGDATA=/data/pg", port=5432,
    ),
    Packaged(
        "mariadb", "mariadb-server", ("/start.sh",),
        # Its first start gives a folder of the image to mysql, and then sets its mode: logins by PAM need that.
        Truth("mysql", ("CHOWN", "DAC_OVERRIDE", "FOWNER", *_DROP), read_only=False),
        runs("mariadb", "-e", "create database if not exists d; create table if not exists d.t (a int); "
             "insert into d.t values (1); select 'rows', count(*) from d.t", has="rows"),
        files={"/start.sh": _MARIADB}, port=3306,
    ),
    Packaged(
        "slapd", "slapd", ("slapd", "-d", "0", "-h", _SLAPD, "-u", "openldap", "-g", "openldap"),
        Truth("openldap", (*_DROP, *_BIND), read_only=False),
        says(389, (b"\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0", b"\x61\7\x0a\1\0")), port=389,
        script="mkdir -p /run/slapd && chown openldap /run/slapd",
    ),
    Packaged(
        "etcd", "etcd-server",
        ("etcd", "--listen-client-urls", "http://0.0.0.0:2379", "--advertise-client-urls", "http://127.0.0.1:2379"),
        Truth("root", (), rootless=True),
        all_of(http(2379, "/health", has="true"),
               http(2379, "/v3/kv/put", "POST", b'{"key": "YQ==", "value": "Yg=="}', has="revision")),
        lines="WORKDIR /var/lib/etcd", port=2379,
    ),
    # Queues.
    Packaged(
        "nats", "nats-server", ("nats-server",), Truth("root", (), rootless=True),
        says(4222, (b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPUB a 2\r\nhi\r\n", b"MSG a 1 2\r\nhi")), port=4222,
    ),
    Packaged(
        "beanstalkd", "beanstalkd", ("beanstalkd", "-b", "/var/lib/beanstalkd", "-u", "beanstalkd"),
        Truth("beanstalkd", _DROP), says(11300, (b"put 1 0 60 2\r\nhi\r\n", b"INSERTED"), (b"reserve\r\n", b"hi")),
        port=11300,
    ),
    Packaged(
        "gearman", "gearman-job-server", ("gearmand", "-l", "stderr", "-u", "gearman"), Truth("gearman", _DROP),
        says(4730, (b"status\n", b".\n"), (b"version\n", b"OK")), port=4730,
    ),
    Packaged(
        "worker", "python3 python3-redis", ("python3", "-u", "main.py"), Truth("1000", (), rootless=True),
        grows("/results/letters.txt"), files=_python(_WORKER), script="mkdir /results && chown 1000 /results",
        lines="WORKDIR /srv/app\nENV PYTHONDONTWRITEBYTECODE=1\nUSER 1000", beside="broker",
    ),
    # Names, proxies, figures.
    Packaged(
        "bind", "bind9", ("named", "-g", "-u", "bind"), Truth("bind", (*_DROP, *_BIND), rootless=True),
        resolves("web.shop.test", "10.1.2.3"),
        files={"/etc/bind/named.conf.local": 'zone "shop.test" { type primary; file "/etc/bind/db.shop"; };\n',
               "/etc/bind/db.shop": "$TTL 60\n@ SOA ns root 1 60 60 60 60\n@ NS ns\nns A 10.1.2.1\nweb A 10.1.2.3\n"},
        port=53,
    ),
    Packaged(
        "dnsmasq", "dnsmasq-base", ("dnsmasq", "-k", "--address=/shop.test/10.1.2.3", "--log-facility=-"),
        Truth("dnsmasq", (*_DROP, *_BIND), rootless=True), resolves("shop.test", "10.1.2.3"), port=53,
    ),
    Packaged(
        "unbound", "unbound dns-root-data", ("unbound", "-d", "-p"), Truth("unbound", (*_DROP, *_BIND)),
        resolves("web.shop.test", "10.1.2.3"),
        files={"/etc/unbound/unbound.conf.d/shop.conf": 'server:\n  interface: 0.0.0.0\n  access-control: 0.0.0.0/0 '
               'allow\n  local-data: "web.shop.test A 10.1.2.3"\n  local-zone: "test." nodefault\n'
               '  use-syslog: no\n  trust-anchor-signaling: no\n  trust-anchor-file: /usr/share/dns/root.key\n'},
        script="rm /etc/unbound/unbound.conf.d/root-auto-trust-anchor-file.conf", port=53,
    ),
    Packaged(
        "tinyproxy", "tinyproxy", ("tinyproxy", "-d"), Truth("tinyproxy", _DROP),
        says(8888, (b"GET http://tinyproxy.stats/ HTTP/1.0\r\nHost: tinyproxy.stats\r\n\r\n", b" 200 ")),
        script="sed -i 's/^Allow/#Allow/' /etc/tinyproxy/tinyproxy.conf", port=8888,
    ),
    Packaged(
        "privoxy", "privoxy", ("privoxy", "--no-daemon", "--user", "privoxy", "/etc/privoxy/config"),
        Truth("privoxy", _DROP),
        says(8118, (b"GET http://config.privoxy.org/show-status HTTP/1.0\r\n\r\n", b"200 OK")),
        script="sed -i 's/^listen-address.*//; $ a listen-address :8118' /etc/privoxy/config", port=8118,
    ),
    Packaged(
        "node-exporter", "prometheus-node-exporter", ("prometheus-node-exporter",), Truth("root", (), rootless=True),
        http(9100, "/metrics", has="node_load1"), port=9100,
    ),
    Packaged(
        "pushgateway", "prometheus-pushgateway",
        ("prometheus-pushgateway", "--persistence.file=/data/metrics", "--persistence.interval=1s"),
        Truth("root", (), rootless=True),
        all_of(http(9091, "/metrics/job/a", "PUT", b"a 1\n"), appears("/data/metrics", 20),
               http(9091, "/metrics", has='a{instance="",job="a"} 1')),
        script="mkdir /data", port=9091,
    ),
    # What drops its rights, or locks itself in.
    Packaged(
        "rsyncd", "rsync", ("rsync", "--daemon", "--no-detach"), Truth("nobody", (*_DROP, *_BIND, "SYS_CHROOT")),
        runs("sh", "-ec", "rsync -a /etc/passwd rsync://127.0.0.1/data/ && test -s /srv/data/passwd && echo kept",
             has="kept"),
        files={"/etc/rsyncd.conf": _RSYNCD}, script="mkdir -p /srv/data && chown nobody /srv/data", port=873,
    ),
    Packaged(
        "tftpd", "tftpd-hpa", ("in.tftpd", "-L", "--secure", "--address", ":69", "/srv/tftp"),
        Truth("tftp", (*_DROP, *_BIND, "SYS_CHROOT")), asks(69, b"\0\1boot\0octet\0", b"boot"),
        script="mkdir -p /srv/tftp && chown root: /srv/tftp && chmod 755 /srv/tftp && echo boot > /srv/tftp/boot",
        container="ports: [{containerPort: 69, protocol: UDP}]\n",
    ),
    Packaged(
        "ngircd", "ngircd", ("ngircd", "-n"), Truth("irc", _DROP),
        says(6667, (b"NICK bob\r\nUSER bob 0 * :bob\r\n", b" 001 bob ")),
        script="sed -i 's/^.*PAM = .*/PAM = no/; s/^.*ServerName.*//' /etc/ngircd/ngircd.conf || :; "
        "printf '[Global]\\nName = irc.shop.test\\nServerUID = irc\\nServerGID = irc\\n[Options]\\nPAM = no\\n"
        "DNS = no\\nIdent = no\\n' > /etc/ngircd/ngircd.conf", port=6667,
    ),
    Packaged(
        "opensmtpd", "opensmtpd", ("smtpd", "-d"),
        # Its mail.local takes a lock by a program with a setuid bit: without that it leaves an empty mailbox.
        Truth("root, opensmtpd, bob", ("CHOWN", *_DROP, *_BIND, "SYS_CHROOT"), read_only=False,
              but=("no-privilege-escalation",)),
        all_of(BY_NETWORK["opensmtpd"], appears("/var/mail/bob", 20)),
        files={"/etc/smtpd.conf": 'listen on 0.0.0.0\naction "local" mbox\n'
               'match from any for domain "shop.test" action "local"\n'},
        script="useradd -m bob", port=25,
    ),
    Packaged(
        "proftpd", "proftpd-core", ("proftpd", "--nodaemon"),
        Truth("root, proftpd, ftpuser", (*_DROP, *_BIND, "SYS_CHROOT"), read_only=False), BY_NETWORK["proftpd"],
        files={"/etc/proftpd/proftpd.conf": _PROFTPD}, script=_FTP_MORE, port=21,
    ),
    Packaged(
        "icecast", "icecast2", ("icecast2", "-c", "/etc/icecast.xml"), Truth("icecast2", _DROP),
        http(8000, "/status-json.xsl", has="icestats"), files={"/etc/icecast.xml": _ICECAST}, port=8000,
    ),
    Packaged(
        "rsyslog", "rsyslog", ("rsyslogd", "-n", "-f", "/etc/rsyslog-shop.conf"), Truth("syslog", (*_DROP, *_BIND)),
        all_of(says(514, (b"<13>Nov 28 10:00:00 shop app: a letter\n", b"")), appears("/var/log/app/all.log", 20)),
        files={"/etc/rsyslog-shop.conf": _RSYSLOG},
        script="useradd -r syslog || :; mkdir -p /var/log/app && chown syslog /var/log/app", port=514,
    ),
    Packaged(
        "inetd", "openbsd-inetd", ("inetd", "-i", "/etc/inetd-shop.conf"), Truth("root; each answer: www-data", _DROP),
        says(8081, (b"", b"letters of the day")),
        files={"/etc/inetd-shop.conf": _INETD, "/etc/motd-of-shop": "letters of the day\n"}, port=8081,
    ),
    Packaged(
        "supervisor", "supervisor python3", ("supervisord", "-c", "/etc/supervisor-shop.conf"),
        Truth("root; its programs: www-data", (*_DROP, "KILL")),  # it ends programs of another user
        all_of(http(8080), grows("/tmp/beat"),
               runs("supervisorctl", "-c", "/etc/supervisor-shop.conf", "restart", "beat", has="started")),
        files={"/etc/supervisor-shop.conf": _SUPERVISOR}, port=8080,
    ),
    # What needs more than Pod Security level baseline gives.
    Packaged(
        "sniffer", "tcpdump", ("tcpdump", "-Z", "root", "-n", "-i", "any", "-w", "/tmp/seen"),
        Truth("root", None), runs("sh", "-c", "test -s /tmp/seen && echo seen", has="seen"),
    ),
    Packaged(
        "sudoer", "sudo", ("/start.sh",),
        Truth("app, www-data", _DROP, rootless=True, but=("no-privilege-escalation",)),
        grows("/tmp/who"), files={"/start.sh": _SUDO, "/etc/sudoers.d/app": "app ALL=(www-data) NOPASSWD: ALL\n"},
        script="useradd -u 1000 app && chmod 440 /etc/sudoers.d/app && chown root: /etc/sudoers.d/app",
        lines="USER app",
    ),
    # Work that ends.
    Packaged(
        "report", "sqlite3", ("sh", "-ec", "sqlite3 /report/r.db 'create table t (a); insert into t values (1)'; "
                              "sqlite3 /report/r.db 'select count(*) from t' > /report/out; sync"),
        Truth("root", (), rootless=True), prints("", 1), script="mkdir /report", kind="Job", pod=_NEVER,
    ),
    Packaged(
        "backup", "", ("sh", "-ec", "tar -czf /backup/etc.tar.gz /etc; chown www-data /backup/etc.tar.gz"),
        Truth("root", ("CHOWN",), rootless=False), prints("", 1), script="mkdir /backup", kind="Job", pod=_NEVER,
    ),
    Packaged(
        "logrotate", "logrotate", ("logrotate", "-v", "/etc/logrotate-shop.conf"),
        Truth("root", ("CHOWN",), read_only=False),  # what it rotates is in the image
        prints("", 1), files={"/etc/logrotate-shop.conf": _LOGROTATE}, kind="CronJob", whole=_CRON_JOB,
        script="mkdir /var/log/app && echo some words > /var/log/app/a.log",
    ),
    # Pods of several containers.
    Packaged(
        "prepared", "python3-minimal python3", ("python3", "-u", "main.py"), Truth("1000", ("CHOWN",)),
        http(8080, has="ok"),
        files=_python(_SERVE.replace("WORK", "pathlib.Path('/data/letters/visits').open('a').write('x')")),
        lines="WORKDIR /srv/app\nENV PYTHONDONTWRITEBYTECODE=1\nUSER 1000", port=8080,
        container="ports: [{containerPort: 8080}]\nvolumeMounts: [{name: data, mountPath: /data}]\n",
        pod=_PREPARED.replace("IMAGE", f"{REGISTRY}/prepared:1"),
    ),
    Packaged(
        "two", "nginx-light", ("nginx", "-g", "daemon off;"),
        Truth("www-data, root", ("CHOWN", *_DROP, *_BIND), rootless=True), http(80, "/", has="20"), port=80,
        container="ports: [{containerPort: 80}]\n"
        "volumeMounts: [{name: pages, mountPath: /var/www/html, readOnly: true}]\n",
        pod=_TWO.replace("IMAGE", f"{REGISTRY}/two:1"),
    ),
)  # fmt: skip
PACKAGED = (*OF_FINDINGS, *NEW)
