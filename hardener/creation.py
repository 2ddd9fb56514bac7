"""New objects: the file each goes to, and its line in the kustomization that lists its siblings (DECISIONS 2.17)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hardener.edits import Append, Create
from hardener.sources.files import Content
from hardener.sources.manifests import ManifestFile, Piece
from hardener.views import Object

if TYPE_CHECKING:
    from hardener.workspace import Workspace


def draft(workspace: Workspace, edit: Create) -> Object:
    """The object that ``edit`` makes, in a piece of the file that it goes to; the workspace does not know it yet."""
    path = os.path.join(os.path.dirname(edit.piece.file.path), f"harden-{edit.topic}.yaml")
    file = next((file for file in workspace.files if file.path == path), None)
    if file is None:
        file = ManifestFile(path, os.path.relpath(path), Content("", False, -1, 0), True)
    text = file.content.text
    end = len(text)
    before = "" if not text and not file.pieces else "---\n" if not text or text.endswith("\n") else "\n---\n"
    lines = text.count("\n") + bool(text and not text.endswith("\n"))
    piece = Piece(file, end, end, lines, [edit.value], created=before)
    return Object(workspace, piece, (0,), edit.value)


def add(workspace: Workspace, item: Object) -> None:
    """Make a drafted object part of the workspace, so that what follows in the run sees it."""
    file = item.piece.file
    if file not in workspace.files:
        workspace.files.append(file)
    file.pieces.append(item.piece)
    workspace.objects.append(item)


def listing(workspace: Workspace, edit: Create, item: Object) -> tuple[Object, Append] | None:
    """The edit that lists the new file in the kustomization beside it; None where that is not asked for.

    Only a kustomization that lists the file of the object's sibling gets a line, and only once.
    """
    folder = os.path.dirname(edit.piece.file.path)
    kustomization = workspace.kustomizations.get(folder)
    if kustomization is None or not kustomization.piece.file.editable:
        return None
    listed = kustomization.strings("resources")
    name = os.path.basename(item.piece.file.path)
    if os.path.basename(edit.piece.file.path) not in {os.path.normpath(entry) for entry in listed} or name in listed:
        return None
    append = Append(
        piece=kustomization.piece, path=(*kustomization.path, "resources"), value=name, grade=edit.grade,
        basis=edit.basis, evidence=edit.evidence,
    )  # fmt: skip
    return kustomization, append


def remove(workspace: Workspace, item: Object) -> None:
    """Take an object that was added out of the workspace again, and its file when nothing else is in it."""
    file = item.piece.file
    file.pieces.remove(item.piece)
    workspace.objects.remove(item)
    if file.is_new and not file.pieces:
        workspace.files.remove(file)
