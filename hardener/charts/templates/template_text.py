"""A template of a chart read as a tree of keys and items, without running it; and what it renders, read the same way.

Source: the syntax of actions of Go's text/template, and helm's functions `include`, `indent` and `nindent`. Of an
action only this is known: whether it prints something, and at which column. Both branches of an `if` are in the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from msgspec import Struct

OUT = "\ue000"
"""Stands in a text where an action prints something."""
_SILENT = "\ue001"  # stands where an action prints nothing: if, end, a variable, a comment

# No quantifier gives back what it took, so that a brace without an end costs one look.
_ACTION = re.compile(
    r"""\{\{(?:-\s)?\s*+(?:/\*.*?\*/\s*+-?\}\}
    | ((?: "(?:\\.|[^"\\\n])*+" | `[^`]*+` | '(?:\\.|[^'\\\n])*+' | [^"`'}] | \}(?!\}) )*+) \}\})""",
    re.DOTALL | re.VERBOSE,
)
_WORD = re.compile(r"[A-Za-z]+\b")
_BLOCKS = frozenset(("if", "range", "with", "define", "block"))
_QUIET = frozenset(("else", "end", "break", "continue", "fail"))
_ASSIGNS = re.compile(r"\$\w*\s*:?=[^=]")
_COLUMN = re.compile(r"\bn?indent\s+\(?(\d+)")
_DEFINES = re.compile(r"(?:define|block)\s+[\"`]([^\"`]+)[\"`]")
_INCLUDES = re.compile(r"\b(?:include|template|block)\s+[\"`]([^\"`]+)[\"`]")
_SCALAR = re.compile(r"(?:[&!]\S+\s+)*[|>][0-9+-]{0,2}(?:\s+#.*)?")
_KEY = re.compile(r"""("(?:\\.|[^"\\])*+"|'(?:''|[^'])*+'|[^\s"'{\[#&*!|>%@`-][^\n]*?|-\S[^\n]*?)\s*+:(?=\s|$)""")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


class Block(Struct, frozen=True, eq=False):
    """What stands between `if`, `range`, `with` or `define` and its `else` or `end`; `else` begins one of its own.

    ``action`` is the text of the action that opens it, ``number`` its place among the blocks of the template.
    """

    number: int
    word: str
    action: str
    line: int


@dataclass(slots=True, eq=False)
class Node:
    """A key, an item of a list, a line of text, or an action that prints ("out"), with what stands below it.

    - ``name``: the key or the text, without quotes; OUT stands for what an action prints.
    - ``value``: what stands behind the key or the dash, without quotes and comment; "" for nothing.
    - ``line``, ``end``: the first line, and the last one with anything of it; both count from 1.
    - ``column``: where it begins, from 0; for an action that says it, the column of what it prints.
    - ``blocks``: the blocks of the template that are open there.
    - ``actions``: the actions of its line that print.
    """

    kind: str
    name: str
    line: int
    column: int
    value: str = ""
    blocks: tuple[Block, ...] = ()
    actions: tuple[str, ...] = ()
    end: int = 0
    children: list[Node] = field(default_factory=list)
    parent: Node | None = field(default=None, repr=False)

    @property
    def includes(self) -> list[str]:
        """The names of the templates that its line includes."""
        return [name for action in self.actions for name in _INCLUDES.findall(action)]

    def above(self) -> Iterator[Node]:
        """Yield what it stands in, from the inside out."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


class Line(Struct):
    """A line of a template, where the lines of one action are one: its text, with OUT for what prints.

    ``blocks`` are open where its text begins, ``after`` behind it.
    """

    number: int
    end: int
    text: str
    blocks: tuple[Block, ...]
    after: tuple[Block, ...]
    actions: tuple[str, ...]

    @property
    def is_silent(self) -> bool:
        """Whether nothing comes of it but blanks and a comment."""
        text = self.text.strip(_SILENT + " \t")
        return not text or text.startswith("#")


class Template(Struct):
    """A template: the tree of each of its documents, and of what it defines, by name; and its lines."""

    documents: list[Node]
    defines: dict[str, list[Node]]
    lines: list[Line]


def read_template(text: str) -> Template:
    """Return the tree of a template of a chart, or of a file of helpers. Every text has one."""
    lines = _lines(text)
    parts: dict[str | None, list[Line]] = {None: []}
    for line in lines:
        defines = [block for block in line.blocks if block.word == "define"]
        found = _DEFINES.match(defines[-1].action) if defines else None
        parts.setdefault(found[1] if found else None, []).append(line)
    trees = {name: _documents(part) for name, part in parts.items()}
    documents = trees.pop(None)
    return Template(documents, {str(name): nodes for name, nodes in trees.items()}, lines)


def read_rendered(text: str) -> list[Node]:
    """Return the trees of the documents that helm printed."""
    lines = (Line(number, number, line.rstrip("\r"), (), (), ()) for number, line in enumerate(text.split("\n"), 1))
    return _documents(lines)


def _lines(text: str) -> list[Line]:
    reader = _LineReader()
    behind = 0
    while (place := text.find("{{", behind)) >= 0:
        match = _ACTION.match(text, place)
        if match is None:  # helm refuses the template
            break
        reader.literal(text[behind:place])
        behind = match.end()
        reader.action((match[1] or "").strip().removesuffix("-").strip())
        reader.number += text.count("\n", match.start(), match.end())
    reader.literal(text[behind:])
    reader.end_line()
    return reader.lines


class _LineReader:
    """Puts the lines of a template together, each with the blocks that it stands in."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.number = 1
        self._numbers = count()
        self._state: list[Block] = []
        self._current, self._began = "", 1
        self._blocks: tuple[Block, ...] | None = None  # those where the first of the line is printed
        self._actions: list[str] = []

    def end_line(self) -> None:
        """Take what was read since the last line for one."""
        state = tuple(self._state)
        blocks = state if self._blocks is None else self._blocks
        self.lines.append(Line(self._began, self.number, self._current, blocks, state, tuple(self._actions)))
        self._current, self._blocks, self._actions, self._began = "", None, [], self.number + 1

    def literal(self, part: str) -> None:
        """Take in ``part``, the text between two actions."""
        for place, run in enumerate(part.split("\n")):
            if place:
                self.end_line()
                self.number += 1
            run = run.rstrip("\r")
            self._current += run
            if self._blocks is None and run.strip():
                self._blocks = tuple(self._state)

    def action(self, action: str) -> None:
        """Read what stands in braces: it opens or closes a block, or prints, or does neither."""
        word = found[0] if (found := _WORD.match(action)) else ""
        if word in _BLOCKS:
            self._state.append(Block(next(self._numbers), word, action, self.number))
        elif word in ("else", "end") and self._state:
            opened = self._state.pop()
            if word == "else":
                self._state.append(Block(next(self._numbers), "else", opened.action, self.number))
        opens_only = word in _BLOCKS and word != "block"
        if not action or word in _QUIET or opens_only or _ASSIGNS.match(action):
            self._current += _SILENT
            return
        self._current += OUT
        self._actions.append(action)
        if self._blocks is None:
            self._blocks = tuple(self._state)


def _documents(lines: Iterable[Line]) -> list[Node]:
    """The tree of each document; the node of a document itself is of the kind "document"."""
    roots: list[Node] = []
    opened: list[Node] = []  # from the document down to the last node
    scalar: Node | None = None  # the one of them whose text the next lines may be
    for line in lines:
        text = line.text.strip(_SILENT + " \t")
        if not text:
            continue
        column = _column(line, text)
        if not roots or (column == 0 and (text == "---" or text.startswith("--- "))):
            roots.append(Node("document", "", line.number, -1, blocks=line.blocks, end=line.end))
            opened, scalar = [roots[-1]], None
            if text.startswith("---"):
                continue
        if scalar is not None and column > scalar.column:
            kind = "text" if text.strip(OUT + _SILENT + " \t") else "out"
            _place(Node(kind, text, line.number, column, "", line.blocks, line.actions, line.end), scalar)
        elif not text.startswith("#"):
            _add(text, column, line, opened)
            scalar = opened[-1] if _SCALAR.fullmatch(opened[-1].value) else None
    for root in roots:
        _find_ends(root)
    return roots


def _find_ends(root: Node) -> None:
    """Let each node end where the last below it ends."""
    order = [root]
    for node in order:
        order.extend(node.children)
    for node in reversed(order):
        node.end = max([node.end, *(child.end for child in node.children)])


def _column(line: Line, text: str) -> int:
    """Where the text of the line begins, or what its action prints."""
    if not text.strip(OUT + _SILENT + " \t") and (said := _COLUMN.findall(line.actions[-1])):
        return int(said[-1])
    lead = line.text[: len(line.text) - len(line.text.lstrip(_SILENT + " \t"))]
    return len(lead.replace(_SILENT, "").expandtabs(8))


def _place(node: Node, parent: Node) -> Node:
    node.parent = parent
    parent.children.append(node)
    return node


def _add(text: str, column: int, line: Line, opened: list[Node]) -> None:
    """Hang what a line holds below the last of the ``opened`` nodes that it belongs to; they become those of it."""

    def made(kind: str, name: str, value: str = "") -> Node:
        return Node(kind, name, line.number, column, value, line.blocks, line.actions, line.end)

    prints = not text.strip(OUT + _SILENT + " \t")
    while _ends_before(opened[-1], column, _is_item(text), prints):
        opened.pop()
    while _is_item(text):
        opened.append(_place(made("item", "-"), opened[-1]))
        rest = text[1:].lstrip(" \t" + _SILENT)
        column += len(text) - len(rest)
        text = rest
    above = opened[-1]
    if found := _KEY.match(text):
        key = made("key", _unquoted(found[1]), _plain(text[found.end() :]))
        opened.append(_place(key, above))
        if key.value.startswith(OUT):
            column += 1
            _place(made("out", key.value), key)
    elif text and prints:
        _place(made("out", text), above)
    elif text and above.kind == "item" and above.line == line.number:
        above.value = _plain(text)
    elif text:
        _place(made("text", text), above)


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _ends_before(node: Node, column: int, is_item: bool, prints: bool) -> bool:
    """Whether a line at ``column`` is no part of ``node``: a list may stand at the column of its key."""
    if node.column != column:
        return node.column > column
    return node.kind != "key" or not (is_item or (prints and _is_list(node)))


def _is_list(key: Node) -> bool:
    """Whether what an action prints at the column of the key may be a part of it: a list may stand there."""
    return not key.value and all(child.column == key.column for child in key.children)


def _plain(text: str) -> str:
    """A scalar without the quotes and the comment around it."""
    text = text.strip(" \t" + _SILENT)
    if text[:1] not in ('"', "'"):
        text = _COMMENT.sub("", text).strip()
    return _unquoted(text)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def fits(pattern: str, text: str) -> bool:
    """Tell whether ``text`` may be what the text ``pattern`` of a template prints."""
    if _SILENT in pattern:  # an `if` in the middle of a line: either branch
        return True
    first, *rest = pattern.split(OUT)
    if not rest:
        return first == text
    if not text.startswith(first):
        return False
    place = len(first)
    for part in rest[:-1]:
        place = text.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return len(text) - len(rest[-1]) >= place and text.endswith(rest[-1])


def is_literal(pattern: str) -> bool:
    """Tell whether no action has part in the text ``pattern`` of a template."""
    return OUT not in pattern and _SILENT not in pattern
