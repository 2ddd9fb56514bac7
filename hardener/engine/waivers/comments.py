"""Waivers in comments: ``# harden: ignore[<id>,...] reason``, at the end of the line or on the line above.

Such a comment speaks for the outermost node that begins on its line: for a list item on the line of its dash, for a key
elsewhere, for the whole document on its first line.
"""

from __future__ import annotations

import re
from typing import Any

from hardener.engine.waivers.waiver import Collection, Waiver, unknown
from hardener.sources.manifests import Piece
from hardener.sources.source import Parsed
from hardener.support.data_path import Path
from hardener.tree.core_views import Object

_COMMENT = re.compile(r"#[ \t]*harden:[ \t]*(?:ignore\b(?:[ \t]*\[([^\]]*)\])?|\w+[ \t]*\[)(.*)")
_FORM = "write it as # harden: ignore[ID] REASON"


def read(piece: Piece, parsed: Parsed, objects: list[Object], found: Collection) -> None:
    """Add the waivers in the comments of ``piece``, which holds ``objects``, to ``found``."""
    comments = piece.source.comments(parsed)
    alone = {comment.line for comment in comments if comment.alone}
    nodes: dict[int, Path] = {}
    for number, document in enumerate(parsed.documents):
        _note(parsed, number, (), document, nodes)
    for comment in comments:
        said = _COMMENT.search(comment.text)
        if said is None:
            continue
        target = comment.line
        while target in alone:
            target += 1
        path = nodes.get(target)
        owner = next((item for item in objects if path is not None and path[: len(item.path)] == item.path), None)
        _read(said, piece, path, owner, piece.line + comment.line, found)


def _note(parsed: Parsed, document: int, path: Path, value: Any, nodes: dict[int, Path]) -> None:
    """Note ``path`` and all below it as what begins on its line, unless something around it begins there."""
    if not isinstance(value, list) or not _is_spread(parsed, path):
        nodes.setdefault(parsed.line(document, path), (document, *path))
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        _note(parsed, document, (*path, key), child, nodes)


def _is_spread(parsed: Parsed, path: Path) -> bool:
    """Whether the list at ``path`` begins with its first item, and nowhere by itself: a block of Terraform for each."""
    found = getattr(parsed, "is_spread", None)
    return found is not None and found(path)


def _read(
    said: re.Match[str], piece: Piece, path: Path | None, owner: Object | None, line: int, found: Collection
) -> None:
    def refuse(id: str, message: str, advice: str) -> None:
        found.refuse(id, message, advice, piece.file.name, line=line, piece=piece, path=path or (), object=owner)

    ids = [id.strip() for id in (said[1] or "").split(",") if id.strip()]
    reason = said[2].strip()
    if not ids:
        refuse("waiver-unknown", "a waiver names no transform", _FORM)
    elif path is None:
        refuse("waiver-unknown", "there is nothing on the line of this waiver or below it", _FORM)
    elif not reason:
        refuse("waiver-without-reason", "a waiver needs a reason", _FORM.replace("ID", ", ".join(ids)))
    else:
        for id in ids:
            problem = unknown(id)
            if problem:
                refuse("waiver-unknown", problem, "correct it, or remove it; harden list shows the transforms")
                continue
            found.waivers.append(
                Waiver(
                    id, frozenset({id}), reason, "comment", _scopes(piece, path), piece.file.name, line, piece, path,
                    owner,
                )
            )  # fmt: skip


def _scopes(piece: Piece, path: Path) -> list[tuple[Piece, Path]]:
    """``path``, and in a program every other place that it puts the same text to."""
    found = {path: None}
    waiting = [path] if piece.source.is_program else []
    while waiting:
        current = waiting.pop()
        for here in (here for paths in piece.shared for here in paths if current[: len(here)] == here):
            for group in (paths for paths in piece.shared if here in paths):
                for other in ((*start, *current[len(here) :]) for start in group):
                    if other not in found:
                        found[other] = None
                        waiting.append(other)
    return [(piece, place) for place in found]
