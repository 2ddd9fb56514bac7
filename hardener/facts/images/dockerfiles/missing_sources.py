"""What a Dockerfile copies from its context and the tree does not hold: the sources of its image are not all there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from hardener.facts.images.dockerfiles.instructions import Instruction
from hardener.facts.images.dockerfiles.repository_files import RepositoryFiles

_PATTERN = frozenset("*?[$")  # a pattern may fit nothing, and an expression may be anything
_ELSEWHERE = ("http://", "https://", "git@", "<<")


def missing(instructions: Iterable[Instruction], context: str, files: RepositoryFiles) -> Iterator[str]:
    """Yield what COPY and ADD of ``instructions`` name in the folder ``context`` and ``files`` do not hold."""
    for item in instructions:
        if item.name in ("COPY", "ADD"):
            yield from (source for source in _sources(item) if not _is_there(source, context, files))


def _sources(item: Instruction) -> list[str]:
    flags, rest = item.flags()
    if "from" in flags or "exclude" in flags or item.documents:
        return []
    words = Instruction(item.name, rest, item.line).words or rest.split()
    named = [word.strip("\"'") for word in words[:-1]]
    return [word for word in named if word and not _PATTERN & set(word) and not word.startswith(_ELSEWHERE)]


def _is_there(source: str, context: str, files: RepositoryFiles) -> bool:
    path = os.path.normpath(os.path.join(context, source.lstrip("/")))
    return path in files or path == context or bool(files.below(path))
