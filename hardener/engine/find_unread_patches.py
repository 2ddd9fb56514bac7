"""What kustomizations name and nobody can weigh: patches that kustomize refuses or that are for no pod of the tree, and
resources that are not there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.overlays import MOST_PATCHES, Overlays
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.kustomize.fields import not_built
from hardener.kubernetes.rbac.bootstrap import bootstrap_role
from hardener.kubernetes.rbac.subjects import GROUP as RBAC
from hardener.sources.files import is_inside
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.support.shell_words import command
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree
from hardener.tree.view import literal

_REFUSED = "correct it: kustomize build fails on it, too, and harden does not check what it sets"
_OUTSIDE = "name a folder that holds both as evidence: --evidence DIR"
_ABSENT = "correct its name or remove the entry; if it is made before the build, check the rendered manifests"
_RENAMED = "give it another name: what binds it is bound to the role of the cluster"
UNUSED = (
    "harden does not check it, since no build of the tree applies it to a pod or Service: harden the object that it"
    " patches, and check the rendered manifests"
)


def reports(tree: Tree, weighed: Set[tuple[Piece, Path]]) -> Iterator[Report]:
    """One finding for each place in the kustomizations that may be edited; ``weighed`` are those where patches stand
    that were judged by what they build."""
    overlays = tree.ask(Overlays)
    kustomizations = [found for found in tree.kustomizations.values() if found.editable]
    for item in kustomizations:
        yield from _missing(tree, item)
        for path, reason in not_built(item.data):
            file, where = item.piece.file.name, (*item.path, *path)
            yield _report("patch", "K01", f"harden {reason}", render(file), file, item, item.piece, where)
    yield from _renamed(tree)
    if not overlays.patches_anything:
        return
    for item, piece, path, message in dict.fromkeys(_refused(overlays, kustomizations)):
        yield _report("patch", "K01", message, _REFUSED, piece.file.name, item, piece, path)
    yield from _crowded(overlays)
    yield from _left(overlays, kustomizations, weighed | overlays.weighed)


def _renamed(tree: Tree) -> Iterator[Report]:
    """The roles that kustomizations give the name of one of every cluster: what binds them binds that."""
    if not tree.kustomizations:
        return
    builds = tree.ask(Builds)
    for item in tree.of(RBAC, "ClusterRole"):
        for name in builds.rendered_names(item):
            if item.editable and name != item.name and bootstrap_role("ClusterRole", name) is not None:
                text = f"not looked at: kustomizations call {item} {name}, as a role of every cluster is called"
                file, path = item.piece.file.name, (*item.path, "metadata", "name")
                yield _report("patch", "K02", text, _RENAMED, file, item, item.piece, path)


def _left(overlays: Overlays, kustomizations: list[Object], weighed: Set[tuple[Piece, Path]]) -> Iterator[Report]:
    """The patches of pods that are for no object that is looked at."""
    crowded = {kustomization for kustomization, _ in overlays.crowded.values()}
    for item in kustomizations:
        if item in crowded:
            continue
        for patch in overlays.layer(item).all_patches():
            if patch.is_object or not patch.is_of_pods() or (patch.piece, patch.start) in weighed:
                continue  # one that is an object is reported as that
            sign = "it is part of a kustomization" if patch.inline else "a kustomization lists this file as a patch"
            message, file = f"left as it is (patch): {sign}", patch.piece.file.name
            yield _report("patch", "K01", message, UNUSED, file, item, patch.piece, patch.start)


def _report(
    id: str, risk: str | None, message: str, advice: str, file: str, item: Object, piece: Piece, path: Path
) -> Report:
    """A finding about what may become anything."""
    return Report(id, risk, Severity.LOW, message, advice, file, item, piece, path, not_looked_at=True)


def render(file: str) -> str:
    """The advice to check what the kustomization in ``file`` builds."""
    build = command("kustomize build {folder} > FILE", folder=os.path.dirname(file) or ".")
    return f"check the rendered manifests, too: {build}; harden check FILE"


def _crowded(overlays: Overlays) -> Iterator[Report]:
    for item, (kustomization, count) in overlays.crowded.items():
        if kustomization.editable:
            message = (
                f"{count} patches are for {item}: harden checks no more than {MOST_PATCHES} of one object, so what they"
                " set is not known"
            )
            file = kustomization.piece.file.name
            yield Report(
                "patch", "K01", Severity.MEDIUM, message, render(file), file, kustomization, kustomization.piece,
                (*kustomization.path, "patches"), not_looked_at=True,
            )  # fmt: skip


def _missing(tree: Tree, item: Object) -> Iterator[Report]:
    for path, name in kustomize.entries(item.data):
        if path[0] not in ("resources", "bases", "components") or kustomize.is_remote(name) or literal(name) != name:
            continue
        place = os.path.normpath(os.path.join(os.path.dirname(item.piece.file.path), name.replace("\0", "")))
        where, file = (*item.path, *path), item.piece.file.name
        is_read = tree.file_at(place) is not None  # so it is a real path
        if not is_read and not os.path.lexists(place):
            message = f"{name} does not exist, so harden cannot check what it should hold"
            yield _report("missing-resource", None, message, _ABSENT, file, item, item.piece, where)
        elif not is_inside(place if is_read else os.path.realpath(place), tree.root):
            message = f"{name} lies outside of {os.path.relpath(tree.root)}, and is not read"
            yield _report("outside-resource", None, message, _OUTSIDE, file, item, item.piece, where)


def _refused(overlays: Overlays, kustomizations: list[Object]) -> Iterator[tuple[Object, Piece, Path, str]]:
    for item in kustomizations:
        yield from ((item, item.piece, path, reason) for path, reason in overlays.layer(item).unread)
    for item in overlays.items():
        for _, result in overlays.results(item):
            for patch, reason in result.failed.items():
                if patch.kustomization.editable:
                    text = f"patch {patch} cannot be applied to {item}: {reason}"
                    yield patch.kustomization, patch.piece, patch.start, text
