"""The commands that bring files back as Git has them."""

from __future__ import annotations

import os
import re

from msgspec import Struct

from hardener.engine.outcome import FileChange
from hardener.report.impact import counted, listed
from hardener.sources.files import git_root, is_inside
from hardener.support.printable import plain
from hardener.support.shell_words import quoted

_LONGEST = 1000  # characters of names; what is longer is named by its folder, which may hold other changes


class Undo(Struct, frozen=True):
    """What a person types in the working directory, and ``notes``: what it does not bring back, and what besides."""

    command: str
    notes: tuple[str, ...] = ()


def undo(files: list[FileChange], paths: tuple[str, ...] = ()) -> Undo | None:
    """Return how ``files`` are brought back; None where Git has none of them. Many files are named by the folder that
    they share below each of the ``paths`` that the run was about."""
    here = git_root(os.getcwd())
    by_root: dict[str, list[FileChange]] = {}
    lost: list[str] = []
    for change in files:
        root = git_root(change.file.path)
        if root is None or not (change.in_git or change.file.is_new):
            lost.append(change.file.name)
        else:
            by_root.setdefault(root, []).append(change)
    commands: list[str] = []
    notes: list[str] = []
    for root, changes in by_root.items():
        commands += _commands(changes, paths, root if root != here else None, notes)
    if not commands:
        return None
    if lost:
        changed = counted(sum(not change.file.is_new for change in files), "changed file")
        notes.insert(0, f"the undo line leaves out {len(lost)} of {changed}, which Git does not have: {_list(lost)}")
    return Undo(" && ".join(commands), tuple(notes))


def _commands(changes: list[FileChange], paths: tuple[str, ...], root: str | None, notes: list[str]) -> list[str]:
    """The commands for the files of one work tree: that of the working directory, or the one at ``root``."""
    found: list[str] = []
    names = [change.file.name for change in changes if not change.file.is_new]
    made = [change.file.name for change in changes if change.file.is_new]
    if sum(map(len, names)) > _LONGEST:
        folders = list(_folders(names, paths))
        if not set(folders) <= set(names):
            notes.append(f"the undo line takes back every unstaged change in {plain(', '.join(folders))}, also yours")
        names = folders
    if names:
        found.append(_git(root, "restore", [_seen_from(root, name) for name in names]))
    if sum(map(len, made)) > _LONGEST:
        # Those that are called after the file of their Namespace are one pattern, too.
        patterns = set()
        for folder, group in _folders(made, paths).items():
            seen = _seen_from(root, folder)
            above = "" if seen == "." else re.sub(r"([*?\[\\])", r"\\\1", seen) + "/"
            for name in group:
                patterns.add(f":(glob){above}**/" + re.sub(r".+(?=_harden-)", "*", os.path.basename(name)))
        found.append(_git(root, "clean -f", sorted(patterns)))
    elif made:
        found.append(f"rm -- {' '.join(map(quoted, made))}")
    return found


def _git(root: str | None, command: str, names: list[str]) -> str:
    """``git COMMAND`` for ``names``, in another work tree where one is named. A name is taken for no pattern."""
    elsewhere = f" -C {quoted(os.path.relpath(root))}" if root is not None else ""
    literal = " --literal-pathspecs" if command == "restore" and re.search(r"(?m)^:|[*?\[\\]", "\n".join(names)) else ""
    return f"git{elsewhere}{literal} {command} -- {' '.join(map(quoted, names))}"


def _seen_from(root: str | None, name: str) -> str:
    return name if root is None else os.path.relpath(name, root)


def _list(names: list[str]) -> str:
    return listed(dict(enumerate(map(plain, names))))


def _folders(names: list[str], paths: tuple[str, ...]) -> dict[str, list[str]]:
    """The files ``names`` by the folder that those below one of ``paths`` share; one that was given itself by its own
    name. What lies below none of them, as where a pattern was given, shares one, too."""
    below: dict[str, list[str]] = {}
    given = [(os.path.abspath(path), path) for path in paths]
    for name in names:
        place = os.path.abspath(name)
        below.setdefault(next((path for real, path in given if is_inside(place, real)), ""), []).append(name)
    found: dict[str, list[str]] = {}
    for group in below.values():
        shared = os.path.commonpath([os.path.dirname(os.path.abspath(name)) for name in group])
        found.setdefault(group[0] if len(group) == 1 else os.path.relpath(shared), []).extend(group)
    return found
