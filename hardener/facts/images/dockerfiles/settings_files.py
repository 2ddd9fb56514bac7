"""Files that the settings of a program name to write to: logs of handlers, databases in a file.

Read are the settings of Python (`logging`, Django, Flask, SQLAlchemy), Rails, Spring, and `.env` files, in the folders
that an image is built from. What a variable of the environment decides on the same line says nothing.
Sources: docs.python.org/3/library/logging.handlers.html, docs.djangoproject.com/en/stable/ref/settings,
guides.rubyonrails.org/configuring.html, docs.spring.io/spring-boot/appendix/application-properties.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from hardener.facts.images.dockerfiles.built_images import BuiltImages
from hardener.facts.images.dockerfiles.model import Said
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.kubernetes.images.reference import ImageReference
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_MOST_FILES = 1000  # of one image
_LARGEST = 256 * 1024  # characters of a file of settings
_MOST = 20  # files that one image is told to write to
_LONGEST_SECTION = 50  # lines of one database of Rails
_LONGEST_LINE = 500  # characters; a longer one is made by a program
_NEAR = 12  # lines of one handler, or of one database
_SETTINGS = re.compile(r"(?i).*\.(?:py|env|ini|cfg|toml|properties|ya?ml)|\.env(?:\.prod\w*)?")
_OTHER_PURPOSE = re.compile(
    r"(?i)(?:^|[/_.-])(?:tests?|testing|dev|development|local|examples?|samples?|docs?|migrations|node_modules|ci)(?:$|[/_.-])"
)
_MARKS = ("FileHandler", "sqlite", "basicConfig", "logging.file")
_CONFIGURED = re.compile(r"environ|getenv|\benv(?:\.\w+)?\(|config\(|\$\{(?!\{)")
_HANDLER = re.compile(r"(?:Rotating|TimedRotating|Watched|Concurrent\w*)?FileHandler\b")
_CALLED = re.compile(r"FileHandler\(\s*(?:filename\s*=\s*)?(?P<value>[^,)\n][^,\n]*?)\s*(?:[,)\n]|$)")
_FILENAME = re.compile(r"[\"']?\bfilename\b[\"']?\s*[:=](?P<value>[^\n]+)$")
_BASIC = re.compile(r"basicConfig\([^\n]*?\bfilename\s*=\s*(?P<value>[^,)\n]+)")
_ENGINE = re.compile(r"[\"']ENGINE[\"']\s*:\s*[\"'][\w.]*(?:sqlite3|spatialite)[\"']")
_NAME = re.compile(r"[\"']NAME[\"']\s*:(?P<value>[^\n]+)$")
_URL = re.compile(r"\bsqlite(?:\+\w+)?:///(?P<value>/?[^\s\"'?#&]+)")
_CONNECT = re.compile(r"sqlite3\.connect\(\s*(?P<value>[^,)\n]+)")
_DATABASE = re.compile(r"^\s*database:\s*[\"']?(?P<value>[\w./-]+\.(?:sqlite3?|db))[\"']?\s*$")  # of Rails
_SPRING = re.compile(r"^\s*logging\.file(?:\.name)?\s*[=:]\s*(?P<value>\S[^\n#]*?)\s*$")
_LITERAL = re.compile(r"f?[\"']([^\"']*)[\"']")
_NEXT_KEY = re.compile(r"\}|,\s*[\"']\w+[\"']\s*:")
_ASSIGNED = re.compile(r"(?m)^[ \t]*([A-Za-z_]\w*)[ \t]*=[ \t]*([^\n]+)$")
_IN_TEXT = re.compile(r"\{[^{}]*\}")


class SettingsFiles(AsRead):
    """The files that the settings of images built here name, found once for each image."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._known: dict[str, tuple[Said[str], ...]] = {}

    def of(self, image: ImageReference) -> tuple[Said[str], ...]:
        """The files of ``image``: absolute, or as seen from where it starts."""
        if image.text not in self._known:
            self._known[image.text] = tuple(dict.fromkeys(self._read(image)))[:_MOST]
        return self._known[image.text]

    def _read(self, image: ImageReference) -> Iterator[Said[str]]:
        files = self._tree.ask(RepositoryFiles)
        for folder in self._tree.ask(BuiltImages).folders(image):
            named = [path for path in files.below(folder) if _is_settings(posixpath.relpath(path, folder))]
            for path in named[:_MOST_FILES]:
                text = files.text(path)
                if text is None or len(text) > _LARGEST or not any(mark in text for mark in _MARKS):
                    continue
                for file, line in written_files(text):
                    yield Said(file, files.name(path), line)


