"""The documents that a run changes, as they were and as they become, and the objects that it makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from hardener.engine.document import raw_of
from hardener.engine.outcome import Outcome
from hardener.kubernetes.objects.list_items import is_list
from hardener.sources.manifests import Piece
from hardener.sources.yaml import same
from hardener.support.data_path import Path, existing
from hardener.tree.core_views import Object


class Changed(Struct, frozen=True):
    """An object, or a document that is none, of a file that stays: ``old`` and ``new`` are its data."""

    piece: Piece
    path: Path
    item: Object | None
    old: Any
    new: Any

    @property
    def name(self) -> str:
        """How a person is told of it."""
        line = self.piece.line + 1
        return f"{self.piece.file.name}:{line}" + (f" {self.item}" if self.item is not None else "")


def changed(outcome: Outcome) -> Iterator[Changed]:
    """What ``outcome`` changes of documents in YAML or JSON, in the order of files and lines; items of a List one by
    one."""
    objects: dict[Piece, list[Object]] = {}
    for item in outcome.tree.objects:
        objects.setdefault(item.piece, []).append(item)
    for piece in _pieces(outcome):
        if piece.is_new or not piece.source.is_manifest:
            continue
        before, after = piece.read().documents, piece.data
        own = objects.get(piece, [])
        for item in own:
            old, new = (_own(item.as_sent(existing(documents, item.path))) for documents in (before, after))
            if not same([old], [new]):
                yield Changed(piece, item.path, item, old, new)
        known = {item.path[0] for item in own}
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            if number not in known and not same([old], [new]):
                yield Changed(piece, (number,), None, old, new)


def _own(data: Any) -> Any:
    """``data`` without the items that are objects of their own."""
    return {key: value for key, value in data.items() if key != "items"} if is_list(data) else data


def created(outcome: Outcome) -> Iterator[Object]:
    """The objects that ``outcome`` makes, files for hosts left out."""
    made = {change.object.piece: change.object for change in outcome.changes if change.object.piece.is_new}
    yield from (item for piece, item in made.items() if not raw_of(piece) and piece.source.is_manifest)


def elsewhere(outcome: Outcome) -> Iterator[str]:
    """The files that ``outcome`` changes or makes and that hold no documents, each with what it is: blocks,
    programs, files for hosts."""
    for piece in _pieces(outcome):
        if not piece.source.is_manifest or raw_of(piece):
            yield f"{piece.file.name}: {piece.source.no_patch}"


def _pieces(outcome: Outcome) -> list[Piece]:
    found = {change.object.piece for change in outcome.changes}
    return [piece for file in outcome.tree.files for piece in file.pieces if piece in found]
