"""One thing that a kustomization does to an object: a patch of either kind, or an entry of its ``images``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from hardener.kubernetes.kustomize.image import retagged
from hardener.kubernetes.kustomize.operations import operate, pointer_parts
from hardener.kubernetes.kustomize.patch import identity, merge
from hardener.kubernetes.kustomize.target import Identity, is_named, is_selected
from hardener.kubernetes.pods.pod_template import POD_KINDS
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, value_at
from hardener.tree.core_views import Object

Data = dict[str, Any]
Hits = list[tuple[Any, ...]]


class Patch(Struct, frozen=True, eq=False, kw_only=True):
    """``start`` is where its document, or for one that stands in the kustomization its text, is in ``piece``."""

    kustomization: Object
    piece: Piece
    start: Path
    inline: bool = False  # it stands in the kustomization, as a text

    def __str__(self) -> str:
        return self.piece.file.name

    @property
    def editable(self) -> bool:
        """Whether it, or the kustomization that lists it, is of the files that the run was given."""
        return self.piece.file.editable or self.kustomization.editable

    def selects(self, item: Identity) -> bool:
        """Whether it is for ``item``."""
        raise NotImplementedError

    @property
    def is_late(self) -> bool:
        """Whether kustomize applies it after names, namespace and labels are set."""
        return False

    @property
    def is_object(self) -> bool:
        """Whether it is an object of its file, too."""
        return False

    def is_of_pods(self) -> bool:
        """Whether it says anything of the pods of a workload, whichever that may be."""
        return False

    def apply(self, data: Data, hits: Hits | None = None) -> Data | None:
        """What it makes of an object; None where it deletes it. ``data`` stays as it is. ``hits`` takes what tells
        which items of lists it changed. Raises PatchError where kustomize would refuse it."""
        raise NotImplementedError

    def place(self, data: Data, path: Path) -> tuple[int, Path]:
        """Where it says what stands at ``path`` of the patched object ``data``, and how much of the path it names."""
        raise NotImplementedError


class Merge(Patch, frozen=True, eq=False, kw_only=True):
    """A strategic merge patch."""

    document: Data
    target: Mapping[str, Any] | None = None
    renames: bool = False

    def selects(self, item: Identity) -> bool:
        return is_named(self.document, item) if self.target is None else is_selected(self.target, item)

    @property
    def is_object(self) -> bool:
        return not self.inline and "kind" in self.document

    def is_of_pods(self) -> bool:
        spec = self.document.get("spec")
        return isinstance(spec, dict) and _is_of_pods(self.target or self.document, spec)

    def apply(self, data: Data, hits: Hits | None = None) -> Data | None:
        return merge(data, self.document, renames=self.renames)

    def place(self, data: Data, path: Path) -> tuple[int, Path]:
        found = _followed(self.document, data, path)
        return len(found), self.start if self.inline else self.start + found


class Operations(Patch, frozen=True, eq=False, kw_only=True):
    """A JSON patch. ``exact``: it is one of ``patchesJson6902``, whose target is no pattern."""

    operations: list[Data] = field(default_factory=list)
    target: Mapping[str, Any]
    exact: bool = False

    def selects(self, item: Identity) -> bool:
        return is_selected(self.target, item, exact=self.exact)

    @property
    def is_late(self) -> bool:
        return self.exact

    def is_of_pods(self) -> bool:
        paths = [pointer_parts(operation.get("path")) for operation in self.operations]
        return _is_of_pods(self.target, [path[1] for path in paths if path[:1] == ["spec"] and len(path) > 1])

    def apply(self, data: Data, hits: Hits | None = None) -> Data | None:
        return operate(data, self.operations, hits)

    def place(self, data: Data, path: Path) -> tuple[int, Path]:
        best: tuple[int, Path] = (0, self.start)
        for number, operation in enumerate(self.operations):
            parts = pointer_parts(operation.get("path"))
            depth = 0
            while depth < min(len(parts), len(path)) and parts[depth] in (str(path[depth]), "-"):
                depth += 1
            place: Path = (number, "path")
            if depth == len(parts) and depth < len(path):
                below = _followed(operation.get("value"), value_at(data, path[:depth]), path[depth:])
                depth, place = depth + len(below), (number, "value", *below) if below else place
            if depth >= best[0] and depth:
                best = depth, self.start if self.inline else self.start + place
        return best


class ImageEntry(Patch, frozen=True, eq=False, kw_only=True):
    """An entry of ``images``."""

    entry: Data
    paths: tuple[Path, ...] = ()  # of the pod templates of the object

    def selects(self, item: Identity) -> bool:
        return True

    def apply(self, data: Data, hits: Hits | None = None) -> Data | None:
        return retagged(data, self.entry)

    def place(self, data: Data, path: Path) -> tuple[int, Path]:
        return (len(path) if path[-1:] == ("image",) else 0), self.start


def _is_of_pods(target: Mapping[str, Any], fields: Iterable[str]) -> bool:
    return str(target.get("kind", "Pod")) in POD_KINDS and not {"template", "jobTemplate"}.isdisjoint(fields)


def _followed(document: Any, data: Any, path: Path) -> Path:
    """How far ``path`` of ``data`` leads in ``document``, whose lists may hold the same items at other places."""
    found: list[str | int] = []
    for part in path:
        if isinstance(document, dict) and part in document:
            document, data = document[part], data.get(part) if isinstance(data, dict) else None
            found.append(part)
        elif isinstance(document, list) and isinstance(data, list) and isinstance(part, int) and part < len(data):
            wanted, data = identity(data[part]), data[part]
            index = next((number for number, item in enumerate(document) if identity(item) == wanted), None)
            if index is None:
                break
            document = document[index]
            found.append(index)
        else:
            break
    return tuple(found)
