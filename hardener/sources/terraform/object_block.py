"""The text of a block that stands for a Kubernetes object: read as that object, and rewritten through it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from msgspec import Struct

from hardener.sources import yaml
from hardener.sources.block_names import ENCODED, HEAD
from hardener.sources.yaml import Comment, Hunk, TextError, same
from hardener.support.data_path import Path

from . import manifest_text, render
from .manifest_text import ManifestText
from .objects import Part, Reader, Resolve, changed, find, fresh, written
from .parsed import Parsed, parse
from .provider import MANIFESTS, resource
from .rewrite import planned, write

Refer = Callable[[str, str | None, str], str | None]
"""The expression for the name of the object of a kind, in a namespace, called so; None where there is none."""


class ObjectBlock(Struct):
    """A text with one block at its top; ``documents`` is the object alone. Lines count from 1."""

    parsed: Parsed
    root: Part

    @property
    def source(self) -> bytes:
        return self.parsed.source

    @property
    def documents(self) -> list[Any]:
        return [self.root.data]

    def line(self, number: int, path: Path) -> int:
        """The line of what stands at ``path``; of what does not, that of what would hold it."""
        return find(self.root, path)[0].node.row + 1

    def is_spread(self, path: Path) -> bool:
        """Whether the list at ``path`` has no place of its own: each item of it is a block."""
        part, depth = find(self.root, path)
        return depth == len(path) and part.form == "blocks"

    def depth(self, number: int, path: Path) -> int:
        """How many parts of ``path`` lead to something that stands in the text."""
        return find(self.root, path)[1]

    def lines(self, number: int, path: Path) -> set[int]:
        """The lines of the entry at ``path``, with those of its list where it is an item; of what is not there, the
        last ones of what would hold it, and the first where that stands on one line."""
        part, depth = find(self.root, path)
        rows = self._rows(part)
        if depth < len(path) and part.form != "blocks" and len(rows) > 1:
            below = [child.node for child in part.children.values() if child.node is not part.node]
            last = max(below, key=lambda node: node.end, default=part.node)
            return {rows[-1], *self._span(last.start, last.end)[-1:]}
        holder, _ = find(self.root, path[:-1])
        return {*rows, *(self._rows(holder) if isinstance(holder.data, list) else ())}

    def _rows(self, part: Part) -> range:
        return self._span(part.node.start, part.node.end)

    def _span(self, start: int, end: int) -> range:
        first = self.source.count(b"\n", 0, start) + 1
        return range(first, first + self.source.count(b"\n", start, end) + 1)

    def comment(self, number: int, path: Path) -> str | None:
        """The comment at the end of the line of ``path``."""
        part, depth = find(self.root, path)
        return self.parsed.comment_behind(part.node) if depth == len(path) and path else None

    def comments(self) -> list[Comment]:
        """Every comment, written as one with ``#``."""
        return self.parsed.comments()


class Rewrite(Struct):
    """The new text with its hunks, and both texts as read."""

    text: str
    hunks: list[Hunk]
    before: ObjectBlock
    after: ObjectBlock


def read(text: str, resolve: Resolve, row: int = 0) -> ObjectBlock | ManifestText | None:
    """The object of the one block in ``text``, before which ``row`` lines stand; None where it stands for none. Raises
    TextError for no HCL, and for a manifest that cannot be read."""
    parsed = parse(text)
    if len(parsed.blocks) != 1:
        return None
    root = Reader(resolve, row).read(parsed.documents[0][HEAD], parsed.blocks[0])
    return ObjectBlock(parsed, root) if root is not None else manifest_text.read(parsed)


def again(text: str, resolve: Resolve, row: int = 0) -> ObjectBlock | ManifestText:
    """``text``, which stands for an object, read again. Raises TextError where it does not any more."""
    found = read(text, resolve, row)
    if found is None:
        raise TextError("the text does not come out as an object", 1)
    return found


