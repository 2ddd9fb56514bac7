"""Charts that Terraform and OpenTofu install: ``helm_release`` of the Helm provider.

Source: hashicorp/terraform-provider-helm, docs/resources/release and helm/resource_helm_release.go (getValues): the
texts of ``values`` in their order, then ``set``, ``set_list`` and ``set_sensitive``; ``set`` is a block until version 2
of the provider, and a list of objects since version 3. A path of a chart is seen from the module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from hardener.charts.releases.chart_sources import AtHand, literal, mapping_of, of_address, version_of
from hardener.charts.releases.release import WHOLE, Release, Values, put, unknown
from hardener.charts.values.set_values import keys_of, nested, path_of, typed
from hardener.charts.values.values_file import edited
from hardener.engine.outcome import Override
from hardener.sources.block_names import ENCODED, HEAD
from hardener.sources.terraform.nodes import Node
from hardener.sources.terraform.parsed import Parsed, parse
from hardener.sources.terraform.rewrite import rewrite
from hardener.sources.yaml import TextError
from hardener.support.data_path import Path
from hardener.support.shapes import listed, mappings
from hardener.tree.blocks import Block, is_expression

_TYPE = "helm_release"
_FILE = re.compile(r"\$\{file\(\s*\"(?:\$\{path\.(?:module|root|cwd)\}/)?([^\"$]+)\"\s*\)\}", re.S)
_HEREDOC = re.compile(r"<<(-?)([A-Za-z_][\w-]*)[ \t]*\r?\n(.*?)(?<=\n)([ \t]*)\2\s*\Z", re.S)
_ENCODE = re.compile(r"yamlencode\(\s*(\{.*\})\s*\)\Z", re.S)
_MODULE = re.compile(r"\$\{path\.(?:module|root)\}/")
_HIDDEN = ("set_sensitive", "set_list", "set_wo")
_WRAPPED = "values {\n  it = "  # what makes a block of an expression


def releases(at_hand: AtHand) -> Iterator[Release]:
    """Yield the releases of Terraform in the tree."""
    if at_hand.tree.block_files:
        for block in at_hand.tree.blocks.of(_TYPE):
            if block.data[HEAD][0] == "resource":
                yield _release(at_hand, block)


def _release(at_hand: AtHand, block: Block) -> Release:
    data = block.data
    written = data.get("chart")
    called = written if isinstance(written, str) else ""
    release = Release(block, "Terraform", _MODULE.sub("", called))
    path = _MODULE.sub("./", called)
    if literal(path) is None:
        release.missing = "its chart is an expression"
    elif path.startswith((".", "/")) or (not data.get("repository") and at_hand.chart(path, block.folder)):
        release.chart = at_hand.chart(path, block.folder)
        release.missing = "" if release.chart else f"{path} is no chart of the tree"
    else:
        version, repository = data.get("version"), data.get("repository")
        at_hand.take(release, lambda: of_address(path, version_of(version), repository), version)
    release.name = literal(data.get("name"))
    release.namespace = literal(data.get("namespace")) if "namespace" in data else "default"
    for index, item in enumerate(listed(data.get("values"))):
        release.values.append(_item(at_hand, release, block, index, item))
    if isinstance(data.get("values"), str):
        release.values.append(unknown(f"values of {block}"))
    release.targets = [each for each in release.values if each.may_write]
    _sets(release, block)
    release.advice = f"add an item to values of {block}, as yamlencode() or a heredoc of"
    return release


def _item(at_hand: AtHand, release: Release, block: Block, index: int, item: Any) -> Values:
    """One of ``values``: a file, or a text or object that is written out."""
    name = f"values[{index}] of {block}"
    place = InTerraform(block, index, name)
    if isinstance(item, str) and (file := _FILE.fullmatch(item)):
        found = at_hand.file(file[1], block.folder, release.chart)
        return found or unknown(file[1])
    if isinstance(item, dict) and ENCODED in item:
        return _of_object(name, item[ENCODED], place, block.editable)
    if not isinstance(item, str):
        return unknown(name)
    if heredoc := _HEREDOC.fullmatch(item.strip()):
        # What `${...}` stands for is not known, where it stands is; `%{...}` may take whole lines away.
        data = mapping_of(_heredoc_text(heredoc)) if "%{" not in heredoc[3] else None
        return _of_object(name, data, place, block.editable)
    if item.startswith("${") and (encoded := _ENCODE.match(item[2:-1].strip())):
        return _of_object(name, _object(encoded[1]), place, block.editable)
    data = None if is_expression(item) else mapping_of(item)
    return Values(name, data or {}, None, False, (WHOLE,) if data is None else ())


def _of_object(name: str, data: Any, place: InTerraform, may_write: bool) -> Values:
    if not isinstance(data, dict):
        return unknown(name)
    return Values(name, _known(data), place, may_write, tuple(_expressions(data, ())))


def _expressions(value: Any, path: Path) -> Iterator[Path]:
    """The paths of what is an expression; a list as a whole."""
    if isinstance(value, dict):
        for key, item in value.items():
            if is_expression(str(key)) or key.startswith("("):
                yield path
            yield from _expressions(item, (*path, key))
    elif isinstance(value, list):
        if any(True for item in value for _ in _expressions(item, ())):
            yield path
    elif isinstance(value, str) and is_expression(value):
        yield path


def _known(value: dict[str, Any]) -> dict[str, Any]:
    """``value`` without what is an expression, a heredoc in it as its text."""
    found = {}
    for key, item in value.items():
        if isinstance(item, dict):
            found[key] = _known(item)
        elif not any(True for _ in _expressions(item, ())):
            found[key] = _plain(item)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    heredoc = _HEREDOC.fullmatch(value) if isinstance(value, str) and value.startswith("<<") else None
    return _heredoc_text(heredoc) if heredoc is not None else value


def _object(text: str) -> Any:
    """The object that the expression ``text`` is; None where it is none."""
    try:
        return parse(f"{_WRAPPED}{text}\n}}\n").documents[0].get("it")
    except (TextError, IndexError):
        return None


def _heredoc_text(heredoc: re.Match[str]) -> str:
    """What a heredoc says: `<<-` takes away the indentation that its lines share."""
    text = heredoc[3].replace("\r\n", "\n")
    indent = _shared_indent(text, heredoc[4]) if heredoc[1] else 0
    return "".join(line[indent:] if line.strip() else line.lstrip(" ") for line in text.splitlines(keepends=True))


def _shared_indent(text: str, closing: str) -> int:
    widths = [len(line) - len(line.lstrip(" ")) for line in text.splitlines() if line.strip()]
    return min(widths, default=len(closing))


def _sets(release: Release, block: Block) -> None:
    """Add the values that are set one by one, and those that the tree does not show."""
    data = block.data
    for entry in mappings(data.get("set")):
        _set(release, block, entry)
    for key in _HIDDEN:
        for entry in mappings(data.get(key)):
            path = _set_path(entry) or WHOLE
            release.values.append(unknown(f"{key} {entry.get('name')} of {block}", keys_of(path)))
    for key in ("set", *_HIDDEN):
        if block.has_dynamic(key) or isinstance(data.get(key), str):
            release.values.append(unknown(f"{key} of {block}"))


def _set(release: Release, block: Block, entry: dict[str, Any]) -> None:
    name, value, kind = entry.get("name"), entry.get("value"), entry.get("type") or "auto"
    path = _set_path(entry)
    shown = f"set {name} of {block}"
    if path is None:
        release.values.append(unknown(shown))
        return
    is_computed = isinstance(value, dict | list) or (isinstance(value, str) and is_expression(value))
    is_unknown = is_computed or kind == "literal"
    text = _text(value)
    values = None if is_unknown else nested(path, text if kind == "string" else typed(text))
    if values is not None:
        release.values.append(Values(shown, values))
    elif is_unknown or kind == "string":
        release.values.append(unknown(shown, keys_of(path)))
    else:
        release.sets.append(f"{name}={text}")


def _set_path(entry: dict[str, Any]) -> Path | None:
    name = entry.get("name")
    return path_of(name) if isinstance(name, str) and not is_expression(name) else None


def _text(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


class InTerraform(Struct, frozen=True):
    """An item of ``values`` that is written out: a heredoc, ``yamlencode({...})`` or ``jsonencode({...})``."""

    block: Block
    index: int
    name: str

    @property
    def path(self) -> str:
        return self.block.piece.file.path

    def takes(self, override: Override) -> bool:
        return True

    def edited(self, text: str, overrides: Sequence[Override], base: str) -> str:
        parsed = parse(text)
        number, node = self._node(parsed)
        if node.form == "encoded":

            def change(documents: list[Any]) -> None:
                values = documents[number]["values"][self.index][ENCODED]
                for override in overrides:
                    put(values, override.path, override.value)

            return rewrite(text, change).text
        raw = parsed.source[node.start : node.end].decode()
        new = self._new(raw, overrides, base)
        return (parsed.source[: node.start] + new.encode() + parsed.source[node.end :]).decode()

    def _node(self, parsed: Parsed) -> tuple[int, Node]:
        head = self.block.data[HEAD]
        for number, document in enumerate(parsed.documents):
            if document[HEAD] == head:
                node, depth = parsed.find(number, ("values", self.index))
                if depth == 2:
                    return number, node
        raise TextError(f"{self.block} is not found in its file any more")

    def _new(self, raw: str, overrides: Sequence[Override], base: str) -> str:
        if heredoc := _HEREDOC.fullmatch(raw):
            return _heredoc(raw, heredoc, overrides, base)
        encoded = _ENCODE.search(raw.rstrip())
        if encoded is None:
            raise TextError("the values are not written out")
        return raw[: encoded.start(1)] + _encoded(encoded[1], overrides) + raw[encoded.end(1) :]


def _heredoc(raw: str, heredoc: re.Match[str], overrides: Sequence[Override], base: str) -> str:
    body = heredoc[3]
    newline = "\r\n" if "\r\n" in body else "\n"
    indent = _shared_indent(body, heredoc[4] + "  ") if heredoc[1] else 0
    if any(is_expression(str((override.path, override.value))) for override in overrides):
        raise TextError("a value would read as a template of Terraform")
    new = edited(_heredoc_text(heredoc), list(overrides), base=base)
    lines = [" " * indent + line if line.strip() else line for line in new.splitlines(keepends=True)]
    text = "".join(lines).replace("\n", newline)
    if text and not text.endswith("\n"):
        text += newline
    return raw[: heredoc.start(3)] + text + raw[heredoc.end(3) :]


def _encoded(text: str, overrides: Sequence[Override]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    whole = f"{_WRAPPED.replace(chr(10), newline)}{text}{newline}}}{newline}"

    def change(documents: list[Any]) -> None:
        values = documents[0]["it"]
        for override in overrides:
            if is_expression(str(override.value)):
                raise TextError("a value would read as a template of Terraform")
            put(values, override.path, override.value)

    new = rewrite(whole, change).text
    start = new.index("it = ") + len("it = ")
    return new[start : new.rindex("}")].rstrip("\r\n")
