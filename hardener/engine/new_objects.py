"""New objects: the file each goes to, and its line in the kustomizations that list its siblings."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hardener.authoring.edits import Append, Basis, Create, HostFile, copied
from hardener.engine.document import document
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.namespace_contents import NamespaceFiles
from hardener.kubernetes.objects.scope import is_cluster_scoped
from hardener.sources.manifests import ManifestFile, Piece
from hardener.tree import host_files
from hardener.tree.blocks import Block
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree


def draft(tree: Tree, edit: Create) -> Object:
    """The object that ``edit`` makes, in a piece of the file that it goes to; the tree does not know it yet."""
    if not isinstance(edit, HostFile) and (piece := edit.piece.source.draft(edit.piece, edit.value)) is not None:
        return _beside(tree, piece)
    path = _path(tree, edit)
    file = tree.file_at(path)
    if file is None and isinstance(edit, HostFile):
        file = tree.draft_file(path, None, edit.text)
    elif file is None:
        file = tree.draft_file(path, edit.piece.file.path)
    text = file.content.text
    end = len(text)
    lines = text.count("\n") + bool(text and not text.endswith("\n"))
    piece = Piece(file, end, end, lines, [edit.value], is_new=True)
    if isinstance(edit, HostFile):
        document(piece).raw = edit.text
    return Object(tree, piece, (0,), edit.value)


def _beside(tree: Tree, piece: Piece) -> Object:
    """The object, or the block, that the new ``piece`` makes."""
    if piece.source.holds_objects:
        return Object(tree, piece, (0,), piece.data[0])
    return Block(tree, piece, piece.data[0])


def _path(tree: Tree, edit: Create) -> str:
    """The real path of the file that ``edit`` makes, or adds to."""
    if isinstance(edit, HostFile):
        return host_files.path_of(tree, edit.topic or "")
    own, topic = edit.piece.file, edit.topic
    if topic is None:
        if not own.content.text.lstrip().startswith("{"):
            return own.path
        topic = edit.value["kind"].lower()  # JSON holds one document
    folder, name = os.path.dirname(own.path), f"harden-{topic}.yaml"
    # Where the folder is applied as it stands, files come in the order of their names. An underscore sorts behind the
    # dot of the ending, so that new objects come right behind their Namespace, and before the pods that need them.
    group = edit.value["apiVersion"].rpartition("/")[0]
    if not is_cluster_scoped(group, edit.value["kind"]) and not tree.ask(Builds).listing(own.path):
        last = tree.ask(NamespaceFiles).get(folder, "")
        if last > name:
            name = f"{os.path.splitext(last)[0]}_{name}"
    return os.path.join(folder, name)


def add(tree: Tree, item: Object) -> None:
    """Make a drafted object part of the tree, so that what follows in the run sees it."""
    file, own = item.piece.file, document(item.piece)
    before = file.pieces[-1] if file.pieces else None
    tree.add(item)
    if file.pieces[-1] is item.piece:
        own.separator = "" if own.raw else item.piece.source.separator(before)
    else:
        _separate(file)


def part(piece: Piece) -> None:
    """Give the new ``piece`` data of its own, before it is changed for the first time: what several new objects say
    alike is one object."""
    for data in piece.data:
        data.update(copied(data))


def remove(tree: Tree, items: set[Object]) -> None:
    """Take objects that were added out of the tree again, and a new file when nothing else is in it."""
    tree.remove(items)
    for file in {item.piece.file.path: item.piece.file for item in items}.values():
        _separate(file)


def _separate(file: ManifestFile) -> None:
    before = None
    for piece in file.pieces:
        if piece.is_new:
            document(piece).separator = piece.source.separator(before)
        before = piece


def listings(tree: Tree, edit: Create, item: Object) -> Iterator[tuple[Object, Append]]:
    """The edits that list the new file in each kustomization that lists the file of the object's sibling.

    Files for hosts are listed nowhere.

    A kustomization that lists it already, or is not to be edited, gets none.
    """
    for kustomization, name in _wanted(tree, edit, item.piece.file.path):
        if kustomization.piece.file.editable:
            sibling = os.path.relpath(edit.piece.file.path, os.path.dirname(kustomization.piece.file.path))
            why = kustomization.fact(f"it lists {sibling}, and {name} belongs beside it", "resources")
            yield kustomization, Append(
                piece=kustomization.piece, path=(*kustomization.path, "resources"), value=name, grade=edit.grade,
                basis=Basis.PROVED, evidence=(why,),
            )  # fmt: skip


def unlisted(tree: Tree, edit: Create, item: Object) -> Iterator[tuple[Object, str]]:
    """The kustomizations that should list the new file and are not to be edited, with the line that they lack."""
    for kustomization, name in _wanted(tree, edit, item.piece.file.path):
        if not kustomization.piece.file.editable:
            yield kustomization, name


def _wanted(tree: Tree, edit: Create, path: str) -> Iterator[tuple[Object, str]]:
    """The kustomizations that list the sibling and not ``path``, with the line for it."""
    if isinstance(edit, HostFile):
        return
    builds = tree.ask(Builds)
    around = builds.listing(edit.piece.file.path)
    if not around:
        return
    have = {id(kustomization) for kustomization in builds.listing(path)}
    for kustomization in around:
        name = os.path.relpath(path, os.path.dirname(kustomization.piece.file.path))
        entries = kustomization.data.get("resources")
        count = builds.entries_read(kustomization)
        if id(kustomization) not in have and not (isinstance(entries, list) and name in entries[count:]):
            yield kustomization, name
