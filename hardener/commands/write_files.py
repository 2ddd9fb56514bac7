"""The files of a run written, all or none: after a question where Git could not undo it, and secrets first."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator

from hardener.authoring.edits import Severity
from hardener.engine.outcome import FileChange, Outcome, Report
from hardener.errors import InputError
from hardener.report.impact import counted, listed
from hardener.report.redactor import Redactor
from hardener.sources import files
from hardener.sources.files import run_folder
from hardener.sources.files.transaction import NotPlacedError, Transaction
from hardener.support.free_memory import give_back
from hardener.support.printable import plain
from hardener.support.programs import ProgramError

_LARGE = 1_000_000  # characters of the files that change
_SHOWN = 3  # of the files that could not be written


def may_write(outcome: Outcome, yes: bool) -> bool:
    """Whether ``outcome`` may be written: a person is asked on a terminal about files that Git could not bring back."""
    if not outcome.files:
        return True
    warnings = list(_unsaved([change for change in outcome.files if not change.file.is_new]))
    if not warnings:
        return True
    for warning in warnings:
        print(f"harden: {plain(warning)}", file=sys.stderr)
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    goes_on = sys.stdin.readline().strip().lower() in ("y", "yes")
    if not goes_on:
        print("harden: nothing was written", file=sys.stderr)
    return goes_on


def _unsaved(changes: list[FileChange]) -> Iterator[str]:
    """A line about each kind of files whose present state Git could not bring back; those that it does not have are
    marked as such."""
    by_root: dict[str | None, list[FileChange]] = {}
    for change in changes:
        by_root.setdefault(files.git_root(change.file.path), []).append(change)
    if outside := by_root.pop(None, None):
        yield f"{_of(len(outside), changes)} outside Git, so Git cannot undo this"
    if not by_root:
        return

    from hardener.sources.git import blobs as git_blobs  # late: what starts Git costs as much as a small run

    unknown: list[str] = []
    dirty: list[str] = []
    for top, group in by_root.items():
        try:
            tracked = git_blobs.tracked(str(top))
        except ProgramError as error:
            yield f"{error}, so it is not known whether Git can undo this"
            continue
        for change in group:
            content = change.file.content
            name = os.path.relpath(change.file.path, top).replace(os.sep, "/")
            change.in_git = tracked.names(name)
            if not change.in_git:
                unknown.append(change.file.name)
            elif not tracked.holds(name, content.encoded(content.text)):
                dirty.append(change.file.name)
    if unknown:
        yield f"{_of(len(unknown), changes)} not in Git, so Git cannot undo this: {listed(dict(enumerate(unknown)))}"
    if dirty:
        words = f"{_of(len(dirty), changes, 'has', 'have')} changes that are neither staged nor committed"
        yield f"{words}: {listed(dict(enumerate(dirty)))}; the undo line takes those back, too"


def _of(number: int, changes: list[FileChange], one: str = "is", several: str = "are") -> str:
    return f"{number} of {counted(len(changes), 'file')} {one if number == 1 else several}"


def finish_killed(paths: list[str], *, targets: list[str] | None = None) -> None:
    """Take back what a run that was killed did to ``paths`` and to ``targets``, which are only written, all as given;
    and say so on standard error.

    Every command that writes files asks for it before it reads them. Raises InputError where it cannot be done, and for
    a path that the command refuses anyway: what a link leads to is not touched.
    """
    real = [files.target_path(target) for target in targets or []]
    for line in run_folder.recover_around(files.expand(paths), real):
        print(f"harden: {plain(Redactor().text(line))}", file=sys.stderr)


def write_secrets(outcome: Outcome, run: Transaction) -> None:
    """Let ``run`` write what the changes of ``outcome`` take out of the tree to the folder for it. Raises InputError;
    then no file of the tree may be written."""
    folder = outcome.tree.settings.secrets_out
    if folder and any(change.edit.keeps for change in outcome.changes):
        from hardener.commands import secrets_folder  # late: most runs move no secret

        secrets_folder.stage(folder, (kept for change in outcome.changes for kept in change.edit.keeps), run)


def write_files(outcome: Outcome) -> bool:
    """Write the changed files, and before them the secrets that leave the tree: all of it, or nothing. Returns whether
    everything could be written. Raises InputError when the secrets cannot be written.

    Files of one run need each other, also across steps: a namespace that is closed needs the policies of its workloads,
    a kubelet that protects its kernel settings needs the file that sets them, a Pod Security label needs the workloads
    hardened, and a kustomization needs the files that it lists. No record says which ones belong together, so one file
    that cannot be written stops all. First every new text waits in the folder of the run, then all take their places;
    what fails even then takes the others back. Each file that stood in the way becomes a finding, and ``outcome`` says
    at its top that nothing was written.
    """
    if not outcome.files:
        return True
    failed: list[tuple[FileChange, OSError]] = []
    written: set[str] = set()
    with Transaction(outcome.tree.root) as run:
        for change in outcome.files:
            try:
                check_place(os.path.dirname(change.file.path))
                if change.file.is_new:
                    run.create(change.file.path, change.text)
                else:
                    run.replace(change.file.path, change.text, change.file.content)
            except OSError as error:
                failed.append((change, error))
        if not failed:
            write_secrets(outcome, run)
            try:
                run.place()
                written = {change.file.path for change in outcome.files}
            except NotPlacedError as error:
                failed = [(change, error) for change in outcome.files if change.file.path == error.path]
                if not failed:  # one of the files for secrets
                    where = f"{outcome.tree.settings.secrets_out}: {os.path.basename(error.path)}"
                    raise InputError(f"--secrets-out {where}: {error.strerror}; no manifest was changed") from None
                written = set(error.still)
    for change in outcome.files:
        change.written = change.file.path in written
    if sum(len(change.file.content.text) for change in outcome.files) > _LARGE:
        give_back()  # the new texts, which are gone; the report needs memory, too
    if failed:
        _say_failed(outcome, failed)
    return not failed


def check_place(folder: str) -> None:
    """Raise OSError where a link stands in for ``folder``, or for one above it: all that is written has a real path."""
    if os.path.realpath(folder) != folder:
        raise OSError(0, f"{os.path.relpath(folder)} is behind a symbolic link, which is not followed")


def _say_failed(outcome: Outcome, failed: list[tuple[FileChange, OSError]]) -> None:
    """Take out of ``outcome`` what was not written, and note why."""
    total = len(outcome.files)
    outcome.files = [change for change in outcome.files if change.written]
    kept = {id(change.file) for change in outcome.files}
    edits = Counter(id(change.object.piece.file) for change in outcome.changes)
    outcome.changes = [change for change in outcome.changes if id(change.object.piece.file) in kept]
    for change, error in failed:
        lost = counted(edits[id(change.file)], "edit")
        verb = "was" if lost.startswith("1 ") else "were"
        outcome.findings.append(
            Report(
                "not-written",
                None,
                Severity.MEDIUM,
                f"{lost} {verb} not written, the file is as it was: {error.strerror}",
                "make it writable and run again",
                change.file.name,
                line=1,
            )
        )
    names = [f"{change.file.name} ({error.strerror})" for change, error in failed]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    written = f"only {', '.join(change.file.name for change in outcome.files)}" if outcome.files else "nothing"
    outcome.failure = (
        f"{written} was written, since {len(failed)} of {counted(total, 'file')} cannot be, and the files of a run "
        f"need each other: {', '.join(names[:_SHOWN])}{more}"
    )
