"""What the files of an image say: who its user is, which programs carry privileges, where it may be written to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hardener.kubernetes.pods.shell import commands, runs
from hardener.lock.oci.accounts import Account, resolve
from hardener.lock.oci.image_root import Folder, ImageRoot
from hardener.lock.oci.layer import Inode

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LONGEST = 64  # of a list of paths
_REMOVED = ", which a later layer removes"
# What the runtime puts over the root, and where everybody may write anyway.
_TMP = "/tmp"
_NOT_THE_IMAGES = frozenset({"/proc", "/sys", "/dev", _TMP})
_INTERPRETER = re.compile(r"(ash|bash|busybox|dash|sh|zsh|java|lua|node|perl|php|python|ruby)[-0-9.]*")
_SETUID, _ANY_X = 0o4000, 0o111


def facts(root: ImageRoot, config: dict[str, Any], writer: tuple[int, int]) -> dict[str, Any]:
    """What the lock says of the files in ``root``; ``config``: the part ``config`` of the image's config.

    ``writer``: the user and group that an image of root will run as: what it may write to is told for them.
    """
    account = _account(root, str(config.get("User") or ""))
    found: dict[str, Any] = {}
    if account is not None and config.get("User"):
        found |= {"uid": account.uid, "gid": account.gid, "groups": sorted(account.groups - {account.gid})}
    found |= _programs(root, config)
    if account is not None and account.uid == 0:
        account = _account(root, f"{writer[0]}:{writer[1]}")
        found["writer"] = writer[0]
    if account is not None:
        # A manifest that names the number alone gives it the group of its line in passwd, whatever USER says.
        alone = _account(root, str(account.uid))
        groups = account.groups | (alone.groups if alone is not None else frozenset())
        empty, occupied = _writable(root, Account(account.uid, account.gid, groups))
        if isinstance(tmp := root.find(_TMP), Folder) and tmp.entries:
            occupied.append(_TMP)
        found |= {"empty": _listed(empty), "occupied": _listed(occupied)}
    return found


def secrets_of(root: ImageRoot, held: Mapping[str, str]) -> dict[str, str]:
    """What the lock says of files that hold a credential, ``held`` by path of any layer: a few of them, with a word
    where a later layer removes one, which whoever pulls the image reads all the same."""
    first = sorted(held)[:_LONGEST]
    return {_shown(f"/{path.strip('/')}"): held[path] + ("" if root.find(path) else _REMOVED) for path in first}


def _account(root: ImageRoot, user: str) -> Account | None:
    return resolve(user, _file(root, "/etc/passwd"), _file(root, "/etc/group"))


def _file(root: ImageRoot, path: str) -> bytes:
    entry = root.find(path)
    return (entry.accounts or b"") if isinstance(entry, Inode) else b""


# Programs.


def _programs(root: ImageRoot, config: dict[str, Any]) -> dict[str, Any]:
    words = [word for key in ("Entrypoint", "Cmd") for word in config.get(key) or () if isinstance(word, str)]
    starts = dict.fromkeys(filter(None, (_program(root, config, word) for word in _named(words))))
    carried, raised = _privileged(root)
    first = [path for path in sorted(carried) if path in starts] + sorted(carried)
    found: dict[str, Any] = {"starts": [_shown(path) for path in starts]}
    # A script, or what cannot be found, may start any other program.
    if not starts or any(_runs_scripts(path, root.find(path)) for path in starts):
        found["script"] = True
    found["capabilities"] = {path: carried[path] for path in sorted(list(dict.fromkeys(first))[:_LONGEST])}
    found["setuid"] = _listed(raised)
    return found


def _privileged(root: ImageRoot) -> tuple[dict[str, str], list[str]]:
    """The programs that carry capabilities, with them, and those that run as root whoever starts them."""
    carried, raised = {}, []
    for path, inode in root.files():
        if not _is_program(inode):
            continue
        if inode.capability:
            carried[_shown(path)] = inode.capability
        if inode.mode & _SETUID and inode.uid == 0:
            raised.append(path)
    return carried, raised


def _runs_scripts(path: str, entry: Folder | Inode | None) -> bool:
    """Whether the program at ``path`` is a script, or runs them."""
    is_script = isinstance(entry, Inode) and entry.script
    return is_script or _INTERPRETER.fullmatch(posixpath.basename(path)) is not None


def _is_program(entry: Folder | Inode | None) -> bool:
    return isinstance(entry, Inode) and entry.kind == "file" and bool(entry.mode & _ANY_X)


def _named(words: list[str]) -> list[str]:
    """The words of an image's own command, and the programs that a script in one of them runs."""
    return [*words, *(program for program, _ in runs(commands(words)))]


def _program(root: ImageRoot, config: dict[str, Any], word: str) -> str | None:
    """The program that a word of a command names, as a path without links."""
    path = next((text[5:] for text in config.get("Env") or () if str(text).startswith("PATH=")), _PATH)
    if "/" in word:
        places = [word if word.startswith("/") else f"{config.get('WorkingDir') or ''}/{word}"]
    else:
        places = [f"{folder}/{word}" for folder in str(path).split(":")[:_LONGEST] if folder] if word else []
    for place in places:
        if _is_program(root.find(place)):
            return root.resolve(place)
    return None


# Folders.


def _writable(root: ImageRoot, account: Account) -> tuple[list[str], list[str]]:
    """Folders that ``account`` may write to: those with nothing in them, and those where it may change what is there,
    the topmost of them."""
    empty: list[str] = []
    occupied: list[str] = []
    waiting: list[tuple[str, Folder, bool]] = [("", root.top, False)]
    while waiting:
        path, folder, told = waiting.pop()
        if path in _NOT_THE_IMAGES or not _may(account, folder.inode, 1):
            continue
        if _may(account, folder.inode, 3):
            if not folder.entries:
                empty.append(path or "/")
            elif not told:
                occupied.append(path or "/")
            told = told or bool(folder.entries)
        elif not told and any(_is_writable_file(account, entry) for entry in folder.entries.values()):
            occupied.append(path or "/")
        for name, entry in folder.entries.items():
            if isinstance(entry, Folder):
                waiting.append((f"{path}/{name}", entry, told))
    return empty, occupied


def _is_writable_file(account: Account, entry: Folder | Inode) -> bool:
    return isinstance(entry, Inode) and entry.kind == "file" and _may(account, entry, 2)


def _may(account: Account, inode: Inode, wanted: int) -> bool:
    """Whether ``account`` has all of these rights: 4 to read, 2 to write, 1 to search."""
    shift = 6 if account.uid == inode.uid else 3 if inode.gid in account.groups else 0
    return inode.mode >> shift & wanted == wanted


def _listed(paths: Iterable[str]) -> list[str]:
    """Sorted; of very many those that lie highest."""
    highest = sorted(set(map(_shown, paths)), key=lambda path: (path.count("/"), path))[:_LONGEST]
    return sorted(highest)


def _shown(path: str) -> str:
    """``path`` as a text of one line that every file can hold."""
    return "".join(_escaped(path))


def _escaped(path: str) -> Iterator[str]:
    for character in path:
        yield character if character.isprintable() else f"\\x{ord(character):02x}"
