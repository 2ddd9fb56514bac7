"""The command line: arguments in, exit code out. Each command imports what it uses, so that ``--help`` stays quick."""

from __future__ import annotations

import errno
import os
import sys
from copy import copy
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hardener.cli import calm_collector
from hardener.cli.agents import mcp
from hardener.cli.around_apply import PLAN_EXAMPLES, Lines, PlanPart, plan, show, undo
from hardener.cli.editor import lsp
from hardener.cli.fleet import fleet_group
from hardener.cli.fleet_report import FLEET_PLAN_EXAMPLES, FLEET_REPORT_EXAMPLES, fleet_plan, fleet_report
from hardener.cli.help import CHART, REPORT, RUNS, VERDICT, WHERE, WHICH, Command
from hardener.cli.kept import baseline_group, golden, import_evidence, report_group
from hardener.cli.options import (
    TEXT,
    Accept,
    AllowEmpty,
    AsOf,
    AuditLog,
    Color,
    ColorOption,
    Config,
    ContainerEngine,
    Evidence,
    FailOn,
    FormatOption,
    GraphFormat,
    HelmOption,
    ImageFormat,
    LockFile,
    MaxGrade,
    NamespaceOption,
    NoWaivers,
    Only,
    OutOfBand,
    OutputDir,
    OutputOption,
    PatchOption,
    Paths,
    PinFormatOption,
    PolicyEngine,
    Profile,
    ProfileReader,
    Prune,
    Quiet,
    ReleaseOption,
    RendersOption,
    Require,
    SecretsOut,
    SetOption,
    SetValueOption,
    Since,
    Skip,
    Unread,
    ValuesOption,
    Verbose,
    Version,
    Whole,
    Workflow,
    Yes,
    choices_of,
    release_of,
    style_of,
    text,
)
from hardener.cli.reference import EXPLAIN_EXAMPLES, LIST_EXAMPLES, explain, hook, list_transforms, profiles

