"""What differs between two texts, line by line, in linear time."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator

from hardener.sources.yaml import Hunk

_SMALL = 250_000  # pairs of lines that are compared one by one
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


def hunks_of(before: str, after: str) -> Iterator[Hunk]:
    """What differs between two texts of a file, as hunks of whole lines."""
    old, new = _LINES.findall(before), _LINES.findall(after)
    at_old = at_new = 0
    for i, j in [*_anchors(old, new), (len(old), len(new))]:
        for start, end, begin, stop in _changed(old[at_old:i], new[at_new:j]):
            gone, come = old[at_old + start : at_old + end], new[at_new + begin : at_new + stop]
            yield Hunk(at_old + start + 1, gone, at_new + begin + 1, come)
        at_old, at_new = i + 1, j + 1


def unified(before: str, after: str, old: str, new: str) -> str:
    """What differs between two texts, called ``old`` and ``new``, with three lines around it, as git shows it."""
    _, _, *made = difflib.unified_diff(_LINES.findall(before), _LINES.findall(after)) if before != after else ("", "")
    head = [f"--- {old}\n", f"+++ {new}\n"] if made else []
    ends = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in [*head, *made])
    return "".join(ends)


def _anchors(old: list[str], new: list[str]) -> Iterator[tuple[int, int]]:
    """The places of the lines that stand once in both texts: they tell where the others belong, which come again and
    again (``enabled: true``). To compare each of these with each takes cubic time."""
    counts = Counter(old), Counter(new)
    places = {line: place for place, line in enumerate(old) if counts[0][line] == counts[1][line] == 1}
    last = -1
    for place, line in enumerate(new):
        if places.get(line, -1) > last:
            last = places[line]
            yield last, place


def _changed(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where lines go and come between two anchors; all of them where there are too many to compare."""
    if len(old) * len(new) > _SMALL:
        head = next(
            (n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
        )
        yield head, len(old), head, len(new)
        return
    for tag, *places in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            start, end, begin, stop = places
            yield start, end, begin, stop
