"""Releases of Argo CD: an Application whose source is a chart, and an ApplicationSet that makes such ones.

Source: argoproj/argo-cd docs/user-guide/helm.md ("Helm Value Precedence": valueFiles, then values, then valuesObject,
then parameters; a valuesObject takes the place of values; patterns; a leading slash is the root of the repository),
docs/user-guide/multiple_sources.md (``sources`` take the place of ``source``, ``$ref`` is the root of that source),
docs/user-guide/parameters.md (``.argocd-source.yaml``), docs/user-guide/build-environment.md, and util/helm/cmd.go
(commas of a parameter are no separators).
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from hardener.charts.releases.chart_sources import AtHand, elsewhere, literal, mapping_of, version_of, writable
from hardener.charts.releases.generators import filled_in, parameters
from hardener.charts.releases.release import WHOLE, Release, Values, unknown
from hardener.charts.releases.values_in_yaml import InFile, InObject, InText, SetValue
from hardener.charts.values.set_values import keys_of, nested, path_of, typed
from hardener.lock.charts.reference import OCI, ChartReference, NoReferenceError, in_repository
from hardener.sources import files
from hardener.support.data_path import Path, value_at
from hardener.support.shapes import mappings, texts
from hardener.tree.core_views import Object

_GROUP = "argoproj.io"
_MOST_FILES = 100  # that one pattern may name
_COMMA = re.compile(r"([^\\]),")
_VARIABLE = re.compile(r"\$\{?(ARGOCD_APP_NAME|ARGOCD_APP_NAMESPACE)\b\}?")


def releases(at_hand: AtHand) -> Iterator[Release]:
    """Yield the releases of Argo CD in the tree; those of an ApplicationSet once, as its template says."""
    for kind, start in (("Application", ("spec",)), ("ApplicationSet", ("spec", "template", "spec"))):
        for item in at_hand.tree.of(_GROUP, kind):
            if "patch" not in item.classes:
                yield from _of(at_hand, item, start)


def _of(at_hand: AtHand, item: Object, start: Path) -> Iterator[Release]:
    spec = value_at(item.data, start)
    several = value_at(spec, ("sources",))
    sources = several if isinstance(several, list) and several else None
    for index, source in enumerate(sources if sources is not None else [value_at(spec, ("source",))]):
        if not isinstance(source, dict):
            continue
        place: Path = (*start, "source") if sources is None else (*start, "sources", index)
        others = mappings(sources) if sources is not None else []
        release = _release(at_hand, item, spec, source, place, others)
        if release is not None:
            yield release


def _release(
    at_hand: AtHand, item: Object, spec: Any, source: dict[str, Any], place: Path, others: list[dict[str, Any]]
) -> Release | None:
    """What ``source`` renders; None where that is no chart."""
    release = _of_source(at_hand, item, source)
    if release is None:
        return None
    helm: Any = source.get("helm") if isinstance(source.get("helm"), dict) else {}
    is_set = item.kind == "ApplicationSet"
    above: Path = ("spec", "template") if is_set else ()
    app = literal(value_at(item.data, (*above, "metadata", "name")))
    release.name = literal(helm.get("releaseName")) if helm.get("releaseName") else app
    release.namespace = literal(helm.get("namespace") or value_at(spec, ("destination", "namespace")))
    files_ = list(_files(at_hand, release, helm, app, others))
    own = _own_values(item, helm, (*place, "helm"))
    release.values += [*files_, own]
    _parameters(release, item, helm, (*place, "helm"))
    _files_as_values(at_hand, release, helm)
    _overrides_beside(at_hand, release, app)
    if is_set and value_at(item.data, ("spec", "templatePatch")):
        release.values.append(unknown(f"the templatePatch of {item}"))
    used = helm.get("valuesObject") or helm.get("values")
    release.targets = [own] if used else [*(each for each in files_ if each.may_write), own]
    release.advice = "add to helm.valuesObject of its source"
    return release


def _of_source(at_hand: AtHand, item: Object, source: dict[str, Any]) -> Release | None:
    """The release of the chart that ``source`` names, or that lies at its path; None where it renders no chart."""
    path, called = source.get("path"), source.get("chart")
    if called:
        release = Release(item, "Argo CD", str(called))
        found = _filled_sources(at_hand, item, source)
        at_hand.take(release, lambda: _asked(found[-1]), found[-1].get("targetRevision"))
        if len(found) > 1:
            also = ", ".join(f"{each.get('chart')} {each.get('targetRevision')}" for each in found[:-1])
            release.doubt = release.doubt or f"its generators make several of it, also {also}"
        return release
    of_other_tool = any(isinstance(source.get(tool), dict) for tool in ("kustomize", "directory", "plugin"))
    if not isinstance(path, str) or of_other_tool:
        return None
    says_helm = isinstance(source.get("helm"), dict)
    release = Release(item, "Argo CD", path)
    if literal(path) is None:
        release.missing = "its path is filled in by a generator"
        return release if says_helm else None
    other = at_hand.other_repository([source.get("repoURL")])
    release.chart = at_hand.chart(path.lstrip("/"), at_hand.tree.root) if other is None else None
    if release.chart is None:
        if not says_helm:
            return None  # a folder of manifests, or of another repository
        release.chart, _ = at_hand.named(path)
    if release.chart is None:
        release.missing = elsewhere(path, other)
    return release


def _filled_sources(at_hand: AtHand, item: Object, source: dict[str, Any]) -> list[dict[str, Any]]:
    """The charts that ``source`` of an ApplicationSet names with what its generators fill in, each once; of anything
    else the source itself."""
    fields = {key: source.get(key) for key in ("repoURL", "chart", "targetRevision")}
    if item.kind != "ApplicationSet" or not any("{{" in str(value) for value in fields.values()):
        return [source]
    found = {}
    for known in parameters(at_hand, item):
        filled = {key: filled_in(value, known) for key, value in fields.items()}
        found[tuple(map(str, filled.values()))] = filled
    return [found[key] for key in sorted(found)] or [source]


def _asked(source: dict[str, Any]) -> ChartReference:
    """The chart that a source names: a repository without https:// is one of a registry. Raises NoReferenceError."""
    address, chart = literal(source.get("repoURL")), literal(source.get("chart"))
    if address is None or chart is None:
        raise NoReferenceError("its chart is filled in by a generator")
    is_web = address.partition("://")[0].lower() in ("http", "https")
    version = version_of(source.get("targetRevision"))
    return in_repository(address if is_web else f"{OCI}{address.removeprefix(OCI)}", chart, version)


