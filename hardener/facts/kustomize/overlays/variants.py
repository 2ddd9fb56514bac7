"""The variants of an object: what each build of the tree makes of it with patches and entries of ``images``.

They are made of the data as it is now, so that what this run has changed is in them, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.overlays import MOST_PATCHES, Overlays
from hardener.facts.kustomize.overlays.patch import Data, Hits, ImageEntry, Merge, Operations, Patch
from hardener.facts.kustomize.overlays.reading import Layer, has_patches, read
from hardener.kubernetes.images.reference import parse as parse_image
from hardener.kubernetes.images.table import lookup
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.kustomize.image import images_of, named
from hardener.kubernetes.kustomize.patch import PatchError
from hardener.kubernetes.kustomize.target import DEFAULT, Identity
from hardener.kubernetes.network.ingress import ROUTES
from hardener.kubernetes.pods.operator_pods import RENDERED_ELSEWHERE
from hardener.kubernetes.pods.pod_template import PARTIAL_KINDS, partial_specs, templates
from hardener.sources.manifests import Piece
from hardener.support.data_path import Path, value_at
from hardener.tree.core_views import Container, Object, OpaqueError, PodTemplate, View
from hardener.tree.tree import Tree

_RBAC = "rbac.authorization.k8s.io"
_WHOLE = frozenset({"kyverno.io", _RBAC})  # API groups whose objects are weighed as a whole
_WAYS_IN = ROUTES | RENDERED_ELSEWHERE | {("", "Service")}  # so are these kinds
# What patches are weighed for, beside pods.
_OTHERS = (
    ("", "Service"), (_RBAC, "Role"), (_RBAC, "ClusterRole"), (_RBAC, "RoleBinding"), (_RBAC, "ClusterRoleBinding"),
)  # fmt: skip


class Result(Struct):
    """What a chain makes of an object: ``data``, None where it deletes it.

    ``failed`` are the patches that kustomize would refuse, with why; they are left out. ``hits`` tells for each JSON
    patch which items of lists it changed.
    """

    data: Data | None
    failed: dict[Patch, str] = {}
    hits: dict[Patch, Hits] = {}


@dataclass(frozen=True, slots=True)
class Chain:
    """The patches of one build, or of several that have the same ones, in the order in which they are applied.

    ``namespaces`` are those that what they patch comes out in.
    """

    patches: tuple[Patch, ...]
    namespaces: frozenset[str | None] = field(default=frozenset(), compare=False)

    def apply(self, data: Data, first: int | None = None) -> Result:
        """What the patches, or the ``first`` of them, make of ``data``, which stays as it is."""
        result = Result(data)
        for patch in self.patches[:first]:
            hits: Hits = []
            try:
                after = patch.apply(data, hits)
            except (PatchError, RecursionError) as error:
                result.failed[patch] = str(error)
                continue
            if hits:
                result.hits[patch] = hits
            if after is None:
                result.data = None
                break
            result.data = data = after
        return result

    def source(self, data: Data, path: Path) -> tuple[Patch, Path]:
        """The patch that says what stands at ``path`` of ``data``, the patched object, and where; of several that come
        equally near the last."""
        best, found = -1, (self.patches[-1], self.patches[-1].start)
        for patch in self.patches:
            depth, where = patch.place(data, path)
            if depth >= best:
                best, found = depth, (patch, where)
        return found


class Variant(Object):
    """An object as a chain of patches makes it; for reading only. Facts about it stand where the patches say them."""

    __slots__ = ("chain", "origin")

    def __init__(self, origin: Object, chain: Chain, data: Data) -> None:
        piece = origin.piece
        self.origin = origin
        self.chain = chain
        super().__init__(origin.tree, Piece(piece.file, piece.start, piece.end, piece.line, [data]), (0,), data)

    def place(self, path: Path) -> tuple[Piece, Path]:
        """Where a patch says what stands at ``path``."""
        patch, where = self.chain.source(self.data, path[1:])
        return patch.piece, where

    def patched(self, path: Path) -> tuple[Piece, Path] | None:
        """Where a patch says what stands at ``path`` itself; None where none does."""
        for patch in reversed(self.chain.patches):
            depth, where = patch.place(self.data, path[1:])
            if depth == len(path) - 1:
                return patch.piece, where
        return None


class PatchedOverlays(Overlays):
    """Computed when it is asked for an object; costs nothing where no kustomization has patches."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.patches_anything = any(map(has_patches, tree.kustomizations.values()))
        self._layers: dict[int, Layer] = {}
        self._chains: dict[Object, tuple[Chain, ...]] = {}
        self.crowded: dict[Object, tuple[Object, int]] = {}
        self._as_written: set[Object] = set()  # of those that have chains, what a build takes in as it is
        self._results: dict[Object, tuple[int, tuple[tuple[Chain, Result], ...]]] = {}
        self._variants: dict[Object, tuple[int, tuple[Variant, ...]]] = {}
        self._pods: dict[PodTemplate, tuple[tuple[Variant, ...], tuple[PodTemplate, ...]]] = {}
        self._by_namespace: dict[PodTemplate, tuple[tuple[PodTemplate, ...], dict[str | None, list[PodTemplate]]]] = {}

    def chains(self, item: Object) -> tuple[Chain, ...]:
        """What the builds of the tree do to the pods of ``item``, to a Service, or to what names a chart; () for nearly
        all."""
        if not self.patches_anything or isinstance(item, Variant):
            return ()
        found = self._chains.get(item)
        if found is None:
            found = self._chains[item] = self._collect(item)
        return found

    def variants(self, pod: PodTemplate) -> tuple[PodTemplate, ...]:
        """``pod`` as each build makes of it that does anything to it; () for nearly all."""
        if not self.chains(pod.object):
            return ()
        variants = self._of(pod.object)
        known = self._pods.get(pod)
        if known is None or known[0] is not variants:
            path = (*pod.template_path[len(pod.object.path) :], pod.path[-1])
            found = (_pod(variant, path, pod.partial) for variant in variants)
            known = self._pods[pod] = (variants, tuple(each for each in found if each is not None))
        for each in known[1]:
            each.changed_by = pod.changed_by  # what this run made of it is there in each of them
        return known[1]

    def variants_in(self, pod: PodTemplate, namespace: str | None) -> tuple[PodTemplate, ...]:
        """Those of ``variants`` that come out in ``namespace``."""
        variants = self.variants(pod)
        if len(variants) < 2:
            return tuple(each for each in variants if namespace in _chain(each).namespaces)
        known = self._by_namespace.get(pod)
        if known is None or known[0] is not variants:
            found: dict[str | None, list[PodTemplate]] = {}
            for each in variants:
                for name in _chain(each).namespaces:
                    found.setdefault(name, []).append(each)
            known = self._by_namespace[pod] = (variants, found)
        return tuple(known[1].get(namespace, ()))

    def containers(self, container: Container) -> list[Container]:
        """``container`` in each of the variants of its pod that has it."""
        if not self.patches_anything:
            return []
        found = []
        for pod in self.variants(container.pod):
            try:
                found.append(pod.counterpart(container))
            except (OpaqueError, WrongShapeError):
                continue  # nobody can say what this patch makes of it
        there = [each for each in found if each is not None]
        for each in there:
            each.changed_by = container.changed_by
        return there

    def objects(self, item: Object) -> tuple[Variant, ...]:
        """``item`` as each build makes of it that does anything to it; () for nearly all."""
        chains = self.chains(item)
        return self._of(item) if chains else ()

    def always_patched(self, item: Object) -> bool:
        """Whether every build that holds ``item`` does something to it, so that it is applied nowhere as written."""
        return bool(self.chains(item)) and item not in self._as_written

    def results(self, item: Object) -> tuple[tuple[Chain, Result], ...]:
        """What each chain of ``item`` makes of it as it is now."""
        stamp = item.piece.revision
        known = self._results.get(item)
        if known is None or known[0] != stamp:
            found = tuple((chain, chain.apply(item.data)) for chain in self.chains(item))
            known = self._results[item] = (stamp, found)
        return known[1]

    def _of(self, item: Object) -> tuple[Variant, ...]:
        stamp = item.piece.revision
        known = self._variants.get(item)
        if known is None or known[0] != stamp:
            pairs = ((chain, result.data) for chain, result in self.results(item))
            made = tuple(Variant(item, chain, data) for chain, data in pairs if data is not None)
            known = self._variants[item] = (stamp, made)
        return known[1]

    def is_weighed(self, document: Object) -> bool:
        """Whether ``document``, a patch, is for a pod or a Service of the tree, so that it is weighed with that."""
        return (document.piece, document.path) in self.weighed

    @cached_property
    def weighed(self) -> set[tuple[Piece, Path]]:
        """Where the patches start that are for a pod or a Service of the tree."""
        chains = (chain for item in self.items() for chain in self.chains(item))
        return {(patch.piece, patch.start) for chain in chains for patch in chain.patches}

    def items(self) -> Iterable[Object]:
        """What patches are weighed for."""
        items = {id(pod.object): pod.object for pod in self._tree.pod_templates}
        others = (item for group, kind in _OTHERS for item in self._tree.of(group, kind))
        return (*items.values(), *others)

    # Which patches are for an object.

    def _collect(self, item: Object) -> tuple[Chain, ...]:
        found: dict[tuple[Patch, ...], set[str | None]] = {}
        for build in self._tree.ask(Builds).of(item):
            patches = self._patches(item, build.layers(item))
            if patches is None:
                continue
            others = [patch for patch in patches if not isinstance(patch, ImageEntry)]
            if len(others) < len(patches) and not self._tell(item, patches, others):
                patches = others
            if patches:
                found.setdefault(tuple(patches), set()).update(build.namespaces(item))
            else:
                self._as_written.add(item)
        return tuple(Chain(patches, frozenset(names)) for patches, names in found.items())

    def _patches(self, item: Object, kustomizations: Iterable[Object]) -> list[Patch] | None:
        """The patches for ``item`` that change a pod of it, the innermost first; all of them for a new object. None
        where more are for it than are looked at."""
        count = 0
        found: list[Patch] = []
        data = item.data
        seen = _Seen(item)
        for kustomization in kustomizations:
            layer = self.layer(kustomization)
            for late in (False, True):
                if layer.by_name or layer.loose:
                    chosen = layer.patches(seen.identity(data), late=late)
                    count += len(chosen)
                    if count > MOST_PATCHES:
                        self.crowded[item] = (kustomization, count)
                        return None
                    found += (patch for patch in chosen if _concerns_pods(patch, item))
                    data = Chain(tuple(chosen)).apply(data).data or data
                if not late:
                    seen.add(kustomization.data)
            if layer.images:
                images = {named(image) for _, image in images_of(data)}
                chosen = [entry for image in sorted(images & layer.images.keys()) for entry in layer.images[image]]
                found += chosen
                data = Chain(tuple(chosen)).apply(data).data or data
        return found

    def layer(self, kustomization: Object) -> Layer:
        """What ``kustomization`` does."""
        found = self._layers.get(id(kustomization))
        if found is None:
            found = read(self._tree, kustomization) if has_patches(kustomization) else Layer()
            self._layers[id(kustomization)] = found
        return found

    def _tell(self, item: Object, patches: list[Patch], others: list[Patch]) -> bool:
        """Whether more is known of the images that entries name than of those that are there without, or something
        else; ``others`` are ``patches`` without the entries."""
        before, after = (
            [image for _, image in images_of(Chain(tuple(some)).apply(item.data).data or {})]
            for some in (others, patches)
        )
        return any(
            one != other and _known(item, one) != _known(item, other) for one, other in zip(before, after, strict=False)
        )


