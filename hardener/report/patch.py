"""The changes as a patch that ``git apply`` takes: hunks come from the splices, never from a text comparison."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hardener.outcome import FileChange
from hardener.sources.files import git_root
from hardener.sources.yaml import Hunk

CONTEXT = 3


@dataclass(slots=True)
class _Group:
    hunks: list[Hunk]
    start: int  # first line of the file as read that is shown, 1-based
    end: int  # last one


Masked = dict[int, str]  # line number, 1-based: the line with its secrets masked


def patch_of(change: FileChange, mask: Callable[[str, list[range]], Masked]) -> tuple[list[str], bool]:
    """The lines of the patch of one file, with their line ends, and whether it can be applied.

    ``mask`` gives the masked lines of a text within ranges of lines. Context lines with a secret are cut away; where
    one has to be shown it is masked, and the patch cannot be applied.
    """
    old = _lines(change.file.content.text)
    around = [range(h.before_start - CONTEXT, h.before_start + len(h.before) + CONTEXT) for h in change.hunks]
    hidden = mask(change.file.content.text, around)
    added: Masked = {}
    if any(number in hidden for h in change.hunks for number in range(h.before_start, h.before_start + len(h.before))):
        # Only a rewritten line can carry a secret over; what an edit writes by itself holds none.
        added = mask(change.text, [range(h.after_start, h.after_start + len(h.after)) for h in change.hunks])
    name = relative_name(change.file.path) if change.file.path else change.file.name
    old_name, new_name = quoted(f"a/{name}"), quoted(f"b/{name}")
    bom = "\ufeff" if change.file.content.bom else ""
    body: list[str] = []
    whole = not any(
        number in added for h in change.hunks for number in range(h.after_start, h.after_start + len(h.after))
    )
    shift = 0
    for group in _groups(change.hunks, len(old), hidden):
        whole = whole and not any(group.start <= number <= group.end for number in hidden)
        lines, removed_count, added_count = _hunk_lines(group, old, bom, hidden, added)
        ids = _ids(change, group, shift)
        body.append(f"@@ -{_range(group.start, removed_count)} +{_range(group.start + shift, added_count)} @@{ids}\n")
        body += lines
        shift += added_count - removed_count
    head = [f"diff --git {old_name} {new_name}\n", f"--- {old_name}\n", f"+++ {new_name}\n"]
    if change.file.is_new:
        head[1:2] = ["new file mode 100644\n", "--- /dev/null\n"]
    return [*head, *body], whole


def _lines(text: str) -> list[str]:
    # Only a line feed ends a line for git; str.splitlines knows more of them.
    lines = text.split("\n")
    last = lines.pop()
    found = [line + "\n" for line in lines]
    return [*found, last] if last else found


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
    start, end = first, last
    while start > 1 and first - start < CONTEXT and start - 1 not in hidden:
        start -= 1
    while end < total and end - last < CONTEXT and end + 1 not in hidden:
        end += 1
    # Without a line after it git takes the hunk to be at the end of the file, without one before at its start.
    if end == last and end < total:
        end += 1
    if start == first and start > 1 and end == last:
        start -= 1
    return start, end


def _hunk_lines(group: _Group, old: list[str], bom: str, hidden: Masked, written: Masked) -> tuple[list[str], int, int]:
    lines: list[str] = []
    removed = added = 0
    position = group.start
    for hunk in [*group.hunks, Hunk(group.end + 1, [], 0, [])]:
        for number in range(position, hunk.before_start):
            lines += _line(" ", (bom if number == 1 else "") + hidden.get(number, old[number - 1]))
            removed, added = removed + 1, added + 1
        for number, text in enumerate(hunk.before, hunk.before_start):
            lines += _line("-", (bom if number == 1 else "") + hidden.get(number, text))
        for number, text in enumerate(hunk.after, hunk.after_start):
            lines += _line("+", (bom if number == 1 else "") + written.get(number, text))
        removed, added = removed + len(hunk.before), added + len(hunk.after)
        position = hunk.before_start + len(hunk.before)
    return lines, removed, added


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
    found = change.ids[bisect_left(change.ids, (first, "")) : bisect_left(change.ids, (max(last, first) + 1, ""))]
    names = list(dict.fromkeys(id for _, id in found))
    return " " + " ".join(names[:3]) + (f" +{len(names) - 3}" if len(names) > 3 else "") if names else ""


def quoted(name: str) -> str:
    """A name as Git writes it: in quotes, with escapes, when there is a quote, a backslash or a control character."""
    if not any(char in '"\\\x7f' or char < " " for char in name):
        return name
    escapes = {char: f"\\{char}" for char in '"\\'}
    return '"' + "".join(escapes.get(c, f"\\{ord(c):03o}" if c < " " or c == "\x7f" else c) for c in name) + '"'


def relative_name(path: str) -> str:
    """The name of a file in a patch: from its Git root, else from the working directory, with slashes."""
    root = git_root(path) or os.getcwd()
    relative = os.path.relpath(path, root)
    return (path.lstrip(os.sep) if relative.startswith("..") else relative).replace(os.sep, "/")
