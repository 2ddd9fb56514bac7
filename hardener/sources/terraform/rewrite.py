"""Text changed through its data: the differences between the data as read and as decided become splices."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Any

from hardener.sources.splices import Splices
from hardener.sources.terraform_names import HEAD
from hardener.sources.yaml import Hunk, TextError, same
from hardener.support.fast_dataclass import dataclass

from . import render
from .nodes import Node
from .parsed import Parsed, parse
from .render import STEP

Documents = list[Any]


@dataclass(slots=True)
class Rewrite:
    """The new text with its hunks, and both texts as read."""

    text: str
    hunks: list[Hunk]
    before: Parsed
    after: Parsed


def rewrite(text: str, mutate: Callable[[Documents], None]) -> Rewrite:
    """``text`` with the changes that ``mutate`` makes to its documents, of which it neither adds nor removes any.

    Raises TextError where a change cannot be written without touching anything else, and where the new text does not
    read as what was decided.
    """
    before = parse(text)
    wanted = parse(text).documents
    mutate(wanted)
    writer = _Writer(before)
    for node, new in zip(before.blocks, wanted, strict=True):
        if node.data[HEAD] != new.get(HEAD):
            raise TextError("the name of a block is not changed", node.row + 1)
        if not same(node.data, new):
            writer.body(node, new)
    try:
        changed, hunks = writer.splices.apply()
    except ValueError as error:
        raise TextError(str(error), 1) from None
    try:
        after = parse(changed)
    except TextError as refused:
        raise TextError("the text does not come out as Terraform", refused.line) from None
    if not same(after.documents, wanted):
        raise TextError("the text does not come out as it was decided", 1)
    if [comment.text for comment in after.comments()] != [comment.text for comment in before.comments()]:
        raise TextError("a comment would be lost", 1)
    return Rewrite(changed, hunks, before, after)


def dump(document: dict[str, Any], newline: str = "\n") -> str:
    """The text of a new block, which stands behind others. Raises TextError where it does not read as ``document``."""
    text = "".join(line + "\n" for line in render.block(document[HEAD], document, ""))
    if not same(parse(text).documents, [document]):
        raise TextError("the new block does not come out as it was decided", 1)
    return text.replace("\n", newline)


class _Writer:
    def __init__(self, parsed: Parsed) -> None:
        self.source = parsed.source
        self.splices = Splices(parsed.source, parsed.newline)
        self._longer: dict[int, int] = {}  # by how many characters a new name is longer, by where the old one begins

    # Values.

    def value(self, node: Node, new: Any) -> None:
        """Make the value of ``node`` read as ``new``."""
        if same(node.data, new):
            return
        if node.form in ("object", "encoded") and isinstance(new, dict):
            if node.form == "object":
                self.elements(node, new)
            else:
                for name, inner in node.children.items():
                    self.value(inner, new.get(str(name)))
        elif node.form == "blocks" and isinstance(new, list) and len(new) >= len(node.data):
            for index, item in enumerate(new[: len(node.data)]):
                if not same(node.data[index], item):
                    self.body(node.children[index], item)
            if len(new) > len(node.data):
                raise TextError("a further nested block is not written", node.row + 1)
        elif node.form == "list" and isinstance(new, list):
            self.items(node, new)
        elif node.form == "literal" and not isinstance(new, dict | list):
            self.splices.replace(node.value_start, node.value_end, render.value(new, ""))
        else:
            raise TextError("an expression is not replaced", node.row + 1)

    # Blocks.

    def body(self, node: Node, new: dict[str, Any]) -> None:
        """Make the body of the block ``node`` read as ``new``."""
        gone = [name for name in node.data if name not in new]
        if gone:
            raise TextError("an attribute is not removed", node.children[gone[0]].row + 1)
        added = {name: item for name, item in new.items() if name not in node.data and name != HEAD}
        if added and b"\n" not in self.source[node.value_start : node.value_end]:
            self._lay_out(node, new)
            return
        for name, child in node.children.items():
            self.value(child, new[str(name)])
        nested = {name: item for name, item in added.items() if render.is_nested(item)}
        plain = {name: item for name, item in added.items() if name not in nested}
        closing = node.value_end - 1
        if added and not self.splices.starts_line(closing):
            raise TextError("the closing brace shares its line", node.row + 1)
        if plain:
            self._attributes(node, plain, closing)
        for name, items in nested.items():
            indent = self._inner(node)
            for item in items:
                blank = [""] * bool(node.children)
                self.splices.insert_lines_before(closing, blank + render.block([name], item, indent))

    def _attributes(self, node: Node, added: dict[str, Any], closing: int) -> None:
        entries = sorted(node.children.values(), key=lambda child: child.end)
        own = [child for child in entries if child.form != "blocks"]
        lines = render.attributes(added, self._inner(node))
        if not entries or entries[-1].form != "blocks":
            self.splices.insert_lines_before(closing, self._beside(own, closing, lines))
        elif own:
            last = max((child for child in own if child.end <= entries[-1].start), key=lambda c: c.end, default=own[-1])
            behind = self.splices.line_end(last.end) + 1
            self.splices.insert_lines(last.end, self._beside(own, behind, lines))
        else:
            self.splices.insert_lines(node.value_start, [*lines, ""])

    def _beside(self, own: list[Node], position: int, lines: list[str]) -> list[str]:
        """The new attributes ``lines`` as they stand before the line of ``position``, behind the attributes ``own``.

        Equals signs stand in one column where the names leave room. Where `terraform fmt` would move those of lines
        that stand there, which nobody asked to change, an empty line parts the new ones from them.
        """
        new = list(takewhile(lambda line: "\n" not in line, lines))
        columns = self._columns(own, self.splices.row(position) - 1)
        if not new or not columns:
            return lines
        equals = columns[0][0]
        if all(line.index("=") <= equals for line in new):
            return [f"{line.partition('=')[0].ljust(equals)}={line.partition('=')[2]}" for line in new] + lines[
                len(new) :
            ]
        is_formatted = all(column == equals for column, _ in columns) and max(end for _, end in columns) + 1 == equals
        return [*[""] * is_formatted, *lines]

    def _columns(self, own: list[Node], row: int) -> list[tuple[int, int]]:
        """Of the neighbours that end with the line ``row``, from below: the columns of their equals signs, and those in
        which their names end. A heredoc is a neighbour, any other value on several lines is not."""
        found: list[tuple[int, int]] = []
        by_row = {
            self.splices.row(child.end - 1): child
            for child in own
            if self.source.startswith(b"<<", child.value_start) or b"\n" not in self.source[child.start : child.end]
        }
        while (child := by_row.get(row)) is not None and self.splices.starts_line(child.start):
            start = self.splices.line_start(child.start)
            name = self.source[start : child.key[1]].decode()
            equals = self.source.find(b"=", child.key[1])
            if equals < 0 or equals >= child.value_start:
                break  # an element with a colon, which `terraform fmt` leaves where it is
            longer = self._longer.get(child.key[0], 0)
            found.append((len(self.source[start:equals].decode()) + longer, len(name) + longer))
            row = child.row - 1
        return found

    def _inner(self, node: Node) -> str:
        """The indentation of what stands in the block or object ``node``."""
        for child in node.children.values():
            if self.splices.starts_line(child.start):
                return self.splices.indent(child.start)
        return self.splices.indent(node.value_start) + STEP

    def _lay_out(self, node: Node, new: dict[str, Any]) -> None:
        """Write a block of one line on several, since only one attribute may stand in one line."""
        indent = self.splices.indent(node.value_start)
        entries = sorted(node.children.items(), key=lambda child: child[1].start)
        lines: list[str] = []
        waiting: list[tuple[str, str]] = []  # attributes that stand below each other

        def flush() -> None:
            lines.extend(render.aligned(waiting))
            waiting.clear()

        at = node.value_start + 1
        for name, child in entries:
            before = self.source[at : child.start].decode().strip()
            if child.form in ("blocks", "expression", "encoded") and not same(child.data, new[str(name)]):
                raise TextError("an expression is not replaced", child.row + 1)
            head = f"{indent}{STEP}{before}{' ' * bool(before)}"
            if child.form == "blocks":
                flush()
                lines.append(head + self.source[child.start : child.end].decode())
            else:
                kept = same(child.data, new[str(name)])
                own = self.source[child.value_start : child.value_end].decode()
                waiting.append((head + str(name), own if kept else render.value(new[str(name)], indent + STEP)))
            at = child.end
        rest = self.source[at : node.value_end - 1].decode().strip()
        if rest and waiting:
            waiting[-1] = waiting[-1][0], f"{waiting[-1][1]} {rest}"
        elif rest and lines:
            lines[-1] += f" {rest}"
        elif rest:
            lines.append(f"{indent}{STEP}{rest}")
        added = {name: item for name, item in new.items() if name not in node.data and name != HEAD}
        for name, item in added.items():
            if render.is_nested(item):
                flush()
                for each in item:
                    lines += [""] * bool(lines) + render.block([name], each, indent + STEP)
            else:
                waiting.append((f"{indent}{STEP}{name}", render.value(item, indent + STEP)))
        flush()
        text = "{\n" + "".join(line + "\n" for line in lines) + indent + "}"
        self.splices.replace(node.value_start, node.value_end, text)

    # Objects and lists.

    def elements(self, node: Node, new: dict[str, Any]) -> None:
        gone = [name for name in node.data if name not in new]
        added = {name: item for name, item in new.items() if name not in node.data}
        for name in gone:
            other = next((key for key, item in added.items() if same(item, node.data[name])), None)
            if other is None:
                raise TextError("an element is not removed", node.children[name].row + 1)
            del added[other]
            start, end = node.children[name].key
            self.splices.replace(start, end, render.key(other))
            self._longer[start] = len(render.key(other)) - len(self.source[start:end].decode())
        for name, child in node.children.items():
            if name not in gone:
                self.value(child, new[str(name)])
        if added:
            self._elements(node, added)

    def _elements(self, node: Node, added: dict[str, Any]) -> None:
        closing = node.value_end - 1
        inner = self._inner(node)
        lines = render.attributes(added, inner, render.key)
        last = max(node.children.values(), key=lambda child: child.end, default=None)
        if self.splices.starts_line(closing) and b"\n" in self.source[node.value_start : node.value_end]:
            comma = last is not None and self._comma(last.end)
            aligned = self._beside(list(node.children.values()), closing, lines)
            if comma:
                aligned = [line and line + "," for line in aligned]
            self.splices.insert_lines_before(closing, aligned)
        else:
            texts = [f"{render.key(name)} = {render.inline(item)}" for name, item in added.items()]
            if last is None:
                self.splices.replace(node.value_start + 1, closing, f" {', '.join(texts)} ")
            else:
                self.splices.replace(last.end, last.end, "".join(f", {text}" for text in texts))

    def _comma(self, position: int) -> bool:
        """Whether the next thing behind ``position`` is a comma."""
        return self.source[position:].lstrip(b" \t\r\n").startswith(b",")

    def items(self, node: Node, new: list[Any]) -> None:
        old = node.data
        first = 0
        while first < min(len(old), len(new)) and same(old[first], new[first]):
            first += 1
        last = 0
        while last < min(len(old), len(new)) - first and same(old[-1 - last], new[-1 - last]):
            last += 1
        middle = min(len(old), len(new)) - first - last
        for index in range(first, first + middle):
            self.value(node.children[index], new[index])
        for index in range(first + middle, len(old) - last):
            self._remove(node, index)
        extra = new[first + middle : len(new) - last]
        if extra and last:
            raise TextError("an item is only added at the end of a list", node.row + 1)
        if extra:
            self._add(node, extra)

    def _add(self, node: Node, items: list[Any]) -> None:
        closing = node.value_end - 1
        texts = [render.value(item, self.splices.indent(closing)) for item in items]
        last = node.children.get(len(node.data) - 1)
        if last is None:
            self.splices.replace(node.value_start + 1, node.value_start + 1, ", ".join(texts))
        elif self.splices.starts_line(closing) and self.splices.starts_line(last.start):
            comma = self._comma(last.end)
            if not comma:
                self.splices.replace(last.end, last.end, ",")
            indent = self.splices.indent(last.start)
            ends = [","] * (len(texts) - 1) + [","] * comma + [""] * (not comma)
            self.splices.insert_lines_before(
                closing, [indent + text + end for text, end in zip(texts, ends, strict=True)]
            )
        else:
            self.splices.replace(last.end, last.end, "".join(f", {text}" for text in texts))

    def _remove(self, node: Node, index: int) -> None:
        item = node.children[index]
        end = item.end
        if self._comma(end):
            end = self.source.index(b",", end) + 1
        line = self.splices.line_of(item.start)
        alone = self.splices.starts_line(item.start) and line.strip() == self.source[item.start : end].strip()
        if alone and b"\n" not in self.source[item.start : end]:
            self.splices.erase_lines(item.start, item.start)
        elif self._comma(item.end):
            while self.source[end : end + 1] in (b" ", b"\t"):
                end += 1
            self.splices.replace(item.start, end, "")
        elif index:
            self.splices.replace(node.children[index - 1].end, item.end, "")
        else:
            self.splices.replace(item.start, end, "")
