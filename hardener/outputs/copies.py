"""Hardened copies: the given files and folders, what changes as it becomes, all else byte for byte."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.sources.files import UnreadableError, read_bytes
from hardener.sources.selection import INSTALLED, Selection


def make(outcome: Outcome, paths: list[str]) -> Iterator[tuple[str, bytes | str]]:
    """The name and content of each copy, the name seen from the deepest folder that holds all ``paths`` (real paths).

    What Git ignores is not copied, symbolic links come as what they lead to.
    """
    changed = {change.file.path: change for change in outcome.files}
    top = os.path.commonpath([path if os.path.isdir(path) else os.path.dirname(path) for path in paths])
    for path in dict.fromkeys(name for given in paths for name in _files(given, outcome.tree.root)):
        if os.path.realpath(path) not in changed:
            try:
                yield os.path.relpath(path, top), read_bytes(path)[0]
            except UnreadableError as error:
                raise InputError(f"{os.path.relpath(path)} is not copied: {error.message}") from None
    for path, change in changed.items():
        name = os.path.relpath(path, top)
        if name.startswith(os.pardir):
            name = os.path.basename(path)  # a file for hosts, which has a place of its own
        yield name, change.file.content.encoded(change.text)


def _files(path: str, root: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    # Test data and what the configuration excludes are not hardened, and copied all the same.
    for file, _ in Selection(root, test_data=INSTALLED).below(path, ("",)):
        if os.path.isfile(file):
            yield file
