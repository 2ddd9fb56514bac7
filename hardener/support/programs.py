"""Every program that harden starts is started here: found in absolute folders of PATH alone, so never in the folder
where somebody runs harden, and never by a shell."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from hardener.errors import HardenError


class ProgramError(HardenError):
    """A program that is not there, cannot be started, or does not end; the message says which."""


def run(
    name: str, arguments: Sequence[str], *, seconds: float, input: bytes | None = None, outside: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:  # fmt: skip
    """Run the program ``name`` for at most ``seconds``, whatever its exit code is.

    It is none that lies in the folder ``outside``, a real path. ``environment`` is all that it gets beside PATH; None
    is that of harden. Raises ProgramError.
    """
    found, given = _found(name, outside, environment)
    try:
        # Without input it gets none: what comes to harden itself is not for it.
        return subprocess.run(
            [found, *arguments], input=b"" if input is None else input, capture_output=True, timeout=seconds, env=given
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{name} gives no answer in {seconds:g} seconds") from None
    except (OSError, ValueError, subprocess.SubprocessError):
        raise ProgramError(f"{name} cannot be started") from None


def started(
    name: str, arguments: Sequence[str], *, outside: str | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """The program ``name``, which prints where harden does and reads what is written to its ``stdin``; found as by
    ``run``, or by an absolute path. Raises ProgramError."""
    found, given = _found(name, outside, environment)
    try:
        return subprocess.Popen([found, *arguments], stdin=subprocess.PIPE, env=given)
    except (OSError, ValueError, subprocess.SubprocessError):
        raise ProgramError(f"{name} cannot be started") from None


def _found(name: str, outside: str | None, environment: Mapping[str, str] | None) -> tuple[str, dict[str, str]]:
    """The path of the program ``name``, and all that it gets of the environment. Raises ProgramError."""
    folders = _folders(outside)
    if os.path.isabs(name):
        inside = outside is not None and _is_in(os.path.realpath(name), outside)
        found = None if inside else _program(os.path.dirname(name), os.path.basename(name))
    else:
        found = next((path for folder in folders if (path := _program(folder, name)) is not None), None)
    if found is None:
        raise ProgramError(f"{name} is not installed")
    return found, dict(os.environ if environment is None else environment) | {"PATH": os.pathsep.join(folders)}


def _folders(outside: str | None) -> list[str]:
    folders = (folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder))
    return [folder for folder in folders if outside is None or not _is_in(os.path.realpath(folder), outside)]


def _is_in(folder: str, other: str) -> bool:
    return folder == other or folder.startswith(other.rstrip(os.sep) + os.sep)


def _program(folder: str, name: str) -> str | None:
    for ending in ("",) if os.name != "nt" else (".exe",):
        path = os.path.join(folder, name + ending)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None
