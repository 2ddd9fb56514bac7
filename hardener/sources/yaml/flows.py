"""Edit collections in brackets, JSON among them."""

from __future__ import annotations

import re
from typing import Any

from .blocks import Entries, refuse_properties, runs_of
from .positions import Collection, Mapping, Node, Scalar
from .render import flow_pair, flow_value
from .source import Source
from .splices import Splices
from .style import FlowStyle, Styles
from .text_error import TextError

_COMMA = re.compile(r"(?:\s|#[^\n]*+)*+,")


class FlowEditor:
    """Records the splices for flow style. `chain` is always the collections around a place, outermost first."""

    def __init__(self, source: Source, splices: Splices, styles: Styles) -> None:
        self.source = source
        self.splices = splices
        self.styles = styles

    def set_value(self, chain: list[Collection], node: Node, value: Any) -> None:
        """Put `value` in place of `node`; `chain` ends with the brackets around it, or is empty at the root."""
        source = self.source
        start, end = source.value_start(node), node.end
        refuse_properties(source, node, value)
        if chain:
            style = self.styles.flow(chain)
            inner = style.indent + style.step if style.lines else style.indent
        else:
            style, inner = self._root_style(), ""
        if isinstance(node, Scalar) and isinstance(value, str) and node.style in ("'", '"') and not style.json:
            style = FlowStyle(quote=node.style, force=True, kyaml=style.kyaml)
        text = flow_value(value, style, inner, source.newline(start))
        if isinstance(node, Scalar) and node.absent:
            while source.text[start - 1].isspace():
                start -= 1  # in brackets the parser marks an absent value at the next token
            if source.text[start - 1] != ":":
                raise TextError("an entry in brackets without a value", source.line(start) + 1)
            self.splices.replace(start, start, " " + text)
            return
        self.splices.erase(start, end, text)

    def rewrite_all(self, chain: list[Collection], value: Any) -> None:
        """Put other entries in place of all entries of the collection that ends `chain`; the brackets stay."""
        source, node = self.source, chain[-1]
        refuse_properties(source, node, value)
        style = self.styles.flow(chain)
        text = flow_value(value, style, style.indent, source.newline(node.start))
        self.splices.erase(node.start, node.end, text)

    def _root_style(self) -> FlowStyle:
        return FlowStyle(json=self.source.is_bracketed, lines=True, step="  ")

    def edit(self, chain: list[Collection], gone: set[int], adds: list[tuple[int, Entries]]) -> None:
        """Remove the entries `gone` (never all) and add others, each run behind the kept entry named (-1: in front)."""
        _FlowEdit(self.source, self.splices, self.styles.flow(chain), chain[-1], gone).run(adds, len(chain))


