"""Keys that a chart may know though neither its values nor its user has them: beside the image of a container stand
what runs it and what it gets, and above it what holds for its pod."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hardener.charts.values.markers import map_paths
from hardener.support.data_path import Path, value_at

_OF_CONTAINER: tuple[Path, ...] = (("securityContext",), ("containerSecurityContext",), ("resources",))
_OF_POD: tuple[Path, ...] = (
    ("podSecurityContext",), ("securityContext",), ("pod", "securityContext"), ("defaultPodOptions", "securityContext"),
)  # fmt: skip
# Maps whose keys are the names that a person gives.
_BY_NAME = re.compile(r"(?i)(?:containers|controllers|deployments|statefulsets|daemonsets|jobs|sidecars|workloads)$")
_MOST = 300


def beside_images(values: dict[str, Any]) -> list[Path]:
    """Return the maps that may be set beside each image that ``values`` name, and are not there yet."""
    return _new(((*path, *name) for path in with_image(values) for name in _OF_CONTAINER), values)


def above_images(values: dict[str, Any]) -> list[Path]:
    """Return the maps that may be set for the pod of each image that ``values`` name, and are not there yet, the
    nearest first."""
    places = [place for path in with_image(values) for place in _pods(path)]
    return _new(((*place, *name) for place in dict.fromkeys(places) for name in _OF_POD), values)


def _pods(path: Path) -> list[Path]:
    """Where the pod of the image at ``path`` may be described: no name of a person's own stands there for something
    else."""
    inside = next((n for n in range(len(path) - 1, -1, -1) if _BY_NAME.search(str(path[n]))), len(path))
    return [path[:n] for n in range(inside, -1, -1) if n == 0 or not _BY_NAME.search(str(path[n - 1]))]


def with_image(values: dict[str, Any]) -> list[Path]:
    """Return the maps in ``values`` that name an image."""
    return [path for path in ((), *map_paths(values)) if _runs_image(path, values)]


def _runs_image(path: Path, values: dict[str, Any]) -> bool:
    found = value_at(values, path)
    return isinstance(found, dict) and isinstance(found.get("image"), str | dict)


def _new(paths: Iterable[Path], values: dict[str, Any]) -> list[Path]:
    """Those of ``paths``, each once, that are not there and can be, at most 300."""
    found: list[Path] = []
    for path in dict.fromkeys(paths):
        above = (value_at(values, path[:length]) for length in range(len(path)))
        fits = all(
            isinstance(value, list if isinstance(part, int) else dict | None)
            for value, part in zip(above, path, strict=True)
        )
        if fits and value_at(values, path) is None and len(found) < _MOST:
            found.append(path)
    return found
