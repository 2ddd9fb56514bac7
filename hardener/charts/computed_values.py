"""All values of a chart as helm sees them."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from typing import Any

from hardener.charts.helm import SCRATCH, ChartError, Helm
from hardener.sources.yaml import TextError, rewrite
from hardener.support.printable import plain

# What makes the values of a chart and of the charts below it; helm reads no other file for them.
_OF_VALUES = ("Chart.yaml", "requirements.yaml", "values.yaml")
_TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: harden-values
data:
  values: {{ .Values | toJson | b64enc }}
"""
_FOUND = re.compile(r"^  values: \"?([A-Za-z0-9+/=]+)\"?\s*$", re.M)


def computed_values(
    helm: Helm, folder: str, *, values: Sequence[str] = (), sets: Sequence[str] = (), release: str = "release",
    namespace: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The values that the templates of the chart in ``folder``, a copy of ours, get by ``values`` and ``sets``: those
    of the charts below it under their names or aliases as far as they are on, ``global``, what they import.

    No template of the chart has a part in it, so it does not matter whether they fail, or whether it is a library.
    Raises ChartError, and ProgramError.
    """
    scratch = tempfile.mkdtemp(prefix=SCRATCH)
    try:
        bare = os.path.join(scratch, os.path.basename(folder))
        _bare(folder, bare)
        _make_installable(os.path.join(bare, "Chart.yaml"))
        os.mkdir(os.path.join(bare, "templates"))
        with open(os.path.join(bare, "templates", "harden-values.yaml"), "w", encoding="utf-8") as handle:
            handle.write(_TEMPLATE)
        printed = helm.template(bare, values=values, sets=sets, release=release, namespace=namespace)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    found = _FOUND.search(printed)
    read = json.loads(base64.b64decode(found[1])) if found else None
    return read if isinstance(read, dict) else {}


def _bare(folder: str, target: str) -> None:
    """Copy what makes values: of the chart in ``folder``, and of the charts below it."""
    os.mkdir(target)
    for name in _OF_VALUES:
        if os.path.isfile(os.path.join(folder, name)):
            shutil.copyfile(os.path.join(folder, name), os.path.join(target, name))
    below = os.path.join(folder, "charts")
    if not os.path.isdir(below):
        return
    os.mkdir(os.path.join(target, "charts"))
    for name in os.listdir(below):
        if name[0] not in "._" and os.path.isfile(os.path.join(below, name, "Chart.yaml")):
            _bare(os.path.join(below, name), os.path.join(target, "charts", name))


def _make_installable(path: str) -> None:
    """Take from a Chart.yaml what keeps helm from rendering the chart: that it is a library, or for another cluster."""

    def mutate(documents: list[Any]) -> None:
        if documents and isinstance(documents[0], dict):
            documents[0].pop("kubeVersion", None)
            if "type" in documents[0]:
                documents[0]["type"] = "application"

    with open(path, encoding="utf-8-sig", newline="") as handle:
        text = handle.read()
    try:
        changed = rewrite(text, mutate).text
    except TextError as error:
        raise ChartError(f"Chart.yaml of {plain(os.path.basename(os.path.dirname(path)))}: {error.reason}") from None
    with open(path, "w", encoding="utf-8", newline="") as handle:
        handle.write(changed)
