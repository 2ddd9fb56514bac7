"""Objects that tasks of Ansible make: below `definition:` of the module `k8s`, each a piece of its file.

Source: the collection kubernetes.core 5.0, plugins/modules/k8s.py; community.kubernetes was its name before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hardener.sources.embedded.source import TASK
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.yaml import TextError
from hardener.support.data_path import Path

_MODULES = ("k8s", "kubernetes.core.k8s", "community.kubernetes.k8s", "community.okd.k8s", "redhat.openshift.k8s")
_DEFINITIONS = ("definition", "resource_definition")
_KEY = re.compile(r"[ \t]*(?:-[ \t]+)?(?:resource_)?definition[ \t]*:[ \t]*(?:#.*)?\s*")


def add(file: ManifestFile) -> None:
    """Add to ``file`` a piece for each such object that stands there in block form."""
    if "definition" not in file.content.text:
        return
    for piece in list(file.pieces):
        places = list(_places(piece.data)) if piece.parsed else []
        if places:
            at = file.pieces.index(piece) + 1
            file.pieces[at:at] = list(_pieces(piece, places))


def _places(documents: list[Any]) -> Iterator[Path]:
    """Where tasks in ``documents`` have a definition, in the order of the text."""
    waiting: list[tuple[Path, Any]] = [((at,), each) for at, each in enumerate(documents) if isinstance(each, list)]
    waiting.reverse()
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            for module in _MODULES:
                yield from _of_module((*path, module), value.get(module))
            waiting += [((*path, key), child) for key, child in reversed(value.items()) if key not in _MODULES]
        elif isinstance(value, list):
            waiting += [((*path, at), child) for at, child in reversed(list(enumerate(value)))]


def _of_module(path: Path, options: Any) -> Iterator[Path]:
    if not isinstance(options, dict) or options.get("state") == "absent":
        return
    for key in _DEFINITIONS:
        if isinstance(options.get(key), dict):
            yield (*path, key)


def _pieces(outer: Piece, places: list[Path]) -> Iterator[Piece]:
    lines = outer.text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    parsed: Any = outer.read()
    for path in places:
        covered = parsed.lines(path)
        key, last = covered[0], covered[-1]
        if key == last or not _KEY.fullmatch(lines[key - 1]):
            continue  # on one line, in braces, or an alias
        start, end = outer.start + starts[key], outer.start + starts[last]
        try:
            documents = TASK.parsed(outer.file.content.text[start:end]).documents
        except TextError:
            continue
        yield Piece(outer.file, start, end, outer.line + key, documents, parsed=True, source=TASK)
