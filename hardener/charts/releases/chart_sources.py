"""What of a tree a release may be made of: charts by their place or name, and files of values."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from hardener.charts.releases.release import Release, Values, unknown
from hardener.charts.releases.values_in_yaml import InFile
from hardener.errors import HardenError
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.overlays.overlays import Overlays
from hardener.lock.charts import archives
from hardener.lock.charts.locked import find
from hardener.lock.charts.reference import (
    OCI,
    ChartReference,
    NoReferenceError,
    in_repository,
    of_archive,
    of_registry,
)
from hardener.lock.model import NAME as LOCK
from hardener.sources import files, manifests, yaml
from hardener.sources.git import remotes as git_remotes
from hardener.support.data_path import Path, value_at
from hardener.support.version_ranges import best
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

CHART = "Chart.yaml"
DEFAULTS = "values.yaml"
PACKED = ".tgz"
_LARGEST = 4 * 1024 * 1024  # bytes of a Chart.yaml, or a file of values
_OPEN = re.compile(r"\$\{|\{\{|\$\(|<<")
_VERSIONED = re.compile(r"(.+?)-v?\d+\.\d+\.\d+\S*")


def literal(value: Any) -> str | None:
    """Return ``value`` where it is a text without an expression that is filled in later; None for anything else."""
    return value if isinstance(value, str) and value and "\0" not in value and not _OPEN.search(value) else None


def version_of(value: Any) -> str | None:
    """Return the version that ``value`` says; None where nothing does. Raises NoReferenceError for an expression."""
    if value is None or value == "":
        return None
    found = literal(value) if isinstance(value, str) else str(value)
    if found is None:
        raise NoReferenceError("its version is filled in later")
    return found


def of_address(called: str, version: str | None, repository: Any = None) -> ChartReference:
    """Return the chart that is ``called`` so, as helm takes it: a name in ``repository``, or an address of a registry
    or an archive. Raises NoReferenceError."""
    name, address = literal(called), literal(repository)
    if name is None or (repository and address is None):
        raise NoReferenceError("its chart is filled in later")
    if name.startswith(OCI):
        return of_registry(name, version)
    if "://" in name:
        return of_archive(name, version)
    if address is None:
        raise NoReferenceError(f"no repository is named for {name}")
    return in_repository(address, name, version)


class AtHand:
    """What of ``tree`` is at hand for releases."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._named: dict[tuple[str, str], dict[str, list[Object]]] = {}

    # Charts.

    def chart(self, written: str, start: str) -> str | None:
        """Return the chart of the tree at ``written``, as seen from the folder ``start``: a folder or a ``.tgz``."""
        path = self.inside(written, start)
        return path if path is not None and is_chart(path) else None

    def take(self, release: Release, asked: Callable[[], ChartReference], version: Any = None) -> None:
        """Find the chart of ``release``, which is the one that ``asked`` returns: the folder that the configuration
        gives for it counts first, then what harden.lock holds, then a chart of the tree with its name and version.
        Where ``asked`` raises NoReferenceError, the configuration and the tree may give the one that is called so, in
        ``version``."""
        wanted, found, why = literal(str(version)) if version else None, None, ""
        try:
            found = asked()
            release.called, wanted = release.called or found.name, found.wanted
        except NoReferenceError as error:
            why = str(error)
        if found is not None and not self._configured(release.called, found):
            release.asked = found
            release.chart, why = self._locked(release, found)
            if release.chart is not None:
                return
        if not release.called:
            release.missing = why
            return
        release.chart, release.missing = self.named(release.called, wanted, found, why)
        if release.chart is not None and wanted and not release.doubt:
            release.doubt = self._doubt(release.chart, release.called, wanted)

    def _locked(self, release: Release, asked: ChartReference) -> tuple[str | None, str]:
        """The archive of the chart that the lock holds for ``asked``, and why there is none."""
        lock = self.tree.lock
        charts = lock.charts if lock is not None else None
        located = find(charts, asked) if charts is not None else None
        if located is None:
            return None, "" if charts is None else f"{LOCK} does not hold {asked}"
        digest = located.chart.digest
        path = archives.kept(digest, asked.name, located.version) or self._vendored(asked.name, located.version, digest)
        if path is None:
            return None, f"the archive of {asked.name} {located.version} is not on this machine"
        release.shown = f"{asked.name} {located.version} of {asked.repository}"
        return path, ""

    def _vendored(self, name: str, version: str, digest: str) -> str | None:
        """The archive of the tree with ``digest``."""
        path = self._by_version.get((name, version.removeprefix("v")))
        return path if path and path.endswith(PACKED) and archives.digest_of(path) == digest else None

    def _doubt(self, chart: str, called: str, wanted: str) -> str:
        """What there is to say of the version of ``chart`` where it is not the one that is ``wanted``."""
        known = str((self._parsed(os.path.join(chart, CHART)) or {}).get("version") or "")
        try:
            fits = not known or best(wanted, [(known, known)]) is not None
        except ValueError:
            fits = False
        return "" if fits else f"it asks for {chart_name(called)} {wanted}, and the local chart is {known}"

    def _configured(self, called: str, asked: ChartReference | None) -> str | None:
        """The folder that the configuration gives for a chart."""
        names = [called, *([asked.place, asked.name] if asked is not None else [chart_name(called)])]
        configured = self.tree.settings.helm_charts
        return next((configured[name] for name in names if name in configured), None)

    def named(
        self, called: str, version: str | None = None, asked: ChartReference | None = None, why: str = ""
    ) -> tuple[str | None, str]:
        """Return the chart that is ``called`` so (a name, or an address that ends with it), and why it is not at hand.

        The folder that the configuration gives counts first; else a chart of the tree that has the same name and the
        same version, as it is written. To a gate that one may be another chart, where it is ``asked`` for elsewhere.
        ``why`` it is not at hand may be known before.
        """
        name = asked.name if asked is not None else chart_name(called)
        folder = self._configured(called, asked)
        if folder is not None:
            if is_chart(folder):
                return folder, ""
            return None, f"{os.path.relpath(folder)}, which the configuration gives for {name}, is no chart"
        is_strange = asked is not None and self.tree.is_gate
        if version and not is_strange and (found := self._by_version.get((name, version.removeprefix("v")))):
            return found, ""
        why = why or f"the chart {name} is not in the tree"
        return None, f"{why}; .harden.yaml may give its folder: helm.charts.{name}"

    @cached_property
    def _by_version(self) -> dict[tuple[str, str], str]:
        """The charts of the tree by name and version, those that others were given in ``charts/`` among them."""
        found: dict[tuple[str, str], str] = {}
        for path, is_link in self.tree.walk((CHART, PACKED), lambda path: False):
            if is_link:
                continue
            if path.endswith(PACKED):
                if packed := re.fullmatch(r"(.+?)-v?(\d+\.\d+\.\d+\S*)\.tgz", os.path.basename(path)):
                    found.setdefault((packed[1], packed[2]), path)
            elif os.path.basename(path) == CHART and (chart := self._parsed(path)):
                version = str(chart.get("version") or "").removeprefix("v")
                found.setdefault((str(chart.get("name")), version), os.path.dirname(path))
        return found

    def other_repository(self, addresses: list[Any]) -> str | None:
        """Return the name of the repository at ``addresses``, where none of them can be the one of the tree; None
        where one can. A fork or a mirror has the same name; what is not known is taken for the own one, as its
        folders are. To a gate only the address of a remote is the own one."""
        written = [found for address in addresses if (found := literal(address))]
        if self.tree.is_gate:
            own = git_remotes.addresses(self.tree.root)
            return next((each for each in written if git_remotes.spelled_out(each) not in own), None)
        known = self._remotes
        named = [git_remotes.name(each) for each in written]
        others = [name for name in named if name not in known]
        return others[0] if known and others and len(others) == len(addresses) else None

    @cached_property
    def _remotes(self) -> frozenset[str]:
        return git_remotes.names(self.tree.root)

    # Files.

    def inside(self, written: str, start: str) -> str | None:
        """Return the real path of ``written``, seen from ``start``, where that lies in the tree; None elsewhere."""
        if self.tree.stream or "\0" in written or "://" in written:
            return None  # around a stream there is no tree
        path = os.path.realpath(os.path.join(start, written))
        return path if files.is_inside(path, os.path.realpath(self.tree.root)) else None

    def file(self, written: str, start: str, chart: str | None) -> Values | None:
        """Return the values in the file ``written``, seen from ``start``; None where the tree has no such file."""
        path = self.inside(written, start)
        if path is None or not os.path.isfile(path):
            return None
        name = os.path.relpath(path)
        data = self._parsed(path)
        if data is None:
            return unknown(name)
        own = chart is None or path != os.path.join(chart, DEFAULTS)
        return Values(name, data, InFile(path, name), own and self.may_write(path))

    def may_write(self, path: str) -> bool:
        """Tell whether the run may change the file ``path``: it lies in the paths that were given, and is not
        excluded."""
        tree = self.tree
        given = not tree.given or any(files.is_inside(path, folder) for folder in tree.given)
        return given and not tree.stream and not tree.selection.excludes(path, False)

    def document(self, path: str) -> dict[str, Any] | None:
        """Return the first document of the file ``path`` of the tree; None for what cannot be read as values."""
        return self._parsed(path)

    def _parsed(self, path: str) -> dict[str, Any] | None:
        """The first document of a file, as helm reads it; {} for an empty one, None for what cannot be read so."""
        try:
            text = files.read_bytes(path, _LARGEST)[0].decode("utf-8-sig")
        except (files.UnreadableError, UnicodeDecodeError):
            return None
        return mapping_of(text)

    # Objects.

    def objects(
        self, path: str, wanted: Callable[[dict[str, Any]], bool] = bool, read_as: Callable[[str], str] = str
    ) -> Iterator[Object]:
        """Yield the documents of the file ``path`` that are ``wanted``, whether or not they are of Kubernetes; none of
        what cannot be read. Its text is taken as what ``read_as`` makes of it."""
        try:
            content = files.read(path)
        except files.UnreadableError:
            return
        content = replace(content, text=read_as(content.text))
        editable, name = self.may_write(path), os.path.relpath(path)
        file = manifests.load(path, name, content, editable=editable, wanted=lambda text: True)
        for piece in file.pieces:
            for index, document in enumerate(piece.data):
                if isinstance(document, dict) and wanted(document):
                    yield Object(self.tree, piece, (index,), document)

    def called(self, group: str, kind: str, name: str) -> list[Object]:
        """Return the objects of a kind that are called ``name``, patches left out."""
        known = self._named.get((group, kind))
        if known is None:
            known = self._named[group, kind] = {}
            for item in self.tree.of(group, kind):
                if "patch" not in item.classes:
                    known.setdefault(item.name, []).append(item)
        return known.get(name, [])

    def namespace(self, item: Object) -> str | None:
        """Return the namespace that ``item`` comes out in; None where it is not known, or there are several."""
        names = set(self.tree.ask(Builds).known_namespaces(item))
        return names.pop() if len(names) == 1 else None

    def patches(self, item: Object, paths: Sequence[Path]) -> list[str]:
        """Return the files of the patches of kustomize that make something else of ``item`` at one of ``paths``."""
        if not self.tree.kustomizations or item.piece.file not in self.tree.files:
            return []
        return [
            patch.piece.file.name
            for variant in self.tree.ask(Overlays).objects(item)
            if any(value_at(variant.data, path) != value_at(item.data, path) for path in paths)
            for patch in variant.chain.patches
        ]

    def is_in(self, item: Object, namespace: str | None) -> bool:
        """Tell whether ``item`` may come out in ``namespace``, as far as both are known."""
        own = self.namespace(item)
        return own is None or namespace is None or own == namespace


