"""``harden diff``: the patch of what ``apply`` would do, and the report behind it, through a pager on a terminal."""

from __future__ import annotations

import sys

from hardener.commands.pager import paged
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, Style, learn, learn_moved, show
from hardener.commands.values import Release, read_or_rendered
from hardener.commands.values import remarks as chart_remarks
from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.report import formats, unread
from hardener.report.context import Context
from hardener.report.redactor import Redactor
from hardener.report.terminal.diff_stat import lines
from hardener.support.printable import plain


def diff(paths: list[str], choices: Choices, style: Style, release: Release | None = None) -> int:
    """Report what ``apply`` would do. Returns 1 when it would change something, 2 when all that was given was refused,
    else 0."""
    if style.stat and not style.for_people:
        raise InputError(f"--stat counts lines for people: it does not go with --format {style.format}")
    with Progress() as progress:
        tree, plan, hardened = read_or_rendered(paths, choices, release, progress)
        outcome = plan.run(tree, progress) if hardened is None else hardened.outcome
    for line in [] if hardened is None else chart_remarks(paths[0], hardened):
        print(f"harden: {plain(line)}", file=sys.stderr)
    if style.for_people:
        _print(outcome, style)
    else:
        show(outcome, style, Context(redactor=Redactor()))
    if outcome.files:
        return 1
    return 2 if unread.all_refused(outcome) else 0


def _print(outcome: Outcome, style: Style) -> None:
    redactor = Redactor()
    if not style.quiet:  # a summary quotes nothing
        learn(outcome.tree, redactor)
    learn_moved(outcome, redactor)
    with paged(sys.stdout, style.color, wanted=not style.no_pager and not style.quiet, outside=outcome.tree.root) as to:
        out, screen = to
        if style.stat:
            for line in lines(outcome.files, screen):
                out(line + "\n")
            out("\n")
        shown = Context(
            redactor=redactor, screen=screen, verbose=style.verbose, quiet=style.quiet, whole=True,
            patch=not style.stat, patch_first=True,
        )  # fmt: skip
        formats.load(style.format).write(outcome, shown, out)
