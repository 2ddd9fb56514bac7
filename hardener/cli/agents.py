"""The command that programs start to act for a person: ``harden mcp``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hardener.cli.options import UpTo


def mcp(
    roots: Annotated[
        list[str] | None, typer.Argument(help="Folders that the tools may read and write (.).", metavar="[FOLDER...]")
    ] = None,
    max_grade: Annotated[UpTo, typer.Option(help="The highest grade of changes that apply may make.")] = UpTo.review,
) -> None:
    """Serve tools for agents over the Model Context Protocol, on standard input and output (extra mcp)."""
    from hardener.agents.service import Service
    from hardener.errors import InputError

    try:
        from hardener.agents.server import server
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in {"mcp", "pydantic"}:
            raise
        raise InputError("harden mcp needs the extra mcp: pip install 'hardener[mcp]'") from None
    server(Service(roots or ["."], max_grade)).run("stdio")
    sys.exit(0)