def _known(item: Object, image: str) -> tuple[Any, Any]:
    reference = parse_image(image)
    return (
        (lookup(reference, item.tree.settings.images), item.in_lock(reference))
        if reference is not None
        else (None, None)
    )


class _Seen:
    """An object as the patches of one kustomization after the other see it: what it was called before counts, too."""

    def __init__(self, item: Object) -> None:
        self._kind = (*item.api_version.rpartition("/")[::2], item.kind)
        self._name = item.name
        self._names, self._namespaces = {item.name}, {item.namespace or DEFAULT}
        self._labels: dict[str, str] = {}
        self._annotations: dict[str, str] = {}

    def add(self, kustomization: Data) -> None:
        """Note what a kustomization sets."""
        setting = kustomize.setting
        self._name = f"{setting(kustomization, 'namePrefix')}{self._name}{setting(kustomization, 'nameSuffix')}"
        self._names.add(self._name)
        self._namespaces.add(setting(kustomization, "namespace") or DEFAULT)
        entries = kustomization.get("labels")
        pairs = [
            entry.get("pairs") for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict)
        ]
        for each in (kustomization.get("commonLabels"), *pairs):
            self._labels |= _texts(each)
        self._annotations |= _texts(kustomization.get("commonAnnotations"))

    def identity(self, data: Data) -> Identity:
        """``data`` is the object as the patches before make it."""
        metadata = data.get("metadata")
        written = metadata if isinstance(metadata, dict) else {}
        return Identity(
            *self._kind,
            frozenset(self._names),
            frozenset(self._namespaces),
            _texts(written.get("labels")) | self._labels,
            _texts(written.get("annotations")) | self._annotations,
        )


