"""``harden diff``: what ``apply`` would do. A terminal gets the report and the patch below it, through a pager;
elsewhere the patch goes to standard output, for git, and the report to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable

from msgspec.structs import replace

from hardener.commands.pager import paged
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, Style, binary, keep_report, learn, learn_moved, show, status_of
from hardener.commands.values import Release, read_or_rendered
from hardener.commands.values import remarks as chart_remarks
from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.report import formats
from hardener.report.context import Context
from hardener.report.redactor import Redactor
from hardener.report.terminal.diff_stat import lines
from hardener.report.terminal.patches import write_patches
from hardener.report.terminal.screen import Screen, is_terminal
from hardener.support.printable import plain


def diff(paths: list[str], choices: Choices, style: Style, release: Release | None = None) -> int:
    """Report what ``apply`` would do. Returns 1 when it would change something, 2 when all that was given was refused,
    else 0."""
    if style.stat and not style.for_people:
        raise InputError(f"--stat counts lines for people: it does not go with --format {style.format}")
    if style.patch and (style.stat or not style.for_people):
        other = "--stat" if style.stat else f"--format {style.format}"
        raise InputError(f"--patch prints the patch alone: it does not go with {other}")
    with Progress() as progress:
        tree, plan, hardened = read_or_rendered(paths, choices, release, progress)
        outcome = plan.run(tree, progress) if hardened is None else hardened.outcome
    for line in [] if hardened is None else chart_remarks(paths[0], hardened):
        print(f"harden: {plain(line)}", file=sys.stderr)
    if style.for_people:
        _print(outcome, style)
    else:
        show(outcome, style, Context(redactor=Redactor()))
    return status_of(outcome, style, otherwise=1 if outcome.files else 0)


def _print(outcome: Outcome, style: Style) -> None:
    redactor = Redactor()
    if not style.quiet:  # a summary quotes nothing
        learn(outcome.tree, redactor)
    learn_moved(outcome, redactor)
    with paged(sys.stdout, style.color, wanted=not style.no_pager and not style.quiet, outside=outcome.tree.root) as to:
        out, screen = to
        context = Context(redactor=redactor, screen=screen, verbose=style.verbose, quiet=style.quiet)
        if style.patch:
            for line in write_patches(outcome, context, out):
                context.aside(line)
        elif is_terminal(sys.stdout):
            _report_and_patch(outcome, style, context, out)
        else:
            _patch_and_report(outcome, style, context, out)


def _report_and_patch(outcome: Outcome, style: Style, context: Context, out: Callable[[str], object]) -> None:
    """To a terminal: what fits its rows, then the patch."""
    if style.stat:
        _count(outcome, context.screen, out)
    size = Screen.of(sys.stdout, style.color)
    screen = Screen(context.screen.colour, context.screen.link, context.screen.width, size.height)
    shown = replace(context, screen=screen, patch=not style.stat, patch_last=True)
    formats.load(style.format).write(outcome, shown, out)
    if not style.quiet:
        keep_report(outcome, context, sys.stdout)


def _patch_and_report(outcome: Outcome, style: Style, context: Context, out: Callable[[str], object]) -> None:
    """To a pipe or file: the patch and nothing else; what is to know of it goes to standard error. Without a patch all
    goes to standard output."""
    if style.stat or style.quiet:
        if style.stat:
            _count(outcome, context.screen, out)
        formats.load(style.format).write(outcome, replace(context, whole=True), out)
        return
    masked = write_patches(outcome, context, out)
    sys.stdout.flush()
    screen = Screen.of(sys.stderr, style.color)
    report = replace(context, screen=screen, whole=not screen.height, patch_last=True)
    formats.load(style.format).write(outcome, report, binary(sys.stderr))
    for line in masked:
        context.aside(line)


def _count(outcome: Outcome, screen: Screen, out: Callable[[str], object]) -> None:
    for line in lines(outcome.files, screen):
        out(line + "\n")
    out("\n")
