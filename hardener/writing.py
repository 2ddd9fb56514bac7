"""The files of a run written: after a question where Git could not undo it, secrets first, each file whole or not."""

from __future__ import annotations

import os
import sys

from hardener.edits import Severity
from hardener.errors import HardenError
from hardener.outcome import Outcome, Report
from hardener.sources import files


def may_write(outcome: Outcome, yes: bool) -> bool:
    """Whether ``outcome`` may be written: a person is asked on a terminal about files that Git could not bring back."""
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
