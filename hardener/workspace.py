"""The whole tree: every file read once, its objects, and what they say about each other.

Paths limit what is edited; evidence comes from the whole Git repository (DECISIONS 2.11).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hardener.config import NAME as CONFIG
from hardener.config import Exemption
from hardener.edits import Path, WrongShapeError
from hardener.kubernetes import kustomization as kustomize
from hardener.kubernetes.interest import is_interesting
from hardener.kubernetes.pod_template import PARTIAL_KINDS, POD_KINDS, partial_specs, templates
from hardener.sources import files, manifests
from hardener.sources.files import Content, UnreadableError
from hardener.sources.manifests import ManifestFile, Piece
from hardener.views import (
    Container,
    KustomizedImage,
    Namespace,
    Object,
    OpaqueError,
    PodTemplate,
    Service,
    ServiceAccount,
)

if TYPE_CHECKING:
    from hardener.builds import Builds
    from hardener.connections import Connections
    from hardener.image_sources import ImageSources
    from hardener.lock import Lock
    from hardener.relations import Relations
    from hardener.resource_policies import ResourcePolicies
    from hardener.waivers import Waivers

_OPENSHIFT = frozenset({"route.openshift.io", "security.openshift.io", "apps.openshift.io"})

_NAMESPACE = re.compile(r"""namespace["']?[ \t]*:[ \t]*["']?([a-z0-9][a-z0-9-]*)""")


@dataclass(slots=True)
class Problem:
    """A file that is left alone, and why."""

    id: str
    path: str
    name: str
    message: str
    advice: str


@dataclass(slots=True)
class Settings:
    """What a run is told about the cluster: the oldest version it has, and its platform where the tree cannot say."""

    kubernetes_version: tuple[int, int] = (1, 35)
    platform: str | None = None
    exemptions: tuple[Exemption, ...] = ()
    peer_marks: bool = True
    as_of: date | None = None  # the day on which exemptions end or not; None is today


@dataclass(eq=False)
class Workspace:
    """All files of a run. ``stream``: the input is standard input, there is no tree around it."""

    root: str
    settings: Settings = field(default_factory=Settings)
    stream: bool = False
    files: list[ManifestFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    charts: dict[str, tuple[Problem, list[str]]] = field(default_factory=dict)  # templates by folder of their chart
    patch_files: set[str] = field(default_factory=set)
    kustomizations: dict[str, Object] = field(default_factory=dict)  # by folder
    skaffold: list[Object] = field(default_factory=list)  # documents of skaffold.yaml
    lock: Lock | None = None
    waivers: Waivers | None = None  # of the run that is under way
    named_namespaces: Counter[str] = field(default_factory=Counter)  # in any file, by how often it is named
    unread_evidence: int = 0

    @classmethod
    def read(
        cls,
        paths: list[str],
        *,
        root: str,
        settings: Settings | None = None,
        progress: Callable[[str], object] = lambda name: None,
    ) -> Workspace:
        """Read ``paths`` (real paths of files and folders) for editing and all of ``root`` as evidence."""
        workspace = cls(root=root, settings=settings or Settings(), lock=lock_of(root))
        seen: set[str] = set()
        for path in paths:
            named = [(path, False)] if not os.path.isdir(path) else files.walk(path)
            for name, is_link in named:
                workspace._take(name, is_link, editable=True, within=path, seen=seen)
                progress(name)
        for name, is_link in files.walk(root):
            if not is_link and name not in seen:
                workspace._take(name, is_link, editable=False, within=root, seen=seen)
                progress(name)
        return workspace

    @classmethod
    def from_text(cls, text: str, settings: Settings | None = None, lock: Lock | None = None) -> Workspace:
        """A workspace of one stream, which has no evidence around it but a lock."""
        workspace = cls(root=os.getcwd(), settings=settings or Settings(), stream=True, lock=lock)
        content = Content(text.removeprefix("\ufeff"), text.startswith("\ufeff"), 0, 0)
        workspace.files.append(manifests.load("", "<stdin>", content, editable=True, wanted=is_interesting))
        return workspace

    def _take(self, path: str, is_link: bool, *, editable: bool, within: str, seen: set[str]) -> None:
        real = os.path.realpath(path) if is_link else path
        if real in seen or os.path.basename(real) == CONFIG:
            return
        name = os.path.relpath(path)
        if is_link:
            inside = real == within or real.startswith(within.rstrip(os.sep) + os.sep)
            if not inside:
                advice = "name its target to have it hardened"
                self.problems.append(Problem("symbolic-link", path, name, "a symbolic link out of the tree", advice))
                return
            if os.path.exists(real):
                return  # met on its own path
        seen.add(real)
        try:
            content = files.read(real)
        except UnreadableError as error:
            if editable:
                self.problems.append(Problem(error.id, real, name, error.message, error.advice))
            else:
                self.unread_evidence += 1
            return
        self.named_namespaces.update(_NAMESPACE.findall(content.text))
        if os.path.basename(real) in kustomize.NAMES:
            file = manifests.load(real, name, content, editable=editable, wanted=lambda text: True)
            self._read_kustomization(file)
            self.files.append(file)
            return
        if os.path.basename(real).startswith("skaffold"):
            file = manifests.load(real, name, content, editable=False, wanted=lambda text: "skaffold/" in text)
            self.skaffold += self._documents(file)
        if not is_interesting(content.text):
            return
        chart = _chart_of(real)
        if chart is not None:
            if editable:
                self._add_template(chart, name, real)
            return
        self.files.append(manifests.load(real, name, content, editable=editable, wanted=is_interesting))

    def _add_template(self, chart: str, name: str, path: str) -> None:
        """Count a template of the Helm chart in folder ``chart``; one record says it for all of them."""
        found = self.charts.get(chart)
        if found is None:
            found = self.charts[chart] = (
                Problem("template", path, name, "a template of a Helm chart", manifests.RENDER),
                [],
            )
            self.problems.append(found[0])
        found[1].append(name)
        if len(found[1]) > 1:
            found[0].message = f"a template of a Helm chart, like {len(found[1]) - 1} more files of it"

    def _read_kustomization(self, file: ManifestFile) -> None:
        folder = os.path.dirname(file.path)
        for item in self._documents(file):
            if kustomize.is_kustomization(item.data):
                self.kustomizations[folder] = item
                for name in kustomize.patch_names(item.data):
                    self.patch_files.add(os.path.realpath(os.path.join(folder, name)))

    def _documents(self, file: ManifestFile) -> Iterator[Object]:
        for piece in file.pieces:
            for index, document in enumerate(piece.data):
                if isinstance(document, dict):
                    yield Object(self, piece, (index,), document)

    # What the tree holds.

    @cached_property
    def objects(self) -> list[Object]:
        """Every Kubernetes object that was parsed, items of Lists one by one, in the order of files and lines."""
        return [item for file in self.files for piece in file.pieces for item in self._objects_of(piece)]

    def object_at(self, piece: Piece, path: Path) -> Object:
        """The object of ``piece`` in which ``path`` stands."""
        found = self._objects_by_piece.get(piece) or [item for item in self.objects if item.piece is piece]
        return next(item for item in found if path[: len(item.path)] == item.path)

    @cached_property
    def _objects_by_piece(self) -> dict[Piece, list[Object]]:
        found: dict[Piece, list[Object]] = {}
        for item in self.objects:
            found.setdefault(item.piece, []).append(item)
        return found

    def _objects_of(self, piece: Piece) -> Iterator[Object]:
        for index, document in enumerate(piece.data):
            yield from self._unroll(piece, (index,), document)

    def _unroll(self, piece: Piece, path: tuple[str | int, ...], value: Any) -> Iterator[Object]:
        if not isinstance(value, dict) or not isinstance(value.get("kind"), str) or "apiVersion" not in value:
            return
        if kustomize.is_kustomization(value):
            return
        if value["kind"].endswith("List") and isinstance(value.get("items"), list):
            for index, item in enumerate(value["items"]):
                if isinstance(item, dict) and "kind" not in item and value["kind"] != "List":
                    continue  # items of a typed list without their own kind are not what kubectl writes
                yield from self._unroll(piece, (*path, "items", index), item)
        else:
            yield Object(self, piece, path, value)

    @cached_property
    def pod_templates(self) -> list[PodTemplate]:
        """Every pod template."""
        found = []
        for item in self.objects:
            if item.kind in POD_KINDS:
                for path in templates(item.data):
                    spec = item.view(*path, "spec")
                    found.append(PodTemplate(item, spec.path[:-1], spec.data))
            if item.kind in PARTIAL_KINDS:
                for path in partial_specs(item.data):
                    spec = item.view(*path)
                    found.append(PodTemplate(item, spec.path[:-1], spec.data, key=str(path[-1]), partial=True))
        return found

    def targets(self, each: type) -> Iterable[Any]:
        """The targets of a transform that visits ``each``, those of files that may be edited only."""
        return self._targets[each]

    @cached_property
    def _targets(self) -> dict[type, list[Any]]:
        pods = [pod for pod in self.pod_templates if pod.object.editable]
        containers: list[Container] = []
        for pod in pods:
            try:
                containers += pod.containers
            except (OpaqueError, WrongShapeError):  # the first transform that visits the pod says so
                continue
        services = [Service(o, o.path, o.data) for o in self.of("", "Service") if o.editable]
        accounts = [ServiceAccount(o, o.path, o.data) for o in self.of("", "ServiceAccount") if o.editable]
        namespaces = [space for space in self.namespaces.values() if space.object.editable]
        return {
            PodTemplate: pods,
            Container: containers,
            Service: services,
            ServiceAccount: accounts,
            Namespace: namespaces,
            KustomizedImage: [entry for entry in self.image_sources.entries if entry.object.editable],
        }

    @cached_property
    def image_sources(self) -> ImageSources:
        """What decides about images beside the manifests that name them."""
        from hardener.image_sources import collect

        return collect(self)

    @cached_property
    def namespaces(self) -> dict[str | None, Namespace]:
        """What the tree shows of each namespace, by name; None holds the objects that name none."""
        from hardener.namespaces import collect

        return collect(self)

    def of(self, group: str, kind: str) -> list[Object]:
        """Every object of an API group ("" for the core) and kind."""
        return [item for item in self.objects if item.kind == kind and item.group == group]

    # What it says about itself.

    @cached_property
    def platform(self) -> str | None:
        """ "openshift" where the configuration or a file that may be edited says so (DECISIONS 4), else None.

        Files beside them do not: a repository may hold the manifests of several clusters.
        """
        return self.settings.platform or ("openshift" if any(item.editable for item in self.openshift_signs) else None)

    @cached_property
    def openshift_signs(self) -> list[Object]:
        """Objects of kinds that only OpenShift has."""
        return [item for item in self.objects if item.group in _OPENSHIFT]

    @cached_property
    def builds(self) -> Builds:
        """What the kustomizations of the tree build, and in which namespaces."""
        from hardener.builds import collect

        return collect(self)

    @cached_property
    def connections(self) -> Connections:
        """Who talks to whom, as far as the manifests show."""
        from hardener.connections import collect

        return collect(self)

    @cached_property
    def relations(self) -> Relations:
        """Which objects of the tree name or select each other."""
        from hardener.relations import Relations

        return Relations(self)

    @cached_property
    def resource_policies(self) -> ResourcePolicies:
        """What has a say in the requests and limits of workloads: autoscalers, LimitRanges, quotas."""
        from hardener.resource_policies import ResourcePolicies

        return ResourcePolicies(self)


def lock_of(root: str) -> Lock | None:
    """The lock of the tree; most trees have none, and then its reader is not even loaded."""
    if not os.path.exists(os.path.join(root, "harden.lock")):
        return None
    from hardener.lock import load

    return load(root)


def _chart_of(path: str) -> str | None:
    """The folder of the Helm chart whose template ``path`` is, None for any other file."""
    folder = os.path.dirname(path)
    while folder != os.path.dirname(folder):
        above = os.path.dirname(folder)
        if os.path.basename(folder) == "templates" and os.path.exists(os.path.join(above, "Chart.yaml")):
            return above
        folder = above
    return None
