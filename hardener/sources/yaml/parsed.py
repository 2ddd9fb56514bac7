"""Read one segment: plain data, and where each part of it stands."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from . import values
from .positions import (
    ALIAS,
    DOUBLE,
    FLOW_MAPPING,
    FLOW_SEQUENCE,
    LITERAL,
    MAPPING,
    PLAIN,
    SEQUENCE,
    Alias,
    Mapping,
    Node,
    Path,
    Sequence,
    Tree,
    compose,
)
from .scalars import same
from .source import Source
from .text_error import TextError


class Comment(NamedTuple):
    """A comment: its 1-based line, its text from `#` on, and whether it stands alone on the line."""

    line: int
    text: str
    alone: bool


Place = tuple[int, int, int]
"""What a path leads to: where the key or item begins, the number of its value, and how many parts lead there."""


class Parsed:
    """One segment as read.

    `documents` holds plain dict, list, str, int, float, bool and None, exactly as the Kubernetes API reads them, one
    per document (None for an empty one). Lines count from 1 within the segment, offsets are characters.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._items: dict[int, list[int]] = {}
        self._known: dict[Path, Place] = {}
        self._held: list[Any] | None = None  # what it was found to hold

    @cached_property
    def documents(self) -> list[Any]:
        return _documents(self.source)

    def holds(self, documents: list[Any]) -> bool:
        """Whether `documents` are its own, type by type. Of one list it is found out once: nobody changes it then."""
        if documents is self._held:
            return True
        if not _says(self.source.tree, documents) and not same(self.documents, documents):
            return False
        self._held = documents
        return True

    @property
    def text(self) -> str:
        """The text as it was given."""
        return self.source.text

    @property
    def tree(self) -> Tree:
        """Where everything stands, for ``reopened``."""
        return self.source.tree

    def place(self, path: Path) -> Place | None:
        """The place at `path`, which begins with the number of its document, or the nearest above that exists; None
        where the document is empty."""
        # Reports ask for many places below the same parents, so each is looked for once.
        known = self._known.get(path)
        if known is not None:
            return known
        depth = len(path)
        place: Place | None
        if depth < 2:
            tree, number = self.source.tree, int(path[0]) if path else -1
            root = tree.roots[number] if 0 <= number < len(tree.roots) else -1
            place = None if root < 0 else (tree.starts[root], root, 1)
        else:
            above = path[:-1]
            place = self._known.get(above) or self.place(above)
            if place is not None and place[2] == depth - 1:
                entered = self._enter(place[1], path[-1])
                if entered is not None:
                    place = (*entered, depth)
        if place is not None:
            self._known[path] = place
        return place

    def line(self, document: int, path: Path) -> int:
        """Line of the key or item at `path`; for something absent, of its nearest ancestor that exists."""
        return self.line_of((document, *path))

    def line_of(self, path: Path) -> int:
        """The same of a `path` that begins with the number of its document."""
        place = self.place(path)
        return self.source.line(place[0]) + 1 if place else 1

    def column(self, document: int, path: Path) -> int:
        """Column from 0 of the key or item at `path`; for something absent, of its nearest ancestor that exists."""
        place = self.place((document, *path))
        return 0 if place is None else self.source.column(place[0])

    def end_line(self, document: int, path: Path) -> int:
        """Last line of the entry at `path` (or of its nearest ancestor), comments and blank lines below excluded."""
        place = self.place((document, *path))
        return 1 if place is None else self._end_line(place)

    def lines(self, path: Path) -> range:
        """From `line` to `end_line` of `path`, which begins with the number of its document."""
        place = self.place(path)
        return range(1, 2) if place is None else range(self.source.line(place[0]) + 1, self._end_line(place) + 1)

    def head_lines(self, path: Path) -> list[int]:
        """The line of the key or item at `path`, which begins with the number of its document; that of its value when
        it has one alone; and that of the bracket which ends a flow collection."""
        place = self.place(path)
        if place is None:
            return [1]
        source = self.source
        entry, value, depth = place
        found = [source.line(entry) + 1]
        if depth == len(path):
            start = source.tree.starts[value]
            first = source.line(start) + 1
            is_flow = source.tree.kinds[value] in _IN_BRACKETS
            if first != found[0] or is_flow:
                end = source.end_of(value) - 1
                if first == source.line(max(entry, end)) + 1:
                    found.append(first)
                if is_flow:
                    found.append(source.line(max(start, end)) + 1)
        return found

    def depth(self, document: int, path: Path) -> int:
        """How many steps of `path` lead to something that exists in the text."""
        place = self.place((document, *path))
        return 0 if place is None else place[2] - 1

    def span(self, document: int, path: Path) -> tuple[int, int] | None:
        """Offsets of the value at `path` (of `*name` for an alias), None if there is none."""
        place = self._found((document, *path))
        if place is None:
            return None
        start = self.source.tree.starts[place[1]]
        return start, max(start, self.source.end_of(place[1]))

    def comment(self, document: int, path: Path) -> str | None:
        """The comment at the end of the line of a scalar's value, or of the key of anything else."""
        if "#" not in self.source.text:
            return None
        place = self._found((document, *path))
        if place is None:
            return None
        tree, (at, value, _) = self.source.tree, place
        kind = tree.kinds[value]
        if kind == ALIAS or (kind < LITERAL and tree.starts[value] != tree.ends[value]):
            at = max(tree.starts[value], tree.ends[value] - 1)
        return self.source.line_comment(at)

    def comments(self) -> list[Comment]:
        """Every comment of the segment in order."""
        source = self.source
        found = []
        position = source.text.find("#")
        while position >= 0:
            line = source.line(position)
            start = source.starts[line]
            if text := source.line_comment(start):
                found.append(Comment(line + 1, text, source.is_comment_line(line)))
            position = source.text.find("#", source.starts[line + 1])
        return found

    def has_plain(self, text: str) -> bool:
        """True when an unquoted one-line or folded scalar, key or value, contains `text`."""
        if text not in self.source.text:
            return False
        tree = self.source.tree
        return any(kind == PLAIN and text in tree.texts[at] for at, kind in enumerate(tree.kinds))

    def plain_texts(self, text: str) -> Iterator[str]:
        """Unquoted scalars, keys and values, that contain `text`, as they are written."""
        tree = self.source.tree
        for at, kind in enumerate(tree.kinds):
            if kind == PLAIN and text in tree.texts[at]:
                yield self.source.text[tree.starts[at] : tree.ends[at]]

    def shared(self) -> list[list[tuple[str | int, ...]]]:
        """Groups of paths, each beginning with the number of its document, that share one text: an anchored mapping or
        sequence and its aliases. Merge keys are not among them."""
        groups: dict[int, list[tuple[str | int, ...]]] = {}

        def visit(node: Node, path: tuple[str | int, ...]) -> None:
            target = node
            while isinstance(target, Alias):
                target = target.target
            if not isinstance(target, Mapping | Sequence):
                return
            if target is not node or target.anchor:
                groups.setdefault(target.at, []).append(path)
            if isinstance(target, Sequence):
                for index, item in enumerate(target.items):
                    visit(item, (*path, index))
            else:
                for key, value in target.pairs:
                    if not values.is_merge(key):
                        visit(value, (*path, values.key_of(key)))

        for number, root in enumerate(self.source.roots):
            if root is not None:
                visit(root, (number,))
        return [paths for paths in groups.values() if len(paths) > 1]

    def _end_line(self, place: Place) -> int:
        return self.source.line(max(place[0], self.source.end_of(place[1]) - 1)) + 1

    def _found(self, path: Path) -> Place | None:
        """The place at ``path``, None where nothing stands there."""
        place = self.place(path)
        return place if place is not None and place[2] == len(path) else None

    def _enter(self, at: int, step: str | int) -> tuple[int, int] | None:
        """Where the entry ``step`` of a collection begins, and the number of its value."""
        tree = self.source.tree
        while tree.kinds[at] == ALIAS:
            at = tree.targets[at]
        kind = tree.kinds[at]
        if kind >= SEQUENCE:
            return self._enter_item(at, step) if isinstance(step, int) else None
        if kind < MAPPING or not isinstance(step, str):
            return None
        key = self.source.keys(at).get(step)
        if key is not None:
            return tree.starts[key], tree.nexts[key]
        return self._enter_merged(tree.node(at), step) if "<<" in self.source.text else None

    def _enter_item(self, at: int, index: int) -> tuple[int, int] | None:
        tree = self.source.tree
        items = self._items.get(at)
        if items is None:
            items = self._items[at] = tree.children(at)
        if not -len(items) <= index < len(items):
            return None
        item = items[index]
        return self.source.dash_of(item) if tree.kinds[at] == SEQUENCE else tree.starts[item], item

    def _enter_merged(self, node: Node, key: str) -> tuple[int, int] | None:
        for key_node, value in node.pairs:  # type: ignore[attr-defined]
            for source in values.merge_sources(value) if values.is_merge(key_node) else ():
                if (entered := self._enter(source.at, key)) is not None:
                    return entered
        return None

    @cached_property
    def lone_comments(self) -> list[str]:
        """The lines that hold a comment and nothing else, as written, without their line ends."""
        source = self.source
        return [
            source.text[source.starts[line] : source.line_end(source.starts[line])] for line in source.comment_lines
        ]


