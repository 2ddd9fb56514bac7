"""A manifest as YAML in a heredoc of a block: `yamldecode(<<-EOT ... EOT)` of a `kubernetes_manifest`, `yaml_body` of a
`kubectl_manifest`. The YAML engine reads and changes it where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from hardener.sources import yaml
from hardener.sources.block_names import HEAD
from hardener.sources.open_values import Expression
from hardener.sources.yaml import Comment, Hunk, TextError
from hardener.support.data_path import Path

from .nodes import Node
from .parsed import Parsed, parse
from .provider import MANIFESTS

_HEREDOC = r"<<-?(?P<tag>[A-Za-z_][\w-]*)[ \t]*\r?\n(?P<text>.*?)^[ \t]*(?P=tag)[ \t]*\r?$\s*"
_TEXTS = {
    "kubernetes_manifest": re.compile(rf"yamldecode\(\s*{_HEREDOC}\)\Z", re.S | re.M),
    "kubectl_manifest": re.compile(rf"{_HEREDOC}\Z", re.S | re.M),
}
_FILE = re.compile(r"(?:yamldecode\(\s*)?file\(\s*\"(?:\$\{path\.(?:module|root)\}/)?([^\"$]+)\"\s*\)\s*\)?")


class ManifestText(Struct):
    """A text with one block, in which a manifest stands: ``inner`` is that as read, ``row`` how many lines are before
    it, ``start`` to ``end`` its extent in characters."""

    parsed: Parsed
    inner: yaml.Parsed
    row: int
    start: int
    end: int

    @property
    def source(self) -> bytes:
        return self.parsed.source

    @property
    def documents(self) -> list[Any]:
        return [_filled_in(document) for document in self.inner.documents]

    def line(self, number: int, path: Path) -> int:
        """The line of what stands at ``path``."""
        return self.row + self.inner.line(number, path)

    def depth(self, number: int, path: Path) -> int:
        """How many parts of ``path`` lead to something that stands in the text."""
        return self.inner.depth(number, path)

    def lines(self, number: int, path: Path) -> set[int]:
        """The lines of the entry at ``path``."""
        return set(range(self.line(number, path), self.row + self.inner.end_line(number, path) + 1))

    def comment(self, number: int, path: Path) -> str | None:
        """The comment at the end of the line of ``path``."""
        return self.inner.comment(number, path)

    def comments(self) -> list[Comment]:
        """Every comment, those of the manifest behind the others."""
        inner = [Comment(self.row + each.line, each.text, each.alone) for each in self.inner.comments()]
        return [*self.parsed.comments(), *inner]


class Rewrite(Struct):
    """The new text with its hunks, and both texts as read."""

    text: str
    hunks: list[Hunk]
    before: ManifestText
    after: ManifestText


def read(parsed: Parsed) -> ManifestText | None:
    """The manifest in the one block of a text; None where it holds none as YAML. Raises TextError for what is none
    that can be read."""
    head, block = parsed.documents[0][HEAD], parsed.blocks[0]
    node = given(head, block)
    if node is None:
        return None
    value = parsed.source[node.value_start : node.value_end].decode()
    found = _TEXTS[head[1]].match(value)
    if found is None:
        return None
    row = node.row + value.count("\n", 0, found.start("text"))
    if "%{" in found["text"]:
        raise TextError("a template", row + 1)
    try:
        inner = yaml.parse(found["text"])
    except TextError as refused:
        raise TextError(refused.reason, row + (refused.line or 1)) from None
    if len(inner.documents) != 1 or not isinstance(inner.documents[0], dict):
        raise TextError("not one object", row + 1)
    start = len(parsed.source[: node.value_start].decode()) + found.start("text")
    return ManifestText(parsed, inner, row, start, start + len(found["text"]))


def given(head: list[str], block: Node) -> Node | None:
    """The attribute of a block that holds a manifest; None of any other block, or one that says none."""
    if len(head) != 3 or head[0] != "resource" or head[1] not in MANIFESTS:
        return None
    return block.children.get(MANIFESTS[head[1]])


def file_of(text: str) -> str | None:
    """The name of the file that an expression reads a manifest from, as seen from the module; None for any other."""
    found = _FILE.fullmatch(text.removeprefix("${").removesuffix("}").strip())
    return found[1] if found is not None else None


def _filled_in(value: Any) -> Any:
    """``value`` with the texts that Terraform fills in as expressions."""
    if isinstance(value, dict):
        return {key: _filled_in(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_in(item) for item in value]
    return Expression(value) if isinstance(value, str) and "${" in value else value


def rewrite(text: str, mutate: Callable[[list[Any]], None]) -> Rewrite:
    """``text`` with the changes that ``mutate`` makes to its manifest. Raises TextError where there is no way."""
    before = _again(text)
    inner = text[before.start : before.end]
    try:
        changed = yaml.rewrite(inner, mutate)
    except TextError as refused:
        raise TextError(refused.reason, before.row + (refused.line or 1)) from None
    if not changed.hunks:
        return Rewrite(text, [], before, before)
    for hunk in changed.hunks:
        if "".join(hunk.after).count("${") > "".join(hunk.before).count("${") or "%{" in "".join(hunk.after):
            raise TextError("Terraform would take the new text for more than text", before.row + hunk.before_start)
    new = text[: before.start] + changed.text + text[before.end :]
    hunks = [
        Hunk(before.row + each.before_start, each.before, before.row + each.after_start, each.after)
        for each in changed.hunks
    ]
    return Rewrite(new, hunks, before, _again(new))


def _again(text: str) -> ManifestText:
    found = read(parse(text))
    if found is None:
        raise TextError("the text does not come out as a manifest", 1)
    return found
