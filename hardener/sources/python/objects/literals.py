"""Literals and texts: what they are worth, with the parts of a text that are not known as "${expression}"."""

from __future__ import annotations

import ast
from collections.abc import Set

from hardener.sources.python.model import Opaque
from hardener.sources.python.names.access_paths import steps
from hardener.sources.python.names.resolve import Key, Members, single
from hardener.sources.python.names.scopes import Scope
from hardener.sources.python.objects.expressions import opaque_text, scalar
from hardener.sources.python.parser import syntax
from hardener.sources.python.parser.positions import Places

_DEEPEST = 20
_LONGEST = 10_000  # characters of a text that is put together


def opaque(node: syntax.Node, places: Places, why: str) -> Opaque:
    """The node of an expression of which ``why`` nothing is known."""
    start = node.start
    return Opaque(start, node.end, places.line(start), opaque_text(places.text(node)), why)


class Texts:
    """Texts made of literals, f-strings, ``+``, and names and constants of classes that were given such a text once.
    ``changed`` are expressions whose value later statements change."""

    def __init__(self, places: Places, changed: Set[syntax.Node], members: Members) -> None:
        self.places = places
        self.changed = changed
        self.members = members
        self._known: dict[Key, tuple[str | None, bool]] = {}

    def text(self, node: syntax.Node, scope: Scope, depth: int = 0) -> tuple[str | None, bool]:
        """The text that ``node`` makes, None for what is no text; and whether all of it is known."""
        if depth > _DEEPEST:
            return None, False
        if isinstance(node, syntax.SimpleString):
            is_literal, value = scalar(node)
            return (value, True) if is_literal else (None, False)
        if isinstance(node, syntax.ConcatenatedString):
            return self._joined(self.text(node.left, scope, depth), self.text(node.right, scope, depth))
        if isinstance(node, syntax.FormattedString):
            return self._formatted(node, scope, depth)
        if isinstance(node, syntax.BinaryOperation) and node.operator == "+":
            return self._sum(node, scope, depth + 1)
        key = self._named(node, scope)
        if key is None:
            return None, False
        if key not in self._known:
            self._known[key] = (None, False)  # for a text that contains itself
            value, where = self._value(key)
            if value is not None:
                self._known[key] = self.text(value, where, depth + 1)
        return self._known[key]

    def _sum(self, node: syntax.BinaryOperation, scope: Scope, depth: int) -> tuple[str | None, bool]:
        """``a + b``, of which one is a text."""
        left, right = (self.text(side, scope, depth) for side in (node.left, node.right))
        if left[0] is None and right[0] is None:
            return None, False
        if left[0] is None:
            left = opaque_text(self.places.text(node.left)), False
        if right[0] is None:
            right = opaque_text(self.places.text(node.right)), False
        return self._joined(left, right)

    def _named(self, node: syntax.Node, scope: Scope) -> Key | None:
        """What has the value of a name, or of a constant of a class."""
        if isinstance(node, syntax.Name):
            owner = scope.owner(node.value)
            return (owner, node.value) if owner is not None else None
        found = self.members.key(scope, *steps(node)) if isinstance(node, syntax.Attribute) else None
        return found[0] if found is not None and not found[1] else None

    def _value(self, key: Key) -> tuple[syntax.Node | None, Scope]:
        """The expression that was given once, and where it is seen from; None where there is none, or it changes."""
        owner, name = key
        binding, _ = single(owner.bindings[name])
        if binding is None or binding.value is None or binding.value in self.changed:
            return None, owner
        return binding.value, binding.scope

    def key(self, node: syntax.Node, scope: Scope) -> str | None:
        """The key that ``node`` is, None for what is no known text."""
        text, is_known = self.text(node, scope)
        return text if is_known else None

    @staticmethod
    def _joined(left: tuple[str | None, bool], right: tuple[str | None, bool]) -> tuple[str | None, bool]:
        if left[0] is None or right[0] is None:
            return None, False
        if len(left[0]) + len(right[0]) > _LONGEST:
            return None, False
        return left[0] + right[0], left[1] and right[1]

    def _formatted(self, node: syntax.FormattedString, scope: Scope, depth: int) -> tuple[str | None, bool]:
        parts: list[str] = []
        is_known = True
        for part in node.parts:
            if isinstance(part, syntax.FormattedStringText):
                parts.append(_unescaped(part.value, node))
                continue
            assert isinstance(part, syntax.FormattedStringExpression)
            value: str | None = None
            if part.conversion is None and part.format_spec is None and not part.equal:
                value, known = self._part(part.expression, scope, depth)
                is_known = is_known and known
            else:
                is_known = False
            parts.append(value if value is not None else opaque_text(self.places.text(part.expression)))
        text = "".join(parts)
        return (text, is_known) if len(text) <= _LONGEST else (None, False)

    def _part(self, node: syntax.Node, scope: Scope, depth: int) -> tuple[str | None, bool]:
        text, known = self.text(node, scope, depth + 1)
        if text is None and (key := self._named(node, scope)) is not None:  # f"{PORT}" of a number
            given, _ = self._value(key)
            is_literal, value = scalar(given) if given is not None else (False, None)
            if is_literal:
                return str(value), True
        return text, known


def _unescaped(text: str, node: syntax.FormattedString) -> str:
    text = text.replace("{{", "{").replace("}}", "}")
    if "\\" not in text or "r" in node.prefix.lower():
        return text
    try:
        return str(ast.literal_eval(node.quote + text + node.quote))
    except (ValueError, SyntaxError):
        return text
