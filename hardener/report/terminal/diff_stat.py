"""How many lines of each file change, as ``git diff --stat`` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hardener.engine.outcome import FileChange
from hardener.report.impact import counted
from hardener.report.terminal.screen import Screen
from hardener.report.terminal.wrapping import length, padded
from hardener.support.printable import plain

_WIDTH = 80  # columns, where there is no terminal
_LEAST = 6  # signs, however long the names are


def lines(files: Sequence[FileChange], screen: Screen) -> Iterator[str]:
    """Yield a line per file with its signs, in the colours of ``screen``, and the sum; nothing where nothing
    changes."""
    rows = [(plain(change.file.name), *_counts(change)) for change in files]
    if not rows:
        return
    most = max(added + removed for _, added, removed in rows)
    names, digits = max(length(name) for name, _, _ in rows), len(str(most))
    room = max(min((screen.width or _WIDTH) - names - digits - 5, most), min(most, _LEAST))
    for name, added, removed in rows:
        signs = _scaled(added, most, room), _scaled(removed, most, room)
        drawn = _painted(screen, 32, "+" * signs[0]) + _painted(screen, 31, "-" * signs[1])
        yield f" {padded(name, names)} | {added + removed:{digits}} {drawn}".rstrip()
    added, removed = sum(row[1] for row in rows), sum(row[2] for row in rows)
    total = f" {counted(len(rows), 'file')} changed"
    total += f", {counted(added, 'insertion')}(+)" if added else ""
    yield total + (f", {counted(removed, 'deletion')}(-)" if removed else "")


def _counts(change: FileChange) -> tuple[int, int]:
    return sum(len(hunk.after) for hunk in change.hunks), sum(len(hunk.before) for hunk in change.hunks)


def _scaled(number: int, most: int, room: int) -> int:
    return number if most <= room else -(-number * room // most)


def _painted(screen: Screen, colour: int, text: str) -> str:
    return f"\033[{colour}m{text}\033[0m" if screen.colour and text else text