def _is_settings(path: str) -> bool:
    return _SETTINGS.fullmatch(posixpath.basename(path)) is not None and _OTHER_PURPOSE.search(path) is None


def written_files(text: str) -> Iterator[tuple[str, int]]:
    """The files that the settings in ``text`` name to write to, each with its line, which counts from 1."""
    lines = [line if _is_setting(line) else "" for line in text.split("\n")]
    assigned = {name: value for name, value in reversed(_ASSIGNED.findall("\n".join(lines)))}  # the first counts
    for number, line in enumerate(lines):
        if _CONFIGURED.search(line):
            continue
        for value, at in _values(lines, number, line):
            found = _file(value, assigned)
            if found is not None:
                yield found, at + 1


def _is_setting(line: str) -> bool:
    return len(line) <= _LONGEST_LINE and not line.lstrip().startswith("#")


def _values(lines: list[str], number: int, line: str) -> Iterator[tuple[str, int]]:
    """What stands for a file in one line, or in those that belong to it, each with the number of its line."""
    for pattern in (_BASIC, _CONNECT):
        if match := pattern.search(line):
            yield match["value"], number
    for pattern in (_URL, _SPRING, _DATABASE):
        match = pattern.search(line)
        if match and (pattern is not _DATABASE or _is_of_production(lines, number)):
            yield f'"{match["value"]}"', number
    if _HANDLER.search(line):
        match = _CALLED.search(line)
        yield from [(match["value"], number)] if match else _beside(lines, number, _FILENAME)
    if _ENGINE.search(line):
        yield from _beside(lines, number, _NAME)


def _beside(lines: list[str], number: int, pattern: re.Pattern[str]) -> Iterator[tuple[str, int]]:
    """The value that ``pattern`` finds nearest to the line ``number``, behind it first."""
    for at in (*range(number, min(number + _NEAR, len(lines))), *range(number - 1, max(number - _NEAR, -1), -1)):
        found = list(pattern.finditer(_inline(lines[at])))
        if found and not _CONFIGURED.search(lines[at]):
            yield found[-1]["value"].strip(" \t,}"), at
            return
        if found:
            return


def _inline(line: str) -> str:
    """The part of a mapping in one line from the key of a file on: `{"class": "...", "filename": X}, "b": ...`."""
    at = max(line.find("filename"), line.find("NAME"))
    part = line[max(at - 1, 0) :] if at >= 0 else line
    return _NEXT_KEY.split(part, maxsplit=1)[0].rstrip() if at >= 0 else part


def _is_of_production(lines: list[str], number: int) -> bool:
    """Whether a database of Rails is the one of production."""
    near = range(number, max(number - _LONGEST_SECTION, -1), -1)
    head = next((lines[at] for at in near if lines[at][:1].isalpha()), "")
    return head.startswith("production:")


def _file(value: str, assigned: Mapping[str, str], *, deep: bool = False) -> str | None:
    """The path that ``value`` makes: a text, or names and texts joined, which is seen from where the program starts.

    ``assigned``: what names stand for.
    """
    parts = [_IN_TEXT.sub("", part) for part in _LITERAL.findall(value)]
    rest = _LITERAL.sub("", value).strip(" ()/+,.")
    if not any(parts):
        made_of = assigned.get(rest) if not deep else None
        return None if made_of is None or _CONFIGURED.search(made_of) else _file(made_of, assigned, deep=True)
    is_joined = bool(rest) or "{" in value
    path = posixpath.join(*(part.lstrip("/") for part in parts)) if is_joined else parts[0]
    if path in ("", ".", ":memory:") or path.startswith((":", "/dev/", "/proc/")) or "%" in path or "\0" in path:
        return None
    return posixpath.normpath(path)
