"""From YAML text to the places of its nodes, as arrays of numbers; an object for a node is made when one is asked for.

The events come from ruamel.yaml's C parser (libyaml); its pure parser is the fallback, since the old libyaml rejects
`[http://x:80]` and the wheel may be missing. Composing libraries are no help: they lose where an alias stands, and the
end marks of block collections run on to the next token.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, MutableSequence
from collections.abc import Sequence as Sequence_
from sys import intern
from typing import Any, overload

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
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
Path = tuple[str | int, ...]  # keys and indexes, from the top down

# What a node is, as a number: scalars first, in order of their styles.
PLAIN, SINGLE, DOUBLE, LITERAL, FOLDED, ALIAS, MAPPING, FLOW_MAPPING, SEQUENCE, FLOW_SEQUENCE = range(10)
_STYLES = ("", "'", '"', "|", ">")
_STYLE_OF: dict[str | None, int] = {None: PLAIN} | {style: number for number, style in enumerate(_STYLES)}


class Tree:
    """The nodes of a text by number, in the order in which they begin; what follows a node at once is its first child.

    - ``kinds``, ``starts``, ``ends``: what each is, and where it stands: offsets of its first and past its last
      character (for block collections: of the mark behind them).
    - ``nexts``: the number of the node behind it and all that is in it.
    - ``texts``: what each scalar says, "" for all else.
    - ``roots``: the number of the root of each document, -1 for an empty one.
    - ``properties``: anchor and tag, of those that have one. ``targets``: of each alias, what it stands for.
    - ``later``: the trees of what its text was rewritten to, by that text; None where nobody asks for them again.
    """

    __slots__ = ("ends", "kinds", "later", "nexts", "properties", "roots", "starts", "targets", "texts")

    def __init__(self) -> None:
        self.kinds = bytearray()
        self.starts: MutableSequence[int] = []
        self.ends: MutableSequence[int] = []
        self.nexts: MutableSequence[int] = []
        self.texts: list[str] = []
        self.roots: list[int] = []
        self.properties: dict[int, tuple[str | None, str | None]] = {}
        self.targets: dict[int, int] = {}
        self.later: dict[str, Tree] | None = None

    @property
    def is_simple(self) -> bool:
        """Whether no node has an anchor or a tag, and none stands for another."""
        return not self.properties and not self.targets

    def node(self, at: int) -> Node:
        """The node of number ``at``."""
        kind = self.kinds[at]
        if kind <= FOLDED:
            return Scalar(self, at)
        if kind == ALIAS:
            return Alias(self, at)
        return Mapping(self, at) if kind <= FLOW_MAPPING else Sequence(self, at)

    def children(self, at: int) -> list[int]:
        """The numbers of the items of a sequence, or of keys and values of a mapping in turn."""
        nexts = self.nexts
        end, child = nexts[at], at + 1
        found = []
        while child < end:
            found.append(child)
            child = nexts[child]
        return found

    def entries(self, at: int) -> Iterator[tuple[int, int]]:
        """The numbers of key and value of each entry of a mapping."""
        nexts = self.nexts
        end, key = nexts[at], at + 1
        while key < end:
            value = nexts[key]
            yield key, value
            key = nexts[value]

    def shrink(self) -> None:
        """Take as little memory as possible, for a tree that is kept."""
        size = "H" if max(self.ends, default=0) < 1 << 16 and len(self.kinds) < 1 << 16 else "I"
        self.starts, self.ends, self.nexts = array(size, self.starts), array(size, self.ends), array(size, self.nexts)
        self.kinds, self.texts = bytearray(self.kinds), self.texts[:]
        self.properties = self.properties or _NO_PROPERTIES
        self.targets = self.targets or _NO_TARGETS


_NO_PROPERTIES: dict[int, tuple[str | None, str | None]] = {}
_NO_TARGETS: dict[int, int] = {}


class Node:
    """A node of a tree, known by its number ``at``: two objects of one number are the same node.

    ``start`` and ``end`` are the offsets of its first and past its last character (for block collections: of the mark).
    """

    __slots__ = ("anchor", "at", "end", "start", "tag", "tree")

    def __init__(self, tree: Tree, at: int) -> None:
        self.tree = tree
        self.at = at
        self.start: int = tree.starts[at]
        self.end: int = tree.ends[at]
        self.anchor: str | None = None
        self.tag: str | None = None
        if tree.properties and at in tree.properties:
            self.anchor, self.tag = tree.properties[at]


class Scalar(Node):
    """A leaf; `style` is '' for plain, else the quote or the block indicator."""

    __slots__ = ("style", "text")

    def __init__(self, tree: Tree, at: int) -> None:
        super().__init__(tree, at)
        self.text: str = tree.texts[at]
        self.style: str = _STYLES[tree.kinds[at]]

    @property
    def absent(self) -> bool:
        """True for a null that is spelt with no character at all."""
        return self.start == self.end


class Mapping(Node):
    """A mapping; `pairs` are its keys and values in the order of the text, `children` their numbers in turn."""

    __slots__ = ("_pairs", "children", "flow")

    def __init__(self, tree: Tree, at: int) -> None:
        super().__init__(tree, at)
        self.flow = tree.kinds[at] == FLOW_MAPPING
        self.children = tree.children(at)
        self._pairs: Pairs | None = None

    @property
    def pairs(self) -> Pairs:
        found = self._pairs
        if found is None:
            found = self._pairs = Pairs(self.tree, self.children)
        return found


class Pairs(Sequence_[tuple[Node, Node]]):
    """Keys and values of a mapping; the nodes of each are made when they are asked for."""

    __slots__ = ("_children", "_made", "_tree")

    def __init__(self, tree: Tree, children: list[int]) -> None:
        self._tree = tree
        self._children = children
        self._made: dict[int, tuple[Node, Node]] = {}

    def __len__(self) -> int:
        return len(self._children) // 2

    @overload
    def __getitem__(self, index: int) -> tuple[Node, Node]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Node, Node]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Node, Node] | list[tuple[Node, Node]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        found = self._made.get(index)
        if found is None:
            if not -len(self) <= index < len(self):
                raise IndexError(index)
            key = 2 * (index % len(self))
            found = self._made[index] = self._tree.node(self._children[key]), self._tree.node(self._children[key + 1])
        return found


class Sequence(Node):
    """A sequence and its items; `children` are their numbers."""

    __slots__ = ("_items", "children", "flow")

    def __init__(self, tree: Tree, at: int) -> None:
        super().__init__(tree, at)
        self.flow = tree.kinds[at] == FLOW_SEQUENCE
        self.children = tree.children(at)
        self._items: list[Node] | None = None

    @property
    def items(self) -> list[Node]:
        found = self._items
        if found is None:
            found = self._items = list(map(self.tree.node, self.children))
        return found


class Alias(Node):
    """`*name`, and the node it stands for."""

    __slots__ = ()

    @property
    def target(self) -> Node:
        return self.tree.node(self.tree.targets[self.at])


Collection = Mapping | Sequence


def compose(text: str) -> Tree:
    """Give the nodes of all documents in `text`.

    Raises TextError for a syntax error, an undefined alias, or nesting deeper than MAX_DEPTH.
    """
    if "\r" in text and re.search(r"\r(?!\n)", text):
        raise TextError("a carriage return without a line feed", text.count("\n", 0, _lone_return(text)) + 1)
    return _composed(text, lambda next_event: next_event)


_Events = Callable[[], Any]  # gives one at each call, None behind the last


def _composed(text: str, wanted: Callable[[_Events], _Events]) -> Tree:
    """The nodes that the `wanted` of the events of `text` make."""
    first: Exception | None = None
    if (next_event := fast_events(text)) is not None:
        try:
            return _build(wanted(next_event))
        except TextError:
            raise
        except Exception as error:
            first = error
    try:
        events = _pure_events(text)
        return _build(wanted(lambda: next(events, None)))
    except TextError:
        raise
    except Exception as error:
        raise _syntax_error(first or error) from None


def compose_first(text: str) -> Tree:
    """Give the nodes of the first document in `text`, whatever follows it. Raises TextError as `compose` does."""
    return _composed(text, _up_to_end)


def _up_to_end(next_event: Callable[[], Any]) -> Callable[[], Any]:
    """The events of the first document alone, one at each call."""
    ended = False

    def of_first() -> Any:
        nonlocal ended
        event = None if ended else next_event()
        ended = event is None or type(event) is DocumentEndEvent
        return event

    return of_first


def fast_events(text: str) -> Callable[[], Any] | None:
    """What gives the events of `text`, one at each call, by libyaml, which raises what it likes; None without it."""
    return None if CParser is None else CParser(text).get_event


def _lone_return(text: str) -> int:
    match = re.search(r"\r(?!\n)", text)
    return match.start() if match else 0


def _pure_events(text: str) -> Iterator[Any]:
    """The events of the pure parser, which marks an absent value at the next token: as libyaml, behind `:` or `-`."""
    last = 0  # where the search for that begins
    flows: list[bool] = []
    for event in YAML(typ="safe", pure=True).parse(text):
        kind = type(event)
        if kind is ScalarEvent and not event.style and event.start_mark.index == event.end_mark.index:
            match = _TO_VALUE.match(text, last)
            if match:
                event.start_mark = event.end_mark = _Mark(match.end())
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            flows.append(event.flow_style)
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            if flows.pop():
                last = event.end_mark.index
        elif kind in _MARKED:
            last = event.end_mark.index
        yield event


class _Mark:
    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


_MARKED = (ScalarEvent, MappingStartEvent, SequenceStartEvent, AliasEvent, DocumentStartEvent)


_QUOTED = r"'[^']*'|\"[^\"]*\""


def _syntax_error(error: Exception) -> TextError:
    """Say what the parser said, without the characters it quotes unless they are mere punctuation."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    if not isinstance(problem, str):
        return TextError("not valid YAML")
    words = re.sub(_QUOTED, lambda m: m[0] if re.fullmatch(r"\W{1,5}|.<[a-z ]+>.", m[0]) else "a character", problem)
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark is not None else None
    return TextError("not valid YAML: " + " ".join(words.split()), line)