_IN_BRACKETS = (FLOW_MAPPING, FLOW_SEQUENCE)
_HALF = "[\ud800-\udfff]"


def parse(text: str, expected: list[Any] | None = None) -> Parsed:
    """Read one segment (no byte order mark). Where it says what is `expected`, and simply so, its documents are made
    when they are asked for.

    Raises TextError for text that is not YAML, and for YAML that Kubernetes or this engine does not take: duplicate or
    complex keys, custom tags, undefined aliases, lone carriage returns, too deep nesting, aliases that explode.
    """
    collecting = gc.isenabled()
    gc.disable()  # nothing here is garbage yet; the collector would walk the growing tree again and again
    try:
        source = Source(text, compose(text))
        if "\\u" in text or "\\U" in text:
            _join_halves(source.tree)
        if "*" in text and source.tree.targets:
            for root in source.roots:
                if root is not None:
                    values.check_expansion(root, len(source.tree.kinds) - len(source.tree.targets))
        parsed = Parsed(source)
        if expected is None or not _says(source.tree, expected):
            parsed.documents = _documents(source)  # what is wrong with them is said now
        else:
            parsed._held = expected
        return parsed
    except values.At as refusal:
        raise TextError(refusal.reason, source.line(refusal.start) + 1) from None
    except RecursionError:
        raise TextError("nested too deeply") from None
    finally:
        if collecting:
            gc.enable()


