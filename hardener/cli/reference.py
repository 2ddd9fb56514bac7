"""Commands that print what harden itself knows: its transforms, profiles and hooks. No file is read but a profile."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hardener.cli.help import WHICH
from hardener.cli.options import Framework, Profile, Severity

LIST_EXAMPLES = """
harden list --risk K05
harden list --severity high --profile baseline
"""
EXPLAIN_EXAMPLES = """
harden explain run-as-non-root
harden explain K05
"""


def list_transforms(
    profile: Profile = None,
    risk: Annotated[
        list[str] | None, typer.Option(help="Only those of this risk.", metavar="K01", rich_help_panel=WHICH)
    ] = None,
    severity: Annotated[
        Severity | None, typer.Option(help="Only those of this severity or worse.", rich_help_panel=WHICH)
    ] = None,
) -> None:
    """List the transforms by risk, each with its severity and the profiles that contain it."""
    from hardener.commands.explain import print_list

    print_list(print, profile, risk or [], severity)


def profiles(
    name: Annotated[str | None, typer.Argument(help="A profile to show whole.", metavar="[NAME|FILE]")] = None,
) -> None:
    """List the profiles, or show what one of them does and with which options."""
    from hardener.commands.explain import print_profiles

    print_profiles(name, print)


def explain(
    name: Annotated[
        str,
        typer.Argument(
            help="A transform, a finding, a risk from K01 to K10, or a check of another scanner.", metavar="ID|K01"
        ),
    ],
) -> None:
    """Explain a transform, a finding, a risk and its transforms, or what covers a check of another scanner."""
    from hardener.commands.explain import explain
    from hardener.report.terminal.screen import columns

    explain(name, print, columns(sys.stdout))


def hook(
    framework: Annotated[
        Framework, typer.Argument(help="What starts the pods.", metavar="airflow|cdk8s|kubespawner|pulumi")
    ],
) -> None:
    """Print a module that hardens the pods of a framework while it runs, where their source cannot be changed."""
    from hardener.commands import hooks

    print(hooks.text(framework), end="")
