"""A Python file that was read: its Kubernetes objects as documents, and the places of everything in them.

Constants: an edit goes to where they are assigned if only manifests use them, else to where they are used. An image
with a name that is used elsewhere too is not edited: the name would no longer say which one runs.
"""

from __future__ import annotations

import ast
import gc
import re
import warnings
from collections.abc import Hashable
from typing import Any

from msgspec import Struct, field

from hardener.sources.python.libraries.own_classes import Own
from hardener.sources.python.libraries.subclasses import NOWHERE, Elsewhere
from hardener.sources.python.model import Bracket, Entry, Item, Mapping, Node, Scalar, Sequence, plain
from hardener.sources.python.names.resolve import Key, member, single
from hardener.sources.python.names.scan import scan
from hardener.sources.python.names.scopes import Imported
from hardener.sources.python.objects.address_reads import AddressReads, address_reads
from hardener.sources.python.objects.extract import Extractor
from hardener.sources.python.objects.roots import roots
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Lines, Places
from hardener.sources.python.parser.tree import LARGEST, read
from hardener.sources.python.texts.embedded import Embedded, embedded
from hardener.sources.python.texts.loose_texts import loose
from hardener.sources.python.writing import quotes
from hardener.sources.yaml import Comment, TextError
from hardener.support.data_path import Path


def unify(documents: list[Mapping], extractor: Extractor) -> None:
    """Let all uses of a constant be one node, where every use of its name is one, and for the same field: a value that
    is wrong for one field may be right for another."""
    loads = _loads(extractor)
    fields: dict[Node, set[str]] = {}
    for document in documents:
        _note(document, "", fields)
    one: dict[Scalar, Node] = {}
    for (scope, name), uses in extractor.uses.items():
        binding, _ = single(scope.bindings[name])
        value = extractor.made.get(binding.value) if binding is not None and binding.value is not None else None
        if not isinstance(value, Scalar):
            continue
        meant = set().union(*(fields.get(use, {""}) for use in uses))
        if len(meant) == 1 and loads.get((scope, name), 0) <= len(uses):
            one.update(dict.fromkeys(uses, value))
        elif "image" in meant:
            for use in uses:
                use.written = False
    if not one:
        return
    for document in documents:
        _replace(document, one)


def _note(node: Node, field: str, fields: dict[Node, set[str]]) -> None:
    """Record for which fields each scalar is the value."""
    if isinstance(node, Mapping):
        for name, entry in node.fields.items():
            _note(entry.value, name, fields)
    elif isinstance(node, Sequence):
        for item in node.items:
            _note(item, field, fields)
    elif isinstance(node, Scalar):
        fields.setdefault(node, set()).add(field)


def _loads(extractor: Extractor) -> dict[Key, int]:
    found: dict[Key, int] = {}
    for scope in extractor.scan.scopes:
        for name, count in scope.loads.items():
            owner = scope.owner(name)
            if owner is not None:
                found[owner, name] = found.get((owner, name), 0) + count
        for name, attribute in scope.members:
            owner, bound, rest = member(scope, name, (("attribute", attribute),))
            if owner is not None and not rest:
                found[owner, bound] = found.get((owner, bound), 0) + 1
    return found


def _replace(node: Node, one: dict[Scalar, Node]) -> None:
    if isinstance(node, Mapping):
        for entry in node.fields.values():
            if isinstance(entry.value, Scalar):
                entry.value = one.get(entry.value, entry.value)
            else:
                _replace(entry.value, one)
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            if isinstance(item, Scalar):
                node.items[index] = one.get(item, item)
            else:
                _replace(item, one)


_BRANCHES = ast.If | ast.IfExp | ast.Match
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Block(Struct, frozen=True):
    """The lines of a branch or of a function."""

    first: int
    last: int
    is_function: bool


class Around(Struct, frozen=True):
    """The first lines of the functions around a place, the outermost first, and whether a branch of the innermost one
    is around it, too; of the program where there is none."""

    functions: tuple[int, ...] = ()
    branch: bool = False

    def within(self, block: Block) -> Around:
        """What is around a place in ``block``, which stands in these."""
        return Around((*self.functions, block.first)) if block.is_function else Around(self.functions, True)