def _own_values(item: Object, helm: dict[str, Any], below: Path) -> Values:
    """The values that stand in the source itself: the object, where there is one, else the text."""
    found, text = helm.get("valuesObject"), helm.get("values")
    may_write = writable(item)
    if not isinstance(found, dict) and isinstance(text, str) and text.strip():
        place = InText(item, (*below, "values"), f"helm.values of {item}")
        data = mapping_of(text)
        if data is None:
            return unknown(place.name)
        if "{{" in text and item.kind == "ApplicationSet":
            return Values(place.name, {}, place, may_write, (WHOLE,))
        return Values(place.name, data, place, may_write)
    name = f"helm.valuesObject of {item}"
    data = found if isinstance(found, dict) else {}
    filled = tuple(_filled_in(data, ())) if item.kind == "ApplicationSet" else ()
    return Values(name, data, InObject(item, (*below, "valuesObject"), name), may_write, filled)


def _filled_in(value: Any, path: Path) -> Iterator[Path]:
    """The paths of what a generator fills in; a list as a whole."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _filled_in(item, (*path, key))
    elif isinstance(value, list):
        if any(True for index, item in enumerate(value) for _ in _filled_in(item, (index,))):
            yield path
    elif isinstance(value, str) and "{{" in value:
        yield path


def _files(
    at_hand: AtHand, release: Release, helm: dict[str, Any], app: str | None, others: list[dict[str, Any]]
) -> Iterator[Values]:
    names = texts(helm.get("valueFiles"))
    found = [_paths(at_hand, _place_of(at_hand, release, name, app, others)) for name in names]
    pairs = list(zip(names, found, strict=True))
    explicit = {path for name, paths in pairs for path in paths or () if not glob.has_magic(name)}
    seen: set[str] = set()
    for name, paths in pairs:
        if paths is None or (not paths and not helm.get("ignoreMissingValueFiles")):
            yield unknown(name)
        is_pattern = glob.has_magic(name)
        taken = seen | explicit if is_pattern else seen
        left = [path for path in dict.fromkeys(paths or ()) if path not in taken]
        seen.update(left)
        yield from _of_files(at_hand, release, left, is_pattern=is_pattern)


def _of_files(at_hand: AtHand, release: Release, paths: list[str], *, is_pattern: bool) -> Iterator[Values]:
    for path in paths:
        values = at_hand.file(path, at_hand.tree.root, release.chart)
        if values is not None:
            if is_pattern and isinstance(values.place, InFile):
                values.may_write = False  # whoever writes into one of several wonders which
            yield values


def _paths(at_hand: AtHand, place: tuple[str, str] | None) -> list[str] | None:
    """The files of the tree that are meant by a path or a pattern, and the folder from where it is seen."""
    if place is None:
        return None
    if glob.has_magic(place[0]):
        return _matches(at_hand, *place)
    path = at_hand.inside(*place)
    return [path] if path is not None and os.path.isfile(path) else []


def _place_of(
    at_hand: AtHand, release: Release, written: str, app: str | None, others: list[dict[str, Any]]
) -> tuple[str, str] | None:
    """The path of a file of values, and the folder from where it is seen; None where the tree cannot tell."""
    root = at_hand.tree.root
    reference = re.match(r"\$([\w.-]+)/(.*)", written, re.S)
    source = next((source for source in others if reference and source.get("ref") == reference[1]), None)
    if reference and source is not None:
        is_own = at_hand.other_repository([source.get("repoURL")]) is None
        return (reference[2], root) if is_own and literal(reference[2]) else None
    written = _with_variables(written, app, release.namespace or "")
    if literal(written) is None or "$" in written or "://" in written:
        return None
    if written.startswith("/"):
        return written.lstrip("/"), root
    return None if release.chart is None or not os.path.isdir(release.chart) else (written, release.chart)


def _with_variables(written: str, app: str | None, namespace: str) -> str:
    if app is None:
        return written
    variables = {"ARGOCD_APP_NAME": app, "ARGOCD_APP_NAMESPACE": namespace}
    return _VARIABLE.sub(lambda match: variables[match[1]] or match[0], written)


def _matches(at_hand: AtHand, pattern: str, start: str) -> list[str]:
    """The files of the tree that a pattern names: those of a folder before those of its folders, each by name."""
    found = glob.iglob(os.path.join(glob.escape(start), pattern), recursive=True)
    inside = {os.path.realpath(path) for path in found if os.path.isfile(path)}
    root = os.path.realpath(at_hand.tree.root)
    kept = [path for path in inside if files.is_inside(path, root)]

    def order(path: str) -> list[tuple[int, str]]:
        *folders, name = path.split(os.sep)
        return [*((1, folder) for folder in folders), (0, name)]

    return sorted(kept, key=order)[:_MOST_FILES]


def _parameters(release: Release, item: Object, helm: dict[str, Any], below: Path) -> None:
    found = helm.get("parameters")
    entries = [(index, entry) for index, entry in enumerate(found if isinstance(found, list) else [])]
    # As Argo CD hands them to helm: what is text in any case after the others.
    for index, entry in sorted(entries, key=lambda one: isinstance(one[1], dict) and bool(one[1].get("forceString"))):
        if isinstance(entry, dict):
            _parameter(release, entry, item, (*below, "parameters", index, "value"))


def _parameter(release: Release, entry: dict[str, Any], item: Object, below: Path | None) -> None:
    name, text, forced = str(entry.get("name") or ""), str(entry.get("value") or ""), bool(entry.get("forceString"))
    path = path_of(name)
    shown = f"the parameter {name}"
    is_filled_in = "$ARGOCD" in text or "${ARGOCD" in text or "{{" in text
    if path is None or is_filled_in:
        release.values.append(unknown(shown, WHOLE if path is None else keys_of(path)))
        return
    value = text if forced else _typed(text)
    data = nested(path, value)
    if data is not None:
        place = SetValue(item, below, shown, path, partial(_spelt, forced)) if below is not None else None
        release.values.append(Values(shown, data, place, place is not None and writable(item)))
    elif value == _typed(text) and type(value) is type(_typed(text)):
        release.sets.append(f"{name}={_escaped(text)}")
    else:
        release.values.append(unknown(shown, keys_of(path)))


def _spelt(forced: bool, value: Any) -> str | None:
    """What a parameter says for ``value``, with ``forceString`` where ``forced``; None where it cannot say it."""
    if isinstance(value, str):
        return value if forced or _typed(value) == value else None
    if forced or not isinstance(value, int):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _escaped(text: str) -> str:
    return text if text.startswith("{") and text.endswith("}") else _COMMA.sub(r"\1\\,", text)


def _typed(text: str) -> Any:
    return typed(_escaped(text))


def _files_as_values(at_hand: AtHand, release: Release, helm: dict[str, Any]) -> None:
    """``fileParameters``: what a file holds, as a text."""
    for entry in mappings(helm.get("fileParameters")):
        path, written = path_of(str(entry.get("name") or "")), literal(entry.get("path"))
        shown = f"the file parameter {entry.get('name')}"
        file = at_hand.inside(written, release.chart) if written and release.chart else None
        data = None
        if path is not None and file is not None:
            try:
                data = nested(path, files.read(file).text)
            except files.UnreadableError:
                data = None
        release.values.append(Values(shown, data or {}, None, False, () if data else (path or WHOLE,)))


def _overrides_beside(at_hand: AtHand, release: Release, app: str | None) -> None:
    """What ``.argocd-source.yaml`` and ``.argocd-source-NAME.yaml`` in the folder of the chart say besides."""
    if release.chart is None or not os.path.isdir(release.chart):
        return
    for name in (".argocd-source.yaml", f".argocd-source-{app}.yaml"):
        found = at_hand.file(name, release.chart, None) if "/" not in name else None
        if found is None:
            continue
        helm = found.data.get("helm")
        if found.unknown or (isinstance(helm, dict) and helm.keys() - {"parameters"}):
            release.values.append(unknown(found.name))
        for entry in mappings(helm.get("parameters") if isinstance(helm, dict) else None):
            _parameter(release, entry, release.owner, None)
            release.values[-1].name = f"{found.name}, {release.values[-1].name}"
