"""YAML with actions of Go templates in it, read without them: words of ours stand in the places of actions, and lines
that a template decides (``if``, ``range``, a line that it prints) are comments. Each line stays where it is.

Source: pkg.go.dev/text/template (actions, and which of them have an ``end``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from hardener.support.late_pattern import late_pattern

_ACTION = late_pattern(
    r"\{\{(?:-?\s*/\*.{0,10000}?\*/\s*-?|(?:`[^`]*`|\"(?:[^\"\\\n]|\\.)*\"|[^`\"{}]|\}(?!\})|\{(?!\{))*+)\}\}", re.S
)
_KIND = late_pattern(r"\{\{-?\s*(if|range|with|define|block|else|end|/\*|\$\w+\s*:?=)?(?:\b|(?<=\*)|(?<==))")
_STEPS = {"if": 1, "range": 1, "with": 1, "define": 1, "block": 1, "end": -1}
_MORE = "\n# harden-more-0-"  # a line of an action that has several
_WORDS = late_pattern(r"harden-(left|line|more)-(\d+)-")
_LINES = late_pattern(r"# harden-line-(\d+)-")
_LEFT = late_pattern(r"harden-left-(\d+)-")


class Block(Struct, frozen=True):
    """Lines that a template decides: the first and the last one, from 1. ``indent`` is the least indentation of what
    stands between them, else that of the first."""

    first: int
    last: int
    indent: int

    def __str__(self) -> str:
        return f"line {self.first}" if self.first == self.last else f"lines {self.first} to {self.last}"


class WithoutTemplates(Struct, frozen=True):
    """A text without its actions: ``text`` has words of ours in the places of ``actions`` and ``lines``; ``blocks`` are
    the lines that a template decides, and which are comments in it."""

    text: str
    actions: list[str]
    lines: list[str]
    blocks: list[Block]

    def holds_all(self, text: str) -> bool:
        """Whether each of our words stands once in ``text``."""
        return sorted(_WORDS.findall(text)) == sorted(_WORDS.findall(self.text))

    def restored(self, text: str) -> str:
        """Return ``text``, where something else may have changed, with everything back at its place."""
        found = _LINES.sub(lambda mark: self.lines[int(mark[1])], text.replace(_MORE, ""))
        return _LEFT.sub(lambda mark: self.actions[int(mark[1])], found)

    def filled(self, data: Any, known: Callable[[str], str | None] = lambda action: None) -> Any:
        """Return a copy of ``data``, which ``text`` holds, with what is ``known`` of an action in its place, else the
        action itself."""
        if isinstance(data, dict):
            return {self.filled(key, known): self.filled(value, known) for key, value in data.items()}
        if isinstance(data, list):
            return [self.filled(value, known) for value in data]
        if not isinstance(data, str):
            return data

        def of(mark: re.Match[str]) -> str:
            action = self.actions[int(mark[1])]
            value = known(action)
            return action if value is None else value

        return _LEFT.sub(of, data)


def without_templates(text: str) -> WithoutTemplates | None:
    """Return ``text`` without its actions; None where they cannot be told from the rest of it."""
    if _WORDS.search(text):
        return None
    reading = _Reading(text.split("\n"))
    if not all(map(reading.take, _logical_lines(text))) or reading.depth:
        return None
    return WithoutTemplates("\n".join(reading.made), reading.actions, reading.lines, reading.blocks)


class _Reading:
    """What is read of the lines ``every`` of a text; ``depth``: how many actions wait for their end."""

    def __init__(self, every: list[str]) -> None:
        self._every, self._number, self._first = every, 0, 0
        self.depth = 0
        self.made: list[str] = []
        self.actions: list[str] = []
        self.lines: list[str] = []
        self.blocks: list[Block] = []

    def take(self, line: str) -> bool:
        """Take the next line, and tell whether it can be read."""
        kinds = _kinds(line)
        start = self._number + 1
        self._number += line.count("\n") + 1
        if self.depth or (kinds and _is_alone(line)):
            self._take_decided(line, kinds, start)
            return self.depth >= 0
        self.made.append(_with_words(line, self.actions))
        return _is_whole(kinds)

    def _take_decided(self, line: str, kinds: list[str], start: int) -> None:
        self._first = self._first if self.depth else start
        self.depth += sum(_STEPS.get(kind, 0) for kind in kinds)
        self.made.append(_as_comments(line, self.lines))
        if not self.depth and _decides(kinds):
            indent = _indent(self._every[self._first - 1 : self._number])
            self.blocks.append(Block(self._first, self._number, indent))


def _indent(lines: list[str]) -> int:
    own = [line for line in lines if line.strip() and not _is_alone(line)] or lines[:1]
    return min(len(line) - len(line.lstrip(" ")) for line in own)


def _logical_lines(text: str) -> Iterator[str]:
    """The lines of ``text``, where an action that has several of them is in one."""
    start = 0
    within = {place for found in _ACTION.finditer(text) for place in range(*found.span()) if text[place] == "\n"}
    for place, character in enumerate(text):
        if character == "\n" and place not in within:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _kinds(line: str) -> list[str]:
    """What the actions of a line are: their keyword, "" for one that prints something."""
    return [(_KIND.match(action[0]) or ("", ""))[1] or "" for action in _ACTION.finditer(line)]


def _is_alone(line: str) -> bool:
    """Whether nothing but actions stands on a line."""
    rest = _ACTION.sub("", line).strip()
    return not rest or rest.startswith("#")


def _decides(kinds: list[str]) -> bool:
    """Whether lines with such actions print something: an assignment and a comment do not."""
    return any(not kind or kind in _STEPS for kind in kinds)


def _is_whole(kinds: list[str]) -> bool:
    """Whether each of the actions that has an end has it on the same line."""
    depth = 0
    for kind in kinds:
        depth += _STEPS.get(kind, 0)
        if depth < 0 or (kind == "else" and not depth):
            return False
    return not depth


def _as_comments(line: str, lines: list[str]) -> str:
    made = []
    for each in line.split("\n"):
        body = each.lstrip(" ")
        made.append(f"{each[: len(each) - len(body)]}# harden-line-{len(lines)}-")
        lines.append(body)
    return "\n".join(made)


def _with_words(line: str, actions: list[str]) -> str:
    """``line`` with a word in the place of each action, of one with an end together with all up to that."""
    made, end, depth, begun = "", 0, 0, 0
    for found in _ACTION.finditer(line):
        kind = (_KIND.match(found[0]) or ("", ""))[1] or ""
        begun = begun if depth else found.start()
        depth += _STEPS.get(kind, 0)
        if not depth:
            made += f"{line[end:begun]}harden-left-{len(actions)}-"
            actions.append(line[begun : found.end()])
            end = found.end()
    return made + line[end:] + _MORE * line.count("\n")
