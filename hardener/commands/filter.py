"""``harden filter``: a stream hardened, with the report beside it. A stream has no tree around it."""

from __future__ import annotations

import os
import sys
from typing import Any

from hardener.commands.run import Choices, binary, learn, learn_moved, plan_of, write_text
from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.report.redactor import Redactor
from hardener.sources import files
from hardener.tree.tree import Tree, lock_of


def filter(choices: Choices, *, verbose: bool, quiet: bool, report: str | None = None) -> int:
    """Harden standard input to standard output, report on standard error, or to the file ``report``: as JSON when its
    name ends in .json. Returns 0. Raises InputError for input that is not UTF-8 and a file that cannot be written."""
    text = standard_input()
    root = files.git_root(os.getcwd()) or os.getcwd()
    plan = plan_of(choices, root)
    stream: Any = sys.stderr
    if report is not None:
        try:
            stream = open(files.target_path(report), "w", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{report}: {error.strerror}") from None
    outcome = plan.run(Tree.from_text(text, plan.settings, lock_of(root)), lambda name: None)
    sys.stdout.buffer.write(hardened(text, outcome).encode())
    sys.stdout.buffer.flush()
    redactor = Redactor()
    if not quiet or (report or "").endswith(".json"):
        learn_moved(outcome, redactor)
        learn(outcome.tree, redactor)
    if (report or "").endswith(".json"):
        from hardener.report.json import write

        write(outcome, redactor, binary(stream, "backslashreplace"))
        stream.flush()
    else:
        write_text(outcome, redactor, stream, verbose=verbose, quiet=quiet, applied=True)
    return 0


def hardened(text: str, outcome: Outcome) -> str:
    """What ``outcome`` made of the stream ``text``."""
    if not outcome.files:
        return text
    (changed,) = outcome.files
    return ("\ufeff" if changed.file.content.bom else "") + changed.text


def standard_input() -> str:
    """All of standard input. Raises InputError when it is not UTF-8."""
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise InputError("standard input is not UTF-8") from None
