"""The languages that files are written in: one line each, loaded when a file of it is met."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from hardener.sources.source import Source


class Entry(NamedTuple):
    """A language: what the names of its files end in (of those in ``also`` no walk asks), and the module whose
    ``SOURCE`` answers for it.

    - ``is_program``: its files are looked at for the objects that they make, and for nothing else.
    - ``follows_links``: a link with such a name is read where it leads to.
    """

    endings: tuple[str, ...]
    module: str
    also: tuple[str, ...] = ()
    is_program: bool = False
    follows_links: bool = True

    @property
    def source(self) -> Source:
        """The source of the language, loaded when it is asked for."""
        found: Source = import_module(self.module).SOURCE
        return found


SOURCES: list[Entry] = [
    Entry((".yaml", ".yml", ".json"), "hardener.sources.plain_manifests"),
    Entry((".tf", ".tofu", ".hcl"), "hardener.sources.terraform.source", also=(".tf.json", ".tofu.json")),
    Entry((".sh",), "hardener.sources.script"),
    Entry((".py",), "hardener.sources.python.source", is_program=True, follows_links=False),
]
"""The order is that in which reports name the endings."""

MANIFESTS = SOURCES[0]
"""What a file is read as that is of no other language."""

NEVER = (".pyi", ".ipynb")
"""Endings of files that are not read even where they are given: what they say is not what runs."""


def endings(*, programs: bool = True) -> tuple[str, ...]:
    """What the names of files end in that are read, with those of ``programs`` or without."""
    return tuple(ending for entry in SOURCES if programs or not entry.is_program for ending in entry.endings)


def entry_of(path: str) -> Entry:
    """The language of the file ``path``, by its name."""
    for entry in SOURCES[1:]:
        if path.endswith((*entry.endings, *entry.also)):
            return entry
    return MANIFESTS
