"""Servers that come with a package of a distribution: what starts them, and what they need as the package sets them up.

Each begins as root, opens its logs and folders, and hands over to its own user. Sources: the control and configuration
files of the packages in Debian, Alpine and Fedora; numbers that do not change: base-passwd of Debian (www-data),
`postgresql.pre-install` of Alpine, `uidgid` of the package setup of Fedora.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from msgspec import Struct

from hardener.kubernetes.pods.shell import commands, runs

_DEBIAN, _ALPINE, _RED_HAT = "apt", "apk", "dnf"
MANAGERS = {
    "apt": _DEBIAN,
    "apt-get": _DEBIAN,
    "apk": _ALPINE,
    "dnf": _RED_HAT,
    "microdnf": _RED_HAT,
    "yum": _RED_HAT,
}
_INSTALL = frozenset({"install", "add", "reinstall"})
_OPTIONS = frozenset({"-t", "--virtual", "-c", "-o", "--repository", "-X", "--target-release"})  # that take a value
_VERSION = re.compile(r"[=<>~@:/].*")
_SUPERVISORS = frozenset(
    {"s6-svscan", "init", "runsvdir", "runit", "supervisord", "systemd", "systemctl", "service", "circusd", "monit"}
)
_SCRIPT = re.compile(r".*\.sh|.*entrypoint.*|(?:boot|run|start)(?:[-_]\w+)*")


class Server(Struct, frozen=True):
    """One server: its ``packages``, the ``programs`` that start it, its ports, the folders that it writes to, those in
    which its package leaves files, and the number of its user by package manager, where that does not change."""

    packages: re.Pattern[str]
    programs: frozenset[str]
    ports: tuple[int, ...] = ()
    writable: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    numbers: tuple[tuple[str, int], ...] = ()

    def number(self, manager: str) -> int | None:
        """The number of its user where ``manager`` installed it; None where that is made at the install."""
        return dict(self.numbers).get(manager)


def _server(packages: str, programs: str, **fields: object) -> Server:
    return Server(re.compile(packages), frozenset(programs.split()), **fields)  # type: ignore[arg-type]


_SERVERS = (
    _server(
        r"apache2", "apache2 apache2ctl apachectl httpd", ports=(80,), numbers=(("apt", 33),),
        writable=("/var/log/apache2", "/var/run/apache2", "/var/lock/apache2"),
    ),
    _server(
        r"httpd", "apachectl httpd httpd-foreground", ports=(80,), numbers=(("dnf", 48),),
        writable=("/var/log/httpd", "/run/httpd"),
    ),
    _server(
        r"nginx(?:-(?:full|light|extras|core|mainline))?", "nginx", ports=(80,), numbers=(("apt", 33),),
        writable=("/var/log/nginx", "/var/lib/nginx", "/run"),
    ),
    _server(
        r"lighttpd", "lighttpd lighttpd-angel", ports=(80,), numbers=(("apt", 33),),
        writable=("/var/log/lighttpd", "/var/cache/lighttpd", "/run"),
    ),
    _server(r"php[\d.]*-fpm\d*", "php-fpm", numbers=(("apt", 33), ("dnf", 48)), writable=("/run", "/var/log")),
    _server(
        r"(?:default-)?(?:mysql|mariadb)-server(?:-[\d.]+)?|mariadb|mysql",
        "mysqld mysqld_safe mariadbd mariadbd-safe", ports=(3306,), numbers=(("dnf", 27),),
        writable=("/run/mysqld", "/var/log/mysql"), filled=("/var/lib/mysql",),
    ),
    _server(
        r"postgresql(?:-server|-?\d+(?:\.\d+)?)?", "postgres postmaster pg_ctl pg_ctlcluster", ports=(5432,),
        numbers=(("apk", 70), ("dnf", 26)), writable=("/var/run/postgresql", "/var/log/postgresql"),
        filled=("/var/lib/postgresql",),
    ),
    _server(
        r"(?:redis|valkey)(?:-server)?", "redis-server valkey-server", ports=(6379,),
        writable=("/var/lib/redis", "/var/log/redis", "/run/redis"),
    ),
    _server(r"memcached", "memcached", ports=(11211,)),
    _server(r"haproxy", "haproxy", writable=("/run/haproxy", "/var/lib/haproxy")),
    _server(
        r"squid", "squid", ports=(3128,), numbers=(("apt", 13),),
        writable=("/var/log/squid", "/var/spool/squid", "/run"),
    ),
    _server(r"openssh(?:-server)?", "sshd", ports=(22,), writable=("/run",)),
    _server(
        r"rabbitmq-server", "rabbitmq-server", ports=(5672,), writable=("/var/lib/rabbitmq", "/var/log/rabbitmq"),
    ),
    _server(
        r"mongodb(?:-org)?(?:-server)?", "mongod", ports=(27017,), writable=("/var/lib/mongodb", "/var/log/mongodb"),
    ),
    _server(r"vsftpd", "vsftpd", ports=(21,), writable=("/var/run/vsftpd", "/var/log")),
    _server(r"dnsmasq", "dnsmasq", ports=(53,), writable=("/run",)),
    _server(r"bind9?", "named", ports=(53,), writable=("/var/cache/bind", "/run/named")),
    _server(r"postfix", "postfix master", ports=(25,), writable=("/var/spool/postfix", "/var/lib/postfix")),
    _server(r"dovecot(?:-core|-imapd|-pop3d)?", "dovecot", ports=(143,), writable=("/run/dovecot",)),
    _server(r"cron|cronie|dcron", "cron crond", writable=("/run", "/var/spool/cron")),
)  # fmt: skip


def packages(program: str, arguments: Sequence[str]) -> list[str]:
    """The packages that one command installs, without versions."""
    if program not in MANAGERS or _INSTALL.isdisjoint(arguments):
        return []
    found: list[str] = []
    skip = False
    for word in arguments:
        if not skip and not word.startswith(("-", ".", "/", "$")) and word not in _INSTALL:
            found.append(_VERSION.sub("", word))
        skip = not skip and word in _OPTIONS
    return [name for name in found if name]


def server_of(package: str) -> Server | None:
    """The server that ``package`` brings; None for any other package."""
    return next((server for server in _SERVERS if server.packages.fullmatch(package)), None)


def starts(server: Server, words: Sequence[str], handed_over: Sequence[str], *, script_read: bool) -> str | None:
    """What of ``words`` starts ``server``, or may: its program, a program that starts others, or a script that was not
    read. None where something else starts. ``handed_over``: the programs that scripts which were read start."""
    started = [(posixpath.basename(program), arguments) for program, arguments in runs(commands(words))]
    programs = [*(program for program, _ in started), *map(posixpath.basename, handed_over)]
    for program in programs:
        if program in server.programs or _without_version(program) in server.programs:
            return program
    for program in programs:
        if program in _SUPERVISORS:
            return program
    is_service = any(posixpath.dirname(word) == "/etc/init.d" for word in words)
    scripts = [program for program in programs if _SCRIPT.fullmatch(program)]
    if is_service or (scripts and not script_read):
        return scripts[0] if scripts else "/etc/init.d"
    return None


def _without_version(program: str) -> str:
    """`php-fpm8.2` is `php-fpm`."""
    return re.sub(r"[\d.]+$", "", program)
