"""Heredocs of a script that kubectl gets on its standard input: each a piece of the file, with the objects in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hardener.sources.embedded.source import QUOTED, UNQUOTED, EmbeddedYaml
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.yaml import TextError
from hardener.support.late_pattern import late_pattern

_STARTS = late_pattern(r"(?<!<)<<(?P<dash>-?)[ \t]*(?P<quote>[\"'\\]?)(?P<tag>[A-Za-z_]\w*)(?P=quote)?")
_APPLIES = late_pattern(
    r"\b(?:kubectl|oc|kubectl_\w+)\b.*\b(?:apply|create|replace)\b.*(?:-f|--filename)[ \t=]*(?:-(?![\w-])|/dev/stdin\b)"
)


_COMMENT = late_pattern(r"(?:^|(?<=[\s;]))#")


class Heredoc(NamedTuple):
    """The lines of a heredoc: the index of the first, that of its end, and whether its delimiter is quoted."""

    first: int
    end: int
    is_quoted: bool


def add(file: ManifestFile) -> None:
    """Add a piece to the ``file`` of a script for each heredoc that kubectl applies, and that can be read."""
    lines = file.content.text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for found in heredocs(lines):
        source = QUOTED if found.is_quoted else UNQUOTED
        piece = _piece(file, starts[found.first], starts[found.end], found.first, source)
        if piece is not None:
            file.pieces.append(piece)


def _piece(file: ManifestFile, start: int, end: int, line: int, source: EmbeddedYaml) -> Piece | None:
    """The lines from ``start`` to ``end`` as a piece of objects; None where they are none that can be read."""
    try:
        documents = source.parsed(file.content.text[start:end]).documents
    except TextError:
        return None
    if not any(isinstance(each, dict) and "kind" in each for each in documents):
        return None
    return Piece(file, start, end, line, documents, parsed=True, source=source)


def heredocs(lines: list[str]) -> Iterator[Heredoc]:
    """The heredocs that a command of kubectl gets, in ``lines`` with their ends."""
    number = 0
    while number < len(lines):
        command, first = _command(lines, number)
        command = _without_comment(command)
        start = next((match for match in _STARTS.finditer(command) if not _is_quoted(command, match.start())), None)
        if start is None:
            number = first
            continue
        end = _end(lines, first, start["tag"], strips=bool(start["dash"]))
        if end is None:
            return  # the shell takes all that follows
        if _APPLIES.search(command):
            yield Heredoc(first, end, bool(start["quote"]))
        number = end + 1


def _command(lines: list[str], number: int) -> tuple[str, int]:
    """The command that begins on line ``number``, its continuations joined, and the line behind it."""
    text = lines[number].rstrip("\r\n")
    number += 1
    while text.endswith("\\") and number < len(lines):
        text = text[:-1] + " " + lines[number].rstrip("\r\n")
        number += 1
    return text, number


def _without_comment(command: str) -> str:
    """``command`` up to a comment at its end: a # between quotes begins none."""
    starts = (match.start() for match in _COMMENT.finditer(command))
    return command[: next((start for start in starts if not _is_quoted(command, start)), None)]


def _is_quoted(command: str, at: int) -> bool:
    """Whether a quote is open at a place of a line."""
    before = command[:at]
    return before.count('"') % 2 == 1 or before.count("'") % 2 == 1


def _end(lines: list[str], first: int, tag: str, *, strips: bool) -> int | None:
    """The line that ends a heredoc; ``strips``: tabs before its delimiter do not count."""
    for number in range(first, len(lines)):
        line = lines[number].rstrip("\r\n")
        if (line.lstrip("\t") if strips else line) == tag:
            return number
    return None
