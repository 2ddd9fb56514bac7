"""The command line: arguments in, exit code out. Each command imports what it uses, so that ``--help`` stays quick."""

from __future__ import annotations

import atexit
import gc
import sys
from copy import copy
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="harden",
    help="Harden Kubernetes manifests in place, keep every comment, and say why.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)


class Risk(StrEnum):
    safe = "safe"
    review = "review"
    breaking = "breaking"


class FailOn(StrEnum):
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"
    none = "none"


class Format(StrEnum):
    text = "text"
    json = "json"


class Engine(StrEnum):
    vap = "vap"
    kyverno = "kyverno"
    gatekeeper = "gatekeeper"
    none = "none"


class GraphFormat(StrEnum):
    text = "text"
    mermaid = "mermaid"
    dot = "dot"
    json = "json"


Profile = Annotated[
    str | None, typer.Option(help="baseline, restricted (default), strict, or a profile file.", metavar="NAME|FILE")
]
MaxRisk = Annotated[Risk, typer.Option(help="Apply changes up to this grade; hold the others back.")]
Accept = Annotated[list[str] | None, typer.Option(help="Apply this transform whatever its grade.", metavar="ID")]
Only = Annotated[list[str] | None, typer.Option(help="Run only these transforms.", metavar="ID")]
Skip = Annotated[list[str] | None, typer.Option(help="Run all but these transforms.", metavar="ID")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to report.")]
Version = Annotated[str | None, typer.Option(help="The oldest Kubernetes of your clusters (1.35).", metavar="1.N")]
Config = Annotated[Path | None, typer.Option(help="Config file (.harden.yaml at the Git root).", metavar="FILE")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="A profile option.", metavar="GROUP.KEY=VALUE")]
Evidence = Annotated[Path | None, typer.Option(help="Read evidence from here (Git root).", metavar="DIR")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show every edit with its evidence.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show only the summary.")]
AsOf = Annotated[str | None, typer.Option(help="Judge the end of exceptions on this day (today).", metavar="DATE")]
Prune = Annotated[bool, typer.Option("--prune-managed", help="Remove from policies of harden what nothing explains.")]
OutOfBand = Annotated[
    Path | None,
    typer.Option(help="Write files for hosts here (harden-host at the Git root).", metavar="DIR"),
]
SecretsOut = Annotated[Path | None, typer.Option(help="Write the values of moved secrets here.", metavar="DIR")]
PolicyEngine = Annotated[Engine | None, typer.Option(help="Write admission policies for this engine.")]
AuditLog = Annotated[
    list[Path] | None, typer.Option(help="Derive rights from this audit log of the API server.", metavar="FILE")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _texts(paths: list[Path] | None) -> list[str]:
    return [str(path) for path in paths or ()]


@app.command()
def apply(
    paths: Annotated[list[str], typer.Argument(help="Files, folders or patterns.", metavar="PATH...")],
    profile: Profile = None,
    max_risk: MaxRisk = Risk.review,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    format: FormatOption = Format.text,
    kubernetes_version: Version = None,
    config: Config = None,
    set: SetOption = None,
    evidence: Evidence = None,
    as_of: AsOf = None,
    prune_managed: Prune = False,
    out_of_band: OutOfBand = None,
    secrets_out: SecretsOut = None,
    policy_engine: PolicyEngine = None,
    audit_log: AuditLog = None,
    yes: Yes = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Rewrite manifests in place and report what was changed, why, and what was left alone."""
    from hardener.session import Choices, apply

    choices = Choices(
        profile, max_risk, accept, only, skip, kubernetes_version, _text(config), set, _text(evidence), as_of,
        prune_managed, _text(out_of_band), _text(secrets_out), policy_engine, _texts(audit_log),
    )  # fmt: skip
    sys.exit(apply(paths, choices, format=format, yes=yes, verbose=verbose, quiet=quiet))


@app.command()
def diff(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files, folders or patterns (.).", metavar="[PATH...]")
    ] = None,
    profile: Profile = None,
    max_risk: MaxRisk = Risk.review,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    format: FormatOption = Format.text,
    kubernetes_version: Version = None,
    config: Config = None,
    set: SetOption = None,
    evidence: Evidence = None,
    as_of: AsOf = None,
    prune_managed: Prune = False,
    out_of_band: OutOfBand = None,
    secrets_out: SecretsOut = None,
    policy_engine: PolicyEngine = None,
    audit_log: AuditLog = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show what apply would change, as a patch that git apply takes. Exit code 1 when there is something."""
    from hardener.session import Choices, diff

    choices = Choices(
        profile, max_risk, accept, only, skip, kubernetes_version, _text(config), set, _text(evidence), as_of,
        prune_managed, _text(out_of_band), _text(secrets_out), policy_engine, _texts(audit_log),
    )  # fmt: skip
    sys.exit(diff(paths or ["."], choices, format=format, verbose=verbose, quiet=quiet))


@app.command()
def check(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files, folders or patterns (.).", metavar="[PATH...]")
    ] = None,
    profile: Profile = None,
    fail_on: Annotated[FailOn, typer.Option(help="Fail on a finding of this severity or worse.")] = FailOn.critical,
    max_risk: MaxRisk = Risk.review,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    format: FormatOption = Format.text,
    kubernetes_version: Version = None,
    config: Config = None,
    set: SetOption = None,
    evidence: Evidence = None,
    as_of: AsOf = None,
    prune_managed: Prune = False,
    out_of_band: OutOfBand = None,
    secrets_out: SecretsOut = None,
    policy_engine: PolicyEngine = None,
    audit_log: AuditLog = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Say what is not hardened, and which Pod Security level each workload reaches. Exit code 1: too little."""
    from hardener.session import Choices, check

    choices = Choices(
        profile, max_risk, accept, only, skip, kubernetes_version, _text(config), set, _text(evidence), as_of,
        prune_managed, _text(out_of_band), _text(secrets_out), policy_engine, _texts(audit_log),
    )  # fmt: skip
    sys.exit(check(paths or ["."], choices, fail_on=fail_on, format=format, verbose=verbose, quiet=quiet))


@app.command()
def filter(
    profile: Profile = None,
    max_risk: MaxRisk = Risk.review,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    kubernetes_version: Version = None,
    config: Config = None,
    set: SetOption = None,
    as_of: AsOf = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Harden manifests from standard input to standard output; the report goes to standard error."""
    from hardener.session import Choices, filter

    choices = Choices(profile, max_risk, accept, only, skip, kubernetes_version, _text(config), set, None, as_of)
    sys.exit(filter(choices, verbose=verbose, quiet=quiet))


@app.command()
def graph(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files, folders or patterns (.).", metavar="[PATH...]")
    ] = None,
    format: Annotated[GraphFormat, typer.Option("--format", help="How to print it.")] = GraphFormat.text,
    config: Config = None,
    evidence: Evidence = None,
) -> None:
    """Show who talks to whom, as far as the manifests tell, with file and line."""
    from hardener.session import Choices, graph

    sys.exit(graph(paths or ["."], Choices(config=_text(config), evidence=_text(evidence)), format=format))


@app.command("list")
def list_command(profile: Profile = None) -> None:
    """List the transforms by risk, with the profiles that contain them."""
    from hardener.catalogue import print_list

    print_list(profile, print)


@app.command()
def profiles(
    name: Annotated[str | None, typer.Argument(help="A profile to show whole.", metavar="[NAME|FILE]")] = None,
) -> None:
    """List the profiles, or show what one of them does and with which options."""
    from hardener.catalogue import print_profiles

    print_profiles(name, print)


golden = typer.Typer(help="Keep golden files of your own manifests.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(golden, name="golden")
GoldenFolder = Annotated[str, typer.Argument(help="A folder with golden cases.", metavar="DIR")]


@golden.command()
def verify(folder: GoldenFolder) -> None:
    """Run every case (before/, after/, findings.txt) and compare. Exit code 1 when one does not hold."""
    from hardener.golden import run_all

    sys.exit(min(run_all(folder, print, accept=False), 1))


@golden.command("accept")
def accept_golden(folder: GoldenFolder) -> None:
    """Write after/ and findings.txt of every case; review them as a diff."""
    from hardener.golden import run_all

    sys.exit(min(run_all(folder, print, accept=True), 1))


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="A transform, or a risk from K01 to K10.", metavar="ID|K01")],
) -> None:
    """Explain a transform, or a risk and its transforms."""
    from hardener.catalogue import explain

    explain(name, print)


