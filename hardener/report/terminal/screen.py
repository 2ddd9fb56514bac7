"""What a report is printed on: a terminal with its size, colours and links, or a pipe, which has none of these."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from msgspec import Struct

_HYPERLINK_TERMINALS = frozenset({"alacritty", "alacritty-direct", "foot", "xterm-ghostty", "xterm-kitty"})  # TERM
_HYPERLINK_PROGRAMS = frozenset(
    {"Hyper", "WezTerm", "ghostty", "iTerm.app", "rio", "tabby", "terminology", "vscode"}  # TERM_PROGRAM
)
_HYPERLINK_SIGNS = ("DOMTERM", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "WT_SESSION")
_FIRST_VTE = 5000  # 0.50, the first that knows links


class Screen(Struct, frozen=True):
    """``link`` makes the address of a line of a file; None: no links. ``width`` and ``height`` are columns and rows of
    a terminal; 0: lines, or their number, have no end."""

    colour: bool = False
    link: Callable[[str, int], str] | None = None
    width: int = 0
    height: int = 0

    @classmethod
    def of(cls, stream: object, color: str = "auto") -> Screen:
        """Return what ``stream`` is; ``color`` is what the command line says: auto, always or never."""
        colour = has_colour(stream, color)
        if not is_terminal(stream):
            return cls(colour)
        width, height = size(stream)
        return cls(colour, _address if knows_links(os.environ) else None, width, height)


def is_terminal(stream: object) -> bool:
    """Tell whether a person looks at ``stream``."""
    return bool(getattr(stream, "isatty", lambda: False)())


def has_colour(stream: object, color: str = "auto") -> bool:
    """Tell whether what goes to ``stream`` is coloured: as ``color`` says, else NO_COLOR, else FORCE_COLOR, else where
    it is a terminal that has colours."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if forced := os.environ.get("FORCE_COLOR"):
        return forced != "0"
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def knows_links(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal of ``environment`` makes links of OSC 8.

    FORCE_HYPERLINK says it, and "0" that it does not; else it is one of the terminals that the libraries
    ``supports-hyperlinks`` know by their variables.
    """
    if forced := environment.get("FORCE_HYPERLINK"):
        return forced != "0"
    term = environment.get("TERM", "")
    if term == "dumb" or term.startswith(("screen", "tmux")):
        return False  # what a multiplexer hands on is not known
    version = environment.get("VTE_VERSION", "")
    return (
        any(environment.get(name) for name in _HYPERLINK_SIGNS)
        or environment.get("TERM_PROGRAM") in _HYPERLINK_PROGRAMS
        or term in _HYPERLINK_TERMINALS
        or (version.isdigit() and int(version) >= _FIRST_VTE)
    )


def size(stream: object) -> tuple[int, int]:
    """Return columns and rows of the terminal of ``stream``; 0 for what it does not say."""
    try:
        found = os.get_terminal_size(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return 0, 0
    return found.columns, found.lines


def columns(stream: object) -> int:
    """Return how wide the terminal of ``stream`` is; 0 where it does not say."""
    return size(stream)[0]


def _address(path: str, line: int) -> str:
    """The address of ``line`` of the file ``path`` (absolute). Only kitty takes a line; others refuse the sign."""
    import platform  # late: few terminals have links
    from urllib.parse import quote

    host = "" if os.environ.get("TERM_PROGRAM") == "vscode" else platform.node()
    place = quote(os.fsencode(path.replace(os.sep, "/")), safe="/")
    if distribution := os.environ.get("WSL_DISTRO_NAME"):
        host, place = "wsl$", f"/{quote(distribution)}{place}"
    elif not place.startswith("/"):
        place = f"/{place}"  # C:/...
    numbered = line and (os.environ.get("KITTY_WINDOW_ID") or os.environ.get("TERM") == "xterm-kitty")
    return f"file://{host}{place}" + (f"#{line}" if numbered else "")
