"""What the expression of a MutatingAdmissionPolicy writes into a field.

Sources: the API reference of MutatingAdmissionPolicy (``Object{...}`` of an apply configuration, ``JSONPatch{op, path,
value}`` of a patch) and the grammar of CEL (cel-spec, doc/langdef.md). Nothing is evaluated: of a condition each
outcome counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, field

_TOKEN = re.compile(
    r"(?P<skipped>\s+|//[^\n]*)"
    # A text without an end goes on to that of the expression, so that each letter is read once.
    r'|[bBrR]{0,2}(?P<quote>"""|\'\'\'|"|\')(?P<text>(?:[^\\]|\\(?:.|\Z))*?)(?:(?P=quote)|\Z)'
    r"|(?P<word>\w+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_Token = tuple[str, str]  # "text" in quotes, "word" or "sign"; and what it is
_NONE: _Token = ("sign", "")
_ENDS = frozenset(("sign", sign) for sign in ",}):")  # behind a value, or an outcome of a condition
_WRITES = frozenset(("add", "replace"))


class _Braces(Struct):
    """An object, a map or a list while it is read: the field whose value comes, and of a patch the texts in which its
    fields may end."""

    is_patch: bool
    name: str | None = None
    texts: dict[str, set[str]] = field(default_factory=dict)
    may_be: set[str] = field(default_factory=set)

    def sets(self, wanted: str) -> bool:
        if not self.is_patch:
            return wanted in self.may_be
        # A path begins with a slash: before a name alone stands more of it, which the expression puts together.
        leads = any(path == wanted or path.endswith(f"/{wanted}") for path in self.texts.get("path", ()))
        return leads and not _WRITES.isdisjoint(self.texts.get("op", ())) and "value" in self.may_be


_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")


def may_set(expression: str, wanted: str, value: str) -> bool:
    """Whether ``expression`` writes ``value``, a word of CEL such as false or 0, into the field ``wanted`` of an
    object, or as the value of a patch whose path ends so."""
    if wanted not in expression or value not in expression:
        return False
    return _Reader([_NONE, _NONE, *_tokens(expression), _NONE], wanted, value).sets()


class _Reader:
    """Goes through the tokens of an expression and keeps track of the braces that it is in."""

    def __init__(self, tokens: list[_Token], wanted: str, value: str) -> None:
        self._tokens, self._wanted, self._value = tokens, wanted, ("word", value)
        self._open = [_Braces(is_patch=False)]  # parentheses belong to what they stand in
        self._signs = [""]
        self._joined = ""  # the last text, with those to which a plus joins it

    def sets(self) -> bool:
        for index in range(2, len(self._tokens) - 1):
            kind, text = self._tokens[index]
            before, behind = self._tokens[index - 1], self._tokens[index + 1]
            inside = self._open[-1]
            if kind == "sign":
                if text in _CLOSING and self._close():
                    return True
                if text in _OPENING:
                    self._begin(text, before)
                elif text == "," and self._signs[-1] != "(":
                    inside.name = None
            elif behind == ("sign", ":") and _begins_field(before, self._tokens[index - 2]):
                inside.name = text
            elif inside.name is not None:
                self._take_value(index, inside.name)
        return False

    def _begin(self, sign: str, before: _Token) -> None:
        is_patch = sign == "{" and before == ("word", "JSONPatch")
        self._open.append(self._open[-1] if sign == "(" else _Braces(is_patch))
        self._signs.append(sign)

    def _close(self) -> bool:
        """Leave the innermost braces; whether they set the wanted field to false."""
        if len(self._open) == 1:
            return False
        self._signs.pop()
        inside = self._open.pop()
        return inside is not self._open[-1] and inside.sets(self._wanted)

    def _take_value(self, index: int, name: str) -> None:
        inside, (kind, text) = self._open[-1], self._tokens[index]
        before, behind = self._tokens[index - 1], self._tokens[index + 1]
        if (kind, text) == self._value and before[1] in ("(", "?", ":") and behind[1] in (")", ":", ",", "}"):
            inside.may_be.add(name)
        elif kind == "text":
            goes_on = before == ("sign", "+") and self._tokens[index - 2][0] == "text"
            self._joined = self._joined + text if goes_on else text
            if behind in _ENDS:
                inside.texts.setdefault(name, set()).add(self._joined)


def _tokens(expression: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(expression):
        if match["quote"] is not None:
            yield "text", match["text"]
        elif match.lastgroup in ("word", "sign"):
            yield match.lastgroup, match[0]


def _begins_field(before: _Token, first: _Token) -> bool:
    """Whether a name stands where a field begins; one that is optional has a ? before it."""
    return (first if before == ("sign", "?") else before) in (("sign", "{"), ("sign", ","))
