"""The command that brings files back as Git has them."""

from __future__ import annotations

import os
import re
import shlex

from hardener.engine.outcome import FileChange
from hardener.sources.files import git_root, is_inside
from hardener.support.printable import plain

_LONGEST = 1000  # characters of names; what is longer is named by its folder, which may hold other changes


def undo(files: list[FileChange], paths: tuple[str, ...] = ()) -> str | None:
    """What a person types to bring ``files`` back; None where they are not in Git. Many files are named by the folder
    that they share below each of the ``paths`` that the run was about."""
    if git_root(files[0].file.path) is None:
        return None
    commands = []
    names = [change.file.name for change in files if not change.file.is_new]
    made = [change.file.name for change in files if change.file.is_new]
    note = ""
    if sum(map(len, names)) > _LONGEST:
        folders = list(_folders(names, paths))
        note = ""
        if not set(folders) <= set(names):
            note = f"  # takes back every uncommitted change in {plain(', '.join(folders))}, also yours"
        names = folders
    if names:
        commands.append("git restore -- " + " ".join(map(shlex.quote, names)))
    if sum(map(len, made)) > _LONGEST:
        # Those that are called after the file of their Namespace are one pattern, too.
        patterns = set()
        for folder, found in _folders(made, paths).items():
            above = "" if folder == "." else re.sub(r"([*?\[\\])", r"\\\1", folder) + "/"
            for name in found:
                patterns.add(f":(glob){above}**/" + re.sub(r".+(?=_harden-)", "*", os.path.basename(name)))
        commands.append("git clean -f -- " + " ".join(map(shlex.quote, sorted(patterns))))
    elif made:
        commands.append("rm -- " + " ".join(map(shlex.quote, made)))
    return " && ".join(commands) + note


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
        one = group[0] if len(group) == 1 else os.path.commonpath([os.path.dirname(name) or "." for name in group])
        found.setdefault(one or ".", []).extend(group)
    return found
