"""The lines of a YAML text that edits may touch: those of their entries, and of what is opened or closed for them."""

from __future__ import annotations

from collections.abc import Sequence

from hardener.sources.source import Owned, Touch
from hardener.sources.yaml import Parsed
from hardener.support.data_path import Path

_Touched = tuple[Touch, int]
"""An edit, and how many parts of its path as read lead to something that is there."""


def owned_lines(read: Parsed, written: Parsed, touches: Sequence[Touch]) -> Owned:
    """The lines that ``touches`` own in a text as ``read`` and as ``written``; the heads are added when asked for."""
    before, after = _Lines(read), _Lines(written)
    touched = _own_entries(touches, before, after)
    return Owned(before.owned, after.owned, before.gone, lambda: _own_heads(touched, before, after))


class _Lines:
    """The lines of a text that the edits may touch; ``gone`` are those whose comments may go with them."""

    def __init__(self, parsed: Parsed) -> None:
        self.parsed = parsed
        self.owned: set[int] = set()
        self.gone: set[int] = set()
        self._entries: dict[Path, range] = {}

    def own_entry(self, path: Path) -> range:
        """All lines of the key or item at ``path``, which it gives."""
        lines = self._entries.get(path)
        if lines is None:
            lines = self._entries[path] = self.parsed.lines(path)
            self.owned.update(lines)
        return lines

    def own_heads(self, paths: set[Path]) -> None:
        """The line of the key at each path, that of its value when it has one alone (`{}`, null, `[]` are opened
        there), and that of the bracket which ends a flow collection, before which its last items stand."""
        for path in paths:
            self.owned.update(self.parsed.head_lines(path))


def _own_entries(touches: Sequence[Touch], before: _Lines, after: _Lines) -> list[_Touched]:
    """Add the lines of the entry of each edit to those that it may touch. What is a part of what another edit made is
    left out of what it gives."""
    touched: list[_Touched] = []
    opened: set[tuple[object, Path]] = set()
    for touch in touches:
        old, new, place = touch.read, touch.written, before.parsed.place(touch.read)
        present = 1 if place is None else place[2]
        if present < len(old) and new is not None and touch.kind in ("set", "append"):
            top = place, new[: present + 1]
            if top in opened:
                continue
            opened.add(top)
        touched.append((touch, present))
        if touch.kind == "insert":
            if new is not None:
                after.own_entry(new)
            continue
        _own_entry(touch, present, before, after)
    return touched


def _own_entry(touch: Touch, present: int, before: _Lines, after: _Lines) -> None:
    is_drop = touch.kind == "drop"
    if is_drop or present == len(touch.read):
        lines = before.own_entry(touch.read)
        if is_drop or len(lines) > 1:
            before.gone.update(lines)
    if touch.written is not None and not is_drop:
        after.own_entry(touch.written[: present + 1])


def _own_heads(touched: list[_Touched], before: _Lines, after: _Lines) -> None:
    """Add the lines of the parents that the edits open or close to those that they may touch."""
    old_heads: set[Path] = set()
    new_heads: set[Path] = set()
    for touch, present in touched:
        is_insert = touch.kind == "insert"
        old, new = touch.read, touch.written
        old_heads.add(old[:-1] if is_insert else old[: min(present, len(old) - 1)])
        if new is not None:
            new_heads.add(new[:-1] if is_insert else new[: min(present, len(new) - 1)])
        elif not is_insert:
            parent = touch.now(touch.path[:-1])
            if parent is not None:
                new_heads.add(parent)  # the line of a flow list that lost an item
    before.own_heads(old_heads)
    after.own_heads(new_heads)
