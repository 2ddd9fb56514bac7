"""The folders that a process is told to write to, by its variables and flags, and whether an empty volume may stand
there.

Names decide, as people give them: a variable or flag for data, logs, caches or state names a folder that is written;
one for configuration, plugins or certificates names one that is read. Sources of the single ones: the XDG base
directory specification; `--cert-dir`: k8s.io/apiserver, options/serving.go (a certificate is written where none is
given); the rest: the documentation of each program.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from hardener.kubernetes.pods.command_evidence import below, flags, known_path, literal_env
from hardener.support.late_pattern import late_pattern


class Told(Struct, frozen=True):
    """A folder, and what it is for: it is "written", or it is a "home", where a program may write what it likes."""

    path: str
    kind: Literal["written", "home"]


_WRITTEN = (
    "ARTIFACTS?|BACKUPS?|CACHE|DATA|DB|DATABASE|DOWNLOADS?|DUMPS?|GENERATED|INDEX|JOURNAL|LOGS?|LOGGING|OUT|OUTPUT|QUEUE"
    "|RUN|RUNTIME|SCRATCH|SESSIONS?|SNAPSHOTS?|SPOOL|STATE|STORAGE|STORE|TEMP|TMP|TRANSCODES?|UPLOADS?|WAL|WORK|WORKING"
)
_FOLDER = "DIR|DIRS|DIRECTORY|FOLDER|PATH|LOCATION|ROOT"
_VARIABLE = re.compile(
    rf"(?:\w+_)?(?:{_WRITTEN})(?:_FILE)?_(?:{_FOLDER}|NAME)|(?:\w+_)?(?:LOG|PID)_?FILE|(?:\w+_)?CACHE|TMPDIR|TEMP|TMP|PGDATA"
    rf"|(?:\w+_)?(?:CACHE|DATA|LOG|STATE|TMP|WORK)DIR|MPLCONFIGDIR|(?:\w+_)?TRANSFORMERS_CACHE|VLLM_\w+_ROOT|HF_HOME|TORCH_HOME"
)
_HOME = re.compile(r"HOME|\w+_(?:CACHE|CONFIG|DATA|STATE)_HOME|XDG_RUNTIME_DIR|HELM_HOME|CARGO_HOME|GNUPGHOME")
_FLAG = late_pattern(
    rf"--?(?:\w+[-.])*(?:{_WRITTEN})(?:[-._]\w+)?[-._]?(?:DIR|PATH|DIRECTORY|FOLDER|ROOT)|--?CERT-DIR|--?TMPDIR|--?DBPATH|--?(?:LOG|PID)[-_]?FILE",
    re.I,
)
# Flags that mean a folder to write to in one program only.
_OF_PROGRAM = {
    "redis-server": ("--dir",),
    "redis": ("--dir",),
    "valkey-server": ("--dir",),
    "valkey": ("--dir",),
    "git-sync": ("--root", "-root"),
    "nats-server": ("-sd", "--store_dir"),
    "nats": ("-sd", "--store_dir"),
    "influxd": ("--bolt-path", "--engine-path"),
    "code-server": ("--user-data-dir", "--extensions-dir"),
}
_FILE = late_pattern(r"[^/]*\.(?:db|db3|gc|log|out|pid|sock|socket|sqlite3?|txt|hprof|lock)", re.I)
# A file by the name of its variable or flag, whatever it is called.
_NAMES_FILE = late_pattern(r"(?:.*[_-])?(?:LOG|PID)[-_]?FILE|.*_FILE_NAME", re.I)
# What such a file is, whatever the name of the variable says: a program makes it.
_OWN_FILE = re.compile(r"/[^\s:$]*\.(?:db|db3|pid|sqlite3?)", re.I)
_JAVA_TMP = late_pattern(
    r"(?<![\w-])(?:-Djava\.io\.tmpdir=|-Dlogging\.file\.(?:name|path)=|-XX:HeapDumpPath=|-Xloggc:)([^\s\"';]+)"
)
_UNKNOWN_PART = late_pattern(r"[$`*?\[{]")


def told_paths(
    words: Sequence[str], env: Mapping[str, str], *, program: str = "", workdir: str | None = None
) -> list[Told]:
    """The folders that variables (`TMPDIR`, `UPLOAD_DIR`, `XDG_CACHE_HOME`) and flags (`--data-dir`) name.

    ``words``: command and arguments. ``program``: what runs where these do not say it, such as the name of the image.
    ``workdir``: where a relative path starts; without one it says nothing. Of a file its folder is named.
    """
    found = [*_of_variables(env), *_of_flags(words, program, workdir)]
    texts = [*(word for word in words if isinstance(word, str)), *(value for _, value in literal_env(env))]
    found += [
        ("written", match[1])
        for text in texts
        if "-D" in text or "-X" in text  # as each of these flags begins
        for match in _JAVA_TMP.finditer(text)
    ]
    told: list[Told] = []
    for kind, value in found:
        path = None if _UNKNOWN_PART.search(value) else known_path(value)
        if path is not None and _FILE.fullmatch(posixpath.basename(path)):
            path = known_path(posixpath.dirname(path))
        if path is not None:
            told.append(Told(path, kind))
    return list(dict.fromkeys(told))


def is_written(name: str) -> bool:
    """Whether a variable or a key of this name says a folder that is written to."""
    return _kind_of(name) == "written"


def is_own_file(path: str) -> bool:
    """Whether ``path`` is a file by its name that a program makes: a log, a database, a socket."""
    return _FILE.fullmatch(posixpath.basename(path)) is not None


_Kind = Literal["written", "home"]


def _of_variables(env: Mapping[str, str]) -> Iterator[tuple[_Kind, str]]:
    for name, value in literal_env(env):
        kind = _kind_of(name)
        if kind == "home":
            yield "home", value
        elif kind == "written" or _OWN_FILE.fullmatch(value):
            yield "written", _folder_of(name, value)


@lru_cache(maxsize=256)  # the containers of a tree have few names of variables
def _kind_of(variable: str) -> _Kind | None:
    """What the folder is for that ``variable`` names, None where it names none."""
    upper = variable.upper()
    return "home" if _HOME.fullmatch(upper) else "written" if _VARIABLE.fullmatch(upper) else None


def _folder_of(name: str, value: str) -> str:
    """The folder that is written where ``name`` says ``value``."""
    return posixpath.dirname(value) if _NAMES_FILE.fullmatch(name) else value


def _of_flags(words: Sequence[str], program: str, workdir: str | None) -> Iterator[tuple[_Kind, str]]:
    first = next((posixpath.basename(word) for word in words if isinstance(word, str)), "")
    own = (*_OF_PROGRAM.get(first, ()), *_OF_PROGRAM.get(program, ()))
    said = flags(words)
    names = {flag for flag, _ in said}
    for flag, value in said:
        if flag in own or _FLAG.fullmatch(flag):
            if flag.lstrip("-") == "cert-dir" and "--tls-cert-file" in names:
                continue
            relative = workdir is not None and value and not value.startswith("/") and _RELATIVE.fullmatch(value)
            yield "written", _folder_of(flag, posixpath.join(workdir, value) if relative and workdir else value)


_RELATIVE = late_pattern(r"(?:\./)?[\w.-]+(?:/[\w.-]+)*/?")

# Folders where images keep what they run with, or may: no standard and no base image has others at the top.
_OF_PROGRAMS = frozenset(
    """app apps bin boot busybox code dev etc home html lib lib32 lib64 libx32 model models nix node_modules opt proc
    project projects root sbin site snap src srv static sys usr var web work workdir workspace www""".split()
)


def may_be_mounted(path: str, empty: Sequence[str] = (), workdir: str | None = None) -> bool:
    """Whether an empty volume at ``path`` hides nothing that the image needs, as far as the path tells.

    That holds at and below `/tmp`, `/var/tmp` and `/run` (which is emptied at every start of a system, FHS 3.0), below
    `/var/cache`, at and below what is known to be ``empty``, and in folders of the top level where no image keeps what
    it runs with (`/data`, `/cache`, `/output`), unless the program starts in it: in ``workdir`` stands what it starts.
    """
    if not path.startswith("/"):
        return False
    wanted = one_run(path)
    if any(below(wanted, one_run(root)) for root in ("/tmp", "/var/tmp", "/run", *empty) if root != "/"):
        return True
    if workdir is not None and below(one_run(workdir), wanted):
        return False
    top = wanted.split("/")[1]
    return wanted.startswith("/var/cache/") or (bool(top) and top not in _OF_PROGRAMS)


@lru_cache(maxsize=1024)  # the containers of a tree have few paths
def one_run(path: str) -> str:
    """``path`` without `..` and `//`; `/var/run` is a link to `/run` in nearly every image."""
    path = "/" + posixpath.normpath(path).lstrip("/")
    return path.removeprefix("/var") if below(path, "/var/run") else path
