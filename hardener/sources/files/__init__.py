"""Files of a tree: which may be named, and how to read them. Knows no YAML and no Kubernetes."""

from __future__ import annotations

import glob
import os
import re
import stat
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from msgspec import Struct

from hardener.errors import HardenError, InputError
from hardener.support.late_pattern import late_pattern
from hardener.support.near_names import nearest

NAMES = frozenset({"Kustomization"})  # of manifests whose names end in nothing that tells
_OTHERS = (".csv", ".conf", ".kubeconfig")
MAX_BYTES = 64 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
_ADDRESS = late_pattern(r"[a-z+]+://|[\w.-]+@[\w.-]+:")
_LINE_END = late_pattern("\n")
CONFIG = ".harden.yaml"  # what a repository says about its cluster: authoring/config.py
RUN_FOLDER = ".harden-run"  # what a run keeps while it writes: sources/run_folder.py


# What stands in a work tree for a file that is kept elsewhere. Sources: git-lfs docs/spec.md (and the name that it had
# before), git-annex doc/internals/pointer_file.
_POINTERS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "Git LFS", "git lfs pull"),
    (b"version https://hawser.github.com/spec/", "Git LFS", "git lfs pull"),
    (b"/annex/objects/", "git-annex", "git annex get"),
)
_instead: dict[str, str] = {}  # what counts for a file in place of what it holds
_LARGEST_POINTER = 32 * 1024  # bytes; those of Git LFS are shorter


class UnreadableError(HardenError):
    """A file that is not read. ``id`` names the kind of problem; ``advice`` says what to do."""

    def __init__(self, id: str, message: str, advice: str) -> None:
        super().__init__(message)
        self.id, self.message, self.advice = id, message, advice


class Content(Struct, eq=False):
    """The text of a file without its byte order mark, its size and time as read (to see a change under us), and the
    encoding that it has, and keeps."""

    text: str
    bom: bool
    size: int
    mtime_ns: int
    encoding: str = "utf-8"
    _starts: array[int] | None = None

    @property
    def line_starts(self) -> array[int]:
        """Where the lines of the text begin, as ``line_starts`` tells; remembered."""
        if self._starts is None:
            self._starts = line_starts(self.text)
        return self._starts

    def encoded(self, text: str) -> bytes:
        """``text`` as it is written to the file. Raises UnicodeEncodeError where its encoding has no such character."""
        return (BOM if self.bom else b"") + text.encode(self.encoding)


def line_starts(text: str) -> array[int]:
    """Where each line of ``text`` begins, and where the last one ends. Only a line feed ends a line, as for git.

    The lines themselves, each on its own, would be many times as large as a large file.
    """
    starts = array("I", [0])
    starts.extend(map(re.Match.end, _LINE_END.finditer(text)))
    if starts[-1] != len(text):
        starts.append(len(text))
    return starts


def git_root(path: str) -> str | None:
    """The folder at or above ``path`` that holds ``.git``, or None."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def expand(arguments: list[str]) -> list[str]:
    """Real paths of the files and folders named; patterns are expanded.

    Raises InputError for one that is missing, whose last part is a link, or that leads out of its Git repository.
    """
    found: list[str] = []
    for argument in arguments:
        for name in [argument] if os.path.lexists(argument) else _matching(argument):
            found.append(real_path(name))
    return list(dict.fromkeys(found))


def _matching(pattern: str) -> list[str]:
    if not glob.has_magic(pattern):
        return [pattern]
    names = sorted(glob.glob(pattern, recursive=True))
    if not names:
        raise InputError(f"{pattern}: no file matches this pattern")
    return names


def real_path(given: str) -> str:
    """The real path of what a person named: nobody who names a folder of a repository means what a link in it leads to.

    Links count where they are the last part, or stand in a Git repository and lead out of it; those above a repository
    say only where it is. Raises InputError for these, and for a missing file or folder.
    """
    parts = [part for part in given.split(os.sep) if part not in ("", os.curdir)]
    if not given:
        raise InputError("a path is empty")
    real = os.path.realpath(os.sep if os.path.isabs(given) else os.curdir)
    for number, part in enumerate(parts):
        if part == os.pardir:
            real = os.path.dirname(real)
            continue
        path = os.path.join(real, part)
        if not os.path.islink(path):
            real = path
            continue
        target = os.path.realpath(path)
        if number == len(parts) - 1:
            raise InputError(f"{given}: a symbolic link, which is not followed; {_named_instead(target)}")
        root = git_root(real)
        if root is not None and not is_inside(target, root):
            name = os.path.relpath(path)
            whole = os.path.join(target, *parts[number + 1 :])
            raise InputError(f"{given}: the link {name} leads out of the repository; {_named_instead(whole)}")
        real = target
    if not os.path.exists(real):
        raise InputError(f"{given}: no such file or folder{_missing(given)}")
    return real


def _missing(given: str) -> str:
    """What to do about a path that leads nowhere, for what people give in place of one."""
    if given == "-":
        return "; for standard input: harden filter < FILE"
    if _ADDRESS.match(given):
        return "; an address is not read: clone or download it, and name the folder or file"
    parts = re.split(r"[, ]+", given)
    if len(parts) > 1 and all(os.path.exists(part) for part in parts):
        return f"; separate paths by spaces: {' '.join(parts)}"
    folder, name = os.path.split(given.rstrip("/"))
    try:
        near = nearest(name, os.listdir(folder or "."))
    except OSError:
        return ""
    return f" (did you mean {os.path.join(folder, near)}?)" if near else ""


def _named_instead(path: str) -> str:
    if not os.path.exists(path):
        return f"it leads to {path}, which is not there"
    return f"name what it leads to: {path}"


def target_path(given: str) -> str:
    """The real path of a file or folder that a person wants written, there or not.

    Raises InputError where a link leads out of the Git repository that it stands in, or out of the working directory:
    whoever made that link is not the person who asks.
    """
    here = os.path.realpath(os.curdir)
    real = os.path.realpath(os.sep) if os.path.isabs(given) else here
    for part in given.split(os.sep):
        if part in ("", os.curdir):
            continue
        if part == os.pardir:
            real = os.path.dirname(real)
            continue
        path = os.path.join(real, part)
        if os.path.islink(path):
            root = git_root(real) or (here if is_inside(real, here) else None)
            target = os.path.realpath(path)
            if root is not None and not is_inside(target, root):
                name = os.path.relpath(path)
                raise InputError(f"{given}: the link {name} leads out of the tree, and nothing is written there")
            path = target
        real = path
    return real


def is_inside(path: str, folder: str) -> bool:
    """Whether the real path ``path`` is ``folder`` or lies in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def relative(path: str, root: str) -> str:
    """The name of a file seen from ``root``, with slashes."""
    return os.path.relpath(path, root).replace(os.sep, "/")


