"""What generators of an ApplicationSet fill in, as far as the tree shows it.

Source: argo-cd.readthedocs.io/en/stable/operator-manual/applicationset: list, git (files and directories of the
repository of the tree), matrix, merge; ``{{name}}`` in plain templates, ``{{.name}}`` in those of Go. All others ask a
cluster or a server.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from hardener.charts.releases.chart_sources import AtHand, literal
from hardener.support.late_pattern import late_pattern
from hardener.support.shapes import mapping, mappings, texts
from hardener.tree.core_views import Object

Parameters = dict[str, str]
_MOST = 1000  # sets of parameters of one ApplicationSet
_EXPRESSION = late_pattern(r"\{\{-?\s*\.?([A-Za-z0-9_.\-\[\]]+)\s*-?\}\}")
_ENDINGS = (".yaml", ".yml", ".json")
_DEEPEST = 20


def parameters(at_hand: AtHand, item: Object) -> list[Parameters]:
    """Return the sets of parameters that the generators of ``item`` make; those that only a cluster knows are left
    out."""
    spec = mapping(item.data.get("spec"))
    found = [each for generator in mappings(spec.get("generators")) for each in _of(at_hand, generator, 0)]
    return found[:_MOST]


def filled_in(text: Any, known: Parameters) -> Any:
    """Return ``text`` with the parameters that are ``known`` in the places of their names; what else stands in braces
    stays."""
    if not isinstance(text, str):
        return text
    return _EXPRESSION.sub(lambda found: known.get(found[1], found[0]), text)


def _of(at_hand: AtHand, generator: dict[str, Any], depth: int) -> list[Parameters]:
    for name, make in _KINDS.items():
        if isinstance(said := generator.get(name), dict) and depth < _DEEPEST:
            own = {f"values.{key}": str(value) for key, value in mapping(said.get("values")).items()}
            return [own | each for each in make(at_hand, said, depth)][:_MOST]
    return []


def _list(at_hand: AtHand, said: dict[str, Any], depth: int) -> Iterator[Parameters]:
    for element in mappings(said.get("elements")):
        yield dict(_flat(element, ""))


def _git(at_hand: AtHand, said: dict[str, Any], depth: int) -> Iterator[Parameters]:
    if at_hand.other_repository([said.get("repoURL")]) is not None:
        return
    for path, is_folder in _paths(at_hand, said):
        content = {} if is_folder else at_hand.document(path)
        place = path if is_folder else os.path.dirname(path)
        yield {**dict(_flat(content or {}, "")), **_path(os.path.relpath(place, at_hand.tree.root))}


def _paths(at_hand: AtHand, said: dict[str, Any]) -> list[tuple[str, bool]]:
    """The files and folders that a generator of Git names, in their order, and which is a folder."""
    patterns = _Patterns(said)
    root = at_hand.tree.root
    found: set[tuple[str, bool]] = set()
    for path, is_link in at_hand.tree.walk(_ENDINGS, lambda path: False) if patterns.any else ():
        name = os.path.relpath(path, root)
        if not is_link:
            found |= {(path, False)} if patterns.names_file(name) else set()
            found |= {(os.path.join(root, folder), True) for folder in patterns.folders(name)}
    return sorted(found)[:_MOST]


class _Patterns:
    """What a generator of Git names: files and folders, and folders that it leaves out."""

    def __init__(self, said: dict[str, Any]) -> None:
        entries = mappings(said.get("directories"))
        self._files = [path.lstrip("/") for path in texts([each.get("path") for each in mappings(said.get("files"))])]
        self._folders = texts([each.get("path") for each in entries if not each.get("exclude")])
        self._without = texts([each.get("path") for each in entries if each.get("exclude")])

    @property
    def any(self) -> bool:
        return bool(self._files or self._folders)

    def names_file(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._files)

    def folders(self, name: str) -> Iterator[str]:
        """The folders around the file ``name`` that are meant."""
        for folder in _above(os.path.dirname(name)) if self._folders else ():
            is_meant = any(_names(pattern, folder) for pattern in self._folders)
            if is_meant and not any(_names(pattern, folder) for pattern in self._without):
                yield folder


def _names(pattern: str, folder: str) -> bool:
    """Whether a pattern names a folder: a star is no slash."""
    parts, own = pattern.strip("/").split("/"), folder.split("/")
    return len(parts) == len(own) and all(map(fnmatch.fnmatchcase, own, parts))


def _above(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = os.path.dirname(folder)


def _path(path: str) -> Parameters:
    """What a generator of Git says of a path, for both kinds of templates."""
    base = os.path.basename(path)
    parts = {f"path[{index}]": part for index, part in enumerate(path.split("/"))}
    segments = {f"path.segments[{index}]": part for index, part in enumerate(path.split("/"))}
    named = {"path": path, "path.path": path, "path.basename": base, "path.basenameNormalized": _normal(base)}
    return {**parts, **segments, **named}


def _normal(name: str) -> str:
    return re.sub(r"[^a-z0-9.-]", "-", name.lower())


def _matrix(at_hand: AtHand, said: dict[str, Any], depth: int) -> Iterator[Parameters]:
    # What only a cluster knows of one leaves what the other fills in.
    sets = [_of(at_hand, generator, depth + 1) or [{}] for generator in mappings(said.get("generators"))]
    for number, some in enumerate(product(*sets)):
        if number >= _MOST:
            return
        yield {key: value for one in some for key, value in one.items()}


def _merge(at_hand: AtHand, said: dict[str, Any], depth: int) -> Iterator[Parameters]:
    keys = texts(said.get("mergeKeys"))
    first, *others = [_of(at_hand, generator, depth + 1) for generator in mappings(said.get("generators"))] or [[]]
    by_keys = [{tuple(each.get(key) for key in keys): each for each in some} for some in others]
    for one in first:
        known = dict(one)
        for some in by_keys:
            known |= some.get(tuple(one.get(key) for key in keys), {})
        yield known


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    elif literal(str(value)) and not isinstance(value, list):
        yield name, str(value)


_KINDS: dict[str, Callable[[AtHand, dict[str, Any], int], Iterator[Parameters]]] = {
    "list": _list, "git": _git, "matrix": _matrix, "merge": _merge,
}  # fmt: skip
