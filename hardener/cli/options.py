"""The options of the command line that several commands share, and the names that they take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hardener.cli.help import CHART, REPORT, VERDICT, WHERE, WHICH, ids, profiles
from hardener.report import formats

if TYPE_CHECKING:
    from hardener.commands.run import Choices, Style
    from hardener.commands.values import Release


class UpTo(StrEnum):
    safe = "safe"
    review = "review"
    guess = "guess"
    breaking = "breaking"


class FailOn(StrEnum):
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"
    none = "none"


class Severity(StrEnum):
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


class Unread(StrEnum):
    fail = "fail"
    warn = "warn"


class Color(StrEnum):
    auto = "auto"
    always = "always"
    never = "never"


Format = StrEnum("Format", {name: name for name in formats.NAMES})  # type: ignore[misc]
TEXT = Format("text")


class Engine(StrEnum):
    vap = "vap"
    kyverno = "kyverno"
    gatekeeper = "gatekeeper"
    none = "none"


class Output(StrEnum):
    kustomize = "kustomize"
    json_patch = "json-patch"


class GraphFormat(StrEnum):
    text = "text"
    mermaid = "mermaid"
    svg = "svg"
    dot = "dot"
    json = "json"


class PinFormat(StrEnum):
    tag_digest = "tag-digest"
    digest_only = "digest-only"


class Framework(StrEnum):
    airflow = "airflow"
    cdk8s = "cdk8s"
    kubespawner = "kubespawner"
    pulumi = "pulumi"


class Workflow(StrEnum):
    github = "github"
    gitlab = "gitlab"


class ContainerEngine(StrEnum):
    podman = "podman"
    docker = "docker"
    kubectl = "kubectl"


class ProfileReader(StrEnum):
    localhost = "localhost"
    operator = "operator"


class ImageFormat(StrEnum):
    text = "text"
    json = "json"


Paths = Annotated[list[str] | None, typer.Argument(help="Files, folders or patterns (.).", metavar="[PATH...]")]
Profile = Annotated[
    str | None,
    typer.Option(
        help="baseline, restricted (default), strict, or a profile file.",
        metavar="NAME|FILE",
        rich_help_panel=WHICH,
        autocompletion=profiles,
    ),
]
MaxGrade = Annotated[
    UpTo | None,
    typer.Option(help="Apply changes up to this grade (review); hold the others back.", rich_help_panel=WHICH),
]
Accept = Annotated[
    list[str] | None,
    typer.Option(
        help="Apply this transform whatever its grade.", metavar="ID", rich_help_panel=WHICH, autocompletion=ids
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Run only these transforms.", metavar="ID|K01", rich_help_panel=WHICH, autocompletion=ids),
]
Skip = Annotated[
    list[str] | None,
    typer.Option(help="Run all but these transforms.", metavar="ID|K01", rich_help_panel=WHICH, autocompletion=ids),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to report.", rich_help_panel=REPORT)]
Version = Annotated[
    str | None,
    typer.Option(help="The oldest Kubernetes of your clusters (1.36).", metavar="1.N", rich_help_panel=WHICH),
]
Config = Annotated[
    Path | None, typer.Option(help="Config file (.harden.yaml at the Git root).", metavar="FILE", rich_help_panel=WHICH)
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="A profile option.", metavar="GROUP.KEY=VALUE", rich_help_panel=WHICH)
]
Evidence = Annotated[
    Path | None, typer.Option(help="Read evidence from here (Git root).", metavar="DIR", rich_help_panel=WHICH)
]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Show every edit with its evidence.", rich_help_panel=REPORT)
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="Show only the summary, and what fails a check.", rich_help_panel=REPORT)
]
ColorOption = Annotated[
    Color, typer.Option("--color", help="Colours: on a terminal (auto), always or never.", rich_help_panel=REPORT)
]
PatchOption = Annotated[bool, typer.Option("--patch", help="Show the patch, too.", rich_help_panel=REPORT)]
AsOf = Annotated[
    str | None,
    typer.Option(help="Judge the end of exceptions on this day (today).", metavar="DATE", rich_help_panel=WHICH),
]
Prune = Annotated[
    bool,
    typer.Option(
        "--prune-managed", help="Remove rules of harden's own policies that nothing explains.", rich_help_panel=WHICH
    ),
]
OutOfBand = Annotated[
    Path | None,
    typer.Option(
        help="Write files for hosts here (harden-host at the Git root).", metavar="DIR", rich_help_panel=WHERE
    ),
]
SecretsOut = Annotated[
    Path | None, typer.Option(help="Write the values of moved secrets here.", metavar="DIR", rich_help_panel=WHERE)
]
PolicyEngine = Annotated[
    Engine | None, typer.Option(help="Write admission policies for this engine.", rich_help_panel=WHICH)
]
AuditLog = Annotated[
    list[Path] | None,
    typer.Option(help="Derive rights from this audit log of the API server.", metavar="FILE", rich_help_panel=WHICH),
]
PinFormatOption = Annotated[
    PinFormat | None, typer.Option("--pin-format", help="Keep the tag beside a digest, or not.", rich_help_panel=WHICH)
]
Since = Annotated[
    str | None,
    typer.Option(help="Report only documents that differ from this revision.", metavar="REV", rich_help_panel=VERDICT),
]
Whole = Annotated[
    bool,
    typer.Option(
        "--whole",
        help="With --since: also what these documents lacked before; without it what the change touched or made worse.",
        rich_help_panel=VERDICT,
    ),
]
NoWaivers = Annotated[
    bool,
    typer.Option(
        "--no-waivers",
        help="Let nothing in the tree lower the result: no config, mark, lock or name.",
        rich_help_panel=VERDICT,
    ),
]
LockFile = Annotated[
    Path | None,
    typer.Option("--lock", help="Use this file as harden.lock.", metavar="FILE", rich_help_panel=VERDICT),
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        "--require", help="Exit code 2 if no file that was read matches.", metavar="PATTERN", rich_help_panel=VERDICT
    ),
]
AllowEmpty = Annotated[
    bool,
    typer.Option("--allow-empty", help="Pass if nothing was read; otherwise fail (2).", rich_help_panel=VERDICT),
]
OutputOption = Annotated[
    Output | None,
    typer.Option(
        "--output", help="Write a kustomize component or JSON patches, not the source.", rich_help_panel=WHERE
    ),
]
OutputDir = Annotated[
    Path | None,
    typer.Option(
        help="Write to this folder (without --output: hardened copies), not to the source.",
        metavar="DIR",
        rich_help_panel=WHERE,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.", rich_help_panel=WHERE)]


ValuesOption = Annotated[
    list[str] | None,
    typer.Option(
        "-f", "--values", help="Values, as helm takes them; later over earlier.", metavar="FILE", rich_help_panel=CHART
    ),
]
SetValueOption = Annotated[
    list[str] | None,
    typer.Option("--set-value", help="A single value, as helm --set.", metavar="KEY=VALUE", rich_help_panel=CHART),
]
ReleaseOption = Annotated[str, typer.Option(help="The name of the release.", metavar="NAME", rich_help_panel=CHART)]
NamespaceOption = Annotated[
    str | None, typer.Option(help="The namespace of the release.", metavar="NAME", rich_help_panel=CHART)
]
HelmOption = Annotated[
    Path | None, typer.Option(help="The helm to run (of PATH).", metavar="PATH", rich_help_panel=CHART)
]
RendersOption = Annotated[
    int, typer.Option(help="Render the chart at most N times.", metavar="N", min=1, rich_help_panel=CHART)
]


def choices_of(context: typer.Context) -> Choices:
    """What the command line asks for: those of its options that a run knows, by their names."""
    from hardener.commands.run import Choices

    given = context.params
    said = {name: given[name] for name in Choices.__struct_fields__ if name in given}
    return Choices(**said)


def release_of(context: typer.Context) -> Release | None:
    """How a chart is rendered, where the command line says so."""
    from hardener.commands.values import Release

    given = context.params
    found = Release(
        values=tuple(given["values"] or ()), sets=tuple(given["set_value"] or ()), name=given["release"],
        namespace=given["namespace"], helm=text(given["helm_program"]), most_renders=given["renders"],
    )  # fmt: skip
    return None if found == Release() else found


def style_of(context: typer.Context) -> Style:
    """How the command line wants its report."""
    from hardener.commands.run import Style

    given = context.params
    return Style(**{name: given[name] for name in Style.__struct_fields__ if name in given})


def text(path: Path | None) -> str | None:
    """A path as text."""
    return None if path is None else str(path)
