"""``harden check``: what is not hardened, as a verdict that a pipeline can trust."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence

from hardener.authoring.edits import Severity
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, Plan, Style, learn, show
from hardener.commands.values import Release, read_or_rendered
from hardener.commands.values import remarks as chart_remarks
from hardener.engine import find_unread_forms
from hardener.engine import known_findings as baseline
from hardener.engine.outcome import Held, Outcome, Report
from hardener.errors import InputError
from hardener.report import unread
from hardener.report.context import Context, Record
from hardener.report.impact import counted
from hardener.report.redactor import Redactor
from hardener.sources.files import is_inside
from hardener.sources.files.selection import Wanted, pattern_test
from hardener.support.printable import plain, plain_line


def check(
    paths: list[str], choices: Choices, style: Style, *, fail_on: str | None, require: list[str], allow_empty: bool,
    release: Release | None = None, unread_fails: bool = False,
) -> int:  # fmt: skip
    """Report what is not hardened, and the Pod Security levels.

    A guess that only adds to what is written fails nothing. One that would take something away is judged as a held-back
    change, and fails always where nothing in the tree may lower the result.

    Returns 0 with a ``fail_on`` of "none". Else 2 where a pattern of ``require`` fits no file that was read, where
    nothing was read unless ``allow_empty``, where ``unread_fails`` and a workload is in a form that is not read, and
    where nothing in the tree may lower the result and something that may hold an object was not looked at. Else 1
    where something is as severe as ``fail_on``: a finding, a held-back change, or a pending one, which has the severity
    of its transform; without ``fail_on`` where a change is pending, or a finding or held-back change is critical.
    Else 0.
    """
    required = [(pattern, _required(pattern)) for pattern in require]
    strict = choices.no_waivers
    with Progress() as progress:
        tree, plan, hardened = read_or_rendered(paths, choices, release, progress)
        before = plan.standings(tree)
        outcome = plan.run(tree, progress) if hardened is None else hardened.outcome
    # What values do not reach stays: of a chart the levels are what they are.
    levels = (before, plan.standings(tree)) if hardened is None else None
    # What nobody looked at is never known: a baseline says nothing of what it may hold today.
    blind = list(unread.not_looked_at(outcome)) if strict else []
    known = _compare(outcome, choices, plan) if choices.baseline else []
    redactor = Redactor()
    missing = [redactor.text(reason) for reason in _missing(outcome, required, allow_empty, len(blind))]
    missing += _unread(outcome) if unread_fails else []
    too_bad = list(_too_bad(outcome, fail_on, no_waivers=strict))
    differ = plan.touched.documents(outcome) if plan.touched is not None else None
    remarks = [
        *_narrowed(outcome, choices, differ, plan.known_before),
        *known,
        *([] if hardened is None else chart_remarks(paths[0], hardened)),
        *(f"not looked at: {plain(redactor.text(one))}" for one in blind),
    ]
    verdict = _verdict(outcome, [*missing, *too_bad], fail_on, redactor, differ)
    failing = _shown_failing(outcome, fail_on, style, no_waivers=strict)
    shown = Context(redactor=redactor, levels=levels, verdict=verdict, remarks=tuple(remarks), failing=tuple(failing))
    show(outcome, style, shown)
    if not style.for_people:
        _print_beside(remarks, missing)
    return _status(fail_on, missing, too_bad)


def _status(fail_on: str | None, missing: Sequence[str], too_bad: Sequence[str]) -> int:
    """The exit code: what was not looked at weighs more than what is too bad."""
    if fail_on == "none":
        return 0
    if missing:
        return 2
    return 1 if too_bad else 0


def _print_beside(remarks: list[str], missing: list[str]) -> None:
    """Print what a report for programs has no place for where it is in nobody's way."""
    for line in [*remarks, *([f"harden: {'; '.join(missing)}"] if missing else [])]:
        print(plain_line(line), file=sys.stderr)


def _verdict(outcome: Outcome, reasons: list[str], fail_on: str | None, redactor: Redactor, differ: int | None) -> str:
    """The first line for people. A check that looked at nothing has no verdict."""
    if not reasons or (fail_on == "none" and unread.nothing_read(outcome.tree)):
        return _passed(outcome, redactor, differ)
    return f"{'check failed' if fail_on != 'none' else 'not failed, since --fail-on is none'}: {'; '.join(reasons)}"


def _weak(outcome: Outcome) -> list[Held]:
    """The guesses that would take away what is written: these alone a check judges as it judges what is held back."""
    return [held for held in outcome.guesses if held.takes_away]


