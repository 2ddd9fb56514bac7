"""What a chart says of itself: ``Chart.yaml``, and ``requirements.yaml`` of older charts."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from typing import Any

from hardener.charts.helm import ChartError
from hardener.sources.yaml import TextError, parse
from hardener.support.printable import plain

CHART, REQUIREMENTS = "Chart.yaml", "requirements.yaml"
_LOCKS = ("Chart.lock", "requirements.lock")
_LARGEST = 1024 * 1024  # bytes


def metadata(folder: str, shown: str) -> dict[str, Any]:
    """Return what the Chart.yaml in ``folder`` says; ``dependencies`` holds those of requirements.yaml, which helm
    reads on top of it. Raises ChartError, which calls the chart ``shown``."""
    if not os.path.isfile(os.path.join(folder, CHART)):
        raise ChartError(f"{plain(shown)} is no chart: it has no Chart.yaml")
    found = _read(folder, CHART, shown)
    if os.path.isfile(os.path.join(folder, REQUIREMENTS)):
        older = _read(folder, REQUIREMENTS, shown)
        if isinstance(older.get("dependencies"), list):
            found["dependencies"] = older["dependencies"]
    return found


def dependencies(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the dependencies that metadata names, each with a ``name``."""
    listed = data.get("dependencies")
    entries = listed if isinstance(listed, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("name"), str)]


def locked_versions(folder: str) -> dict[str, str]:
    """Return the versions that the Chart.lock in ``folder`` has of dependencies, by their names; {} without one."""
    found: dict[str, str] = {}
    for name in _LOCKS:
        if os.path.isfile(os.path.join(folder, name)):
            entries = dependencies(_read(folder, name, name))
            found |= {entry["name"]: entry["version"] for entry in entries if isinstance(entry.get("version"), str)}
    return found


def vendored(folder: str) -> list[tuple[str, str]]:
    """Return the charts that lie unpacked in ``charts/`` of the chart in ``folder``: name and folder of each."""
    below = os.path.join(folder, "charts")
    found = []
    for name in sorted(os.listdir(below)) if os.path.isdir(below) else ():
        place = os.path.join(below, name)
        if name[0] not in "._" and os.path.isfile(os.path.join(place, CHART)):
            known = _read(place, CHART, name).get("name")
            found.append((known if isinstance(known, str) else name, place))
    return found


def libraries(folder: str) -> set[str]:
    """Return the names, in its values, of the charts below the one in ``folder`` that are libraries."""
    found = {name for name, place in vendored(folder) if _read(place, CHART, name).get("type") == "library"}
    entries = dependencies(metadata(folder, os.path.basename(folder)))
    return found | {str(entry["alias"]) for entry in entries if entry["name"] in found and entry.get("alias")}


def drop_dependencies(folder: str, names: Collection[str], shown: str) -> None:
    """Take the dependencies ``names`` out of the chart in ``folder``, a copy of ours, and the locks with them."""
    for name in (CHART, REQUIREMENTS):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            data = _read(folder, name, shown)
            if isinstance(listed := data.get("dependencies"), list):
                data["dependencies"] = [
                    entry for entry in listed if not (isinstance(entry, dict) and entry.get("name") in names)
                ]
                with open(path, "w", encoding="utf-8") as handle:
                    json.dump(data, handle)  # which is YAML, too; nobody reads the comments of a copy
    for name in _LOCKS:
        if os.path.exists(os.path.join(folder, name)):
            os.unlink(os.path.join(folder, name))


def _read(folder: str, name: str, shown: str) -> dict[str, Any]:
    try:
        documents = parse(_text(folder, name, shown)).documents
    except TextError as error:
        raise ChartError(f"{name} of {plain(shown)} cannot be read: {error.reason}") from None
    first = documents[0] if documents else None
    if not isinstance(first, dict):
        raise ChartError(f"{name} of {plain(shown)} is no map of keys")
    return first


def _text(folder: str, name: str, shown: str) -> str:
    with open(os.path.join(folder, name), "rb") as handle:
        raw = handle.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise ChartError(f"{name} of {plain(shown)} is larger than 1 MiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ChartError(f"{name} of {plain(shown)} is no UTF-8") from None
