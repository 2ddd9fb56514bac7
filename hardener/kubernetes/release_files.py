"""Files that name charts and hold no object of Kubernetes, by their names.

Source: helmfile.readthedocs.io (helmfile.yaml, helmfile.d), fleet.rancher.io/ref-fleet-yaml,
helm.sh/docs/topics/charts (Chart.yaml).
"""

from __future__ import annotations

import os

from hardener.support.late_pattern import late_pattern

HELMFILE, FLEET, CHART = "helmfile", "fleet", "chart"
_HELMFILE = late_pattern(r"helmfile[^/]*\.ya?ml(?:\.gotmpl)?")
_TEMPLATED = ".gotmpl"
_NAMES = {"fleet.yaml": FLEET, "fleet.yml": FLEET, "Chart.yaml": CHART}
_FOLDER = "helmfile.d"


def kind_of(path: str) -> str | None:
    """Return what the file ``path`` is by its name; None for any other."""
    folder, name = os.path.split(path)
    if name in _NAMES:
        return _NAMES[name]
    is_helmfile = os.path.basename(folder) == _FOLDER or _HELMFILE.fullmatch(name) is not None
    return HELMFILE if is_helmfile else None


def is_templated(path: str) -> bool:
    """Whether the file ``path`` is one that helmfile renders before it reads it, which its name says."""
    return path.endswith(_TEMPLATED) and kind_of(path) == HELMFILE
