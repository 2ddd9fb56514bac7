"""Dependencies of a chart that ``harden lock --charts`` pulled: which they are, and their archives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardener.lock.charts import archives
from hardener.lock.charts.locked import Charts, find
from hardener.lock.charts.reference import ChartReference, NoReferenceError, in_repository

_ELSEWHERE = ("http://", "https://", "oci://")


def reference_of(entry: Mapping[str, Any], versions: Mapping[str, str]) -> ChartReference | None:
    """Return the chart that ``entry`` of ``dependencies`` names, in the version that a Chart.lock has for it
    (``versions``, by name); None for one that lies beside it. Raises NoReferenceError."""
    repository, name = entry.get("repository"), entry.get("name")
    if not isinstance(repository, str) or not isinstance(name, str) or not repository.startswith(_ELSEWHERE):
        return None
    version = versions.get(name) or entry.get("version")
    return in_repository(repository, name, None if version is None else str(version))


def archive_of(charts: Charts, entry: Mapping[str, Any], versions: Mapping[str, str]) -> str | None:
    """Return the path of the archive that ``charts``, those of the lock, have for ``entry``; None where there is
    none."""
    try:
        reference = reference_of(entry, versions)
    except NoReferenceError:
        return None
    located = find(charts, reference) if reference is not None else None
    if reference is None or located is None:
        return None
    return archives.kept(located.chart.digest, reference.name, located.version)
