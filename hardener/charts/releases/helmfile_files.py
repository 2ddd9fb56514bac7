"""A helmfile with what it takes in, as far as its templates decide nothing of it: documents, bases, environments.

Source: helmfile.readthedocs.io (configuration, environments, layering state files): ``bases`` come before the file that
names them; ``values`` at the top are the defaults of those of an environment, of which ``-e`` chooses one.
"""

from __future__ import annotations

import fnmatch
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct

from hardener.charts.releases.chart_sources import AtHand, literal
from hardener.charts.releases.release import merged
from hardener.kubernetes.release_files import is_templated
from hardener.sources import files
from hardener.sources.go_templates import Block, WithoutTemplates, without_templates
from hardener.support.data_path import value_at
from hardener.support.late_pattern import late_pattern
from hardener.support.shapes import listed, mapping, mappings, texts
from hardener.tree.core_views import Object

_DEEPEST = 5  # bases of bases
_ENDINGS = (".yaml", ".yml")
_MOST_FILES = 1000  # helmfiles of a tree; what these name beyond is not looked for
_VALUE = late_pattern(r"\{\{-?\s*\.(?:Environment\.|State)?(?:Values\.([A-Za-z_][\w.]*)|(Name))\s*-?\}\}")
_RAW = late_pattern(r"\{\{-?\s*`([^`]*)`\s*-?\}\}")  # what the first of two turns prints for the second one
_RELEASE = late_pattern(r"\{\{-?\s*\.Release\.(Name|Namespace)\s*-?\}\}")


class Helmfile(Struct, frozen=True):
    """A helmfile: its ``documents``, in which what all environments fill in stands in its place, other actions of
    templates as they are; ``blocks`` are the lines that templates decide. ``repositories`` by name; ``missing_files``:
    what is done about files of values that are not there."""

    documents: list[Object]
    repositories: dict[str, dict[str, Any]]
    blocks: list[Block]
    has_templates: bool
    missing_files: str | None


def read(at_hand: AtHand, path: str) -> Helmfile:
    """Return the helmfile at ``path``."""
    without = _without(path)
    own = list(at_hand.objects(path, read_as=_read_as(without)))
    every = [each for item in own for each in _bases(at_hand, item.data, os.path.dirname(path), 0)]
    every += [(os.path.dirname(path), _as_written(item.data, without)) for item in own]
    known = _Environments(at_hand, every).value
    if without is not None:
        own = [Object(at_hand.tree, item.piece, item.path, without.filled(item.data, known)) for item in own]
    repositories = [entry for _, data in every for entry in mappings(data.get("repositories"))]
    repositories += [entry for item in own for entry in mappings(item.data.get("repositories"))]
    by_name = {str(entry.get("name")): entry for entry in repositories}
    handlers = [found for _, data in every if (found := literal(data.get("missingFileHandler")))]
    blocks = without.blocks if without is not None else []
    return Helmfile(own, by_name, blocks, without is not None, handlers[-1] if handlers else None)


def every_file(at_hand: AtHand, paths: Iterable[str]) -> Iterator[str]:
    """Yield ``paths`` of helmfiles and those of the tree that they name in ``helmfiles``, each once."""
    named = _Named(at_hand)
    waiting, seen = deque(paths), set(paths)
    while waiting:
        path = waiting.popleft()
        yield path
        for item in at_hand.objects(path, read_as=_read_as(_without(path))) if len(seen) < _MOST_FILES else ():
            new = [found for found in named.by(item.data, os.path.dirname(path)) if found not in seen]
            seen.update(new)
            waiting.extend(new)


class _Named:
    """Which files of the tree a helmfile names."""

    def __init__(self, at_hand: AtHand) -> None:
        self._at_hand = at_hand

    def by(self, data: dict[str, Any], folder: str) -> Iterator[str]:
        """The files that a helmfile in ``folder`` has in ``helmfiles``, stars and all."""
        for entry in listed(data.get("helmfiles")):
            written = literal(entry.get("path") if isinstance(entry, dict) else entry)
            found = self._at_hand.inside(written, folder) if written is not None else None
            if found is None:
                continue
            if not any(sign in found for sign in "*?["):
                yield from [found] if os.path.isfile(found) else []
                continue
            pattern = found.split(os.sep)
            yield from (path for path in self._every if _fits(pattern, path.split(os.sep)))

    @cached_property
    def _every(self) -> list[str]:
        found = self._at_hand.tree.walk(_ENDINGS, is_templated)
        return [path for path, is_link in found if not is_link]


