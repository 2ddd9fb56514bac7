"""The whole tree: every file read once, its objects, and what they say about each other.

Paths limit what is edited; evidence comes from the whole Git repository.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from datetime import date
from functools import cached_property, partial
from typing import Any, NamedTuple, Protocol, TypeVar

from msgspec import Struct, field

from hardener.authoring.config import Exemption
from hardener.exports.model import Recorded
from hardener.kubernetes.components import bare_document
from hardener.kubernetes.components.flag_values import NAMES as COMPONENT_NAMES
from hardener.kubernetes.images.table import NO_ROWS, OwnRows
from hardener.kubernetes.kustomize import kustomization as kustomize
from hardener.kubernetes.objects import list_items
from hardener.kubernetes.objects.api_groups import COMPONENT_CARRIERS, POLICIES
from hardener.kubernetes.objects.unread_forms import Sighting
from hardener.kubernetes.pods.operator_pods import RENDERED_ELSEWHERE
from hardener.kubernetes.pods.pod_template import PARTIAL_KINDS, POD_KINDS, partial_specs, templates
from hardener.lock.model import Lock, load, load_file
from hardener.sources.files import Content, is_inside, is_other
from hardener.sources.files.selection import TEST_DATA, LeftOut, Passed, Selection
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.registry import MANIFESTS
from hardener.sources.source import Problem
from hardener.support.data_path import Path, joined, value_at
from hardener.tree import reader
from hardener.tree.blocks import Blocks
from hardener.tree.core_views import Container, Object, PodTemplate
from hardener.tree.fact import Fact, Incremental
from hardener.tree.pod_fragments import Fragment, is_fragment, of, of_operators

_Fact = TypeVar("_Fact", bound=Fact)
_NOTHING: dict[str, str] = {}


class Exemptions(Protocol):
    """What a view asks the waivers of the run that is under way."""

    def __bool__(self) -> bool:
        """Whether there is any."""

    def is_exempt(self, id: str, container: Container, path: Path) -> bool:
        """Whether a waiver keeps the transform ``id`` from writing ``path`` of ``container``."""

    def is_waived(self, id: str, target: Object, path: Path) -> bool:
        """Whether a waiver of the transform ``id`` speaks of ``path`` of ``target``; it counts as used."""

    def used(self) -> Iterator[tuple[str, int]]:
        """The file and line of each waiver that speaks of something here, and is not stale."""


class Settings(Struct):
    """What a run is told about the cluster: the oldest version it has, and its platform where the tree cannot say."""

    kubernetes_version: tuple[int, int] = (1, 36)
    platform: str | None = None
    exemptions: tuple[Exemption, ...] = ()
    peer_marks: bool = True
    as_of: date | None = None  # the day on which exemptions end or not; None is today
    namespaces: tuple[tuple[str, str], ...] = ()  # of objects that name none: pattern of files, namespace
    out_of_band: str | None = None  # where files for hosts go; None is harden-host at the root
    secrets_out: str | None = None  # where the values of secrets go
    policy_engine: str | None = None
    audit_logs: tuple[str, ...] = ()
    images: OwnRows = NO_ROWS  # about images, which win over the image table
    exclude: tuple[str, ...] = ()  # what is evidence only: patterns as in .gitignore, seen from the root
    test_data: frozenset[str] = TEST_DATA  # names of folders that are not read
    no_waivers: bool = False  # nothing that the tree says lowers the result
    config: str | None = None  # the file of the configuration that counts
    helm_charts: dict[str, str] = {}  # folders of charts by the name that releases call them
    lock: str | None = None  # the file that counts as the lock, in place of that of the tree
    oldest_recording: int = 180  # days from which on what a cluster told is a hint
    helm_values: bool | None = None  # whether charts of releases are hardened; None: where the lock has charts
    helm_post_render: bool = False  # and through patches behind helm, where no value does it
    helm_tests: bool = False  # with the hooks that helm test runs


class Draft(NamedTuple):
    """A new file, the one that it will be listed with in a kustomization, and its text where it holds no object."""

    file: ManifestFile
    beside: str | None
    text: str


class Tree(Struct, eq=False, dict=True):
    """All files of a run. ``stream``: there is no tree around it: it is standard input, or what the Helm chart
    ``chart``, as it was given, is rendered to."""

    root: str
    settings: Settings = field(default_factory=Settings)
    given: tuple[str, ...] = ()  # real paths
    stream: bool = False
    chart: str | None = None
    files: list[ManifestFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    charts: dict[str, tuple[Problem, list[str]]] = field(default_factory=dict)  # templates by folder of their chart
    release_files: dict[str, list[str]] = field(default_factory=dict)  # that name charts, by what they are
    chart_accounts: dict[str, str] = field(default_factory=dict)  # those that templates name, each with a file
    drafted: dict[str, Draft] = field(default_factory=dict)  # new files by path, made or not
    patch_files: set[str] = field(default_factory=set)
    kustomizations: dict[str, Object] = field(default_factory=dict)  # by folder
    skaffold: list[Object] = field(default_factory=list)  # documents of skaffold.yaml
    helmfiles: list[Object] = field(default_factory=list)  # documents of helmfiles, as far as no template decides them
    values: list[Object] = field(default_factory=list)  # documents of the values of Helm charts
    lock: Lock | None = None
    recorded: Recorded | None = None  # what a cluster told, by harden.evidence.yaml
    waivers: Exemptions | None = None  # of the run that is under way
    named_namespaces: Counter[str] = field(default_factory=Counter)  # in any file, by how often it is named
    unread_evidence: int = 0
    sightings: dict[str, list[Sighting]] = field(default_factory=dict)  # in YAML of other tools, by file
    # The lines of what looks like a workload in documents and tests, by file.
    apart: dict[str, list[int]] = field(default_factory=dict)
    definition_files: list[str] = field(default_factory=list)  # that define kinds with pods, and hold nothing else
    passed: Passed = field(default_factory=Passed)  # what was met below the given paths, and not read
    left_out: list[LeftOut] = field(default_factory=list)  # the same, by reason
    facts: dict[type[Fact], Any] = field(default_factory=dict)  # that were asked for, by class
    _live: list[type[Fact]] = field(default_factory=list)  # those of them that are live
    rendered_charts: list[Tree] = field(default_factory=list)  # of its releases
    chart_values: list[Any] = field(default_factory=list)  # that charts are rendered with: may hold secrets

    def __repr__(self) -> str:
        return f"Tree({self.root!r})"

    @classmethod
    def read(
        cls,
        paths: list[str],
        *,
        root: str,
        settings: Settings | None = None,
        progress: Callable[[str], object] = lambda name: None,
        known: Mapping[int, Piece] | None = None,
    ) -> Tree:
        """Read ``paths`` (real paths of files and folders) for editing and all of ``root`` as evidence; ``known`` are
        pieces of an earlier run, see ``manifests.known_pieces``."""
        settings = settings or Settings()
        lock = lock_for(root, settings)
        tree = cls(root=root, settings=settings, given=tuple(paths), lock=lock, recorded=recorded_for(root, settings))
        reader.read_tree(tree, paths, progress, known)
        if tree.recorded is None and not settings.no_waivers:
            tree.recorded = told_in(tree)
        return tree

    @classmethod
    def from_text(cls, text: str, settings: Settings | None = None, lock: Lock | None = None) -> Tree:
        """A tree of one stream, which has no evidence around it but a lock."""
        tree = cls(root=os.getcwd(), settings=settings or Settings(), stream=True, lock=lock)
        reader.read_text(tree, text)
        return tree

    @classmethod
    def rendered(
        cls, templates: list[tuple[str, str]], root: str, settings: Settings, lock: Lock | None, chart: str
    ) -> Tree:
        """A tree of what the Helm chart ``chart`` is rendered to: the path of each template, and what comes of it. The
        folder ``root`` holds the chart."""
        tree = cls(root=root, settings=settings, stream=True, lock=lock, chart=chart)
        for path, text in templates:
            reader.read_rendered(tree, path, text)
        return tree

    # What the tree holds.

    @cached_property
    def selection(self) -> Selection:
        """Which of its files are read."""
        found = self.settings
        return Selection(
            self.root, exclude=found.exclude, given=self.given, test_data=found.test_data, whole=found.no_waivers
        )

    def walk(
        self, suffixes: tuple[str, ...] | None = None, also: Callable[[str], bool] = is_other
    ) -> Iterator[tuple[str, bool]]:
        """The files of the tree that are evidence, as ``Selection.everywhere`` lists them; none for a stream."""
        return iter(()) if self.stream else self.selection.everywhere(suffixes, also)

    @property
    def is_gate(self) -> bool:
        """Whether nothing that it says lowers the result, and what is not judged fails the run."""
        return self.settings.no_waivers

    def judges(self, path: str, /) -> bool:
        """Whether the file at ``path`` is there, and read for its manifests; for a gate it has to be below the given
        paths."""
        real = os.path.realpath(path)
        if not os.path.isfile(real) or not real.endswith(MANIFESTS.endings):
            return False
        return not self.is_gate or any(is_inside(real, given) for given in self.given)

    @cached_property
    def objects(self) -> list[Object]:
        """Every Kubernetes object that was parsed, items of Lists one by one, in the order of files and lines."""
        return [item for file in self.files for piece in file.pieces for item in _objects_of(self, piece)]

    @cached_property
    def blocks(self) -> Blocks:
        """The blocks that stand for no Kubernetes object."""
        return Blocks(self)

    @property
    def block_files(self) -> list[ManifestFile]:
        """The files that hold blocks."""
        return [file for file in self.files if not file.source.holds_objects]

    @cached_property
    def fragments(self) -> list[Fragment]:
        """The parts of objects that programs make, see ``hardener.tree.pod_fragments``."""
        if not any(file.source.is_program for file in self.files):
            return []

        return of(self)

    @property
    def everything(self) -> Iterable[Object]:
        """The objects, then the fragments, then the blocks."""
        return [*self.objects, *self.fragments, *(self.blocks.blocks if self.block_files else ())]

    def object_at(self, piece: Piece, path: Path) -> Object:
        """The object of ``piece`` in which ``path`` stands; the innermost where one holds others."""
        starts = (path[:length] for length in range(len(path), 0, -1))
        return next(self._by_place[piece, start] for start in starts if (piece, start) in self._by_place)

    def file_at(self, path: str) -> ManifestFile | None:
        """The file with the real path ``path``, those that the run makes included."""
        return self._by_path.get(path)

    def draft_file(self, path: str, beside: str | None, text: str = "") -> ManifestFile:
        """The new file ``path``, which the tree does not know before an object of it is added. ``beside`` is the file
        of the sibling that it will be listed with; None for one that is listed nowhere, whose ``text`` is all of it."""
        if path not in self.drafted:
            file = ManifestFile(path, os.path.relpath(path), Content("", False, -1, 0), True)
            self.drafted[path] = Draft(file, beside, text)
        self.drafted[path] = self.drafted[path]._replace(text=text)  # a draft that was not made may have had another
        return self.drafted[path].file

    @cached_property
    def _by_place(self) -> dict[tuple[Piece, Path], Object]:
        return {(item.piece, item.path): item for item in self.everything}

    @cached_property
    def _by_path(self) -> dict[str, ManifestFile]:
        return {file.path: file for file in self.files}

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str], list[Object]]:
        found: dict[tuple[str, str], list[Object]] = {}
        for item in self.objects:
            found.setdefault((item.group, item.kind), []).append(item)
        return found

    def add(self, item: Object) -> None:
        """Take in an object that the run makes, and its file where that is new."""
        file = item.piece.file
        self._by_place[item.piece, item.path] = item
        self._drop_live_facts()
        if not item.piece.source.holds_objects:
            self.blocks.add(item)
            return
        self._by_kind.setdefault((item.group, item.kind), []).append(item)
        if file.path not in self._by_path:
            self._by_path[file.path] = file
            self.files.append(file)
        self.objects.append(item)
        item.piece.source.put(file, item.piece)

    def take_in(self, file: ManifestFile) -> None:
        """Know of a file that was read late, for the lines of evidence; the objects of the tree stay what they are."""
        self.files.append(file)
        self._by_path[file.path] = file

    def remove(self, items: set[Object]) -> None:
        """Take out objects that were added, and their files when nothing else is in them."""
        pieces = {item.piece for item in items}
        for file in {piece.file.path: piece.file for piece in pieces}.values():
            file.pieces[:] = [piece for piece in file.pieces if piece not in pieces]
            if file.is_new and not file.pieces:
                self.files.remove(file)
                del self._by_path[file.path]
        self.objects[:] = [item for item in self.objects if item not in items]
        self._drop_live_facts()
        self.blocks.remove(pieces)
        for index in ("_by_kind", "_by_place"):
            self.__dict__.pop(index, None)

    def _drop_live_facts(self) -> None:
        for fact in self._live:
            del self.facts[fact]
        self._live.clear()

    def drop_facts_of_now(self) -> None:
        """Have what goes by the objects that there are collected anew, should somebody still ask."""
        self._drop_live_facts()
        for fact in [fact for fact in self.facts if issubclass(fact, Incremental)]:
            del self.facts[fact]

    def drop_facts_of_rights(self) -> None:
        """Have what goes by accounts, roles and bindings collected anew."""
        for fact in [fact for fact in self.facts if fact.OF_RIGHTS]:
            del self.facts[fact]
        self._live = [fact for fact in self._live if fact in self.facts]

    @cached_property
    def pod_templates(self) -> list[PodTemplate]:
        """Every pod template."""
        found = []
        for item in self.objects:
            if item.kind in POD_KINDS:
                for path in templates(item.sent):
                    spec = value_at(item.data, joined(path, ("spec",))) or {}
                    found.append(PodTemplate(item, joined(item.path, path), spec))
            if item.kind in PARTIAL_KINDS:
                for path in partial_specs(item.sent):
                    spec = value_at(item.data, path) or {}
                    above = joined(item.path, path[:-1])
                    found.append(PodTemplate(item, above, spec, key=str(path[-1]), partial=True))
        return found

    @property
    def pods_and_parts(self) -> list[PodTemplate]:
        """Every pod template, then those of custom resources, and those that fragments are."""
        return [*self.pod_templates, *self.operator_pods, *(pod for item in self.fragments for pod in item.pods)]

    @cached_property
    def operator_pods(self) -> list[PodTemplate]:
        """The pods that operators make of what stands in custom resources, see ``hardener.tree.pod_fragments``."""
        return of_operators(self.objects, partial(reader.template_of, self))

    @property
    def objects_and_held(self) -> list[Object]:
        """Every object, then those with pods that stand within others."""
        return [*self.objects, *dict.fromkeys(pod.object for pod in self.operator_pods if pod.object.is_held)]

    @property
    def kinds(self) -> Set[tuple[str, str]]:
        """The API group and kind of every object."""
        return self._by_kind.keys()

    def of(self, group: str, kind: str) -> list[Object]:
        """Every object of an API group ("" for the core) and kind."""
        return list(self._by_kind.get((group, kind), ()))

    # What it says about itself.

    def ask(self, fact: type[_Fact]) -> _Fact:
        """What the tree says about itself, by the class of the fact; collected when it is asked for first."""
        found: _Fact | None = self.facts.get(fact)
        if found is None:
            found = self.facts[fact] = fact.collect(self)
            if fact.LIVE:
                self._live.append(fact)
        return found

    @property
    def holds_charts(self) -> bool:
        """Whether there are values of Helm charts, or objects that have a controller render one."""
        return bool(self.values) or not self.kinds.isdisjoint(RENDERED_ELSEWHERE)

    @property
    def asks_for_policies(self) -> bool:
        """Whether an object, or the command line, has to do with admission policies."""
        groups = {group for group, _ in self.kinds}
        return bool(self.settings.policy_engine) or not groups.isdisjoint(POLICIES)

    @property
    def holds_components(self) -> bool:
        """Whether an object may hold flags of cluster components: by its group, or a pod by a name in the text."""
        groups = {group for group, _ in self.kinds}
        if not groups.isdisjoint(COMPONENT_CARRIERS):
            return True
        return any(name in text for text in map(_read_text, self.files) for name in COMPONENT_NAMES)


def _read_text(file: ManifestFile) -> str:
    """The text that objects of ``file`` come of. Of YAML what was not parsed is left out: most bytes of a tree."""
    if not file.source.is_manifest or all([piece.parsed for piece in file.pieces]):
        return file.content.text
    return "".join([piece.text for piece in file.pieces if piece.parsed])


def _objects_of(tree: Tree, piece: Piece) -> Iterator[Object]:
    """The Kubernetes objects of ``piece``, fragments left out: its documents, and the items of Lists one by one."""
    for index, document in enumerate(piece.data):
        if not piece.source.is_program or not is_fragment(document):
            yield from _unroll(tree, piece, joined((), (index,)), document)


def _unroll(tree: Tree, piece: Piece, path: Path, value: Any, implied: dict[str, str] = _NOTHING) -> Iterator[Object]:
    """The objects that ``value`` at ``path`` holds; ``implied`` is what the list that it is an item of says of it."""
    named = list_items.completed(value, implied)
    if not isinstance(named, dict) or not isinstance(named.get("kind"), str):
        yield from _untyped(tree, piece, path, value)
        return
    if list_items.is_list(value):
        for index, item in enumerate(value["items"]):
            said = list_items.implied(named.get("apiVersion"), named["kind"], item)
            yield from _unroll(tree, piece, joined(path, ("items", index)), item, said)
        if list_items.is_only_a_list(named["kind"]):
            return
    if "apiVersion" not in named:
        yield from _untyped(tree, piece, path, value)
    elif not kustomize.is_kustomization(named):
        item = Object(tree, piece, path, value)
        if implied:
            item.__dict__["implied"] = implied
        yield item


def _untyped(tree: Tree, piece: Piece, path: Path, value: Any) -> Iterator[Object]:
    """The configuration of a cluster that says no kind, as an object of a group and kind of its own; nothing where the
    document ``value`` at ``path`` is none, or says a kind."""
    if not isinstance(value, dict) or "kind" in value or len(path) != 1:
        return
    name = bare_document.name_of(value, piece.file.path)
    if name is not None:
        item = Object(tree, piece, path, value)
        item.__dict__["group"], item.__dict__["kind"] = name
        yield item


def lock_for(root: str, settings: Settings) -> Lock | None:
    """The lock that counts for a run over ``root``: the one that is named, else that of the tree, which proves nothing
    where nothing in the tree lowers the result."""
    if settings.lock is not None:
        return load_file(settings.lock)
    return None if settings.no_waivers else lock_of(root)


def lock_of(root: str) -> Lock | None:
    """The lock of the tree; most trees have none, and then its reader is not even loaded."""
    if not os.path.exists(os.path.join(root, "harden.lock")):
        return None

    return load(root)


# Objects that a cluster filled in, where they have these fields: nobody writes them by hand.
_LIVE = (
    ("autoscaling.k8s.io", "VerticalPodAutoscaler", ("status", "recommendation")),
    ("", "Pod", ("status", "containerStatuses")),
    ("spdx.softwarecomposition.kubescape.io", "ContainerProfile", ("spec",)),
    ("spdx.softwarecomposition.kubescape.io", "ApplicationProfile", ("spec",)),
)


def told_in(tree: Tree) -> Recorded | None:
    """What the objects of the given files tell that somebody exported from a cluster; None where there are none."""
    found = [
        (item.piece.file.name, item.data)
        for group, kind, place in _LIVE
        for item in tree.of(group, kind)
        if item.editable and _has_path(item.data, place)
    ]
    if not found:
        return None
    from hardener.exports.reading import told_by  # late: few trees hold an export

    owners = [(item.piece.file.name, item.data) for item in tree.of("apps", "ReplicaSet") if item.editable]
    return told_by([*found, *owners], (tree.settings.as_of or date.today()).isoformat())


def _has_path(value: object, place: tuple[str, ...]) -> bool:
    """Whether something stands at ``place``."""
    for key in place:
        value = value.get(key) if isinstance(value, dict) else None
    return bool(value)


def recorded_for(root: str, settings: Settings) -> Recorded | None:
    """What a cluster told of the tree at ``root``; the tree's own file proves nothing where nothing in the tree lowers
    the result."""
    if settings.no_waivers or not os.path.exists(os.path.join(root, "harden.evidence.yaml")):
        return None
    from hardener.exports import kept_file  # late: few trees have one

    return kept_file.load(root)
