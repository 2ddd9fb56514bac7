"""The instructions of a Dockerfile, each with its line, by ``dockerfile-parse``.

That library reads continuations, comments within them and the directive `escape`. It knows no here-documents, ends an
instruction at a blank line (Docker reads on), loses one that the end of the file cuts off, and takes time by the square
of the lines of one instruction. The text is put right for it first, without a change to the number of a line.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from io import BytesIO

from msgspec import Struct

# docs.docker.com/reference/dockerfile
_KNOWN = frozenset(
    {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"}
    | {"ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
)
# In these an expression of a template stands for what the image is to be; in a RUN it may be an option of a program.
_PLAIN = frozenset({"EXPOSE", "FROM", "USER", "VOLUME", "WORKDIR"})
_TEMPLATE = re.compile(r"\{\{|\{%|<%|@[A-Za-z_]+@")
_MOST_LINES = 1000  # of one instruction
_MOST = 20_000  # instructions
_ESCAPE = re.compile(r"(?i)#[ \t]*escape[ \t]*=[ \t]*([\\`])[ \t]*\Z")
_DIRECTIVE = re.compile(r"#[ \t]*[A-Za-z]+[ \t]*=")
_HEREDOC = re.compile(r"(?<!<)<<(?!<)(-?)([\"']?)([A-Za-z_][A-Za-z0-9_]*)\2")
_TAKES_HEREDOC = re.compile(r"(?i)[ \t]*(?:ONBUILD[ \t]+)?(?:RUN|COPY|ADD)[ \t]")
_FLAG = re.compile(r"\s*--([a-z][a-z-]*)(?:=(\"[^\"]*\"|\S+))?(?=\s|\Z)")


class Instruction(Struct, frozen=True):
    """One instruction: its name in upper case, the text behind it, its line from 1, and its here-documents by name."""

    name: str
    value: str
    line: int
    documents: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> tuple[str, ...] | None:
        """The words of the exec form (`["a", "b"]`), None for any other."""
        text = self.value.strip()
        if not text.startswith("["):
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return tuple(found) if isinstance(found, list) and all(isinstance(word, str) for word in found) else None

    def flags(self) -> tuple[dict[str, str], str]:
        """The flags (`--chown=app`) before the first operand, by name, and the text behind them."""
        found: dict[str, str] = {}
        position = 0
        while match := _FLAG.match(self.value, position):
            found[match[1]] = (match[2] or "").strip('"')
            position = match.end()
        return found, self.value[position:].strip()


def read(text: str) -> tuple[Instruction, ...] | None:
    """The instructions of a Dockerfile; None for a text that is none, or that no person wrote."""
    from dockerfile_parse import DockerfileParser  # late: many trees hold no Dockerfile

    prepared = _prepared(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    if prepared is None:
        return None
    lines, documents = prepared
    source = BytesIO(("\n".join(lines) + "\n").encode(errors="replace"))
    found: list[Instruction] = []
    for item in DockerfileParser(fileobj=source, env_replace=False).structure:
        name = item["instruction"]
        if name == "COMMENT":
            continue
        if name not in _KNOWN or len(found) == _MOST or (name in _PLAIN and _TEMPLATE.search(item["value"] or "")):
            return None
        start = item["startline"]
        found.append(Instruction(name, (item["value"] or "").strip(), start + 1, documents.get(start, ())))
    return tuple(found) if any(item.name == "FROM" for item in found) else None


def _prepared(lines: list[str]) -> tuple[list[str], dict[int, tuple[tuple[str, str], ...]]] | None:
    """``lines`` as the library reads them right, and the here-documents by the first line of their instruction."""
    escape = _escape(lines)
    places: dict[str, list[int]] = {}  # of a text that may end a here-document
    if any("<<" in line for line in lines):
        for number, line in enumerate(lines):
            places.setdefault(line.strip(), []).append(number)
    kept = list(lines)
    documents: dict[int, tuple[tuple[str, str], ...]] = {}
    start: int | None = None  # of the instruction that goes on
    number = 0
    while number < len(lines):
        stripped = lines[number].strip()
        if not stripped:
            kept[number] = "#" if start is not None else ""
        elif not stripped.startswith("#"):
            start = number if start is None else start
            if number - start >= _MOST_LINES:
                return None
            if not stripped.endswith(escape):
                end = _heredocs(lines, start, number, places, documents)
                kept[number + 1 : end + 1] = ["#"] * (end - number)
                number, start = end, None
        number += 1
    return [*kept, ""], documents  # the blank line ends what the end of the file cuts off


def _escape(lines: list[str]) -> str:
    for line in lines:
        if match := _ESCAPE.match(line.strip()):
            return match[1]
        if not _DIRECTIVE.match(line.strip()):
            break
    return "\\"


def _heredocs(
    lines: list[str],
    start: int,
    end: int,
    places: dict[str, list[int]],
    documents: dict[int, tuple[tuple[str, str], ...]],
) -> int:
    """Note the here-documents of the instruction in the lines ``start`` to ``end``; the last line that is theirs."""
    if not places or not _TAKES_HEREDOC.match(lines[start]):
        return end
    found = []
    for line in lines[start : end + 1]:
        for match in _HEREDOC.finditer(line):
            ends = places.get(match[3], [])
            at = bisect_right(ends, end)
            if at == len(ends):
                continue  # it has no end, so it is none: two signs in a text
            body = lines[end + 1 : ends[at]]
            found.append((match[3], "\n".join(each.lstrip("\t") for each in body) if match[1] else "\n".join(body)))
            end = ends[at]
    if found:
        documents[start] = tuple(found)
    return end
