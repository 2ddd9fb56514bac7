"""What is shown and planned of many repositories: ``harden fleet report`` and ``harden fleet plan``."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from hardener.cli.fleet import FLEET_FILE, FleetFile

FLEET_REPORT_EXAMPLES = """
harden fleet report                                the next change, counts, the trend, what failed
harden fleet report --format html > fleet.html     a page with filters
harden fleet report --format csv > fleet.csv       a row for each rule and object
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
