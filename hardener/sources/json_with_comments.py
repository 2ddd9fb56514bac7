"""JSON with comments and commas behind the last item, as editors keep their settings. No deployer reads it."""

from __future__ import annotations

import json
import re
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*+"|//[^\n]*|/\*')
_LAST_COMMA = re.compile(r'"(?:[^"\\\n]|\\.)*+"|,(?=\s*[\]}])')


def read(text: str) -> Any:
    """What ``text`` holds. Raises ValueError where it is none of that."""
    if not text.lstrip("\ufeff \t\r\n").startswith(("{", "[", "//", "/*")):
        raise ValueError("it begins as no JSON")
    plain = _LAST_COMMA.sub(lambda found: "" if found[0] == "," else found[0], _without_comments(text))
    try:
        return json.loads(plain, object_pairs_hook=_mapping)
    except RecursionError as error:
        raise ValueError("it is too deep") from error


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("it has a key twice")
    return found


def _without_comments(text: str) -> str:
    parts: list[str] = []
    end = 0
    while (found := _TOKEN.search(text, end)) is not None:
        parts.append(text[end : found.start()])
        end = found.end()
        if found[0].startswith('"'):
            parts.append(found[0])
        elif found[0] == "/*":
            end = text.index("*/", end) + 2
            parts.append(" ")
    return "".join([*parts, text[end:]])
