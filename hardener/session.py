"""One run for a person: choices resolved, the tree read, the pipeline run, files written, the report printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hardener import config as configuration
from hardener import pipeline, profile, registry
from hardener.edits import Grade, Severity
from hardener.errors import HardenError
from hardener.kubernetes.secret_text import may_hold_secret
from hardener.outcome import Outcome, Report
from hardener.pod_level import Standing, standings
from hardener.profile import Profile
from hardener.progress import Progress
from hardener.report.redactor import Redactor
from hardener.sources import files
from hardener.sources.yaml import Refused, parse
from hardener.workspace import Settings, Workspace, lock_of


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line asks for, as given."""

    profile: str | None = None
    max_risk: str = "review"
    accept: list[str] | None = None
    only: list[str] | None = None
    skip: list[str] | None = None
    kubernetes_version: str | None = None
    config: str | None = None
    set: list[str] | None = None
    evidence: str | None = None
    as_of: str | None = None
    prune_managed: bool = False
    out_of_band: str | None = None
    secrets_out: str | None = None
    policy_engine: str | None = None
    audit_log: list[str] | None = None


@dataclass(slots=True)
class Plan:
    profile: Profile
    settings: Settings
    gate: pipeline.Gate
    only: frozenset[str]
    skip: frozenset[str]

    def run(self, workspace: Workspace, progress: Callable[[str], object]) -> Outcome:
        return pipeline.run(workspace, self.profile, self.gate, only=self.only, skip=self.skip, progress=progress)


def plan_of(choices: Choices, root: str) -> Plan:
    found = configuration.load(root, choices.config)
    named, folder = (
        (found.profile, os.path.dirname(found.path or "")) if not choices.profile else (choices.profile, None)
    )
    chosen = profile.load(named or "restricted", folder=folder or None)
    for group, values in found.options.items():
        for key, value in values.items():
            chosen.set_option(f"{group}.{key}", value, os.path.relpath(found.path or ""))
    for text in choices.set or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise HardenError(f"--set {text}: write GROUP.KEY=VALUE")
        chosen.set_option(name, _option(text, value), "--set")
    if choices.prune_managed:
        chosen.set_option("network-policy.prune-managed", True, "--prune-managed")
        chosen.set_option("rbac.prune-managed", True, "--prune-managed")
    accepted, only, skip = (
        frozenset(registry.get(id).id for part in given or [] for id in part.split(","))
        for given in (choices.accept, choices.only, choices.skip)
    )
    return Plan(chosen, settings_of(choices, found), pipeline.Gate(Grade(choices.max_risk), accepted), only, skip)


def settings_of(choices: Choices, found: configuration.Config) -> Settings:
    version = choices.kubernetes_version or found.kubernetes_version or configuration.DEFAULT_VERSION
    as_of = configuration.day(choices.as_of) if choices.as_of else None
    return Settings(
        configuration.version(version), found.platform, found.exemptions, found.peer_marks, as_of,
        tuple(found.namespaces.items()), _real(choices.out_of_band), _real(choices.secrets_out), choices.policy_engine,
        tuple(choices.audit_log or ()),
    )  # fmt: skip


def _real(path: str | None) -> str | None:
    return None if path is None else os.path.realpath(path)


def _option(given: str, value: str) -> Any:
    try:
        documents = parse(value).documents if value else [""]
    except Refused as refused:
        raise HardenError(f"--set {given}: {refused.reason}") from None
    if len(documents) > 1:
        raise HardenError(f"--set {given}: write one value")
    return documents[0] if documents else None


def _read(paths: list[str], choices: Choices, progress: Callable[[str], object]) -> tuple[Workspace, Plan]:
    real, root = _places(paths, choices)
    plan = plan_of(choices, root)
    if plan.settings.audit_logs:
        from hardener import audit_log  # late: most runs have none

        audit_log.check(plan.settings.audit_logs)
    if plan.settings.secrets_out:
        from hardener import secrets_sink  # late: most runs move no secret

        secrets_sink.check(plan.settings.secrets_out, [root, *real])
    return Workspace.read(real, root=root, settings=plan.settings, progress=progress), plan


def _places(paths: list[str], choices: Choices) -> tuple[list[str], str]:
    """The real paths that are meant, and the folder that evidence is read from."""
    real = files.expand(paths)
    if choices.evidence and not os.path.isdir(choices.evidence):
        raise HardenError(f"{choices.evidence}: no such folder")
    return real, os.path.realpath(choices.evidence) if choices.evidence else files.root_of(real)


