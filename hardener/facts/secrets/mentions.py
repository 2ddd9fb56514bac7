"""Where else the tree names a ConfigMap: places that nobody rewires when its keys go to a Secret.

Rather one too many: a program may read a ConfigMap that an argument, a role or a custom resource names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hardener.authoring.edits import Evidence
from hardener.kubernetes.pods.pod_template import PARTIAL_KINDS, POD_KINDS
from hardener.sources import files
from hardener.sources.files import UnreadableError
from hardener.support.data_path import Path
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

_NEAR = 4  # lines between the word ConfigMap and a name that belongs to it
_HINT = "configmap"
# What a pod spec says of ConfigMaps; who reads it is asked elsewhere.
_KNOWN = ("envFrom", "configMapKeyRef", "configMap")


class Mentions:
    """Texts that speak of ConfigMaps, read once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def of(self, item: Object) -> Evidence | None:
        """The first place beside pod specs where ConfigMap ``item`` is named, None when there is none."""
        name = item.name
        token = _token(name)
        for file in self._tree.files:
            if name not in file.content.text:
                continue
            for piece in file.pieces:
                if (piece is item.piece and len(piece.data) == 1) or name not in piece.text:
                    continue
                if piece.data:
                    found = _in_documents(piece.data, token, item.path if piece is item.piece else ())
                    if found is not None:
                        return Evidence(f"{file.name} names it beside pods that read it", piece, found)
                elif _in_text(piece.text, token):
                    return Evidence(f"{file.name} names it beside pods that read it")
        for path, text in self._others:
            if _in_text(text, token):
                return Evidence(f"{path} names it beside pods that read it")
        return None

    def in_kustomizations(self, item: Object) -> Evidence | None:
        """The first place where a kustomization does something with ``item`` by its name, beside listing its file."""
        token = _token(item.name)
        for kustomization in self._tree.kustomizations.values():
            for path, text, context in _strings(kustomization.data, (), ()):
                hint = item.kind.lower()
                if token.search(text) and (hint in text.lower() or any(hint in word.lower() for word in context)):
                    return kustomization.fact(f"{kustomization.piece.file.name} names it", *path)
        return None

    @cached_property
    def _others(self) -> list[tuple[str, str]]:
        """Files that hold nothing else of interest, such as templates of charts, and name some ConfigMap."""
        found = []
        for path, is_link in self._tree.walk():
            if is_link or self._tree.file_at(path) is not None:
                continue
            try:
                text = files.read(path).text
            except UnreadableError:
                continue
            if _HINT in text.lower():
                found.append((os.path.relpath(path), text))
        return found


def _token(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.\-]){re.escape(name)}(?![\w\-]|\.\w)")


def _in_documents(documents: list[Any], token: re.Pattern[str], own: Path) -> Path | None:
    for path, text, context in _strings(documents, (), ()):
        if path[: len(own)] == own and own:
            continue
        if token.search(text) and (_HINT in text.lower() or any(_HINT in word.lower() for word in context)):
            return path
    return None


def _strings(
    node: Any, path: Path, context: tuple[str, ...], in_pod: bool = False
) -> Iterator[tuple[Path, str, tuple[str, ...]]]:
    """Every text with its path, and the keys and kinds above it; not what pod specs say, nor names of ConfigMaps."""
    if isinstance(node, dict):
        kind = node.get("kind")
        in_pod = in_pod or (isinstance(kind, str) and kind in POD_KINDS | PARTIAL_KINDS)
        words = (*context, *_words(node))
        for key, value in node.items():
            is_of_pod = in_pod and key in _KNOWN and isinstance(value, dict | list)
            if not is_of_pod and not (key == "metadata" and kind == "ConfigMap"):
                yield from _strings(value, (*path, key), (*words, str(key)), in_pod)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _strings(value, (*path, index), context, in_pod)
    elif isinstance(node, str):
        yield path, node, context


def _words(node: dict[Any, Any]) -> tuple[str, ...]:
    """What an object or a rule of RBAC says of all that it holds: its kind, its resources."""
    kind = node.get("kind")
    words: tuple[str, ...] = (kind,) if isinstance(kind, str) else ()
    if "verbs" in node and isinstance(node.get("resources"), list):
        words += tuple(map(str, node["resources"]))
    return words


def _in_text(text: str, token: re.Pattern[str]) -> bool:
    lines = text.splitlines()
    hints = [number for number, line in enumerate(lines) if _HINT in line.lower()]
    if not hints:
        return False
    for number, line in enumerate(lines):
        if token.search(line) and any(abs(number - hint) <= _NEAR for hint in hints):
            return True
    return False