def rewrite(
    text: str,
    mutate: Callable[[list[Any]], None],
    resolve: Resolve,
    before: ObjectBlock | ManifestText | None = None,
    refer: Refer = lambda kind, namespace, name: None,
) -> Rewrite | manifest_text.Rewrite:
    """``text`` with the changes that ``mutate`` makes to its object; ``before`` is it as read, where that is at hand.
    What it newly names and ``refer`` knows is named by a reference, so that Terraform makes that first.

    Raises TextError where a change has no place in the block, and where the new text does not read as what was decided.
    """
    before = before or again(text, resolve)
    if isinstance(before, ManifestText):
        return manifest_text.rewrite(text, mutate)
    wanted = deepcopy(before.documents)
    mutate(wanted)
    body = _body(before, changed(before.root, wanted[0]))
    metadata = wanted[0].get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    body = _referring(before.parsed.documents[0], body, lambda name: refer("ServiceAccount", namespace, name))
    new, hunks, parsed = write(before.parsed, body)
    if not hunks:
        if not same(before.documents, wanted):
            raise TextError("the text does not come out as it was decided", 1)
        return Rewrite(text, [], before, before)
    root = Reader(resolve).read(parsed.documents[0][HEAD], parsed.blocks[0])
    if root is None or not same([root.data], wanted):
        raise TextError("the text does not come out as it was decided", hunks[0].before_start)
    return Rewrite(new, hunks, before, ObjectBlock(parsed, root))


def _referring(old: Any, new: Any, name_of: Callable[[str], str | None]) -> Any:
    """The body ``new`` with a reference for each account that it names and ``old`` does not."""
    if isinstance(new, dict):
        known = old if isinstance(old, dict) else {}
        found = {name: _referring(known.get(name), item, name_of) for name, item in new.items()}
        given = found.get("service_account_name")
        if isinstance(given, str) and given != known.get("service_account_name"):
            expression = name_of(given)
            found["service_account_name"] = given if expression is None else "${" + expression + "}"
        return found
    if isinstance(new, list):
        before = old if isinstance(old, list) else []
        return [
            _referring(before[index] if index < len(before) else None, item, name_of) for index, item in enumerate(new)
        ]
    return new


def check(before: ObjectBlock | ManifestText, wanted: Any, *, removes: bool) -> None:
    """Raise TextError where the block has no place for the object ``wanted``: a quick look before ``rewrite``, which
    may refuse what passes here. ``removes``: something goes, and what stands around it may keep it there."""
    if isinstance(before, ObjectBlock):
        made = changed(before.root, wanted)
        if removes:
            planned(before.parsed, _body(before, made))


def _body(before: ObjectBlock, made: Any) -> dict[str, Any]:
    """The whole block, where what holds the object is ``made``."""
    document: dict[str, Any] = before.parsed.documents[0]
    kind = document[HEAD][1]
    if kind not in MANIFESTS:
        return dict(made)
    return {**document, MANIFESTS[kind]: made if kind == "kubernetes_manifest" else {ENCODED: made}}


def block_of(
    kind: str, label: str, value: dict[str, Any], texts: dict[Path, str], meta: dict[str, Any]
) -> dict[str, Any]:
    """The block of Terraform of the type ``kind`` that makes the object ``value``. ``texts`` are expressions that stand
    at places of it instead of their values, ``meta`` attributes of Terraform itself.

    Raises TextError where the provider has no place for a part of it.
    """
    head = ["resource", kind, label]
    if kind == "kubectl_manifest":
        return {HEAD: head, **meta, MANIFESTS[kind]: value}
    if kind in MANIFESTS:
        return {HEAD: head, **meta, MANIFESTS[kind]: _with(written(value, "any"), texts)}
    known = resource(kind)
    if known is None:
        raise TextError(f"there is no resource {kind}", 1)
    body = {name: item for name, item in value.items() if name not in ("apiVersion", "kind")}
    return {HEAD: head, **meta, **fresh(known.block, _with(body, texts))}


def _with(value: Any, texts: dict[Path, str]) -> Any:
    for path, text in texts.items():
        value = _put(value, path, text)
    return value


def _put(value: Any, path: Path, text: str) -> Any:
    if not path:
        return text
    if isinstance(value, dict) and path[0] in value:
        return {**value, path[0]: _put(value[path[0]], path[1:], text)}
    return value


def dump(block: dict[str, Any], newline: str = "\n") -> str:
    """The text of the new block ``block``."""
    body = block.get("yaml_body")
    if isinstance(body, dict):  # as YAML in a heredoc
        lines = [f"    {line}".rstrip() + "\n" for line in yaml.dump(body).splitlines()]
        meta = render.attributes({name: item for name, item in block.items() if name != "yaml_body"}, render.STEP)
        head = "".join(line + "\n" for line in [*meta, *[""] * bool(meta)])
        head = f'resource "{block[HEAD][1]}" "{block[HEAD][2]}" {{\n{head}'
        text = f"{head}  yaml_body = <<-YAML\n{''.join(lines)}  YAML\n}}\n"
        if "${" in text or "%{" in text:
            raise TextError("Terraform would take the new text for more than text", 1)
        return text.replace("\n", newline)
    text = "".join(line + "\n" for line in render.block(block[HEAD], block, ""))
    return text.replace("\n", newline)
