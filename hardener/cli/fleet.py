"""The commands over many repositories: ``harden fleet``."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from hardener.cli.help import RUNS, WHERE, Command
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

fleet_group = typer.Typer(
    help="Judge many repositories, and keep what was found in one file.", rich_markup_mode=None, no_args_is_help=True
)
FleetFile = Annotated[
    str, typer.Option("--db", help="The file of the fleet, of SQLite.", metavar="FILE", rich_help_panel=WHERE)
]
FLEET_FILE = "harden-fleet.db"
_UNITS = {"": 20, "M": 20, "G": 30}  # powers of two
_SIZE = re.compile(r"([1-9]\d{0,8})([MG]?)(?:i?B)?")


@fleet_group.command(
    "run",
    cls=Command,
    short_help="Judge every repository of a list.",
    epilog="""
harden fleet run repositories.txt              four at a time on four processors
gh repo list shop --json sshUrl -q '.[].sshUrl' | harden fleet run -
harden fleet run repositories.txt --scheduler tcp://10.0.0.5:8786
""",
)
def run(
    context: typer.Context,
    list_file: Annotated[
        str,
        typer.Argument(help="Paths and addresses of https and ssh, one a line; - is standard input.", metavar="LIST"),
    ],
    db: FleetFile = FLEET_FILE,
    rev: Annotated[
        str | None, typer.Option(help="A branch, tag or commit (what HEAD is there).", rich_help_panel=RUNS)
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes at a time (one a processor).", min=1, max=1024, rich_help_panel=RUNS)
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Use the workers of this scheduler of dask.distributed.", metavar="ADDRESS", rich_help_panel=RUNS
        ),
    ] = None,
    timeout: Annotated[
        int, typer.Option(help="Seconds for git, and as many for the run.", min=1, max=86_400, rich_help_panel=RUNS)
    ] = 300,
    memory: Annotated[
        str, typer.Option(help="Address space of each run.", metavar="SIZE", rich_help_panel=RUNS)
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
    """Judge every repository of a list, and keep what was found in one file. git opens connections to clone them: one
    commit, without hooks, filters, LFS and submodules. Nothing is written to a repository.

    A run that was ended goes on where it was, and a commit that was judged before is not judged again. Exit code 1 when
    a repository failed."""
    from hardener.fleet.checkout import Limits
    from hardener.fleet.run import Asked
    from hardener.fleet.run import run as run_fleet

    limits = Limits(timeout, _size("--memory", memory), _size("--max-size", max_size))
    asked = Asked(file=db, limits=limits, rev=rev, cache=cache, jobs=jobs, scheduler=scheduler)
    sys.exit(run_fleet(list_file, choices_of(context), asked))


def _size(option: str, text: str) -> int:
    """Bytes of ``500M`` or ``4G``; a plain number is MiB. Raises InputError."""
    from hardener.errors import InputError

    found = _SIZE.fullmatch(text)
    if found is None:
        raise InputError(f"{option} {text}: a size looks like 500M or 4G")
    return int(found[1]) << _UNITS[found[2]]


@fleet_group.command("status", cls=Command, short_help="Show how far the last run is.")
def status(db: FleetFile = FLEET_FILE) -> None:
    """Show how far the last run is, and why repositories failed. Exit code 1 when it has not ended, or one failed."""
    from hardener.fleet.status import status as show_status

    sys.exit(show_status(db))
