"""Folders that a file of settings names for what its program writes: data, logs, caches, files of state.

Names decide as those of variables and flags do (`configured_paths`): the key itself (`data_dir`), or a plain key
(`path`, `dir`) below one that says so (`wal: {path: /var/tempo/wal}`). Read are lines of YAML, INI, properties, and of
the files that name a key and a path (`pidfile /run/x.pid`).
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from hardener.kubernetes.pods.command_evidence import below, known_path
from hardener.kubernetes.pods.configured_paths import is_own_file, is_written
from hardener.support.late_pattern import late_pattern

_MOST = 50  # of one text
_LARGEST = 256 * 1024  # characters
_LONGEST = 1000  # characters of a line
# A key with a path, at the begin of a line or in a mapping within it.
_PAIR = late_pattern(
    r"(?<![\w./-])(?P<key>[A-Za-z][\w.-]{0,80})[\"']?(?:\s*[:=]\s*|[ \t]+)[\"']?(?P<path>/[A-Za-z_.][\w./@%+-]*)[\"']?"
    r"(?=[\s,;}\]#]|$)"
)
_KEY = late_pattern(r"(?P<indent>[ \t]*)(?:- +)?[\"']?(?P<key>[A-Za-z][\w.-]{0,80})[\"']?\s*:(?=\s|$)")
_WITHIN = late_pattern(r"[\"']?(?P<key>[A-Za-z][\w.-]{0,80})[\"']?\s*:\s*\{")
_PLAIN = frozenset({"dir", "directory", "file", "filename", "folder", "location", "path", "root"})
_OF_FILES = frozenset({"file", "filename", "log", "pid"})
_COMMENT_OR_NONE = late_pattern(r"\s*(?:$|[#;]|//)")
_PLACES = frozenset({"dirs", "directories", "folders", "paths"})  # sections that list them by what is written there
_SECTION = late_pattern(r"\s*\[+\s*[\"']?(?P<key>[\w.-]+)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Keys of programs, which no rule of names sees.
_OF_PROGRAMS = frozenset(
    {
        "access_log",
        "chunks_directory",
        "dbpath",
        "error_log",
        "log_path",
        "logpath",
        "path_prefix",
        "persistence_location",
    }
    | {"pid", "pidfile", "pid_file", "working_directory"}
)
_ELSEWHERE = ("/etc", "/usr", "/bin", "/sbin", "/lib", "/opt", "/var/run/secrets", "/run/secrets")  # what is read there


@lru_cache(maxsize=256)  # a ConfigMap is read by several containers
def written_folders(text: str) -> tuple[str, ...]:
    """The folders that ``text`` names to be written to; of a file its folder."""
    if len(text) > _LARGEST or not any(map(_may_name, text.split("\n"))):
        return ()
    found: dict[str, None] = {}
    above: list[tuple[int, str]] = []  # keys that a line stands below, with their indents
    section = ""
    for line in text.split("\n"):
        if len(line) > _LONGEST or _COMMENT_OR_NONE.match(line):
            continue
        if match := _SECTION.match(line):
            section = match["key"]
        key = _KEY.match(line)
        indent = len(key["indent"]) if key is not None else len(line) - len(line.lstrip())
        while above and above[-1][0] >= indent:
            above.pop()
        for pair in _PAIR.finditer(line):
            within = [match["key"] for match in _WITHIN.finditer(line, 0, pair.start())]
            folder = _folder(pair["key"], [section, *(name for _, name in above), *within], pair["path"])
            if folder is not None:
                found[folder] = None
        if key is not None:
            above.append((indent, key["key"]))
    return tuple(found)[:_MOST]


def _may_name(line: str) -> bool:
    """Whether a line has a key with a path; few do, and none of a dashboard."""
    return "/" in line and len(line) <= _LONGEST and _PAIR.search(line) is not None


def _folder(key: str, above: list[str], path: str) -> str | None:
    """The folder of ``path`` where its ``key``, or those ``above`` it, say that it is written."""
    own = _spelled(key)
    if not (is_written(own) or own in _OF_PROGRAMS or _is_written_by_chain(own, above)):
        return None
    known = known_path(path)
    if known is None or any(below(known, place) for place in _ELSEWHERE):
        return None
    is_file = own.rpartition("_")[2] in _OF_FILES or is_own_file(known)
    return posixpath.dirname(known) if is_file and posixpath.dirname(known) != "/" else known


def _is_written_by_chain(own: str, above: list[str]) -> bool:
    """Whether the keys ``above`` say what the plain key ``own`` does not: `data: {path: ...}`, `paths: {data: ...}`."""
    chain = [word for name in above for word in _spelled(name).split("_")]
    if own in _PLAIN and any(is_written(f"{word}_dir") for word in chain):
        return True
    return not _PLACES.isdisjoint(chain) and is_written(f"{own}_dir")


@lru_cache(maxsize=1024)
def _spelled(key: str) -> str:
    """``key`` as a variable is: `dataDir`, `storage.data-dir` become `data_dir`, `storage_data_dir`."""
    return re.sub(r"[.-]+", "_", _CAMEL.sub("_", key)).lower()
