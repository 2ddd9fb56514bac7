"""The lines that one step changes, beside the steps before it in its documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from hardener.authoring.edits import Create, Edit, replay
from hardener.engine.document import applied_steps, raw_of
from hardener.engine.outcome import Change, FileChange
from hardener.sources import yaml
from hardener.sources.files import Content
from hardener.sources.manifests import ManifestFile, Piece


def of_step(changes: list[Change]) -> Iterator[FileChange]:
    """The changes of a step, each document of a file on its own. One that cannot be written by itself is left out: what
    it does to the data is in its record."""
    by_piece: dict[Piece, list[Change]] = {}
    for change in changes:
        by_piece.setdefault(change.object.piece, []).append(change)
    for piece, own in by_piece.items():
        try:
            if isinstance(own[0].edit, Create):
                yield _created(piece)
            else:
                yield _rewritten(piece, own)
        except (yaml.TextError, LookupError, TypeError):
            continue


def _created(piece: Piece) -> FileChange:
    body = raw_of(piece) or piece.source.dump(piece, "\n").removeprefix("\n")
    lines = body.splitlines(keepends=True)
    file = _like(piece.file, "", new=True)
    return FileChange(file, body, [yaml.Hunk(1, [], 1, lines)])


def _rewritten(piece: Piece, changes: list[Change]) -> FileChange:
    before = _text(piece, piece.text, list(applied_steps(piece)[: changes[0].step]))[0]
    after, hunks = _text(piece, before, [tuple(change.edit for change in changes)])
    whole, start, end = piece.file.content.text, piece.start, piece.end
    file = _like(piece.file, whole[:start] + before + whole[end:], new=False)
    moved = [
        replace(hunk, before_start=hunk.before_start + piece.line, after_start=hunk.after_start + piece.line)
        for hunk in hunks
    ]
    return FileChange(file, whole[:start] + after + whole[end:], moved)


def _text(piece: Piece, text: str, steps: list[tuple[Edit, ...]]) -> tuple[str, list[yaml.Hunk]]:
    def mutate(documents: list[Any]) -> None:
        for step in steps:
            replay(documents, step)

    found = piece.source.rewrite_text(piece, text, mutate)
    return found.text, found.hunks


def _like(file: ManifestFile, text: str, *, new: bool) -> ManifestFile:
    content = Content(text, file.content.bom, -1 if new else 0, 0, file.content.encoding)
    return ManifestFile(file.path, file.name, content, True, source=file.source, kept=file.kept)
