"""Pods that the tree does not show: what points at them, and in which namespaces they come out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.object_links import Relations
from hardener.facts.objects.owned_pods import OwnedPods
from hardener.kubernetes.pods import operator_pods as rendered
from hardener.kubernetes.pods.custom_resource import image_fields
from hardener.kubernetes.pods.operator_templates import HOLDERS
from hardener.kubernetes.pods.pod_template import POD_KINDS
from hardener.support.late_pattern import late_pattern
from hardener.tree.blocks import is_expression
from hardener.tree.core_views import Object, OpaqueError
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_KIND = late_pattern(r"""^["']?kind["']?[ \t]*:[ \t]*["']?(\w+)""", re.M)
_NAMESPACE = late_pattern(r"""\bnamespace["']?[ \t]*:[ \t]*["']?([a-z0-9-]+)(?![\w{$])""")
_OPEN = "*"  # at the end of a namespace that is filled in later from there on


class HiddenPods(AsRead, dict[str | None, list[Evidence]]):
    """What points at pods that the tree does not show, by their namespace: objects that a controller or an operator
    makes workloads of, owners of pods that are not there, Services without a workload, kustomizations that take in what
    is not there.

    ``of`` looks up what is for one namespace: some is for all whose name begins in a certain way.
    """

    def __init__(self, tree: Tree) -> None:
        with_pods = {pod.object for pod in tree.pod_templates}
        for item in tree.objects:
            if item in with_pods or item.classes:
                continue
            names: Iterable[str | None]
            if (item.group, item.kind) == ("", "Service"):
                names, text = _of_service(item), f"{item} selects no workload of the tree"
            elif (item.group, item.kind) in rendered.RENDERED_ELSEWHERE:
                names, text = _of_deployer(item), f"{item} renders workloads that the tree does not show"
                if folders := shown_folders(item):
                    text = f"{item} puts there what it finds in {', '.join(folders)}"
            elif is_operated(item) or (item.group, item.kind) in HOLDERS:
                names, text = tree.ask(Builds).namespaces(item), f"the operator of {item} makes pods of it"
            else:
                continue
            for name in names:
                self.setdefault(name, []).append(item.fact(text))
        for owned, pods in tree.ask(OwnedPods).items():
            for pod in pods:
                sign = f"{pod.object} is {pod.object.classes['owned']}, which the tree does not show"
                self.setdefault(owned, []).append(pod.object.fact(sign))
        for name, fact in (*tree.ask(Builds).unseen(), *_of_unread(tree), *_of_code(tree), *_of_blocks(tree)):
            self.setdefault(name, []).append(fact)

    def of(self, name: str | None) -> Iterator[Evidence]:
        """What there is for the namespace ``name``."""
        yield from self.get(name, ())
        for length in range(len(name or "") + 1):
            yield from self.get(f"{(name or '')[:length]}{_OPEN}", ())


def is_operated(item: Object) -> bool:
    """Whether an operator makes pods of ``item``: one of a kind that is known for it, or one that names an image."""
    return (item.group, item.kind) in rendered.OPERATED or bool(image_fields(item.sent))


def shown_folders(item: Object) -> list[str]:
    """The folders that ``item`` applies manifests from, as written, where the tree holds all of them; [] for anything
    else. That they are those of this repository is taken for granted: it has the same folders."""
    folders = rendered.source_folders((item.group, item.kind), item.data) or []
    return folders if all(_is_shown(item.tree, folder) for folder in folders) else []


def _is_shown(tree: Tree, folder: str) -> bool:
    if "\0" in folder or "$" in folder or "{" in folder:
        return False
    path = os.path.normpath(os.path.join(tree.root, folder.lstrip("/")))
    return os.path.isdir(path) and not os.path.exists(os.path.join(path, "Chart.yaml"))


def _of_unread(tree: Tree) -> Iterator[tuple[str | None, Evidence]]:
    """Workloads in documents that are left unread (templates, broken ones), by the namespace that their text names,
    else by those that are declared in the same folder."""
    unread = [
        (file, piece)
        for file in tree.files
        for piece in file.pieces
        if piece.problem and POD_KINDS.intersection(_KIND.findall(piece.text))
    ]
    if not unread:
        return
    folders: dict[str, list[str]] = {}
    for item in tree.of("", "Namespace"):
        folders.setdefault(item.folder, []).append(item.name)
    for file, piece in unread:
        names = _NAMESPACE.findall(piece.text) or folders.get(os.path.dirname(file.path), [])
        for name in dict.fromkeys(names):
            yield name, Evidence(f"a workload at {file.name}:{piece.line + 1} could not be read")


def _of_code(tree: Tree) -> Iterator[tuple[str | None, Evidence]]:
    """Pods that code makes in a namespace that only it knows: it may be any."""
    if not any(file.source.is_code or not file.source.holds_objects for file in tree.files):
        return
    builds = tree.ask(Builds)
    for pod in tree.pod_templates:
        if builds.is_placed_by_program(pod.object) and not pod.object.classes:
            metadata = pod.object.data.get("metadata")
            written = metadata.get("namespace") if isinstance(metadata, dict) else None
            begin = written.partition("$")[0] if isinstance(written, str) else ""
            yield (
                begin + _OPEN,
                pod.object.fact(f"{pod.object.piece.source.maker} makes {pod.object}, in a namespace that it chooses"),
            )
    for item in tree.fragments:
        yield _OPEN, item.fact(f"a program makes {item} a part of a pod, in a namespace that it chooses")
    for file in tree.files:
        for said in file.source.hidden(file):
            yield _OPEN, Evidence(said)


def _of_blocks(tree: Tree) -> Iterator[tuple[str | None, Evidence]]:
    """Pods of what blocks install and the tree does not show: charts and modules of others; by the namespace that they
    name."""
    if not tree.block_files:
        return
    for block in tree.blocks.of("helm_release", "module"):
        written = block.text("namespace")
        if block.kind == "module" and (written is None or (block.text("source") or ".").startswith(".")):
            continue  # its own files are read
        if written is None:
            names: list[str | None] = [None, "default"]
        elif not is_expression(written):
            names = [written]
        else:
            value = block.piece.source.value_of(block.piece.file, written)
            names = [str(value[0])] if value is not None else [_OPEN]
        for name in names:
            yield name, block.fact(f"{block} installs workloads that the tree does not show")


def _of_service(item: Object) -> tuple[str | None, ...]:
    try:
        lonely = bool(item.keys("spec", "selector")) and not item.tree.ask(Relations).selected_pods(item)
    except (WrongShapeError, OpaqueError):
        lonely = True
    return item.tree.ask(Builds).namespaces(item) if lonely else ()


def _of_deployer(item: Object) -> Iterator[str | None]:
    kind = item.group, item.kind
    named = rendered.target_namespace(kind, item.data)
    if named is not None:
        begin = re.split(r"[$({<]", named, maxsplit=1)[0]
        yield named if begin == named else begin + _OPEN
    elif rendered.falls_to_its_own(kind) and not shown_folders(item):
        yield from item.tree.ask(Builds).namespaces(item)
