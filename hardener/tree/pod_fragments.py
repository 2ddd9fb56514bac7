"""Parts of objects that a program makes and puts in their place elsewhere: a pod template, a pod spec, a container.

They are hardened as far as they go. Little is concluded from them about the rest of the tree, since the object that
each becomes a part of, its labels and its namespace are not known: that there may be pods in any namespace, and that
what they name is called from there. So are the pods that operators make of what stands in custom resources, and of
objects within others: labels, namespace and account of these are for the operator to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hardener.kubernetes.pods.custom_resource import is_custom
from hardener.kubernetes.pods.operator_templates import (
    HELD_KINDS,
    TEMPLATE_KINDS,
    TEMPLATES,
    OperatorTemplate,
    containers,
    held_objects,
    operator_pods,
    places,
)
from hardener.kubernetes.pods.pod_template import FRAGMENT, PARTIAL_KINDS, POD_KINDS, partial_specs, templates
from hardener.support.data_path import Path, joined, value_at
from hardener.tree.core_views import Container, Object, PodTemplate

if TYPE_CHECKING:
    from hardener.tree.tree import Tree


_IN_TABLES = POD_KINDS | PARTIAL_KINDS | HELD_KINDS


class Fragment(Object):
    """A part of an object, as a document of a group of our own; its kind is the type of the part."""

    __slots__ = ()

    @cached_property
    def name(self) -> str:
        """That of the container where it is one; of a template the one in its metadata."""
        containers = self.data.get("spec", {}).get("containers") if self.kind == "Container" else None
        if isinstance(containers, list) and containers and isinstance(containers[0], dict):
            return str(containers[0].get("name") or "")
        return str(self._metadata("name") or "")

    @property
    def pods(self) -> Iterator[PodTemplate]:
        """The pod, or the part of one, that it is; nothing where its spec is not written."""
        paths: list[tuple[Path, bool]] = [(path, False) for path in templates(self.data)]
        for path, partial in paths or [(path[:-1], True) for path in partial_specs(self.data)]:
            spec = self.view(*path, "spec")
            yield PodTemplate(self, spec.path[:-1], spec.data, partial=partial)


def written_containers(pod: PodTemplate) -> Iterator[Container]:
    """The containers of ``pod`` that are written, where others are expressions."""
    for key in ("initContainers", "containers"):
        found = pod.data.get(key)
        for index, data in enumerate(found if isinstance(found, list) else ()):
            if isinstance(data, dict):
                container = Container(pod.object, (*pod.path, key, index), data)
                container.pod = pod
                yield container


def of(tree: Tree) -> list[Fragment]:
    """The fragments of the programs of the tree."""
    return [
        Fragment(tree, piece, (number,), document)
        for file in tree.files
        if file.source.is_program
        for piece in file.pieces
        for number, document in enumerate(piece.data)
        if is_fragment(document)
    ]


def is_fragment(document: Any) -> bool:
    """Whether a document is one."""
    return isinstance(document, dict) and str(document.get("apiVersion")).startswith(f"{FRAGMENT}/")


class HeldObject(Object):
    """An object within another one."""

    __slots__ = ()

    @property
    def is_held(self) -> bool:
        return True


def of_operators(objects: Iterable[Object], defined: Callable[[Object], OperatorTemplate | None]) -> list[PodTemplate]:
    """The pods that custom resources among ``objects`` hold, and those of the objects that stand within others.
    ``defined`` tells where an object of another kind holds pods, by the definition of that."""
    found: list[PodTemplate] = []
    known: dict[tuple[str, str], OperatorTemplate | None] = {}
    for item in objects:
        if item.kind in TEMPLATE_KINDS:
            found += _operated(item)
        if _may_be_defined(item):
            kind = item.api_version, item.kind
            if kind not in known:
                known[kind] = defined(item)
            found += _defined(item, known[kind])
        if item.kind in HELD_KINDS:
            for held in _held(item):
                found += _held_pods(held)
    return found


def _held(item: Object) -> Iterator[Object]:
    for path, document in held_objects((item.group, item.kind), item.data):
        yield HeldObject(item.tree, item.piece, joined(item.path, path), document)


def _held_pods(item: Object) -> Iterator[PodTemplate]:
    for path in templates(item.data):
        yield PodTemplate(item, joined(item.path, path), value_at(item.data, joined(path, ("spec",))) or {})
    for path in partial_specs(item.data):
        above = joined(item.path, path[:-1])
        yield PodTemplate(item, above, value_at(item.data, path) or {}, key=str(path[-1]), partial=True)
    yield from _operated(item)


def _may_be_defined(item: Object) -> bool:
    """Whether a kind that no table has may hold containers."""
    if item.kind in _IN_TABLES or (item.group, item.kind) in TEMPLATES or not item.piece.file.holds("containers"):
        return False
    return is_custom(item.data)


def _defined(item: Object, row: OperatorTemplate | None) -> Iterator[PodTemplate]:
    """The pods in an object by its definition; where it leaves images out, they are laid over others."""
    for path, found in places(item.data, row) if row is not None else ():
        data = value_at(item.data, path)
        images = [bool(value_at(data, (*each, "image"))) for each in containers(data, found)]
        pod = PodTemplate(item, joined(item.path, path[:-1]), data, key=path[-1], partial=True)
        pod.operator = found if all(images) else found._replace(is_merged=True)
        yield pod


def _operated(item: Object) -> Iterator[PodTemplate]:
    for path, row in operator_pods((item.group, item.kind), item.data):
        data = value_at(item.data, path)
        pod = PodTemplate(item, joined(item.path, path[:-1]), data, key=path[-1], partial=True)
        pod.operator = row
        yield pod
