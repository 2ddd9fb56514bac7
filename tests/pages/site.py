"""What the site is built of: the pages of docs/, without links that lead out of it.

A page also names files of the repository, which are no pages. On a site such a link leads to the file where
``REPOSITORY_URL`` names the repository (``https://HOST/OWNER/REPOSITORY/blob/BRANCH``), and is plain text elsewhere.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from tests.conftest import ROOT
from tests.pages import DOCS

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|#)([^)\s#]+)(#[^)\s]*)?\)")


def copy(folder: Path, url: str | None = None) -> None:
    """Write what the site is built of to ``folder``; ``url`` (``REPOSITORY_URL``) is where files of the repository
    are shown."""
    url = url if url is not None else os.environ.get("REPOSITORY_URL", "")
    shutil.copytree(DOCS, folder, dirs_exist_ok=True)
    for path in folder.rglob("*.md"):
        home = (DOCS / path.relative_to(folder)).parent
        path.write_text(_inside(path.read_text(encoding="utf-8"), home, url), encoding="utf-8")


def _inside(text: str, home: Path, url: str) -> str:
    def moved(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(home / link[2]))
        if target.is_relative_to(DOCS) and target.is_file():
            return link[0]
        if not target.is_relative_to(ROOT) or not target.exists():
            return link[0]  # the build says that it leads nowhere
        if not url:
            return link[1]
        return f"[{link[1]}]({url.rstrip('/')}/{target.relative_to(ROOT).as_posix()}{link[3] or ''})"

    return LINK.sub(moved, text)