def _fits(pattern: list[str], parts: list[str]) -> bool:
    """Whether a pattern names a file: a star is no slash."""
    return len(pattern) == len(parts) and all(map(fnmatch.fnmatchcase, parts, pattern))


def of_release(value: Any, name: str | None, namespace: str | None) -> Any:
    """Return the text ``value`` with what a release says of itself in the places of templates that ask for it."""
    said = {"Name": name, "Namespace": namespace}
    if not isinstance(value, str):
        return value
    return _RELEASE.sub(lambda found: said[found[1]] or found[0], _RAW.sub(r"\1", value))


def _without(path: str) -> WithoutTemplates | None:
    """The file without templates; None for one that has none, or that cannot be read so."""
    try:
        text = files.read(path).text
    except files.UnreadableError:
        return None
    return without_templates(text) if "{{" in text else None


def _as_written(data: dict[str, Any], without: WithoutTemplates | None) -> dict[str, Any]:
    """``data`` with all actions of templates as they are."""
    found = without.filled(data) if without is not None else data
    return mapping(found)


def _read_as(without: WithoutTemplates | None) -> Callable[[str], str]:
    return str if without is None else lambda text: without.text


def _bases(at_hand: AtHand, data: dict[str, Any], folder: str, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the bases of a helmfile in ``folder`` say, each with its own folder."""
    for written in texts(data.get("bases")) if depth < _DEEPEST else ():
        path = at_hand.inside(written, folder) if literal(written) else None
        if path is None or not os.path.isfile(path):
            continue
        without = _without(path)
        for item in at_hand.objects(path, read_as=_read_as(without)):
            found = _as_written(item.data, without)
            yield from _bases(at_hand, found, os.path.dirname(path), depth + 1)
            yield os.path.dirname(path), found


class _Environments:
    """What the environments of a helmfile say; ``every`` are its documents, each with the folder that it lies in."""

    def __init__(self, at_hand: AtHand, every: list[tuple[str, dict[str, Any]]]) -> None:
        self._at_hand = at_hand
        defaults = [one for folder, data in every for one in self._values(data.get("values"), folder)]
        own: dict[str, list[dict[str, Any] | None]] = {}
        for folder, data in every:
            for name, said in mapping(data.get("environments")).items():
                own.setdefault(str(name), []).extend(self._values(mapping(said).get("values"), folder))
                own[str(name)] += [None] if mapping(said).get("secrets") else []
        found = {name: [*defaults, *values] for name, values in (own or {"default": []}).items()}
        self._known = {name: _merged(values) for name, values in found.items()}

    def _values(self, written: Any, folder: str) -> Iterator[dict[str, Any] | None]:
        """Values in their order: maps, and files of the tree; None for what the tree does not show."""
        for each in listed(written):
            if isinstance(each, dict):
                yield each
            else:
                path = self._at_hand.inside(each, folder) if literal(each) and not each.endswith(".gotmpl") else None
                yield self._at_hand.document(path) if path is not None and os.path.isfile(path) else None

    def value(self, action: str) -> str | None:
        """Return what ``action`` prints, where each environment says the same; None where that is not known."""
        found = _VALUE.fullmatch(action)
        if found is None:
            return None
        if found[2]:
            return next(iter(self._known)) if len(self._known) == 1 and ".Environment." in action else None
        path = tuple(found[1].split("."))
        said = {_text(value_at(values, path)) if values is not None else None for values in self._known.values()}
        return said.pop() if len(said) == 1 else None


def _merged(values: list[dict[str, Any] | None]) -> dict[str, Any] | None:
    known = [each for each in values if each is not None]
    return merged(known) if len(known) == len(values) else None


def _text(value: Any) -> str | None:
    return literal(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
