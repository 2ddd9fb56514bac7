"""A second reading of a stream, by the rules of kubectl: split as k8s.io/apimachinery does, decoded as go-yaml v2 does.

It reads more than the engine takes: keys twice, tags of any kind, JSON values one behind the other. Nothing is written
by it. Source: k8s.io/apimachinery 0.37, pkg/util/yaml/decoder.go; sigs.k8s.io/yaml 1.6; what kubectl 1.37.1 makes of
such files.
"""

from __future__ import annotations

import json
import re
from binascii import Error as NoBase64
from binascii import a2b_base64
from collections.abc import Iterator
from typing import Any, NamedTuple

from .positions import Alias, Mapping, Node, Scalar, compose_first
from .scalars import key_text, resolve
from .text_error import TextError
from .values import check_expansion, is_merge, merge_sources

_BOM = "\ufeff"
_TAG = "tag:yaml.org,2002:"
_READ_TAGS = frozenset((None, *(f"{_TAG}{name}" for name in ("int", "float", "bool", "null"))))
_LONE_RETURN = r"\r(?!\n)"
_MARKS_OF_LINES = rf"(?m)^{_BOM}+"
_IN_JSON = rf"\}}[\s{_BOM}]*\{{"
_TOKEN = r"(?:^|(?<=[\s,\[{:?-]))"
# What may be read in more than one way: a text without which it is not there, and which is quickly found; the pattern,
# compiled when it is asked for; what a person is told.
_UNUSUAL: tuple[tuple[str, str, str, str], ...] = (
    (_BOM, _BOM, "a byte order mark is in it", "remove the byte order mark"),
    ("!", rf"{_TOKEN}!(?!=)\S", "it uses a tag", "write keys and values without tags"),
    ("%", r"\n%", "it has a directive", "remove the line that begins with %"),
    ("\r", _LONE_RETURN, "a carriage return ends a line alone", "end lines by a line feed"),
    ("\x85", "\x85", "it has a line break that is none in Git", "end lines by a line feed"),
    ("\u2028", "\u2028", "it has a line break that is none in Git", "end lines by a line feed"),
    ("\u2029", "\u2029", "it has a line break that is none in Git", "end lines by a line feed"),
    ("\n...", r"\n\.\.\.", "a document ends by three dots", "write --- on a line of its own"),
    ("---", r"\n---(?=[^ \t\r\n]|[ \t]+[^\s#])", "more text follows ---", "write --- on a line of its own"),
    ("<<", rf"{_TOKEN}<<[ \t]*:", "it merges mappings", "write out what is merged"),
)
_OF_JSON = "several JSON values follow each other", "write --- on a line between them"
_HEAD = 80  # characters; what begins a line, and is looked for, is shorter


class Document(NamedTuple):
    """A document as it is sent, and the 0-based line of the text on which it begins."""

    line: int
    data: Any


def unusual(text: str) -> tuple[str, str] | None:
    """What in `text` may be read in more than one way, and what to do about it; None where there is nothing of it."""
    head = f"\n{text[:_HEAD]}"
    for sign, pattern, what, remedy in _UNUSUAL:
        if (sign in text or sign in head) and (re.search(pattern, text, re.M) or re.match(pattern, head, re.M)):
            return what, remedy
    return _OF_JSON if _is_bracketed(text) and re.search(_IN_JSON, text) else None


def stream(text: str) -> Iterator[Document]:
    """The documents that kubectl decodes of `text`. What it cannot decode is left out: it goes no further there."""
    line = start = 0
    if _is_bracketed(text):
        decoder = json.JSONDecoder()
        while (found := _json_value(decoder, text, start)) is not None:
            data, begin, end = found
            yield Document(line + text.count("\n", start, begin), data)
            line, start = line + text.count("\n", start, end), end
    for below, chunk in _chunks(text[start:]):
        try:
            yield Document(line + below, _decoded(chunk))
        except (TextError, RecursionError):
            continue


def _is_bracketed(text: str) -> bool:
    return text[:_HEAD].lstrip()[:1] in ("{", "")  # and where there are only blanks, perhaps


def _json_value(decoder: json.JSONDecoder, text: str, start: int) -> tuple[Any, int, int] | None:
    """The JSON object behind `start`, with where it begins and ends; None where there is none."""
    begin = start
    while begin < len(text) and (text[begin].isspace() or text[begin] == _BOM):
        begin += 1
    if text[begin : begin + 1] != "{":
        return None
    try:
        data, end = decoder.raw_decode(text, begin)
    except (ValueError, RecursionError):
        return None
    return data, begin, end


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """The texts between separators, each with its first line."""
    lines = text.split("\n")
    start = 0
    for number, line in enumerate(lines):
        if line.startswith("---") and _is_separator(line[3:].strip()):
            yield start, "\n".join(lines[start:number])
            start = number + 1
    yield start, "\n".join(lines[start:])


def _is_separator(behind: str) -> bool:
    return not behind or behind.startswith("#")


def _decoded(chunk: str) -> Any:
    """The first document of a chunk; None for an empty one. Raises TextError."""
    text = re.sub(_LONE_RETURN, "\n", chunk.replace("\r\n", "\n"))
    tree = compose_first(re.sub(_MARKS_OF_LINES, "", text))  # go-yaml passes over such a mark in front of the first key
    root = tree.roots[0] if tree.roots else -1
    if root < 0:
        return None
    node = tree.node(root)
    if tree.targets:
        check_expansion(node, len(tree.kinds) - len(tree.targets))
    return _Values().value(node)


class _Values:
    """What go-yaml makes of nodes; a node that several places name is read once."""

    def __init__(self) -> None:
        self._known: dict[int, Any] = {}

    def value(self, node: Node) -> Any:
        """The plain data of `node`. Raises TextError for a key that JSON has no word for."""
        while isinstance(node, Alias):
            node = node.target
        if node.at not in self._known:
            self._known[node.at] = self._made(node)
        return self._known[node.at]

    def _made(self, node: Node) -> Any:
        if isinstance(node, Scalar):
            return _scalar(node)
        if not isinstance(node, Mapping):
            return [self.value(item) for item in node.items]  # type: ignore[attr-defined]
        found: dict[str, Any] = {}
        for key, value in node.pairs:
            if is_merge(key):
                found |= self._merged(value)
            else:
                found[self._key(key)] = self.value(value)
        return found

    def _merged(self, value: Node) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for source in reversed(merge_sources(value)):
            merged = self.value(source)
            found |= merged if isinstance(merged, dict) else {}
        return found

    def _key(self, key: Node) -> str:
        value = self.value(key)
        if isinstance(value, dict | list):
            raise TextError("a key is a collection")
        return key_text(value)


def _scalar(node: Scalar) -> Any:
    if node.tag == f"{_TAG}binary":
        return _binary(node.text)
    if (node.style and node.tag is None) or node.tag not in _READ_TAGS:
        return node.text
    try:
        return resolve(node.text)
    except TextError:
        return node.text


def _binary(text: str) -> str:
    try:
        return a2b_base64(text).decode(errors="replace")
    except NoBase64:
        raise TextError("a text is not in base64") from None
