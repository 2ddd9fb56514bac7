"""What the command of a container shows: need of root, of setuid programs, of low ports, of writable paths, of the API.

All functions take `words`: the strings of command, args and exec hooks one after another. A word may be a whole shell
script. Scripts are read as far as a reader would: simple commands, redirections, `cd`, wrappers such as `exec` or
`timeout`; text in quotes, comments and here-documents is not a command. Nothing is evaluated, so an expression
(`$DIR/x`) proves nothing beyond the fixed part of its path.

Results quote command words, flags and paths, never whole lines: lines can hold secrets.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from hardener.kubernetes.pods.node_work import NEEDS_ROOT
from hardener.kubernetes.pods.shell import commands, runs, started, unique
from hardener.support.late_pattern import late_pattern

# ---------------------------------------------------------------------------------------------------------------------
# Privileges

_ROOT = NEEDS_ROOT | frozenset(
    {"addgroup", "adduser", "apt-get", "chmod", "chown", "cron", "crond", "dnf", "gosu", "groupadd", "microdnf"}
    | {"runuser", "setcap"}
    | {"setpriv", "su", "su-exec", "sudo", "useradd", "usermod", "yum", "zypper"}
)
_ROOT_WITH = {
    "apk": frozenset({"add", "del", "upgrade", "update"}),
    "apt": frozenset({"install", "update", "upgrade", "dist-upgrade", "remove"}),
    "dpkg": frozenset({"-i", "--install", "-r", "-P"}),
    "rpm": frozenset({"-i", "-U", "-ivh", "-Uvh", "--install"}),
    "gem": frozenset({"install"}),
}
_PIP = frozenset({"pip", "pip3"})
# With one of these pip installs where its user may write.
_PIP_ELSEWHERE = frozenset({"--user", "--target", "-t", "--prefix", "--root", "--dry-run"})
_NODE_PACKAGES = frozenset({"npm", "pnpm", "yarn"})
_NODE_GLOBALLY = frozenset({"-g", "--global", "global"})
_NODE_INSTALL = frozenset({"install", "i", "add", "update"})
# Flags by which a program is told to work as root all the same: mpirun; Jupyter, WP-CLI, bower.
_AS_ROOT = frozenset({"--allow-run-as-root", "--allow-root"})
_SETUID = frozenset({"sudo", "su", "ping", "ping6", "cron", "crond", "postfix"})
_RAW_SOCKETS = frozenset({"ping", "ping6", "arping", "traceroute", "tcpdump", "nmap", "mtr", "fping", "hping3"})
_SECCOMP = frozenset(
    {"strace", "perf", "unshare", "chromium", "chromium-browser", "chrome", "google-chrome", "google-chrome-stable"}
    | {"bwrap", "buildkitd", "buildctl-daemonless.sh", "dockerd", "podman", "buildah", "/kaniko/executor"}
)


def root_commands(words: Sequence[str]) -> list[str]:
    """Commands that need root, as command words ("chown", "apk add", "sysctl -w"); [] when there is no such evidence.

    Among them are programs that only root can use to become another user (gosu, su-exec).
    """
    found: list[str] = []
    for program, arguments in runs(commands(words)):
        if program in _ROOT:
            found.append(program)
        elif program in _ROOT_WITH:
            found += [f"{program} {word}" for word in arguments if word in _ROOT_WITH[program]][:1]
        elif program == "sysctl" and any(word == "-w" or "=" in word for word in arguments):
            found.append("sysctl -w")
        found += _installed_for_all(program, arguments)
        found += [word for word in arguments if word in _AS_ROOT]
    return unique(found)


def _installed_for_all(program: str, arguments: Sequence[str]) -> list[str]:
    """Installs of packages of Python or Node that go where only root may write."""
    if program.startswith("python") and list(arguments[:2]) == ["-m", "pip"]:
        program, arguments = "pip", arguments[2:]
    if program in _PIP and "install" in arguments[:1]:
        return ["pip install"] if _PIP_ELSEWHERE.isdisjoint(word.partition("=")[0] for word in arguments) else []
    if program in _NODE_PACKAGES and not _NODE_INSTALL.isdisjoint(arguments):
        return [] if _NODE_GLOBALLY.isdisjoint(arguments) else [f"{program} install -g"]
    return []


# Paths in `--flag=/a/b`, `unix:///a/b`, `/a:/b` and scripts; not the host of a URL, nor what stands in the middle of a
# relative path.
_PATH_IN_TEXT = late_pattern(r"(?<![\w./$)}\]-])(?:unix:/?/?)?(/[A-Za-z0-9_.@%+-][A-Za-z0-9_.@%+/-]*)")
# What each container has below /dev and /proc without any access to its node.
_IN_EVERY_CONTAINER = late_pattern(
    r"/dev/(?:null|zero|full|u?random|tty|ptmx|pts|stdin|stdout|stderr|fd|shm|mqueue|console|core|termination-log|tcp|udp"
    r"|init)(?:/.*)?"
    r"|/proc/(?:self|thread-self|1/fd|cpuinfo|meminfo|mounts|filesystems|loadavg|stat|uptime|version|net"
    r"|sys/kernel/random)(?:/.*)?"
)
_PSEUDO = ("/dev", "/proc")


def node_paths(texts: Iterable[str], folders: Iterable[str]) -> list[str]:
    """The ways into the node that ``texts`` name: those of ``folders``, where folders of the node are mounted, and the
    entries of /dev and /proc that not every container has. The first part of a path is named alone."""
    mounted = [folder.rstrip("/") for folder in folders if folder.startswith("/") and folder.rstrip("/")]
    found = []
    for text in texts:
        for match in _PATH_IN_TEXT.finditer(text):
            path = "/" + posixpath.normpath(match[1]).lstrip("/")
            found += [folder for folder in mounted if below(path, folder)]
            if any(below(path, root) and path != root for root in _PSEUDO) and not _IN_EVERY_CONTAINER.fullmatch(path):
                found.append("/".join(path.split("/")[:3]))
    return unique(found)


class GivenAway(Struct, frozen=True):
    """A folder or file that a command gives to the user with the number `uid`, and whether with all that is in it."""

    path: str
    uid: int
    whole: bool


_OWNER = late_pattern(r"\+?([0-9]{1,10})(?:[:.]\S*)?")
_HIGHEST_USER = 2**31 - 1  # the API server refuses a higher one


def given_away(words: Sequence[str]) -> list[GivenAway]:
    """What `chown` gives to a user by number, root left out. Relative paths and owners by name say nothing."""
    programs = runs(commands(words)) if words else ()
    return [given for program, arguments in programs if program == "chown" for given in _chowned(arguments)]


def _chowned(arguments: Sequence[str]) -> Iterator[GivenAway]:
    options = [word for word in arguments if word.startswith("-")]
    operands = [word for word in arguments if not word.startswith("-")]
    uid = _owner_number(operands[0]) if operands else None
    depends_on_files = any(word.startswith(("--ref", "--from")) for word in options)
    if uid is None or depends_on_files:
        return
    whole = any(map(_is_recursive, options))
    for path in operands[1:]:
        normal = posixpath.normpath(path)
        if path.startswith("/") and not _UNKNOWN_PART.search(normal):
            yield GivenAway("/" + normal.lstrip("/"), uid, whole)


def _owner_number(owner: str) -> int | None:
    """The number of the user in an operand such as ``1000:1000``; None for root, and for a name."""
    match = _OWNER.fullmatch(owner)
    uid = int(match[1]) if match else 0
    return uid if 0 < uid <= _HIGHEST_USER else None


def _is_recursive(option: str) -> bool:
    return option == "--recursive" or ("R" in option and _SHORT_FLAGS.fullmatch(option) is not None)


def setuid_commands(words: Sequence[str]) -> list[str]:
    """Commands that work only while setuid bits do: sudo, su, ping, cron daemons, postfix."""
    return _programs(words, _SETUID)


def raw_socket_commands(words: Sequence[str]) -> list[str]:
    """Commands that open raw sockets and may need the capability NET_RAW: ping, traceroute, tcpdump, nmap and such."""
    return _programs(words, _RAW_SOCKETS)


def seccomp_sensitive(words: Sequence[str]) -> list[str]:
    """Commands that a RuntimeDefault seccomp profile may stop: tracers, browser sandboxes, container builders."""
    return _programs(words, _SECCOMP)


def _programs(words: Sequence[str], wanted: frozenset[str]) -> list[str]:
    return [program for program in started(words) if program in wanted]


# ---------------------------------------------------------------------------------------------------------------------
# Ports

_PORT_FLAG = late_pattern(r"--(?:http-|https-)?port|--(?:bind|listen)(?:-address)?|--[\w.]*\.listen-address", re.I)
_PORT_ENV = re.compile(r"PORT|(?:\w{,80}_)?LISTEN(?:_\w{,80})?", re.I)
# `:80` and `host:80`, but neither `::1` nor the last part of an address.
_ADDRESS_PORT = late_pattern(r"(?:(?:\S*[^\s:]|):)?([0-9]{1,4})")


def low_ports(words: Sequence[str], env: Mapping[str, str]) -> list[int]:
    """Ports below 1024 that flags (`--port=80`, `--listen :443`) or env (PORT, *LISTEN*) make a process listen on."""
    values = [value for flag, value in flags(words) if _PORT_FLAG.fullmatch(flag)]
    values += [value for name, value in literal_env(env) if _names_port(name)]
    if not values:
        return []
    ports = (int(match[1]) for match in map(_ADDRESS_PORT.fullmatch, values) if match)
    return sorted({port for port in ports if 0 < port < 1024})


@lru_cache(maxsize=256)  # the containers of a tree have few names of variables
def _names_port(variable: str) -> bool:
    return _PORT_ENV.fullmatch(variable) is not None


def flags(words: Sequence[str]) -> list[tuple[str, str]]:
    """(flag, value) of `--flag=value` and `--flag value`; a flag without a value has ""."""
    found = []
    for command in commands(words):
        for word, after in pairwise([*command.words, ""]):
            if word.startswith("-"):
                flag, equals, value = word.partition("=")
                found.append((flag, value if equals or after.startswith("-") else after))
    return found


def literal_env(env: Mapping[str, str]) -> list[tuple[str, str]]:
    """The variables whose name and value are texts."""
    return [each for each in env.items() if isinstance(each[0], str) and isinstance(each[1], str)]


# ---------------------------------------------------------------------------------------------------------------------
# Files


class Writes(Struct, frozen=True):
    """Where commands write: absolute `paths`, and whether something writes to places unknown (package managers)."""

    paths: tuple[str, ...] = ()
    unplaced: bool = False


# Programs whose operands are all written to, and options of theirs that take a value.
_WRITE_ALL = {"touch": frozenset({"-d", "-r", "-t"}), "mkdir": frozenset({"-m", "--mode"}), "tee": frozenset()}
# Programs that write to their last operand, or to the value of -t.
_WRITE_LAST = {
    "cp": frozenset({"-S"}),
    "mv": frozenset({"-S"}),
    "ln": frozenset({"-S"}),
    "install": frozenset({"-m", "-o", "-g", "-S"}),
    "rsync": frozenset({"-e"}),
}
# Programs that write to the value of an option.
_WRITE_OPTION = {
    "wget": frozenset({"-O", "--output-document", "-P", "--directory-prefix"}),
    "curl": frozenset({"-o", "--output", "--output-dir"}),
    "dd": frozenset({"of"}),
    "tar": frozenset({"-C", "--directory"}),
    "unzip": frozenset({"-d"}),
}
_INSTALLERS = {
    **dict.fromkeys(
        ("apt-get", "apt", "yum", "dnf", "microdnf", "zypper"), frozenset({"install", "update", "upgrade"})
    ),
    "apk": frozenset({"add", "upgrade"}),
    **dict.fromkeys(("npm", "pnpm"), frozenset({"install", "i", "ci"})),
    "yarn": frozenset({"install", "add"}),
    "gem": frozenset({"install"}),
    "bundle": frozenset({"install"}),
    "go": frozenset({"install"}),
}
_PIP_FOLDERS = frozenset({"-t", "--target", "--prefix", "--root"})
_SED_IN_PLACE = late_pattern(r"-[nErsuz]*i|--in-place")
_LONGEST_PATH = 4096
_SHORT_FLAGS = late_pattern(r"-[A-Za-z]+")
_NOT_ON_ROOT_FILESYSTEM = ("/dev", "/proc", "/sys")
_UNKNOWN_PART = late_pattern(r"[$`*?\[{]")


def writes(words: Sequence[str], workdir: str | None = None) -> Writes:
    """Where the commands write.

    Absolute targets of redirection, tee, sed -i, cp, mv, ln, touch, mkdir, install, rsync, dd, wget, curl, tar -x,
    unzip and git clone, and relative ones in ``workdir`` or behind a `cd` to an absolute path; `/dev`, `/proc` and
    `/sys` are left out.
    Of `/data/$NAME/x` the known part, `/data`, is named. Package managers are `unplaced`, but for a pip that is told a
    folder.
    """
    found: list[str] = []
    unplaced = False
    directory = workdir or ""
    for command in commands(words):
        targets = list(command.targets)
        for program, arguments in runs([command]):
            if program == "cd":
                directory = _changed(directory, arguments)
            if program in _INSTALLERS and not _INSTALLERS[program].isdisjoint(arguments):
                unplaced = True
            installed = _installed_by_pip(program, arguments)
            folders = _option(installed, _PIP_FOLDERS) if installed is not None else []
            unplaced = unplaced or (installed is not None and not folders)
            targets += folders or _operand_targets(program, arguments)
        found += [path for target in targets if (path := known_path(posixpath.join(directory, target)))]
    return Writes(tuple(unique(found)), unplaced)


def _changed(directory: str, arguments: Sequence[str]) -> str:
    """Where a `cd` with ``arguments`` leads from ``directory``; empty where it is not known."""
    target = arguments[0] if arguments else "-"
    path = posixpath.join(directory, target) if target != "-" else ""
    return path if len(path) <= _LONGEST_PATH else ""


def _installed_by_pip(program: str, arguments: Sequence[str]) -> Sequence[str] | None:
    """The words behind `pip install`, `python -m pip install`; None for another command."""
    if program in ("python", "python3") and arguments[:2] == ["-m", "pip"]:
        program, arguments = "pip", arguments[2:]
    return arguments[1:] if program in _PIP and arguments[:1] == ["install"] else None


def _operand_targets(program: str, arguments: Sequence[str]) -> list[str]:
    if program in _WRITE_ALL:
        return _operands(arguments, _WRITE_ALL[program])
    if program in _WRITE_LAST:
        return _last_targets(program, arguments)
    if program == "git" and arguments[:1] == ["clone"]:
        return _operands(arguments[1:], frozenset({"-b", "--branch", "--depth", "-c", "-o"}))[1:2]
    if program == "tar" and not _extracts(arguments):
        return []
    if program in _WRITE_OPTION:
        return _option(arguments, _WRITE_OPTION[program])
    if program == "sed" and any(map(_SED_IN_PLACE.match, arguments)):
        scripted = any(word in ("-e", "-f") for word in arguments)
        return _operands(arguments, frozenset({"-e", "-f"}))[0 if scripted else 1 :]
    return []


def _last_targets(program: str, arguments: Sequence[str]) -> list[str]:
    """The target of a program that names it last, or by a flag."""
    directory = _option(arguments, frozenset({"-t", "--target-directory"}))
    if directory:
        return directory
    operands = _operands(arguments, _WRITE_LAST[program])
    if program == "install" and "-d" in arguments:
        return operands
    return operands[-1:] if len(operands) > 1 else []


def _extracts(arguments: Sequence[str]) -> bool:
    bundle = arguments[0].lstrip("-") if arguments and not arguments[0].startswith("--") else ""
    return "x" in bundle or any(word in ("-x", "--extract", "--get") for word in arguments)


def _operands(arguments: Sequence[str], with_value: frozenset[str]) -> list[str]:
    found, skip = [], False
    for word in arguments:
        if skip:
            skip = False
        elif word in with_value:
            skip = True
        elif not word.startswith("-"):
            found.append(word)
    return found


def _option(arguments: Sequence[str], options: frozenset[str]) -> list[str]:
    found = []
    for word, after in pairwise([*arguments, ""]):
        flag, equals, value = word.partition("=")
        if word in options or (_SHORT_FLAGS.fullmatch(word) and f"-{word[-1]}" in options):  # -qO FILE
            found.append(after)
        elif equals and flag in options:
            found.append(value)
        elif word[:2] in options and not word.startswith("--"):
            found.append(word[2:])
    return found


def known_path(target: str) -> str | None:
    """The fixed part of an absolute path, without `//` and `..`.

    None for other paths, and for those that are never on the container's root filesystem.
    """
    unknown = _UNKNOWN_PART.search(target)
    known = target[: unknown.start()].rpartition("/")[0] if unknown else target
    if not known.startswith("/") or "\0" in known or "\n" in known:
        return None
    path = "/" + posixpath.normpath(known).lstrip("/")
    return None if path == "/" or any(below(path, root) for root in _NOT_ON_ROOT_FILESYSTEM) else path


def below(path: str, root: str) -> bool:
    """Whether ``path`` is ``root`` or stands in it."""
    return path == root or path.startswith(root.rstrip("/") + "/")


# ---------------------------------------------------------------------------------------------------------------------
# The Kubernetes API

_API_CLIENTS = frozenset({"kubectl", "helm", "oc"})
_API_TEXT = (
    ("kubernetes.default", late_pattern(r"(?<![\w.-])kubernetes\.default(?:\.svc)?(?![\w-])")),
    ("KUBERNETES_SERVICE_HOST", late_pattern(r"KUBERNETES_SERVICE_HOST")),
    (
        "/var/run/secrets/kubernetes.io/serviceaccount",
        late_pattern(r"/(?:var/)?run/secrets/kubernetes\.io/serviceaccount"),
    ),
    ("kubernetes_sd_configs", late_pattern(r"\bkubernetes_sd_configs\b")),
    ("spring.cloud.kubernetes", late_pattern(r"\bspring[._]cloud[._]kubernetes\b|\bSPRING_CLOUD_KUBERNETES_", re.I)),
    ("hazelcast kubernetes", late_pattern(r"\bhazelcast[._]kubernetes\b|\bHZ_NETWORK_JOIN_KUBERNETES_", re.I)),
    ("KUBE_PING", late_pattern(r"\bKUBE_PING\b")),
    ("kubernetes-api discovery", late_pattern(r"\bakka\.discovery\.kubernetes-api\b|=\s*kubernetes-api\b")),
)
_API_FLAG = late_pattern(r"--?(?:[\w-]+-)?(?:in-?cluster(?:-config)?|leader-elect(?:ion)?)", re.I)
_OFF = frozenset({"false", "0", "no", "off"})


def api_client(words: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """What in a command or its env suggests use of the Kubernetes API, by short names ("kubectl", "--leader-elect")."""
    if not words and not env:
        return []
    found = _programs(words, _API_CLIENTS)
    for flag, value in flags(words):
        if _API_FLAG.fullmatch(flag) and value.lower() not in _OFF:
            found.append(flag)
    for word, after in pairwise([*words, None]):
        if word in ("--kubeconfig=", '--kubeconfig=""') or (word == "--kubeconfig" and after == ""):
            found.append("--kubeconfig=")
    texts = [*words, *(f"{name}={value}" for name, value in literal_env(env))]
    return unique([*found, *(name for text in texts for name in api_mentions(text))])


def api_mentions(text: object) -> list[str]:
    """The same for any text, such as the files of a ConfigMap: marks of a client of the API that it holds."""
    if not isinstance(text, str) or "kube" not in text.lower():  # which all of them hold, and few texts
        return []
    return [name for name, pattern in _API_TEXT if pattern.search(text)]


# ---------------------------------------------------------------------------------------------------------------------
# Heaps


class Heap(Struct, frozen=True):
    """The largest heap a process is told it may use, in bytes, and by what kind of setting."""

    kind: Literal["xmx", "max-old-space", "gomemlimit"]
    bytes: Fraction


_XMX = late_pattern(r"(?<![\w-])(?:-Xmx|-XX:Max(?:RAM|HeapSize)=)([0-9]{1,18})([kKmMgGtT]?)(?![\w.])")
_OLD_SPACE = late_pattern(r"(?<![\w-])--max[-_]old[-_]space[-_]size[= ]([0-9]{1,12})(?![\w.])")
_GO_LIMIT = late_pattern(r"(?<!\w)GOMEMLIMIT=[\"']?([0-9]{1,18})(B|KiB|MiB|GiB|TiB)?(?![\w.%])")
_HEAP_MARKS = ("-X", "--max", "GOMEMLIMIT=")  # what each of them begins with
_BYTES = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def heap_bytes(words: Sequence[str], env: Mapping[str, str]) -> Heap | None:
    """The largest heap that `-Xmx`, `-XX:MaxRAM`, `--max-old-space-size` (MiB) or GOMEMLIMIT set, or None.

    Looked for in words and in every env value (JAVA_OPTS, JAVA_TOOL_OPTIONS, NODE_OPTIONS ...).
    """
    if not words and not env:
        return None
    text = "\n".join([*[word for word in words if isinstance(word, str)], *[f"{n}={v}" for n, v in literal_env(env)]])
    if not any([mark in text for mark in _HEAP_MARKS]):
        return None
    # Two words, as in ["--max-old-space-size", "4096"], are one setting.
    text = text.replace("space-size\n", "space-size ").replace("space_size\n", "space_size ")
    heaps = [Heap("xmx", Fraction(int(m[1]) * _BYTES[m[2].lower()])) for m in _XMX.finditer(text)]
    heaps += [Heap("max-old-space", Fraction(int(m[1]) * 2**20)) for m in _OLD_SPACE.finditer(text)]
    heaps += [
        Heap("gomemlimit", Fraction(int(m[1]) * _BYTES[(m[2] or "")[:1].lower()])) for m in _GO_LIMIT.finditer(text)
    ]
    return max((heap for heap in heaps if heap.bytes > 0), key=lambda heap: heap.bytes, default=None)