def branches(source: bytes) -> list[Block]:
    """The branches and functions of the program ``source``, those around others first. What the Python that runs
    cannot read is one branch."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # of a later Python
        return [Block(1, source.count(b"\n") + source.count(b"\r") + 1, False)]
    found: list[Block] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _BRANCHES | _FUNCTIONS):
            found.append(Block(node.lineno, node.end_lineno or node.lineno, isinstance(node, _FUNCTIONS)))
        waiting += ast.iter_child_nodes(node)
    return sorted(found, key=lambda block: (block.first, -block.last))


class Parsed(Struct):
    """``documents`` are the data of ``roots``, then those of ``texts``: YAML in literals. ``source`` is the text as
    bytes; lines count from 1. ``imports`` are the import statements in order. ``lints`` are lines with keys that the
    library silently does not understand, ``unread`` those of YAML in literals that is not read, with why."""

    source: bytes
    documents: list[Any]
    roots: list[Mapping]
    imports: list[Imported]
    lints: list[tuple[int, str]]
    texts: list[Embedded]
    unread: list[tuple[int, str]]
    _lines: Lines
    _comments: list[Comment]
    elsewhere: Elsewhere = NOWHERE  # what it may import
    _at_line: dict[int, str] = field(default_factory=dict)  # comments by line, once asked for
    _quote: str = ""
    _newline: str = ""
    _reads: AddressReads | None = None  # once asked for
    _branches: list[Block] | None = None
    # While changes are tried: how many values were looked at, and new fields that have a place, by object and name.
    tried: int = 0
    _shared: list[list[Path]] | None = None  # once asked for
    _sharing: set[int] | None = None  # the same
    rendered: dict[tuple[int, str], Hashable] = field(default_factory=dict)

    @property
    def quote(self) -> str:
        """The quotes of most of its texts."""
        if not self._quote:
            self._quote = quotes.majority(self.source)
        return self._quote

    def data(self) -> list[Any]:
        """The documents once more, fresh."""
        own = [plain(root) for root in self.roots]
        return own + [text.masked.data(document) for text in self.texts for document in text.parsed.documents]

    def shares(self, number: int) -> bool:
        """Whether some text of the document ``number`` stands for several places, of it or of others."""
        if self._sharing is None:
            self._sharing = {int(path[0]) for paths in self.shared() for path in paths}
        return number in self._sharing

    def is_patch(self, number: int) -> bool:
        """Whether the document ``number`` is what a call patches another object with."""
        return number < len(self.roots) and self.roots[number].is_patch

    def is_optional(self, number: int) -> bool:
        """Whether the document ``number`` is made in a branch of the program, or of the function that makes it."""
        return self._around(number).branch

    def functions(self, number: int) -> tuple[int, ...]:
        """The lines where the functions begin in which the document ``number`` is made, the outermost first."""
        return self._around(number).functions

    def _around(self, number: int) -> Around:
        if self._branches is None:
            self._branches = branches(self.source)
        line, found = self.line(number, ()), Around()
        for block in self._branches:  # those around others come first
            if block.first <= line <= block.last:
                found = found.within(block)
        return found

    def reads_address(self, number: int) -> int | None:
        """The line where the program reads an address of the Service that the document ``number`` is, or may read it;
        None where it reads none."""
        if number >= len(self.roots):
            return None
        if self._reads is None:
            self._reads = address_reads(self.source)
        places = [self._lines.place(root.start) for root in self.roots]
        return self._reads.line(places[number], places)

    def text_at(self, number: int) -> tuple[Embedded, int] | None:
        """The YAML that holds the document ``number``, and its number in there; None for one that code makes."""
        number -= len(self.roots)
        for text in self.texts if number >= 0 else ():
            if number < len(text.parsed.documents):
                return text, number
            number -= len(text.parsed.documents)
        return None

    def extents(self) -> list[tuple[int, int]]:
        """The first and the last line of each part that says something of an object, wherever it stands."""
        found = {(text.line, text.line + text.text.count("\n")) for text in self.texts}
        waiting: list[Node] = [*self.roots]
        seen: set[int] = set()
        while waiting:
            node = waiting.pop()
            if id(node) not in seen:
                seen.add(id(node))
                found.add((node.line, self._lines.line(node.end)))
                waiting += _held(node)[0]
        return sorted(found)

    def find(self, number: int, path: Path) -> tuple[Node, Item | None, int]:
        """The deepest node on the way to ``path`` of the document ``number``, the item it is the value of, and how many
        parts led to it."""
        node: Node = self.roots[min(number, len(self.roots) - 1)]
        item: Item | None = None
        for depth, part in enumerate(path):
            if isinstance(node, Mapping) and part in node.fields:
                entry = node.fields[str(part)]
                node, item = entry.value, entry.item
            elif isinstance(node, Sequence) and isinstance(part, int) and -len(node.items) <= part < len(node.items):
                item = node.places[part]
                node = node.items[part]
            else:
                return node, item, depth
        return node, item, len(path)

    def line(self, number: int, path: Path) -> int:
        """The line of the argument, entry or element at ``path``, or of its value where that stands elsewhere; of what
        is not there, that of what would hold it."""
        if (found := self.text_at(number)) is not None:
            return found[0].line + found[0].parsed.line(found[1], path) - 1
        if not self.roots:
            return 1
        node, item, _ = self.find(number, path)
        return self._lines.line(item.start) if item is not None and _holds(item, node) else node.line

    def depth(self, number: int, path: Path) -> int:
        """How many parts of ``path`` lead to something that the text says."""
        if (found := self.text_at(number)) is not None:
            return found[0].parsed.depth(found[1], path)
        return self.find(number, path)[2] if self.roots else 0

    def lines(self, number: int, path: Path) -> set[int]:
        """The lines of the argument, entry or element at ``path`` and of its value; of what is not there, none."""
        if (found := self.text_at(number)) is not None:
            first, last = (line(found[1], path) for line in (found[0].parsed.line, found[0].parsed.end_line))
            return set(range(found[0].line + first - 1, found[0].line + last))
        node, item, depth = self.find(number, path)
        if depth < len(path):
            return set()
        return {line for each in (node, item) if each is not None for line in self._rows(each.start, each.end)}

    def lines_of(self, number: int) -> set[int]:
        """The lines that any change of the document ``number`` may touch: those of all that it is made of, wherever
        that stands, and of the imports."""
        lines = {line for each in self.imports for line in self._rows(each.start, each.end)}
        if (found := self.text_at(number)) is not None:
            return lines.union(self._rows(found[0].start, found[0].end))
        seen: set[int] = set()
        # With each node the extent around it whose lines are known: nearly all that a node has stands in there.
        waiting: list[tuple[Node, int, int]] = [(self.roots[number], 0, 0)] if number < len(self.roots) else []
        while waiting:
            node, start, end = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if node.start < start or node.end > end:
                start, end = node.start, node.end
                lines.update(self._rows(start, end))
            below, parts = _held(node)
            waiting += [(each, start, end) for each in below]
            for part in parts:
                if part is not None and (part.start < start or part.end > end):
                    lines.update(self._rows(part.start, part.end))
        return lines

    def _rows(self, start: int, end: int) -> range:
        return range(self._lines.line(start), self._lines.line(end) + 1)

    def comment(self, number: int, path: Path) -> str | None:
        """The comment at the end of the line of what is at ``path``."""
        if (found := self.text_at(number)) is not None:
            return found[0].parsed.comment(found[1], path)
        if not self.roots:
            return None
        node, item, depth = self.find(number, path)
        if depth < len(path):
            return None
        is_block = isinstance(node, Mapping | Sequence)
        start = item.start if is_block and item is not None and _holds(item, node) else node.start
        if not self._at_line:
            self._at_line.update({comment.line: comment.text for comment in self._comments})
        return self._at_line.get(self._lines.line(start))

    def comments(self) -> list[Comment]:
        """Every comment of the code in order."""
        return self._comments

    def comments_of_texts(self) -> list[Comment]:
        """Every comment of the YAML in literals, by the lines of the file."""
        return [
            Comment(text.line + comment.line - 1, comment.text, comment.alone)
            for text in self.texts
            for comment in text.parsed.comments()
        ]

    def shared(self) -> list[list[Path]]:
        """Groups of paths, each beginning with the number of its document, that one text stands for."""
        if self._shared is None:
            self._shared = self._groups()
        return self._shared

    def _groups(self) -> list[list[Path]]:
        groups: dict[tuple[int, int], list[Path]] = {}
        for number, root in enumerate(self.roots):
            _group(root, (number,), groups)
        number = len(self.roots)
        for text in self.texts:
            for group in text.parsed.shared():
                groups[len(groups), -1] = [(int(path[0]) + number, *path[1:]) for path in group]
            number += len(text.parsed.documents)
        return [paths for paths in groups.values() if len(paths) > 1]

    @property
    def newline(self) -> str:
        """How lines end: as the first one does."""
        if not self._newline:
            found = re.search(rb"\r\n|\n|\r", self.source)
            self._newline = found.group().decode() if found else "\n"
        return self._newline


def parse(text: str, largest: int = LARGEST, elsewhere: Elsewhere = NOWHERE) -> Parsed:
    """Read ``text``, which may import what is ``elsewhere`` in its tree. Raises TextError, with the line where it is
    known, for what is no Python, and for more than ``largest`` bytes."""
    collecting = gc.isenabled()
    gc.disable()  # nothing here is garbage yet; the collector would walk the growing tree again and again
    try:
        with warnings.catch_warnings():  # of odd escapes in literals
            warnings.simplefilter("ignore")
            return _parsed(*read(text, largest), elsewhere)
    except RecursionError:
        raise TextError("nested too deeply") from None
    finally:
        if collecting:
            gc.enable()


def _parsed(module: syntax.Module, places: Places, elsewhere: Elsewhere) -> Parsed:
    found = scan(module, places, elsewhere.meant)
    extractor = Extractor(found, places, Own(places.source, elsewhere))
    documents = roots(extractor)
    unify(documents, extractor)
    texts, unread = embedded(module, found, places, [(root.start, root.end) for root in documents])
    source = places.source
    known = [(text.line, text.line + text.text.count("\n")) for text in texts] + [(line, line) for line, _ in unread]
    unread += loose(source, [*known, *((places.line(root.start), places.line(root.end)) for root in documents)])
    lines, comments = Lines(source), places.comments()
    read = Parsed(source, [], documents, found.imports, extractor.lints, texts, unread, lines, comments, elsewhere)
    read.documents = read.data()
    del extractor.mutator
    for scope in found.scopes:
        scope.bindings.clear()  # what they lead to goes at once, and is no work for the collector
    return read


def _holds(item: Item, node: Node) -> bool:
    return item.start <= node.start and node.end <= item.end


def _held(node: Node) -> tuple[list[Node], list[Item | Bracket | None]]:
    """The nodes below ``node``, and what of its own stands around them."""
    if isinstance(node, Mapping):
        below = [entry.value for entry in node.fields.values()]
        items = [entry.item for entry in node.fields.values()]
        homes = [home.bracket for home in node.homes.values()]
        return below, [*items, node.bracket, *node.others, *homes]
    if isinstance(node, Sequence):
        return node.items, [*node.places, node.bracket]
    return [], []


def _group(node: Node, path: Path, groups: dict[tuple[int, int], list[Path]]) -> None:
    """Add the paths to the nodes in ``node`` to ``groups``, by the extents of their texts."""
    if isinstance(node, Mapping | Sequence):
        if node.form != "virtual":
            group = groups.setdefault((node.start, node.end), [])
            group.append(path)
            if len(group) > 1:
                return  # what is in it is shared with it
        parts = node.fields.items() if isinstance(node, Mapping) else enumerate(node.items)
        for part, value in parts:
            _group(value.value if isinstance(value, Entry) else value, (*path, part), groups)
    elif isinstance(node, Scalar) and node.written:
        groups.setdefault((node.start, node.end), []).append(path)
