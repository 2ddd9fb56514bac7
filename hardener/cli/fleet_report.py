"""What is shown and planned of many repositories: ``harden fleet report`` and ``harden fleet plan``."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from hardener.cli.around_apply import Lines
from hardener.cli.fleet import FLEET_FILE, FleetFile, size
from hardener.cli.help import RUNS, WHERE, WHICH
from hardener.cli.options import (
    Accept,
    AsOf,
    Config,
    MaxGrade,
    Only,
    Profile,
    SetOption,
    Skip,
    Version,
    choices_of,
)

FLEET_REPORT_EXAMPLES = """
harden fleet report                                the next change, counts, the trend, what failed
harden fleet report --format html > fleet.html     a page with filters
harden fleet report --format csv > fleet.csv       a row for each rule and object
"""
FLEET_PLAN_EXAMPLES = """
harden fleet plan --only no-privileged --max-grade safe --out wave    the wave of one rule
harden fleet plan --out all --lines 150                               the first part of each plan
harden fleet plan --team @shop/core --out core                        where a team owns a point
"""


class FleetFormat(StrEnum):
    text = "text"
    html = "html"
    json = "json"
    csv = "csv"


def fleet_report(
    db: FleetFile = FLEET_FILE,
    format: Annotated[FleetFormat, typer.Option("--format", help="How to print it.")] = FleetFormat.text,
    run: Annotated[int | None, typer.Option("--run", help="The run to show (the last).", metavar="N", min=1)] = None,
) -> None:
    """Print what a run over many repositories found: which change is the safest next, points by team, repository, rule,
    grade and severity, the trend between runs, and what failed."""
    from hardener.fleet.report import report

    sys.exit(report(db, format, run))


def fleet_plan(
    context: typer.Context,
    out: Annotated[str, typer.Option("--out", help="Write to this new folder.", metavar="DIR")],
    db: FleetFile = FLEET_FILE,
    repository: Annotated[
        str | None,
        typer.Option(help="Only repositories whose address holds this.", metavar="TEXT", rich_help_panel=WHICH),
    ] = None,
    team: Annotated[
        str | None, typer.Option(help="Only repositories in which this team owns a point.", rich_help_panel=WHICH)
    ] = None,
    part: Annotated[
        int, typer.Option("--part", help="Which part of each plan.", metavar="N", min=1, rich_help_panel=WHICH)
    ] = 1,
    lines: Lines = 300,
    branch: Annotated[
        str | None, typer.Option(help="The branch (harden-RULE or harden-GRADE).", rich_help_panel=RUNS)
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes at a time (one a processor).", min=1, max=1024, rich_help_panel=RUNS)
    ] = None,
    timeout: Annotated[
        int, typer.Option(help="Seconds for git, and as many for the plan.", min=1, max=86_400, rich_help_panel=RUNS)
    ] = 300,
    memory: Annotated[
        str, typer.Option(help="Address space of each plan.", metavar="SIZE", rich_help_panel=RUNS)
    ] = "4G",
    max_size: Annotated[
        str, typer.Option(help="Leave a repository alone that is larger.", metavar="SIZE", rich_help_panel=RUNS)
    ] = "500M",
    cache: Annotated[
        str | None,
        typer.Option(help="Check out here ($XDG_CACHE_HOME/harden/fleet).", metavar="DIR", rich_help_panel=WHERE),
    ] = None,
    profile: Profile = None,
    max_grade: MaxGrade = None,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    kubernetes_version: Version = None,
    config: Config = None,
    set: SetOption = None,
    as_of: AsOf = None,
) -> None:
    """Write a pull request for each repository of the last run, as files: branch, commit message, body. Each makes one
    part of harden plan. Nothing is written to a repository, and none is opened; git fetches a commit that is no longer
    in the cache. Exit code 1 when a repository failed."""
    from hardener.fleet.checkout import Limits
    from hardener.fleet.plans import Asked, plan

    limits = Limits(timeout, size("--memory", memory), size("--max-size", max_size))
    asked = Asked(
        file=db, out=out, number=part, lines=lines, limits=limits, branch=branch, repository=repository, team=team,
        cache=cache, jobs=jobs,
    )  # fmt: skip
    sys.exit(plan(choices_of(context), asked))