app = typer.Typer(
    name="harden",
    help="Harden Kubernetes manifests in place, keep every comment, and say why.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
command = partial(app.command, cls=Command)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # files that are changed have an error of their own


@command(
    short_help="Rewrite manifests in place.",
    epilog="""
harden apply k8s                        what works, or needs a look
harden apply k8s --max-grade safe       what the manifests prove
harden apply k8s --only K05             the network alone
harden apply k8s --accept run-as-user   one that is held back
harden apply -i k8s                     one by one
""",
)
def apply(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(help="Files, folders or patterns.", metavar="PATH...")],
    profile: Profile = None,
    max_grade: MaxGrade = None,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    format: FormatOption = TEXT,
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
    pin_format: PinFormatOption = None,
    output: OutputOption = None,
    output_dir: OutputDir = None,
    chart_values: Annotated[
        bool,
        typer.Option("--values", help="Harden charts that the tree renders, by their values.", rich_help_panel=CHART),
    ] = False,
    interactive: Annotated[bool, typer.Option("-i", "--interactive", help="Ask about each change.")] = False,
    plan: PlanPart = None,
    lines: Lines = 300,
    yes: Yes = False,
    patch: PatchOption = False,
    color: ColorOption = Color.auto,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Rewrite manifests in place and report what was changed, why, and what was left alone."""
    from hardener.commands.run import apply

    if plan is not None:
        from hardener.commands.plan import apply as apply_part

        if interactive or output or output_dir:
            _fail("harden: --plan does not go with -i, --output and --output-dir", 2)
        sys.exit(apply_part(paths, choices_of(context), style_of(context), number=plan, lines=lines, yes=yes))
    if interactive or output or output_dir:
        from hardener.commands import apply as apply_command

        status = apply_command.apply(
            paths, choices_of(context), style_of(context), yes=yes, interactive=interactive, output=output,
            output_dir=text(output_dir),
        )  # fmt: skip
        sys.exit(status)
    sys.exit(apply(paths, choices_of(context), style_of(context), yes=yes))


@command(
    short_help="Show what apply would change.",
    epilog="""
harden diff k8s                  what to know of it, and the patch
harden diff k8s --patch          the patch alone
harden diff k8s --stat           how many lines of which files
harden diff k8s | git apply      what apply does; the report is on standard error
""",
)
def diff(
    context: typer.Context,
    paths: Paths = None,
    profile: Profile = None,
    max_grade: MaxGrade = None,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    format: FormatOption = TEXT,
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
    pin_format: PinFormatOption = None,
    since: Since = None,
    whole: Whole = False,
    no_waivers: NoWaivers = False,
    lock: LockFile = None,
    values: ValuesOption = None,
    set_value: SetValueOption = None,
    release: ReleaseOption = "release",
    namespace: NamespaceOption = None,
    helm_program: HelmOption = None,
    renders: RendersOption = 200,
    stat: Annotated[
        bool, typer.Option("--stat", help="Count the lines of each file, not the patch.", rich_help_panel=REPORT)
    ] = False,
    patch: Annotated[
        bool, typer.Option("--patch", help="Print the patch alone, without the report.", rich_help_panel=REPORT)
    ] = False,
    no_pager: Annotated[
        bool, typer.Option("--no-pager", help="Print on a terminal without a pager.", rich_help_panel=REPORT)
    ] = False,
    color: ColorOption = Color.auto,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show what apply would change: on a terminal the report and then the patch, elsewhere the patch, which git apply
    takes, with the report on standard error. Exit code 1 when there is something."""
    from hardener.commands.diff import diff

    sys.exit(diff(paths or ["."], choices_of(context), style_of(context), release_of(context)))


@command(
    short_help="Report what is not hardened; for pipelines.",
    epilog="""
harden check k8s                    fails on any change that apply would make
harden check k8s --fail-on high     fails on what is high or critical
harden check --since origin/main    judges what a branch changed
""",
)
def check(
    context: typer.Context,
    paths: Paths = None,
    profile: Profile = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            help="Fail on a finding or change of this severity or worse; none: never. Not given: on any change that is "
            "pending, and on what is critical.",
            rich_help_panel=VERDICT,
        ),
    ] = None,
    max_grade: MaxGrade = None,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    format: FormatOption = TEXT,
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
    pin_format: PinFormatOption = None,
    since: Since = None,
    whole: Whole = False,
    baseline: Annotated[
        Path | None,
        typer.Option(help="Fail only on what this file does not list.", metavar="FILE", rich_help_panel=VERDICT),
    ] = None,
    no_waivers: NoWaivers = False,
    lock: LockFile = None,
    require: Require = None,
    allow_empty: AllowEmpty = False,
    unread: Annotated[
        Unread,
        typer.Option(
            help="Whether workloads in a form that is not read (CUE, Jsonnet, a remote base, ...) fail the check, with "
            "exit code 2.",
            rich_help_panel=VERDICT,
        ),
    ] = Unread.warn,
    values: ValuesOption = None,
    set_value: SetValueOption = None,
    release: ReleaseOption = "release",
    namespace: NamespaceOption = None,
    helm_program: HelmOption = None,
    renders: RendersOption = 200,
    patch: PatchOption = False,
    color: ColorOption = Color.auto,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Say what is not hardened, and which Pod Security level each workload reaches. Exit code 1: too little."""
    from hardener.commands.check import check

    status = check(
        paths or ["."], choices_of(context), style_of(context), fail_on=fail_on, require=require or [],
        allow_empty=allow_empty, release=release_of(context), unread_fails=unread is Unread.fail,
    )  # fmt: skip
    sys.exit(status)


@command(
    short_help="Harden standard input to standard output.",
    epilog="""
