"""Edit collections in block style, and put values into them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .positions import FOLDED, LITERAL, SEQUENCE, Alias, Collection, Mapping, Node, Scalar, Sequence
from .render import block_value, item_lines, pair_lines
from .scalars import write_scalar
from .source import Source
from .splices import Splices
from .style import Layout, Styles
from .text_error import TextError

Entries = list[Any]  # (key, value) pairs for a mapping, values for a sequence


class BlockEditor:
    """Records the splices for block style. `chain` is always the collections around a place, outermost first."""

    def __init__(self, source: Source, splices: Splices, styles: Styles) -> None:
        self.source = source
        self.splices = splices
        self.styles = styles
        self.swallow = False
        self.moves = 0

    # -- values

    def set_value(self, chain: list[Collection], index: int, node: Node, value: Any) -> None:
        """Put `value` in place of `node`, the value of entry `index` of the block collection that ends `chain`."""
        source, parent = self.source, chain[-1]
        refuse_properties(source, node, value)
        is_item = isinstance(parent, Sequence)
        if isinstance(parent, Mapping):
            head = source.after_colon(parent.pairs[index][0])
            column = source.column(parent.pairs[index][0].start)
        else:
            head = source.dash(parent, index) + 1
            column = source.column(head) - 1
        layout = self.styles.layout(chain, head)
        if isinstance(parent, Sequence):
            layout = self._item_layout(parent, layout)
            if source.line(node.start) == source.line(head) and node.start > head:
                layout = layout._replace(dash=node.start - head + 1)
        text, below = self._written(chain, index, node, value, column, layout)
        depth = len(chain)
        if isinstance(node, Scalar) and node.absent:
            self._fill_absent(head, text, below, depth)
        elif isinstance(node, Scalar) and node.style in ("|", ">"):
            self._replace_block_scalar(head, node, text, below, depth)
        elif isinstance(node, Mapping | Sequence) and not node.flow:
            self._replace_block(head, node, text, below, depth, is_item)
        else:
            self._replace_piece(head, node, text, below, depth)

    def _written(
        self, chain: list[Collection], index: int, node: Node, value: Any, column: int, layout: Layout
    ) -> tuple[str, list[str]]:
        """Give the text for the line of the key or dash, and the lines below."""
        if isinstance(value, str) and isinstance(node, Scalar):
            if node.style in ("'", '"'):
                return " " + write_scalar(value, node.style, force=True), []
            if node.anchor is not None or not (node.style or node.absent):
                # Whoever wrote one line keeps one line, unless the text has many.
                layout = layout._replace(literals=layout.literals and node.anchor is None)
        parent = chain[-1]
        if isinstance(parent, Mapping):
            key = parent.pairs[index][0]
            return block_value(value, column, layout, key.text if isinstance(key, Scalar) else None)
        lines = item_lines([value], column, layout)
        return lines[0][column + 1 :], lines[1:]

    def _item_layout(self, parent: Sequence, layout: Layout) -> Layout:
        return layout._replace(dash=self.styles.dash_width(parent) or layout.dash)

    def _fill_absent(self, head: int, text: str, below: list[str], depth: int) -> None:
        source = self.source
        if text:
            end = source.line_end(head)
            blank = not source.text[head:end].strip()
            self.splices.replace(head, end if blank else head, text)
        self.splices.insert_lines(source.after_line(head), below, depth)

    def _replace_block_scalar(self, head: int, node: Scalar, text: str, below: list[str], depth: int) -> None:
        source, splices = self.source, self.splices
        start, end = source.value_start(node), source.header_end(node)
        if not text:
            start = head
        splices.replace(start, end, text.lstrip(" "))
        splices.insert_lines(source.after_line(end), below, depth)
        splices.replace(source.after_line(end), self._after(source.tight_end(node), end))

    def _after(self, tight: int, at_least: int) -> int:
        return max(self.source.after_line(tight), self.source.after_line(at_least))

    def _replace_block(
        self, head: int, node: Collection, text: str, below: list[str], depth: int, is_item: bool
    ) -> None:
        source, splices = self.source, self.splices
        body, end = source.after_line(head), source.after_line(source.tight_end(node))
        if is_item and source.entry_start(node, 0) < body:
            # The first entry stands behind the dash.
            splices.replace(head, source.line_end(head), text)
        elif text:
            splices.replace(head, head, text)
        splices.insert_lines(body, below, depth)
        if end > body:
            splices.erase(body, end)

    def _replace_piece(self, head: int, node: Node, text: str, below: list[str], depth: int) -> None:
        """Replace a plain or quoted scalar, an alias or something in brackets."""
        source, splices = self.source, self.splices
        start, end = source.value_start(node), node.end
        same_line = source.line(start) == source.line(head)
        if text:
            splices.erase(start, end, text.lstrip(" "))
            splices.insert_lines(source.after_line(end), below, depth)
            return
        rest = source.text[end : source.line_end(end)]
        if same_line:
            # `key: {}  # why` opens below; the comment stays on the key's line.
            stop = end if rest.strip() else source.line_end(end)
            splices.erase(head, stop)
            splices.insert_lines(source.after_line(end), below, depth)
        elif rest.strip():
            splices.erase(start, end)
            splices.insert_lines(source.after_line(end), below, depth)
        else:
            splices.insert_lines(source.line_start(source.line(start)), below, depth)
            splices.erase(source.line_start(source.line(start)), source.after_line(end))

    # -- entries

    def can_rename(self, node: Mapping, index: int) -> bool:
        """Whether entry `index` is written so that another key, with another value, can take its place."""
        key, value = node.pairs[index]
        bare = all(part.anchor is None and part.tag is None and not isinstance(part, Alias) for part in (key, value))
        return bare and isinstance(key, Scalar) and self.source.text.startswith(":", key.end)

    def rename(self, node: Mapping, index: int, key: str) -> None:
        """Put another key in place of that of entry `index`."""
        old = node.pairs[index][0]
        self.splices.replace(old.start, old.end, write_scalar(key))
        self.splices.loose.add(self.source.line(old.start))

    def move(self, node: Sequence, index: int, after: int) -> bool:
        """Put the lines of an item, and the comments above it, behind another one; False where they share a line."""
        source = self.source
        start, end = source.entry_start(node, index), source.after_line(source.entry_end(node, index))
        if not source.leads_line(start):
            return False
        line = source.line(start)
        while source.is_comment_line(line - 1) and source.indent(line - 1) == source.column(start):
            line -= 1
        lines = source.text[source.line_start(line) : end].splitlines()
        self.splices.replace(source.line_start(line), end)
        self.splices.insert_lines(source.after_line(source.entry_end(node, after)), lines, 0)
        self.moves += 1
        return True

    def edit(self, chain: list[Collection], gone: set[int], adds: list[tuple[int, Entries]]) -> None:
        """Remove the entries `gone` (never all) and add others, each run behind the kept entry named (-1: in front)."""
        source, node = self.source, chain[-1]
        first = 0
        while first in gone:
            first += 1
        start = source.entry_start(node, 0)
        column = source.column(start)
        if first and not source.leads_line(start):
            front = [entries for after, entries in adds if after < 0]
            adds = [add for add in adds if add[0] >= 0]
            self._remove_behind_dash(chain, first, [entry for entries in front for entry in entries], column)
            gone = {i for i in gone if i > first}
        for a, b in runs_of(gone):
            begin = source.line_start(source.line(source.entry_start(node, a)))
            self.splices.erase(begin, self._past_blanks(source.after_line(source.entry_end(node, b))))
        for after, entries in adds:
            if after < 0:
                self._add_in_front(chain, first, entries, column)
            else:
                self._add_behind(chain, after, entries, column)

    def _past_blanks(self, position: int) -> int:
        """Go on past blank lines, if they must go with what is removed: below `|+` they would become text."""
        source = self.source
        while (
            self.swallow
            and position < len(source.text)
            and not source.text[position : source.line_end(position)].strip()
        ):
            position = source.after_line(position)
        return position

    def replace_all(self, chain: list[Collection], entries: Entries) -> None:
        """Put new entries in place of all entries of the root collection."""
        source, node = self.source, chain[-1]
        start = source.entry_start(node, 0)
        if not source.leads_line(start):
            raise TextError("the document would be replaced", source.line(start) + 1)
        begin = source.line_start(source.line(start))
        self.splices.insert_lines(begin, self._lines(chain, entries, source.column(start)), len(chain))
        self.splices.erase(begin, source.after_line(source.tight_end(node)))

    def _remove_behind_dash(self, chain: list[Collection], first: int, front: Entries, column: int) -> None:
        """Remove the entries before `first`, the first of which shares its line with a dash that stays."""
        source, splices, node = self.source, self.splices, chain[-1]
        start = source.entry_start(node, 0)
        if not front:
            splices.erase(start, source.entry_start(node, first))
            return
        lines = self._lines(chain, front, column)
        splices.replace(start, source.line_end(start), lines[0][column:])
        body = source.after_line(start)
        splices.insert_lines(body, lines[1:], len(chain))
        end = source.after_line(source.entry_end(node, first - 1))
        if end > body:
            splices.erase(body, end)

    def _add_in_front(self, chain: list[Collection], first: int, entries: Entries, column: int) -> None:
        source, node = self.source, chain[-1]
        start = source.entry_start(node, first)
        if not source.leads_line(start):
            if isinstance(node, Mapping):
                self._add_behind(chain, first, entries, column)
            else:
                self._insert_before(chain, start, entries, column)
            return
        line = source.line(start)
        while source.is_comment_line(line - 1) and source.indent(line - 1) == column:
            line -= 1
        self.splices.insert_lines(source.line_start(line), self._lines(chain, entries, column), len(chain))

    def _insert_before(self, chain: list[Collection], start: int, entries: Entries, column: int) -> None:
        newline = self.source.newline(start)
        lines = self._lines(chain, entries, column)
        lines[0] = lines[0][column:]
        self.splices.replace(start, start, "".join(line + newline for line in lines) + " " * column)

    def _add_behind(self, chain: list[Collection], after: int, entries: Entries, column: int) -> None:
        source, node = self.source, chain[-1]
        value = node.children[2 * after + 1 if isinstance(node, Mapping) else after]
        kind = source.tree.kinds[value]
        scalar = source.runs_into_end(value)
        if scalar is not None and not self.splices.touches(source.header_end(scalar)):
            if isinstance(node, Mapping):
                # A line below `|` at the end of a text without final newline would give the value a newline.
                self._insert_before(chain, node.pairs[after][0].start, entries, column)
                return
            if source.keeps_newlines(scalar):
                # Neither can it be told to keep none, nor may a line follow.
                raise TextError("a block scalar that keeps its line ends ends the text", source.line(scalar.start) + 1)
            end = source.header_end(scalar)
            self.splices.replace(end, end, "-")
        line = source.line(source.after_line(source.entry_end(node, after)))
        if kind not in (LITERAL, FOLDED) and source.comment_lines:
            while source.is_comment_line(line) and source.indent(line) > column:
                line += 1  # commented-out children of the entry
            if kind == SEQUENCE and source.is_comment_line(line):
                if _COMMENTED_ITEM.match(source.text, source.line_start(line)):
                    while source.is_comment_line(line):
                        line += 1  # commented-out items, which stand in the column of the key where dashes do
        self.splices.insert_lines(source.line_start(line), self._lines(chain, entries, column), len(chain))

    def _lines(self, chain: list[Collection], entries: Entries, column: int) -> list[str]:
        node = chain[-1]
        layout = self.styles.layout(chain, node.start)
        if isinstance(node, Mapping):
            return pair_lines(entries, column, layout)
        return item_lines(entries, column, self._item_layout(node, layout), quote=_shared_quote(node))


_COMMENTED_ITEM = re.compile(r"[ \t]*#+[ \t]*-[ \t]")


def refuse_properties(source: Source, node: Node, value: Any) -> None:
    """Refuse to replace a value that has a tag, or an anchor unless scalar follows scalar."""
    plain = isinstance(node, Scalar) and (node.text or node.style) and not isinstance(value, dict | list)
    if node.tag is not None or (node.anchor is not None and not plain):
        raise TextError("a value with an anchor or a tag would be replaced", source.line(node.start) + 1)


def _shared_quote(node: Sequence) -> str | None:
    """The quote around every item of a sequence of strings."""
    styles = {item.style if isinstance(item, Scalar) else "" for item in node.items}
    return styles.pop() if styles in ({'"'}, {"'"}) else None


def runs_of(indexes: Iterable[int]) -> list[tuple[int, int]]:
    """Join neighbouring indexes: {1, 2, 5} gives [(1, 2), (5, 5)]."""
    runs: list[tuple[int, int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs
