"""What the transforms of a run visit: the views of the files that may be edited, by what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Set
from types import UnionType
from typing import Any, get_args

from hardener.authoring.edits import WrongShapeError
from hardener.authoring.transform import Visit, name_of
from hardener.facts.images.image_overrides import ImageSources
from hardener.facts.objects.namespace_contents import targets as namespace_targets
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path
from hardener.tree.core_views import Container, KustomizedImage, Namespace, OpaqueError, PodTemplate
from hardener.tree.pod_fragments import written_containers
from hardener.tree.tree import Tree


class Targets:
    """The targets of a run over a tree. What a view has when it is asked for first, it has for the rest of the run."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        pods = [pod for pod in tree.pods_and_parts if pod.object.editable]
        containers: list[Container] = []
        for pod in pods:
            try:
                containers += pod.containers
            except (OpaqueError, WrongShapeError):  # the first transform that visits the pod says so
                if pod.object.piece.source.is_code:
                    containers += written_containers(pod)
        found: dict[type, list[Any]] = {
            PodTemplate: pods,
            Container: containers,
            Namespace: [space for space in namespace_targets(tree) if space.object.editable],
            KustomizedImage: [entry for entry in tree.ask(ImageSources).entries if entry.object.editable],
        }
        self._places: dict[type | UnionType, dict[tuple[Piece, Path], Any]] = {}
        self._names: dict[type | UnionType, Set[str]] = {}
        self._known = {name_of(kind): items for kind, items in found.items()}

    def of(self, each: type | UnionType) -> list[Any]:
        """The targets of a transform that visits ``each``, those of files that may be edited only."""
        return [target for kind in get_args(each) or (each,) for target in self._of(kind)]

    def names(self, each: type | UnionType) -> Set[str]:
        """What the targets of a transform that visits ``each`` are called. A namespace that objects only name is none
        of them."""
        found = self._names.get(each)
        if found is None:
            targets = self.of(each)
            kinds = set(map(type, targets))
            if Namespace in kinds and not any(type(space) is Namespace and space.declared for space in targets):
                kinds.discard(Namespace)
            found = self._names[each] = {kind.__name__ for kind in kinds}
        return found

    def around(self, each: type | UnionType, piece: Piece, path: Path) -> Any:
        """The innermost target of a transform that visits ``each`` around a place; None without one."""
        if each not in self._places:
            self._places[each] = {(item.object.piece, item.path): item for item in reversed(self.of(each))}
        starts = ((piece, path[:length]) for length in range(len(path), 0, -1))
        return next((self._places[each][start] for start in starts if start in self._places[each]), None)

    def may_be(self, visits: Iterable[Visit]) -> bool:
        """Whether there may be a target of ``visits``, as far as that is known without the classes of the views."""
        return any([self._may_be(visit) for visit in visits])

    def _may_be(self, visit: Visit) -> bool:
        if visit.view in self._known:
            return bool(self._known[visit.view])
        if visit.needs is not None and not getattr(self.tree, visit.needs):
            self._known[visit.view] = []
        elif visit.kinds and visit.kinds.isdisjoint(self.tree.kinds):
            self._known[visit.view] = []
        return visit.view not in self._known

    def _of(self, kind: type) -> list[Any]:
        name = name_of(kind)
        if name not in self._known:
            self._known[name] = self._collect(kind)
        return self._known[name]

    def _collect(self, kind: Any) -> list[Any]:
        if hasattr(kind, "TYPES"):
            return list(self.tree.blocks.targets(kind))
        if hasattr(kind, "of_tree"):
            return list(kind.of_tree(self.tree))
        wanted = kind.KINDS & self.tree.kinds
        # Those of several kinds stand in the order of the tree.
        found = self.tree.objects if len(wanted) > 1 else [o for names in wanted for o in self.tree.of(*names)]
        return [kind(o, o.path, o.data) for o in found if (o.group, o.kind) in wanted and o.editable]
