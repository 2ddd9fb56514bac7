"""Where the values of a release stand in YAML: a file, a mapping or a text of an object, one value set by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from hardener.charts.post_render import Applied, UnreadPatchError, read
from hardener.charts.releases.release import put
from hardener.charts.values.values_file import edited
from hardener.engine.outcome import Override
from hardener.sources import yaml
from hardener.sources.go_templates import without_templates
from hardener.sources.yaml import TextError
from hardener.support.data_path import Path, value_at
from hardener.tree.core_views import Object

_TEMPLATES = "its templates would not stay as they are"
_OTHER_SHAPE = "the object has no place for values"


class InFile(Struct, frozen=True):
    """A file of values."""

    path: str
    name: str

    def takes(self, override: Override) -> bool:
        return True

    def edited(self, text: str, overrides: Sequence[Override], base: str) -> str:
        return _edited(text, overrides, base)


class _Below(Struct, frozen=True):
    """The place ``below`` of the object ``item``."""

    item: Object
    below: Path
    name: str

    @property
    def path(self) -> str:
        return self.item.piece.file.path

    def takes(self, override: Override) -> bool:
        return True


class InObject(_Below, frozen=True):
    """A mapping below ``below`` of the object ``item``, which is made where there is none."""

    def edited(self, text: str, overrides: Sequence[Override], base: str) -> str:
        def change(holder: dict[str, Any], key: str) -> None:
            found = holder.get(key)
            if found is not None and not isinstance(found, dict):
                raise TextError("its values are no mapping")
            values = dict(found or {})
            for override in overrides:
                put(values, override.path, override.value)
            holder[key] = values

        return _changed(text, self.item, self.below, change)


class InList(_Below, frozen=True):
    """The map that is the item ``index`` of a list below ``below`` of the object ``item``, which is made where there is
    none."""

    index: int

    def edited(self, text: str, overrides: Sequence[Override], base: str) -> str:
        def change(holder: dict[str, Any], key: str) -> None:
            found = holder.get(key)
            if found is not None and not isinstance(found, list):
                raise TextError("its values are no list")
            items = [*(found or []), *([{}] if self.index == len(found or []) else [])]
            values = dict(items[self.index])
            for override in overrides:
                put(values, override.path, override.value)
            items[self.index] = values
            holder[key] = items

        return _changed(text, self.item, self.below, change)


class InTemplate(Struct, frozen=True):
    """The same of a file with actions of Go templates, which stay as they are."""

    place: InList

    @property
    def path(self) -> str:
        return self.place.path

    @property
    def name(self) -> str:
        return self.place.name

    def takes(self, override: Override) -> bool:
        return True

    def edited(self, text: str, overrides: Sequence[Override], base: str) -> str:
        found = without_templates(text)
        if found is None:
            raise TextError(_TEMPLATES)
        new = self.place.edited(found.text, overrides, base)
        if not found.holds_all(new):
            raise TextError(_TEMPLATES)
        return found.restored(new)


class InText(_Below, frozen=True):
    """A text of the object ``item`` that is YAML itself, which keeps its style; it is made where there is none."""

    def edited(self, text: str, overrides: Sequence[Override], base: str) -> str:
        def change(holder: dict[str, Any], key: str) -> None:
            old = holder.get(key) or ""
            if not isinstance(old, str):
                raise TextError("its values are no text")
            new = _edited(old, overrides, base)
            # `|-` says that the text ends without a line end: it stays so.
            holder[key] = new if old.endswith("\n") or not old else new.rstrip("\n")

        return _changed(text, self.item, self.below, change)


class SetValue(_Below, frozen=True):
    """One value that is set by itself, at ``below`` of the object: ``target`` is its path in the values, and ``spelt``
    gives what stands there for a value, None where nothing can."""

    target: Path
    spelt: Callable[[Any], str | int | None]

    def takes(self, override: Override) -> bool:
        return override.path == self.target and self.spelt(override.value) is not None

    def edited(self, text: str, overrides: Sequence[Override], base: str) -> str:
        def change(holder: dict[str, Any], key: str) -> None:
            holder[key] = self.spelt(overrides[-1].value)

        return _changed(text, self.item, self.below, change)


class Patches(_Below, frozen=True):
    """The patches that the deployer of the object makes behind helm, a list at ``below``: entries as kustomize has
    them, or with ``is_flux`` post-renderers of Flux. ``known`` are those that stand there."""

    known: tuple[Applied, ...] = ()
    is_flux: bool = False

    def added(self, text: str, entries: Sequence[dict[str, Any]]) -> str:
        """Return ``text``, that of the file, with ``entries`` behind those that are there. Raises TextError."""

        def change(holder: dict[str, Any], key: str) -> None:
            found = list(holder.get(key) or [])
            last = found[-1] if found else None
            if not self.is_flux:
                found += entries
            elif isinstance(last, dict) and list(last) == ["kustomize"] and list(last["kustomize"]) == ["patches"]:
                found[-1] = {"kustomize": {"patches": [*last["kustomize"]["patches"], *entries]}}
            else:
                found.append({"kustomize": {"patches": list(entries)}})
            holder[key] = found

        return _changed(text, self.item, self.below, change)


def patches_of(item: Object, below: Path, entries: Sequence[Any], *, is_flux: bool = False) -> Patches | None:
    """Return the place ``below`` of ``item`` where patches stand, of which ``entries`` are there; None where harden
    cannot read them."""
    try:
        known = tuple(read(entries))
    except UnreadPatchError:
        return None
    return Patches(item, below, ".".join(map(str, below)), known, is_flux)


def _edited(text: str, overrides: Sequence[Override], base: str) -> str:
    return edited(text, list(overrides), base=base)


def _changed(text: str, item: Object, below: Path, change: Callable[[dict[str, Any], str], None]) -> str:
    """``text`` of the file of ``item``, with ``change`` made to what holds the place ``below`` of it."""
    segment = _segment(text, item)
    path = (*item.path, *below)

    def mutate(documents: list[Any]) -> list[Any]:
        new = list(documents)
        holder: Any = new
        part: Any
        for part in path[:-1]:
            there = isinstance(holder, dict) or (isinstance(part, int) and part < len(holder))
            old = (holder.get(part) if isinstance(holder, dict) else holder[part]) if there else None
            if old is None and isinstance(holder, dict):
                old = {}
            if not isinstance(old, dict | list):
                raise TextError(_OTHER_SHAPE)
            # Made anew, so that what an alias shares with it stays, and the writer sees that they differ.
            copied: Any = list(old) if isinstance(old, list) else dict(old)
            holder[part] = copied
            holder = copied
        if not isinstance(holder, dict):
            raise TextError(_OTHER_SHAPE)
        change(holder, str(path[-1]))
        return new

    new = yaml.rewrite(segment.text, mutate).text
    return text[: segment.start] + new + text[segment.start + len(segment.text) :]


def _segment(text: str, item: Object) -> yaml.Segment:
    """The part of ``text`` that holds ``item``: at the place where it was read, else wherever it is now."""
    pieces = [piece for piece in item.piece.file.pieces if not piece.is_new]
    parts = yaml.segments(text)
    number = pieces.index(item.piece)
    if number < len(parts) and _holds(parts[number], item):
        return parts[number]
    found = [part for part in parts if _holds(part, item)]
    if len(found) != 1:
        raise TextError(f"{item} is not found in its file any more")
    return found[0]


def _holds(part: yaml.Segment, item: Object) -> bool:
    try:
        found = value_at(yaml.parse(part.text).documents, item.path)
    except TextError:
        return False
    return isinstance(found, dict) and all(
        value_at(found, path) == value_at(item.data, path)
        for path in (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))
    )