def _texts(found: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _concerns_pods(patch: Patch, item: Object) -> bool:
    """Whether ``patch`` may change a pod template of ``item``, or delete the object; of a Service, an Ingress, a route,
    a role, a binding, a policy of Kyverno, what names a chart, or an object that this run makes, whether at all."""
    if (item.group, item.kind) in _WAYS_IN or item.piece.is_new or item.group in _WHOLE:
        return True
    if isinstance(patch, Merge):
        return "$patch" in patch.document or any(_leads(patch.document, path) for path in _pod_paths(item.data))
    if isinstance(patch, Operations):
        return any(
            operation.get("op") in ("move", "copy") or _meets(str(operation.get("path") or "").split("/")[1:], path)
            for operation in patch.operations
            for path in _pod_paths(item.data)
        )
    return True


def _pod_paths(data: Data) -> list[Path]:
    return [*templates(data), *(partial_specs(data) if data.get("kind") in PARTIAL_KINDS else ())]


def _leads(document: Any, path: Path) -> bool:
    """Whether a patch says anything at ``path``, above or below; of a Pod itself, in its spec or metadata."""
    if not path:
        metadata = document.get("metadata")
        return "spec" in document or (isinstance(metadata, dict) and len(metadata.keys() - {"name", "namespace"}) > 0)
    for part in path:
        if not isinstance(document, dict) or "$patch" in document:
            return True  # it replaces what is here, list or null
        if part not in document:
            return False
        document = document[part]
    return True


def _meets(parts: list[str], path: Path) -> bool:
    return all(one == str(other) or one == "-" for one, other in zip(parts, path, strict=False))


def _pod(variant: Variant, path: Path, partial: bool) -> PodTemplate | None:
    """The pod at ``path`` of a variant, where there still is one."""
    value = value_at(variant.data, path)
    if not isinstance(value, dict):
        return None
    return PodTemplate(variant, (0, *path[:-1]), value, key=str(path[-1]), partial=partial)


def _chain(state: PodTemplate) -> Chain:
    assert isinstance(state.object, Variant)
    return state.object.chain


def patch_of(view: View, *path: str | int) -> Patch:
    """The patch that says what stands at ``path`` of a patched pod or container, or comes nearest to it."""
    item = view.object
    if not isinstance(item, Variant):
        raise TypeError(f"{item} is not patched")
    return item.chain.source(item.data, (*view.path, *path)[1:])[0]
