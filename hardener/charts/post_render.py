"""What a deployer patches of what helm has rendered: read as it stands, and written where no value reaches.

A patch is a strategic merge patch of an object of built-in kind, by name, as kustomize takes it. Helm 3 and Flux hand
hooks to no post-renderer (helm.sh/docs/topics/advanced, "Post Rendering").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from hardener.charts.kustomize_program import Kustomize
from hardener.charts.rendered import Document, Key, differences, parts
from hardener.charts.run_steps import Step, Wanted
from hardener.errors import HardenError
from hardener.kubernetes.kustomize.operations import is_operations, operate
from hardener.kubernetes.kustomize.patch import PatchError, merge, patch_between
from hardener.kubernetes.kustomize.target import DEFAULT, Identity, is_named, is_selected
from hardener.sources import yaml
from hardener.sources.yaml import TextError, parse

HOOK = "helm.sh/hook"
Data = dict[str, Any]


class UnreadPatchError(HardenError):
    """A patch that a deployer applies, and of which harden does not know what comes of it."""


class Applied(Struct, frozen=True):
    """A patch as it stands: for the objects of ``target``, or those that ``document`` names."""

    target: Mapping[str, Any] | None
    document: Any

    def __call__(self, data: Data) -> Data:
        """What it makes of ``data``. Raises PatchError."""
        item = _identity(data)
        named = is_named(self.document, item) if self.target is None else is_selected(self.target, item)
        if not named:
            return data
        return operate(data, self.document) if is_operations(self.document) else merge(data, self.document) or {}


def read(entries: Sequence[Any]) -> list[Applied]:
    """The patches of ``entries``, as ``patches`` of a kustomization has them. Raises UnreadPatchError."""
    found = []
    for entry in entries:
        text = entry.get("patch") if isinstance(entry, dict) else None
        target = entry.get("target") if isinstance(entry, dict) else None
        if not isinstance(text, str) or not isinstance(target, dict | None):
            raise UnreadPatchError("a patch is elsewhere")
        try:
            documents = parse(text).documents
        except TextError as error:
            raise UnreadPatchError(f"a patch cannot be read: {error.reason}") from None
        found += [Applied(target, document) for document in documents if isinstance(document, dict | list)]
    return found


def patched(text: str, patches: Sequence[Applied]) -> str:
    """What helm has printed as ``text``, with ``patches`` made; what none of them is for stays as it is. Raises
    UnreadPatchError where one cannot be made."""
    if not patches:
        return text
    found = []
    for source, part in parts(text):
        try:
            documents = [_with(data, patches) for data in parse(part).documents]
            changed = any(new is not old for new, old in zip(documents, parse(part).documents, strict=True))
            made = "---\n".join(yaml.dump(data) for data in documents) if changed else part
        except TextError:
            made = part
        except PatchError as error:
            raise UnreadPatchError(f"a patch cannot be made: {error}") from None
        found.append(f"---\n# Source: {source}\n{made}")
    return "".join(found)


def _with(data: Any, patches: Sequence[Applied]) -> Any:
    if isinstance(data, dict) and HOOK not in _annotations(data):
        for patch in patches:
            data = patch(data)
    return data


def is_hook(data: Any) -> bool:
    """Whether the object ``data`` is a hook of helm."""
    return isinstance(data, dict) and HOOK in _annotations(data)


def takes(step: Step, wanted: Wanted) -> bool:
    """Whether a post-renderer gets all objects that ``step`` changes, and no new one is to be made."""
    return bool(step.edits) and not step.creates and not any(is_hook(wanted.place(edit)[1]) for edit in step.edits)


def patches_for(
    wanted: Wanted, done: Sequence[Step], left: Sequence[Step], came: Mapping[Key, Document]
) -> dict[Key, Data] | None:
    """The patches that make the steps ``left`` where those that are ``done`` are made already, by the objects that
    ``came``; None where patches cannot make them all."""
    try:
        before, after = wanted.after(done), wanted.after([*done, *left])
    except HardenError:
        return None
    found = {}
    for key in dict.fromkeys(wanted.place(edit)[0] for step in left for edit in step.edits):
        document = came.get(key)
        old = before.get(key, wanted.data(key))
        if document is None or not isinstance(old, dict) or not _is_steady(key, old):
            return None
        patch = patch_between(old, after[key])
        if patch is None or not _makes(patch, old, after[key]) or not _fits(patch, document.data):
            return None
        found[key] = patch
    return found


def made_otherwise(patches: Mapping[Key, Data], came: Mapping[Key, Document], kustomize: Kustomize) -> set[Key]:
    """The objects of ``patches`` of which ``kustomize`` makes something else than is meant."""
    return {
        key for key, patch in patches.items()
        if not kustomize.makes(merge(came[key].data, patch) or {}, came[key].data, entry_of(patch))
    }  # fmt: skip


def _is_steady(key: Key, data: Data) -> bool:
    metadata = data.get("metadata")
    return isinstance(metadata, dict) and metadata.get("name") == key.name


def _makes(patch: Data, old: Data, new: Data) -> bool:
    try:
        return next(differences(merge(old, patch), new), None) is None
    except PatchError:
        return False


def _fits(patch: Data, data: Data) -> bool:
    """Whether the patch can be made to what helm has rendered, which may have more."""
    try:
        return merge(data, patch) is not None
    except PatchError:
        return False


def entry_of(patch: Data) -> dict[str, Any]:
    """The entry of ``patches`` that holds ``patch``."""
    group, _, _ = str(patch["apiVersion"]).rpartition("/")
    target = {"group": group, "kind": patch["kind"], "name": patch["metadata"]["name"]}
    return {"target": {key: value for key, value in target.items() if value}, "patch": yaml.dump(patch)}


def _identity(data: Data) -> Identity:
    metadata = data.get("metadata")
    own = metadata if isinstance(metadata, dict) else {}
    group, _, version = str(data.get("apiVersion") or "").rpartition("/")
    names, namespaces = frozenset({str(own.get("name"))}), frozenset({str(own.get("namespace") or DEFAULT)})
    labels, annotations = own.get("labels") or {}, _annotations(data)
    return Identity(group, version, str(data.get("kind")), names, namespaces, labels, annotations)


def _annotations(data: Data) -> dict[str, Any]:
    metadata = data.get("metadata")
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}
