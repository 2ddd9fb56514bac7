"""Names that an API server takes, made of texts that it may not take: a person or a generator may write anything.

Source: apimachinery pkg/util/validation (IsDNS1123Label, IsDNS1123Subdomain, IsValidLabelValue) and pkg/api/validation/
path (IsValidPathSegmentName), which is what roles and bindings are held to.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_LABEL = 63
"""Of the name of a container or volume, and of the value of a label."""
LONGEST_NAME = 253
"""Of the name of an object."""

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_NOT_OF_LABELS = re.compile(r"[^a-z0-9]+")
_NOT_OF_VALUES = re.compile(r"[^a-z0-9._-]+")
_NOT_OF_PATHS = re.compile(r"[/%]+")
_BY_PATH = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
_ANYTHING = "x"  # where nothing is left of a text


def is_dns_label(name: str) -> bool:
    """Whether ``name`` is a DNS-1123 label."""
    return len(name) <= LONGEST_LABEL and _LABEL.fullmatch(name) is not None


def is_object_name(name: str, kind: str = "") -> bool:
    """Whether an API server takes ``name`` for a new object of ``kind``: a DNS-1123 subdomain for most."""
    if kind in _BY_PATH:
        return bool(name) and len(name) <= LONGEST_NAME and name not in (".", "..") and not _NOT_OF_PATHS.search(name)
    return len(name) <= LONGEST_NAME and all([_LABEL.fullmatch(part) for part in name.split(".")])


@lru_cache(maxsize=256)  # containers are called alike, and so are the folders that get a volume
def as_dns_label(text: str, longest: int = LONGEST_LABEL) -> str:
    """``text`` as the name of a container or volume, of at most ``longest`` characters: the same where it is one, else
    in lower case, with a dash for what no such name has."""
    if len(text) <= longest and is_dns_label(text):
        return text
    return _NOT_OF_LABELS.sub("-", text.lower()).strip("-")[:longest].rstrip("-") or _ANYTHING


def as_object_name(text: str, kind: str = "", longest: int = LONGEST_NAME) -> str:
    """``text`` as the name of a new object of ``kind``, of at most ``longest`` characters: the same where it is one,
    else with a dash for what no such name has."""
    if len(text) <= longest and is_object_name(text, kind):
        return text
    if kind in _BY_PATH:
        return _NOT_OF_PATHS.sub("-", text).strip("-.")[:longest].rstrip("-.") or _ANYTHING
    parts = (_NOT_OF_LABELS.sub("-", part).strip("-") for part in text.lower().split("."))
    return ".".join(filter(None, parts))[:longest].rstrip("-.") or _ANYTHING


def as_label_value(text: str) -> str:
    """``text`` as the value of a label, in lower case; "" where nothing is left of it."""
    return _NOT_OF_VALUES.sub("-", text.lower()).lstrip("-_.")[:LONGEST_LABEL].rstrip("-_.")
