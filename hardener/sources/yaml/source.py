"""The geometry of one segment: lines, columns, where an entry begins and where it really ends."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import accumulate
from typing import Any

from .positions import FOLDED, LITERAL, MAPPING, SEQUENCE, Collection, Mapping, Node, Scalar, Sequence, Tree
from .text_error import TextError
from .values import ITEM, Owners, Paths, kept, keys_of, simple_value

_COLON = re.compile(r"[ \t]*:")
_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]+)*")
_HEADER = re.compile(r"[|>][-+0-9]*")
_COMMENT_LINE = re.compile(r"^[ \t]*#", re.M)
_LAST_DASH = re.compile(r"-(?=[ \t]*$|[ \t]+#|[ \t]+[&!]\S*[ \t]*$)")
_BLANKS = re.compile(r"[ \t]*")
_FIRST = re.compile(r"\S")


class Source:
    """A segment's text with its nodes; every answer costs a bisection, never a scan of the text.

    Offsets are code points, lines count from 0 and end at `\\n` only.
    """

    def __init__(self, text: str, tree: Tree, *, borrowed: str = "") -> None:
        """`borrowed` is a final line break that the file lacks: with it every line is a whole line while we edit."""
        self.text = text + borrowed
        self.tree = tree
        self.borrowed = borrowed
        self._keys: dict[int, dict[str, int]] = {}

    def keys(self, at: int) -> dict[str, int]:
        """The keys of the mapping of number `at` but `<<`, each with the number of its node."""
        found = self._keys.get(at)
        if found is None:
            found = self._keys[at] = keys_of(self.tree, at)
        return found

    def opened(self, at: int, paths: Paths, owners: Owners) -> Any:
        """The plain data of the node of number `at` along `paths`, with what stands for it in place of all else."""
        tree = self.tree
        kind = tree.kinds[at]
        if kind < MAPPING:
            return simple_value(tree, at)
        found: Any
        if kind < SEQUENCE:
            found = {}
            for name, key in self.keys(at).items():
                value, below = tree.nexts[key], paths.get(name)
                found[name] = kept(value) if below is None else self.opened(value, below, owners)
        else:
            found, of_items = [], paths.get(ITEM)
            for item in tree.children(at):
                if tree.kinds[item] <= FOLDED:
                    found.append(simple_value(tree, item))
                else:
                    found.append(kept(item) if of_items is None else self.opened(item, of_items, owners))
        owners.add(found, at)
        return found

    @cached_property
    def roots(self) -> list[Node | None]:
        """The root of each document, None for an empty one."""
        return [None if root < 0 else self.tree.node(root) for root in self.tree.roots]

    @cached_property
    def starts(self) -> list[int]:
        """Offset of each line; the last entry is the end of the text."""
        found = list(accumulate([len(row) + 1 for row in self.text.split("\n")], initial=0))
        found.pop()
        if found[-1] != len(self.text) or len(found) == 1:
            found.append(len(self.text))
        return found

    # -- lines and columns

    def line(self, position: int) -> int:
        """The line that holds `position`; the end of the text counts as one more line when a newline precedes it."""
        starts = self.starts
        if position >= starts[-1]:
            return len(starts) - 1 if self.text.endswith("\n") or not self.text else len(starts) - 2
        return bisect_right(starts, position) - 1

    def line_start(self, line: int) -> int:
        """Offset of a line; past the last line, the end of the text."""
        return self.starts[min(line, len(self.starts) - 1)]

    def start_of(self, position: int) -> int:
        """Offset of the line that holds `position`."""
        starts = self.starts
        if position >= starts[-1]:
            return self.line_start(self.line(position))
        return starts[bisect_right(starts, position) - 1]

    def column(self, position: int) -> int:
        """How many characters stand before `position` on its line."""
        return position - self.start_of(position)

    def line_end(self, position: int) -> int:
        """Offset of the line break behind `position`."""
        end = self.after_line(position)
        if end > position and self.text[end - 1] == "\n":
            end -= 1
            if end > position and self.text[end - 1] == "\r":
                end -= 1
        return end

    def after_line(self, position: int) -> int:
        """Offset of the line below the one that holds `position`."""
        starts = self.starts
        return starts[bisect_right(starts, position)] if position < starts[-1] else starts[-1]

    def before(self, position: int) -> str:
        """What stands on the line in front of `position`."""
        return self.text[self.start_of(position) : position]

    def leads_line(self, position: int) -> bool:
        """True when only blanks stand in front of `position`."""
        start = self.start_of(position)
        while position > start and self.text[position - 1] in " \t":
            position -= 1
        return position == start

    def lead(self, line: int) -> str:
        """The blanks that a line begins with."""
        match = _BLANKS.match(self.text, self.line_start(line))
        return match[0] if match else ""

    @cached_property
    def is_bracketed(self) -> bool:
        """True when the text begins as JSON does."""
        match = _FIRST.search(self.text)
        return match is not None and match[0] in "{["

    @cached_property
    def _has_returns(self) -> bool:
        return "\r" in self.text

    def newline(self, position: int) -> str:
        """The line break in use near `position`."""
        if not self._has_returns:
            return "\n"
        end = self.after_line(position)
        if self.text[end - 1 : end] != "\n":
            end = self.line_start(self.line(position))
        return "\r\n" if self.text[max(end - 2, 0) : end] == "\r\n" else "\n"

    # -- entries

    def value_start(self, node: Node) -> int:
        """Where the value begins behind its anchor and tag."""
        return self._value_start(node.at)

    def _value_start(self, at: int) -> int:
        start = self.tree.starts[at]
        if at not in self.tree.properties:
            return start
        match = _PROPERTIES.match(self.text, start)
        return min(match.end() if match else start, self.tree.ends[at])

    def after_colon(self, key: Node) -> int:
        """Offset just behind the colon of `key`."""
        match = _COLON.match(self.text, key.end)
        if not match:
            raise TextError("a key without a colon on its line", self.line(key.start) + 1)
        return match.end()

    def newline_above(self, position: int) -> str:
        """The line break of the line above the one that holds `position`."""
        return self.newline(self.line_start(max(self.line(position) - 1, 0))) if self._has_returns else "\n"

    def dash(self, sequence: Sequence, index: int) -> int:
        """Offset of the dash of an item in a block sequence."""
        return self.dash_of(sequence.children[index])

    def dash_of(self, item: int) -> int:
        """Offset of the dash of the ``item`` of that number."""
        tree = self.tree
        start = tree.starts[item]
        if start == tree.ends[item] and tree.kinds[item] <= FOLDED:
            return start - 1
        if self.text.startswith("- ", start - 2):
            return start - 2
        line = self.line(start)
        head = self.text[self.starts[line] : start].rstrip(" \t")
        while not head.endswith("-"):
            line -= 1
            row = self.text[self.starts[line] : self.starts[line + 1]].rstrip("\r\n") if line >= 0 else "-"
            if not row.strip() or row.lstrip(" \t").startswith("#"):
                continue
            match = _LAST_DASH.search(row)
            if not match or line < 0:
                raise TextError("an item whose dash cannot be found", self.line(start) + 1)
            return self.starts[line] + match.start()
        return self.starts[line] + len(head) - 1

    def entry_start(self, collection: Collection, index: int) -> int:
        """Where an entry begins: its key, its dash, or in brackets its item."""
        if isinstance(collection, Mapping):
            return self.tree.starts[collection.children[2 * index]]
        item = collection.children[index]
        return self.tree.starts[item] if collection.flow else self.dash_of(item)

    def entry_end(self, collection: Collection, index: int) -> int:
        """Where an entry really ends."""
        if isinstance(collection, Sequence):
            return self.end_of(collection.children[index])
        tree = self.tree
        key, value = collection.children[2 * index : 2 * index + 2]
        end = tree.ends[key]
        if tree.kinds[value] <= FOLDED and tree.starts[value] == tree.ends[value]:
            match = _COLON.match(self.text, end)
            return match.end() if match else end
        return max(end, self.end_of(value))

    def tight_end(self, node: Node) -> int:
        """Just past the last real character of `node`; the mark of a block collection runs on past comments."""
        return self.end_of(node.at)

    def end_of(self, at: int) -> int:
        """Just past the last real character of the node of number `at`."""
        tree = self.tree
        kinds, nexts, starts, ends = tree.kinds, tree.nexts, tree.starts, tree.ends
        while True:
            kind, stop = kinds[at], nexts[at]
            if kind <= FOLDED:
                return self._block_scalar_end(at) if kind >= LITERAL else ends[at]
            if stop == at + 1 or (kind != MAPPING and kind != SEQUENCE):
                return ends[at]
            key = at = at + 1
            while (following := nexts[at]) != stop:
                key, at = at, following
            if kind == MAPPING and starts[at] == ends[at] and kinds[at] <= FOLDED:
                start, end = starts[at], ends[key]
                return max(start, end) if self.text[start - 1 : start] == ":" else end

    def header_end(self, node: Scalar) -> int:
        """Just past the indicator (`|-`, `>2`) of a block scalar."""
        return self._header_end(node.at)

    def _header_end(self, at: int) -> int:
        match = _HEADER.match(self.text, self._value_start(at))
        if not match:
            raise TextError("a block scalar without its indicator", self.line(self.tree.starts[at]) + 1)
        return match.end()

    def keeps_newlines(self, node: Scalar) -> bool:
        """True for `|+` and `>+`."""
        return "+" in self.text[self.value_start(node) : self.header_end(node)]

    def _block_scalar_end(self, at: int) -> int:
        text = self.text
        header = self._header_end(at)
        head = self.line_end(header)
        end = self.tree.ends[at]
        if "+" in text[self._value_start(at) : header]:
            return max(
                head, end - (2 if text.endswith("\r\n", head, end) else 1 if text.endswith("\n", head, end) else 0)
            )
        lines = text[head:end].split("\n")
        indent = min((len(row) - len(row.lstrip(" ")) for row in lines if row.strip()), default=1 << 30)
        while lines and not lines[-1].strip() and len(lines[-1].rstrip("\r")) <= indent:
            lines.pop()
        end = max(head, head + len("\n".join(lines)))
        return end - 1 if end > head and text[end - 1] == "\r" else end

    def runs_into_end(self, at: int) -> Scalar | None:
        """The block scalar that ends the node of number `at` at the end of a text without final newline: a line below
        would alter it."""
        if not self.borrowed:
            return None
        node = self.tree.node(at)
        while True:
            if isinstance(node, Mapping) and not node.flow and node.pairs:
                node = node.pairs[-1][1]
            elif isinstance(node, Sequence) and not node.flow and node.items:
                node = node.items[-1]
            else:
                break
        if not isinstance(node, Scalar) or node.style not in ("|", ">"):
            return None
        if node.end < len(self.text) - len(self.borrowed) or "-" in self.text[node.start : self.header_end(node)]:
            return None
        return node

    # -- comments

    def inside_scalar(self, position: int) -> bool:
        """True when the `#` at `position` is within the text of a scalar, and so is no comment."""
        tree = self.tree
        at = bisect_right(tree.starts, position) - 1  # no scalar begins in another
        if at < 0 or tree.kinds[at] > FOLDED or position >= self.end_of(at):
            return False
        start = tree.starts[at]
        return not (_HEADER.match(self.text, start) and position < self.after_line(start))

    @cached_property
    def comment_lines(self) -> list[int]:
        """The lines that hold a comment and nothing else, ascending."""
        if "#" not in self.text:
            return []
        return [
            self.line(match.start())
            for match in _COMMENT_LINE.finditer(self.text)
            if not self.inside_scalar(match.end() - 1)
        ]

    def comment_lines_between(self, first: int, last: int) -> list[int]:
        """Those of the lines first..last-1 that hold only a comment."""
        lines = self.comment_lines
        return lines[bisect_left(lines, first) : bisect_left(lines, last)]

    def is_comment_line(self, line: int) -> bool:
        """True when the line holds a comment and nothing else."""
        lines = self.comment_lines
        index = bisect_left(lines, line)
        return index < len(lines) and lines[index] == line

    def indent(self, line: int) -> int:
        """Column of the first character of a line that is no blank."""
        return len(self.lead(line))

    def line_comment(self, position: int) -> str | None:
        """The comment at the end of the line that holds `position`, beginning with `#`."""
        start = self.comment_start(self.line(position))
        return None if start is None else self.text[start : self.line_end(start)].rstrip()

    def comment_start(self, line: int) -> int | None:
        """Offset of the `#` of the comment on a line."""
        start = self.line_start(line)
        end = self.line_end(start)
        found = self.text.find("#", start, end)
        while found >= 0:
            if (found == start or self.text[found - 1] in " \t") and not self.inside_scalar(found):
                return found
            found = self.text.find("#", found + 1, end)
        return None
