"""Which repository a work tree is, as far as its remotes tell: Git is not run for it.

Source: git-config, of the sections `remote`; git-clone, "Git URLs", of the forms of an address.
"""

from __future__ import annotations

import os
import re

from hardener.sources.git import index as git_index

_SECTION = re.compile(rb"[ \t]*\[[ \t]*([A-Za-z0-9.-]+)")
_URL = re.compile(rb"[ \t]*url[ \t]*=[ \t]*\"?([^\"\r\n]+)", re.I)


def names(root: str) -> frozenset[str]:
    """The names of the repositories that the work tree ``root`` has as remotes; none where that is not known."""
    folder = git_index.git_folder(root)
    if folder is None:
        return frozenset()
    found, in_remote = set(), False
    for line in git_index.small_file(os.path.join(git_index.common_folder(folder), "config")).splitlines():
        if section := _SECTION.match(line):
            in_remote = section[1].lower() == b"remote"
        elif in_remote and (url := _URL.match(line)):
            found.add(name(url[1].decode(errors="replace")))
    return frozenset(found - {""})


def name(address: str) -> str:
    """The name of the repository at ``address``, which a fork or a mirror of it has as well."""
    path = address.strip().rstrip("/").removesuffix(".git")
    return re.split(r"[/:\\]", path)[-1].lower()
