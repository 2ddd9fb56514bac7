"""The command that an editor starts."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hardener.errors import InputError

_PACKAGES = frozenset({"pygls", "lsprotocol"})


def lsp(
    stdio: Annotated[bool, typer.Option("--stdio", help="Speak on standard input and output, as always.")] = False,
) -> None:
    """Start the language server on standard input and output: an editor does so.

    It needs the extra: pip install 'hardener[lsp]'. It writes no file; it sends edits to the editor.
    """
    from hardener import __version__

    try:
        from hardener.lsp.server import serve
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _PACKAGES:
            raise
        raise InputError("harden lsp needs an extra: pip install 'hardener[lsp]'") from None
    sys.exit(serve(__version__))
