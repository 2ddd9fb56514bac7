"""What a kustomization.yaml says, as plain data.

Source: sigs.k8s.io/kustomize/api/types, kustomization.go; of the images, api/filters/imagetag/updater.go.
"""

from collections.abc import Iterator, Mapping
from typing import Any

NAMES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_GROUP = "kustomize.config.k8s.io"


def is_kustomization(document: object) -> bool:
    """Whether ``document`` is kustomize's own and no object of a cluster; apiVersion and kind may be left out."""
    if not isinstance(document, Mapping):
        return False
    return str(document.get("apiVersion") or _GROUP).partition("/")[0] == _GROUP


def patch_names(document: Mapping[str, Any]) -> Iterator[str]:
    """The files that it names as patches."""
    for key in ("patches", "patchesJson6902"):
        for patch in _list(document, key):
            if isinstance(patch, dict) and isinstance(patch.get("path"), str):
                yield patch["path"]
    for name in _list(document, "patchesStrategicMerge"):
        if isinstance(name, str) and "\n" not in name:
            yield name


def components(document: Mapping[str, Any]) -> Iterator[str]:
    """The components that it uses, as written: what they say holds for all that it is built from."""
    yield from (name for name in _list(document, "components") if isinstance(name, str))


def members(document: Mapping[str, Any]) -> Iterator[str]:
    """The files and folders that it is built from, as written; those behind a URL are among them."""
    for key in ("resources", "bases", "components"):
        yield from (name for name in _list(document, key) if isinstance(name, str))


def images(document: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Its entries of `images` that change something, with their index."""
    for index, entry in enumerate(_list(document, "images")):
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            if any(entry.get(key) for key in ("newName", "newTag", "tagSuffix", "digest")):
                yield index, entry


def _list(document: Mapping[str, Any], key: str) -> list[Any]:
    found = document.get(key)
    return found if isinstance(found, list) else []
