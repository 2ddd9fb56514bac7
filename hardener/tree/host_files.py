"""Files for hosts and agents: an audit policy, a drop-in for sysctl; they are applied to no cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hardener.sources import files
from hardener.sources.files import UnreadableError

if TYPE_CHECKING:
    from hardener.tree.tree import Tree

FOLDER = "harden-host"


def path_of(tree: Tree, name: str) -> str:
    """The real path of the file ``name``."""
    return os.path.join(tree.settings.out_of_band or os.path.join(tree.root, FOLDER), name)


def text_of(tree: Tree, name: str) -> str | None:
    """What stands in the file ``name``, by this run or before it; None where there is none, "" where nobody knows."""
    path = path_of(tree, name)
    file = tree.file_at(path)
    if file is not None:
        return tree.drafted[path].text if path in tree.drafted else file.content.text
    if not os.path.lexists(path):
        return None
    try:
        return files.read(path).text
    except UnreadableError:
        return ""