kustomize build base | harden filter >hardened.yaml
helm template shop ./chart | harden filter --report harden.txt
""",
)
def filter(
    context: typer.Context,
    profile: Profile = None,
    max_grade: MaxGrade = None,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    kubernetes_version: Version = None,
    config: Config = None,
    set: SetOption = None,
    as_of: AsOf = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write the report here (standard error); JSON for *.json.", metavar="FILE", rich_help_panel=REPORT
        ),
    ] = None,
    patch: PatchOption = False,
    color: ColorOption = Color.auto,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Harden manifests from standard input to standard output; the report goes to standard error."""
    from hardener.commands.filter import filter

    sys.exit(filter(choices_of(context), style_of(context), report=text(report)))


@command(
    short_help="Harden a Helm chart by its values.",
    epilog="""
harden values ./chart                         writes harden-values.yaml beside it
harden values ./chart -f mine.yaml            what mine.yaml leaves open
harden values ./chart -f mine.yaml --in-place mine.yaml
helm upgrade app ./chart -f mine.yaml -f harden-values.yaml
""",
)
def values(
    context: typer.Context,
    chart: Annotated[str, typer.Argument(help="A chart: its folder or .tgz.", metavar="CHART")],
    values: ValuesOption = None,
    set_value: Annotated[
        list[str] | None,
        typer.Option(
            "--set", "--set-value", help="A single value, as helm takes it.", metavar="KEY=VALUE", rich_help_panel=CHART
        ),
    ] = None,
    release: ReleaseOption = "release",
    namespace: NamespaceOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Write the overrides here (harden-values.yaml).",
            metavar="FILE",
            rich_help_panel=WHERE,
        ),
    ] = None,
    in_place: Annotated[
        Path | None,
        typer.Option(help="Write them into this file, one of those of -f.", metavar="FILE", rich_help_panel=WHERE),
    ] = None,
    template_patch: Annotated[
        Path | None,
        typer.Option(help="Write the lines for the chart's own templates here, as a patch.", metavar="FILE"),
    ] = None,
    templates: Annotated[
        bool, typer.Option("--templates", help="Write these lines into the templates and values.yaml of the chart.")
    ] = False,
    helm_program: HelmOption = None,
    renders: RendersOption = 200,
    profile: Profile = None,
    max_grade: MaxGrade = None,
    accept: Accept = None,
    only: Only = None,
    skip: Skip = None,
    format: FormatOption = TEXT,
    kubernetes_version: Version = None,
    config: Config = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="A profile option.", metavar="GROUP.KEY=VALUE", rich_help_panel=WHICH),
    ] = None,
    as_of: AsOf = None,
    yes: Yes = False,
    patch: PatchOption = False,
    color: ColorOption = Color.auto,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Find the values of a Helm chart that harden what it renders, and write them as a file of overrides."""
    from msgspec.structs import replace

    from hardener.commands.values import Release, write_values

    status = write_values(
        chart, replace(choices_of(context), set=option), release_of(context) or Release(), style_of(context),
        output=text(output), in_place=text(in_place), template_patch=text(template_patch), templates=templates,
        yes=yes,
    )  # fmt: skip
    sys.exit(status)


@command(short_help="Run as a KRM function.")
def fn() -> None:
    """Run as a KRM function: a ResourceList from standard input to standard output, with results."""
    from hardener.commands.krm import fn

    sys.exit(fn())


@command(
    short_help="Show who talks to whom.",
    epilog="""
harden graph k8s
harden graph k8s --format mermaid
harden graph k8s --format svg >graph.svg
""",
)
def graph(
    context: typer.Context,
    paths: Paths = None,
    format: Annotated[GraphFormat, typer.Option("--format", help="How to print it.")] = GraphFormat.text,
    config: Config = None,
    evidence: Evidence = None,
) -> None:
    """Show who talks to whom, as far as the manifests tell, with file and line."""
    from hardener.commands.run import graph

    sys.exit(graph(paths or ["."], choices_of(context), format=format))


@command(
    short_help="Ask registries for digests and configs.",
    epilog="""
