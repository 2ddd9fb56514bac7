"""What a kustomization.yaml says, as plain data.

Source: sigs.k8s.io/kustomize/api/types, kustomization.go; of the images, api/filters/imagetag/updater.go; of names,
api/internal/builtins, PrefixTransformer.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hardener.support import shapes
from hardener.support.data_path import Path

NAMES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
CHARTS = {"helmCharts": "name", "helmChartInflationGenerator": "chartName"}
"""The fields with charts that it renders, each with the key of their names."""
_GROUP = "kustomize.config.k8s.io"
_HOSTS = frozenset({"github.com", "gitlab.com", "bitbucket.org"})
# Kinds whose name namePrefix and nameSuffix leave as it is.
_FIXED_NAMES = frozenset({
    ("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition"), ("apiregistration.k8s.io", "APIService"),
})  # fmt: skip


def is_kustomization(document: object) -> bool:
    """Whether ``document`` is kustomize's own and no object of a cluster; apiVersion and kind may be left out."""
    if not isinstance(document, Mapping):
        return False
    return str(document.get("apiVersion") or _GROUP).partition("/")[0] == _GROUP


def patch_names(document: Mapping[str, Any]) -> Iterator[str]:
    """The files that it names as patches."""
    for key in ("patches", "patchesJson6902"):
        for patch in shapes.listed(document.get(key)):
            if isinstance(patch, dict) and isinstance(patch.get("path"), str):
                yield patch["path"]
    for name in shapes.listed(document.get("patchesStrategicMerge")):
        if isinstance(name, str) and "\n" not in name:
            yield name


def components(document: Mapping[str, Any]) -> Iterator[str]:
    """The components that it uses, as written: what they say holds for all that it is built from."""
    yield from _paths(document, "components")


def resources(document: Mapping[str, Any]) -> Iterator[str]:
    """The files and folders whose objects it takes, as written; those behind a URL are among them."""
    for key in ("resources", "bases"):
        yield from _paths(document, key)


def plugins(document: Mapping[str, Any]) -> Iterator[str]:
    """The files and folders that configure its generators, transformers and validators; they hold no objects of it."""
    for key in ("generators", "transformers", "validators"):
        yield from (name for name in shapes.texts(document.get(key)) if "\n" not in name)


def entries(document: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """What it takes in, as written, with the place: files, folders and URLs, and the charts that it renders."""
    for key in ("resources", "bases", "components"):
        yield from (
            ((key, index), name) for index, name in enumerate(shapes.listed(document.get(key))) if isinstance(name, str)
        )
    for key, name_key in CHARTS.items():
        for index, chart in shapes.entries(document.get(key)):
            yield (key, index), str(chart.get(name_key))


def is_remote(name: str) -> bool:
    """Whether an entry that is no path of the tree names a repository or a URL (api/internal/git/repospec.go)."""
    first = name.partition("/")[0]
    return "://" in name or "?" in name or "::" in name or "@" in first or "//" in name or first in _HOSTS


def is_component(document: Mapping[str, Any]) -> bool:
    """Whether it is built as a part of others only."""
    return document.get("kind") == "Component"


def strings(document: Mapping[str, Any], key: str) -> Iterator[str]:
    """The texts of its list ``key``."""
    yield from shapes.texts(document.get(key))


def setting(document: Mapping[str, Any], key: str) -> str:
    """Its ``namespace``, ``namePrefix`` or ``nameSuffix``; "" where it has none, or what is no text."""
    found = document.get(key)
    return found if isinstance(found, str) else ""


def members(document: Mapping[str, Any]) -> Iterator[str]:
    """The files and folders that it is built from, as written; those behind a URL are among them."""
    for key in ("resources", "bases", "components"):
        yield from _paths(document, key)


def template_labels(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The labels that it gives to pods."""
    labels = shapes.mappings(document.get("labels"))
    given = [entry.get("pairs") for entry in labels if entry.get("includeSelectors") or entry.get("includeTemplates")]
    for pairs in (document.get("commonLabels"), *given):
        if isinstance(pairs, dict):
            yield from ((str(key), str(value)) for key, value in pairs.items())


def takes_affixes(group: str, kind: str) -> bool:
    """Whether namePrefix and nameSuffix change the names of objects of this kind."""
    return (group, kind) not in _FIXED_NAMES


def images(document: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Its entries of `images` that change something, with their index."""
    for index, entry in shapes.entries(document.get("images")):
        if isinstance(entry.get("name"), str):
            if any(entry.get(key) for key in ("newName", "newTag", "tagSuffix", "digest")):
                yield index, entry


def _paths(document: Mapping[str, Any], key: str) -> Iterator[str]:
    return (name for name in shapes.texts(document.get(key)) if "\0" not in name)
