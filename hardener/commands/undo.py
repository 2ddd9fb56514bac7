"""``harden undo``: what the last run wrote taken back, from what was kept of it."""

from __future__ import annotations

import os
from collections.abc import Callable

from hardener.commands import user_state
from hardener.commands.user_state import KeptFile, KeptRun
from hardener.commands.write_files import check_place, finish_killed
from hardener.engine.outcome import FileChange, Outcome
from hardener.errors import InputError
from hardener.report.impact import counted, listed
from hardener.report.terminal.undo import undo as git_command
from hardener.sources import files
from hardener.sources.files import run_folder
from hardener.sources.files.transaction import NotPlacedError, Transaction
from hardener.support.printable import plain

_MOST = 256 * 1024 * 1024  # bytes that are kept of one run


def keep(outcome: Outcome) -> bool:
    """Keep what the files of ``outcome``, which are written, were before. Returns whether they are kept: not where a
    secret was moved out of them, which no other copy shall have, and not where they are very large."""
    moves = any(change.edit.keeps for change in outcome.changes)
    if moves or sum(len(change.file.content.text) for change in outcome.files) > _MOST:
        return False
    places = {user_state.here(), *filter(None, (files.git_root(change.file.path) for change in outcome.files))}
    found = git_command(outcome.files, outcome.asked.paths)
    run = KeptRun(
        outcome.asked.command(outcome.command), found.command if found is not None else "", sorted(places),
        [_kept(change) for change in outcome.files],
    )  # fmt: skip
    return user_state.keep(run, places)


def _kept(change: FileChange) -> KeptFile:
    content = change.file.content
    before = None if change.file.is_new else content.encoded(content.text)
    return KeptFile(change.file.path, before, user_state.digest(content.encoded(change.text)))


def undo(say: Callable[[str], object]) -> int:
    """Take back what the last run wrote in the repository of the working directory, all of it or nothing. Returns 0;
    raises InputError where no run is known, and where a file was changed since."""
    place = user_state.here()
    run = user_state.kept_run(place)
    if run is None:
        raise InputError(f"no run of harden is known that wrote files in {place}")
    paths = [kept.path for kept in run.files]
    with run_folder.turn([os.path.dirname(path) for path in paths if os.path.isdir(os.path.dirname(path))]):
        finish_killed([place])
        _refuse_changed(run)
        _take_back(run, place)
    user_state.forget_run(run.places)
    say(f"taken back: {counted(len(paths), 'file')} as before {plain(run.command)}: {_named(paths)}")
    if run.git:
        say(f"the same with Git: {plain(run.git)}")
    return 0


def _refuse_changed(run: KeptRun) -> None:
    """Raise InputError where a file is no longer as ``run`` wrote it."""
    changed = [kept.path for kept in run.files if _digest_of(kept.path) != kept.after]
    if changed:
        instead = f"; with Git: {plain(run.git)}" if run.git else ""
        number = f"{len(changed)} of {counted(len(run.files), 'file')}"
        raise InputError(
            f"nothing was taken back: {number} changed since {plain(run.command)}: {_named(changed)}{instead}"
        )


def _digest_of(path: str) -> bytes | None:
    try:
        return user_state.digest(files.read_bytes(path)[0])
    except files.UnreadableError:
        return None


def _take_back(run: KeptRun, top: str) -> None:
    with Transaction(top) as transaction:
        for kept in run.files:
            try:
                check_place(os.path.dirname(kept.path))
                if kept.before is None:
                    transaction.remove(kept.path)
                else:
                    transaction.put(kept.path, kept.before)
            except OSError as error:
                raise _not_written(kept.path, error) from None
        try:
            transaction.place()
        except NotPlacedError as error:
            raise _not_written(error.path, error) from None


def _not_written(path: str, error: OSError) -> InputError:
    return InputError(f"nothing was taken back: {os.path.relpath(path)}: {error.strerror}")


def _named(paths: list[str]) -> str:
    return listed(dict(enumerate(plain(os.path.relpath(path)) for path in paths)))
