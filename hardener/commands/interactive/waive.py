"""A waiver written into the manifest that it is about: an annotation, or a comment where there is no place for one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hardener.authoring.edits import Grade, replay
from hardener.engine.waivers.marks import PREFIX
from hardener.errors import InputError
from hardener.sources import yaml
from hardener.sources.files.transaction import NotPlacedError, Transaction
from hardener.sources.manifests import ManifestFile, Piece
from hardener.support.data_path import Path, value_at
from hardener.tree.core_views import Container, Object, View


@dataclass(frozen=True, slots=True)
class Written:
    """A waiver to write: the transform ``id`` is left out at ``target``, for ``reason``, one line of text."""

    id: str
    target: View
    reason: str


def write(waivers: Iterable[Written]) -> list[str]:
    """Write ``waivers`` to their files, all or none. Returns the names of the files; raises InputError for the first
    that cannot be written."""
    texts = with_waivers(waivers)
    with Transaction() as run:
        for file, text in texts:
            try:
                run.replace(file.path, text, file.content)
            except OSError as error:
                raise InputError(f"{file.name}: the waiver was not written: {error.strerror}") from None
        try:
            run.place()
        except NotPlacedError as error:
            raise InputError(f"{os.path.relpath(error.path)}: the waiver was not written: {error.strerror}") from None
    return [file.name for file, _ in texts]


def with_waivers(waivers: Iterable[Written]) -> list[tuple[ManifestFile, str]]:
    """The files that hold ``waivers``, each with its text and these in it. Raises InputError for the first that cannot
    be written."""
    by_file: dict[str, tuple[ManifestFile, dict[Piece, list[Written]]]] = {}
    for waiver in waivers:
        piece = waiver.target.object.piece
        by_piece = by_file.setdefault(piece.file.path, (piece.file, {}))[1]
        by_piece.setdefault(piece, []).append(waiver)
    texts: list[tuple[ManifestFile, str]] = []
    for file, by_piece in by_file.values():
        text = file.content.text
        for piece in sorted(by_piece, key=lambda piece: piece.start, reverse=True):
            written = piece.text
            for waiver in by_piece[piece]:
                written = _with(piece, written, waiver)
            text = text[: piece.start] + written + text[piece.end :]
        texts.append((file, text))
    return texts


def _with(piece: Piece, text: str, waiver: Written) -> str:
    try:
        annotated = None if not piece.source.is_manifest else _annotated(text, waiver)
        return annotated or _commented(piece, text, waiver)
    except yaml.TextError as refused:
        form = f"# harden: ignore[{waiver.id}] {waiver.reason}"
        raise InputError(f"{piece.file.name}: write this waiver by hand ({refused.reason}): {form}") from None


def _annotated(text: str, waiver: Written) -> str | None:
    """``text`` with an annotation of the object; None where it has no metadata, or this annotation already."""
    item, key = waiver.target.object, f"{PREFIX}ignore-{waiver.id}"
    value = waiver.reason
    if isinstance(waiver.target, Container):
        value = f"container={waiver.target.name}; {value}"
    parsed = yaml.parse(text)
    metadata = value_at(parsed.documents, (*item.path, "metadata"))
    if not isinstance(metadata, dict) or not isinstance(metadata.get("annotations") or {}, dict):
        return None
    if key in (metadata.get("annotations") or {}):
        return None
    edit = item.view("metadata").set("annotations", key, to=value, grade=Grade.SAFE)

    def mutate(documents: list[Any]) -> None:
        replay(documents, [edit])

    return yaml.rewrite(text, mutate).text


def _commented(piece: Piece, text: str, waiver: Written) -> str:
    """``text`` with a comment on the line above the target. Raises TextError where that changes more than a comment."""
    path, source = _written_path(waiver.target), piece.source
    parsed = source.parse(piece, text)
    source.check_comment(parsed, int(path[0]), waiver.reason)
    number = parsed.line(int(path[0]), path[1:])
    lines = text.splitlines(keepends=True)
    line = lines[number - 1]
    indent = line[: len(line) - len(line.lstrip(" "))]
    newline = "\r\n" if line.endswith("\r\n") else "\n"
    lines.insert(number - 1, f"{indent}# harden: ignore[{waiver.id}] {waiver.reason}{newline}")
    written = "".join(lines)
    again = source.parse(piece, written)
    count = len(source.comments(parsed))
    if not yaml.same(again.documents, parsed.documents) or len(source.comments(again)) != count + 1:
        raise yaml.TextError("no comment is possible there")
    return written


def _written_path(target: View) -> Path:
    item: Object = target.object
    return target.path if isinstance(target, Container) else item.path
