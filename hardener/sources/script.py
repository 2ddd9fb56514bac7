"""A shell script as lines, for what is only looked at: nothing in it is ever changed."""

from __future__ import annotations

import re
from typing import Any

from hardener.sources.yaml import Comment
from hardener.support.data_path import Path

_COMMENT = re.compile(r"^\s*(?=#)|\s(?=#)")


class Parsed:
    """The one document of a script: its lines under ``lines``."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self.documents: list[Any] = [{"lines": self._lines}]

    def line(self, document: int, path: Path) -> int:
        """The 1-based line of a path such as ``lines, 3``; the first for any other."""
        return path[1] + 1 if len(path) > 1 and isinstance(path[1], int) else 1

    def comment(self, document: int, path: Path) -> str | None:
        """The comment at the end of the line of a path."""
        number = self.line(document, path)
        return next((found.text for found in self.comments() if found.line == number and not found.alone), None)

    def comments(self) -> list[Comment]:
        """Everything that may be a comment; a # in a text between quotes is taken for one too."""
        found = []
        for number, line in enumerate(self._lines, 1):
            if match := _COMMENT.search(line):
                found.append(Comment(number, line[match.end() :], not line[: match.end()].strip()))
        return found
