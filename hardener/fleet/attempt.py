"""Work on a stranger's repository, in a process of its own: what goes wrong is the reason why there is no result."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from hardener.errors import HardenError
from hardener.report.redactor import Redactor
from hardener.support.printable import plain_line

_LONGEST = 300  # characters of a reason
_Result = TypeVar("_Result")


class Answer(Struct, frozen=True, kw_only=True):
    """What a process answers: ``reason`` says why it has no result, ``signal`` by which signal it was ended."""

    reason: str | None = None
    signal: int | None = None


def attempt(folder: str, memory: int, work: Callable[[], _Result]) -> _Result | str:
    """What ``work`` returns in ``folder``, which becomes the working directory: names of files are seen from it. A text
    is the reason why there is nothing, since another repository may have a result all the same. ``memory`` is the bound
    that the process has."""
    try:
        os.chdir(folder)
        return work()
    except MemoryError:
        return out_of_memory(memory)
    except Exception as error:
        return reason_of(error)


def out_of_memory(memory: int) -> str:
    """Why there is no result of a repository that needs more than ``memory`` bytes."""
    return f"needs more than {memory >> 20} MiB of memory (--memory)"


def reason_of(error: Exception) -> str:
    """``error`` as the reason why there is no result: one line without secrets."""
    said = str(error) if isinstance(error, HardenError) else f"harden failed: {type(error).__name__}: {error}"
    return plain_line(Redactor().text(said))[:_LONGEST]
