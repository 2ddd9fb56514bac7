"""The files of the commit that a work tree stands on, by what they hold."""

from __future__ import annotations

import hashlib

from hardener.sources.git_program import Git


class Committed:
    """Files by their names seen from the top of the work tree, with the ids of their content."""

    def __init__(self, ids: dict[bytes, bytes]) -> None:
        self._ids = ids

    def holds(self, name: str, content: bytes) -> bool:
        """Whether the commit holds the file ``name`` with ``content``, line ends of either kind."""
        found = self._ids.get(name.encode("utf-8", "surrogateescape"))
        return found is not None and found in (_id(content, found), _id(content.replace(b"\r\n", b"\n"), found))


def committed(top: str) -> Committed:
    """What HEAD holds in the repository whose work tree is ``top``; nothing before its first commit.

    Raises ProgramError where Git does not answer.
    """
    with Git(top) as git:
        listed = git.ask("ls-tree", "-r", "-z", "--full-tree", "HEAD") or b""
    entries = (entry.partition(b"\t") for entry in listed.split(b"\0") if entry)
    return Committed({name: head.split(b" ")[2] for head, _, name in entries})


def _id(content: bytes, like: bytes) -> bytes:
    """The id that Git gives to ``content``, of the length of the id ``like``."""
    how = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return how(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest().encode()
