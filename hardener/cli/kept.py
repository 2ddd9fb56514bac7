"""Commands about what a repository keeps: golden files of its manifests, a baseline, facts that a cluster told."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hardener.cli.help import Command
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

golden = typer.Typer(help="Keep golden files of your own manifests.", rich_markup_mode=None, no_args_is_help=True)
GoldenFolder = Annotated[str, typer.Argument(help="A folder with golden cases.", metavar="DIR")]


@golden.command(cls=Command)
def verify(folder: GoldenFolder) -> None:
    """Run every case (before/, after/, findings.txt) and compare. Exit code 1 when one does not hold."""
    from hardener.testing.golden import run_all

    sys.exit(min(run_all(folder, print, accept=False), 1))


@golden.command("accept", cls=Command)
def accept_golden(folder: GoldenFolder) -> None:
    """Write after/ and findings.txt of every case; review them as a diff."""
    from hardener.testing.golden import run_all

    sys.exit(min(run_all(folder, print, accept=True), 1))


baseline_group = typer.Typer(
    help="Record present findings; fail only on new ones.", rich_markup_mode=None, no_args_is_help=True
)


@baseline_group.command("write", cls=Command)
def write_baseline(
    context: typer.Context,
    paths: Paths = None,
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
    baseline: Annotated[
        Path | None, typer.Option(help="Write it here (harden.baseline at the Git root).", metavar="FILE")
    ] = None,
) -> None:
    """Write all findings and pending changes to a file, which harden check --baseline takes as known."""
    from hardener.commands.baseline import write_baseline

    sys.exit(write_baseline(paths or ["."], choices_of(context)))


report_group = typer.Typer(help="Make one report of many.", rich_markup_mode=None, no_args_is_help=True)


class MergedFormat(StrEnum):
    html = "html"
    json = "json"
    csv = "csv"
    text = "text"


@report_group.callback()
def _reports() -> None:
    """Make one report of many."""


@report_group.command("merge", cls=Command)
def merge_reports(
    reports: Annotated[list[str], typer.Argument(help="JSON reports of harden.", metavar="FILE...")],
    format: Annotated[MergedFormat, typer.Option("--format", help="How to print it.")] = MergedFormat.html,
) -> None:
    """Print one page of the JSON reports of pipelines: by repository, by rule, and which change is the safest next."""
    from hardener.commands.merge_reports import merge_reports

    sys.exit(merge_reports(reports, format))


def import_evidence(
    context: typer.Context,
    exports: Annotated[
        list[str] | None, typer.Argument(help="Files that people exported, or folders of them.", metavar="FILE...")
    ] = None,
    list_sources: Annotated[bool, typer.Option("--list", help="List the sources that are kept.")] = False,
    show: Annotated[
        str | None, typer.Option(help="Show what is known of a workload, and what differs.", metavar="WORKLOAD")
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Drop records of workloads that are not in the tree.")] = False,
    config: Config = None,
) -> None:
    """Read what was exported from a cluster, and keep the facts that decide in harden.evidence.yaml at the Git root.

    Files alone are read: nothing talks to a cluster. No value of a variable and no secret is kept.
    """
    from hardener.commands.import_evidence import import_files

    status = import_files(exports or [], choices_of(context), list_sources=list_sources, show=show, prune=prune)
    sys.exit(status)
