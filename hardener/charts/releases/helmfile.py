"""Releases of helmfile, as far as its files say them: templates are read around, and what they decide is left alone.

Source: helmfile.readthedocs.io (configuration, writing-helmfile): ``values`` in their order, a path or a map, the later
over the earlier, then ``set``; a chart is ``REPOSITORY/NAME``, a path that begins with a dot, or ``oci://``; paths are
seen from the file. ``secrets`` and ``inherit`` are not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from hardener.charts.releases.chart_sources import AtHand, literal, of_address, version_of, writable
from hardener.charts.releases.helmfile_files import Helmfile, every_file, of_release, read
from hardener.charts.releases.release import WHOLE, Release, Values, unknown
from hardener.charts.releases.values_in_yaml import InList, InTemplate
from hardener.charts.values.set_values import keys_of, nested, path_of, typed
from hardener.kubernetes.release_files import HELMFILE
from hardener.lock.charts.reference import OCI, ChartReference, NoReferenceError, in_repository
from hardener.sources.go_templates import Block
from hardener.support.data_path import Path
from hardener.support.shapes import listed, mapping, mappings
from hardener.tree.core_views import Object

_TEMPLATED = (".gotmpl",)
_SKIPS = frozenset({"Warn", "Info", "Debug"})
_HIDDEN = ("secrets", "inherit", "valuesTemplate", "setTemplate", "environmentTemplate")


def releases(at_hand: AtHand) -> Iterator[Release]:
    """Yield the releases of the helmfiles of the tree; those that a template makes are left out."""
    for path in every_file(at_hand, at_hand.tree.release_files.get(HELMFILE, [])):
        file = read(at_hand, path)
        for item in file.documents:
            found = item.data.get("releases")
            made = [
                _release(at_hand, item, index, entry, file)
                for index, entry in enumerate(found if isinstance(found, list) else [])
                if isinstance(entry, dict) and entry.get("installed") is not False
            ]
            _leave_decided(made, file.blocks)
            yield from made


def _leave_decided(found: list[Release], blocks: list[Block]) -> None:
    """Leave alone those of the releases ``found`` of a document of which a template decides a part."""
    lines = [release.line for release in found]
    for block in blocks:
        number = sum(line <= block.first for line in lines) - 1
        if number < 0 or block.indent <= _column(found[number]):
            continue
        release = found[number]
        release.chart = release.asked = None
        release.missing = f"a template decides {block} of it"


def _column(release: Release) -> int:
    """How far the first line of a release is indented."""
    line = release.owner.piece.file.content.text.split("\n")[release.line - 1]
    return len(line) - len(line.lstrip(" "))


def _release(at_hand: AtHand, item: Object, index: int, entry: dict[str, Any], file: Helmfile) -> Release:
    called = str(entry.get("chart") or "")
    release = Release(item, "helmfile", called)
    release.place = ("releases", index)
    folder = os.path.dirname(item.piece.file.path)
    if called.startswith("."):
        release.chart = at_hand.chart(called, folder) if literal(called) else None
        release.missing = "" if release.chart else f"{called} is no chart of the tree"
    else:
        at_hand.take(release, lambda: _asked(entry, called, file.repositories), entry.get("version"))
    release.name, release.namespace = literal(entry.get("name")), literal(entry.get("namespace"))
    may_miss = literal(entry.get("missingFileHandler")) or file.missing_files
    _values(at_hand, release, entry, folder, skips_missing=may_miss in _SKIPS)
    _sets(release, entry)
    release.values += [unknown(f"{key} of the release {release.name}") for key in _HIDDEN if entry.get(key)]
    if file.has_templates:
        for values in release.values:
            values.place = InTemplate(values.place) if isinstance(values.place, InList) else values.place
    return release


def _asked(entry: dict[str, Any], called: str, repositories: dict[str, Any]) -> ChartReference:
    """The chart of a release. Raises NoReferenceError."""
    if "://" in called or literal(called) is None:
        return of_address(called, version_of(entry.get("version")))
    alias, slash, name = called.partition("/")
    repository = mapping(repositories.get(alias)) if slash else {}
    address = literal(repository.get("url"))
    if address is None:
        raise NoReferenceError(f"no repository {alias} is named for {called}")
    is_oci = repository.get("oci") is True and "://" not in address
    return in_repository(f"{OCI}{address}" if is_oci else address, name, version_of(entry.get("version")))


def _values(at_hand: AtHand, release: Release, entry: dict[str, Any], folder: str, *, skips_missing: bool) -> None:
    """Put the values of a release in their order; what is new stands in its last map, else in one more."""
    written = listed(entry.get("values"))
    below = (*release.place, "values")
    for index, value in enumerate(written):
        if not (skips_missing and _is_gone(at_hand, release, value, folder)):
            release.values.append(_of(at_hand, release, value, folder, index))
    own = next((each for each in reversed(release.values) if isinstance(each.place, InList)), None)
    if own is None:
        name = f"one more of the values of the release {release.name}"
        own = Values(name, {}, InList(release.owner, below, name, len(written)), writable(release.owner))
        release.values.append(own)
    files = [each for each in release.values if each.may_write and each is not own]
    release.targets = [own] if own.data or not files else [*files, own]
    release.advice = "add to values of the release"


def _is_gone(at_hand: AtHand, release: Release, value: Any, folder: str) -> bool:
    """Whether a file of values is not in the tree, where it would lie."""
    path = literal(of_release(value, release.name, release.namespace))
    real = at_hand.inside(path, folder) if path is not None else None
    return real is not None and not os.path.exists(real)


def _of(at_hand: AtHand, release: Release, value: Any, folder: str, index: int) -> Values:
    name = f"values[{index}] of the release {release.name}"
    if isinstance(value, dict):
        place = InList(release.owner, (*release.place, "values"), name, index)
        data, left = _without_templates(value)
        return Values(name, data, place, writable(release.owner), tuple(left))
    path = literal(of_release(value, release.name, release.namespace))
    if path is None or path.endswith(_TEMPLATED):
        return unknown(str(value))
    return at_hand.file(path, folder, release.chart) or unknown(path)


def _without_templates(values: dict[str, Any], above: Path = ()) -> tuple[dict[str, Any], list[Path]]:
    """What ``values`` say without templates, and the paths of what those decide."""
    found: dict[str, Any] = {}
    left: list[Path] = []
    for key, value in values.items():
        if isinstance(value, dict):
            found[key], more = _without_templates(value, (*above, key))
            left += more
        elif "{{" in str(key):
            left.append(above or WHOLE)
        elif "{{" in str(value):
            left.append((*above, key))
        else:
            found[key] = value
    return found, left


def _sets(release: Release, entry: dict[str, Any]) -> None:
    for each in mappings(entry.get("set")):
        name, text = str(each.get("name") or ""), literal(str(each.get("value")))
        path = path_of(name)
        data = nested(path, typed(text)) if path is not None and text is not None else None
        shown = f"set {name} of the release {release.name}"
        release.values.append(unknown(shown, keys_of(path or ())) if data is None else Values(shown, data))
