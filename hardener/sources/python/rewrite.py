"""Text changed through its data: the differences between the data as read and as decided become splices."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

from msgspec import Struct

from hardener.sources.open_values import Replaceable
from hardener.sources.python.libraries import types
from hardener.sources.python.model import Bracket, Home, Item, Mapping, Node, Opaque, Scalar, Sequence, Statement, plain
from hardener.sources.python.objects import replaceable
from hardener.sources.python.parsed import Parsed, parse
from hardener.sources.python.parser.tree import LARGEST
from hardener.sources.python.texts.masks import unmarked
from hardener.sources.python.texts.placeholders import emptied
from hardener.sources.python.writing import quotes
from hardener.sources.python.writing.groups import group
from hardener.sources.python.writing.imports import Names
from hardener.sources.python.writing.layout import Layout
from hardener.sources.python.writing.render import Renderer, Way, way_of
from hardener.sources.yaml import Hunk, TextError, same
from hardener.sources.yaml.align import align, mark
from hardener.support.data_path import Parts

Documents = list[Any]
T = TypeVar("T")
_ALL: Parts = {}  # all that is below
_GROWN = 4  # times: a text that may be read may be written, with all that it lacked
_CONDITIONAL = "a conditional"  # what needs parentheses before `or`
_NEAR = 200  # bytes, in which the call around a literal stands
_MOST_TRIED = 300_000, 1_000  # values that are looked at while changes are tried one by one: in all, and an object
_WRAPPED = re.compile(rb"\.from_(?:string|number)\(\s*\Z")


class Rewrite(Struct):
    """The new text with its hunks, and both texts as read."""

    text: str
    hunks: list[Hunk]
    before: Parsed
    after: Parsed


def rewrite(text: str, mutate: Callable[[Documents], None], before: Parsed | None = None) -> Rewrite:
    """``text`` with the changes that ``mutate`` makes to its documents, of which it neither adds nor removes any.

    ``before`` is ``text`` as read, where it is at hand. Raises TextError, with the line, where a change cannot be
    written without touching anything else, and where the new text does not read as what was decided.
    """
    before = before or parse(text)
    wanted = before.data()
    mutate(wanted)
    writer = _Writer(before)
    for root, new in zip(before.roots, wanted[: len(before.roots)], strict=True):
        writer.value(root, new, root.type_name, None)
    writer.texts(wanted[len(before.roots) :])
    writer.finish()
    try:
        changed, hunks = writer.layout.apply()
    except ValueError as error:
        raise TextError(str(error), 1) from None
    if not hunks:
        return Rewrite(text, [], before, before)
    try:
        after = parse(changed, _GROWN * LARGEST, before.elsewhere)
    except TextError as refused:
        raise TextError("the text does not come out as Python", refused.line) from None
    first = hunks[0].before_start
    if not _alike(after, wanted):
        raise TextError("the text does not come out as it was decided", first)
    kept = [each for each in before.comments() if each.alone or each.line - 1 not in writer.layout.erased]
    if [comment.text for comment in after.comments()] != [comment.text for comment in kept]:
        raise TextError("a comment would be lost", first)
    return Rewrite(changed, hunks, before, after)


def _alike(after: Parsed, wanted: Documents) -> bool:
    """Whether the text reads as ``wanted``. A new value in a text may stand before a line that is filled in, which may
    add to it as well as to what it is in."""
    number = len(after.roots)
    texts = [emptied(documents[number:], {}) for documents in (after.documents, wanted)]
    return same(after.documents[:number], wanted[:number]) and same(*texts)


def may_try(parsed: Parsed) -> None:
    """Raise TextError where ``check`` has done enough: every change is tried together with all that were made before
    it, so an object in which very much changes is looked at very often."""
    once, each = _MOST_TRIED
    if parsed.tried > once + each * len(parsed.roots):
        raise TextError("so much changes in this program that no more changes are tried", 0)


def check(parsed: Parsed, wanted: dict[int, Any], touched: Parts) -> None:
    """Raise TextError where the text has no place for one of the documents ``wanted``, by their numbers: a quick look
    before ``rewrite``, which may refuse what passes here. Only what is ``touched`` is looked at; all of a document some
    of whose text stands for several places, which would differ."""
    writer = _Writer(parsed, parsed.rendered)
    for number, new in wanted.items():
        if number >= len(parsed.roots):
            continue  # YAML has a place for everything
        root = parsed.roots[number]
        writer.value(root, new, root.type_name, None, {} if parsed.shares(number) else touched[number])
    parsed.tried += writer.visited
    writer.finish()


class _Writer:
    """``rendered``: the new fields that are known to have a place, by their object and name, where texts are only
    tried; they are not rendered again."""

    def __init__(self, parsed: Parsed, rendered: dict[tuple[int, str], Hashable] | None = None) -> None:
        self.parsed = parsed
        self.visited = 0
        self._rendered = rendered
        self._indexes: dict[int, dict[int, int]] = {}  # of the items of a bracket
        self.source = parsed.source
        self.names = Names(parsed.imports, parsed.elsewhere.meant)
        self.renderer = Renderer(self.names)
        lone = (comment.line - 1 for comment in parsed.comments() if comment.alone)
        self.layout = Layout(parsed.source, parsed.newline, _brackets(parsed.roots), lone)
        self.quote = parsed.quote
        self._moving: dict[int, tuple[Home, Mapping, Way, dict[str, Any]]] = {}
        self._decided: dict[Hashable, Any] = {}  # what each node shall hold: many places may lead to one

    def texts(self, wanted: list[Any]) -> None:
        """Make the documents of the YAML in literals read as ``wanted``."""
        for text in self.parsed.texts:
            own, wanted = wanted[: len(text.parsed.documents)], wanted[len(text.parsed.documents) :]
            own = unmarked(own)
            if not same(own, unmarked(text.parsed.documents)):
                for start, end, new in text.hunks(own):
                    self.layout.splices.replace(start, end, new.replace("\r\n", "\n"))

    def value(self, node: Node, new: Any, type_name: str, around: Way | None, touched: Parts = _ALL) -> None:
        """Make ``node`` read as ``new``; it stands in something that is written in the way ``around``."""
        self.visited += 1
        place: Hashable = (node.start, node.end) if isinstance(node, Scalar) and node.written else id(node)
        if isinstance(node, Mapping) and node.form != "virtual" and node.bracket is not None:
            place = node.bracket.start
        if place in self._decided:
            if not same(self._decided[place], new):
                raise TextError("used in several places, which would differ", node.line)
            return
        self._decided[place] = new
        if isinstance(node, Mapping) and isinstance(new, dict):
            self._mapping(node, new, around, touched)
        elif isinstance(node, Sequence) and isinstance(new, list):
            self._sequence(node, new, around, touched)
        elif not same(plain(node), new):
            self._replace(node, new, type_name, around)

    def _replace(self, node: Node, new: Any, type_name: str, around: Way | None) -> None:
        if isinstance(node, Opaque):
            raise TextError(f"an expression is not replaced ({node.reason})", node.line)
        if isinstance(node, Scalar):
            if node.where:
                raise TextError(f"a value is set by {node.where}", node.line)
            if not node.written:
                raise TextError("a value that is not in one place is not replaced", node.line)
            if not isinstance(new, dict | list) and node.value is not None:
                self._literal(node, new)
                return
        elif getattr(node, "bracket", None) is None:
            raise TextError("a value that is not in one place is not replaced", node.line)
        if around is None:
            raise TextError("an object is not replaced", node.line)
        self.layout.replace(node.start, node.end, self.renderer.value(new, type_name, around))

    def _literal(self, node: Scalar, new: Any) -> None:
        if isinstance(new, str) and "${" in new and "${" not in str(node.value):
            raise TextError("an expression is not copied", node.line)
        if isinstance(new, str) != isinstance(node.value, str) and _WRAPPED.search(
            self.source[max(0, node.start - _NEAR) : node.start]
        ):
            raise TextError("a text and a number are wrapped in different ways", node.line)
        text = quotes.like(new, self.source[node.start : node.end].decode(), self.quote)
        self.layout.replace(node.start, node.end, [text])

    def _mapping(self, node: Mapping, new: dict[str, Any], around: Way | None, touched: Parts) -> None:
        way = way_of(node, around, self._quote(node, around))
        for name in [name for name in node.fields if name not in new and (not touched or name in touched)]:
            self._unset(node, name, way)
        added = _NewItems[str](lambda behind, name: self._add(node, behind, name, _written(new[name]), way))
        for name, value in new.items():
            if touched and name not in touched:
                continue
            entry = node.fields.get(name)
            if entry is not None and replaceable.is_absent(entry.value):
                if not same(plain(entry.value), value):
                    self._default(node, entry.value, name, value, way, added)
            elif entry is not None:
                inner = self.renderer.below(node, name, way)
                below = touched[name] if touched else _ALL
                self.value(entry.value, value, types.field_type(node.type_name, name), inner, below)
                added.passed(self._index(node.bracket, entry.item))
            elif not self._is_at_home(node, name, value, way):
                self._check(node, name)
                added.add(name)
        added.finish(node.bracket)

    def _default(self, node: Mapping, absent: Mapping, name: str, value: Any, way: Way, added: _NewItems[str]) -> None:
        """Write a security context that no text holds: behind what is given in its place, or as a new field."""
        if absent.place == "field" and node.bracket is not None:
            added.add(name)
        elif absent.place == "operand":
            inner = self.renderer.below(node, name, way)
            text = self.renderer.value(_written(value), absent.type_name, inner)
            is_conditional = absent.replaced is not None and absent.replaced.reason == _CONDITIONAL
            if is_conditional:
                self.layout.replace(absent.start, absent.start, ["("])
            self.layout.replace(absent.end, absent.end, [") or " if is_conditional else " or ", *text])
        elif absent.place == "spread" and node.dialect is not None:
            text = self.renderer.value(_written(value), absent.type_name, self.renderer.below(node, name, way))
            key = quotes.literal(node.dialect.keyword(name), way.quote)
            given = self.source[absent.start : absent.end].decode()
            merged = group("{", [[f"{key}: ", *text], [f"**{given}"]], "}")
            self.layout.replace(absent.start, absent.end, [merged])
        else:
            assert absent.replaced is not None
            raise TextError(f"{name} is {absent.replaced.reason}", absent.replaced.line)

    def _unset(self, node: Mapping, name: str, way: Way) -> None:
        entry = node.fields[name]
        value = entry.value
        if name in node.unset and isinstance(value, Scalar) and value.written:
            self.layout.replace(value.start, value.end, [quotes.literal(node.unset[name], way.quote)])
            return
        where = value.where if isinstance(value, Scalar) else ""
        self._remove(node, entry.item, f"{name} is set by {where}" if where else f"{name} is not here")

    def _is_at_home(self, node: Mapping, name: str, value: Any, way: Way) -> bool:
        """Whether a new field has a place that is not in its object, where it comes in the end."""
        home = node.homes.get(name, node.homes.get(""))
        if home is None or node.open is not None:
            return False
        self._moving.setdefault(id(home), (home, node, way, {}))[3][name] = value
        return True

    def finish(self) -> None:
        """Write what is left when all values are known: fields whose place is not in their object, and imports."""
        for home, node, way, fields in self._moving.values():
            if home is node.homes.get(""):
                text = self.renderer.value(fields, node.type_name, way)
            else:
                ((name, value),) = fields.items()
                value = value if home.convert is None else home.convert(value)
                text = self.renderer.value(value, types.field_type(node.type_name, name), way)
            if home.bracket is not None:
                self.layout.edit(home.bracket).add(len(home.bracket.items) - 1, [home.head, *text])
            elif home.indent.strip():
                raise TextError("a line that holds several statements gets no more", node.line)
            else:
                self.layout.insert_text(home.line, home.indent, [home.head, *text])
        self.names.write(self.layout)

    def _check(self, node: Mapping, name: str) -> None:
        if node.open is not None:
            raise TextError(f"{name} may come from {node.open}", node.line)
        if node.bracket is None:
            raise TextError(f"{name} has no place in the text", node.line)

    def _add(self, node: Mapping, behind: int, name: str, value: Any, way: Way) -> None:
        assert node.bracket is not None
        if self._rendered is not None:
            key, content = (id(node), name), mark(value)
            if self._rendered.get(key) != content:
                self.renderer.entry(node, name, value, way)
                self._rendered[key] = content
            self.visited += _size(value)
            return
        self.layout.edit(node.bracket).add(behind, self.renderer.entry(node, name, value, way))

    def _remove(self, node: Mapping | Sequence, item: Item | None, why: str) -> None:
        if isinstance(item, Statement):
            self.layout.erase(item.start, item.end)
            return
        others = node.others if isinstance(node, Mapping) else []
        for bracket in (node.bracket, *others):
            index = self._index(bracket, item)
            if bracket is not None and index is not None:
                self.layout.edit(bracket, _is_tuple(node)).removed.add(index)
                return
        raise TextError(why, node.line)

    def _sequence(self, node: Sequence, new: list[Any], around: Way | None, touched: Parts) -> None:
        if touched and len(new) == len(node.items) and all(_is_named_as(node, new, part) for part in touched):
            for part, below in touched.items():
                self.value(node.items[int(part)], new[int(part)], node.item_type, around, below)
            return
        old = [plain(item) for item in node.items]
        pairs = align(*_marks(old, new)) if old else [(None, j) for j in range(len(new))]
        added = _NewItems[Any](lambda behind, value: self._append(node, behind, value, around))
        for i, j in pairs:
            if i is None:
                assert j is not None
                self._check_grows(node)
                added.add(new[j])
            elif j is None:
                self._remove(node, node.places[i], "an item that is elsewhere is not removed")
            else:
                self.value(node.items[i], new[j], node.item_type, around)
                added.passed(self._index(node.bracket, node.places[i]))
        added.finish(node.bracket)

    @staticmethod
    def _check_grows(node: Sequence) -> None:
        if node.open is not None or node.bracket is None:
            raise TextError(f"the list may get more items from {node.open or node.form}", node.line)

    def _append(self, node: Sequence, behind: int, value: Any, around: Way | None) -> None:
        assert node.bracket is not None
        beside = next((item for item in reversed(node.items) if isinstance(item, Mapping)), None)
        if beside is not None:
            around = way_of(beside, around, self._quote(beside, around))
        if around is None:
            raise TextError("how a new item is written is not known", node.line)
        text = self.renderer.value(value, node.item_type, around)
        self.layout.edit(node.bracket, _is_tuple(node)).add(behind, text)

    def _index(self, bracket: Bracket | None, item: Item | None) -> int | None:
        if bracket is None or item is None:
            return None
        known = self._indexes.get(id(bracket))
        if known is None:
            known = self._indexes[id(bracket)] = {id(each): index for index, each in enumerate(bracket.items)}
        return known.get(id(item))

    def _quote(self, node: Mapping, around: Way | None) -> str:
        """The quotes of the keys of a dict, else those of what is around it, else those of most texts."""
        if node.form == "dict" and node.bracket is not None and node.bracket.items:
            first = self.source[node.bracket.items[0].start : node.bracket.items[0].start + 1].decode()
            if first in ("'", '"'):
                return first
        return self.quote if around is None else around.quote


class _NewItems(Generic[T]):
    """New items among those of a bracket that stay: ``put`` writes one behind the item with an index. Those before the
    first item that stays wait for it."""

    def __init__(self, put: Callable[[int, T], None]) -> None:
        self._put = put
        self._place: int | None = None
        self._waiting: list[T] = []

    def add(self, new: T) -> None:
        """Take ``new`` for the next item: it stands behind the one before, else at the beginning."""
        if self._place is None:
            self._waiting.append(new)
        else:
            self._put(self._place, new)

    def passed(self, index: int | None) -> None:
        """The next item stays; None: it does not stand in the bracket."""
        if index is None:
            return
        if self._place is None:
            self._write(index - 1)
        self._place = index

    def finish(self, bracket: Bracket | None) -> None:
        """Write what waits behind the last item of ``bracket``, since no more items come."""
        self._write(len(bracket.items) - 1 if bracket is not None else -1)

    def _write(self, behind: int) -> None:
        for each in self._waiting:
            self._put(behind, each)
        self._waiting = []


def _is_named_as(node: Sequence, new: list[Any], part: str | int) -> bool:
    """Whether the item at ``part`` is still the one of that name."""
    if not isinstance(part, int) or not 0 <= part < len(new):
        return False
    item, wanted = node.items[part], new[part]
    if not isinstance(item, Mapping) or not isinstance(wanted, dict) or "name" not in item.fields:
        return False
    name = plain(item.fields["name"].value)
    return isinstance(name, str) and name == wanted.get("name")


def _written(value: Any) -> Any:
    """A value as it is written where it stands for what the program gives."""
    return dict(value) if isinstance(value, Replaceable) else value


def _size(value: Any) -> int:
    """How many values are in ``value``, itself included."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, inner))


def _is_tuple(node: Node) -> bool:
    return isinstance(node, Sequence) and node.form == "tuple"


def _brackets(nodes: list[Mapping]) -> Iterator[Bracket]:
    seen: set[int] = set()
    waiting: list[Node] = [*nodes]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Mapping):
            waiting += [entry.value for entry in node.fields.values()]
        elif isinstance(node, Sequence):
            waiting += node.items
        bracket = getattr(node, "bracket", None)
        if bracket is not None:
            yield bracket


def _marks(old: list[Any], new: list[Any]) -> tuple[list[Hashable], list[Hashable]]:
    """What tells which item is which: their names where each has its own, else all that they hold."""
    named = [_names(items) for items in (old, new)]
    if named[0] is not None and named[1] is not None:
        return named[0], named[1]
    return [mark(item) for item in old], [mark(item) for item in new]


def _names(items: list[Any]) -> list[Hashable] | None:
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    distinct = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    return list(names) if distinct else None
