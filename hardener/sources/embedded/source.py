"""YAML within another text, with an indent: read and changed by the YAML engine where it stands, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hardener.sources import yaml
from hardener.sources.open_values import Expression
from hardener.sources.owned_lines import owned_lines
from hardener.sources.source import Mutate, Owned, Source, Touch
from hardener.sources.yaml import Comment, Hunk, TextError
from hardener.support.data_path import Path


class Embedded(Struct):
    """A text as read: ``inner`` is it without its ``indent``, line by line; ``signs`` tell an expression in a value."""

    text: str
    indent: str
    inner: yaml.Parsed
    signs: tuple[str, ...]

    @property
    def documents(self) -> list[Any]:
        return [self._filled_in(document) for document in self.inner.documents]

    def _filled_in(self, value: Any) -> Any:
        """``value`` with the texts that whoever uses it fills in as expressions."""
        if isinstance(value, dict):
            return {key: self._filled_in(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled_in(item) for item in value]
        return Expression(value) if isinstance(value, str) and any(sign in value for sign in self.signs) else value

    def line(self, document: int, path: Path) -> int:
        """The line of what stands at ``path``."""
        return self.inner.line(document, path)

    def depth(self, document: int, path: Path) -> int:
        """How many parts of ``path`` lead to something that stands in the text."""
        return self.inner.depth(document, path)

    def comment(self, document: int, path: Path) -> str | None:
        """The comment at the end of the line of ``path``."""
        return self.inner.comment(document, path)

    def comments(self) -> list[Comment]:
        """Every comment of the text."""
        return self.inner.comments()


class Rewrite(Struct):
    """The new text with its hunks, and both texts as read."""

    text: str
    hunks: list[Hunk]
    before: Embedded
    after: Embedded


class EmbeddedYaml(Source):
    """Manifests within another text. ``signs`` are those of expressions that are filled in before it is YAML, and
    ``special`` the characters that the text around it takes for more than themselves."""

    name = "embedded"
    is_code = True
    has_segments = True

    def __init__(self, maker: str, signs: tuple[str, ...] = (), special: str = "") -> None:
        self.maker = self.fills_in = maker
        self.by_hand = "make this change by hand"
        self.made_beside = "make {them} in a manifest of their own"
        self.no_patch = f"{maker}, and patches are for manifests"
        self._signs, self._special = signs, special

    def parse(self, piece: Any, text: str) -> Embedded:
        return self.parsed(text)

    def parsed(self, text: str) -> Embedded:
        """``text`` as read. Raises TextError where its lines do not share the indent of the first."""
        indent = _indent(text)
        return Embedded(text, indent, yaml.parse(_without(indent, text)), self._signs)

    def text_of(self, parsed: Embedded) -> str:
        return parsed.text

    def chooses_namespace(self, written: Any) -> bool:
        return written is None or any(sign in str(written) for sign in self._signs)

    def rewrite_text(self, piece: Any, text: str, mutate: Mutate) -> Rewrite:
        before = self.parsed(text)
        changed = yaml.rewrite(_without(before.indent, text), mutate)
        hunks = [self._outer(hunk, before.indent) for hunk in changed.hunks]
        if not hunks:
            return Rewrite(text, [], before, before)
        new = _patched(text, hunks)
        after = self.parsed(new)
        if after.indent != before.indent or after.inner.documents != changed.after.documents:
            raise TextError("the text does not come out as it was decided", hunks[0].before_start)
        return Rewrite(new, hunks, before, after)

    def _outer(self, hunk: Hunk, indent: str) -> Hunk:
        """``hunk`` as it stands in the text around it. Raises TextError where that would take it for more than text."""
        old, new = "".join(hunk.before), "".join(hunk.after)
        if any(new.count(sign) > old.count(sign) for sign in (*self._special, *self._signs)):
            raise TextError(f"{self.maker} would take the new text for more than text", hunk.before_start)
        before, after = ([_within(indent, line) for line in lines] for lines in (hunk.before, hunk.after))
        return Hunk(hunk.before_start, before, hunk.after_start, after)

    def owned(self, piece: Any, written: Rewrite, touches: Sequence[Touch]) -> Owned:
        return owned_lines(written.before.inner, written.after.inner, touches)

    def can_create(self, beside: Any, *, for_hosts: bool) -> bool:
        return False


def _indent(text: str) -> str:
    """The blanks before the first line that holds anything."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return line[: len(line) - len(line.lstrip())]
    return ""


def _without(indent: str, text: str) -> str:
    """``text`` with the ``indent`` of each line taken off; a blank line stays as it is. Raises TextError."""
    if not indent:
        return text
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith(indent):
            lines[number] = line[len(indent) :]
        elif line.strip():
            raise TextError("a line is further to the left than the first", number + 1)
    return "".join(lines)


def _within(indent: str, line: str) -> str:
    return indent + line if line.strip() else line


def _patched(text: str, hunks: list[Hunk]) -> str:
    lines = text.splitlines(keepends=True)
    for hunk in reversed(hunks):
        start = hunk.before_start - 1
        lines[start : start + len(hunk.before)] = hunk.after
    return "".join(lines)


QUOTED = EmbeddedYaml("a script")
"""A heredoc whose delimiter is quoted: what stands there is what kubectl reads."""
UNQUOTED = EmbeddedYaml("a script", ("$", "`"), "\\")
"""A heredoc in which the shell fills in variables."""
TASK = EmbeddedYaml("Ansible", ("{{", "{%"))
"""An object in a task of a playbook or role."""
