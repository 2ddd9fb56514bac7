"""What a change touches: the lines that differ from a revision, and the records of a run that stand in their documents.

A document is touched when one of its lines was added, changed or removed since the revision. What is read and what
decides is the whole repository all the same; only what is reported is less.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.sources.files import git_root, is_inside
from hardener.sources.git import index as git_index
from hardener.sources.git.program import Git
from hardener.sources.manifests import Piece
from hardener.support.programs import ProgramError
from hardener.support.shell_words import command

_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_BRANCH = re.compile(r"origin/(\w[\w./-]*)", re.ASCII)  # to a shell a word
_ESCAPE = re.compile(rb'\\([0-7]{3}|["\\abfnrtv])')
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class Touched:
    """The lines that a change touches: ranges of 1-based line numbers by the real path of the file.

    ``is_new`` tells of any other file whether the revision cannot have it: all of it is touched then.
    """

    def __init__(self, lines: dict[str, list[range]], is_new: Callable[[str], bool]) -> None:
        self._lines, self._is_new = lines, is_new

    def piece(self, piece: Piece) -> bool:
        """Whether one of the lines of ``piece`` is touched."""
        return self._any(piece.file.path, range(piece.line + 1, piece.line + 1 + max(1, len(piece.text.splitlines()))))

    def folder(self, path: str) -> bool:
        """Whether something in the folder ``path`` is touched, or the file that it is."""
        if any(is_inside(one, path) for one in self._lines):
            return True
        names = (os.path.join(top, name) for top, _, files in os.walk(path) for name in files)
        return any(map(self._is_new, names)) or (os.path.isfile(path) and self._is_new(path))

    def line(self, path: str, number: int) -> bool:
        """Whether line ``number`` of the file ``path`` is touched."""
        return self._any(os.path.realpath(path), range(number, number + 1))

    def _any(self, path: str, wanted: range) -> bool:
        ranges = self._lines.get(path)
        if ranges is None:
            return self._is_new(path)
        return any(one.start < wanted.stop and wanted.start < one.stop for one in ranges)

    def narrow(self, outcome: Outcome) -> None:
        """Take what does not stand in a touched document out of the findings and the refusals of ``outcome``."""
        outcome.findings = [
            found for found in outcome.findings
            if (self.piece(found.piece) if found.piece is not None else self._file(found.file, found.line))
        ]  # fmt: skip
        outcome.refused = [
            item for item in outcome.refused if item.step is not None or self._file(item.file, item.line)
        ]

    def documents(self, outcome: Outcome) -> int:
        """How many of the documents of ``outcome`` are touched."""
        pieces = [piece for file in outcome.tree.files if file.editable and not file.is_new for piece in file.pieces]
        return sum(
            sum(document is not None for document in piece.data) if piece.parsed else 1
            for piece in pieces
            if piece.text.strip() and self.piece(piece)
        )

    def _file(self, name: str, line: int) -> bool:
        # What is said of a whole file stands on its first line.
        path = os.path.realpath(name)
        return self._any(path, range(line, line + 1)) or (line <= 1 and path in self._lines)


def since(revision: str, root: str) -> Touched:
    """What differs from the commit where HEAD left ``revision``, files that are not committed included.

    Raises InputError where ``root`` is in no Git repository, or the revision is not there.
    """
    top = git_root(root)
    if top is None:
        raise InputError(f"--since {revision}: {os.path.relpath(root)} is in no Git repository")
    try:
        index = git_index.read(top)
        with Git(top, tracking="@{" in revision) as git:
            patch = _patch(git, revision)
    except (ProgramError, git_index.UnreadableIndexError) as error:
        raise InputError(f"--since {revision}: git does not say what changed: {error}") from None
    lines = {os.path.realpath(os.path.join(top, name)): ranges for name, ranges in _hunks(patch).items()}

    def is_new(path: str) -> bool:
        if not is_inside(path, top):
            return False
        name, submodules = os.fsencode(os.path.relpath(path, top)), _above(path, top)
        within = next((one for one in submodules if index.holds(os.fsencode(os.path.relpath(one, top)))), None)
        return within in lines if within is not None else not index.holds(name)

    return Touched(lines, is_new)


def _above(path: str, top: str) -> Iterator[str]:
    """The folders of ``path`` below ``top``."""
    while len(path := os.path.dirname(path)) > len(top):
        yield path


def _patch(git: Git, revision: str) -> bytes:
    """The difference of the work tree from the commit where HEAD left ``revision``. Raises InputError."""
    commit = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    if commit is None:
        raise _not_here(git, revision, "no such revision")
    base = git.ask("merge-base", commit.decode().strip(), "HEAD")
    if base is None:
        raise _not_here(git, revision, "it has no commit in common with HEAD")
    # What checks out with other line ends has no other lines. A submodule is its commit; no Git runs in it.
    shown = git.ask(
        "diff-index", "-p", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty",
        "--ignore-cr-at-eol", "--unified=0", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/",
        base.decode().strip(), "--",
    )  # fmt: skip
    if shown is None:
        why = f"a partial clone may lack what {revision} holds: {command('git diff {}', revision)} fetches it"
        raise InputError(f"--since {revision}: git does not say what changed; {why}")
    return shown


def _not_here(git: Git, revision: str, why: str) -> InputError:
    """The error ``why``. Where the clone lacks history, it names the one command that brings all that is missing."""
    is_shallow = (git.ask("rev-parse", "--is-shallow-repository") or b"").strip() == b"true"
    branch = _BRANCH.fullmatch(revision)
    # A clone of one branch keeps no other one that it fetches, unless it is told where.
    what = command(" origin {}", f"+{branch[1]}:refs/remotes/origin/{branch[1]}") if branch else ""
    if is_shallow:
        why += f", and this clone is shallow: git fetch --unshallow{what}"
    elif branch and why == "no such revision":
        why += f": git fetch{what}"
    return InputError(f"--since {revision}: {why}")


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
