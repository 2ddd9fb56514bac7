"""Cut a file at its document markers, so that one broken document does not block its neighbours."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

_MARKER = "\n---"
_BEHIND_MARKER = frozenset(" \t\r\n") | {""}
_FIRST_MARKER = re.compile(r"---(?=[ \t\r\n]|\Z)")
_ONLY_COMMENTS = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?\r?\n)*\Z")


class Segment(NamedTuple):
    """A run of text from one `---` to the next; `start` is its offset and `line` its 0-based first line in the file."""

    text: str
    start: int
    line: int


def segments(text: str) -> list[Segment]:
    """Cut `text` (without byte order mark) at each `---`; the texts joined give `text` back.

    By the YAML specification `---` at column 0 can be nothing but a marker, so no parser is needed. Comments before
    the first marker belong to the first segment. A stream with a `%` directive stays whole.
    """
    if "\n%" in text or text.startswith("%"):
        return [Segment(text, 0, 0)]
    cuts = [0] if _FIRST_MARKER.match(text) else []
    at = text.find(_MARKER)  # a word is found faster than a pattern
    while at >= 0:
        behind = at + len(_MARKER)
        if text[behind : behind + 1] in _BEHIND_MARKER:
            cuts.append(at + 1)
        at = text.find(_MARKER, behind)
    if cuts and _ONLY_COMMENTS.match(text, 0, cuts[0]):
        cuts[0] = 0
    if not cuts or cuts[0]:
        cuts.insert(0, 0)
    cuts.append(len(text))
    found: list[Segment] = []
    line = 0
    for start, end in pairwise(cuts):
        found.append(Segment(text[start:end], start, line))
        line += text.count("\n", start, end)
    return found
