"""What ``harden.lock`` says of charts: by place and version the digest of the archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

from hardener.kubernetes.images.reference import is_digest
from hardener.lock.charts.reference import ChartReference

Charts = Mapping[str, Mapping[str, "LockedChart"]]
"""By place, then by version."""
_REMEDY = "harden lock --charts writes it"


class LockedChart(Struct, frozen=True):
    """One version of a chart.

    - ``digest``: of its archive. ``manifest``: of the manifest that names it, where it is in a registry.
    - ``app``: the version of what it installs. ``dependencies``: the charts below it, ``NAME VERSION``.
    - ``asked``: what means this version beside its own name: ranges, tags.
    """

    digest: str
    app: str = ""
    dependencies: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    manifest: str | None = None

    def entry(self) -> dict[str, Any]:
        """Return what stands in the lock for it."""
        found: dict[str, Any] = {"digest": self.digest}
        optional = {
            "manifest": self.manifest, "app": self.app, "dependencies": list(self.dependencies),
            "asked": list(self.asked),
        }  # fmt: skip
        return found | {key: value for key, value in optional.items() if value}


class Located(Struct, frozen=True):
    """A chart of the lock, and the version that it has there."""

    version: str
    chart: LockedChart


def find(charts: Charts, reference: ChartReference) -> Located | None:
    """Return the chart that the lock holds for ``reference``; None where it holds none."""
    wanted = reference.version
    versions = charts.get(reference.place, {})
    if not reference.is_tag and wanted in versions:
        return Located(wanted, versions[wanted])
    for version, chart in versions.items():
        if wanted in chart.asked or wanted in (version, chart.manifest):
            return Located(version, chart)
    return None


class _Entry(Struct, forbid_unknown_fields=True):
    digest: str
    manifest: str | None = None
    app: str = ""
    dependencies: list[str] = []
    asked: list[str] = []


def read(
    said: Mapping[str, Mapping[str, Any]], fail: Callable[[tuple[str, ...], str], NoReturn]
) -> dict[str, dict[str, LockedChart]]:
    """Return the charts of a lock. ``fail`` raises for the path of what is wrong, and what is to be written there."""
    found: dict[str, dict[str, LockedChart]] = {}
    for place, versions in said.items():
        for version, value in versions.items():
            path = ("charts", place, version)
            try:
                entry = msgspec.convert(value, _Entry)
            except msgspec.ValidationError as error:
                keys = ", ".join(_Entry.__struct_encode_fields__)
                fail(path, f"{place} {version}: {str(error).replace('`', '').replace('$.', '')}: its keys are {keys}")
            if not is_digest(entry.digest) or not (entry.manifest is None or is_digest(entry.manifest)):
                fail((*path, "digest"), f"{place} {version}: digest is no digest: {_REMEDY}")
            found.setdefault(place, {})[version] = LockedChart(
                entry.digest, entry.app, tuple(entry.dependencies), tuple(entry.asked), entry.manifest
            )
    return found
