"""What the scripts of `integrations/` write to a pull or merge request: one comment that is kept up to date, and
suggestions for lines."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from typing import Any

from msgspec import Struct

from hardener.report.formats.markdown import LONGEST, as_text

MARK = "<!-- harden"
MOST_SUGGESTIONS = 30  # of one run: more is no review that anybody reads
_LARGEST = 16 * 1024 * 1024  # bytes of a file


class Note(Struct, frozen=True):
    """A suggestion: the lines ``first`` to ``last`` of ``path`` become ``text``; ``message`` says why."""

    path: str
    first: int
    last: int
    message: str
    text: str

    def body(self, info: str) -> str:
        """The note as Markdown; ``info`` is what the host wants behind the fence of a suggestion. The message is
        anybody's, and stands as text."""
        fence = "`" * (3 + max((len(run) for run in re.findall("`{3,}", self.text)), default=0))
        told = "\n".join(as_text(line) for line in self.message.split("\n"))
        return f"{MARK} -->\n{told}\n\n{fence}{info}\n{self.text}\n{fence}"


def notes(report: dict[str, Any]) -> list[Note]:
    """Return the suggestions of ``report``, which is rdjson."""
    return [_note(diagnostic) for diagnostic in report["diagnostics"] if diagnostic.get("suggestions")]


def _note(diagnostic: dict[str, Any]) -> Note:
    place = diagnostic["location"]
    lines = place["range"]
    return Note(
        place["path"], lines["start"]["line"], lines["end"]["line"], diagnostic["message"],
        diagnostic["suggestions"][0]["text"],
    )  # fmt: skip


def marked(report: str, name: str) -> tuple[str, str]:
    """Return the line by which the comment called ``name`` is found again, and ``report`` behind it."""
    mark = f"{MARK} -->" if name in ("", "true") else f"{MARK} {re.sub(r'[^A-Za-z0-9_.]+', '-', name)[:60]} -->"
    return mark, f"{mark}\n{report.removeprefix(f'{MARK} -->').lstrip()}"[:LONGEST]


def evened(body: str) -> str:
    """Return the body of a comment with the ends of lines that we write: a host may give others back."""
    return body.replace("\r\n", "\n").strip()


def is_blob(name: str, sha: object) -> bool:
    """Whether the checkout holds the file ``name`` as the object ``sha`` of Git. What is no regular file, or is too
    large, is none; a pull request may name what never ends."""
    try:
        found = os.lstat(name)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
            return False
        with open(name, "rb") as stream:
            raw = stream.read(_LARGEST)
    except (OSError, ValueError):
        return False
    return hashlib.sha1(b"blob %d\0%s" % (len(raw), raw), usedforsecurity=False).hexdigest() == sha
