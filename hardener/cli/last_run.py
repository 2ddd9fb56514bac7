"""Commands about the last run: taken back, or shown again."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def undo() -> None:
    """Take back what the last run wrote in this repository, and print the command of Git that does so, too.

    Nothing is taken back where one of the files was changed since.
    """
    from hardener.commands.undo import undo

    sys.exit(undo(print))


def show(full: Annotated[bool, typer.Option("--full", help="All of it, as with -v.")] = False) -> None:
    """Print the last report again that a command printed on a terminal in this repository."""
    from hardener.commands.last_report import show

    sys.exit(show(print, full=full))
