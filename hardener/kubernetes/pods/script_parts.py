"""A shell script taken apart: what it runs itself, and the scripts whose output it takes in.

Read are quotes, comments, here-documents, substitutions and arithmetic, each in its place. What is not understood (a
quote or a bracket that is not closed, a substitution in the text of a here-document) makes a script one that cannot be
taken apart.
"""

from __future__ import annotations

from msgspec import Struct

from hardener.support.late_pattern import late_pattern

VALUE = "\ue000"
"""Stands in a word for what is filled in when it runs."""

_DOCUMENT = late_pattern(r"<<(-?)[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([A-Za-z0-9_]+))")
_BEFORE_COMMENT = frozenset(" \t\r\n;|&(")
_FILLED_IN = ("$(", "`")
# None of them stands in arithmetic that is easily told from commands in brackets.
_OF_COMMANDS = frozenset("'\"\n#;&|<")
_DEEPEST = 5  # arithmetic in arithmetic


class Parts(Struct, frozen=True):
    """The parts of a script.

    - `text`: the script without comments and the texts of here-documents, a VALUE in the place of each substitution and
      0 in that of each arithmetic. `plain`: the same with a VALUE for all that stands in quotes, too.
    - `substituted`: the scripts whose output is taken in. `has_documents`: it holds here-documents.
    """

    text: str
    plain: str
    substituted: tuple[str, ...]
    has_documents: bool


def parts(text: str) -> Parts | None:
    """The parts of the script ``text``; None where it is not understood."""
    try:
        return _Reader(text, 0).parts()
    except _NotUnderstoodError:
        return None


class _NotUnderstoodError(Exception):
    """A part of a script cannot be told from the next."""


class _Reader:
    """Reads a script, or arithmetic that stands in ``depth`` others."""

    def __init__(self, text: str, depth: int) -> None:
        self._text, self._depth = text, depth
        self._at = 0
        self._kept: list[str] = []
        self._plain: list[str] = []
        self._substituted: list[str] = []
        self._documents: list[tuple[str, bool, bool]] = []  # delimiter, whether tabs count, whether it is filled in
        self._has_documents = False
        self._in_quotes = False
        self._begins_word = True  # what follows

    def parts(self) -> Parts:
        while self._at < len(self._text):
            self._step(self._text[self._at])
        if self._in_quotes or self._documents:
            raise _NotUnderstoodError
        return Parts("".join(self._kept), "".join(self._plain), tuple(self._substituted), self._has_documents)

    def _step(self, character: str) -> None:
        if character == "\\":
            self._keep(self._text[self._at : self._at + 2], quoted=True)
        elif character == '"':
            self._in_quotes = not self._in_quotes
            self._keep(character, quoted=True)
        elif character == "`" or self._text.startswith("$(", self._at):
            self._substitute()
        elif self._in_quotes:
            self._keep(character, quoted=True)
        elif character == "'":
            self._keep(self._text[self._at : self._find("'", self._at + 1) + 1], quoted=True)
        elif character == "#" and self._begins_word:
            self._skip_line()
        elif character == "\n":
            self._keep(character)
            self._skip_documents()
        elif self._text.startswith("<<", self._at):
            self._announce()
        else:
            self._keep(character)

    def _keep(self, part: str, *, quoted: bool = False) -> None:
        self._kept.append(part)
        self._plain.append(VALUE if quoted else part)
        self._at += len(part)
        self._begins_word = not quoted and part in _BEFORE_COMMENT

    def _put(self, part: str, end: int) -> None:
        """Put ``part`` in the place of all up to ``end``."""
        self._kept.append(part)
        self._plain.append(VALUE)
        self._at = end
        self._begins_word = False

    def _find(self, mark: str, start: int) -> int:
        found = self._text.find(mark, start)
        if found < 0:
            raise _NotUnderstoodError
        return found

    def _substitute(self) -> None:
        start = self._at
        if self._text[start] == "`":
            end = self._find("`", start + 1)
            script = self._text[start + 1 : end]
            if "\\" in script:
                raise _NotUnderstoodError
            self._substituted.append(script)
            self._put(VALUE, end + 1)
            return
        end = self._end_of_brackets(start + 1)
        inner = self._text[start + 2 : end]
        if inner.startswith("(") and inner.endswith(")"):
            self._compute(inner[1:-1])
            self._put("0", end + 1)
        else:
            self._substituted.append(inner)
            self._put(VALUE, end + 1)

    def _compute(self, arithmetic: str) -> None:
        """Take in the scripts that ``arithmetic`` computes with."""
        if self._depth == _DEEPEST:
            raise _NotUnderstoodError
        found = _Reader(arithmetic, self._depth + 1).parts()
        if not _OF_COMMANDS.isdisjoint(found.text):
            raise _NotUnderstoodError
        self._substituted += found.substituted

    def _end_of_brackets(self, start: int) -> int:
        """Where the bracket that opens at ``start`` is closed."""
        depth, at, in_quotes = 0, start, [False]
        while at < len(self._text):
            character = self._text[at]
            if character == "\\":
                at += 1
            elif character == '"':
                in_quotes[-1] = not in_quotes[-1]
            elif character == "'" and not in_quotes[-1]:
                at = self._find("'", at + 1)
            elif character == "#" and not in_quotes[-1] and self._text[at - 1] in _BEFORE_COMMENT:
                raise _NotUnderstoodError
            elif character == "(" and (not in_quotes[-1] or self._text[at - 1] == "$"):
                depth += 1
                in_quotes.append(False)
            elif character == ")" and not in_quotes[-1]:
                depth -= 1
                in_quotes.pop()
                if depth == 0:
                    return at
            at += 1
        raise _NotUnderstoodError

    def _skip_line(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _announce(self) -> None:
        """A here-document that begins with the next line, or a text of one line."""
        if self._text.startswith("<<<", self._at):
            self._has_documents = True
            self._keep("<<<")
            return
        found = _DOCUMENT.match(self._text, self._at)
        if found is None:
            raise _NotUnderstoodError
        self._has_documents = True
        self._documents.append((found[2] or found[3] or found[4], bool(found[1]), found[4] is not None))
        self._keep(found[0], quoted=True)

    def _skip_documents(self) -> None:
        for delimiter, has_tabs, is_filled_in in self._documents:
            while True:
                if self._at >= len(self._text):
                    raise _NotUnderstoodError
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                self._at = end + 1
                if (line.lstrip("\t") if has_tabs else line) == delimiter:
                    self._kept.append(f"{delimiter}\n")
                    break
                if is_filled_in and any(mark in line for mark in _FILLED_IN):
                    raise _NotUnderstoodError
        self._documents = []
