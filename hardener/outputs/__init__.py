"""The result of a run beside the source lives here (patches, a component of kustomize, copies), and no report of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.outputs import component, copies, patches
from hardener.report.impact import counted
from hardener.report.redactor import Redactor
from hardener.sources import files
from hardener.sources.files.transaction import NotPlacedError, Transaction

KINDS = ("kustomize", "json-patch")


def check(kind: str | None, folder: str | None) -> None:
    """Raise InputError where ``kind`` and ``folder`` make no output, before anything is read."""
    if kind == "kustomize" and folder is None:
        raise InputError("--output kustomize: say where with --output-dir DIR")
    if folder is not None:
        files.target_path(folder)
    if folder is not None and os.path.lexists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise InputError(f"--output-dir {folder}: is there already, and not an empty folder")


def write(
    outcome: Outcome, kind: str | None, folder: str | None, paths: list[str], redactor: Redactor,
    out: Callable[[str], object], secrets: Callable[[Transaction], object] | None = None,
) -> list[str]:  # fmt: skip
    """Write ``outcome`` as ``kind`` (None: hardened copies of ``paths``) to ``folder``, patches without one to ``out``.
    ``secrets`` stages what has to be on the disk before: all is written, or nothing.

    Returns what there is to say about it, as lines: where it went, and what is not in it. Raises InputError.
    """
    written: Iterable[tuple[str, bytes | str]] = ()
    missing: list[str] = []
    if kind == "kustomize":
        written, missing = component.make(outcome, os.path.realpath(folder or ""), paths, redactor)
    elif kind == "json-patch":
        missing = patches.missing(outcome, redactor)
        if folder is not None:
            written = patches.files(outcome, redactor).items()
    else:
        written, missing = copies.make(outcome, paths)
    count = 0
    with Transaction() as run:
        if secrets is not None:
            secrets(run)
        top = os.path.realpath(folder or ".")
        for name, content in written:
            path = os.path.normpath(os.path.join(top, name))
            try:
                run.create(path, content)
            except OSError as error:
                raise _not_written(path, error) from None
            count += 1
        try:
            run.place()
        except NotPlacedError as error:
            raise _not_written(error.path, error) from None
    if kind == "json-patch" and folder is None:
        out(patches.together(outcome, redactor))
    return list(_said(count, folder, missing, "not copied" if kind is None else "not in it"))


def _not_written(path: str, error: OSError) -> InputError:
    return InputError(f"{os.path.relpath(path)}: cannot be written: {error.strerror}; no file was")


def _said(count: int, folder: str | None, missing: list[str], what: str) -> Iterator[str]:
    if folder is not None:
        yield f"{counted(count, 'file')} written to {folder}, the source is as it was"
    if missing:
        how = ", which harden apply writes in place" if what == "not in it" else ""
        yield f"{what}: {len(missing)}{how}"
        yield from (f"  {line}" for line in missing[:20])
        if len(missing) > 20:
            yield f"  and {len(missing) - 20} more"
