"""Lists of objects, as kubectl reads them: any object that holds a list ``items`` is one, whatever its kind.

Source: k8s.io/apimachinery 0.37, pkg/apis/meta/v1/unstructured/helpers.go, and what kubectl 1.37.1 makes of such files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hardener.support.shapes import mapping

_SUFFIX = "List"


def is_list(document: object) -> bool:
    """Whether ``document`` is read as a list of objects: it has ``items``, and they are a list."""
    return isinstance(mapping(document).get("items"), list)


def is_only_a_list(kind: str) -> bool:
    """Whether an object of ``kind`` is nothing beside its items."""
    return kind.endswith(_SUFFIX)


def implied(version: object, kind: str, item: object) -> dict[str, str]:
    """What a list of ``kind`` and API ``version`` says of an ``item`` that does not say it: its apiVersion and kind.

    Nothing for items of a ``List``, which holds objects of any kind.
    """
    own = kind.removesuffix(_SUFFIX)
    if not own or not isinstance(item, dict):
        return {}
    said = {"apiVersion": str(version or ""), "kind": own}
    return {key: value for key, value in said.items() if value and not _is_text(item.get(key))}


def completed(item: Any, implied: Mapping[str, str]) -> Any:
    """``item`` with what is ``implied`` of it where it does not say so itself; itself where nothing is."""
    if not implied or not isinstance(item, dict):
        return item
    return {**item, **{key: value for key, value in implied.items() if not _is_text(item.get(key))}}


def objects_of(document: object) -> Iterator[Mapping[str, Any]]:
    """The objects that ``document`` holds, with what lists say of their items; of a list its items, and itself where it
    may be an object of its own."""
    waiting: list[Any] = [document]
    seen: set[int] = set()  # aliases share what they name
    while waiting:
        found = waiting.pop()
        if not isinstance(found, dict) or id(found) in seen:
            continue
        seen.add(id(found))
        kind = found.get("kind")
        if isinstance(kind, str) and is_list(found):
            for item in found["items"]:
                waiting.append(completed(item, implied(found.get("apiVersion"), kind, item)))
            if is_only_a_list(kind):
                continue
        yield found


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
