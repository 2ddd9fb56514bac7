"""Which objects a patch of a kustomization is for, as plain data.

Sources: sigs.k8s.io/kustomize api/types/selector.go (anchored patterns), api/resmap/reswrangler.go (Select, GetById),
kyaml/resid (an unset namespace is "default"); of label selectors, k8s.io/apimachinery/pkg/labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

DEFAULT = "default"
_PLAIN = re.compile(r"[\w.-]*")
# A pattern is written for an engine that takes linear time; of what may take longer here, nothing is judged.
_SLOW = re.compile(r"\)[*+{?]|[*+{].*[*+{].*[*+{].*[*+{]|\\\d|\(\?", re.S)
_LONGEST = 1000
# What means the same to both engines: no class by name, no flag, no reference.
_COMMON = re.compile(r"(?:[\w./:|()^$-]|[*+?](?![*+])|\[\^?[\w.-]+\]|\\[.dws-])*+", re.ASCII)
_REQUIREMENT = re.compile(
    r"\s*+(?:(?P<absent>!\s*+)?(?P<exists>[\w./-]++)|(?P<key>[\w./-]++)\s*+(?P<equals>==|=|!=)\s*+(?P<value>[\w.-]*+)"
    r"|(?P<set>[\w./-]++)\s++(?P<operator>in|notin)\s*+\((?P<values>[^()]*+)\))\s*+(?:,|$)"
)


class Identity(Struct, frozen=True):
    """An object as a layer of kustomizations sees it: names and namespaces that it has, or had below."""

    group: str
    version: str
    kind: str
    names: frozenset[str]
    namespaces: frozenset[str]
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def is_selected(target: Mapping[str, Any], item: Identity, *, exact: bool = False) -> bool:
    """Whether ``target`` of a patch selects ``item``. ``exact``: its texts are no patterns, as in old JSON patches."""
    named = {"group": (item.group,), "version": (item.version,), "kind": (item.kind,)}
    for key, values in (*named.items(), ("name", item.names), ("namespace", item.namespaces)):
        wanted = target.get(key)
        if wanted in (None, ""):
            if exact and key == "namespace" and DEFAULT not in item.namespaces:
                return False
            continue
        if not isinstance(wanted, str) or not any(_fits(wanted, value, exact=exact) for value in values):
            return False
    return all(
        _selects(target.get(key), texts)
        for key, texts in (("labelSelector", item.labels), ("annotationSelector", item.annotations))
    )


def is_named(patch: Mapping[str, Any], item: Identity) -> bool:
    """Whether a strategic merge patch without a target names ``item``."""
    metadata = patch.get("metadata")
    if not isinstance(metadata, Mapping):
        return False
    group, _, version = str(patch.get("apiVersion") or "").rpartition("/")
    return (
        (group, version, patch.get("kind")) == (item.group, item.version, item.kind)
        and metadata.get("name") in item.names
        and (metadata.get("namespace") or DEFAULT) in item.namespaces
    )


def is_read(key: str, target: Mapping[str, Any]) -> bool:
    """Whether what ``target`` says at ``key`` means here what it means to kustomize; what does not selects nothing."""
    value = target.get(key)
    if value in (None, ""):
        return True
    if not isinstance(value, str) or len(value) > _LONGEST:
        return False
    if key.endswith("Selector"):
        return _requirements(value) is not None
    return _compiled(value) is not None


def plain_name(target: Mapping[str, Any]) -> str | None:
    """The one name that a target fits; None where it may fit several."""
    name = target.get("name")
    # A dot is a pattern, too, but names hold none as often as not, so that is looked at closely.
    return name if isinstance(name, str) and name and _PLAIN.fullmatch(name) and "." not in name else None


def _fits(pattern: str, text: str, *, exact: bool) -> bool:
    if exact or pattern == text:
        return pattern == text
    compiled = _compiled(pattern)
    return compiled is not None and compiled.fullmatch(text) is not None


@lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    if len(pattern) > _LONGEST or _SLOW.search(pattern) or not _COMMON.fullmatch(pattern):
        return None
    try:
        return re.compile(f"^(?:{pattern})$")
    except re.error:
        return None  # kustomize refuses it, too


def _selects(selector: Any, texts: Mapping[str, str]) -> bool:
    """Whether a selector as kubectl takes it fits labels or annotations; one that cannot be read fits nothing."""
    if not selector:
        return True
    found = _requirements(selector)
    return found is not None and all(_meets(one, texts) for one in found)


def _requirements(selector: Any) -> list[re.Match[str]] | None:
    """The parts of a selector that is not empty; None where it cannot be read."""
    if not isinstance(selector, str) or len(selector) > _LONGEST:
        return None
    parts: list[re.Match[str]] = []
    position = 0
    while position < len(selector):
        found = _REQUIREMENT.match(selector, position)
        if found is None or found.end() == position:
            return None
        parts.append(found)
        position = found.end()
    return parts


def _meets(found: re.Match[str], texts: Mapping[str, str]) -> bool:
    if found["exists"]:
        return (found["exists"] in texts) is not bool(found["absent"])
    if found["key"]:
        same = texts.get(found["key"]) == found["value"]
        return same is not (found["equals"] == "!=")
    values = {value.strip() for value in found["values"].split(",")}
    return (texts.get(found["set"]) in values) is (found["operator"] == "in")
