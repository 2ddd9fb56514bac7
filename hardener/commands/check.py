"""``harden check``: what is not hardened, as a verdict that a pipeline can trust."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, Plan, learn, read, show
from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.report import unread
from hardener.report.impact import counted
from hardener.report.redactor import Redactor
from hardener.sources.files import is_inside
from hardener.sources.selection import Wanted, pattern_test
from hardener.support.printable import plain


def check(
    paths: list[str], choices: Choices, *, fail_on: str, require: list[str], allow_empty: bool, format: str,
    verbose: bool, quiet: bool,
) -> int:  # fmt: skip
    """Report what is not hardened, and the Pod Security levels.

    Returns 2 where a pattern of ``require`` fits no file that was read, where nothing was read unless ``allow_empty``,
    and where nothing in the tree may lower the result and something that may hold an object was not looked at; 1 when
    ``apply`` would change something, or a finding or held-back change is at least as severe as ``fail_on`` ("none":
    never); else 0.
    """
    required = [(pattern, _required(pattern)) for pattern in require]
    with Progress() as progress:
        tree, plan = read(paths, choices, progress)
        before = plan.standings(tree)
        outcome = plan.run(tree, progress)
    levels = (before, plan.standings(tree))
    # What nobody looked at is never known: a baseline says nothing of what it may hold today.
    blind = list(unread.not_looked_at(outcome)) if choices.no_waivers else []
    known = _compare(outcome, choices, plan) if choices.baseline else []
    worst = outcome.worst_finding
    too_bad = fail_on != "none" and worst is not None and worst.rank >= Severity(fail_on).rank
    redactor = Redactor()
    show(outcome, redactor, format, verbose=verbose, quiet=quiet, applied=False, levels=levels)
    for line in [*known, *(f"not looked at: {plain(redactor.text(one))}" for one in blind)]:
        print(line, file=sys.stdout if format == "text" else sys.stderr)
    missing = list(_missing(outcome, required, allow_empty))
    if blind:
        verb = "was" if len(blind) == 1 else "were"
        missing.append(f"{counted(len(blind), 'place')} that may hold an object {verb} not looked at (--no-waivers)")
    if missing and format != "text":
        print(f"harden: {redactor.text('; '.join(missing))}", file=sys.stderr)
    if format == "text":
        reasons = [redactor.text(reason) for reason in missing]
        if outcome.files:
            verb = "is" if len(outcome.changes) == 1 else "are"
            reasons.append(f"{counted(len(outcome.changes), 'change')} {verb} pending: harden apply")
        if too_bad and worst is not None:
            reasons.append(f"the worst finding is {worst}, --fail-on {fail_on}")
        print("check failed: " + "; ".join(reasons) if reasons else _passed(outcome, redactor))
    if missing:
        return 2
    return 1 if outcome.files or too_bad else 0


def _required(pattern: str) -> Wanted:
    """Whether a real path fits ``pattern``, as in .gitignore and seen from the working directory. Raises InputError."""
    here = os.getcwd()
    seen = os.path.relpath(pattern, here) if os.path.isabs(pattern) else os.path.normpath(pattern or os.pardir)
    if seen.split(os.sep)[0] == os.pardir or pattern.startswith("!"):
        raise InputError(f"--require {pattern}: a pattern as in .gitignore, for files below the working directory")
    try:
        return pattern_test("**" if seen == os.curdir else seen.replace(os.sep, "/"), here)
    except ValueError:
        raise InputError(f"--require {pattern}: is no pattern as in .gitignore") from None


def _missing(outcome: Outcome, required: list[tuple[str, Wanted]], allow_empty: bool) -> Iterator[str]:
    """What should have been read and was not."""
    tree = outcome.tree
    read = [os.path.realpath(path) for path in unread.read_files(tree)]
    here = os.path.realpath(os.getcwd())
    below = [path for path in read if is_inside(path, here)]
    for pattern, fits in required:
        if not any(map(fits, below)):
            yield f"--require {pattern}: no file that was read fits it"
    if not read and not allow_empty:
        yield f"nothing was read, which --allow-empty lets pass: {unread.why_nothing(tree)}"


def _passed(outcome: Outcome, redactor: Redactor) -> str:
    """The verdict of a check that found nothing to fail on: it is none where nothing was read."""
    if not unread.nothing_read(outcome.tree):
        return "check passed"
    return f"nothing was checked: {redactor.text(unread.why_nothing(outcome.tree))}"


def _compare(outcome: Outcome, choices: Choices, plan: Plan) -> list[str]:
    """Take what the baseline lists out of ``outcome``; what there is to say about it."""
    from hardener.engine import known_findings as baseline

    redactor = Redactor()
    learn(outcome.tree, redactor)
    return baseline.apply(outcome, str(choices.baseline), redactor.text, plan.judges)
