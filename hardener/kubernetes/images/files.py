"""What ``harden lock --deep`` read of the files of an image, and what it says of a container that runs it.

A program file with a capability that is effective at once (``=ep``) is not started where the container may not have
that capability (measured); under ``no_new_privs`` a setuid program stays what it was.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from hardener.kubernetes.pods.shell import commands, runs

# Setuid programs of accounts, logins and mounts, which come with Debian, Alpine and the UBI images and start nothing.
_OF_DISTRIBUTIONS = frozenset(
    """bbsuid chage chfn chsh dbus-daemon-launch-helper expiry gpasswd mount newgidmap newgrp newuidmap
    pam_extrausers_chkpwd pam_timestamp_check passwd polkit-agent-helper-1 ssh-keysign su umount unix_chkpwd
    userhelper""".split()
)


class ImageFiles(Struct, frozen=True):
    """The facts, of one ``platform``; paths are without links in them.

    - `uid`, `gid`: the numbers of the image's USER by its own passwd and group files, None where they do not tell.
    - `starts`: the programs that its entrypoint and command name. `script`: one of them is a script or runs one, or is
      not known, so that it may start others.
    - `capabilities`: those that program files carry, as getcap prints them: ("/usr/bin/x", "NET_BIND_SERVICE=ep").
    - `setuid`: programs that run as root whoever starts them.
    - `writer`: the number of the user that `empty` and `occupied` are about, where USER is root; else that is `uid`.
    - `empty`: folders that this user may write to and that hold nothing; `occupied`: the topmost folders where it may
      change what is there. Both without /tmp, but that is in `occupied` where the image has files in it.
    - `groups`: those that its group file adds to the USER beside `gid`; None where nobody read them.
    - `secrets`: files of any of its layers that hold a credential, with what it is.
    """

    platform: str | None = None
    uid: int | None = None
    gid: int | None = None
    starts: tuple[str, ...] = ()
    script: bool = False
    capabilities: tuple[tuple[str, str], ...] = ()
    setuid: tuple[str, ...] = ()
    writer: int | None = None
    empty: tuple[str, ...] = ()
    occupied: tuple[str, ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    groups: tuple[int, ...] | None = None

    def about(self, uid: int | None) -> bool:
        """Whether `empty` and `occupied` are about the user ``uid``."""
        return uid is not None and uid == (self.uid if self.writer is None else self.writer)

    def carried(self, words: Sequence[str], *, own_command: bool) -> dict[str, str]:
        """The capabilities without which a program that is started fails at once, by the path of its file.

        ``words``: command and arguments of the container; ``own_command``: it runs the command of its image.
        """
        return self._of_started(words, own_command, "ep")

    def held(self, words: Sequence[str], *, own_command: bool) -> dict[str, str]:
        """The capabilities that a program which is started may use, by the path of its file; those of ``carried`` are
        among them."""
        return self._of_started(words, own_command, "p")

    def _of_started(self, words: Sequence[str], own_command: bool, flags: str) -> dict[str, str]:
        named = {posixpath.basename(word) for word in (*words, *_programs(words))}
        return {
            path: ", ".join(names)
            for path, text in self.capabilities
            if (names := _names(text, flags))
            and ((own_command and path in self.starts) or posixpath.basename(path) in named)
        }

    def within_reach(self, *, own_command: bool) -> dict[str, str]:
        """The capabilities of program files that what is started may start in turn, unseen: a script of the image may,
        and so may a command that is not the image's own."""
        if own_command and not self.script:
            return {}
        return {path: ", ".join(names) for path, text in self.capabilities if (names := _names(text, "p"))}

    def raised(self, words: Sequence[str], *, own_command: bool) -> list[str]:
        """The setuid programs that are started."""
        named = {posixpath.basename(program) for program in _programs(words)}
        return [
            path for path in self.setuid if (own_command and path in self.starts) or posixpath.basename(path) in named
        ]

    def raisers(self, *, own_command: bool) -> list[str]:
        """The setuid programs that are no part of every distribution, where something may start them unseen."""
        if own_command and not self.script:
            return []
        return [path for path in self.setuid if posixpath.basename(path) not in _OF_DISTRIBUTIONS]

    def may_carry(self, capability: str) -> bool:
        """Whether a script that it starts may start a program file that has ``capability``."""
        return self.script and any(capability in _names(text, "ep") for _, text in self.capabilities)


def _programs(words: Iterable[str]) -> Iterator[str]:
    return (program for program, _ in runs(commands(words)))


def _names(text: str, flags: str) -> list[str]:
    """The names in what getcap prints that have all of ``flags``: p is permitted, e effective at once."""
    found = []
    for group in text.split():
        names, _, said = group.partition("=")
        if set(flags) <= set(said):
            found += names.split(",")
    return found
