"""Releases of Flux: HelmRelease of the helm-controller, and of the Helm Operator before it.

Source: fluxcd/helm-controller docs/spec/v2/helmreleases.md and api/v2 (GetReleaseName, GetReleaseNamespace), fluxcd/pkg
chartutil (ChartValuesFromReferences): the entries of ``valuesFrom`` in their order, a ``targetPath`` as ``--set`` takes
it, then ``spec.values`` over all of them. fluxcd/source-controller api/v1 HelmChartSpec: ``valuesFiles`` stand in place
of the values.yaml of the chart, seen from the root of the source. fluxcd/helm-operator, helmrelease-custom-resource:
``valueFileSecrets``, ``valuesFrom``, ``values``; a release is called ``namespace-[targetNamespace-]name``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import Any

from hardener.charts.releases.chart_sources import AtHand, elsewhere, literal, mapping_of, version_of, writable
from hardener.charts.releases.release import Release, Values, unknown
from hardener.charts.releases.values_in_yaml import InObject, Patches, patches_of
from hardener.charts.values.set_values import nested, path_of, typed
from hardener.facts.kustomize.builds import Builds
from hardener.facts.objects.which_copy import Nearby
from hardener.kubernetes.secrets.secret_values import decoded
from hardener.lock.charts.reference import ChartReference, NoReferenceError, in_repository, of_registry
from hardener.sources import files
from hardener.support.data_path import value_at
from hardener.support.shapes import mapping, mappings, texts
from hardener.tree.core_views import Object

_TOOLKIT = "helm.toolkit.fluxcd.io"
_OPERATOR = "helm.fluxcd.io"
_SOURCES = "source.toolkit.fluxcd.io"
_KEY = "values.yaml"
_LONGEST = 53  # characters of the name of a release; helm takes no more
_GENERATORS = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}


def releases(at_hand: AtHand) -> Iterator[Release]:
    """Yield the releases of Flux in the tree."""
    for item in at_hand.tree.of(_TOOLKIT, "HelmRelease"):
        if "patch" not in item.classes:
            yield _toolkit(at_hand, item)
    for item in at_hand.tree.of(_OPERATOR, "HelmRelease"):
        if "patch" not in item.classes:
            yield _operator(at_hand, item)


def _toolkit(at_hand: AtHand, item: Object) -> Release:
    spec = mapping(item.data.get("spec"))
    source: Any = value_at(spec, ("chart", "spec"))
    reference = mapping(spec.get("chartRef"))
    if reference.get("kind") == "HelmChart":
        source = _chart_object(at_hand, item, reference)
    source = mapping(source)
    called = str(source.get("chart") or "")
    release = Release(item, "Flux", called)
    kind = value_at(source, ("sourceRef", "kind"))
    if kind == "GitRepository" and (path := literal(called)):
        other = at_hand.other_repository(_addresses(at_hand, source))
        _by_path(at_hand, release, path, other)
    else:
        at_hand.take(release, lambda: _asked(at_hand, release, source, reference), source.get("version"))
    target = spec.get("targetNamespace")
    own = literal(target) if target else at_hand.namespace(item)
    release.namespace = own
    release.name = _name(spec, item, target)
    _defaults(at_hand, release, source, of_repository=kind == "HelmRepository")
    for entry in mappings(spec.get("valuesFrom")):
        release.values.append(
            _reference(at_hand, item, str(entry.get("kind")), entry.get("name"), entry.get("valuesKey") or _KEY, entry)
        )
    _own_values(release, spec)
    release.patches = _patches(item, spec)
    return release


def _asked(at_hand: AtHand, release: Release, source: dict[str, Any], reference: dict[str, Any]) -> ChartReference:
    """The chart of a HelmRelease, by what the tree says of its source. Raises NoReferenceError."""
    if reference.get("kind") == "OCIRepository":
        return _of_oci_repository(_source(at_hand, release, "OCIRepository", reference))
    kind = value_at(source, ("sourceRef", "kind"))
    chart = literal(source.get("chart"))
    if kind != "HelmRepository" or chart is None:
        raise NoReferenceError("it names no chart that the tree shows")
    spec = _source(at_hand, release, kind, mapping(source.get("sourceRef")))
    address = literal(spec.get("url"))
    if address is None:
        raise NoReferenceError("the address of its repository is filled in later")
    return in_repository(address, chart, version_of(source.get("version")))


def _of_oci_repository(spec: dict[str, Any]) -> ChartReference:
    """The chart of an OCIRepository: its digest counts before its range, and that before its tag (fluxcd
    source-controller api/v1, OCIRepositoryRef)."""
    address, wanted = literal(spec.get("url")), mapping(spec.get("ref"))
    if address is None:
        raise NoReferenceError("the address of its repository is filled in later")
    for key in ("digest", "semver"):
        if wanted.get(key):
            return of_registry(address, version_of(wanted[key]))
    return of_registry(address, version_of(wanted.get("tag")) or "latest", is_tag=True)


def _source(at_hand: AtHand, release: Release, kind: str, reference: dict[str, Any]) -> dict[str, Any]:
    """The spec of the source that ``reference`` names, in the namespace of ``release`` where it names none. Raises
    NoReferenceError where the tree has none, or several that differ."""
    item, name = release.owner, str(reference.get("name"))
    namespace = reference.get("namespace") or at_hand.namespace(item)
    found = [one for one in at_hand.called(_SOURCES, kind, name) if at_hand.is_in(one, namespace)]
    if not found:
        raise NoReferenceError(f"{kind}/{name}, its source, is not in the tree")
    specs = [mapping(one.data.get("spec")) for one in found]
    if any((spec.get("url"), spec.get("ref")) != (specs[0].get("url"), specs[0].get("ref")) for spec in specs):
        found = Nearby(at_hand.tree.ask(Builds), found, namespaced=False).of(item)
        if len(found) != 1:
            raise NoReferenceError(f"{kind}/{name}, its source, has several addresses in the tree")
    release.sources += found
    if names := [name for one in found for name in at_hand.patches(one, (("spec", "url"), ("spec", "ref")))]:
        release.doubt = f"{' and '.join(dict.fromkeys(names))} may name another address or version"
    return mapping(found[0].data.get("spec"))


def _patches(item: Object, spec: dict[str, Any]) -> Patches | None:
    """The post-renderers of a HelmRelease (fluxcd.io/flux/components/helm/helmreleases, "Post renderers")."""
    given = spec.get("postRenderers")
    renderers = given if isinstance(given, list) else []
    entries: list[Any] = []
    for renderer in renderers:
        kustomize = mapping(mapping(renderer).get("kustomize"))
        if list(mapping(renderer)) != ["kustomize"] or list(kustomize) != ["patches"]:
            return None
        entries += kustomize["patches"] or []
    return patches_of(item, ("spec", "postRenderers"), entries, is_flux=True)


def _by_path(at_hand: AtHand, release: Release, path: str, other: str | None) -> None:
    """Find the chart at ``path`` of a repository; ``other`` is its name where it is not the one of the tree."""
    release.chart = at_hand.chart(path.lstrip("/"), at_hand.tree.root) if other is None else None
    if release.chart is None:  # the configuration may give it all the same
        release.chart, _ = at_hand.named(path)
    if release.chart is None:
        release.missing = elsewhere(path, other)


def _addresses(at_hand: AtHand, source: dict[str, Any]) -> list[Any]:
    """The addresses of the repositories that the source of a chart may be."""
    name, namespace = (value_at(source, ("sourceRef", key)) for key in ("name", "namespace"))
    found = at_hand.called(_SOURCES, "GitRepository", str(name))
    near = [one for one in found if one.namespace == namespace or not namespace or not one.namespace]
    return [value_at(one.data, ("spec", "url")) for one in near]


def _name(spec: dict[str, Any], item: Object, target: Any) -> str | None:
    if spec.get("releaseName"):
        return literal(spec["releaseName"])
    name = literal(f"{target}-{item.name}" if target else item.name)
    if name is None or len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 13]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _defaults(at_hand: AtHand, release: Release, source: dict[str, Any], *, of_repository: bool) -> None:
    """The files that stand in place of the values.yaml of the chart."""
    names = [*texts([source.get("valuesFile")]), *texts(source.get("valuesFiles"))]
    if not names:
        return
    release.defaults = False
    # The files of a chart from a repository are its own.
    start = release.chart if of_repository else at_hand.tree.root
    for name in names:
        found = at_hand.file(name.lstrip("/"), start, release.chart) if start and literal(name) else None
        if found is not None:
            release.values.append(found)
        elif not source.get("ignoreMissingValuesFiles"):
            release.values.append(unknown(name))


def _operator(at_hand: AtHand, item: Object) -> Release:
    spec = mapping(item.data.get("spec"))
    chart = mapping(spec.get("chart"))
    called = str(chart.get("name") or chart.get("path") or "")
    release = Release(item, "Flux", called)
    if path := literal(chart.get("path")):
        _by_path(at_hand, release, path, at_hand.other_repository([chart.get("git")]))
    else:
        at_hand.take(release, lambda: _of_repository(chart), chart.get("version"))
    own, target = at_hand.namespace(item), spec.get("targetNamespace")
    release.namespace = literal(target) if target else own
    parts = [own or "default", *([target] if target else []), item.name]
    release.name = literal(spec.get("releaseName") or "-".join(map(str, parts)))
    for entry in mappings(spec.get("valueFileSecrets")):
        release.values.append(_reference(at_hand, item, "Secret", entry.get("name"), _KEY, {}))
    for entry in mappings(spec.get("valuesFrom")):
        release.values += _operator_values(at_hand, item, release, entry)
    _own_values(release, spec)
    return release


def _of_repository(chart: dict[str, Any]) -> ChartReference:
    address, name = literal(chart.get("repository")), literal(chart.get("name"))
    if address is None or name is None:
        raise NoReferenceError("it names no chart that the tree shows")
    return in_repository(address, name, version_of(chart.get("version")))


def _operator_values(at_hand: AtHand, item: Object, release: Release, entry: dict[str, Any]) -> Iterator[Values]:
    for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if isinstance(named := entry.get(field), dict):
            yield _reference(at_hand, item, kind, named.get("name"), named.get("key") or _KEY, {})
    if isinstance(named := entry.get("chartFileRef"), dict):
        path = literal(named.get("path"))
        found = at_hand.file(path, release.chart, release.chart) if path and release.chart else None
        yield found or unknown(str(path))
    if isinstance(entry.get("externalSourceRef"), dict):
        yield unknown("values behind a URL")


def _own_values(release: Release, spec: dict[str, Any]) -> None:
    item = release.owner
    found = spec.get("values")
    place = InObject(item, ("spec", "values"), f"spec.values of {item}")
    may_write = writable(item)
    if found is None or isinstance(found, dict):
        own = Values(place.name, found or {}, place, may_write)
    else:
        own = unknown(place.name)
    release.values.append(own)
    release.targets = [own]
    release.advice = "add to spec.values"


def _chart_object(at_hand: AtHand, item: Object, reference: dict[str, Any]) -> Any:
    """The spec of the HelmChart that ``reference`` names; None where the tree does not show one."""
    candidates = at_hand.called(_SOURCES, "HelmChart", str(reference.get("name")))
    found = Nearby(at_hand.tree.ask(Builds), candidates, namespaced=False).of(item)
    return found[0].data.get("spec") if len(found) == 1 else None


def _reference(at_hand: AtHand, item: Object, kind: str, name: Any, key: Any, entry: dict[str, Any]) -> Values:
    """The values under ``key`` of the ConfigMap or Secret ``name``, as far as the tree shows them."""
    shown = f"{key} of {kind}/{name}"
    text = _text(at_hand, item, kind, str(name), str(key))
    target = entry.get("targetPath")
    if target:
        path = path_of(str(target))
        if path is None or nested(path, None) is None:
            return unknown(shown)
        if text is None:
            return Values(shown, {}, None, False, (path,))
        quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
        return Values(shown, nested(path, text.strip("'\"") if quoted else typed(text)) or {})
    data = mapping_of(text) if text is not None else None
    return Values(shown, data) if data is not None else unknown(shown)


def _text(at_hand: AtHand, item: Object, kind: str, name: str, key: str) -> str | None:
    """What the tree shows under ``key`` of the ConfigMap or Secret ``name`` that ``item`` means; None for nothing."""
    tree = at_hand.tree
    candidates = at_hand.called("", kind, name)
    found = Nearby(tree.ask(Builds), candidates).of(item) if candidates else []
    if len(found) == 1:
        data = found[0].data
        if isinstance(plain := value_at(data, ("stringData", key)), str):
            return plain
        text = value_at(data, ("data", key))
        if not isinstance(text, str):
            return None
        return decoded(text) if kind == "Secret" else text
    generated = []
    for layer in tree.ask(Builds).layers(item) if not found and kind in _GENERATORS else ():
        for generator in mappings(layer.data.get(_GENERATORS[kind])):
            if generator.get("name") == name:
                folder = os.path.dirname(layer.piece.file.path)
                generated.append(_generated(at_hand, folder, generator, key))
    return generated[0] if len(generated) == 1 else None


def _generated(at_hand: AtHand, folder: str, generator: dict[str, Any], key: str) -> str | None:
    """What a generator of kustomize puts under ``key`` (api/types/kvpairsources.go): a file, or a literal."""
    for entry in texts(generator.get("files")):
        own, equals, name = entry.partition("=")
        if (own if equals else os.path.basename(entry)) != key:
            continue
        path = at_hand.inside(name if equals else entry, folder)
        try:
            return files.read(path).text if path is not None else None
        except files.UnreadableError:
            return None
    for entry in texts(generator.get("literals")):
        own, _, value = entry.partition("=")
        if own == key:
            return value
    return None
