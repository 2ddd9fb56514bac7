"""What helm makes of the values of a chart: all of them together, and which dependencies they turn on."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from hardener.charts.files import metadata as chart_metadata
from hardener.charts.helm import Helm, scratch

_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  found: {found}\n"
_VALUES = _MAP.format(name="harden-values", found="{{ .Values | toJson | b64enc | quote }}")
_FOUND = re.compile(r"^  name: (\S+)\n(?:.*\n)?  found: \"?([A-Za-z0-9+/=]*)\"?[ \t]*$", re.M)
_PRESENT = "harden-present-"
_VERSION = "0.0.0"  # of what stands for a chart that is not there


def computed_values(
    helm: Helm,
    folder: str,
    *,
    values: Sequence[str] = (),
    sets: Sequence[str] = (),
    release: str = "release",
    namespace: str | None = None,
) -> dict[str, Any]:
    """Return the values that the templates of the chart in ``folder``, a copy of ours, get by ``values`` and ``sets``:
    those of the charts below it under their names or aliases as far as they are on, ``global``, what they import.

    No template of the chart has a part in it, so it does not matter whether they fail, or whether it is a library.
    Raises ChartError, and ProgramError.
    """
    options = {"values": values, "sets": sets, "release": release, "namespace": namespace}
    found = _rendered(helm, folder, {"": {"values.yaml": _VALUES}}, options)
    text = found.get("harden-values")
    read = json.loads(base64.b64decode(text)) if text else None
    return read if isinstance(read, dict) else {}


def turned_on(
    helm: Helm, folder: str, names: Sequence[str], *, values: Sequence[str] = (), sets: Sequence[str] = ()
) -> set[str]:
    """Return those of the dependencies ``names``, missing from the chart in ``folder``, that ``values`` and ``sets``
    turn on, under one alias at least. helm decides: something that stands for the chart is rendered or not.

    Raises ChartError, and ProgramError.
    """
    charts = {
        name: {"present.yaml": _MAP.format(name=f"{_PRESENT}{number}", found='""')} for number, name in enumerate(names)
    }
    found = _rendered(helm, folder, charts, {"values": values, "sets": sets})
    return {name for number, name in enumerate(names) if f"{_PRESENT}{number}" in found}


def _rendered(
    helm: Helm, folder: str, templates: Mapping[str, Mapping[str, str]], options: Mapping[str, Any]
) -> dict[str, str]:
    """What the ``templates`` of ours print, by name, in a chart that has nothing but the values of the one in
    ``folder`` and of the charts below it. Templates under the name "" are its own, others those of a missing chart."""
    data = chart_metadata.metadata(folder, os.path.basename(folder))
    kept: dict[str, Any] = {key: data[key] for key in ("name", "version") if key in data}
    # Neither that the chart is a library nor the cluster it is made for matters here.
    kept |= {"apiVersion": "v2", "type": "application"}
    kept["dependencies"] = [
        {**entry, "version": _VERSION} if entry["name"] in templates else entry
        for entry in chart_metadata.dependencies(data)
    ]
    with scratch() as place:
        bare = os.path.join(place, os.path.basename(folder))
        _copy_values(folder, bare)
        if os.path.exists(os.path.join(bare, chart_metadata.REQUIREMENTS)):
            os.unlink(os.path.join(bare, chart_metadata.REQUIREMENTS))  # read already
        _write(bare, chart_metadata.CHART, json.dumps(kept))
        for number, (name, files) in enumerate(templates.items()):
            target = os.path.join(bare, "charts", f"harden-{number}") if name else bare
            if name:
                missing = {"apiVersion": "v2", "name": name, "version": _VERSION}
                _write(target, chart_metadata.CHART, json.dumps(missing))
            for file, text in files.items():
                _write(os.path.join(target, "templates"), file, text)
        printed = helm.template(bare, schema=False, **options)
    return {found[1]: found[2] for found in _FOUND.finditer(printed)}


def _copy_values(folder: str, target: str) -> None:
    """Copy what makes values: of the chart in ``folder``, and of the charts below it."""
    os.makedirs(target)
    for name in (chart_metadata.CHART, chart_metadata.REQUIREMENTS, "values.yaml"):
        if os.path.isfile(os.path.join(folder, name)):
            shutil.copyfile(os.path.join(folder, name), os.path.join(target, name))
    for _, place in chart_metadata.vendored(folder):
        _copy_values(place, os.path.join(target, "charts", os.path.basename(place)))


def _write(folder: str, name: str, text: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8") as handle:
        handle.write(text)
