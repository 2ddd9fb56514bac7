"""What a change touches: the lines that differ from a revision, and the records of a run that stand in their documents.

A document is touched when one of its lines was added, changed or removed since the revision. What is read and what
decides is the whole repository all the same; only what is reported is less.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable

from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.sources.files import git_root
from hardener.sources.manifests import Piece

_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb'\\([0-7]{3}|["\\abfnrtv])')
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class Touched:
    """The lines that a change touches: ranges of 1-based line numbers by the real path of the file, None for all."""

    def __init__(self, lines: dict[str, list[range] | None]) -> None:
        self._lines = lines

    def piece(self, piece: Piece) -> bool:
        """Whether one of the lines of ``piece`` is touched."""
        return self._any(piece.file.path, range(piece.line + 1, piece.line + 1 + max(1, len(piece.text.splitlines()))))

    def line(self, path: str, number: int) -> bool:
        """Whether line ``number`` of the file ``path`` is touched."""
        return self._any(os.path.realpath(path), range(number, number + 1))

    def _any(self, path: str, wanted: range) -> bool:
        if path not in self._lines:
            return False
        ranges = self._lines[path]
        return ranges is None or any(one.start < wanted.stop and wanted.start < one.stop for one in ranges)

    def narrow(self, outcome: Outcome) -> None:
        """Take what does not stand in a touched document out of the findings and the refusals of ``outcome``."""
        outcome.findings = [
            found for found in outcome.findings
            if (self.piece(found.piece) if found.piece is not None else self._file(found.file, found.line))
        ]  # fmt: skip
        outcome.refused = [
            item for item in outcome.refused if item.step is not None or self._file(item.file, item.line)
        ]

    def _file(self, name: str, line: int) -> bool:
        # What is said of a whole file stands on its first line.
        path = os.path.realpath(name)
        return path in self._lines and (line <= 1 or self._any(path, range(line, line + 1)))


def since(revision: str, root: str) -> Touched:
    """What differs from the commit where HEAD left ``revision``, files that are not committed included.

    Raises InputError where ``root`` is in no Git repository, or the revision is not there.
    """
    top = git_root(root)
    if top is None:
        raise InputError(f"--since {revision}: {os.path.relpath(root)} is in no Git repository")
    git = _asker(top)
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    if commit is None:
        raise InputError(f"--since {revision}: no such revision; a shallow clone may have to fetch it first")
    base = git("merge-base", commit.decode().strip(), "HEAD")
    if base is None:
        raise InputError(f"--since {revision}: it has no commit in common with HEAD; fetch the whole history")
    shown = git(
        "-c", "core.quotePath=false", "diff", "--no-color", "--no-ext-diff", "--no-textconv", "--unified=0",
        "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/", base.decode().strip(), "--",
    )  # fmt: skip
    new = git("ls-files", "--others", "--exclude-standard", "-z")
    if shown is None or new is None:
        raise InputError(f"--since {revision}: git does not say what changed")
    lines: dict[str, list[range] | None] = {}
    for name, ranges in _hunks(shown).items():
        lines[os.path.realpath(os.path.join(top, name))] = list(ranges)
    for entry in new.split(b"\0"):
        if entry:
            lines[os.path.realpath(os.path.join(top, os.fsdecode(entry)))] = None
    return Touched(lines)


def _asker(top: str) -> Callable[..., bytes | None]:
    def ask(*arguments: str) -> bytes | None:
        try:
            done = subprocess.run(["git", "-C", top, *arguments], capture_output=True, timeout=120)
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout if done.returncode == 0 else None

    return ask


def _hunks(patch: bytes) -> dict[str, list[range]]:
    """The changed lines by the name of the file as it is now; a removal touches the lines on both sides of it."""
    found: dict[str, list[range]] = {}
    current: list[range] = []
    left = 0  # lines of the hunk that are still to come: one of them may look like a head
    for line in patch.split(b"\n"):
        if left and line[:1] in b"+-":
            left -= 1
        elif line.startswith(b"+++ "):
            name = _name(line[4:])
            current = [] if name is None else found.setdefault(name, [])
        elif match := _HUNK.match(line.decode("utf-8", "replace")):
            start, count = int(match[1]), int(match[2] or 1)
            current.append(range(start, start + count) if count else range(start, start + 2))
            left = count + _removed(line)
    return found


def _removed(head: bytes) -> int:
    _, _, count = head.split(b" ")[1].partition(b",")
    return int(count or 1)


def _name(text: bytes) -> str | None:
    """The name behind ``+++``, None for a file that is gone; Git quotes names with special characters."""
    text = text.rstrip(b"\t\r")
    if text == b"/dev/null":
        return None
    if text.startswith(b'"'):
        text = _ESCAPE.sub(_unescaped, text[1:-1])
    return os.fsdecode(text.removeprefix(b"b/"))


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8)]) if len(code) == 3 else _LETTERS.get(code, code)