def _version(value: bool) -> None:
    if value:
        from hardener import __version__

        print(f"harden {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Harden Kubernetes manifests in place, keep every comment, and say why."""


def main() -> None:
    """Run the command line: exit code 2 for a mistake of the user's, 3 for one of ours."""
    from hardener.errors import HardenError

    _calm_collector()
    interrupted = "harden: interrupted; every file is as it was or wholly rewritten"
    try:
        # Not standalone: a wrong command line comes here, to be one line like every other mistake.
        status = _asked()(standalone_mode=False)
        if status == 130:  # typer takes the interrupt and returns its code
            _fail(interrupted, status)
        sys.exit(status)
    except HardenError as error:
        _fail(f"harden: {error}", 2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        _fail(interrupted, 130)
    except Exception as error:
        from hardener.crash import describe

        message = getattr(error, "format_message", None)  # those of typer; their class has no public name
        if message is not None and len(sys.argv) > 1:
            _fail(f"harden: {' '.join(message().split())}; see harden --help", 2)
        if message is not None:  # no argument at all
            _fail(message(), 2)
        _fail(describe(error), 3)


def _asked() -> typer.Typer:
    """The command line with nothing but the command that is named: typer builds each from its signature, and all of
    them cost more than to harden a small file."""
    named = [
        one for one in app.registered_commands if one.callback and sys.argv[1:2] == [one.name or one.callback.__name__]
    ]
    if not named:
        return app
    found = copy(app)
    found.registered_commands, found.registered_groups = named, []
    return found


def _calm_collector() -> None:
    # A run makes many objects that live to its end: the default thresholds walk them again and again for nothing, and
    # so do the last collections of the interpreter.
    gc.set_threshold(50_000, 20, 100)
    atexit.register(gc.freeze)


def _fail(message: str, status: int) -> None:
    from hardener.report.redactor import Redactor

    print(Redactor().text(message), file=sys.stderr)
    sys.exit(status)
