"""Trees with a chart, and overrides for it, made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hardener.charts.releases.collect import Release, releases, write
from hardener.engine.outcome import Override
from hardener.tree.tree import Settings, Tree

CHART = {
    "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.2.3\n",
    "charts/app/values.yaml": "replicas: 1\nweb:\n  image: {repository: nginx, tag: '1'}\n  securityContext: {}\n",
    "charts/app/templates/values.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\n"
        "data: {values: {{ .Values | toJson | quote }}}\n"
    ),
}


def made(root: Path, files: dict[str, str], settings: Settings | None = None) -> Tree:
    """The tree of ``files`` by name, and of the chart ``charts/app``, below ``root``."""
    for name, text in {**CHART, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Tree.read([str(root)], root=str(root), settings=settings)


def only(tree: Tree) -> Release:
    """The one release of ``tree``."""
    (release,) = releases(tree)
    return release


def override(path: str, value: Any) -> Override:
    return Override(tuple(path.split(".")), value, ())


def written(release: Release, *overrides: Override) -> dict[str, str]:
    """The files that ``write`` gives, by their name; a refusal fails."""
    found = write(release, overrides, lambda path: Path(path).read_text(encoding="utf-8"))
    assert isinstance(found, dict), found
    root = Path(release.owner.tree.root)
    return {Path(path).relative_to(root).as_posix(): text for path, text in found.items()}


def added(before: str, after: str) -> list[str]:
    """The lines that ``after`` has more than ``before``, and those it lacks with a minus before them."""
    import difflib

    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[2:] if line[0] == "+" else "-" + line[2:] for line in lines if line[0] in "+-"]
