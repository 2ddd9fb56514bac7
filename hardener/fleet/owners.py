"""Who owns a file, by the CODEOWNERS of its repository.

Source: docs.github.com, "About code owners"; docs.gitlab.com, "Code Owners syntax and error handling". GitHub takes
patterns as .gitignore does, without ``!`` and ``[ ]``; GitLab has sections with default owners, ``!`` for what has
none, and lets each path without a leading slash stand anywhere. (The package ``codeowners`` of PyPI, 0.9, knows neither
default owners nor ``!``, and takes the words of a comment for owners.)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property

from hardener.sources.files import UnreadableError, read_bytes

# The order in which GitHub looks; GitLab has the same for those it knows.
_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_LARGEST = 3 * 1024 * 1024  # bytes: GitHub loads no larger one
_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>(?:\s.*)?)")
_OWNER = re.compile(r"@\S+|[^\s@]+@[^\s@]+")
_WORD = re.compile(r"(?:\\.|[^\s\\])+")
_TOKEN = re.compile(
    r"(?P<folders>(?:(?<=/)|^)\*\*/)|(?P<all>(?:(?<=/)|^)\*\*$)|(?P<name>\*+)|(?P<character>\?)|\\?(?P<plain>.)", re.S
)
_WILD = {"folders": "(?:.*/)?", "all": ".*", "name": "[^/]*", "character": "[^/]"}
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")


class Owners:
    """The owners of the files of the repository in ``folder``."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def of(self, path: str) -> str | None:
        """The owners of ``path``, which is relative to the repository, in the order of the file; None without one."""
        found: dict[str, None] = {}
        for section in self._sections:
            found |= dict.fromkeys(section.of(path))
        return " ".join(found) or None

    @cached_property
    def _sections(self) -> list[_Section]:
        for place in _PLACES:
            try:
                text = read_bytes(os.path.join(self._folder, place), _LARGEST)[0].decode("utf-8", "replace")
            except UnreadableError:
                continue
            lines = [_COMMENT.sub("", line).strip() for line in text.splitlines()]
            return list(_sections([line for line in lines if line], self._is_gitlab(place, lines)))
        return []

    def _is_gitlab(self, place: str, lines: list[str]) -> bool:
        pipeline = os.path.join(self._folder, ".gitlab-ci.yml")
        return place.startswith(".gitlab/") or os.path.lexists(pipeline) or any(map(_SECTION.fullmatch, lines))


class _Section:
    """Lines of which the last that matches counts; those of GitHub are one section."""

    def __init__(self) -> None:
        self._rules: list[tuple[re.Pattern[str], list[str]]] = []
        self._excluded: list[re.Pattern[str]] = []

    def add(self, line: str, default: list[str], *, gitlab: bool) -> None:
        pattern, *words = _WORD.findall(line) or [line]
        if gitlab and pattern.startswith("!"):
            self._excluded.append(_compiled(pattern[1:], gitlab=True))
        else:
            self._rules.append((_compiled(pattern, gitlab=gitlab), list(filter(_OWNER.fullmatch, words)) or default))

    def of(self, path: str) -> list[str]:
        if any(pattern.fullmatch(path) for pattern in self._excluded):
            return []
        return next((owners for pattern, owners in reversed(self._rules) if pattern.fullmatch(path)), [])


def _sections(lines: list[str], gitlab: bool) -> Iterator[_Section]:
    by_name = {"": _Section()}
    name, default = "", list[str]()
    for line in lines:
        if gitlab and (head := _SECTION.fullmatch(line)):
            name, default = head["name"].lower(), _OWNER.findall(head["owners"])  # the same name is the same section
            by_name.setdefault(name, _Section())
        else:
            by_name[name].add(line, default, gitlab=gitlab)
    yield from by_name.values()


def _compiled(pattern: str, *, gitlab: bool) -> re.Pattern[str]:
    body = pattern.strip("/")
    anchored = pattern.startswith("/") or (not gitlab and "/" in body)
    parts = "".join(_translated(token) for token in _TOKEN.finditer(body))
    # A folder owns all below it; `folder/*` owns its files alone.
    below = "/.*" if pattern.endswith("/") else "" if pattern.endswith("/*") else "(?:/.*)?"
    return re.compile(("" if anchored else "(?:.*/)?") + parts + below, re.S)


def _translated(token: re.Match[str]) -> str:
    return _WILD.get(token.lastgroup or "") or re.escape(token["plain"])
