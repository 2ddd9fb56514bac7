"""What no rewritten text may do, whatever its edits were; each check costs one walk over the text.

The writers promise all of this themselves. It is looked at again, since a fault of theirs would be a fault in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from hardener.sources.files import line_starts
from hardener.sources.yaml import Comment, Hunk
from hardener.support.late_pattern import late_pattern

_MARKER = late_pattern(r"\n(---|\.\.\.)(?=[ \t\r\n]|\Z)")  # a line end is found faster than the start of a line
_FIRST_MARKER = re.compile(r"(---|\.\.\.)(?=[ \t\r\n]|\Z)")
_BOM = "\ufeff"


def patched(text: str, hunks: Iterable[Hunk]) -> str | None:
    """``text`` with ``hunks``; None where one of them does not fit, or stands elsewhere than it says."""
    try:
        return "".join(patched_parts(text, hunks))
    except UnfitHunkError:
        return None


class UnfitHunkError(Exception):
    """A hunk that does not fit, or stands elsewhere than it says."""


def patched_parts(text: str, hunks: Iterable[Hunk], starts: Sequence[int] | None = None) -> Iterator[str]:
    """``text`` with ``hunks``, piece by piece; ``starts`` is where its lines begin, where that is known.

    Raises UnfitHunkError.
    """
    if starts is None:
        starts = line_starts(text)
    count = at = 0
    for hunk in hunks:
        start = hunk.before_start - 1
        end = start + len(hunk.before)
        count += start - at
        if start < at or end >= len(starts) or count != hunk.after_start - 1:
            raise UnfitHunkError
        if any(text[starts[line] : starts[line + 1]] != old for line, old in enumerate(hunk.before, start)):
            raise UnfitHunkError
        yield text[starts[at] : starts[start]]
        yield from hunk.after
        count += len(hunk.after)
        at = end
    yield text[starts[at] :]


def is_same_text(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two texts, which are given piece by piece, are the same. Neither is made, which takes as much memory as a
    file."""
    rest, left = iter(one), ""
    for right in _chunks(other):
        parts, length = [left], len(left)
        while length < len(right):
            part = next(rest, None)
            if part is None:
                return False
            parts.append(part)
            length += len(part)
        left = "".join(parts)
        if not left.startswith(right):
            return False
        left = left[len(right) :]
    return not left and not any(rest)


def _chunks(parts: Iterable[str]) -> Iterator[str]:
    """The same text in fewer parts: most are lines."""
    rest = iter(parts)
    while some := [*islice(rest, 1000)]:
        yield "".join(some)


def lost_comment(before: list[Comment], after: list[Comment], gone: set[int]) -> int | None:
    """The line of the first comment that is not there any more, or of one that came; None where there is none.

    One at the end of a line of ``gone`` may go with it; one that stands alone stays.
    """
    if not before and not after:
        return None
    left = Counter(comment.text for comment in after)
    lost = []
    for comment in sorted(before, key=lambda comment: not comment.alone and comment.line in gone):
        if left[comment.text]:
            left[comment.text] -= 1
        elif comment.alone or comment.line not in gone:
            lost.append(comment.line)
    return min(lost, default=None if not +left else 1)


def other_form(before: str, after: str, hunks: list[Hunk]) -> str | None:
    """What differs of the form of two texts; None where nothing does: byte order mark, document markers, line ends.

    A last line without an end may get one: a value that an edit puts there may need it.
    """
    if before.startswith(_BOM) != after.startswith(_BOM):
        return "the byte order mark would change"
    if _markers(before) != _markers(after):
        return "a document marker would change"
    if ("\r" in before or "\r" in after) and not _same_ends(before, hunks):
        return "line ends would change"
    if before.endswith("\n") and not after.endswith("\n"):
        return "the end of the last line would change"
    return None


def _markers(text: str) -> list[str]:
    first = _FIRST_MARKER.match(text)
    found: list[str] = _MARKER.findall(text) if "\n---" in text or "\n..." in text else []
    return [first[1], *found] if first is not None else found


def _same_ends(before: str, hunks: list[Hunk]) -> bool:
    """Whether lines that came end as others do, and those that stay in a hunk as they did."""
    crlf, newlines = before.count("\r\n"), before.count("\n")
    # What no line of the text ends with.
    odd = {"\r\n"} if newlines and not crlf else {"\n"} if crlf and crlf == newlines else set()
    for hunk in hunks:
        if crlf or hunk.before or any("\r" in line for line in hunk.after):
            if not _ends_alike(hunk, odd):
                return False
    return True


def _ends_alike(hunk: Hunk, odd: set[str]) -> bool:
    """Whether the lines of ``hunk`` that stay end as they did, and none that came has an ``odd`` end."""
    ends: dict[str, set[str]] = {}
    for line in hunk.before:
        bare = line.rstrip("\r\n")
        ends.setdefault(bare, set()).add(line[len(bare) :])
    for line in hunk.after:
        bare = line.rstrip("\r\n")
        end, known = line[len(bare) :], ends.get(bare)
        if known is None and end in odd:
            return False
        if known is not None and end and end not in known and "" not in known:
            return False
    return True
