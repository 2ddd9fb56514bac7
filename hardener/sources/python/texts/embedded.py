"""Manifests as YAML inside text literals: found, read with their fields masked, changed by the YAML engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from hardener.sources import yaml
from hardener.sources.python.names.scan import Scan
from hardener.sources.python.names.scopes import Scope
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places
from hardener.sources.python.texts.masks import Masked, masked
from hardener.sources.python.texts.placeholders import Place, emptied, filled_lines, held_alike, open_at
from hardener.sources.yaml import Hunk, TextError

_Literal = syntax.SimpleString | syntax.FormattedString
_MANIFEST = (re.compile(r"(?m)^[ \t]*(?:- )?apiVersion[ \t]*:"), re.compile(r"(?m)^[ \t]*(?:- )?kind[ \t]*:"))
_OPENING = re.compile(r"\A\w*(?:\"{3}|'{3})")
_TEMPLATE = re.compile(r"\{\{|\{%")


class Embedded(Struct, eq=False):
    """One run of YAML documents inside a literal: ``start`` and ``end`` are its offsets in the file, ``line`` its first
    line, ``text`` what the YAML engine reads, with masks. ``places`` are its lines that are filled in; ``values`` is
    what the text has where the documents hold the mask of such a line."""

    start: int
    end: int
    line: int
    text: str
    masked: Masked
    parsed: yaml.Parsed
    places: list[Place]
    values: dict[str, Any] = field(default_factory=dict)

    def hunks(self, wanted: list[Any]) -> Iterator[tuple[int, int, str]]:
        """What to put from one offset to another, so that the documents read as ``wanted``. Raises TextError."""

        def put(documents: list[Any]) -> None:
            documents[:] = emptied(wanted, self.values) if self.places else wanted

        try:
            made = yaml.rewrite(self.text, put)
            if self.places and not held_alike(self.places, filled_lines(yaml.parse(made.text), made.text)):
                raise TextError("what the program fills in would not be in the same place")
            for hunk in made.hunks:
                yield self._place(hunk)
        except TextError as refused:
            raise TextError(refused.reason, self.line + (refused.line or 1) - 1) from None

    def _place(self, hunk: Hunk) -> tuple[int, int, str]:
        lines = self.text.splitlines(keepends=True)[: hunk.before_start - 1]
        start = self.start + len(self.masked.original("".join(lines)).encode())
        before, after = "".join(hunk.before), "".join(hunk.after)
        return start, start + len(self.masked.original(before).encode()), self.masked.restored(after, before)


def embedded(
    module: syntax.Module, found: Scan, places: Places, taken: list[tuple[int, int]]
) -> tuple[list[Embedded], list[tuple[int, str]]]:
    """The YAML manifests in literals outside of the extents ``taken``; and lines of those that are not read, with why.

    Docstrings, bytes and the parts of texts that are put together are not looked at.
    """
    wanted = [node for node in found.strings if _is_wanted(node, places, taken)]
    if not wanted:
        return [], []
    uses = _Uses(module, found)
    reader = _Reader(places)
    for node in wanted:
        if node not in uses.loose:
            assert isinstance(node, _Literal)
            reader.read(node, uses.style(node))
    return reader.texts, reader.unread


class _Reader:
    """Collects the manifests of literals in ``texts``, and what cannot be read in ``unread``."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.texts: list[Embedded] = []
        self.unread: list[tuple[int, str]] = []

    def read(self, node: _Literal, style: str) -> None:
        """Read a literal that is filled in by that ``style``."""
        try:
            text = masked(node, self.places, style)
        except TextError as refused:
            self.unread.append((self.places.line(node.start), refused.reason))
            return
        end = node.start + text.skip
        for segment in yaml.segments(text.text):
            start, end = end, end + len(text.original(segment.text).encode())
            if all(pattern.search(segment.text) for pattern in _MANIFEST):
                self._segment(start, end, segment.text, text)

    def _segment(self, start: int, end: int, text: str, masked: Masked) -> None:
        first = self.places.line(start)
        try:
            parsed = yaml.parse(text)
        except TextError as refused:
            reason = "a template" if _TEMPLATE.search(text) else refused.reason
            self.unread.append((first + (refused.line or 1) - 1, reason))
            return
        if parsed.has_plain("{{") or parsed.has_plain("{%"):
            self.unread.append((first, "a template"))
        elif any(_is_manifest(document) for document in parsed.documents):
            try:
                self.texts.append(_embedded(start, end, first, text, masked, parsed))
            except TextError as refused:
                self.unread.append((first + (refused.line or 1) - 1, refused.reason))


def _embedded(start: int, end: int, line: int, text: str, masked: Masked, parsed: yaml.Parsed) -> Embedded:
    def shown(place: Place) -> str:
        return f"{' '.join(masked.fields[place.mask].split())} (line {line + place.line - 1})"

    found = Embedded(start, end, line, text, masked, parsed, filled_lines(parsed, text))
    found.values = open_at(parsed.documents, found.places, shown)
    return found


def _is_wanted(node: syntax.Node, places: Places, taken: list[tuple[int, int]]) -> bool:
    if not isinstance(node, _Literal) or (isinstance(node, syntax.SimpleString) and "apiVersion" not in node.value):
        return False
    start, end = node.start, node.end
    source = places.source
    if b"\n" not in source[start:end] or b"apiVersion" not in source[start:end]:
        return False
    if isinstance(node, syntax.SimpleString) and "b" in node.prefix.lower():
        return False
    text = _OPENING.sub("", source[start:end].decode())
    return all(pattern.search(text) for pattern in _MANIFEST) and not any(a <= start < b for a, b in taken)


def _is_manifest(document: Any) -> bool:
    return isinstance(document, dict) and all(isinstance(document.get(key), str) for key in ("apiVersion", "kind"))


class _Uses:
    """How literals are used: ``loose`` are docstrings and parts of longer texts; others may be filled in."""

    def __init__(self, module: syntax.Module, found: Scan) -> None:
        self.loose: set[syntax.Node] = set()
        self._filled: dict[syntax.Node, str] = {}
        self._names: dict[tuple[Scope, str], str] = {}
        self._values = found.values
        for call, scope in found.calls:
            if isinstance(call.func, syntax.Attribute) and call.func.attr.value in ("format", "format_map"):
                self._note(call.func.value, "braces", scope)
        waiting: list[syntax.Node] = [module]
        names: list[syntax.Name] = []
        while waiting:
            node = waiting.pop()
            if isinstance(node, syntax.Expr):
                self.loose.add(node.value)
            elif isinstance(node, syntax.ConcatenatedString):
                self.loose |= {node.left, node.right}
            elif isinstance(node, syntax.BinaryOperation) and node.operator == "%":
                self._filled[node.left] = "percent"
                names += [node.left] if isinstance(node.left, syntax.Name) else []
            waiting += syntax.children(node)
        # A walk without scopes: any use of such a name counts.
        self._percent = {name.value for name in names}

    def _note(self, node: syntax.Node, style: str, scope: Scope) -> None:
        self._filled[node] = style
        if isinstance(node, syntax.Name) and (owner := scope.owner(node.value)) is not None:
            self._names[owner, node.value] = style

    def style(self, node: syntax.Node) -> str:
        """How the literal ``node`` is filled in: "braces", "percent" or ""."""
        if node in self._filled:
            return self._filled[node]
        for scope, name in self._values.get(node, ()):
            if (scope, name) in self._names:
                return self._names[scope, name]
            if name in self._percent:
                return "percent"
        return ""
