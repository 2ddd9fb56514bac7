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
        found = known_value(match)
        left -= len(found)
        return found if left >= 0 else match[0]

    def known_value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name is None:
            return match[0]
        known, how = values.get(name), match[3]
        if how is None or how.endswith("?"):
            return match[0] if known is None else known
        if how.endswith("+"):
            return match[0] if known is None else match[4] if known or how == "+" else ""
        if known is None:
            return match[4] if defaults and name not in values else match[0]
        return known if known or how == "-" else match[4]

    return _VARIABLE.sub(value, text)


def filled(text: str, values: Mapping[str, str | None]) -> str | None:
    """The same, and None where a variable is left whose value is not known."""
    found = fill(text, values)
    if any(match[0] != "\\$" for match in _VARIABLE.finditer(found)) or "${" in found:
        return None
    return found.replace("\\$", "$")
