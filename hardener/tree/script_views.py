"""Shell scripts as transforms see them: read for what they say about a cluster, never changed."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.sources.script import SCRIPT
from hardener.tree.view import View


class Script(View):
    """A script (``*.sh``) that names kubectl or flags of the API server."""

    __slots__ = ()
    KINDS = frozenset({SCRIPT})

    @property
    def lines(self) -> tuple[str, ...]:
        """Its lines; the one with index i stands at the path ``lines, i``."""
        return self.strings("lines")

    def commands(self) -> Iterator[tuple[int, str]]:
        """Its lines with those that a backslash or an open quote continues joined, each with the index of its first;
        comments and empty lines are none."""
        held, first, glue = "", 0, ""
        for index, line in enumerate(self.lines):
            if not held and (not line.strip() or line.lstrip().startswith("#")):
                continue
            first = first if held else index
            held, glue = f"{held}{glue if held else ''}{line}", "\n"
            if held.endswith("\\"):
                held, glue = held[:-1].rstrip(), " "
            elif not _is_open(held):
                yield first, held
                held = ""
        if held:
            yield first, held


def _is_open(text: str) -> bool:
    """Whether a quote is open at the end of ``text``."""
    quote = ""
    escaped = False
    for sign in text:
        if escaped:
            escaped = False
        elif sign == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
    return bool(quote)
