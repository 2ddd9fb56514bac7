"""Evidence beyond the tree: kustomizations may take in what stands outside of it, or what walking it passes by."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Mapping

from hardener.kubernetes import kustomization as kustomize
from hardener.tree.core_views import Object

_MOST = 10_000  # files; a tree that needs more outside of its root is none


def follow(kustomizations: Mapping[str, Object], seen: Container[str], take: Callable[[str], None]) -> int:
    """Hand every file that a kustomization takes in, and that is not ``seen``, to ``take``, which adds to both.

    Files of folders are their kustomization, whose own are followed in turn. Returns how many files were too many.
    """
    waiting = list(kustomizations)
    followed = set(waiting)
    taken = left = 0
    while waiting:
        folder = waiting.pop()
        for name in kustomize.members(kustomizations[folder].data):
            path = os.path.normpath(os.path.join(folder, name))
            if path in seen or path in followed:
                continue
            for file in _files(path):
                if file in seen:
                    continue
                if taken == _MOST:
                    left += 1
                    continue
                taken += 1
                take(file)
                found = os.path.dirname(file)
                if found in kustomizations and found not in followed:
                    followed.add(found)
                    waiting.append(found)
    return left


def _files(path: str) -> list[str]:
    """The file at ``path``, as a real path; of a folder its kustomization; none for a URL, or where it is missing."""
    if "\0" in path or not os.path.exists(path):
        return []
    path = os.path.realpath(path)
    if not os.path.isdir(path):
        return [path]
    files = (os.path.join(path, name) for name in sorted(kustomize.NAMES))
    return [os.path.realpath(file) for file in files if os.path.lexists(file)]
