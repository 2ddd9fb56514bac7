"""The files that Git would bring back into a work tree, by what they hold."""

from __future__ import annotations

import hashlib

from hardener.sources.git.program import Git
from hardener.support.programs import ProgramError

_EMPTY = {  # the ids of nothing: what git add --intent-to-add writes
    b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    b"473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
}


class Tracked:
    """Files by their names seen from the top of the work tree, with the ids of their content."""

    def __init__(self, ids: dict[bytes, bytes]) -> None:
        self._ids = ids

    def names(self, name: str) -> bool:
        """Whether the file ``name`` is one of them."""
        return name.encode("utf-8", "surrogateescape") in self._ids

    def holds(self, name: str, content: bytes) -> bool:
        """Whether the file ``name`` is one of them with ``content``, line ends of either kind."""
        found = self._ids.get(name.encode("utf-8", "surrogateescape"))
        return found is not None and found in (_id(content, found), _id(content.replace(b"\r\n", b"\n"), found))


def tracked(top: str) -> Tracked:
    """What ``git restore`` brings back in the work tree ``top``: the files in the index, staged changes included. Those
    in conflict, and those that are only announced, are left out: there is no version of them to bring back.

    Raises ProgramError where Git does not answer.
    """
    with Git(top) as git:
        listed = git.ask("ls-files", "--stage", "-z")
    if listed is None:
        raise ProgramError("git cannot read what is staged")
    ids: dict[bytes, bytes] = {}
    for entry in listed.split(b"\0"):
        head, _, name = entry.partition(b"\t")
        if entry and (words := head.split(b" "))[2] == b"0" and words[1] not in _EMPTY:
            ids[name] = words[1]
    return Tracked(ids)


def _id(content: bytes, like: bytes) -> bytes:
    """The id that Git gives to ``content``, of the length of the id ``like``."""
    how = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return how(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest().encode()
