"""Text changed through its data: the differences between the data as read and as decided become splices."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import takewhile
from typing import Any

from msgspec import Struct

from hardener.sources.block_names import ENCODED, HEAD
from hardener.sources.splices import Splices
from hardener.sources.yaml import Hunk, TextError, same

from . import render
from .nodes import Node
from .pairing import paired
from .parsed import Parsed, parse
from .render import STEP

Documents = list[Any]


class Rewrite(Struct):
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


def write(before: Parsed, body: dict[str, Any]) -> tuple[str, list[Hunk], Parsed]:
    """The text of the one block in ``before`` with the body ``body``, its hunks, and it as read; entries may go as
    well. Raises TextError where that cannot be written without touching anything else."""
    writer = planned(before, body)
    try:
        changed, hunks = writer.splices.apply()
    except ValueError as error:
        raise TextError(str(error), 1) from None
    if not hunks:
        return changed, hunks, before
    try:
        after = parse(changed)
    except TextError as refused:
        raise TextError("the text does not come out as Terraform", refused.line) from None
    _check_written(before, after, body, writer.erased, hunks[0].before_start)
    return changed, hunks, after


def _check_written(before: Parsed, after: Parsed, body: dict[str, Any], erased: set[int], first: int) -> None:
    """Raise TextError where the text does not read as the body that was decided, or a comment went with the rows that
    were ``erased``; the ``first`` line changed."""
    texts = {name for name, item in before.documents[0].items() if isinstance(item, str) and item != body.get(name)}
    encoded = {name for name in texts if isinstance(body.get(name), dict)}  # of these the caller knows the data
    if not same(_without(after.documents[0], encoded), _without(body, encoded)):
        raise TextError("the text does not come out as it was decided", first)
    alone = [each.line for each in before.comments() if each.alone and each.line - 1 in erased]
    if alone:  # whether it goes shows only when all steps are known: a later one may fill the block again
        raise TextError("a comment is in what would be removed", alone[0])
    kept = [each.text for each in before.comments() if each.line - 1 not in erased]
    if [comment.text for comment in after.comments()] != kept:
        raise TextError("a comment would be lost", first)


def planned(before: Parsed, body: dict[str, Any]) -> _Writer:
    """What ``write`` would do: a quick look, which may pass what ``write`` refuses. Raises TextError."""
    writer = _Writer(before, removes=True)
    if not same(before.documents[0], body):
        writer.body(before.blocks[0], body)
    return writer


def _without(body: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: item for name, item in body.items() if name not in names}


def dump(document: dict[str, Any], newline: str = "\n") -> str:
    """The text of a new block, which stands behind others. Raises TextError where it does not read as ``document``."""
    text = "".join(line + "\n" for line in render.block(document[HEAD], document, ""))
    if not same(parse(text).documents, [document]):
        raise TextError("the new block does not come out as it was decided", 1)
    return text.replace("\n", newline)


class _Writer:
    def __init__(self, parsed: Parsed, *, removes: bool = False) -> None:
        self.source = parsed.source
        self.splices = Splices(parsed.source, parsed.newline)
        self.removes = removes
        self.erased: set[int] = set()  # the rows that went
        self.step = _step_of(parsed)
        self._longer: dict[int, int] = {}  # by how many characters a new name is longer, by where the old one begins

    # Values.

    def value(self, node: Node, new: Any) -> None:
        """Make the value of ``node`` read as ``new``."""
        if same(node.data, new):
            return
        if node.form in ("object", "encoded", "expression") and isinstance(new, dict):
            self._object(node, new)
        elif node.form == "blocks" and isinstance(new, list):
            self._blocks(node, new)
        elif node.form == "list" and isinstance(new, list):
            self.items(node, new)
        elif node.form == "literal" and not isinstance(new, dict | list):
            self.splices.replace(node.value_start, node.value_end, render.value(new, ""))
        else:
            raise TextError("an expression is not replaced", node.row + 1)

    def _object(self, node: Node, new: dict[str, Any]) -> None:
        if node.form == "object":
            self.elements(node, new)
        elif node.form == "encoded":
            for name, inner in node.children.items():
                self.value(inner, new.get(str(name)))
        elif ENCODED in node.children:
            self.value(node.children[ENCODED], new.get(ENCODED))
        else:
            raise TextError("an expression is not replaced", node.row + 1)

    def _blocks(self, node: Node, new: list[Any]) -> None:
        if self.removes:
            self._nested(node, new)
            return
        if len(new) < len(node.data):
            raise TextError("an expression is not replaced", node.row + 1)
        for index, item in enumerate(new[: len(node.data)]):
            if not same(node.data[index], item):
                self.body(node.children[index], item)
        if len(new) > len(node.data):
            raise TextError("a further nested block is not written", node.row + 1)

    # Blocks.

    def body(self, node: Node, new: dict[str, Any]) -> None:
        """Make the body of the block ``node`` read as ``new``."""
        gone = [name for name in node.data if name not in new]
        if gone and not self.removes:
            raise TextError("an attribute is not removed", node.children[gone[0]].row + 1)
        added = {name: item for name, item in new.items() if name not in node.data and name != HEAD}
        if added and b"\n" not in self.source[node.value_start : node.value_end]:
            self._lay_out(node, new)
            return
        for name in gone:
            self._erase_entry(node, node.children[name])
        kept = {name: child for name, child in node.children.items() if name not in gone}
        for name, child in kept.items():
            self.value(child, new[str(name)])
        if added:
            self._add_to_body(node, list(kept.values()), added)

    def _erase_entry(self, node: Node, child: Node) -> None:
        for entry in child.children.values() if child.form == "blocks" else [child]:
            self._erase(node, entry)

    def _add_to_body(self, node: Node, children: list[Node], added: dict[str, Any]) -> None:
        """Put new attributes and nested blocks into a block beside its ``children`` that stay."""
        nested = {name: item for name, item in added.items() if render.is_nested(item)}
        plain = {name: item for name, item in added.items() if name not in nested}
        closing = node.value_end - 1
        if not self.splices.starts_line(closing):
            raise TextError("the closing brace shares its line", node.row + 1)
        if plain:
            self._attributes(children, node, plain)
        indent = self._inner(node) if nested else ""
        for name, items in nested.items():
            for item in items:
                blank = [""] * bool(node.children)
                lines = self._in_step(render.block([name], item, indent), indent)
                self.splices.insert_lines_before(closing, blank + lines)

    def _nested(self, node: Node, new: list[Any]) -> None:
        """Make the nested blocks of one type read as ``new``: those called the same stay where they are."""
        behind: Node | None = None
        waiting: list[Any] = []
        for old, item in paired(node.data, new):
            if old is None:
                assert item is not None
                if behind is None:
                    waiting.append(item[0])
                else:
                    self._insert(node, behind, item[0])
                continue
            child = node.children[old]
            if item is None:
                self._erase(None, child)
                continue
            if not same(node.data[old], item[0]):
                self.body(child, item[0])
            if behind is None and waiting:
                raise TextError("a block is not put before all others", child.row + 1)
            behind = child
        if waiting:
            raise TextError("no block is left that a new one could follow", node.row + 1)

    def _insert(self, node: Node, behind: Node, body: dict[str, Any]) -> None:
        """Put a further block behind the block ``behind``, as far from it as they stand from each other."""
        starts = [child.start for child in node.children.values()]
        apart = len(starts) < 2 or any(self._blank_before(start) for start in starts[1:])
        name = self.source[behind.start : behind.value_start].split(b"{")[0].decode().strip()
        indent = self.splices.indent(behind.start)
        lines = self._in_step(render.block([name], body, indent), indent)
        if not self.splices.starts_line(behind.start):
            raise TextError("the block shares its line", behind.row + 1)
        self.splices.insert_lines(behind.end - 1, [""] * apart + lines)

    def _blank_before(self, position: int) -> bool:
        start = self.splices.line_start(position)
        return start > 0 and not self.splices.line_of(start - 1).strip()

    def _erase(self, holder: Node | None, entry: Node) -> None:
        """Remove an attribute or a block with the lines that it has for itself; a blank line before it goes where one
        follows, or where it was the last."""
        if not self.splices.starts_line(entry.start):
            if holder is None or len(holder.children) > 1:
                raise TextError("what shares its line is not removed", entry.row + 1)
            self.splices.replace(holder.value_start + 1, holder.value_end - 1, "")
            return
        if not _is_comment(self.source[entry.end : self.splices.line_end(entry.end - 1)].strip()):
            raise TextError("what shares its line is not removed", entry.row + 1)
        start = entry.start
        following = self.source[self.splices.line_end(entry.end - 1) :].lstrip(b"\r\n")
        gap = self.source[self.splices.line_end(entry.end - 1) :]
        blank_after = gap[: len(gap) - len(following)].count(b"\n") > 1
        closes = following.lstrip(b" \t").startswith(b"}")
        if self._blank_before(start) and (blank_after or closes):
            start = self.splices.line_start(start) - 1
        self.splices.erase_lines(start, entry.end - 1)
        self.erased.update(range(self.splices.row(start), self.splices.row(entry.end - 1) + 1))

    def _attributes(self, children: list[Node], node: Node, added: dict[str, Any]) -> None:
        closing = node.value_end - 1
        entries = sorted(children, key=lambda child: child.end)
        own = [child for child in entries if child.form != "blocks"]
        lines = self._in_step(render.attributes(added, self._inner(node)), self._inner(node))
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
        return self.splices.indent(node.value_start) + self.step

    def _in_step(self, lines: list[str], indent: str) -> list[str]:
        """New lines, which begin with ``indent``, with what is deeper indented as the lines that are there."""
        if self.step == STEP:
            return lines

        def deeper(match: re.Match[str]) -> str:
            return match[1] + self.step * (len(match[2]) // len(STEP))

        return [re.sub(rf"(?m)^({re.escape(indent)})((?:{STEP})+)", deeper, line) for line in lines]

    def _lay_out(self, node: Node, new: dict[str, Any]) -> None:
        """Write a block of one line on several, since only one attribute may stand in one line."""
        indent = self.splices.indent(node.value_start)
        lines = _Lines(indent + STEP)
        at = node.value_start + 1
        for name, child in sorted(node.children.items(), key=lambda child: child[1].start):
            before = self.source[at : child.start].decode().strip()
            at = child.end
            if name in new:
                self._keep(lines, child, str(name), f"{before}{' ' * bool(before)}", new[str(name)])
            elif before:
                raise TextError("a comment would be lost", child.row + 1)
        lines.end(self.source[at : node.value_end - 1].decode().strip())
        added = {name: item for name, item in new.items() if name not in node.data and name != HEAD}
        nested = {name: item for name, item in added.items() if render.is_nested(item)}
        for name, item in added.items():
            if name not in nested:
                lines.attribute(name, render.value(item, lines.indent))
        for name, items in nested.items():
            for each in items:
                lines.blocks(render.block([name], each, lines.indent), apart=True)
        text = "{\n" + "".join(line + "\n" for line in self._in_step(lines.all(), indent)) + indent + "}"
        self.splices.replace(node.value_start, node.value_end, text)

    def _keep(self, lines: _Lines, child: Node, name: str, before: str, new: Any) -> None:
        """Put what stays of a block among its new lines, with the comment ``before`` it."""
        kept = same(child.data, new)
        if child.form in ("blocks", "expression", "encoded") and not kept:
            raise TextError("an expression is not replaced", child.row + 1)
        if child.form == "blocks":
            lines.blocks([lines.indent + before + self.source[child.start : child.end].decode()])
        else:
            own = self.source[child.value_start : child.value_end].decode()
            lines.attribute(before + name, own if kept else render.value(new, lines.indent))

    # Objects and lists.

    def elements(self, node: Node, new: dict[str, Any]) -> None:
        gone = [name for name in node.data if name not in new]
        added = {name: item for name, item in new.items() if name not in node.data}
        if self.removes and gone and added and b"\n" not in self.source[node.value_start : node.value_end]:
            self._anew(node, new)
            return
        for name in gone:
            self._drop_element(node, name, added)
        kept = {name: child for name, child in node.children.items() if name not in gone}
        for name, child in kept.items():
            self.value(child, new[str(name)])
        if added:
            self._elements(list(kept.values()), node, added)

    def _drop_element(self, node: Node, name: str, added: dict[str, Any]) -> None:
        """Remove an element, or give it the name of one of those ``added`` that says the same."""
        child = node.children[name]
        if self.removes:
            entries = sorted(node.children.values(), key=lambda child: child.start)
            self._remove(entries, entries.index(child))
            return
        other = next((key for key, item in added.items() if same(item, node.data[name])), None)
        if other is None:
            raise TextError("an element is not removed", child.row + 1)
        del added[other]
        start, end = child.key
        self.splices.replace(start, end, render.key(other))
        self._longer[start] = len(render.key(other)) - len(self.source[start:end].decode())

    def _anew(self, node: Node, new: dict[str, Any]) -> None:
        """Write an object of one line with the elements ``new``; what stays of it keeps its text."""
        texts = []
        for name, item in new.items():
            child = node.children.get(name)
            if child is not None and same(child.data, item):
                texts.append(self.source[child.start : child.end].decode())
            elif child is not None and child.form == "expression":
                raise TextError("an expression is not replaced", child.row + 1)
            else:
                texts.append(f"{render.key(name)} = {render.inline(item)}")
        if b"/*" in self.source[node.value_start : node.value_end]:
            raise TextError("a comment would be lost", node.row + 1)
        self.splices.replace(node.value_start, node.value_end, "{ " + ", ".join(texts) + " }")

    def _elements(self, children: list[Node], node: Node, added: dict[str, Any]) -> None:
        closing = node.value_end - 1
        if all(self.source.startswith(b'"', child.key[0]) for child in node.children.values()) and self.removes:
            added = _quoted(added, nested=bool(node.children))
        inner = self._inner(node)
        lines = self._in_step(render.attributes(added, inner, render.key), inner)
        last = max(children, key=lambda child: child.end, default=None)
        if self.splices.starts_line(closing) and b"\n" in self.source[node.value_start : node.value_end]:
            comma = last is not None and self._comma(last.end)
            aligned = self._beside(children, closing, lines)
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
        if self.removes and first + last < len(old) and b"\n" not in self.source[node.value_start : node.value_end]:
            self._list_anew(node, new, first, last)
            return
        for index in range(first, first + middle):
            self.value(node.children[index], new[index])
        for index in range(first + middle, len(old) - last):
            self._remove([node.children[number] for number in range(len(old))], index)
        extra = new[first + middle : len(new) - last]
        if extra and last:
            raise TextError("an item is only added at the end of a list", node.row + 1)
        if extra:
            self._add(node, extra)

    def _list_anew(self, node: Node, new: list[Any], first: int, last: int) -> None:
        """Write a list of one line with the items ``new``, of which the first and last ones keep their text."""
        old = [node.children[index] for index in range(len(node.data))]
        gone = old[first : len(old) - last]
        if any(child.form == "expression" for child in gone):
            raise TextError("an expression is not replaced", node.row + 1)
        if b"/*" in self.source[node.value_start : node.value_end]:
            raise TextError("a comment would be lost", node.row + 1)
        kept = [self.source[child.start : child.end].decode() for child in old]
        middle = [render.inline(item) for item in new[first : len(new) - last]]
        texts = [*kept[:first], *middle, *kept[len(kept) - last :]]
        self.splices.replace(node.value_start, node.value_end, f"[{', '.join(texts)}]")

    def _add(self, node: Node, items: list[Any]) -> None:
        closing = node.value_end - 1
        if b"\n" in self.source[node.value_start : node.value_end]:
            at = node.children[0].start if node.children else closing
            indent = self.splices.indent(at)
            texts = self._in_step([render.value(item, indent) for item in items], indent)
        else:
            texts = [render.inline(item) for item in items]
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
            self._join(last, texts)

    def _join(self, last: Node, texts: list[str]) -> None:
        """Put items behind the ``last`` one, in its line. `terraform fmt` indents the line that joins two objects."""
        brace = last.end - 1
        start = self.splices.line_start(brace)
        if any("\n" in text for text in texts) and self.splices.starts_line(brace):
            indent = self.splices.indent(brace)
            closing = f"\n{indent}}}"
            texts = [*(text.removesuffix(closing) + f"\n{indent}{self.step}}}" for text in texts[:-1]), texts[-1]]
            self.splices.replace(start, brace, indent + self.step)
        self.splices.replace(last.end, last.end, "".join(f", {text}" for text in texts))

    def _remove(self, entries: list[Node], index: int) -> None:
        """Remove one of the items of a list, or of the elements of an object."""
        item = entries[index]
        end = item.end
        if self._comma(end):
            end = self.source.index(b",", end) + 1
        line = self.splices.line_of(item.start)
        alone = self.splices.starts_line(item.start) and line.strip() == self.source[item.start : end].strip()
        if alone and b"\n" not in self.source[item.start : end]:
            self.splices.erase_lines(item.start, item.start)
            self.erased.add(self.splices.row(item.start))
        elif self.removes and self._alone(item, end):
            self.splices.erase_lines(item.start, item.end - 1)
            self.erased.update(range(self.splices.row(item.start), self.splices.row(item.end - 1) + 1))
        elif self._comma(item.end):
            while self.source[end : end + 1] in (b" ", b"\t"):
                end += 1
            self.splices.replace(item.start, end, "")
        elif index:
            self.splices.replace(entries[index - 1].end, item.end, "")
        else:
            self.splices.replace(item.start, end, "")

    def _alone(self, item: Node, end: int) -> bool:
        """Whether an entry that ends at ``end``, with its comma, has its lines for itself, comments left aside."""
        rest = self.source[end : self.splices.line_end(end - 1)].strip()
        return self.splices.starts_line(item.start) and _is_comment(rest)


class _Lines:
    """The lines of a block that is laid out anew. Attributes that follow each other stand in columns."""

    def __init__(self, indent: str) -> None:
        self.indent = indent
        self._lines: list[str] = []
        self._attributes: list[tuple[str, str]] = []

    def attribute(self, name: str, value: str) -> None:
        self._attributes.append((self.indent + name, value))

    def blocks(self, lines: list[str], *, apart: bool = False) -> None:
        """Add lines of nested blocks; ``apart``: behind an empty line, but for the first."""
        self._lines = self.all()
        self._attributes = []
        self._lines += [""] * (apart and bool(self._lines)) + lines

    def end(self, rest: str) -> None:
        """Add what stands behind the last entry."""
        if rest and self._attributes:
            name, value = self._attributes[-1]
            self._attributes[-1] = name, f"{value} {rest}"
        elif rest and self._lines:
            self._lines[-1] += f" {rest}"
        elif rest:
            self._lines.append(f"{self.indent}{rest}")

    def all(self) -> list[str]:
        return [*self._lines, *render.aligned(self._attributes)]


def _step_of(parsed: Parsed) -> str:
    """By how much the first block or object on several lines indents what stands in it; two blanks without one."""
    waiting = list(reversed(parsed.blocks))
    splices = Splices(parsed.source, parsed.newline)
    while waiting:
        node = waiting.pop()
        if node.form in ("block", "object"):
            outer = splices.indent(node.value_start)
            for child in node.children.values():
                inner = splices.indent(child.start)
                if splices.starts_line(child.start) and inner.startswith(outer) and inner != outer:
                    return inner[len(outer) :]
        waiting += reversed(node.children.values())
    return STEP


def _quoted(data: dict[str, Any], *, nested: bool) -> dict[str, Any]:
    """``data`` with its keys in quotes, as those beside them are."""
    if not nested:
        return data

    def quoted(value: Any) -> Any:
        if isinstance(value, dict) and ENCODED not in value:
            return {name if name.startswith(('"', "(")) else f'"{name}"': quoted(item) for name, item in value.items()}
        return [quoted(item) for item in value] if isinstance(value, list) else value

    found: dict[str, Any] = quoted(data)
    return found


def _is_comment(rest: bytes) -> bool:
    """Whether the rest of a line is a comment, or nothing."""
    return not rest or rest.startswith((b"#", b"//")) or (rest.startswith(b"/*") and rest.find(b"*/") == len(rest) - 2)
