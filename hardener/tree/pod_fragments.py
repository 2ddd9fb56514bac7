"""Parts of objects that a program makes and puts in their place elsewhere: a pod template, a pod spec, a container.

They are hardened as far as they go. Little is concluded from them about the rest of the tree, since the object that
each becomes a part of, its labels and its namespace are not known: that there may be pods in any namespace, and that
what they name is called from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hardener.kubernetes.pods.pod_template import FRAGMENT, partial_specs, templates
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, Object, PodTemplate

if TYPE_CHECKING:
    from hardener.tree.tree import Tree


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