def apply(paths: list[str], choices: Choices, *, format: str, yes: bool, verbose: bool, quiet: bool) -> int:
    """Harden ``paths`` in place. Returns 0; 2 when there was something to write and nothing could be written."""
    with Progress() as progress:
        workspace, plan = _read(paths, choices, progress)
        outcome = plan.run(workspace, progress)
    if not _may_write(outcome, yes):
        return 2
    redactor = Redactor()
    write_secrets(outcome)
    failed = write_files(outcome)
    _print(outcome, redactor, format, verbose=verbose, quiet=quiet, applied=True)
    return 2 if failed and not outcome.files else 0


def diff(paths: list[str], choices: Choices, *, format: str, verbose: bool, quiet: bool) -> int:
    """Report what ``apply`` would do. Returns 1 when it would change something, else 0."""
    with Progress() as progress:
        workspace, plan = _read(paths, choices, progress)
        outcome = plan.run(workspace, progress)
    _print(outcome, Redactor(), format, verbose=verbose, quiet=quiet, applied=False)
    return 1 if outcome.files else 0


def check(paths: list[str], choices: Choices, *, fail_on: str, format: str, verbose: bool, quiet: bool) -> int:
    """Report what is not hardened, and the Pod Security levels. Returns 1 when ``apply`` would change something, or a
    finding or held-back change is at least as severe as ``fail_on`` ("none": never), else 0."""
    with Progress() as progress:
        workspace, plan = _read(paths, choices, progress)
        before = standings(workspace)
        outcome = plan.run(workspace, progress)
    levels = (before, standings(workspace))
    worst = outcome.worst_finding
    too_bad = fail_on != "none" and worst is not None and worst.rank >= Severity(fail_on).rank
    _print(outcome, Redactor(), format, verbose=verbose, quiet=quiet, applied=False, levels=levels)
    if format == "text":
        reasons = []
        if outcome.files:
            reasons.append(f"{len(outcome.changes)} changes are pending: harden apply")
        if too_bad and worst is not None:
            reasons.append(f"the worst finding is {worst}, --fail-on {fail_on}")
        print("check failed: " + "; ".join(reasons) if reasons else "check passed")
    return 1 if outcome.files or too_bad else 0


def filter(choices: Choices, *, verbose: bool, quiet: bool) -> int:
    """Harden standard input to standard output, report on standard error. Returns 0; 2 for input that is not UTF-8."""
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise HardenError("standard input is not UTF-8") from None
    root = files.git_root(os.getcwd()) or os.getcwd()
    plan = plan_of(choices, root)
    outcome = plan.run(Workspace.from_text(text, plan.settings, lock_of(root)), lambda name: None)
    changed = outcome.files[0] if outcome.files else None
    output = text if changed is None else ("\ufeff" if changed.file.content.bom else "") + changed.text
    sys.stdout.buffer.write(output.encode())
    sys.stdout.buffer.flush()
    _text(outcome, Redactor(), sys.stderr, verbose=verbose, quiet=quiet, applied=True)
    return 0


def graph(paths: list[str], choices: Choices, *, format: str) -> int:
    """Print who talks to whom. Returns 0."""
    from hardener.report import graph, graph_formats

    redactor = Redactor()
    with Progress() as progress:
        real, root = _places(paths, choices)
        settings = settings_of(choices, configuration.load(root, choices.config))
        workspace = Workspace.read(real, root=root, settings=settings, progress=progress)
        _learn(workspace, redactor)
        found = graph.collect(workspace, redactor.text)
    if format == "json":
        graph_formats.write_json(found, _binary(sys.stdout, "backslashreplace"))
    else:
        out = _binary(sys.stdout)
        for line in graph_formats.FORMATS[format](found):
            out(line + "\n")
    sys.stdout.flush()
    return 0


def _learn(workspace: Workspace, redactor: Redactor) -> None:
    """Show ``redactor`` the secrets of the tree."""
    for file in workspace.files:
        for piece in file.pieces:
            if piece.data and may_hold_secret(piece.text):
                for document in piece.data:
                    redactor.learn_document(document)


def _learn_moved(outcome: Outcome, redactor: Redactor) -> None:
    """Show ``redactor`` the secrets that are, or were to be, taken out of the tree, where it would look for them."""
    for change in [*outcome.changes, *outcome.not_made]:
        for kept in change.edit.keeps:
            redactor.learn(kept.value.decode("utf-8", "replace"))


