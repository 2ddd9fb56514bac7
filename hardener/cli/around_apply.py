"""Commands around apply: a plan of what it makes, and the last run taken back or shown again."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hardener.cli.help import WHICH
from hardener.cli.options import (
    Accept,
    AsOf,
    Config,
    Evidence,
    MaxGrade,
    Only,
    Paths,
    PolicyEngine,
    Profile,
    SetOption,
    Skip,
    Version,
    choices_of,
)

PLAN_EXAMPLES = """
harden plan k8s
harden plan k8s --lines 150 --max-grade safe
harden apply k8s --plan 1
"""
Lines = Annotated[
    int, typer.Option("--lines", help="Changed lines of a part, at most.", metavar="N", min=1, rich_help_panel=WHICH)
]
PlanPart = Annotated[
    int | None,
    typer.Option("--plan", help="Apply part N of harden plan.", metavar="N", min=1, rich_help_panel=WHICH),
]


def plan(
    context: typer.Context,
    paths: Paths = None,
    lines: Lines = 300,
    profile: Profile = None,
    max_grade: MaxGrade = None,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    kubernetes_version: Version = None,
    config: Config = None,
    set: SetOption = None,
    evidence: Evidence = None,
    as_of: AsOf = None,
    policy_engine: PolicyEngine = None,
) -> None:
    """Split what apply would make into parts that somebody can review, smallest risk first. Nothing is written."""
    from hardener.commands.plan import show

    sys.exit(show(paths or ["."], choices_of(context), lines, print))


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