def writable(item: Object) -> bool:
    """Tell whether values may be written into ``item``: a run may change its file, a manifest, and nothing owns it."""
    return item.editable and not item.classes and item.piece.source.is_manifest


def mapping_of(text: str) -> dict[str, Any] | None:
    """Return the values that ``text`` holds; {} for an empty one, None where it is no mapping, a template, or
    encrypted."""
    try:
        documents = yaml.parse(text).documents
    except HardenError:
        return None
    found = next(iter(documents), None)
    if found is None:
        return {}
    if not isinstance(found, dict) or (isinstance(found.get("sops"), dict) and "mac" in found["sops"]):
        return None
    return found


def elsewhere(path: str, repository: str | None) -> str:
    """Return why there is no chart at ``path`` of a Git repository, which is that of the tree where ``repository``
    names no other."""
    if repository is None:
        return f"{path} is no chart of the tree"
    gives = f".harden.yaml may give a folder with it: helm.charts.{chart_name(path)}"
    return f"{path} lies in the repository {repository}, which harden does not clone; {gives}"


def is_chart(path: str) -> bool:
    """Tell whether ``path`` is the folder of a chart, or a packed one."""
    return os.path.isfile(os.path.join(path, CHART)) or (path.endswith(PACKED) and os.path.isfile(path))


def chart_name(called: str) -> str:
    """Return the name of the chart that is ``called`` so: the end of an address or path, without the version of a
    package."""
    name = called.rstrip("/").rpartition("/")[2]
    packed = _VERSIONED.fullmatch(name.removesuffix(PACKED)) if name.endswith(PACKED) else None
    return packed[1] if packed else name.removesuffix(PACKED)
