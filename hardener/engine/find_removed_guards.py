"""What the tree no longer has of what its revision had: policies, labels and bounds that kept others from something.

A document that is there is judged as it is; what is gone, only the revision shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Severity
from hardener.engine.outcome import Report
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.pods.pod_template import templates
from hardener.kubernetes.policies.guards import Guard, guards
from hardener.sources import yaml
from hardener.sources.files import is_inside
from hardener.support.shapes import mapping, mappings
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

ID = "removed-guard"
_MOST = 3  # reasons in one message
_ADVICE = "put it back, or see to it that nothing needs it any more"
_Pod = tuple[str | None, dict[str, str]]
"""The namespace of a pod as written, and its labels."""
_Pods = dict[str | None, list[dict[str, str]]]


class Before(Struct):
    """A file as the revision had it: its real path, and its text."""

    path: str
    text: str


def reports(tree: Tree, before: Iterable[Before], differs: Callable[[str], bool]) -> Iterator[Report]:
    """A finding for each object that ``before``, the files of the revision that differ or are gone, had in the given
    paths, and of which something is lost. ``differs`` tells of a real path whether it does now."""
    files = [(each.path, document) for each in before if _is_given(tree, each.path) for document in documents(each)]
    if not files:
        return
    dropped = _dropped(tree, files)
    now = _Now(tree, dropped, differs)
    pods = _by_namespace(pod for _, document in files for pod in _pods(document))
    objects = [*files, *((item.piece.file.path, item.data) for item in dropped)]
    for path, document in objects:
        lost = [guard for guard in guards(document) if not now.has(guard, path)]
        if lost:
            yield _report(path, document, lost, {guard: now.is_needed(guard, pods) for guard in lost})


class _Now:
    """What of ``tree`` is still there, but for what it has ``dropped``."""

    def __init__(self, tree: Tree, dropped: list[Object], differs: Callable[[str], bool]) -> None:
        left = {id(item) for item in dropped}
        self._keys: set[tuple[str | None, str]] = set()
        self._beside: set[tuple[str, str]] = set()  # by folder, of what names no namespace
        read = (item for item in tree.objects if id(item) not in left and item.editable and "patch" not in item.classes)
        objects = [*((item.piece.file.path, item.data) for item in read), *_others(tree)]
        for path, document in objects:
            self._add(document, path, is_new=differs(path))
        self._pods = _by_namespace(
            (space, pod.labels) for pod in tree.pod_templates for space in _spaces(tree, pod.object)
        )

    def _add(self, document: Mapping[str, Any], path: str, *, is_new: bool) -> None:
        for guard in guards(document):
            # What names no namespace comes to any: what is gone had its place beside it, or it is new.
            if guard.namespace is not None or document.get("kind") not in _NAMESPACED or is_new:
                self._keys.update((guard.namespace, key) for key in guard.keys)
            else:
                self._beside.update((os.path.dirname(path), key) for key in guard.keys)

    def has(self, guard: Guard, path: str) -> bool:
        """Whether something does the same as ``guard`` of the file ``path``."""
        keys, folder = [key for key in (*guard.keys, guard.wider) if key is not None], os.path.dirname(path)
        if any((guard.namespace, key) in self._keys for key in keys):
            return True
        return guard.namespace is None and any((folder, key) in self._beside for key in keys)

    def is_needed(self, guard: Guard, before: _Pods) -> bool:
        """Whether what it kept is not gone as well: pods of the tree ``before``, and now no more."""
        return guard.selector is None or not _any(guard, before) or _any(guard, self._pods)


def _others(tree: Tree) -> Iterator[tuple[str, dict[str, Any]]]:
    """The documents that no transform asks for, so that they were not parsed."""
    for file in tree.files:
        for piece in file.pieces if file.editable else ():
            if not piece.parsed and piece.problem is None and "kind" in piece.text:
                yield from ((file.path, document) for document in documents(Before(file.path, piece.text)))


_NAMESPACED = frozenset({"NetworkPolicy", "ResourceQuota", "LimitRange"})


def _by_namespace(pods: Iterable[_Pod]) -> _Pods:
    found: _Pods = {}
    for space, labels in pods:
        found.setdefault(space, []).append(labels)
    return found


def _any(guard: Guard, pods: _Pods) -> bool:
    return any(guard.selector is None or guard.selector.matches(labels) for labels in pods.get(guard.namespace, ()))


def _report(path: str, document: Mapping[str, Any], lost: list[Guard], needed: dict[Guard, bool]) -> Report:
    name, space = mapping(document.get("metadata")).get("name"), lost[0].namespace
    severities = [Severity(guard.severity) if needed[guard] else Severity.LOW for guard in lost]
    texts = list(dict.fromkeys(guard.text for guard in lost))
    more = f", and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    where = f" of namespace {space}" if space is not None else ""
    gone = "" if any(needed.values()) else "; the pods that it was about are gone, too"
    message = f"{document.get('kind')} {name}{where} is removed or weaker: {'; '.join(texts[:_MOST])}{more}{gone}"
    severity = max(severities, key=lambda each: each.rank)
    return Report(ID, lost[0].risk, severity, message, _ADVICE, os.path.relpath(path), line=1)


def _is_given(tree: Tree, path: str) -> bool:
    return any(is_inside(path, given) for given in tree.given)


def documents(file: Before) -> Iterator[dict[str, Any]]:
    """The objects of a file; what cannot be read was not judged then either."""
    for segment in yaml.segments(file.text):
        try:
            found = yaml.documents(segment.text)
        except yaml.TextError:
            continue
        for document in found:
            if isinstance(document, dict):
                yield from _items(document) if isinstance(document.get("items"), list) else (document,)


def _items(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of a list, with the kind and version that those of a `…List` need not name."""
    kind = str(document.get("kind"))
    given = {} if kind in ("List", "None") else {"kind": kind.removesuffix("List")}
    for item in mappings(document["items"]):
        yield {"apiVersion": document.get("apiVersion"), **given, **item}


def _pods(document: dict[str, Any]) -> Iterator[_Pod]:
    space = mapping(document.get("metadata")).get("namespace")
    for path in templates(document):
        template: Any = document
        for part in path:
            template = template[part]
        labels = mapping(mapping(template.get("metadata")).get("labels"))
        yield space, {str(key): str(value) for key, value in labels.items()}


def _spaces(tree: Tree, item: Object) -> set[str | None]:
    return {item.namespace, *tree.ask(Builds).namespaces(item)}


def _dropped(tree: Tree, before: Iterable[tuple[str, dict[str, Any]]]) -> list[Object]:
    """The objects of the tree that a kustomization took in, and none takes in any more."""
    places: set[str] = set()
    for path, document in before:
        now = tree.kustomizations.get(os.path.dirname(path))
        if now is not None and kustomize.is_kustomization(document):
            left = {name for _, name in kustomize.entries(document)} - {name for _, name in kustomize.entries(now.data)}
            places.update(os.path.normpath(os.path.join(os.path.dirname(path), name)) for name in left)
    if not places:
        return []
    builds = tree.ask(Builds)
    return [
        item for item in tree.objects
        if not places.isdisjoint(_above(item.piece.file.path, tree.root)) and not builds.of(item)
    ]  # fmt: skip


def _above(path: str, top: str) -> Iterator[str]:
    """The file ``path``, and the folders that it stands in, below ``top``."""
    while is_inside(path, top) and path != top:
        yield path
        path = os.path.dirname(path)
