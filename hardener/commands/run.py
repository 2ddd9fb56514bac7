"""One run for a person: choices resolved, the tree read, the pipeline run, files written, the report printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from hardener.authoring import config as configuration
from hardener.authoring import profile, registry
from hardener.authoring.edits import Grade, WrongShapeError
from hardener.authoring.profile import Profile
from hardener.authoring.risks import is_like_a_risk, risk_called
from hardener.commands.progress import Progress, later, phase
from hardener.commands.write_files import finish_killed, may_write, write_files
from hardener.engine import pipeline
from hardener.engine.given_options import GivenOptions
from hardener.engine.outcome import Change, Held, Outcome, Waived
from hardener.errors import InputError
from hardener.facts.objects.pod_security_levels import Standing, standings
from hardener.kubernetes.secrets.secret_text import may_hold_secret
from hardener.report import formats, unread
from hardener.report.context import Context
from hardener.report.redactor import Redactor
from hardener.report.terminal.screen import Screen, is_terminal
from hardener.sources import files
from hardener.sources.files import run_folder
from hardener.sources.manifests import Piece
from hardener.sources.yaml import TextError, parse
from hardener.support import waiting
from hardener.support.printable import plain
from hardener.tree.tree import Settings, Tree
from hardener.tree.view import OpaqueError, View

if TYPE_CHECKING:
    from hardener.commands.changed_since import Touched
    from hardener.commands.made_worse import MadeWorse
    from hardener.report.connections.graph import Graph


# What may have a chart rendered: kinds of objects, and keys of a kustomization.
_RELEASES = frozenset({
    ("helm.toolkit.fluxcd.io", "HelmRelease"), ("helm.fluxcd.io", "HelmRelease"), ("helm.cattle.io", "HelmChart"),
    ("helm.cattle.io", "HelmChartConfig"), ("argoproj.io", "Application"), ("argoproj.io", "ApplicationSet"),
})  # fmt: skip
_CHARTS_OF_KUSTOMIZE = frozenset({"helmCharts", "helmChartInflationGenerator", "generators"})


class Choices(Struct, frozen=True, kw_only=True):
    """What the command line asks for, as given; every option that is left out is as if it was not given."""

    profile: str | None = None
    max_grade: str | None = None
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
    pin_format: str | None = None
    since: str | None = None
    whole: bool = False
    baseline: str | None = None
    no_waivers: bool = False
    lock: str | None = None
    chart_values: bool = False


class Style(Struct, frozen=True, kw_only=True):
    """How the command line wants a report: of diff, ``stat`` takes the place of the patch, and ``no_pager`` that of a
    pager."""

    format: str = "text"
    color: str = "auto"
    patch: bool = False
    stat: bool = False
    no_pager: bool = False
    verbose: bool = False
    quiet: bool = False

    @property
    def for_people(self) -> bool:
        """Whether the report is for people, and says itself what the command makes of the outcome."""
        return formats.load(self.format).FOR_PEOPLE


class Plan(Struct):
    profile: Profile
    settings: Settings
    gate: pipeline.Gate
    only: frozenset[str]
    skip: frozenset[str]
    touched: Touched | None = None
    whole: bool = True  # whether all of a document is judged that the change touches
    known_before: int = 0  # records of such documents that were there before the change, and are left out
    asked: GivenOptions = GivenOptions()

    def standings(self, tree: Tree) -> list[Standing]:
        """The Pod Security levels of the pods that the run is about."""
        found, touched = standings(tree), self.touched
        return found if touched is None else [one for one in found if touched.piece(one.pod.object.piece)]

    def judges(self, id: str) -> bool:
        """Whether a run meets everything that there is of the transform ``id``."""
        return self.touched is None and id not in self.skip and (not self.only or id in self.only)

    def run(self, tree: Tree, progress: Callable[[str], object], *, forks: bool = True) -> Outcome:
        touched = self.touched
        # Before the run, since what it adds itself takes the place of nothing that is gone.
        gone = [] if touched is None else touched.removed(tree)
        worse = None if touched is None or self.whole else self._worse(tree, touched)
        gate = self.gate if worse is None else worse.gate(self.gate)
        outcome = pipeline.run(
            tree, self.profile, gate, only=self.only, skip=self.skip, forks=forks,
            progress=phase(progress, "deciding", len(self.profile.members)), proving=later(progress, "proving"),
            visits=None if touched is None else lambda target: touched.piece(target.object.piece),
        )  # fmt: skip
        outcome.asked = self.asked
        if touched is not None:
            touched.narrow(outcome)
            if worse is not None:
                outcome.findings = [found for found in outcome.findings if worse.keeps(found)]
                self.known_before = worse.left
            outcome.findings += gone
        if not tree.stream and has_charts(tree):
            from hardener.commands.chart_releases import harden_releases  # late: few trees render a chart of their own

            harden_releases(outcome, self, progress)
        return outcome

    def _worse(self, tree: Tree, touched: Touched) -> MadeWorse:
        """What tells which records the change made worse."""
        from hardener.commands.made_worse import made_worse  # late: few runs are about a change

        def decided(before: Tree, visits: Callable[[View], bool]) -> Outcome:
            return pipeline.run(
                before, self.profile, self.gate, only=self.only, skip=self.skip, forks=False, visits=visits
            )

        return made_worse(tree, touched.before(), touched.line, decided)


def has_charts(tree: Tree) -> bool:
    """Whether something in ``tree`` may have a chart rendered that is at hand."""
    if tree.release_files or not tree.kinds.isdisjoint(_RELEASES):
        return True
    kustomizations = (item.data for item in tree.kustomizations.values() if isinstance(item.data, dict))
    if any(not _CHARTS_OF_KUSTOMIZE.isdisjoint(data) for data in kustomizations):
        return True
    return any('"helm_release"' in file.content.text for file in tree.block_files)


def plan_of(choices: Choices, root: str) -> Plan:
    return plan_with(choices, _configuration(choices, root), root)


def _configuration(choices: Choices, root: str) -> configuration.Config:
    """What the config file that is meant says. Raises InputError for one that is wrong, or that does not count."""
    if not choices.no_waivers:
        return configuration.load(root, choices.config)
    given = (("--config", choices.config), ("--baseline", choices.baseline), ("--lock", choices.lock))
    for option, path in given:
        if path and files.is_inside(os.path.realpath(path), root):
            raise InputError(f"--no-waivers: {option} {path} is in the tree that is judged; name a file outside of it")
    return configuration.load(root, choices.config) if choices.config else configuration.Config()


def plan_with(choices: Choices, found: configuration.Config, root: str | None = None) -> Plan:
    """What to do by ``choices``, and where they say nothing by ``found``; ``root`` is that of the tree. Raises
    InputError for a wrong choice."""
    named, folder = choices.profile, None
    if not named and found.path:
        named, folder = found.profile, os.path.dirname(os.path.abspath(found.path))
    try:
        chosen = profile.load(named or "restricted", folder=folder, root=root, trusts=not choices.no_waivers)
    except InputError as error:
        if folder is None or found.path is None:
            raise
        raise InputError(f"{os.path.relpath(found.path)}: {error}") from None
    _set_options(chosen, choices, found)
    accepted = frozenset(map(_accepted, _split(choices.accept)))
    only, skip = (
        frozenset(id for name in _split(given) for id in _named(name)) for given in (choices.only, choices.skip)
    )
    for name in _split(choices.only):
        chosen.require(name, _named(name))
    upto = Grade(choices.max_grade or found.max_grade or Grade.REVIEW)
    return Plan(chosen, settings_of(choices, found), pipeline.Gate(upto, accepted), only, skip)


def _split(given: list[str] | None) -> list[str]:
    """The names of an option that may be given several times, and take several names each time."""
    return [name for part in given or [] for name in part.split(",")]


def _set_options(chosen: Profile, choices: Choices, found: configuration.Config) -> None:
    """Set options of ``chosen``, first those of the config file, then those of the command line."""
    for group, values in found.options.items():
        for key, value in values.items():
            chosen.set_option(f"{group}.{key}", value, os.path.relpath(found.path or ""))
    for text in choices.set or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set {text}: write GROUP.KEY=VALUE")
        chosen.set_option(name, option_value(text, value), "--set")
    if choices.pin_format:
        chosen.set_option("images.pin-format", str(choices.pin_format), "--pin-format")
    if choices.prune_managed:
        chosen.set_option("network-policy.prune-managed", True, "--prune-managed")
        chosen.set_option("rbac.prune-managed", True, "--prune-managed")


def settings_of(choices: Choices, found: configuration.Config) -> Settings:
    version = choices.kubernetes_version or found.kubernetes_version or configuration.DEFAULT_VERSION
    as_of = configuration.day(choices.as_of) if choices.as_of else None
    return Settings(
        configuration.version(version), found.platform, found.exemptions, found.peer_marks, as_of,
        tuple(found.namespaces.items()), _real(choices.out_of_band), _real(choices.secrets_out), choices.policy_engine,
        tuple(choices.audit_log or ()), found.images, found.exclude, no_waivers=choices.no_waivers,
        helm_charts=found.helm_charts, helm_values=True if choices.chart_values else found.helm_values,
        helm_post_render=found.helm_post_render, helm_tests=found.helm_tests, oldest_recording=found.oldest_recording,
        lock=os.path.realpath(choices.lock) if choices.lock else None,
        config=os.path.realpath(found.path) if found.path else None,
    )  # fmt: skip


def asked_of(paths: list[str], choices: Choices) -> GivenOptions:
    """What differs from a command without options."""
    given = {name: getattr(choices, name) for name in Choices.__struct_fields__}
    plain = Choices()
    return GivenOptions.of(paths, {name: value for name, value in given.items() if value != getattr(plain, name)})


def _named(name: str) -> list[str]:
    """The transforms that ``name`` stands for: its own, or all of a risk such as K01. Raises InputError."""
    if not is_like_a_risk(name):
        return [registry.get(name).id]
    risk = risk_called(name)
    return [transform.id for transform in registry.transforms().values() if transform.risk == risk]


def _accepted(name: str) -> str:
    """The id of the one transform that ``name`` names. Raises InputError, also for a risk."""
    if is_like_a_risk(name):
        risk = risk_called(name)
        raise InputError(f"--accept {name}: takes transforms one by one; harden list --risk {risk} shows them")
    return registry.get(name).id


def _real(path: str | None) -> str | None:
    return None if path is None else files.target_path(path)


def option_value(given: str, value: str) -> Any:
    """The ``value`` of an option that is set as ``given``: a scalar of YAML. Raises InputError."""
    try:
        documents = parse(value).documents if value else [""]
    except TextError as refused:
        raise InputError(f"--set {given}: {refused.reason}") from None
    if len(documents) > 1:
        raise InputError(f"--set {given}: write one value")
    return documents[0] if documents else None


def read(
    paths: list[str],
    choices: Choices,
    progress: Callable[[str], object],
    *,
    manifests_only: str | None = None,
    known: Mapping[int, Piece] | None = None,
) -> tuple[Tree, Plan]:
    """The tree as read, and what to do with it; ``manifests_only`` is an option with which charts are left as they are,
    and ``known`` are pieces of an earlier run. Raises InputError for a choice that is wrong."""
    if manifests_only and choices.chart_values:
        raise InputError(f"{manifests_only} is about manifests: it does not go with --values")
    real, root = _places(paths, choices)
    plan = plan_of(choices, root)
    plan.asked = asked_of(paths, choices)
    if manifests_only:
        plan.settings.helm_values = False
    if choices.since:
        from hardener.commands.changed_since import since  # late: what starts Git costs as much as a small run

        plan.touched = since(choices.since, root)
        # At a gate nothing that the tree had before excuses what it has.
        plan.whole = choices.whole or choices.no_waivers
    elif choices.whole:
        raise InputError("--whole is about the documents that --since REV names")
    if plan.settings.audit_logs:
        from hardener.facts.access import audit_log  # late: most runs have no log

        audit_log.check(plan.settings.audit_logs)
    if plan.settings.secrets_out:
        from hardener.commands import secrets_folder  # late: most runs move no secret

        secrets_folder.check(plan.settings.secrets_out, [root, *real])
    tree = Tree.read(real, root=root, settings=plan.settings, progress=phase(progress, "reading"), known=known)
    if plan.touched is not None:
        plan.touched.widen(tree)
    return tree, plan


def read_tree(paths: list[str], choices: Choices, progress: Callable[[str], object]) -> Tree:
    """The tree as read, for a command that runs no transform. Raises InputError for a choice that is wrong."""
    real, root = _places(paths, choices)
    settings = settings_of(choices, _configuration(choices, root))
    return Tree.read(real, root=root, settings=settings, progress=phase(progress, "reading"))


def _places(paths: list[str], choices: Choices) -> tuple[list[str], str]:
    """The real paths that are meant, and the folder that evidence is read from."""
    real = files.expand(paths)
    if choices.evidence and not os.path.isdir(choices.evidence):
        raise InputError(f"{choices.evidence}: no such folder")
    for line in run_folder.half_written(real):  # a command that writes has taken it back before
        waiting.say(line)
    return real, os.path.realpath(choices.evidence) if choices.evidence else files.root_of(real)


def apply(paths: list[str], choices: Choices, style: Style, *, yes: bool) -> int:
    """Harden ``paths`` in place. Returns 0; 2 when a file could not be written, and so none was, and when all that was
    given was refused."""
    with run_folder.turn(files.expand(paths)):  # two runs at once: the second reads what the first one wrote
        finish_killed(paths)
        with Progress() as progress:
            tree, plan = read(paths, choices, progress)
            outcome = plan.run(tree, progress)
        if not may_write(outcome, yes):
            return 2
        return write(outcome, style)


def write(outcome: Outcome, style: Style) -> int:
    """Write what a run decided, and report it. Returns as ``apply`` does."""
    redactor = Redactor()
    whole = write_files(outcome)
    show(outcome, style, Context(redactor=redactor, applied=True, is_kept=_keep(outcome)))
    if outcome.failure and not style.for_people:
        print(f"harden: {plain(redactor.text(outcome.failure))}", file=sys.stderr)
    return status_of(outcome, style, otherwise=0 if whole else 2)


def status_of(outcome: Outcome, style: Style, otherwise: int) -> int:
    """Return 2 where nothing that was given could be read, which formats for programs do not say: standard error
    does. Else ``otherwise``."""
    if not unread.all_refused(outcome):
        return otherwise
    if not style.for_people:
        print(f"harden: nothing was read: {plain(unread.why_nothing(outcome.tree))}", file=sys.stderr)
    return 2


def _keep(outcome: Outcome) -> bool:
    """Keep what the files of ``outcome`` were before, for harden undo. Returns whether that is so."""
    if not outcome.files:
        return False
    from hardener.commands import undo  # late: it is about files that are written, which few runs do

    return undo.keep(outcome)


def say_unread(tree: Tree) -> None:
    """Say on standard error which files were not read, for a command whose output has no place for it."""
    redactor = Redactor()
    for note in unread.notes(tree):
        print(f"harden: {plain(redactor.text(note.text))}", file=sys.stderr)


def graph(paths: list[str], choices: Choices, *, format: str) -> int:
    """Print who talks to whom. Returns 0."""
    from hardener.report.connections import graph, graph_formats

    redactor = Redactor()
    with Progress() as progress:
        tree = read_tree(paths, choices, progress)
        learn(tree, redactor)
        found = graph.collect(tree, redactor.text)
    say_unread(tree)
    if format == "json":
        graph_formats.write_json(found, binary(sys.stdout, "backslashreplace"))
    else:
        out = binary(sys.stdout)
        for line in _drawn(found, redactor) if format == "svg" else graph_formats.FORMATS[format](found):
            out(line + "\n")
    sys.stdout.flush()
    return 0


def _drawn(found: Graph, redactor: Redactor) -> Iterator[str]:
    from hardener.report.page.svg import svg  # late: it lays out a drawing

    return svg(found, redactor)


def learn(tree: Tree, redactor: Redactor) -> None:
    """Show ``redactor`` the names of the tree, which stay readable, and its secrets."""
    _keep_names(tree, redactor)
    for file in tree.files:
        for piece in file.pieces:
            text = piece.text if piece.data else ""  # that of a new one is empty
            if text and may_hold_secret(text):
                for document in piece.data:
                    redactor.learn_document(document)
                redactor.learn_comments(text)
    for values in tree.chart_values:
        redactor.learn_document(values)
    for chart in tree.rendered_charts:
        learn(chart, redactor)


def _keep_names(tree: Tree, redactor: Redactor) -> None:
    redactor.keep(_names(tree), _labels(tree))


def _names(tree: Tree) -> Iterator[str]:
    """What files and objects of ``tree`` are called."""
    for file in tree.files:
        yield file.name
    for item in tree.objects:
        yield item.name
        if item.namespace:
            yield item.namespace


def _labels(tree: Tree) -> Iterator[str]:
    """What pods of ``tree``, their containers and images are called: anybody may call them as they like."""
    for pod in tree.pod_templates:
        try:
            yield from pod.labels.values()
            for container in pod.containers:
                yield container.name
                yield (container.image.repository if container.image is not None else None) or ""
        except (OpaqueError, WrongShapeError):  # who judges the pod says so
            continue


def learn_moved(outcome: Outcome, redactor: Redactor) -> None:
    """Show ``redactor`` the secrets that are, or were to be, taken out of the tree, where it would look for them, and
    those in the reasons of waivers. Called after learn(), so that a mark has the same number in every command."""
    moved = [kept for change in [*outcome.changes, *outcome.not_made] for kept in change.edit.keeps]
    if moved or outcome.waived:
        _keep_names(outcome.tree, redactor)
    for kept in moved:
        redactor.learn_entry(kept.name, kept.value.decode("utf-8", "replace"))
    for waived in outcome.waived:
        redactor.learn_prose(waived.reason)
    redactor.keep_own(_words_of_rules(outcome))


def _words_of_rules(outcome: Outcome) -> Iterator[str]:
    """What the rules that ``outcome`` speaks of say of themselves."""
    steps: list[Change | Held | Waived] = [*outcome.changes, *outcome.held, *outcome.waived]
    for transform in {id(step.transform): step.transform for step in steps}.values():
        yield from (
            transform.id,
            transform.title,
            transform.problem,
            transform.why,
            transform.may_break,
            transform.rationale,
        )
        yield from transform.references
    yield from {finding.id for finding in outcome.findings}


def informed(outcome: Outcome) -> Redactor:
    """A redactor that knows the secrets of the tree and those that leave it, learned in the order of a report."""
    redactor = Redactor()
    learn(outcome.tree, redactor)
    learn_moved(outcome, redactor)
    return redactor


def show(outcome: Outcome, style: Style, context: Context) -> None:
    """Print the report of ``outcome`` to standard output, in the way of ``style`` and ``context``."""
    redactor = context.redactor
    if not style.quiet or not style.for_people or context.failing:  # a summary quotes nothing
        learn(outcome.tree, redactor)
    learn_moved(outcome, redactor)
    print_report(outcome, style, context, sys.stdout)
    if style.for_people and not style.quiet:
        keep_report(outcome, context, sys.stdout)


def keep_report(outcome: Outcome, context: Context, stream: object) -> None:
    """Keep the report for harden show where ``stream`` is a terminal, which has no room for all of it."""
    if is_terminal(stream):
        from hardener.commands import last_report  # late: a pipe gets all of a report

        last_report.keep(outcome, context)


def print_report(outcome: Outcome, style: Style, context: Context, stream: object) -> None:
    """Print the report of ``outcome`` to ``stream``; the redactor of ``context`` knows its secrets."""
    format = formats.load(style.format)
    shown = replace(
        context, screen=Screen.of(stream, style.color), verbose=style.verbose, quiet=style.quiet,
        patch=style.patch or style.verbose or context.whole,
    )  # fmt: skip
    format.write(outcome, shown, binary(stream, format.ERRORS))
    stream.flush()  # type: ignore[attr-defined]


def binary(stream: object, errors: str = "surrogateescape") -> Callable[[str], object]:
    """What writes text to ``stream`` as UTF-8, line ends as they are."""
    # A patch keeps its line ends and its characters whatever the platform and the locale. A file name that is not
    # UTF-8 keeps its bytes there, and is escaped in JSON.
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        return stream.write  # type: ignore[attr-defined,no-any-return]
    return lambda text: buffer.write(text.encode("utf-8", errors))
