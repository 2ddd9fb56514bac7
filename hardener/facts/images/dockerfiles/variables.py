"""Variables in a text (`$NAME`, `${NAME}`, `${NAME:-default}`), filled in where their value is known."""

from __future__ import annotations

import re
from collections.abc import Mapping

# As Docker reads it: docs.docker.com/reference/dockerfile, "Environment replacement".
_VARIABLE = re.compile(r"\\\$|\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])([^{}]*))?\})")
_LONGEST = 16_384  # characters that are filled into a text, where it is no longer itself


def fill(text: str, values: Mapping[str, str | None], *, defaults: bool = True) -> str:
    """``text`` with the variables filled in whose value is in ``values`` and not None; the others stand as they are,
    but for their default where they have one, which counts where nothing is known of the variable and ``defaults``."""
    if "$" not in text:
        return text
    left = max(_LONGEST, len(text))  # values within values would grow without end

    def value(match: re.Match[str]) -> str:
        nonlocal left
        found = _known(match, values, defaults)
        left -= len(found)
        return found if left >= 0 else match[0]

    return _VARIABLE.sub(value, text)


def _known(match: re.Match[str], values: Mapping[str, str | None], defaults: bool) -> str:
    """What stands in the place of one variable."""
    name, how = match[1] or match[2], match[3] or "?"
    known = values.get(name) if name is not None else None
    if known is None:
        has_default = name is not None and how.endswith("-") and name not in values
        return match[4] if has_default and defaults else match[0]
    is_set = known != "" or not how.startswith(":")
    if how.endswith("+"):
        return match[4] if is_set else ""
    return match[4] if how.endswith("-") and not is_set else known


def filled(text: str, values: Mapping[str, str | None]) -> str | None:
    """The same, and None where a variable is left whose value is not known."""
    found = fill(text, values)
    if any(match[0] != "\\$" for match in _VARIABLE.finditer(found)) or "${" in found:
        return None
    return found.replace("\\$", "$")
