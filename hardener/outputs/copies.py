"""Hardened copies: the given files and folders, what changes as it becomes, all else byte for byte."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.engine.outcome import Outcome
from hardener.sources import files
from hardener.sources.files.selection import INSTALLED, Selection

_LARGEST = 1024 * 1024 * 1024  # bytes of a file that is copied


def make(outcome: Outcome, paths: list[str]) -> tuple[Iterator[tuple[str, bytes | str]], list[str]]:
    """The name and content of each copy, the name seen from the deepest folder that holds all ``paths`` (real paths);
    and a line for each file that is not copied.

    What Git ignores is not copied. A symbolic link to a file within the given paths comes as what that becomes. One to
    a folder does not come, and neither do one that leads out of them and what is no regular file: what it holds is not
    of the tree.
    """
    changed = {change.file.path: change for change in outcome.files}
    top = os.path.commonpath([path if os.path.isdir(path) else os.path.dirname(path) for path in paths])
    wanted: dict[str, str] = {}  # real paths by path
    missing = []
    for path in dict.fromkeys(name for given in paths for name in _files(given, outcome.tree.root)):
        real = os.path.realpath(path)
        if why := _reason_against(path, real, paths):
            missing.append(f"{os.path.relpath(path)}: {why}")
        elif path not in changed:
            wanted[path] = real

    def written() -> Iterator[tuple[str, bytes | str]]:
        for path, real in wanted.items():
            if (target := changed.get(real)) is not None:
                yield os.path.relpath(path, top), target.file.content.encoded(target.text)
                continue
            try:
                yield os.path.relpath(path, top), files.read_bytes(real, _LARGEST)[0]
            except files.UnreadableError as error:
                missing.append(f"{os.path.relpath(path)}: {error.message}")
        for path, change in changed.items():
            name = os.path.relpath(path, top)
            if name.startswith(os.pardir):
                name = os.path.basename(path)  # a file for hosts, which has a place of its own
            yield name, change.file.content.encoded(change.text)

    return written(), missing


def _reason_against(path: str, real: str, paths: list[str]) -> str:
    """Why the file or link ``path``, really ``real``, is not copied; "" where nothing speaks against it."""
    if os.path.islink(path):
        if not os.path.exists(real):
            return "a symbolic link to nothing"
        if not any(files.is_inside(real, given) for given in paths) or ".git" in real.split(os.sep):
            return "a symbolic link out of the given paths"
        if os.path.isdir(real):
            return "a symbolic link to a folder, whose files are copied where they are"
    return "" if os.path.isfile(real) else "not a regular file"


def _files(path: str, root: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    # Test data and what the configuration excludes are not hardened, and copied all the same.
    for file, _ in Selection(root, test_data=INSTALLED).below(path, ("",)):
        yield file
