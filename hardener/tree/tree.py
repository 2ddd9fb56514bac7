"""The whole tree: every file read once, its objects, and what they say about each other.

Paths limit what is edited; evidence comes from the whole Git repository (DECISIONS 2.11).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Set
from dataclasses import field
from datetime import date
from functools import cached_property
from types import UnionType
from typing import TYPE_CHECKING, Any

from hardener.authoring.config import Exemption
from hardener.authoring.edits import Evidence, Path
from hardener.facts.cluster import platforms
from hardener.facts.cluster.platforms import OPENSHIFT
from hardener.kubernetes.pod_template import PARTIAL_KINDS, POD_KINDS, partial_specs, templates
from hardener.kubernetes.rendered import RENDERED_ELSEWHERE
from hardener.sources.manifests import ManifestFile, Piece
from hardener.support.fast_dataclass import dataclass
from hardener.tree import objects as piece_objects
from hardener.tree import reader
from hardener.tree.core_views import Namespace, Object, PodTemplate
from hardener.tree.reader import Problem

if TYPE_CHECKING:
    from hardener.authoring.transform import Visit
    from hardener.engine.targets import Targets
    from hardener.engine.waivers import Waivers
    from hardener.facts.access.account_use import ServiceAccounts
    from hardener.facts.access.admission.guardrails import Guardrails
    from hardener.facts.access.audit_log import AuditLog
    from hardener.facts.access.grants import Access
    from hardener.facts.images.chart_images import HelmImage
    from hardener.facts.images.image_overrides import ImageSources
    from hardener.facts.kustomize.builds import Builds
    from hardener.facts.kustomize.overlays import Overlays, Unpatched
    from hardener.facts.network.connections import Connections
    from hardener.facts.network.network_policies import Isolation
    from hardener.facts.objects.config_data import ConfigSources
    from hardener.facts.objects.object_links import Relations
    from hardener.facts.objects.resource_limits import ResourcePolicies
    from hardener.lock.model import Lock
    from hardener.tree.pod_fragments import Fragment
    from hardener.tree.terraform_blocks import Terraform


@dataclass(slots=True)
class Settings:
    """What a run is told about the cluster: the oldest version it has, and its platform where the tree cannot say."""

    kubernetes_version: tuple[int, int] = (1, 35)
    platform: str | None = None
    exemptions: tuple[Exemption, ...] = ()
    peer_marks: bool = True
    as_of: date | None = None  # the day on which exemptions end or not; None is today
    namespaces: tuple[tuple[str, str], ...] = ()  # of objects that name none: pattern of files, namespace
    out_of_band: str | None = None  # where files for hosts go; None is harden-host at the root
    secrets_out: str | None = None  # where the values of secrets go
    policy_engine: str | None = None
    audit_logs: tuple[str, ...] = ()


@dataclass(eq=False)
class Tree:
    """All files of a run. ``stream``: the input is standard input, there is no tree around it."""

    root: str
    settings: Settings = field(default_factory=Settings)
    stream: bool = False
    files: list[ManifestFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    charts: dict[str, tuple[Problem, list[str]]] = field(default_factory=dict)  # templates by folder of their chart
    drafted: dict[str, ManifestFile] = field(default_factory=dict)  # new files by path, made or not
    patch_files: set[str] = field(default_factory=set)
    kustomizations: dict[str, Object] = field(default_factory=dict)  # by folder
    skaffold: list[Object] = field(default_factory=list)  # documents of skaffold.yaml
    values: list[Object] = field(default_factory=list)  # documents of the values of Helm charts
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
    ) -> Tree:
        """Read ``paths`` (real paths of files and folders) for editing and all of ``root`` as evidence."""
        tree = cls(root=root, settings=settings or Settings(), lock=lock_of(root))
        reader.read_tree(tree, paths, progress)
        return tree

    @classmethod
    def from_text(cls, text: str, settings: Settings | None = None, lock: Lock | None = None) -> Tree:
        """A tree of one stream, which has no evidence around it but a lock."""
        tree = cls(root=os.getcwd(), settings=settings or Settings(), stream=True, lock=lock)
        reader.read_text(tree, text)
        return tree

    # What the tree holds.

    @cached_property
    def objects(self) -> list[Object]:
        """Every Kubernetes object that was parsed, items of Lists one by one, in the order of files and lines."""
        return [item for file in self.files for piece in file.pieces for item in piece_objects.of(self, piece)]

    @cached_property
    def terraform(self) -> Terraform:
        """The blocks of the Terraform files."""
        from hardener.tree.terraform_blocks import Terraform

        return Terraform(self)

    @property
    def terraform_files(self) -> list[ManifestFile]:
        """The Terraform files."""
        return [file for file in self.files if file.is_terraform]

    @cached_property
    def fragments(self) -> list[Fragment]:
        """The parts of objects that programs make, see ``hardener.tree.pod_fragments``."""
        if not any(file.is_python for file in self.files):
            return []
        from hardener.tree.pod_fragments import of

        return of(self)

    @property
    def everything(self) -> Iterable[Object]:
        """The objects, then the fragments, then the blocks of Terraform."""
        return [*self.objects, *self.fragments, *(self.terraform.blocks if self.terraform_files else ())]

    def object_at(self, piece: Piece, path: Path) -> Object:
        """The object of ``piece`` in which ``path`` stands."""
        starts = (path[:length] for length in range(1, len(path) + 1))
        return next(self._by_place[piece, start] for start in starts if (piece, start) in self._by_place)

    def file_at(self, path: str) -> ManifestFile | None:
        """The file with the real path ``path``, those that the run makes included."""
        return self._by_path.get(path)

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
        if file.is_terraform:
            self.terraform.add(item)
            return
        self._by_kind.setdefault((item.group, item.kind), []).append(item)
        if file.path not in self._by_path:
            self._by_path[file.path] = file
            self.files.append(file)
        self.objects.append(item)
        file.pieces.append(item.piece)

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
        self.terraform.remove(pieces)
        for index in ("_by_kind", "_by_place"):
            self.__dict__.pop(index, None)

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

    @property
    def pods_and_parts(self) -> list[PodTemplate]:
        """Every pod template, then those that fragments are."""
        return [*self.pod_templates, *(pod for item in self.fragments for pod in item.pods)]

    @cached_property
    def _targets(self) -> Targets:
        from hardener.engine.targets import Targets

        return Targets(self)

    def targets(self, each: type | UnionType) -> Iterable[Any]:
        """The targets of a transform that visits ``each``, those of files that may be edited only."""
        return self._targets.of(each)

    def target_around(self, each: type | UnionType, piece: Piece, path: Path) -> Any:
        """The innermost target of a transform that visits ``each`` around a place; None where there is none."""
        return self._targets.around(each, self.targets, piece, path)

    def may_hold(self, visits: Iterable[Visit]) -> bool:
        """Whether there may be a target of ``visits``; their classes are not loaded."""
        return self._targets.may_be(visits)

    @property
    def kinds(self) -> Set[tuple[str, str]]:
        """The API group and kind of every object."""
        return self._by_kind.keys()

    @cached_property
    def image_sources(self) -> ImageSources:
        """What decides about images beside the manifests that name them."""
        from hardener.facts.images.image_overrides import collect

        return collect(self)

    @cached_property
    def helm_images(self) -> list[HelmImage]:
        """The images that values of Helm charts name; nothing is loaded for a tree without."""
        if not self.values and self.kinds.isdisjoint(RENDERED_ELSEWHERE):
            return []
        from hardener.facts.images.chart_images import collect

        return collect(self)

    @cached_property
    def namespaces(self) -> dict[str | None, Namespace]:
        """What the tree shows of each namespace, by name; None holds the objects that name none."""
        from hardener.facts.objects.namespace_contents import collect

        return collect(self)

    @cached_property
    def unseen_sources(self) -> dict[str | None, list[Evidence]]:
        """What points at pods that the tree does not show, by their namespace."""
        from hardener.facts.objects.hidden_pods import collect

        return collect(self)

    @cached_property
    def pod_makers(self) -> dict[str | None, list[Evidence]]:
        """What may make pods by itself, by namespace; asked once roles and bindings are settled."""
        from hardener.facts.access.makers import collect

        return collect(self)

    def of(self, group: str, kind: str) -> list[Object]:
        """Every object of an API group ("" for the core) and kind."""
        return list(self._by_kind.get((group, kind), ()))

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
        return [item for item in self.objects if item.group in OPENSHIFT]

    @property
    def policy_signs(self) -> bool:
        """Whether an object, or the command line, has to do with admission policies."""
        groups = {group for group, _ in self.kinds}
        return bool(self.settings.policy_engine) or not groups.isdisjoint(platforms.POLICIES)

    @cached_property
    def platform_signs(self) -> dict[str, Object]:
        """The platforms that the files that may be edited are for, each with the first object that tells."""
        return platforms.signs(self)

    @cached_property
    def cni_meshes(self) -> dict[str, Evidence]:
        """The service meshes whose sidecars need no privilege, with the sign of it."""
        from hardener.facts.objects.injected_sidecars import cni_meshes

        return cni_meshes(self)

    @cached_property
    def builds(self) -> Builds:
        """What the kustomizations of the tree build, and in which namespaces."""
        from hardener.facts.kustomize.builds import collect

        return collect(self)

    @cached_property
    def overlays(self) -> Overlays | Unpatched:
        """What the kustomizations of the tree make of its pods."""
        from hardener.facts.kustomize import overlays

        return overlays.Overlays(self) if self.kustomizations else overlays.Unpatched()

    @cached_property
    def connections(self) -> Connections:
        """Who talks to whom, as far as the manifests show."""
        from hardener.facts.network.connections import collect

        return collect(self)

    @cached_property
    def isolation(self) -> Isolation:
        """Which NetworkPolicies of the tree select which pods, as read."""
        from hardener.facts.network.network_policies import Isolation

        return Isolation(self)

    @cached_property
    def relations(self) -> Relations:
        """Which objects of the tree name or select each other."""
        from hardener.facts.objects.object_links import Relations

        return Relations(self)

    @cached_property
    def accounts(self) -> ServiceAccounts:
        """Which pods run as which service account, and what rights it has."""
        from hardener.facts.access.account_use import ServiceAccounts

        return ServiceAccounts(self)

    @cached_property
    def access(self) -> Access:
        """Which binding gives which role to whom."""
        from hardener.facts.access.grants import Access

        return Access(self)

    @cached_property
    def config_sources(self) -> ConfigSources:
        """What ConfigMaps and Secrets show of the containers that read them."""
        from hardener.facts.objects.config_data import ConfigSources

        return ConfigSources(self)

    @cached_property
    def audit_log(self) -> AuditLog | None:
        """What the audit logs that the run was given show; None without one. Raises HardenError where one is wrong."""
        if not self.settings.audit_logs:
            return None
        from hardener.facts.access import audit_log

        return audit_log.read(self.settings.audit_logs)

    @cached_property
    def guardrails(self) -> Guardrails:
        """Which admission policies the tree holds, and where more of them belong."""
        from hardener.facts.access.admission.guardrails import Guardrails

        return Guardrails(self)

    @cached_property
    def resource_policies(self) -> ResourcePolicies:
        """What has a say in the requests and limits of workloads: autoscalers, LimitRanges, quotas."""
        from hardener.facts.objects.resource_limits import ResourcePolicies

        return ResourcePolicies(self)


def lock_of(root: str) -> Lock | None:
    """The lock of the tree; most trees have none, and then its reader is not even loaded."""
    if not os.path.exists(os.path.join(root, "harden.lock")):
        return None
    from hardener.lock.model import load

    return load(root)
