"""ConfigMaps and Secrets that kustomizations generate: of literals, files and lists of variables.

Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization/configmapgenerator. The name is the one that is
written, without the hash that kustomize puts behind it, since pods name it so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from hardener.sources import files
from hardener.support.shapes import mappings, texts
from hardener.tree.tree import Tree

_FIELDS = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}
_LARGEST = 1024 * 1024  # bytes, as etcd takes them


def generated(tree: Tree, kind: str, namespace: str) -> dict[str, dict[str, bytes]]:
    """What the kustomizations of ``tree`` generate of ``kind``, by name, each its keys with their bytes; those that are
    for another ``namespace`` are left out. What overlays merge into it is added."""
    found: dict[str, dict[str, bytes]] = {}
    entries = [
        (entry, folder)
        for folder, item in sorted(tree.kustomizations.items())
        if item.data.get("namespace") in (None, namespace)
        for entry in mappings(item.data.get(_FIELDS[kind]))
        if entry.get("namespace") in (None, namespace)
    ]
    for entry, folder in sorted(entries, key=lambda each: each[0].get("behavior") in ("merge", "replace")):
        name = str(entry.get("name"))
        if entry.get("behavior") == "merge":
            found.setdefault(name, {}).update(_content(tree, entry, folder))
        else:
            found[name] = dict(_content(tree, entry, folder))
    return found


def _content(tree: Tree, entry: dict[str, Any], folder: str) -> Iterator[tuple[str, bytes]]:
    for line in texts(entry.get("literals")):
        key, equals, value = line.partition("=")
        if equals:
            yield key, value.strip("\"'").encode()
    for line in texts(entry.get("files")):
        key, _, name = line.rpartition("=")
        raw = _read(tree, folder, name)
        if raw is not None:
            yield key or os.path.basename(name), raw
    for name in [*texts(entry.get("envs")), *texts([entry.get("env")])]:
        raw = _read(tree, folder, name)
        for line in (raw or b"").decode("utf-8", "replace").splitlines():
            key, equals, value = line.strip().partition("=")
            if equals and not key.startswith("#"):
                yield key, value.encode()


def _read(tree: Tree, folder: str, name: str) -> bytes | None:
    """The bytes of a file that a kustomization names, inside of the tree alone."""
    path = os.path.realpath(os.path.join(folder, name)) if "\0" not in name else ""
    if not files.is_inside(path, tree.root):
        return None
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
            return None
        with open(path, "rb") as file:
            return file.read(_LARGEST)
    except OSError:
        return None
