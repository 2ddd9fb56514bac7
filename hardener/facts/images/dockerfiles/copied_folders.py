"""The folders that a COPY of a whole folder puts into an image with files in them: a volume there would hide these."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

from hardener.facts.images.dockerfiles.model import Said
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles
from hardener.facts.images.dockerfiles.stage import Copy, Stage

_MOST = 100  # folders of one image
_MOST_FILES = 5000  # of one copy
_MOST_IGNORED = 200  # lines of one .dockerignore
_DEEPEST = 3  # folders below the one that is copied
_MARKS = frozenset({".gitkeep", ".keep", ".gitignore", ".dockerignore", ".placeholder"})  # stand in empty folders


def copied_folders(stage: Stage, files: RepositoryFiles) -> Iterator[Said[str]]:
    """Each folder, as an absolute path where that is known, with the place of its COPY."""
    left = _MOST
    for copy in stage.copies:
        if copy.origin is not None or copy.context is None:
            continue
        for folder in _of_copy(copy, copy.context, files):
            if not left:
                return
            left -= 1
            yield Said(folder, copy.said.file, copy.said.line)


def _of_copy(copy: Copy, context: str, files: RepositoryFiles) -> list[str]:
    ignored = _ignored(context, files)
    found: dict[str, None] = {}
    for source in copy.sources:
        if source.startswith("<<") or set("*?[") & set(source):
            continue
        root = posixpath.normpath(posixpath.join(context, source.lstrip("/")))
        for path in files.below(root)[:_MOST_FILES]:
            folder, name = posixpath.split(posixpath.relpath(path, root))
            if not folder or name in _MARKS or _is_ignored(posixpath.relpath(path, context), ignored):
                continue
            parts = folder.split("/")[:_DEEPEST]
            for depth in range(1, len(parts) + 1):
                found[posixpath.normpath(posixpath.join(copy.target, *parts[:depth]))] = None
    return list(found)


def _ignored(context: str, files: RepositoryFiles) -> list[str]:
    """The lines of `.dockerignore` that name what is left out; none where others take something of it in again."""
    lines = [line.strip() for line in (files.text(f"{context}/.dockerignore") or "").split("\n")]
    if any(line.startswith("!") for line in lines):
        return []
    return [line.strip("/") for line in lines if line and not line.startswith("#")][:_MOST_IGNORED]


def _is_ignored(path: str, ignored: list[str]) -> bool:
    parts = path.split("/")
    heads = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return any(fnmatchcase(head, line.removeprefix("**/")) for line in ignored for head in (*heads, parts[-1]))