def _too_bad(outcome: Outcome, fail_on: str | None, *, no_waivers: bool) -> Iterator[str]:
    """What a check fails on, in words."""
    if fail_on == "none":
        return
    least = Severity(fail_on or Severity.CRITICAL)
    worse = f"{least}" if least is Severity.CRITICAL else f"{least} or worse"
    pending = len(outcome.changes)
    if fail_on is None and (outcome.files or outcome.overrides):
        yield f"{counted(pending, 'change')} {_are(pending)} pending"
    for noun, records in _judged(outcome, fail_on, no_waivers=no_waivers):
        if number := len(_of_at_least(least, records)):
            some = f"{number} of " if number < len(records) else ""
            yield f"{some}{counted(len(records), noun)} {_are(number)} {worse}"
    if no_waivers and (weak := _weak(outcome)):
        yield f"{counted(len(weak), 'guess', 'es')} would take away what is written (--no-waivers)"


def _shown_failing(outcome: Outcome, fail_on: str | None, style: Style, *, no_waivers: bool) -> list[Record]:
    """The records that a check fails on, as far as no other part of the report names them."""
    failing = list(_failing(outcome, fail_on, no_waivers=no_waivers))
    names_pending = not style.quiet or fail_on is not None
    return failing if names_pending else [*failing, *outcome.changes]


def _failing(outcome: Outcome, fail_on: str | None, *, no_waivers: bool) -> Iterator[Record]:
    """The records that a check fails on. Without ``fail_on`` all pending changes are, and the report has them."""
    if fail_on == "none":
        return
    yield from _weak(outcome) if no_waivers else ()
    least = Severity(fail_on or Severity.CRITICAL)
    for _, records in _judged(outcome, fail_on, no_waivers=no_waivers):
        yield from _of_at_least(least, records)


def _judged(outcome: Outcome, fail_on: str | None, *, no_waivers: bool) -> Iterator[tuple[str, Sequence[Record]]]:
    """The records of which the severity decides, each kind with the noun that a person reads."""
    if fail_on:
        yield "pending change", outcome.changes
    yield "held-back change", outcome.held_back
    if not no_waivers:
        yield "waiting change", _weak(outcome)
    yield "finding", outcome.findings


def _of_at_least(least: Severity, records: Iterable[Record]) -> list[Record]:
    return [record for record in records if _severity(record).rank >= least.rank]


def _severity(record: Record) -> Severity:
    return record.severity if isinstance(record, Report) else record.transform.severity


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


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


def _missing(
    outcome: Outcome, required: list[tuple[str, Wanted]], allow_empty: bool, not_looked_at: int
) -> Iterator[str]:
    """What should have been read and was not, with the number of places where that may not be."""
    tree = outcome.tree
    read = [os.path.realpath(path) for path in unread.read_files(tree)]
    here = os.path.realpath(os.getcwd())
    below = [path for path in read if is_inside(path, here)]
    for pattern, fits in required:
        if not any(map(fits, below)):
            yield f"--require {pattern}: no file that was read fits it"
    if not read and not allow_empty:
        yield f"nothing was read (--allow-empty accepts this): {unread.why_nothing(tree)}"
    if not_looked_at:
        verb = "was" if not_looked_at == 1 else "were"
        yield f"{counted(not_looked_at, 'place')} that may hold an object {verb} not looked at (--no-waivers)"


def _unread(outcome: Outcome) -> list[str]:
    """The workloads in forms that are not read, where these fail a check."""
    others = find_unread_forms.summary(outcome.findings)
    return [f"{others} read (--unread fail)"] if others else []


def _narrowed(outcome: Outcome, choices: Choices, differ: int | None, known: int) -> Iterator[str]:
    """What --since leaves to judge: ``differ`` documents, without ``known`` records that they had before."""
    if differ is not None:
        none = "" if differ else "; nothing was judged"
        none += f"; {known} that were there before are left out (--whole judges them)" if known else ""
        verb = "differs" if differ == 1 else "differ"
        yield f"--since {choices.since}: {differ} of {counted(outcome.documents, 'document')} {verb}{none}"


def _passed(outcome: Outcome, redactor: Redactor, differ: int | None) -> str:
    """The verdict of a check that found nothing to fail on: it is none where nothing was read. It says of how many
    documents it is where others were not judged."""
    if not unread.nothing_read(outcome.tree):
        judged = outcome.documents if differ is None else differ
        templates = unread.templates(outcome.tree)
        if others := find_unread_forms.summary(outcome.findings):
            return f"check passed for what was read; {others}"
        if not templates:
            return "check passed" if judged else "check passed for 0 documents"
        verb = "was" if templates == 1 else "were"
        left = f"{counted(templates, 'template')} {verb} not judged: harden check CHART renders them by helm"
        return f"check passed for {counted(judged, 'document')} ({left})"
    return f"nothing was checked: {redactor.text(unread.why_nothing(outcome.tree))}"


def _compare(outcome: Outcome, choices: Choices, plan: Plan) -> list[str]:
    """Take what the baseline lists out of ``outcome``; what there is to say about it."""
    redactor = Redactor()
    learn(outcome.tree, redactor)
    return baseline.apply(outcome, str(choices.baseline), redactor.text, plan.judges)
