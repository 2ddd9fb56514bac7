"""Every file of the repository of a tree, and the text of those that are small and hold text."""

from __future__ import annotations

import os

from hardener.sources import files
from hardener.sources.files import UnreadableError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

LARGEST = 1024 * 1024  # bytes of a file that is read
_MOST = 200_000  # files that are listed


class RepositoryFiles(AsRead):
    """The regular files below the root of evidence, as ``Tree.walk`` lists them: what Git ignores is left out, and so
    are test data, and links, since what they lead to inside of the tree is met on its own path.

    - ``paths``: real paths, in a stable order; none for a stream, which has no files around it.
    - ``complete``: False where the tree has more files than are listed.
    """

    def __init__(self, tree: Tree) -> None:
        self.root = tree.root
        self.complete = True
        found: list[str] = []
        for path, is_link in tree.walk(("",)):
            if len(found) == _MOST:
                self.complete = False
                break
            if not is_link:
                found.append(path)
        self.paths = tuple(found)
        self._known = frozenset(found)
        self._below: dict[str, tuple[str, ...]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._known

    def below(self, folder: str) -> tuple[str, ...]:
        """The listed files in ``folder`` and below it."""
        found = self._below.get(folder)
        if found is None:
            found = self._below[folder] = tuple(path for path in self.paths if path.startswith(f"{folder}/"))
        return found

    def text(self, path: str) -> str | None:
        """The text of a listed file; None for one that is not listed, is too large, is binary, or cannot be read."""
        if path not in self._known:
            return None
        try:
            if os.path.getsize(path) > LARGEST:
                return None
            text = files.read(path).text
        except (OSError, UnreadableError):
            return None
        return None if "\0" in text else text

    def name(self, path: str) -> str:
        """The name of ``path`` for people, as that of a manifest."""
        return os.path.relpath(path)
