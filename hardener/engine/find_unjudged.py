"""What brings an object to a cluster past the manifests of a tree: repositories and modules of others, commands of
scripts, objects that have a controller make or change others. Only a gate asks (``--no-waivers``): it has to end with 2
for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hardener.authoring.edits import OpaqueError, Severity, WrongShapeError
from hardener.engine.outcome import Report
from hardener.facts.objects.hidden_pods import is_operated, shown_folders
from hardener.kubernetes.kustomize.kustomization import NAMES
from hardener.kubernetes.pods.applied_elsewhere import is_named, is_source, makes, sources
from hardener.kubernetes.pods.custom_resource import is_custom, sign
from hardener.kubernetes.pods.held_objects import held
from hardener.kubernetes.pods.kubectl_objects import commands_among, from_addresses, image_commands, unseen
from hardener.kubernetes.pods.kubectl_pods import pipeline_commands
from hardener.kubernetes.pods.operator_pods import RENDERED_ELSEWHERE
from hardener.kubernetes.pods.operator_templates import MERGED, TEMPLATES, containers, operator_pods
from hardener.sources.files import command_files, is_inside
from hardener.sources.git import remotes
from hardener.sources.registry import MANIFESTS
from hardener.support.data_path import Path, dotted, existing, value_at
from hardener.support.shapes import plain_copy
from hardener.support.shell_words import command
from hardener.tree.blocks import Block
from hardener.tree.core_views import Container, Object
from hardener.tree.script_views import Script
from hardener.tree.tree import Tree

_FLUX = ("kustomize.toolkit.fluxcd.io", "Kustomization")
_GIT = ("source.toolkit.fluxcd.io", "GitRepository")
# Resources of providers that apply manifests, folders or charts.
_APPLYING = ("argocd_", "carvel_", "flux_", "k8s_", "k8sraw_", "kapp_", "kustomization_", "kustomize_", "rancher2_app")
_RENDERED = "check what it comes to: render it, and harden check the result"
_FIELDS = "check what its controller makes of it: kubectl get ... -o yaml > FILE; harden check FILE"
_MODULE = "check the module by itself, or what terraform plan makes of it"
_COMMANDS = "write what it makes into a manifest below the given paths, and apply that by its name"


def reports(tree: Tree) -> Iterator[Report]:
    """One finding for each such object, block or command of the files that may be edited."""
    known = {pod.object for pod in tree.pod_templates}
    for item in tree.objects:
        if item.editable and not item.piece.is_new and "patch" not in item.classes:
            yield from _of_object(item, item in known)
    yield from _held(tree)
    yield from _of_containers(tree)
    for block in tree.blocks.blocks if tree.block_files else ():
        if block.editable:
            yield from _of_block(block)
    for script in tree.of(*_script_kind()):
        if script.editable:
            yield from _of_script(Script(script, script.path, script.data))


def _held(tree: Tree) -> Iterator[Report]:
    """The documents that are no objects, and have a program make some."""
    for file in tree.files:
        is_known = os.path.basename(file.path) in NAMES or file.path in tree.patch_files
        if is_known or not file.editable or not file.source.is_manifest:
            continue
        for piece in file.pieces:
            for index, document in enumerate(piece.data):
                if (found := held(document)) is not None:
                    path, what = found
                    item = Object(tree, piece, (index,), {})
                    text = f"not looked at: {what} in a document that is no object of Kubernetes"
                    yield _report("renders-elsewhere", item, path, text, _RENDERED)


def _script_kind() -> tuple[str, str]:
    (kind,) = Script.KINDS
    return kind


def _of_object(item: Object, is_known: bool) -> Iterator[Report]:
    kind = item.group, item.kind
    if not is_named(item.kind, item.api_version):
        text = f"not looked at: its kind is {item.kind} of {item.api_version}, which is filled in later"
        yield _report("unknown-kind", item, ("kind",), text, "write both, or check what it is rendered to")
        return
    for path, what in makes(kind, item.data):
        yield _report("renders-elsewhere", item, path, f"not looked at: {item} {what}", _FIELDS)
    if is_source(kind) and not _is_own(item):
        text = f"not looked at: {item} is a source of objects that are applied from elsewhere"
        yield _report("renders-elsewhere", item, ("spec",), text, _RENDERED)
    elif kind in RENDERED_ELSEWHERE:
        yield from _of_deployer(item)
    elif kind in TEMPLATES and kind not in MERGED:
        yield from _of_custom(item, _without_containers(item))
    elif not is_known and not is_operated(item) and is_custom(item.data) and not list(makes(kind, item.data)):
        yield from _of_custom(item, item.data)


def _of_custom(item: Object, data: dict[str, Any]) -> Iterator[Report]:
    """What ``data``, the part of a custom resource that nobody judged, names for its controller."""
    own = {key: value for key, value in data.items() if key != "items"}  # each of these is an object
    if (found := sign(own)) is not None:
        path, what = found
        text = f"not looked at: {item.kind} of {item.group} names {what} at {dotted(path)}"
        yield _report("operator-resource", item, path, text, _FIELDS)


def _without_containers(item: Object) -> dict[str, Any]:
    """A custom resource without the containers that transforms visit."""
    data: dict[str, Any] = plain_copy(item.data)
    for path, row in operator_pods((item.group, item.kind), item.data):
        pod = existing(data, path)
        for place in list(containers(pod, row)):
            if place:
                existing(pod, place[:-1])[place[-1]] = {}
            else:
                pod.clear()  # it is the container itself
    return data


def _of_containers(tree: Tree) -> Iterator[Report]:
    """The containers whose command applies a manifest that lies at an address."""
    for pod in (*tree.pod_templates, *tree.operator_pods):
        with suppress(OpaqueError, WrongShapeError):
            for container in pod.containers if pod.object.editable else ():
                for why in dict.fromkeys(from_addresses(_words(container))):
                    text = f"not looked at: {why}, as container {container.name} of {pod.object} runs it"
                    path = container.path[len(pod.object.path) :]
                    yield _report("script-objects", pod.object, path, text, _COMMANDS)


def _words(container: Container) -> list[str]:
    """What a container runs, where it names a client."""
    lists = [found for key in ("command", "args") if isinstance(found := container.data.get(key), list)]
    words = [word for found in lists for word in found if isinstance(word, str)]
    return words if any("kubectl" in word for word in words) else []


# What Flux and Argo CD apply from folders of a repository.


def _of_deployer(item: Object) -> Iterator[Report]:
    """What a deployer of folders that the tree shows adds to them, and whether these folders are the ones."""
    folders = shown_folders(item)
    if not folders:
        return  # said already
    if (where := _of_another(item)) is not None:
        text = f"not looked at: {item} applies folders of {where}, which is not known to be this repository"
        yield _report("renders-elsewhere", item, ("spec",), text, "check that repository, too")
    for folder in folders:
        place = os.path.realpath(os.path.join(item.tree.root, folder.lstrip("/")))
        if not any(is_inside(place, given) for given in item.tree.given):
            text = f"not looked at: {item} applies {folder}, which is not below the given paths"
            yield _report(
                "renders-elsewhere", item, ("spec",), text, command("harden check {folder}, too", folder=folder)
            )


def _is_own(item: Object) -> bool:
    """Whether a source of Flux is the repository of the tree."""
    address = value_at(item.data, ("spec", "url"))
    return (item.group, item.kind) == _GIT and remotes.spelled_out(str(address)) in remotes.addresses(item.tree.root)


def _of_another(item: Object) -> str | None:
    """The repository whose folders ``item`` applies, where no remote of the work tree is that; None where one is."""
    own = remotes.addresses(item.tree.root)
    addresses = _addresses(item)
    return next((each for each in addresses if remotes.spelled_out(each) not in own), None)


def _addresses(item: Object) -> list[str]:
    if (item.group, item.kind) != _FLUX:
        return [str(source.get("repoURL")) for _, source in sources(item.data)]
    reference = value_at(item.data, ("spec", "sourceRef")) or {}
    name, namespace = reference.get("name"), reference.get("namespace") or item.namespace
    found = [each for each in item.tree.of(*_GIT) if each.name == name and each.namespace == namespace]
    addresses = [str(value_at(each.data, ("spec", "url"))) for each in found]
    return addresses or [f"GitRepository {name}, which is not in the tree"]


# Terraform.


def _of_block(block: Block) -> Iterator[Report]:
    if block.kind == "helm_release":
        text = f"not looked at: {block} renders a chart that this tree does not show"
        yield _report("renders-elsewhere", block, (), text, _RENDERED)
    elif block.kind == "module":
        if (why := _unread_module(block)) is not None:
            yield _report("renders-elsewhere", block, ("source",), f"not looked at: {block} is {why}", _MODULE)
    elif block.kind.startswith("kubernetes_"):
        text = f"not looked at: {block} is of a type that is not read, and changes objects of a cluster"
        yield _report("terraform-manifest", block, (), text, _RENDERED)
    elif block.kind.startswith(_APPLYING):
        yield _report(
            "renders-elsewhere", block, (), f"not looked at: {block} applies what nothing here shows", _RENDERED
        )
    for why in dict.fromkeys(said for text in block.texts() for said in unseen(text, lambda name: False)):
        yield _report("script-objects", block, (), f"not looked at: {why}, in {block}", _COMMANDS)


def _unread_module(block: Block) -> str | None:
    """Why nobody reads the files of a module; None where they are judged."""
    source = block.literal("source")
    if not isinstance(source, str) or not source.startswith((".", "/")):
        return f"a module from elsewhere: {source}"
    place = os.path.realpath(os.path.join(block.folder, source))
    if not os.path.isdir(place):
        return f"a module that is not there: {source}"
    if not any(is_inside(place, given) for given in block.tree.given):
        return f"a module that is not below the given paths: {source}"
    return None


# Scripts.


def _of_script(script: Script) -> Iterator[Report]:
    for index, words in _commands(script):
        for why in unseen(words, lambda name: _is_judged(script, name)):
            line = script.object.piece.line + index + 1
            text = f"not looked at: {why}"
            yield _report("script-objects", script.object, ("lines", index), text, _COMMANDS, line=line)


def _commands(script: Script) -> Iterator[tuple[int, str]]:
    """The commands of a file, each with the index of its line."""
    name = script.object.piece.file.name
    if command_files.is_of_image(name):
        return image_commands(script.lines)
    if os.path.basename(name) == command_files.PACKAGE:
        return commands_among(script.lines)
    if name.endswith(MANIFESTS.endings):
        return pipeline_commands(script.lines)
    if name.endswith(".sh"):
        return script.commands()
    return commands_among(script.lines)


def _is_judged(script: Script, name: str) -> bool:
    """Whether the file or folder ``name``, as a command calls it, was read for its objects."""
    tree = script.tree
    for start in (tree.root, script.object.folder, os.getcwd()):
        place = os.path.realpath(os.path.join(start, name))
        if os.path.isdir(place):
            return any(is_inside(place, given) for given in tree.given)
        file = tree.file_at(place)
        if file is not None:
            return file.editable
    return False


def _report(id: str, item: Object, path: Path, message: str, advice: str, line: int = 0) -> Report:
    file = item.piece.file.name
    place = (*item.path, *path)
    return Report(
        id, None, Severity.LOW, message, advice, file, item, item.piece, place, line, not_looked_at=True
    )  # fmt: skip