harden lock k8s
harden lock k8s --deep       reads layers, too: more is proved
harden lock --update nginx   looks up one image again
harden lock k8s --charts     pulls the Helm charts of releases: harden diff changes their values
""",
)
def lock(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders or patterns (.); with --update, images too.", metavar="[PATH...]"),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 1 when a tag moved.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Look up the entries of the lock again, or the images named.")
    ] = False,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Ask no registry; exit code 1 when an image is missing.")
    ] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Read the layers, too: user numbers, file capabilities, writable folders."),
    ] = False,
    charts: Annotated[
        bool, typer.Option("--charts", help="Pull the Helm charts of releases instead of asking for images.")
    ] = False,
    vendor: Annotated[
        Path | None, typer.Option(help="With --charts, copy the charts into this folder.", metavar="DIR")
    ] = None,
    registries: Annotated[
        Path | None,
        typer.Option(help="Mirrors and registries without TLS (~/.config/harden/config.yaml).", metavar="FILE"),
    ] = None,
    config: Config = None,
    evidence: Evidence = None,
) -> None:
    """Ask registries for the digest and config of each image, and write them to harden.lock."""
    if charts or vendor is not None:
        from hardener.commands.lock_charts import lock_charts

        switches = {"charts": charts, "check": check, "deep": deep, "update": update, "frozen": frozen}
        named = {"registries": text(registries), "vendor": text(vendor)}
        sys.exit(lock_charts(paths or [], choices_of(context), switches, **named))
    from hardener.commands.lock import lock

    asked = {"check": check, "update": update, "frozen": frozen, "deep": deep}
    sys.exit(lock(paths or [], choices_of(context), **asked, registries=text(registries)))


@command(
    short_help="Run workloads hardened, in podman or docker.",
    epilog="""
