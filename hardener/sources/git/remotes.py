"""Which repository a work tree is, as far as its remotes tell: Git is not run for it.

Source: git-config, of the sections `remote`; git-clone, "Git URLs", of the forms of an address.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from hardener.sources.git import index as git_index

_SECTION = re.compile(rb"[ \t]*\[[ \t]*([A-Za-z0-9.-]+)(?:[ \t]+\"([^\"]*)\")?")
_URL = re.compile(rb"[ \t]*url[ \t]*=[ \t]*\"?([^\"\r\n]+)", re.I)


def names(root: str) -> frozenset[str]:
    """The names of the repositories that the work tree ``root`` has as remotes; none where that is not known."""
    return frozenset({name(url) for url in _urls(root)} - {""})


def addresses(root: str) -> frozenset[str]:
    """The addresses of the remotes of the work tree ``root``, spelled out."""
    return frozenset({spelled_out(url) for url in _urls(root)} - {""})


def by_name(root: str) -> dict[str, str]:
    """The address of each remote of the work tree ``root`` by its name, the first one where it has several."""
    found: dict[str, str] = {}
    for remote, url in _named(root):
        found.setdefault(remote, url)
    return found


def _urls(root: str) -> Iterator[str]:
    for _, url in _named(root):
        yield url


def _named(root: str) -> Iterator[tuple[str, str]]:
    folder = git_index.git_folder(root)
    if folder is None:
        return
    remote: str | None = None
    for line in git_index.small_file(os.path.join(git_index.common_folder(folder), "config")).splitlines():
        if section := _SECTION.match(line):
            is_remote = section[1].lower() == b"remote"
            remote = (section[2] or b"").decode(errors="replace") if is_remote else None
        elif remote is not None and (url := _URL.match(line)):
            yield remote, url[1].decode(errors="replace")


def name(address: str) -> str:
    """The name of the repository at ``address``, which a fork or a mirror of it has as well."""
    path = address.strip().rstrip("/").removesuffix(".git")
    return re.split(r"[/:\\]", path)[-1].lower()


def spelled_out(address: str) -> str:
    """``address`` as host and path: the same for all protocols by which one repository is reached."""
    path = address.strip().rstrip("/").removesuffix(".git")
    rest = path.partition("://")[2] or path.replace(":", "/", 1)
    host, _, below = rest.partition("/")
    host = host.rpartition("@")[2].partition(":")[0]
    return f"{host}/{below.strip('/')}".lower()
