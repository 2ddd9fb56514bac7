"""The changes as a patch that ``git apply`` takes: hunks come from the splices, never from a text comparison."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from msgspec import Struct

from hardener.engine.outcome import FileChange
from hardener.report.masked_lines import known_documents, learn_pieces, masked_lines, masked_text
from hardener.report.redactor import Redactor
from hardener.sources.files import git_root, line_starts
from hardener.sources.yaml import Hunk

CONTEXT = 3


class _Group(Struct):
    hunks: list[Hunk]
    start: int  # first line of the file as read that is shown, 1-based
    end: int  # last one


Masked = dict[int, str]  # line number, 1-based: the line with its secrets masked


class Patch:
    """The patch of one file, made hunk by hunk, so that a large file is never held a second time.

    ``mask`` gives the masked lines of a text within ranges of lines. Context lines with a secret are cut away; where
    one has to be shown it is masked, and ``whole`` is False: the patch cannot be applied.
    """

    def __init__(self, change: FileChange, mask: Callable[[str, Iterable[range]], Masked]) -> None:
        self.change = change
        hunks, text = change.hunks, change.file.content.text
        self._hidden = mask(text, (range(h.before_start - CONTEXT, _end(h) + CONTEXT) for h in hunks))
        self._added: Masked = {}
        self._old = Lines(text, change.file.content.line_starts)
        self.whole = True
        if not self._hidden:
            return
        if any(number in self._hidden for h in hunks for number in range(h.before_start, _end(h))):
            # Only a rewritten line can carry a secret over; what an edit writes by itself holds none.
            self._added = mask(change.text, (range(h.after_start, h.after_start + len(h.after)) for h in hunks))
        numbers = sorted(self._hidden)
        groups = _groups(hunks, len(self._old), self._hidden)
        shown = any(bisect_left(numbers, group.start) < bisect_right(numbers, group.end) for group in groups)
        self.whole = not shown and not any(map(self.shows_secret, hunks))

    @classmethod
    def of(cls, change: FileChange, redactor: Redactor) -> Patch:
        """Return the patch of ``change`` with its secrets masked, which ``redactor`` learns."""
        old = change.file.content.text
        if not change.file.source.has_segments:
            learn_pieces(redactor, change.file)
            return cls(change, partial(masked_text, redactor, file=change.file))
        known = known_documents(change.file)

        def mask(text: str, ranges: Iterable[range]) -> Masked:
            return masked_lines(redactor, text, ranges, known if text is old else None)

        return cls(change, mask)

    def is_masked(self, redactor: Redactor) -> bool:
        """Tell whether something in it is masked as ``redactor`` prints it, so that git cannot take it."""
        return not self.whole or any(map(redactor.masks, self.pieces()))

    def shows_secret(self, hunk: Hunk) -> bool:
        """Tell whether a line that ``hunk`` writes holds a secret."""
        return any(number in self._added for number in range(hunk.after_start, hunk.after_start + len(hunk.after)))

    def hides(self, number: int) -> bool:
        """Tell whether the line ``number`` of the file as read, near a hunk, holds a secret."""
        return number in self._hidden

    def old_line(self, number: int) -> str | None:
        """Return the line ``number`` of the file as read, with its end; None where there is none."""
        return self._old[number] if 0 < number <= len(self._old) else None

    def parts(self) -> Iterator[str]:
        """Yield the head of the patch, then each of its hunks, as text."""
        yield self._head()
        yield from map("".join, self._hunks())

    def pieces(self) -> Iterator[str]:
        """Yield the same text, a new file document by document: it is one hunk, and may be as large as the rest."""
        if not self.change.file.is_new:
            yield from self.parts()
            return
        yield self._head()
        for hunk in self._hunks():
            yield from hunk

    def _head(self) -> str:
        change = self.change
        name = relative_name(change.file.path) if change.file.path else change.file.name
        old_name, new_name = quoted(f"a/{name}"), quoted(f"b/{name}")
        head = [f"diff --git {old_name} {new_name}\n", f"--- {old_name}\n", f"+++ {new_name}\n"]
        if change.file.is_new:
            head[1:2] = ["new file mode 100644\n", "--- /dev/null\n"]
        return "".join(head)

    def _hunks(self) -> Iterator[Iterator[str]]:
        """The text of each hunk in parts, one for each change in it; the first begins with its head."""
        bom = "\ufeff" if self.change.file.content.bom else ""
        shift = 0
        for group in _groups(self.change.hunks, len(self._old), self._hidden):
            removed = group.end + 1 - group.start  # context and what goes
            added = removed + sum(len(hunk.after) - len(hunk.before) for hunk in group.hunks)
            places = f"-{_range(group.start, removed)} +{_range(group.start + shift, added)}"
            head = f"@@ {places} @@{_ids(self.change, group, shift)}\n"
            yield _hunk_texts(head, group, self._old, bom, self._hidden, self._added)
            shift += added - removed


def _end(hunk: Hunk) -> int:
    return hunk.before_start + len(hunk.before)


class Lines:
    """The lines of ``text`` by number, 1-based, with their line ends; ``starts`` is where they begin, where that is
    known. Only a line feed ends a line for git."""

    def __init__(self, text: str, starts: Sequence[int] | None = None) -> None:
        self._text = text
        self._starts = line_starts(text) if starts is None else starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> str:
        return self._text[self._starts[number - 1] : self._starts[number]]

    def between(self, first: int, end: int) -> str:
        """Return the lines from ``first`` on, up to and without ``end``, as one text."""
        return self._text[self._starts[first - 1] : self._starts[end - 1]]


def _groups(hunks: list[Hunk], total: int, hidden: Masked) -> Iterator[_Group]:
    group: _Group | None = None
    for hunk in hunks:
        # A pure insertion stands before the line `before_start`; it has no line of its own.
        first, last = hunk.before_start, hunk.before_start + len(hunk.before) - 1
        start, end = _context(first, last, total, hidden)
        if group is not None and start <= group.end + 1:
            group.hunks.append(hunk)
            group.end = max(group.end, end)
            continue
        if group is not None:
            yield group
        group = _Group([hunk], start, end)
    if group is not None:
        yield group


def _context(first: int, last: int, total: int, hidden: Masked) -> tuple[int, int]:
    start, end = max(first - CONTEXT, min(first, 1)), min(last + CONTEXT, max(last, total))
    if hidden:
        start = max((number + 1 for number in range(start, first) if number in hidden), default=start)
        end = min((number - 1 for number in range(last + 1, end + 1) if number in hidden), default=end)
    # Without a line after it git takes the hunk to be at the end of the file, without one before at its start.
    if end == last and end < total:
        end += 1
    if start == first and start > 1 and end == last:
        start -= 1
    return start, end


def _hunk_texts(head: str, group: _Group, old: Lines, bom: str, hidden: Masked, written: Masked) -> Iterator[str]:
    position, start = group.start, [head]
    for hunk in [*group.hunks, Hunk(group.end + 1, [], 0, [])]:
        lines = start + _context_lines(position, hunk.before_start, old, bom, hidden)
        lines += _marked("-", hunk.before, hunk.before_start, bom, hidden)
        lines += _marked("+", hunk.after, hunk.after_start, bom, written)
        yield "".join(lines)
        position, start = _end(hunk), []


def _context_lines(first: int, end: int, old: Lines, bom: str, hidden: Masked) -> list[str]:
    """The lines of ``old`` from ``first`` on, up to and without ``end``, as context."""
    text = old.between(first, end) if not hidden and not bom else ""
    if text.endswith("\n"):
        return [" ", text[:-1].replace("\n", "\n "), "\n"]
    return _marked(" ", [old[number] for number in range(first, end)], first, bom, hidden)


def _marked(mark: str, lines: list[str], first: int, bom: str, hidden: Masked) -> list[str]:
    """``lines``, the first of which has the number ``first``, each behind ``mark``; in one piece where all of them are
    ordinary."""
    if not lines:
        return []
    if not hidden and not bom and lines[-1].endswith("\n"):  # only the last line of a file may have no end
        return [mark + mark.join(lines)]
    return [
        part
        for number, text in enumerate(lines, first)
        for part in _line(mark, (bom if number == 1 else "") + hidden.get(number, text))
    ]


def _line(mark: str, text: str) -> list[str]:
    if text.endswith("\n"):
        return [mark + text]
    return [f"{mark}{text}\n", "\\ No newline at end of file\n"]


def _range(start: int, count: int) -> str:
    if count == 0:
        return f"{start - 1},0"
    return str(start) if count == 1 else f"{start},{count}"


def _ids(change: FileChange, group: _Group, shift: int) -> str:
    first = group.start + shift
    last = group.end + shift + sum(len(hunk.after) - len(hunk.before) for hunk in group.hunks)
    found = change.ids[bisect_left(change.id_lines, first) : bisect_left(change.id_lines, max(last, first) + 1)]
    names = list(dict.fromkeys(found))
    return " " + " ".join(names[:3]) + (f" +{len(names) - 3}" if len(names) > 3 else "") if names else ""


def quoted(name: str) -> str:
    """Return a name as Git writes it: in quotes, with escapes, when there is a quote, a backslash or a control
    character."""
    if not any(char in '"\\\x7f' or char < " " for char in name):
        return name
    escapes = {char: f"\\{char}" for char in '"\\'}
    return '"' + "".join(escapes.get(c, f"\\{ord(c):03o}" if c < " " or c == "\x7f" else c) for c in name) + '"'


def relative_name(path: str) -> str:
    """Return the name of a file in a patch: from its Git root, else from the working directory, with slashes."""
    root = git_root(path) or os.getcwd()
    relative = os.path.relpath(path, root)
    return (path.lstrip(os.sep) if relative.startswith("..") else relative).replace(os.sep, "/")
