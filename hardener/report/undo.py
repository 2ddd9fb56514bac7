"""The command that brings files back as Git has them."""

from __future__ import annotations

import os
import re
import shlex

from hardener.engine.outcome import FileChange
from hardener.sources.files import git_root
from hardener.support.printable import plain

_LONGEST = 1000  # characters of names; what is longer is named by its folder, which may hold other changes


def undo(files: list[FileChange]) -> str | None:
    """What a person types to bring ``files`` back; None where they are not in Git."""
    if git_root(files[0].file.path) is None:
        return None
    commands = []
    names = [change.file.name for change in files if not change.file.is_new]
    made = [change.file.name for change in files if change.file.is_new]
    note = ""
    if sum(map(len, names)) > _LONGEST:
        names = [os.path.commonpath([os.path.dirname(name) or "." for name in names]) or "."]
        note = f"  # takes back every uncommitted change in {plain(names[0])}, also yours"
    if names:
        commands.append("git restore -- " + " ".join(map(shlex.quote, names)))
    if sum(map(len, made)) > _LONGEST:
        # Those that are called after the file of their Namespace are one pattern, too.
        patterns = sorted({":(glob)**/" + re.sub(r".+(?=_harden-)", "*", os.path.basename(name)) for name in made})
        commands.append("git clean -f -- " + " ".join(map(shlex.quote, patterns)))
    elif made:
        commands.append("rm -- " + " ".join(map(shlex.quote, made)))
    return " && ".join(commands) + note
