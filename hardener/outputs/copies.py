"""Hardened copies: the given files and folders, what changes as it becomes, all else byte for byte."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

from hardener.engine.outcome import Outcome
from hardener.sources.files import SKIPPED_FOLDERS, git_root


def make(outcome: Outcome, paths: list[str]) -> Iterator[tuple[str, bytes | str]]:
    """The name and content of each copy, the name seen from the deepest folder that holds all ``paths`` (real paths).

    What Git ignores is not copied, symbolic links come as what they lead to.
    """
    changed = {change.file.path: change for change in outcome.files}
    top = os.path.commonpath([path if os.path.isdir(path) else os.path.dirname(path) for path in paths])
    for path in dict.fromkeys(name for given in paths for name in _files(given)):
        if os.path.realpath(path) not in changed:
            with open(path, "rb") as handle:
                yield os.path.relpath(path, top), handle.read()
    for path, change in changed.items():
        name = os.path.relpath(path, top)
        if name.startswith(os.pardir):
            name = os.path.basename(path)  # a file for hosts, which has a place of its own
        yield name, change.file.content.encoded(change.text)


def _files(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    ignored = _ignored(path)
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(
            name for name in folders if name not in SKIPPED_FOLDERS and os.path.join(folder, name) not in ignored
        )
        for name in sorted(names):
            file = os.path.join(folder, name)
            if file not in ignored and os.path.isfile(file):
                yield file


def _ignored(path: str) -> set[str]:
    """The files and folders below ``path`` that Git ignores."""
    if git_root(path) is None:
        return set()
    command = ["git", "-C", path, "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    except (OSError, subprocess.SubprocessError):
        return set()
    return {os.path.join(path, os.fsdecode(name).rstrip("/")) for name in done.stdout.split(b"\0") if name}