_TO_VALUE = re.compile(r"(?:[ \t\r\n]|#[^\n]*+)*+[:-]")


_OPENED: dict[type, int] = {MappingStartEvent: MAPPING, SequenceStartEvent: SEQUENCE}


def _build(next_event: Callable[[], Any]) -> Tree:
    # Each event costs a call of the parser, so little else is done for the most of them: no call for a scalar or a
    # collection without an anchor or a tag.
    building = _Building()
    tree, kinds, stack, behind = building.tree, building.kinds, building.stack, building.behind
    starts, ends, texts, style_of = tree.starts, tree.ends, tree.texts, _STYLE_OF
    while (event := next_event()) is not None:
        kind = type(event)
        if kind is ScalarEvent:
            kinds.append(style_of[event.style])
            starts.append(event.start_mark.index)
            ends.append(event.end_mark.index)
            texts.append(intern(event.value))
            if event.anchor is not None or event.ctag is not None or not stack:
                building.note(event, len(kinds) - 1)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            closed = stack.pop()
            ends[closed] = event.end_mark.index
            behind[closed] = len(kinds)
        elif (opened := _OPENED.get(kind)) is not None:
            at = len(kinds)
            kinds.append(opened + bool(event.flow_style))
            starts.append(event.start_mark.index)
            ends.append(0)
            texts.append("")
            if event.anchor is not None or event.ctag is not None or not stack:
                building.note(event, at)
            if len(stack) >= MAX_DEPTH:
                raise TextError("nested too deeply", event.start_mark.line + 1)
            stack.append(at)
        elif kind is AliasEvent:
            building.alias(event)
        elif kind is DocumentStartEvent:
            building.document()
    return building.finished()


