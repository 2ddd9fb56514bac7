"""Submodules of Git whose files are not there: the index names a commit, and the folder is empty or missing."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.sources.git import index as git_index
from hardener.support.late_pattern import late_pattern

_FILE = ".gitmodules"
_PATH = late_pattern(r'(?m)^[ \t]*path[ \t]*=[ \t]*"?([^"\r\n]*[^"\s])"?[ \t]*\r?$')
_DEEPEST = 20  # submodules in submodules


def absent(root: str, depth: int = 0) -> Iterator[str]:
    """The folders of submodules that are not checked out in the work tree ``root``, and in its submodules.

    Without a file ``.gitmodules`` nobody can check one out, and there is none. Without an index, as in an archive, that
    file says where they are.
    """
    if depth > _DEEPEST or not os.path.isfile(os.path.join(root, _FILE)):
        return
    for name in _names(root):
        folder = os.path.normpath(os.path.join(root, name))
        if _holds_something(folder):
            yield from absent(folder, depth + 1)
        else:
            yield folder


def _names(root: str) -> list[str]:
    if os.path.lexists(os.path.join(root, ".git")):
        try:
            return [os.fsdecode(name) for name in git_index.read(root).submodules]
        except git_index.UnreadableIndexError:
            pass  # what the file says is all that is known
    said = git_index.small_file(os.path.join(root, _FILE)).decode(errors="replace")
    return [name for name in dict.fromkeys(_PATH.findall(said)) if "\0" not in name]


def _holds_something(folder: str) -> bool:
    try:
        return any(True for _ in os.scandir(folder))
    except OSError:
        return False
