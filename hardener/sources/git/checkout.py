"""Which commit a work tree is at, and where its repository comes from: read from the files of Git, which is not run.

Source: gitrepository-layout(5), of HEAD, refs, packed-refs and reftable; git-clone, "Git URLs", of the forms of an
address.
"""

from __future__ import annotations

import os
import re

from hardener.sources.git import index as git_index
from hardener.sources.git import reftable, remotes

_UNSHOWN = "(an address that may hold credentials)"
_COMMIT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")  # SHA-1 or SHA-256
_REF = re.compile(rb"ref: (refs/[^\0\r\n]+)")
# What may stand for a user in an address that a report names: Git servers all know this one, and it opens nothing.
_SHARED_USERS = frozenset({"git"})
_ADDRESS = re.compile(r"(?P<scheme>https?|ssh|git|git\+ssh|file)://(?:(?P<user>[^/]*)@)?(?P<rest>[^?#]*)", re.I | re.S)
_SHORT_SSH = re.compile(r"(?:(?P<user>[^/@]+)@)?(?P<rest>[A-Za-z0-9._-]+:(?!:|//)[^?#]*)")


def commit(root: str) -> str | None:
    """The commit that the work tree ``root`` is at; None where it has none yet, or it cannot be read."""
    own = git_index.git_folder(root)
    if own is None:
        return None
    if reftable.is_used(own):
        return reftable.commit(own)
    head = git_index.small_file(os.path.join(own, "HEAD")).strip()
    if found := _COMMIT.fullmatch(head):
        return found[0].decode()
    ref = _REF.fullmatch(head)
    if ref is None or b".." in ref[1]:
        return None
    common = git_index.common_folder(own)
    loose = git_index.small_file(os.path.join(common, os.fsdecode(ref[1]))).strip()
    return loose.decode() if _COMMIT.fullmatch(loose) else _packed(common, ref[1])


def _packed(common: str, ref: bytes) -> str | None:
    for line in git_index.small_file(os.path.join(common, "packed-refs")).splitlines():
        id, _, name = line.partition(b" ")
        if name == ref and _COMMIT.fullmatch(id):
            return id.decode()
    return None


def address(root: str) -> str | None:
    """The address of the repository of the work tree ``root`` without credentials: that of ``origin``, else of its
    first remote; None where it has none, or one of which it is not known what it may hold."""
    found = remotes.by_name(root)
    url = found.get("origin") or next(iter(found.values()), None)
    return None if url is None else without_credentials(url)


def shown(address: str) -> str:
    """``address`` as a report of many repositories names it: a path as it is, of another one no credentials."""
    if os.path.isabs(address):
        return address
    return without_credentials(address) or _UNSHOWN


def without_credentials(url: str) -> str | None:
    """``url`` without user, password, query and fragment; None for a form that is not known (``ext::...``)."""
    given = url.strip()
    if whole := _ADDRESS.fullmatch(given.split("?", 1)[0].split("#", 1)[0]):
        user = whole["user"] if whole["user"] in _SHARED_USERS else None
        return f"{whole['scheme']}://{f'{user}@' if user else ''}{whole['rest']}"
    if short := _SHORT_SSH.fullmatch(given):
        user = short["user"] if short["user"] in _SHARED_USERS else None
        return f"{f'{user}@' if user else ''}{short['rest']}"
    return given if "::" not in given and "@" not in given and "://" not in given else None