class _Building:
    """A tree while its events come: the ``kinds`` of its nodes, the ``stack`` of open collections, and ``behind`` each
    collection the number of the node that follows it."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.kinds: list[int] = []
        self.stack: list[int] = []
        self.behind: dict[int, int] = {}
        self._anchors: dict[str, int] = {}

    def note(self, event: Any, at: int) -> None:
        """Keep what an event says beside its text, and whether its node is a root."""
        if not self.stack:
            self.tree.roots[-1] = at
        if event.anchor is not None or event.ctag is not None:
            tag = event.ctag  # what `tag` makes a text of
            self.tree.properties[at] = event.anchor, None if tag is None else str(tag)
            if event.anchor:
                self._anchors[event.anchor] = at

    def alias(self, event: Any) -> None:
        """Add an alias. Raises TextError for one that leads nowhere, or to what it is in."""
        target = self._anchors.get(event.anchor)
        if target is None:
            raise TextError(f"undefined alias *{event.anchor}", event.start_mark.line + 1)
        if self.kinds[target] >= MAPPING and target not in self.behind:
            raise TextError(f"alias *{event.anchor} inside its own anchor", event.start_mark.line + 1)
        at = len(self.kinds)
        self.kinds.append(ALIAS)
        self.tree.starts.append(event.start_mark.index)
        self.tree.ends.append(event.end_mark.index)
        self.tree.texts.append("")
        self.tree.targets[at] = target
        if not self.stack:
            self.tree.roots[-1] = at

    def document(self) -> None:
        """Begin a document, which knows no anchor of the one before."""
        self.tree.roots.append(-1)
        self._anchors = {}

    def finished(self) -> Tree:
        """The tree when all events have come."""
        tree = self.tree
        tree.kinds += bytes(self.kinds)
        nexts = list(range(1, len(self.kinds) + 1))
        for at, following in self.behind.items():
            nexts[at] = following
        tree.nexts = nexts
        return tree