class _FlowEdit:
    """One pass over one pair of brackets."""

    def __init__(self, source: Source, splices: Splices, style: FlowStyle, node: Collection, gone: set[int]) -> None:
        self.source = source
        self.splices = splices
        self.style = style
        self.node = node
        self.gone = gone
        self.count = len(node.pairs) if isinstance(node, Mapping) else len(node.items)
        self.kept = [i for i in range(self.count) if i not in gone]
        self.starts = [source.entry_start(node, i) for i in range(self.count)]
        self.ends = [source.entry_end(node, i) for i in range(self.count)]
        self.trailing = self.comma(self.count - 1) is not None

    def comma(self, index: int) -> int | None:
        """Offset of the comma behind an entry, None behind the last."""
        match = _COMMA.match(self.source.text, self.ends[index])
        return match.end() - 1 if match else None

    def run(self, adds: list[tuple[int, Entries]], depth: int) -> None:
        own_line = self._one_a_line()
        for a, b in runs_of(self.gone):
            if b < self.count - 1:
                self._remove_inner(a, b)
            else:
                self._remove_last(a)
        last = self.kept[-1]
        added_last = any(after == last for after, _ in adds)
        comma = self.comma(last)
        if last < self.count - 1 and comma is not None and not self.trailing and not (own_line and added_last):
            self.splices.replace(comma, comma + 1)
        for after, entries in adds:
            texts = [self._text(entry) for entry in entries]
            if not own_line:
                self._add_inline(after, texts)
            else:
                self._add_lines(after, texts, depth)

    def _text(self, entry: Any) -> str:
        style, newline = self.style, self.source.newline(self.node.start)
        indent = style.indent
        if style.lines:
            lead = self.source.before(self.starts[0])
            indent = lead if not lead.strip() else style.indent + style.step
        if isinstance(self.node, Mapping):
            return flow_pair(entry[0], entry[1], style, indent, newline)
        return flow_value(entry, style, indent, newline)

    def _one_a_line(self) -> bool:
        source = self.source
        if not self.style.lines or not source.leads_line(self.starts[0]):
            return False
        return self.count == 1 or source.line(self.starts[1]) > source.line(self.ends[0])

    def _remove_inner(self, a: int, b: int) -> None:
        """Remove entries a..b with their commas; another entry follows."""
        source, text = self.source, self.source.text
        start, following = self.starts[a], self.starts[b + 1]
        if "\n" not in text[start:following]:
            self.splices.replace(start, following)
        elif source.leads_line(start):
            whole = source.leads_line(following)
            self.splices.erase(
                source.line_start(source.line(start)), source.line_start(source.line(following))
            ) if whole else self.splices.erase(start, following)
        else:
            comma = self.comma(b)
            end = self.ends[b] if comma is None else comma + 1
            if not text[end : source.line_end(end)].strip():
                end = source.line_end(end)
                start -= len(source.before(start)) - len(source.before(start).rstrip(" \t"))
            self.splices.erase(start, end)

    def _remove_last(self, a: int) -> None:
        """Remove entries from a to the last one; an entry stands before them."""
        source, text = self.source, self.source.text
        comma, final = self.comma(a - 1), self.comma(self.count - 1)
        start = self.starts[a]
        begin = self.ends[a - 1] if comma is None else comma + 1
        end = self.ends[-1] if final is None else final + 1
        rest = text[end : source.line_end(end)].strip()
        if "\n" not in text[begin:end]:
            self.splices.replace(begin, end)
        elif source.leads_line(start) and (not rest or rest.startswith("#")):
            self.splices.erase(source.line_start(source.line(start)), source.after_line(end))
        elif source.leads_line(start) and text[begin:start].strip():
            self.splices.erase(start, end)
        else:
            self.splices.erase(begin, end)

    def _add_inline(self, after: int, texts: list[str]) -> None:
        comma = self.style.comma
        if after < 0:
            start = self.starts[self.kept[0]]
            self.splices.replace(start, start, "".join(text + comma for text in texts))
        else:
            end = self.ends[after]
            self.splices.replace(end, end, "".join(comma + text for text in texts))

    def _add_lines(self, after: int, texts: list[str], depth: int) -> None:
        source = self.source
        indent = source.before(self.starts[0])
        newline = source.newline(self.node.start)
        if after < 0:
            first = self.starts[self.kept[0]]
            if not source.leads_line(first):
                self._add_inline(after, texts)
                return
            line = source.line(first)
            while source.is_comment_line(line - 1) and source.indent(line - 1) == len(indent):
                line -= 1
            self.splices.insert_lines(source.line_start(line), [f"{indent}{text}," for text in texts], depth)
            return
        comma = self.comma(after)
        if comma is None:
            self.splices.replace(self.ends[after], self.ends[after], ",")
        more = self.trailing or self.kept[-1] > after
        rows = [f"{indent}{text}," for text in texts]
        if not more:
            rows[-1] = rows[-1][:-1]
        at = self.ends[after] if comma is None else comma + 1
        rest = source.text[at : source.line_end(at)].strip()
        if not rest or rest.startswith("#"):
            self.splices.insert_lines(source.after_line(at), rows, depth)
        else:
            self.splices.replace(at, at, "".join(newline + row for row in rows))
