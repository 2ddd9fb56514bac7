"""Releases of the helm-controller of k3s and RKE2: HelmChart, and the HelmChartConfig that adds to one.

Source: k3s-io/helm-controller pkg/controllers/chart/chart.go (setValuesSecret, valuesSecretAddConfig, args) and
klipper-helm entry, which gives helm the files of values in the order of their names: valuesContent, values and
valuesSecrets of the HelmChart, then those of the HelmChartConfig of the same name and namespace, then ``set``, of which
numbers, true, false and null are typed and anything else is a text. ``chartContent`` is a ``.tgz`` in base64.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Any

from hardener.charts.releases.chart_sources import AtHand, literal, mapping_of, of_address, version_of, writable
from hardener.charts.releases.release import WHOLE, Release, Values, unknown
from hardener.charts.releases.values_in_yaml import InObject, InText, SetValue
from hardener.charts.values.set_values import keys_of, nested, path_of
from hardener.kubernetes.secrets.secret_values import decoded
from hardener.lock.charts.reference import ChartReference
from hardener.support.data_path import value_at
from hardener.support.shapes import mappings
from hardener.tree.core_views import Object

_GROUP = "helm.cattle.io"


def releases(at_hand: AtHand) -> Iterator[Release]:
    """Yield the releases of k3s in the tree; a HelmChartConfig alone is one of a chart that comes with the cluster."""
    configs: dict[tuple[str, str | None], list[Object]] = {}
    for item in at_hand.tree.of(_GROUP, "HelmChartConfig"):
        if "patch" not in item.classes:
            configs.setdefault((item.name, item.namespace), []).append(item)
    for item in at_hand.tree.of(_GROUP, "HelmChart"):
        if "patch" not in item.classes:
            yield _release(at_hand, item, configs.pop((item.name, item.namespace), []))
    for found in configs.values():
        for item in found:
            yield _packaged(at_hand, item)


def _release(at_hand: AtHand, item: Object, configs: list[Object]) -> Release:
    spec = item.data.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    called = str(spec.get("chart") or item.name)
    release = Release(item, "k3s", called, name=literal(item.name))
    if isinstance(content := spec.get("chartContent"), str) and content.strip():
        try:
            release.content = binascii.a2b_base64("".join(content.split()), strict_mode=True)
        except ValueError:
            release.missing = "its chartContent is no base64"
    else:
        at_hand.take(release, lambda: _asked(called, spec), spec.get("version"))
    target = spec.get("targetNamespace")
    release.namespace = literal(target) if target else at_hand.namespace(item)
    own = _of(at_hand, release, item, spec)
    added = []
    if len(configs) == 1:
        more = configs[0].data.get("spec")
        added = [_of(at_hand, release, configs[0], more if isinstance(more, dict) else {})]
    else:
        for config in configs:
            release.values.append(unknown(f"one of several {config}"))
    _sets(release, item, spec)
    release.targets = [own, *added]
    release.advice = "add to spec.valuesContent"
    return release


def _asked(called: str, spec: dict[str, Any]) -> ChartReference:
    """The chart of a HelmChart: one of ``repo``, or an address of its own. Raises NoReferenceError."""
    return of_address(called, version_of(spec.get("version")), spec.get("repo"))


def _packaged(at_hand: AtHand, item: Object) -> Release:
    spec = item.data.get("spec")
    release = Release(item, "k3s", item.name, name=literal(item.name), namespace=at_hand.namespace(item))
    release.chart, release.missing = at_hand.named(item.name)
    # The chart that it adds to has values of its own, which come first.
    release.values.append(unknown(f"the HelmChart {item.name}"))
    release.targets = [_of(at_hand, release, item, spec if isinstance(spec, dict) else {})]
    release.advice = "add to spec.valuesContent"
    return release


def _of(at_hand: AtHand, release: Release, item: Object, spec: dict[str, Any]) -> Values:
    """Add the values that ``item`` gives, and return those where overrides are written."""
    may_write = writable(item)
    text = spec.get("valuesContent")
    place = InText(item, ("spec", "valuesContent"), f"valuesContent of {item}")
    data = mapping_of(text) if isinstance(text, str) else {} if text is None else None
    content = Values(place.name, data or {}, place, may_write and data is not None, (WHOLE,) if data is None else ())
    found = content
    release.values.append(content)
    if isinstance(mapping := spec.get("values"), dict):
        name = f"spec.values of {item}"
        values = Values(name, mapping, InObject(item, ("spec", "values"), name), may_write)
        release.values.append(values)
        if not text:
            found = values
    for entry in mappings(spec.get("valuesSecrets")):
        keys = entry.get("keys")
        for key in keys if isinstance(keys, list) else ():
            release.values.append(_secret(at_hand, item, str(entry.get("name")), str(key)))
    return found


def _secret(at_hand: AtHand, item: Object, name: str, key: str) -> Values:
    shown = f"{key} of Secret/{name}"
    found = [one for one in at_hand.called("", "Secret", name) if one.namespace == item.namespace]
    text = None
    if len(found) == 1:
        text = value_at(found[0].data, ("stringData", key))
        if not isinstance(text, str):
            encoded = value_at(found[0].data, ("data", key))
            text = decoded(encoded) if isinstance(encoded, str) else None
    data = mapping_of(text) if text is not None else None
    return Values(shown, data or {}, None, False, (WHOLE,) if data is None else ())


def _sets(release: Release, item: Object, spec: dict[str, Any]) -> None:
    """``set``, by name: what is typed before what is a text in any case, as helm reads its options."""
    found = spec.get("set")
    entries = sorted(found.items()) if isinstance(found, dict) else []
    for name, written in sorted(entries, key=lambda entry: not _is_typed(entry[1])):
        path = path_of(name)
        value = _value(written)
        shown = f"set {name} of {item}"
        data = nested(path, value) if path is not None else None
        if path is None or data is None:
            if path is not None and _is_typed(written):
                release.sets.append(f"{name}={_text(written)}")
            else:
                release.values.append(unknown(shown, keys_of(path or WHOLE)))
            continue
        place = SetValue(item, ("spec", "set", name), shown, path, _spelt)
        release.values.append(Values(shown, data, place, writable(item)))


def _is_typed(written: Any) -> bool:
    return not isinstance(written, str) or written.lower() in ("true", "false", "null")


def _value(written: Any) -> Any:
    if isinstance(written, str) and written.lower() in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[written.lower()]
    return written


def _text(written: Any) -> str:
    return str(written).lower() if isinstance(written, bool) else str(written)


def _spelt(value: Any) -> str | int | None:
    """What stands in ``set`` for ``value``: its entries are numbers and texts."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return value
    return value if isinstance(value, str) and not _is_typed(value) and not set(value) & set("\\,") else None