harden observe k8s
harden observe k8s --workload web --seconds 60
harden observe k8s --workload web --exercise ./smoke.sh
harden observe k8s --check   in a pipeline: runs what harden.lock does not tell of
harden observe k8s --engine kubectl --context kind-dev   in a cluster, after a plan
""",
)
def observe(
    context: typer.Context,
    paths: Paths = None,
    workload: Annotated[
        list[str] | None,
        typer.Option(
            help="Harden only this one: web or Deployment/web; can be repeated. Others run unchanged.",
            metavar="NAME",
            rich_help_panel=RUNS,
        ),
    ] = None,
    engine: Annotated[
        ContainerEngine | None,
        typer.Option(help="Run them in this engine (podman, otherwise docker).", rich_help_panel=RUNS),
    ] = None,
    cluster_context: Annotated[
        str | None,
        typer.Option(
            "--context",
            help="With --engine kubectl: the cluster of this context of the kubeconfig, and no other.",
            metavar="NAME",
            rich_help_panel=RUNS,
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --engine kubectl: do not ask.", rich_help_panel=RUNS)
    ] = False,
    seconds: Annotated[
        int | None,
        typer.Option(
            help="Watch each workload for this time; without it 20 seconds, or less if it answers.",
            min=1,
            max=3600,
            metavar="N",
            rich_help_panel=RUNS,
        ),
    ] = None,
    exercise: Annotated[
        str | None,
        typer.Option(
            help="Show that a workload works: by a command, run here with its address in HARDEN_URL, or Job/NAME.",
            metavar="CMD",
            rich_help_panel=RUNS,
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Stop after this time, and keep what is known by then (10m).",
            metavar="TIME",
            rich_help_panel=RUNS,
        ),
    ] = None,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help="Harden a workload even if one that it calls does not start unchanged.",
            rich_help_panel=RUNS,
        ),
    ] = False,
    registries: Annotated[
        Path | None,
        typer.Option(
            help="Mirrors and registries without TLS (~/.config/harden/config.yaml).",
            metavar="FILE",
            rich_help_panel=RUNS,
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing; exit code 1 when a workload that ran hardened no longer does.",
            rich_help_panel=VERDICT,
        ),
    ] = False,
    show_output: Annotated[
        bool,
        typer.Option(
            "--show-output",
            help="With --check, also show lines that containers print.",
            rich_help_panel=REPORT,
        ),
    ] = False,
    seccomp_profile: Annotated[
        Path | None,
        typer.Option(
            help="Give containers this seccomp profile, in place of that of the runtime.",
            metavar="FILE",
            rich_help_panel=RUNS,
        ),
    ] = None,
    seccomp: Annotated[
        Path | None,
        typer.Option(
            help="Record system calls (podman, strace), and write a seccomp profile for each container there.",
            metavar="FOLDER",
            rich_help_panel=RUNS,
        ),
    ] = None,
    seccomp_for: Annotated[
        ProfileReader, typer.Option(help="Write these profiles for it.", rich_help_panel=RUNS)
    ] = ProfileReader.localhost,
    profile: Profile = None,
    config: Config = None,
    evidence: Evidence = None,
    format: Annotated[ImageFormat, typer.Option("--format", help="How to print it.", rich_help_panel=REPORT)] = (
        ImageFormat.text
    ),
) -> None:
    """Run workloads in a container engine, as they are and hardened, and write what was seen to harden.lock."""
    from hardener.commands.observe import observe

    status = observe(
        paths or ["."], choices_of(context), workloads=workload or [], engine=engine, seconds=seconds,
        keep_going=keep_going, check=check, registries=text(registries), format=format,
        seccomp=text(seccomp_profile), show_output=show_output, exercise=exercise, budget=budget,
        context=cluster_context, yes=yes, record=text(seccomp), record_as=seccomp_for,
    )  # fmt: skip
    sys.exit(status)


@command(short_help="Show the images of the manifests.")
def images(
    context: typer.Context,
    paths: Paths = None,
    format: Annotated[ImageFormat, typer.Option("--format", help="How to print it.")] = ImageFormat.text,
    config: Config = None,
    evidence: Evidence = None,
    as_of: AsOf = None,
) -> None:
    """Show the images of the manifests: digest, user, ports, age, and what uses them."""
    from hardener.commands.images import images

    sys.exit(images(paths or ["."], choices_of(context), format=format))


@command(
    short_help="Write a first .harden.yaml, hooks and jobs.",
    epilog="""
harden init k8s --pre-commit --workflow github
""",
)
def init(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files that hooks and jobs check (.).", metavar="[PATH...]")
    ] = None,
    profile: Annotated[str, typer.Option(help="For .harden.yaml.", metavar="NAME|FILE")] = "restricted",
    pre_commit: Annotated[bool, typer.Option("--pre-commit", help="Write hooks for pre-commit, too.")] = False,
    workflow: Annotated[list[Workflow] | None, typer.Option(help="Write a job for this host, too.")] = None,
) -> None:
    """Write a first .harden.yaml, and on request what runs harden in hooks and pipelines. What is there stays."""
    from hardener.commands.init import init

    sys.exit(
        init(paths or ["."], profile=profile, pre_commit=pre_commit, workflow=[str(one) for one in workflow or []])
    )


command(short_help="Split the changes into parts.", epilog=PLAN_EXAMPLES)(plan)
command(short_help="Take back what the last run wrote.")(undo)
command(short_help="Print the last report again.")(show)
command("list", short_help="List the transforms by risk.", epilog=LIST_EXAMPLES)(list_transforms)
command(short_help="List the profiles, or show one.")(profiles)
command(short_help="Explain a transform, or a risk.", epilog=EXPLAIN_EXAMPLES)(explain)
command(short_help="Start the language server of an editor.")(lsp)
command(short_help="Print a module for Airflow, Pulumi and others.")(hook)
command(
    name="import",
    short_help="Read exports of a cluster as evidence.",
    epilog="""
