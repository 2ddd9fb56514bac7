"""What a change touches: the lines that differ from a revision, and the records of a run that stand in their documents.

A document is touched when one of its lines was added, changed or removed since the revision. What is read and what
decides is the whole repository all the same; only what is reported is less.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from hardener.engine import find_removed_guards
from hardener.engine.find_removed_guards import Before
from hardener.engine.outcome import Outcome, Report
from hardener.errors import InputError
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.sources.files import git_root, is_inside
from hardener.sources.git import index as git_index
from hardener.sources.git.program import Git
from hardener.sources.manifests import Piece
from hardener.support.programs import ProgramError
from hardener.support.shell_words import command
from hardener.tree.tree import Tree

_MANIFESTS = (b".yaml", b".yml", b".json")
_WHOLE = range(sys.maxsize)
_HEAD = 200  # bytes that hold what git cat-file says of a file: its id, type and size
_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_BRANCH = re.compile(r"origin/(\w[\w./-]*)", re.ASCII)  # to a shell a word
_ESCAPE = re.compile(rb'\\([0-7]{3}|["\\abfnrtv])')
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class Touched:
    """The lines that a change touches: ranges of 1-based line numbers by the real path of the file.

    ``is_new`` tells of any other file whether the revision cannot have it: all of it is touched then. ``before`` are
    the manifests of the revision that differ now, or are gone.
    """

    def __init__(
        self, lines: dict[str, list[range]], is_new: Callable[[str], bool], before: list[Before] | None = None
    ) -> None:
        self._lines, self._is_new, self._before = lines, is_new, before or []

    def piece(self, piece: Piece) -> bool:
        """Whether one of the lines of ``piece`` is touched."""
        return self._any(piece.file.path, range(piece.line + 1, piece.line + 1 + max(1, len(piece.text.splitlines()))))

    def before(self) -> list[Before]:
        """The manifests of the revision that differ now, or are gone."""
        return self._before

    def folder(self, path: str) -> bool:
        """Whether something in the folder ``path`` is touched, or the file that it is."""
        if any(is_inside(one, path) for one in self._lines):
            return True
        names = (os.path.join(top, name) for top, _, files in os.walk(path) for name in files)
        return any(map(self._is_new, names)) or (os.path.isfile(path) and self._is_new(path))

    def removed(self, tree: Tree) -> list[Report]:
        """The policies, labels and bounds that the revision had, and ``tree`` as it is now has no more."""
        return list(find_removed_guards.reports(tree, self._before, self._differs))

    def widen(self, tree: Tree) -> None:
        """Touch what kustomizations of ``tree`` that differ take in anew, where nobody judged it before: files outside
        of the given paths, and patches."""
        before = {each.path: each for each in self._before}
        for item in tree.kustomizations.values():
            path = item.piece.file.path
            if item.editable and self._differs(path):
                old = before.get(path)
                documents = [] if old is None else list(find_removed_guards.documents(old))
                for name in _named(item.data).difference(*map(_named, documents)):
                    self._take_in(tree, os.path.dirname(path), name)

    def _take_in(self, tree: Tree, folder: str, name: str) -> None:
        """Touch all that the entry ``name`` of the kustomization in ``folder`` leads to."""
        waiting, seen = [(folder, name)], set[str]()
        while waiting:
            folder, name = waiting.pop()
            place = os.path.realpath(os.path.join(folder, name.replace("\0", "")))
            if place in seen:
                continue
            seen.add(place)
            below = tree.kustomizations.get(place)
            if below is not None:
                waiting += [(place, each) for each in _named(below.data)]
            path = place if below is None else below.piece.file.path
            is_patch = path in tree.patch_files
            if is_patch or not any(is_inside(path, given) for given in tree.given):
                self._lines.setdefault(path, []).append(_WHOLE)

    def _differs(self, path: str) -> bool:
        return path in self._lines or self._is_new(path)

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
            base = _base(git, revision)
            patch = _patch(git, revision, base)
            before = list(_before(git, base, top))
    except (ProgramError, git_index.UnreadableIndexError) as error:
        raise InputError(f"--since {revision}: git does not say what changed: {error}") from None
    lines = {os.path.realpath(os.path.join(top, name)): ranges for name, ranges in _hunks(patch).items()}

    def is_new(path: str) -> bool:
        if not is_inside(path, top):
            return False
        name, submodules = os.fsencode(os.path.relpath(path, top)), _above(path, top)
        within = next((one for one in submodules if index.holds(os.fsencode(os.path.relpath(one, top)))), None)
        return within in lines if within is not None else not index.holds(name)

    return Touched(lines, is_new, before)


def _named(kustomization: dict[str, Any]) -> set[str]:
    """What a kustomization takes in, as written."""
    entries = [name for _, name in kustomize.entries(kustomization)]
    return {*entries, *kustomize.patch_names(kustomization), *kustomize.plugins(kustomization)}


def _above(path: str, top: str) -> Iterator[str]:
    """The folders of ``path`` below ``top``."""
    while len(path := os.path.dirname(path)) > len(top):
        yield path


def _base(git: Git, revision: str) -> str:
    """The commit where HEAD left ``revision``. Raises InputError."""
    commit = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    if commit is None:
        raise _not_here(git, revision, "no such revision")
    base = git.ask("merge-base", commit.decode().strip(), "HEAD")
    if base is None:
        raise _not_here(git, revision, "it has no commit in common with HEAD")
    return base.decode().strip()


def _patch(git: Git, revision: str, base: str) -> bytes:
    """The difference of the work tree from ``base``, the commit of ``revision``. Raises InputError."""
    # What checks out with other line ends has no other lines. A submodule is its commit; no Git runs in it. A file with
    # another name is new: where it stands decides whether it was judged before, and which kustomization takes it in.
    shown = git.ask(
        "diff-index", "-p", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty",
        "--ignore-cr-at-eol", "--unified=0", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/",
        base, "--",
    )  # fmt: skip
    if shown is None:
        why = f"a partial clone may lack what {revision} holds: {command('git diff {}', revision)} fetches it"
        raise InputError(f"--since {revision}: git does not say what changed; {why}")
    return shown


def _before(git: Git, base: str, top: str) -> Iterator[Before]:
    """The manifests of the commit ``base`` that differ in the work tree, or are not there any more."""
    listed = git.ask("diff-index", "--raw", "-z", "--no-renames", "--diff-filter=DMT", "--no-abbrev", base, "--")
    words = (listed or b"").split(b"\0")
    names = {
        name: id
        for (mode, _, id, *_), name in zip((head.split(b" ") for head in words[::2]), words[1::2], strict=False)
        if mode.startswith(b":100") and name.lower().endswith(_MANIFESTS)
    }
    if not names:
        return
    given = b"".join(id + b"\n" for id in names.values())
    blobs = git.ask("cat-file", "--batch", "--buffer", input=given) or b""
    position = 0
    for name in names:
        head, _, _ = blobs[position : position + _HEAD].partition(b"\n")
        if head.split(b" ")[1:2] != [b"blob"]:
            raise ProgramError("a file of the revision cannot be read")
        start, size = position + len(head) + 1, int(head.split(b" ")[2])
        text = blobs[start : start + size].decode("utf-8", "replace")
        yield Before(os.path.realpath(os.path.join(top, os.fsdecode(name))), text)
        position = start + size + 1


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
