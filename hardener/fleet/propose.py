"""The pull request of one repository: one part of its plan, in a process of its own. Nothing is written."""

from __future__ import annotations

import os

from msgspec import Struct

from hardener.commands.plan import proposed
from hardener.commands.run import Choices
from hardener.fleet.attempt import Answer, attempt
from hardener.report import pull_request
from hardener.report.pull_request import Made


class Request(Struct, frozen=True, tag="propose"):
    """Part ``number`` of the plan of ``folder`` with at most ``lines`` in each, which ``command`` makes; ``memory`` are
    bytes of address space."""

    folder: str
    choices: Choices
    number: int
    lines: int
    command: str
    seconds: float
    memory: int


class Proposed(Answer, frozen=True):
    """What the pull request makes, with its body; ``made`` is None where the plan has no such part. ``parts`` is how
    many parts the plan has, ``lines`` how many lines of a patch this one is, in so many ``files``."""

    made: Made | None = None
    body: str = ""
    files: int = 0
    lines: int = 0
    parts: int = 0


def propose(request: Request) -> Proposed:
    """The pull request of the folder. Whatever goes wrong is a ``reason``."""
    done = attempt(request.folder, request.memory, lambda: _proposed(request))
    return Proposed(reason=done) if isinstance(done, str) else done


def _proposed(request: Request) -> Proposed:
    part = proposed([os.curdir], request.choices, _silent, number=request.number, lines=request.lines)
    if part is None or not part.outcome.changes:
        return Proposed()
    outcome = part.outcome
    text = pull_request.body(outcome, part.redactor, request.command)
    return Proposed(Made.of(outcome), text, len(outcome.files), part.lines, part.of)


def _silent(name: str) -> None:
    """Nobody looks at how far one repository is."""
