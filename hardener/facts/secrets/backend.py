"""Where secrets of a cluster live beside Git, as the tree or the profile says it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from hardener.authoring.edits import Evidence, WrongShapeError
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.pods.operator_pods import RENDERED_ELSEWHERE
from hardener.kubernetes.secrets.external_secret import GROUP, PROVIDERS, STORES
from hardener.tree.core_views import Container, Object, OpaqueError
from hardener.tree.tree import Tree

NAMES = ("external-secrets", "sealed-secrets", "sops", "secret")
_CHART = "external-secrets"
_IMAGE = re.compile(r"(?:^|/)external-secrets/external-secrets:v?(\d+)\.(\d+)")
_REPOSITORY = "external-secrets/external-secrets"
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_FIRST_WITH_V1 = (0, 16)  # the release
_REFERENCE = ("spec", "secretStoreRef")
_DEFAULT_STORE = ("ClusterSecretStore", "vault-backend")


class Backend(Struct, frozen=True):
    """One of ``NAMES``, and what shows that it is the one; nothing where it is only the default."""

    name: str
    shown: Evidence | None


class Store(Struct, frozen=True):
    """A store of the External Secrets Operator: kind, name, its provider ("vault", "aws", "gcp", "azure" or "") and the
    mount of a Vault. ``seen`` tells whether it is in the tree, or read by something that is."""

    kind: str
    name: str
    provider: str = ""
    mount: str = "secret"
    seen: bool = False


class Backends:
    """What the tree says; looked at once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._stores = [item for kind in STORES for item in tree.of(GROUP, kind)]
        self._readers = [item for item in tree.of(GROUP, "ExternalSecret") if not item.piece.is_new]
        self._shown = dict(self._signs())
        self._asked: list[Evidence | None] = []

    def _signs(self) -> Iterator[tuple[str, Evidence]]:
        tree = self._tree
        for kind in ("ExternalSecret", "ClusterExternalSecret", *STORES):
            # One that reads the usual store, where the tree has none, was written by an earlier run, and shows nothing.
            shown = (item for item in tree.of(GROUP, kind) if kind != "ExternalSecret" or self._store_of(item))
            for item in islice(shown, 1):
                yield "external-secrets", item.fact(f"{item} shows the External Secrets Operator")
        for item in tree.of("bitnami.com", "SealedSecret")[:1]:
            yield "sealed-secrets", item.fact(f"{item} shows Sealed Secrets")
        if os.path.exists(os.path.join(tree.root, ".sops.yaml")):
            yield "sops", Evidence(".sops.yaml shows SOPS")
            return
        for file in tree.files:
            if any(piece.problem is not None and piece.problem[0] == "sops" for piece in file.pieces):
                yield "sops", Evidence(f"{file.name} is encrypted by SOPS")
                return

    def chosen(self, wanted: str, store: str = "") -> Backend:
        """The backend ``wanted`` of the profile; for "auto" the first of ``NAMES`` that the tree, or a ``store`` in the
        profile, shows, else the first of all."""
        if store and wanted not in NAMES[1:]:
            shown = self._shown.get(NAMES[0]) or Evidence(f"the profile says secrets.store: {store}")
            return Backend(NAMES[0], shown)
        if wanted in NAMES:
            return Backend(wanted, self._shown.get(wanted) or Evidence(f"the profile says secrets.backend: {wanted}"))
        found = next((name for name in NAMES if name in self._shown), None)
        return Backend(found or NAMES[0], self._shown.get(found) if found else None)

    def store(self, item: Object, wanted: str) -> Store | str:
        """The store for secrets of ``item``: ``wanted`` (kind/name) of the profile, the only one that it can use, the
        only one that ExternalSecrets beside it name, or the usual one; a text says why it cannot be told."""
        kind, _, name = wanted.partition("/")
        usable = self._usable(item)
        if wanted:
            if kind not in STORES or not name:
                return f"secrets.store: {wanted} is not {STORES[0]}/NAME or {STORES[1]}/NAME"
            return next((store for store in usable if (store.kind, store.name) == (kind, name)), Store(kind, name))
        usable = usable or self._named(item)
        if len(usable) > 1:
            names = ", ".join(f"{store.kind}/{store.name}" for store in usable)
            return f"the tree has several stores ({names}): say which with secrets.store"
        return usable[0] if usable else Store(*_DEFAULT_STORE)

    def _usable(self, item: Object) -> list[Store]:
        builds = self._tree.ask(Builds)
        found: dict[tuple[str, str], Store] = {}
        for store in self._stores:
            if store.kind == "ClusterSecretStore" or builds.meet(store, item):
                found.setdefault((store.kind, store.name), _store(store))
        return list(found.values())

    def _named(self, item: Object) -> list[Store]:
        """The stores that ExternalSecrets beside ``item`` read, which are of another tree."""
        builds = self._tree.ask(Builds)
        found: dict[tuple[str, str], Store] = {}
        for reader in self._readers:
            store = self._store_of(reader)
            if store is not None and (store.kind == "ClusterSecretStore" or builds.meet(reader, item)):
                found.setdefault((store.kind, store.name), store)
        return list(found.values())

    def _store_of(self, reader: Object) -> Store | None:
        """The store that an ExternalSecret names; None for the usual one where the tree does not have it."""
        try:
            kind, name = reader.text(*_REFERENCE, "kind") or STORES[0], reader.text(*_REFERENCE, "name")
        except (OpaqueError, WrongShapeError):
            return None
        known = any((store.kind, store.name) == (kind, name) for store in self._stores)
        if not name or kind not in STORES or ((kind, name) == _DEFAULT_STORE and not known):
            return None
        return Store(kind, name, seen=True)

    def keys(self) -> Iterator[tuple[Object, str]]:
        """The ExternalSecrets of the tree with the keys that they read in their stores."""
        for item in self._tree.of(GROUP, "ExternalSecret"):
            for key in _keys(item.data.get("spec")):
                yield item, key

    def serves_v1(self) -> Evidence | None:
        """What shows that the cluster serves v1 of the API; see the function."""
        if not self._asked:
            self._asked.append(serves_v1(self._tree))
        return self._asked[0]

    def installed_by(self) -> Evidence | None:
        """What decides which release of the operator runs; see the function."""
        return installed_by(self._tree)

    def logs_in_with(self, name: str) -> Object | None:
        """The store that logs in with the Secret ``name``, which it can therefore not hold itself."""
        return next((store for store in self._stores if name in _names(store.data.get("spec"))), None)