def root_of(paths: list[str]) -> str:
    """Where evidence is read from: the Git root, else the deepest folder that holds all ``paths``."""
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in paths]
    common = os.path.commonpath(folders)
    return git_root(common) or common


def is_other(path: str) -> bool:
    """Whether a file is no manifest by its name, and may hold a credential of a cluster: kubeconfigs, and tables of
    tokens."""
    folder, name = os.path.split(path)
    lower = name.lower()
    if lower.endswith(_OTHERS) or lower == "kubeconfig":
        return True
    if "token" in lower:
        return "." not in lower.removesuffix(".txt")
    return name == "config" and os.path.basename(folder) == ".kube"


def name_of(path: str) -> str:
    """``path``, which is a real one, as people see it from where they are: ``os.path.relpath``, quick below there."""
    here = os.path.join(os.getcwd(), "")
    return path[len(here) :] if path.startswith(here) and path != here else os.path.relpath(path)


def _open_at_once(path: str, flags: int) -> int:
    # Opening a named pipe would wait for its other end.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read(path: str) -> Content:
    """The text of ``path``. Raises UnreadableError for anything that is not UTF-8 text of a sane size."""
    if path in _instead:
        return Content(_instead[path], False, 0, 0)
    raw, status = read_bytes(path)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("not-utf-8", "the file is UTF-16", "save it as UTF-8")
    if len(raw) <= _LARGEST_POINTER and (found := _pointer(raw)) is not None:
        raise UnreadableError("pointer-file", f"a pointer of {found[0]}, and not the file", f"run {found[1]} before")
    bom = raw.startswith(BOM)
    try:
        text = raw[3:].decode() if bom else raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableError("not-utf-8", f"line {line} is not UTF-8", "save the file as UTF-8") from None
    return Content(text, bom, status.st_size, status.st_mtime_ns)


@contextmanager
def instead_of(texts: Mapping[str, str]) -> Iterator[None]:
    """Inside, ``read`` takes each of ``texts``, by real paths, for what the file there holds. Nothing that is read so
    can be written."""
    before = dict(_instead)
    _instead.update(texts)
    try:
        yield
    finally:
        _instead.clear()
        _instead.update(before)


def _pointer(raw: bytes) -> tuple[str, str] | None:
    """The program that keeps the file for which ``raw`` stands, and the command that brings it; None for any other."""
    return next(((program, command) for head, program, command in _POINTERS if raw.startswith(head)), None)


def read_bytes(path: str, largest: int | None = None) -> tuple[bytes, os.stat_result]:
    """What ``path`` holds, and its status then. Raises UnreadableError for what is no file, and for one of more than
    ``largest`` bytes (MAX_BYTES)."""
    largest = MAX_BYTES if largest is None else largest
    try:
        with open(path, "rb", opener=_open_at_once) as handle:
            status = os.fstat(handle.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_dev in _of_the_system():
                raise UnreadableError("unreadable-file", "not a regular file", "name a file or a folder")
            if status.st_size > largest:
                size = f"{status.st_size / 2**20:.0f} MiB, more than {largest >> 20} MiB"
                raise UnreadableError("file-too-large", f"the file has {size}", "split it")
            raw = handle.read(status.st_size + 1) or b""  # to ask for as much as may be costs as much memory
            if len(raw) > status.st_size:  # what grows, or says that it is empty, has no end
                raw += handle.read(largest + 1 - len(raw)) or b""
            if len(raw) > largest:
                raise UnreadableError("file-too-large", f"the file has more than {largest >> 20} MiB", "split it")
    except OSError as error:
        raise UnreadableError("unreadable-file", f"cannot be read: {error.strerror}", "check its permissions") from None
    return raw, status


@cache
def _of_the_system() -> frozenset[int]:
    """The devices of /proc and /sys: what looks like a file there tells of the machine, and of harden itself."""
    found = set()
    for folder in ("/proc", "/sys"):
        try:
            found.add(os.stat(folder).st_dev)
        except OSError:
            continue  # another system
    return frozenset(found - {os.stat(os.sep).st_dev})
