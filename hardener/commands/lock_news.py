"""What a run of ``harden lock`` found, printed: a heading for each kind of news, and a last line that counts them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from hardener.lock.model import NAME
from hardener.support.printable import plain, plain_line

Row = tuple[Mapping[str, str], str, str]
"""Lines by image or chart; the word that counts them, and the heading above them."""


def name_of(root: str) -> str:
    """Return the lock of the tree ``root`` as a person sees it."""
    return plain(os.path.normpath(os.path.join(os.path.relpath(root), NAME)))


def counted(number: int, noun: str) -> str:
    """Return ``1 image``, ``2 images``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_news(root: str, named: str, rows: Iterable[Row]) -> None:
    """Print the ``rows`` that have lines, and at the end what was ``named`` in the tree ``root``."""
    counts = []
    for lines, word, title in rows:
        if lines:
            counts.append(f"{len(lines)} {word}")
            print(f"{title}: {len(lines)}")
            for key, line in sorted(lines.items()):
                print(plain_line(f"  {plain(key)}  {line}".rstrip()))
    print(f"{name_of(root)}: {named} named{': ' if counts else ', nothing to do'}{', '.join(counts)}")