def _store(item: Object) -> Store:
    spec = item.data.get("spec")
    provider = spec.get("provider") if isinstance(spec, dict) else None
    key = next(iter(provider), "") if isinstance(provider, dict) else ""
    settings = provider.get(key) if isinstance(provider, dict) else None
    mount = settings.get("path") if isinstance(settings, dict) else None
    return Store(item.kind, item.name, PROVIDERS.get(key, ""), mount if isinstance(mount, str) else "secret", True)


def _keys(node: object) -> Iterator[str]:
    """The values of `key` in any `remoteRef` below ``node``."""
    if isinstance(node, dict):
        reference = node.get("remoteRef")
        if isinstance(reference, dict) and isinstance(reference.get("key"), str):
            yield reference["key"]
        for value in node.values():
            yield from _keys(value)
    elif isinstance(node, list):
        for value in node:
            yield from _keys(value)


def _names(node: object) -> Iterator[str]:
    """The values of `name` in any reference to a Secret below ``node``."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, dict) and "secretref" in str(key).lower() and isinstance(value.get("name"), str):
                yield value["name"]
            yield from _names(value)
    elif isinstance(node, list):
        for value in node:
            yield from _names(value)


def serves_v1(tree: Tree) -> Evidence | None:
    """What shows a release of the External Secrets Operator that serves v1 of its API: its image, its chart, an object
    of that version."""
    return next(_signs_of_v1(tree), None)


def _signs_of_v1(tree: Tree) -> Iterator[Evidence]:
    for container, image in _images(tree):
        if _serves_v1(_IMAGE.search(image)):
            yield container.fact("the operator is new enough", "image")
    for item in tree.objects:
        if _is_of_v1(item):
            yield item.fact(f"{item} has that version already", "apiVersion")
        if _installs_v1(item):
            yield item.fact(f"{item} installs a release that is new enough")
    for block in tree.blocks.of("helm_release") if tree.block_files else ():
        if _is_chart(block.literal("chart")) and _serves_v1(_VERSION.match(str(block.literal("version")))):
            yield block.fact(f"{block} installs a release that is new enough", "version")


def _images(tree: Tree) -> Iterator[tuple[Container, str]]:
    """The containers of all pods with their images, of each pod as far as it can be read."""
    for pod in tree.pod_templates:
        try:
            yield from ((container, container.text("image") or "") for container in pod.containers)
        except (OpaqueError, WrongShapeError):
            continue


def _is_of_v1(item: Object) -> bool:
    """Whether ``item`` was read in v1 of the operator's API: no run has made or changed it."""
    is_v1 = item.group == GROUP and item.data.get("apiVersion") == f"{GROUP}/v1"
    return is_v1 and not item.piece.is_new and not item.piece.revision


def _installs_v1(item: Object) -> bool:
    """Whether ``item`` has a release of the operator's chart rendered that serves v1."""
    if (item.group, item.kind) not in RENDERED_ELSEWHERE:
        return False
    return any(name == _CHART and _serves_v1(_VERSION.match(version)) for name, version in _charts(item.data))


def installed_by(tree: Tree) -> Evidence | None:
    """What in the tree decides which release of the External Secrets Operator runs: its pod, its chart, a block of
    Terraform; None where nothing does."""
    return next(_installers(tree), None)


def _installers(tree: Tree) -> Iterator[Evidence]:
    for container, image in _images(tree):
        if _REPOSITORY in image:
            yield container.fact(f"{container.pod.object} runs it", "image")
    for item in tree.objects:
        if (item.group, item.kind) in RENDERED_ELSEWHERE and _CHART in _named_charts(item.data):
            yield item.fact(f"{item} installs it")
    for block in tree.blocks.of("helm_release", "module") if tree.block_files else ():
        if any(_CHART in text.replace("_", "-") for text in block.texts()):
            yield block.fact(f"{block} installs it")


def _is_chart(name: object) -> bool:
    return str(name).rpartition("/")[2] == _CHART


def _serves_v1(version: re.Match[str] | None) -> bool:
    return version is not None and (int(version[1]), int(version[2])) >= _FIRST_WITH_V1


def _named_charts(node: object) -> Iterator[str]:
    """The names of the charts that an object names anywhere."""
    if isinstance(node, dict):
        if isinstance(node.get("chart"), str):
            yield node["chart"].rpartition("/")[2]
        for value in node.values():
            yield from _named_charts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _named_charts(value)


def _charts(node: object) -> Iterator[tuple[str, str]]:
    """Names and versions of the charts that an object names anywhere."""
    if isinstance(node, dict):
        version = node.get("version") or node.get("targetRevision")
        if isinstance(node.get("chart"), str) and isinstance(version, str | float):
            yield node["chart"].rpartition("/")[2], str(version)
        for value in node.values():
            yield from _charts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _charts(value)