def _may_write(outcome: Outcome, yes: bool) -> bool:
    if not outcome.files:
        return True
    warning = _unsaved([change.file.path for change in outcome.files if not change.file.is_new])
    if warning is None:
        return True
    print(f"harden: {warning}", file=sys.stderr)
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _unsaved(paths: list[str]) -> str | None:
    """One line about the files whose present state Git could not bring back, None when it could."""
    outside = [path for path in paths if files.git_root(path) is None]
    if outside:
        return f"{len(outside)} of {len(paths)} files are outside Git, so Git cannot undo this"
    dirty = 0
    for root in dict.fromkeys(files.git_root(path) for path in paths):
        import subprocess  # late: only writing in a Git repository asks it

        command = ["git", "-C", str(root), "status", "--porcelain", "-z", "--untracked-files=all"]
        try:
            done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        except (OSError, subprocess.SubprocessError):
            return "git status did not answer, so it is not known whether Git can undo this"
        names = {
            os.path.join(str(root), os.fsdecode(entry[3:])) for entry in done.stdout.split(b"\0") if len(entry) > 3
        }
        dirty += len(names & set(paths))
    return f"{dirty} of {len(paths)} files have changes that are not committed" if dirty else None


def write_secrets(outcome: Outcome) -> None:
    """Write what the changes of ``outcome`` take out of the tree to the folder for it. Raises HardenError; then no file
    of the tree may be written."""
    folder = outcome.workspace.settings.secrets_out
    moving = {id(change.siblings) for change in outcome.changes if change.edit.keeps}
    if folder and moving:
        from hardener import secrets_sink

        for change in outcome.changes:
            path = os.path.dirname(change.object.piece.file.path)
            if id(change.siblings) in moving and not os.access(path, os.W_OK):
                name = change.object.piece.file.name
                raise HardenError(f"{name}: its folder cannot be written, so no secret was moved and no file changed")
        secrets_sink.write(folder, (kept for change in outcome.changes for kept in change.edit.keeps))


def write_files(outcome: Outcome) -> int:
    """Write the changed files; those that cannot be written become findings. Returns how many could not."""
    failed = 0
    for change in list(outcome.files):
        try:
            if change.file.is_new:
                files.create(change.file.path, change.text)
            else:
                files.replace(change.file.path, change.text, change.file.content)
            change.written = True
        except OSError as error:
            failed += 1
            outcome.files.remove(change)
            lost = [item for item in outcome.changes if item.object.piece.file is change.file]
            outcome.changes = [item for item in outcome.changes if item.object.piece.file is not change.file]
            outcome.findings.append(
                Report(
                    "not-written",
                    None,
                    Severity.MEDIUM,
                    f"{len(lost)} edits were not written, the file is as it was: {error.strerror}",
                    "make it writable and run again",
                    change.file.name,
                    line=1,
                )
            )
    return failed


Levels = tuple[list[Standing], list[Standing]]


def _print(
    outcome: Outcome,
    redactor: Redactor,
    format: str,
    *,
    verbose: bool,
    quiet: bool,
    applied: bool,
    levels: Levels | None = None,
) -> None:
    _learn_moved(outcome, redactor)
    if format == "json":
        from hardener.report.json import write
        from hardener.report.levels import records

        _learn(outcome.workspace, redactor)
        write(outcome, redactor, _binary(sys.stdout, "backslashreplace"), records(*levels) if levels else None)
        sys.stdout.buffer.flush()
    else:
        _text(outcome, redactor, sys.stdout, verbose=verbose, quiet=quiet, applied=applied, levels=levels)


def _text(
    outcome: Outcome,
    redactor: Redactor,
    stream: object,
    *,
    verbose: bool,
    quiet: bool,
    applied: bool,
    levels: Levels | None = None,
) -> None:
    from hardener.report.text import TextReport

    terminal = bool(getattr(stream, "isatty", lambda: False)())
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    TextReport(outcome, redactor, _binary(stream), colour, verbose, quiet, applied, levels).write()
    stream.flush()  # type: ignore[attr-defined]


def _binary(stream: object, errors: str = "surrogateescape") -> Callable[[str], object]:
    # A patch keeps its line ends and its characters whatever the platform and the locale. A file name that is not
    # UTF-8 keeps its bytes there, and is escaped in JSON.
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        return stream.write  # type: ignore[attr-defined,no-any-return]
    return lambda text: buffer.write(text.encode("utf-8", errors))