kubectl get pods,deploy,sts,ds -A -o json > pods.json
harden import pods.json              what runs, as whom, from which digest
harden import krr.json flows.jsonl   what it uses, who calls whom
harden import --show web             what is known of a workload
""",
)(import_evidence)
command(
    short_help="Serve tools for agents (MCP).",
    epilog="""
harden mcp k8s                    plan, explain, findings, graph, apply, undo; below k8s alone
harden mcp k8s --max-grade safe   apply makes what the manifests prove, and nothing else
""",
)(mcp)
app.add_typer(golden, name="golden")
app.add_typer(baseline_group, name="baseline")
app.add_typer(report_group, name="report")
fleet_group.command(
    "report", cls=Command, short_help="Show what a run found, by team and rule.", epilog=FLEET_REPORT_EXAMPLES
)(fleet_report)
fleet_group.command(
    "plan", cls=Command, short_help="Write a pull request for each repository.", epilog=FLEET_PLAN_EXAMPLES
)(fleet_plan)
app.add_typer(fleet_group, name="fleet")


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
    from hardener.errors import InputError
    from hardener.support import waiting

    calm_collector()
    waiting.tell_by(lambda line: print(f"harden: {line}", file=sys.stderr, flush=True))
    interrupted = "harden: interrupted; every file is as it was or wholly rewritten"
    try:
        status = _status()
        if status == 130:  # typer takes the interrupt and returns its code
            _fail(interrupted, status)
        sys.exit(status)
    except InputError as error:
        _fail(f"harden: {error}", 2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        _fail(interrupted, 130)
    except OSError as error:
        if error.errno not in _FULL:
            _fail(_bug_report(error), 3)
        _fail(f"harden: cannot write to standard output or to a temporary file: {error.strerror}; free space", 2)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            _fail_for_room(error)
        message = getattr(error, "format_message", None)  # those of typer; their class has no public name
        if message is not None and type(error).__name__ != "NoArgsIsHelpError" and len(sys.argv) > 1:
            from hardener.cli.wrong_words import in_a_line  # late: for a mistake alone

            context = getattr(error, "ctx", None)
            command = getattr(context, "command_path", "harden")
            _fail(f"harden: {in_a_line(message(), context)}; see {command} --help", 2)
        if message is not None:  # no argument, or a group without its command: the help says what there is
            _fail(message(), 2)
        _fail(_bug_report(error), 3)


def _status() -> int:
    """Run the command. What cannot be printed is an error here, and not while Python ends."""
    try:
        # Not standalone: a wrong command line comes here, to be one line like every other mistake.
        status: int = _asked()(prog_name="harden", standalone_mode=False)
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return status


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


def _bug_report(error: BaseException) -> str:
    """A short message for ``error``; the stack goes to a file of its own. Neither holds a message or a value,
    since both may quote a manifest."""
    import platform
    import tempfile
    import traceback

    from hardener import __version__

    # The text of the error is left out: it can quote a value. The type and our own stack find the bug.
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"harden {__version__}, Python {platform.python_version()}, {platform.system()}", name]
    lines += [
        f"  {os.path.basename(os.path.dirname(f.filename))}/{os.path.basename(f.filename)}:{f.lineno} {f.name}"
        for f in frames
    ]
    message = f"harden: this is an internal error in harden: {name} in {lines[-1].strip()}"
    try:
        handle, path = tempfile.mkstemp(prefix="harden-crash-", suffix=".txt")
        with os.fdopen(handle, "w") as stream:
            stream.write("\n".join(lines) + "\n")
    except OSError:
        return message
    return f"{message}; the stack, without any value, is in {path}"


def _fail_for_room(error: OSError) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left of the output is not tried again
    what = error.filename or "the output, or a temporary file, cannot be written"
    _fail(f"harden: {what}: {error.strerror}", 2)


def _fail(message: str, status: int) -> None:
    from hardener.report.redactor import Redactor
    from hardener.support.printable import plain_lines

    print(plain_lines(Redactor().text(message)), file=sys.stderr)
    sys.exit(status)
