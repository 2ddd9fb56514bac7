"""A shell script as lines, for what is only looked at: nothing in it is ever changed."""

from __future__ import annotations

import os
import re
from typing import Any

from hardener.sources import files
from hardener.sources.files import Content, UnreadableError
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.source import Around, Reader, Reading, Source, unreadable
from hardener.sources.yaml import Comment
from hardener.support.data_path import Path

SCRIPT = ("hardener.dev", "Script")
"""What a shell script is taken for: group and kind."""
_COMMENT = re.compile(r"^\s*(?=#)|\s(?=#)")
_OF_CLUSTERS = re.compile(
    r"\bkube(?:ctl|adm)\b|,\"system:|--(?:audit-log-path|audit-policy-file|anonymous-auth|token-auth-file|authorization-mode|"
    r"read-only-port|insecure-port)\b"
)

# More that may make an object, under whatever name the client stands.
_OF_GATE = re.compile(
    r"\b(?:helm|oc|kapp|argocd|flux|istioctl)\b|\b(?:apply|create|replace)[ \t]+(?:-[fk]|--filename|--kustomize)"
    r"|/apis?/[\w.-]*/?v\d\w*/"
)


class Parsed:
    """The one document of a script: its lines under ``lines``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines()
        self.documents: list[Any] = [{"lines": self._lines}]

    def line(self, document: int, path: Path) -> int:
        """The 1-based line of a path such as ``lines, 3``; the first for any other."""
        return path[1] + 1 if len(path) > 1 and isinstance(path[1], int) else 1

    def depth(self, document: int, path: Path) -> int:
        """How many parts of ``path`` lead to something: a script holds lines, and nothing below them."""
        return min(len(path), 2)

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


class Scripts(Source):
    """Scripts that say something about a cluster, each as one object whose lines are a list of it."""

    name = "script"
    has_segments = True

    def reader(self, around: Around) -> Reader:
        return _Scripts(around)

    def parse(self, piece: Piece, text: str) -> Parsed:
        return Parsed(text)

    def text_of(self, parsed: Parsed) -> str:
        return parsed.text


class _Scripts(Reader):
    def __init__(self, around: Around) -> None:
        self._around = around

    def read(self, path: str, name: str, *, editable: bool, within: str) -> Reading:
        try:
            content = files.read(path)
        except UnreadableError as error:
            return unreadable(error, path, name, editable=editable)
        holds_manifests = "<<" in content.text and "apiVersion" in content.text
        if not holds_manifests and not is_of_interest(content.text, is_gate=editable and self._around.is_gate):
            return Reading(passed="no-manifest")
        file = load(path, name, content, SCRIPT, editable=editable)
        if holds_manifests:
            from hardener.sources.embedded import heredocs  # late: few scripts hold manifests

            heredocs.add(file)
        return Reading(file)


def is_of_interest(text: str, *, is_gate: bool) -> bool:
    """Whether a script says something about a cluster, or for a gate may make an object."""
    return _OF_CLUSTERS.search(text) is not None or (is_gate and _OF_GATE.search(text) is not None)


def load(path: str, name: str, content: Content, kind: tuple[str, str], *, editable: bool) -> ManifestFile:
    """A text as one object of ``kind`` (group and kind), whose lines are a list of it."""
    file = ManifestFile(path, name, content, editable, source=SOURCE)
    group, called = kind
    base = {"apiVersion": f"{group}/v1", "kind": called, "metadata": {"name": os.path.basename(name)}}
    data = [base | Parsed(content.text).documents[0]]
    file.pieces.append(Piece(file, 0, len(content.text), 0, data, parsed=True))
    return file


SOURCE = Scripts()
