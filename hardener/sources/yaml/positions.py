"""From YAML text to a tree of nodes with exact positions.

The events come from ruamel.yaml's C parser (libyaml); its pure parser is the fallback, since the old libyaml rejects
`[http://x:80]` and the wheel may be missing. Composing libraries are no help: they lose where an alias stands, and the
end marks of block collections run on to the next token.
"""

import re
from collections.abc import Callable
from sys import intern
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from .text_error import TextError

try:
    from _ruamel_yaml import CParser
except ImportError:  # pragma: no cover - the wheel exists for every platform we test
    CParser = None

MAX_DEPTH = 200


class Node:
    """Where a value stands: offsets of its first and past its last character (for block collections: of the mark)."""

    __slots__ = ("anchor", "end", "start", "tag")
    start: int
    end: int
    anchor: str | None
    tag: str | None


class Scalar(Node):
    """A leaf; `style` is '' for plain, else the quote or the block indicator."""

    __slots__ = ("style", "text")

    def __init__(self, start: int, end: int, anchor: str | None, tag: str | None, text: str, style: str) -> None:
        self.start = start
        self.end = end
        self.anchor = anchor
        self.tag = tag
        self.text = text
        self.style = style

    @property
    def absent(self) -> bool:
        """True for a null that is spelt with no character at all."""
        return self.start == self.end


class Mapping(Node):
    """A mapping; `pairs` are its keys and values in the order of the text."""

    __slots__ = ("flow", "pairs")

    def __init__(self, start: int, anchor: str | None, tag: str | None, flow: bool) -> None:
        self.start = start
        self.end = -1
        self.anchor = anchor
        self.tag = tag
        self.flow = flow
        self.pairs: list[tuple[Node, Node]] = []


class Sequence(Node):
    """A sequence and its items."""

    __slots__ = ("flow", "items")

    def __init__(self, start: int, anchor: str | None, tag: str | None, flow: bool) -> None:
        self.start = start
        self.end = -1
        self.anchor = anchor
        self.tag = tag
        self.flow = flow
        self.items: list[Node] = []


class Alias(Node):
    """`*name`, and the node it stands for."""

    __slots__ = ("target",)

    def __init__(self, start: int, end: int, target: Node) -> None:
        self.start = start
        self.end = end
        self.anchor = None
        self.tag = None
        self.target = target


Collection = Mapping | Sequence


class Tree:
    """The nodes of a text: one root per document (None for an empty one), all leaves, all collections, in order."""

    __slots__ = ("collections", "roots", "scalars")

    def __init__(self) -> None:
        self.roots: list[Node | None] = []
        self.scalars: list[Scalar] = []
        self.collections: list[Collection] = []


def compose(text: str) -> Tree:
    """Give the nodes of all documents in `text`.

    Raises TextError for a syntax error, an undefined alias, or nesting deeper than MAX_DEPTH.
    """
    if "\r" in text and re.search(r"\r(?!\n)", text):
        raise TextError("a carriage return without a line feed", text.count("\n", 0, _lone_return(text)) + 1)
    first: Exception | None = None
    if CParser is not None:
        try:
            return _build(CParser(text).get_event)
        except TextError:
            raise
        except Exception as error:
            first = error
    try:
        return _build(_pure_events(text), text)
    except TextError:
        raise
    except Exception as error:
        raise _syntax_error(first or error) from None


def _lone_return(text: str) -> int:
    match = re.search(r"\r(?!\n)", text)
    return match.start() if match else 0


def _pure_events(text: str) -> Callable[[], Any]:
    from ruamel.yaml import YAML

    events = iter(YAML(typ="safe", pure=True).parse(text))
    return lambda: next(events, None)


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def _syntax_error(error: Exception) -> TextError:
    """Say what the parser said, without the characters it quotes unless they are mere punctuation."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    if not isinstance(problem, str):
        return TextError("not valid YAML")
    words = _QUOTED.sub(lambda m: m[0] if re.fullmatch(r"\W{1,5}|.<[a-z ]+>.", m[0]) else "a character", problem)
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark is not None else None
    return TextError("not valid YAML: " + " ".join(words.split()), line)


_TO_VALUE = re.compile(r"(?:[ \t\r\n]|#[^\n]*+)*+[:-]")


def _build(next_event: Callable[[], Any], pure_text: str | None = None) -> Tree:
    tree = Tree()
    documents, scalars = tree.roots, tree.scalars
    anchors: dict[str, Node] = {}
    stack: list[tuple[list[Node], Collection | None]] = []
    siblings: list[Node] = []  # children of the open collection, keys and values alternating
    open_node: Collection | None = None
    last = 0
    while (event := next_event()) is not None:
        kind = type(event)
        if kind is ScalarEvent:
            start, end = event.start_mark.index, event.end_mark.index
            if pure_text is not None:
                # The pure parser marks an absent value at the next token; libyaml marks it behind `:` or `-`.
                if start == end and not event.style and (match := _TO_VALUE.match(pure_text, last)):
                    start = end = match.end()
                last = end
            tag = event.ctag  # what `tag` makes a text of; nearly always None
            if tag is not None:
                tag = str(tag)
            scalar = Scalar(start, end, event.anchor, tag, intern(event.value), event.style or "")
            scalars.append(scalar)
            node: Node = scalar
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            tag = event.ctag
            if tag is not None:
                tag = str(tag)
            opened: Collection = (Mapping if kind is MappingStartEvent else Sequence)(
                event.start_mark.index, event.anchor, tag, bool(event.flow_style)
            )
            tree.collections.append(opened)
            if event.anchor:
                anchors[event.anchor] = opened
            if open_node is None:
                documents[-1] = opened
            else:
                siblings.append(opened)
            if len(stack) >= MAX_DEPTH:
                raise TextError("nested too deeply", event.start_mark.line + 1)
            stack.append((siblings, open_node))
            siblings, open_node = [], opened
            last = event.end_mark.index
            continue
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            assert open_node is not None
            open_node.end = event.end_mark.index
            if isinstance(open_node, Mapping):
                open_node.pairs = list(zip(siblings[::2], siblings[1::2], strict=True))
            else:
                open_node.items = siblings
            if open_node.flow:
                last = open_node.end
            siblings, open_node = stack.pop()
            continue
        elif kind is AliasEvent:
            target = anchors.get(event.anchor)
            if target is None:
                raise TextError(f"undefined alias *{event.anchor}", event.start_mark.line + 1)
            if target.end < 0:
                raise TextError(f"alias *{event.anchor} inside its own anchor", event.start_mark.line + 1)
            node = Alias(event.start_mark.index, event.end_mark.index, target)
            last = node.end
        elif kind is DocumentStartEvent:
            documents.append(None)
            anchors = {}
            last = event.end_mark.index
            continue
        else:
            continue
        if node.anchor:
            anchors[node.anchor] = node
        if open_node is None:
            documents[-1] = node
        else:
            siblings.append(node)
    return tree
