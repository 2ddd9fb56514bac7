"""What ConfigMaps and Secrets show of the containers that read them: whether these use the Kubernetes API, and which
folders they write to.

Each of them is read once. What a Secret holds is never part of an answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from hardener.authoring.edits import Evidence
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.which_copy import Nearby
from hardener.kubernetes.pods.api_settings import api_settings
from hardener.kubernetes.pods.configured_folders import written_folders
from hardener.kubernetes.pods.io_uring import io_uring_settings
from hardener.kubernetes.secrets.secret_values import decoded
from hardener.sources import files
from hardener.sources.files import UnreadableError
from hardener.support.data_path import Path
from hardener.support.shapes import mappings, texts
from hardener.tree.core_views import Container, Object, View
from hardener.tree.fact import AsRead
from hardener.tree.tree import Tree

_GENERATORS = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}
_LARGEST_FILE = 1024 * 1024  # of those that a kustomization makes a ConfigMap of, as etcd takes them
Reference = tuple[str, str, frozenset[str] | None]  # kind, name, and keys or None for all of them


class _Sign(Struct, frozen=True):
    """A key whose text shows use of the API, by what, and where it stands in its object."""

    key: str
    sign: str
    path: Path


class _Settings(AsRead):
    """The ConfigMaps and Secrets, and what kustomizations generate them from, whose text shows what is looked for."""

    _kinds: tuple[str, ...] = ("ConfigMap", "Secret")

    @staticmethod
    def _find(text: str | None) -> Sequence[str]:
        """What ``text`` shows."""
        raise NotImplementedError

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._signs: dict[int, list[_Sign]] = {}  # by the id of the object
        self._near: dict[tuple[str, str], Nearby] = {}
        self._generated: dict[tuple[str, str], list[tuple[Object, list[_Sign]]]] = {}
        for kind in self._kinds:
            known: dict[str, list[Object]] = {}
            for item in tree.of("", kind):
                known.setdefault(item.name, []).append(item)
                if signs := list(self._signs_in(_texts(item))):
                    self._signs[id(item)] = signs
            for name, items in known.items():
                if any(id(item) in self._signs for item in items):  # all of them, since the nearest one counts
                    self._near[kind, name] = Nearby(tree.ask(Builds), items)
        for folder, item in tree.kustomizations.items():
            for kind in self._kinds:
                field = _GENERATORS[kind]
                for index, generator in enumerate(mappings(item.data.get(field))):
                    signs = list(self._signs_in(self._generator(folder, generator, (field, index))))
                    if signs:
                        name = str(generator.get("name"))
                        self._generated.setdefault((kind, name), []).append((item, signs))

    def _shown(self, container: Container) -> Iterator[tuple[Object, str, str, _Sign]]:
        """The object, kind, name and sign of what ``container`` reads. Raises WrongShapeError."""
        if not self._near and not self._generated:
            return
        for kind, name, keys in references(container):
            for item, signs in self._called(kind, name, container.object):
                yield from ((item, kind, name, sign) for sign in signs if keys is None or sign.key in keys)

    def _signs_in(self, texts: Iterator[tuple[str, str | None, Path]]) -> Iterator[_Sign]:
        for key, text, path in texts:
            yield from (_Sign(key, found, path) for found in self._find(text))

    def _called(self, kind: str, name: str, item: Object) -> Iterator[tuple[Object, list[_Sign]]]:
        near = self._near.get((kind, name))
        for found in near.of(item) if near is not None else ():
            yield found, self._signs.get(id(found), [])
        generated = self._generated.get((kind, name))
        if generated:
            layers = {id(layer) for layer in self._tree.ask(Builds).layers(item)}
            yield from (entry for entry in generated if id(entry[0]) in layers)

    def _generator(self, folder: str, generator: dict[str, Any], path: Path) -> Iterator[tuple[str, str | None, Path]]:
        """Key, text and place of what a kustomization in ``folder`` makes a ConfigMap or Secret of."""
        for index, line in enumerate(texts(generator.get("literals"))):
            key, _, value = line.partition("=")
            yield key, value, (*path, "literals", index)
        for index, line in enumerate(texts(generator.get("files"))):
            key, _, name = line.rpartition("=")
            yield key or os.path.basename(name), read_named(self._tree.root, folder, name), (*path, "files", index)


class ConfigSources(_Settings):
    """Those that show use of the API."""

    @staticmethod
    def _find(text: str | None) -> Sequence[str]:
        return api_settings(text)[:1]

    def api_use(self, container: Container) -> Iterator[Evidence]:
        """What shows in them that ``container`` uses the API, one fact for each. Raises WrongShapeError."""
        said: set[tuple[int, str]] = set()
        for item, kind, name, sign in self._shown(container):
            if (id(item), name) not in said:
                said.add((id(item), name))
                what = f"mentions {sign.sign}" if kind == "ConfigMap" else "names the API"
                text = f"container {container.name} reads {kind}/{name}, where {sign.key} {what}"
                yield item.fact(text, *sign.path)


class ConfigFolders(_Settings):
    """The ConfigMaps that name folders to write to."""

    _kinds = ("ConfigMap",)

    @staticmethod
    def _find(text: str | None) -> Sequence[str]:
        return written_folders(text) if text is not None else ()

    def written(self, container: Container) -> Iterator[tuple[str, Evidence]]:
        """The folders that ``container`` is told to write to, each with the place that says so, each once. Raises
        WrongShapeError."""
        said: set[str] = set()
        for item, kind, name, sign in self._shown(container):
            if sign.sign not in said:
                said.add(sign.sign)
                text = f"container {container.name} reads {kind}/{name}, where {sign.key} names {sign.sign}"
                yield sign.sign, item.fact(text, *sign.path)


class ConfigIoUring(_Settings):
    """The ConfigMaps whose settings ask the kernel for io_uring."""

    _kinds = ("ConfigMap",)

    @staticmethod
    def _find(text: str | None) -> Sequence[str]:
        return io_uring_settings(text)[:1] if text is not None else ()

    def asked(self, container: Container) -> Iterator[Evidence]:
        """What shows in them that ``container`` uses it, one fact for each. Raises WrongShapeError."""
        for item, kind, name, sign in self._shown(container):
            text = f"container {container.name} reads {kind}/{name}, where {sign.key} says {sign.sign}"
            yield item.fact(text, *sign.path)


def read_named(root: str, folder: str, name: str) -> str:
    """The text of a file that a kustomization names; "" for one outside the tree ``root``, and one that is no text."""
    path = os.path.realpath(os.path.join(folder, name)) if "\0" not in name else ""
    if not files.is_inside(path, root):
        return ""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST_FILE:
            return ""
        return files.read(path).text
    except (OSError, UnreadableError):
        return ""


def _texts(item: Object) -> Iterator[tuple[str, str | None, Path]]:
    for field in ("data", "stringData"):
        found = item.data.get(field)
        for key, value in found.items() if isinstance(found, dict) else ():
            if isinstance(key, str) and isinstance(value, str):
                yield key, decoded(value) if (item.kind, field) == ("Secret", "data") else value, (field, key)


def references(container: Container) -> Iterator[Reference]:
    """The ConfigMaps and Secrets that ``container`` reads, as variables and as files. Raises WrongShapeError."""
    for entry in container.items("envFrom"):
        yield "ConfigMap", entry.text("configMapRef", "name") or "", None
        yield "Secret", entry.text("secretRef", "name") or "", None
    for entry in container.items("env"):
        for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            if entry.has("valueFrom", field):
                reference = entry.view("valueFrom", field)
                yield kind, reference.text("name") or "", frozenset([reference.text("key") or ""])
    mounted = {mount.text("name") for mount in container.items("volumeMounts")}
    for volume in container.pod.items("volumes") if mounted else ():
        if volume.text("name") in mounted:
            yield from _of_volume(volume)


def _of_volume(volume: View) -> Iterator[Reference]:
    yield "ConfigMap", volume.text("configMap", "name") or "", _keys(volume.view("configMap"))
    yield "Secret", volume.text("secret", "secretName") or "", _keys(volume.view("secret"))
    for part in volume.view("projected").items("sources"):
        yield "ConfigMap", part.text("configMap", "name") or "", _keys(part.view("configMap"))
        yield "Secret", part.text("secret", "name") or "", _keys(part.view("secret"))


def _keys(holder: View) -> frozenset[str] | None:
    """The keys that a volume takes; None for all."""
    items = holder.items("items")
    return frozenset(item.text("key") or "" for item in items) if items else None