def reopened(text: str, tree: Tree) -> Parsed:
    """``text`` as ``parse`` read it, with the tree of then; its documents are made when they are asked for."""
    return Parsed(Source(text, tree))


def _says(tree: Tree, documents: list[Any]) -> bool:
    """Whether `tree` says `documents` with their keys in the same order, and needs no long way to be read."""
    if not tree.is_simple or len(tree.roots) != len(documents):
        return False
    try:
        for root, document in zip(tree.roots, documents, strict=True):
            if document is not None if root < 0 else not values.says(tree, root, document):
                return False
    except TextError:
        return False
    return True


def _documents(source: Source) -> list[Any]:
    tree = source.tree
    if tree.is_simple:
        try:
            return [None if root < 0 else values.simple_value(tree, root) for root in tree.roots]
        except (values.NotSimpleError, TextError):
            pass  # the long way reads it, or says what is wrong
    return documents_with_owners(source, None)


def documents_with_owners(source: Source, owners: values.Owners | None) -> list[Any]:
    """The plain data of ``source``, anew; ``owners`` learns which node each container came from."""
    return [None if root is None else values.value_of(root, owners) for root in source.roots]


def _join_halves(tree: Tree) -> None:
    """Make one character of each pair of escapes that JSON writes for it; half a one is no text, and is refused."""
    for at, kind in enumerate(tree.kinds):
        if kind == DOUBLE and re.search(_HALF, tree.texts[at]):
            try:
                tree.texts[at] = tree.texts[at].encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                raise values.At("a text holds half of a character", tree.node(at)) from None
