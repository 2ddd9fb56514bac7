"""What a kustomization builds, of every kind: each object as it is written and as it comes out, and what changed it.

The order is that of sigs.k8s.io/kustomize/api/internal/target/kusttarget.go. Names stay as they are written, here and
in what names them: which object is meant is the same then, and prefixes and hashes change nothing that is judged.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from itertools import chain, islice
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.kustomize_tree import Folder
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.facts.kustomize.overlays.patch import Data, Hits, Merge, Operations, Patch
from hardener.facts.kustomize.overlays.reading import Layer, documents_in, items_of
from hardener.facts.kustomize.overlays.variants import Chain
from hardener.facts.kustomize.transformers import (
    KEYS,
    Expanded,
    Replacement,
    Step,
    Unknown,
    Variable,
    steps,
    variables_of,
)
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.kustomize.given_pairs import Pairs, given, pairs_of
from hardener.kubernetes.kustomize.image import images_of, named
from hardener.kubernetes.kustomize.patch import DIRECTIVE, PatchError
from hardener.kubernetes.kustomize.replacement import field_path, is_source, value_of
from hardener.kubernetes.kustomize.target import DEFAULT, Identity, is_named, is_selected
from hardener.kubernetes.objects.scope import is_cluster_scoped
from hardener.kubernetes.pods.pod_template import POD_KINDS
from hardener.kubernetes.rbac.subjects import GROUP as RBAC
from hardener.sources.manifests import Piece
from hardener.support import shapes
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_NO_NAMESPACE = "_non_namespaceable_"  # as kustomize calls it (kyaml/resid)
_LOCAL = "config.kubernetes.io/local-config"
_DEEPEST = 100  # levels of kustomizations
_LEAST_WORK = 100_000  # objects taken in and patches tried, of a small tree
_WORK = 200  # of each object and kustomization of a tree
_TRIED = 5  # kustomizations that a component which nobody uses is tried with
_WORK_OF_JUDGING = 10  # of each object of a build
PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902", *KEYS)
"""The fields of a kustomization that patch, whatever they are called."""
_PLAIN_LABELS = "app.kubernetes.io/"  # they are only for people
# What makes which kind, and where that holds literals.
_GENERATORS = {"configMapGenerator": ("ConfigMap", "data"), "secretGenerator": ("Secret", "stringData")}


class GivenPairs(Patch, frozen=True, eq=False, kw_only=True):
    """Labels or annotations of a kustomization, as one more thing that it does to an object."""

    pairs: Pairs

    def selects(self, item: Identity) -> bool:
        return True

    def apply(self, data: Data, hits: Hits | None = None) -> Data | None:
        return given(data, self.pairs)

    def place(self, data: Data, path: Path) -> tuple[int, Path]:
        is_said = path[-2:-1] in (("labels",), ("annotations",)) and path[-1] in self.pairs.texts
        return (len(path), (*self.start, path[-1])) if is_said else (0, self.start)


class Item(Struct, eq=False):
    """An object of a build. ``plain`` is what comes out of it without what ``patches``, which changed it, do; ``data``
    is what comes out, None where nothing does."""

    origin: Object
    plain: Data
    data: Data | None
    patches: list[Patch] = field(default_factory=list)
    name: str = ""  # as written
    namespace: str = DEFAULT  # as written
    affixes: tuple[str, str] = ("", "")  # that it would have by now
    former: tuple[tuple[str, str], ...] = ()  # names, each with a namespace, that it had

    @property
    def is_changed(self) -> bool:
        """Whether something else comes out than without patches."""
        return bool(self.patches) and self.data != self.plain

    def source(self, path: Path) -> tuple[Patch, Path]:
        """The patch that says what stands at ``path`` of what comes out, and where."""
        return Chain(tuple(self.patches)).source(self.data or {}, path)

    def identities(self) -> Iterator[tuple[Identity, Identity]]:
        """What a target sees of it now, and what a patch that names its object does."""
        data = self.data or {}
        group, _, version = str(data.get("apiVersion") or "").rpartition("/")
        kind = str(data.get("kind") or "")
        metadata = shapes.mapping(data.get("metadata"))
        labels, annotations = (
            {str(key): str(value) for key, value in shapes.mapping(metadata.get(name)).items()}
            for name in ("labels", "annotations")
        )
        prefix, suffix = self.affixes
        names = frozenset((self.name, f"{prefix}{metadata.get('name') or ''}{suffix}"))
        own = _NO_NAMESPACE if is_cluster_scoped(group, kind) else None
        namespaces = frozenset([own] if own else [self.namespace, str(metadata.get("namespace") or DEFAULT)])
        now = Identity(group, version, kind, names, namespaces, labels, annotations)
        yield now, now
        if (was := str(self.plain.get("kind") or "")) != kind:
            yield now, Identity(group, version, was, names, namespaces)

    def ever(self) -> list[Identity]:
        """What it is, under its name and namespace and those that it had (kustomize keeps these as pairs)."""
        now, _ = next(self.identities())
        pairs = dict.fromkeys((*self.former, self._called()))
        return [replace(now, names=frozenset([name]), namespaces=frozenset([space])) for name, space in pairs]

    def note(self) -> None:
        """Remember what it is called by now."""
        self.former = (*self.former, self._called())

    def _called(self) -> tuple[str, str]:
        data = self.data or {}
        metadata = shapes.mapping(data.get("metadata"))
        prefix, suffix = self.affixes
        own = is_cluster_scoped(*_kind(data))
        space = _NO_NAMESPACE if own else str(metadata.get("namespace") or DEFAULT)
        return f"{prefix}{metadata.get('name') or ''}{suffix}", space

    def value(self, source: Data) -> Any:
        """What ``source`` of a replacement takes from it, with what stands around its name by now."""
        found = value_of(source, self.data or {})
        if field_path(source) != ["metadata", "name"] or not any(self.affixes):
            return found
        if source.get("options"):
            raise PatchError("harden does not take a name apart that is put together")
        prefix, suffix = self.affixes
        return f"{prefix}{found}{suffix}"


class Undone(Struct, frozen=True):
    """What a kustomization does and no build of ours can, or what kustomize would refuse: why, and where it stands."""

    kustomization: Object
    piece: Piece
    path: Path
    text: str


class Build(Struct, eq=False):
    """What ``kustomization`` builds."""

    kustomization: Object
    items: list[Item] = field(default_factory=list)
    undone: list[Undone] = field(default_factory=list)
    used: set[Patch] = field(default_factory=set)  # that are for one of its objects
    failed: set[Patch] = field(
        default_factory=set
    )  # that cannot be applied to one of them, the first of which is named


def builds(tree: Tree) -> Iterator[Build]:
    """What each kustomization builds that changes objects itself, or by its components; then what each component that
    no kustomization uses makes of one that it could be for."""
    folders = tree.ask(Builds).folders
    whole = [folder for folder in folders.values() if not _is_part(folder)]
    chosen = [folder for folder in whole if _changes(folder)]
    unused = [folder for folder in folders.values() if _is_part(folder) and not folder.users and _changes(folder)]
    if not chosen and not unused:
        return
    builder = _Builder(tree, _LEAST_WORK + _WORK * (len(tree.objects) + len(folders)))
    for folder in chosen:
        yield builder.build(folder)
    yield from chain.from_iterable(_tried(builder, component, whole) for component in unused)


def _tried(builder: _Builder, component: Folder, folders: list[Folder]) -> Iterator[Build]:
    """What ``component`` makes of the first of ``folders`` that it fits; nothing where it fits none."""
    tried = (builder.build(folder, component) for folder in _nearest(component, folders))
    return islice((build for build in tried if builder.fits(build, component)), 1)


def _nearest(component: Folder, folders: list[Folder]) -> list[Folder]:
    """The kustomizations that ``component`` is tried with: no more than a few, those with most of its path."""

    def distance(folder: Folder) -> tuple[int, str]:
        return -len(os.path.commonpath([component.path, folder.path])), folder.path

    return nsmallest(_TRIED, folders, key=distance)


def unused_components(tree: Tree) -> Iterator[Object]:
    """The components that no kustomization of the tree uses, with patches of other things than pods: those of pods are
    reported one by one."""
    overlays = tree.ask(Overlays)
    for folder in tree.ask(Builds).folders.values():
        if _is_part(folder) and not folder.users:
            patches = overlays.layer(folder.kustomization).all_patches()
            if not all(patch.is_of_pods() or _is_of_replicas(patch) for patch in patches):
                yield folder.kustomization


def _is_of_replicas(patch: Patch) -> bool:
    """Whether ``patch`` is of a workload, and can neither change what it is nor what its pods are."""
    if not isinstance(patch, Merge) or patch.renames or DIRECTIVE in patch.document:
        return False
    return str((patch.target or patch.document).get("kind")) in POD_KINDS


def _is_part(folder: Folder) -> bool:
    return kustomize.is_component(folder.kustomization.data)


def _changes(folder: Folder) -> bool:
    """Whether ``folder`` changes more of objects than names, images and labels for people."""
    return any(_changes_itself(each.kustomization.data) for each in (*folder.inner, folder))


def _changes_itself(document: Data) -> bool:
    if any(document.get(key) for key in PATCHES):
        return True
    keys = [key for pairs in pairs_of(document) for key in pairs.texts]
    return any("k8s.io/" in key or "kubernetes.io/" in key for key in keys if not key.startswith(_PLAIN_LABELS))


class _TooMuchError(Exception):
    """The builds of a tree are far larger than the tree."""


class _Builder:
    """Builds one kustomization after the other; ``work`` bounds what all of them may cost together."""

    def __init__(self, tree: Tree, work: int) -> None:
        self._tree = tree
        self._overlays = tree.ask(Overlays)
        self._work = work
        self._build = Build(next(iter(tree.kustomizations.values())))
        self._files: dict[str, list[Object]] = {}
        self._steps: dict[int, list[Step]] = {}
        self._variables: list[Variable] = []
        self._merges = False  # whether a ConfigMap or Secret of the build is merged from several

    def build(self, folder: Folder, component: Folder | None = None) -> Build:
        """What the kustomization of ``folder`` builds, and ``component`` makes of it."""
        self._build = found = Build((component or folder).kustomization)
        self._variables, self._merges = [], False
        try:
            self._take_in(folder, found.items, 0)
            if component is not None:
                self._take_in(component, found.items, 0)
            self._expand(found.items)
            self._spend(_WORK_OF_JUDGING * len(found.items))
        except _TooMuchError:
            found.items = []
            self._cannot(folder.kustomization, folder.kustomization.path, "it builds more than harden takes in")
        for item in found.items:  # only what is built last is left out: an overlay may take the annotation away
            if item.data is not None and _is_local(item.data):
                item.data = None
        return found

    def fits(self, build: Build, component: Folder) -> bool:
        """Whether ``build`` has an object for each patch of ``component``."""
        layers = (self._overlays.layer(each.kustomization) for each in (*component.inner, component))
        patches = {patch for layer in layers for patch in layer.all_patches()}
        return bool(build.items) and patches <= build.used - build.failed

    def _take_in(self, folder: Folder, items: list[Item], depth: int) -> None:
        """Add what ``folder`` takes in to ``items``, and do to all of them what it does."""
        self._spend(1)
        if depth > _DEEPEST:
            self._cannot(folder.kustomization, folder.kustomization.path, f"it is taken in over {_DEEPEST} levels")
            return
        for path in folder.files:
            items += map(_item, self._objects(path))
        for resource in folder.resources:
            found: list[Item] = []
            self._take_in(resource, found, depth + 1)
            items += found
        for component in folder.components:
            self._take_in(component, items, depth + 1)
        items += self._generated(folder.kustomization)
        self._spend(len(items))
        self._transform(folder.kustomization, items)

    def _spend(self, work: int) -> None:
        self._work -= work
        if self._work < 0:
            raise _TooMuchError

    def _cannot(self, kustomization: Object, path: Path, text: str, piece: Piece | None = None) -> None:
        self._build.undone.append(Undone(kustomization, piece or kustomization.piece, path, text))

    def _objects(self, path: str) -> list[Object]:
        """The objects of a file, of kinds that nothing else looks at, too."""
        if path not in self._files:
            self._files[path] = [
                Object(self._tree, piece, (*start, *below), item)
                for piece, start, document in documents_in(self._tree, path)
                if isinstance(document, dict)
                for below, item in items_of(document)
                if item.get("kind")
            ]
        return self._files[path]

    def _generated(self, kustomization: Object) -> Iterator[Item]:
        """The ConfigMaps and Secrets that ``kustomization`` makes, with what stands there of their data."""
        for key, (kind, holder) in _GENERATORS.items():
            for index, entry in shapes.entries(kustomization.data.get(key)):
                is_made = entry.get("behavior") in (None, "", "create")
                self._merges |= not is_made
                if isinstance(entry.get("name"), str) and is_made:
                    path = (*kustomization.path, key, index)
                    yield _item(Object(self._tree, kustomization.piece, path, _made(entry, kind, holder)))

    # What a kustomization does.

    def _transform(self, kustomization: Object, items: list[Item]) -> None:
        layer = self._overlays.layer(kustomization)
        self._patch(layer, items, late=False)
        self._place(kustomization, items)
        for pairs in pairs_of(kustomization.data):
            piece, start = kustomization.piece, (*kustomization.path, *pairs.path)
            patch = GivenPairs(kustomization=kustomization, piece=piece, start=start, inline=True, pairs=pairs)
            for item in items:
                self._apply(patch, item)
        self._patch(layer, items, late=True)
        if layer.images:
            for item in items:
                self._retag(layer, item)
        for step in self._of(kustomization):
            self._do(step, kustomization, items)

    def _of(self, kustomization: Object) -> list[Step]:
        """What ``kustomization`` does behind all else; its variables are noted, for the end of the build."""
        for variable in variables_of(kustomization):
            if isinstance(variable, Unknown):
                self._cannot(kustomization, variable.path, variable.text, variable.piece)
            else:
                self._variables.append(variable)
        key = id(kustomization)
        if key not in self._steps:
            self._steps[key] = list(steps(self._tree, kustomization))
        return self._steps[key]

    def _do(self, step: Step, kustomization: Object, items: list[Item]) -> None:
        if isinstance(step, Unknown):
            self._cannot(kustomization, step.path, step.text, step.piece)
        elif isinstance(step, Replacement):
            self._replace(step, items)
        else:
            self._spend(len(items))
            for item in items:
                if any(_selects(step, *each) for each in item.identities()):
                    self._apply(step, item)

    def _replace(self, step: Replacement, items: list[Item]) -> None:
        try:
            value = self._value(step.entry["source"], items)
            for patch in step.patches(value):
                self._spend(len(items))
                chosen = [item for item in items if item.data is not None and patch.takes(item.ever())]
                if not chosen:
                    reason = "this target of a replacement is no object that harden sees"
                    self._cannot(step.kustomization, patch.start, reason, step.piece)
                for item in chosen:
                    self._apply(patch, item)
        except PatchError as error:
            self._cannot(step.kustomization, step.start, f"harden does not replace this: {error}", step.piece)

    def _value(self, source: Data, items: list[Item]) -> Any:
        """What ``source``, that of a replacement, stands for."""
        self._spend(len(items))
        found = [item for item in items if item.data is not None and is_source(source, item.ever())]
        if len(found) != 1:
            raise PatchError(f"its source is {'one of several objects' if found else 'no object that harden sees'}")
        if self._merges and found[0].origin.kind in ("ConfigMap", "Secret"):
            raise PatchError("its source may be merged from several")
        return found[0].value(source)

    def _expand(self, items: list[Item]) -> None:
        """Fill in the variables of the whole build."""
        values: dict[str, Any] = {}
        for variable in self._variables:
            try:
                value = self._value(variable.source, items)
                if isinstance(value, dict | list) or variable.name in values:
                    raise PatchError("it has more than one value")
                values[variable.name] = value
            except PatchError as error:
                reason = f"harden does not know the value of this variable: {error}"
                self._cannot(variable.kustomization, variable.start, reason)
        if not values:
            return
        first = self._variables[0]
        owner = first.kustomization
        patch = Expanded(kustomization=owner, piece=owner.piece, start=first.start, inline=True, values=values)
        for item in items:
            self._apply(patch, item)

    def _patch(self, layer: Layer, items: list[Item], *, late: bool) -> None:
        loose = [entry for entry in layer.loose if entry[1].is_late is late]
        if not loose and not layer.by_name:
            return
        self._spend(len(items) * len(loose))
        for item in items:
            for patch in _for(layer, loose, item, late=late):
                self._apply(patch, item)
        for _, patch in chain.from_iterable(layer.by_name.values()):
            is_said = patch.is_of_pods()  # with all patches of pods that nothing applies
            if _wants_one(patch) and not is_said and patch.is_late is late and patch not in self._build.used:
                text = f"patch {patch} is for no object that harden sees"
                self._cannot(patch.kustomization, patch.start, text, patch.piece)

    def _apply(self, patch: Patch, item: Item) -> None:
        if item.data is None:
            return
        self._build.used.add(patch)
        try:
            after = patch.apply(item.data)
        except (PatchError, RecursionError) as error:
            if patch not in self._build.failed:
                self._build.failed.add(patch)
                reason = f"patch {patch} cannot be applied to {item.origin.kind}/{item.name}: {error}"
                self._cannot(patch.kustomization, patch.start, reason, patch.piece)
            return
        if after != item.data:
            item.patches.append(patch)
            item.data = after

    def _retag(self, layer: Layer, item: Item) -> None:
        images = {named(image) for _, image in images_of(item.data or {})}
        for entry in chain.from_iterable(layer.images[image] for image in sorted(images & layer.images.keys())):
            self._apply(entry, item)

    def _place(self, kustomization: Object, items: list[Item]) -> None:
        """Give ``items`` the namespace of ``kustomization``, which is no patch, and note what they are called."""
        namespace, prefix, suffix = (
            kustomize.setting(kustomization.data, key) for key in ("namespace", "namePrefix", "nameSuffix")
        )
        if namespace:
            accounts = {item.name for item in items if _kind(item.data or {}) == ("", "ServiceAccount")}
            for item in items:
                item.note()
                item.plain = _placed(item.plain, namespace, accounts)
                item.data = None if item.data is None else _placed(item.data, namespace, accounts)
        for before, after in ((prefix, ""), ("", suffix)):
            for item in items if before or after else ():
                if item.data is not None and kustomize.takes_affixes(*_kind(item.data)):
                    item.note()
                    item.affixes = (before + item.affixes[0], item.affixes[1] + after)


def _made(entry: Data, kind: str, holder: str) -> Data:
    """The object that an entry of a generator stands for, with what of its data stands there itself."""
    metadata = {key: entry[key] for key in ("name", "namespace") if entry.get(key)}
    literals = dict(map(_literal, shapes.texts(entry.get("literals"))))
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, holder: literals}


def _literal(text: str) -> tuple[str, str]:
    """The name and the value of an entry of ``literals``; quotes around the value are none of it."""
    name, _, value = text.partition("=")
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return name, value[1:-1] if is_quoted else value


def _item(origin: Object) -> Item:
    metadata = shapes.mapping(origin.data.get("metadata"))
    name, namespace = str(metadata.get("name") or ""), str(metadata.get("namespace") or DEFAULT)
    return Item(origin, origin.data, origin.data, name=name, namespace=namespace)


def _for(layer: Layer, loose: Iterable[tuple[int, Patch]], item: Item, *, late: bool) -> Iterator[Patch]:
    """The patches of ``layer`` for ``item``, one after the other: each sees what those before it made."""
    done = -1
    while item.data is not None:
        now, _ = next(item.identities())
        named = (entry for name in now.names for entry in layer.by_name.get(name, ()))
        waiting = sorted(
            (entry for entry in (*named, *loose) if entry[0] > done and entry[1].is_late is late),
            key=lambda entry: entry[0],
        )
        for number, patch in waiting:
            done = number
            before = item.data
            if any(_selects(patch, *each) for each in item.identities()):
                yield patch
            if item.data is None or _name(item.data) != _name(before):
                break  # it has another name now, and other patches
        else:
            return


def _selects(patch: Patch, now: Identity, was: Identity) -> bool:
    """Whether ``patch`` is for an object: what names one of no namespace may name any; a pattern fits none there."""
    is_local = _NO_NAMESPACE not in now.namespaces
    if isinstance(patch, Merge) and patch.target is None:
        document, metadata = patch.document, shapes.mapping(patch.document.get("metadata"))
        anywhere = {**document, "metadata": {**metadata, "namespace": _NO_NAMESPACE}}
        return is_named(document if is_local else anywhere, was)
    if isinstance(patch, Operations) and patch.exact and not is_local:
        return is_selected({**patch.target, "namespace": _NO_NAMESPACE}, now, exact=True)
    return patch.selects(now)


def _wants_one(patch: Patch) -> bool:
    """Whether kustomize refuses a build that has no object for ``patch``."""
    return isinstance(patch, Merge) and patch.target is None


def _placed(data: Data, namespace: str, accounts: set[str]) -> Data:
    """``data`` in ``namespace``; a Namespace is called so."""
    group, kind = _kind(data)
    metadata = shapes.mapping(data.get("metadata"))
    if (group, kind) == ("", "Namespace"):
        return {**data, "metadata": {**metadata, "name": namespace}}
    found = data if is_cluster_scoped(group, kind) else {**data, "metadata": {**metadata, "namespace": namespace}}
    if group == RBAC and isinstance(data.get("subjects"), list):
        subjects = [_subject(subject, namespace, accounts) for subject in data["subjects"]]
        return {**found, "subjects": subjects}
    return found


def _subject(subject: Any, namespace: str, accounts: set[str]) -> Any:
    if not isinstance(subject, dict) or subject.get("kind") != "ServiceAccount":
        return subject
    is_meant = subject.get("name") == DEFAULT or str(subject.get("name")) in accounts
    return {**subject, "namespace": namespace} if is_meant else subject


def _kind(data: Data) -> tuple[str, str]:
    return str(data.get("apiVersion") or "").rpartition("/")[0], str(data.get("kind") or "")


def _name(data: Data) -> Any:
    return shapes.mapping(data.get("metadata")).get("name")


def _is_local(data: Data) -> bool:
    """Whether kustomize keeps the object to itself."""
    annotations = shapes.mapping(shapes.mapping(data.get("metadata")).get("annotations"))
    return bool(annotations.get(_LOCAL, "false") != "false")
