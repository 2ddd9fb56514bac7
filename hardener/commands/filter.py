"""``harden filter``: a stream hardened, with the report beside it. A stream has no tree around it."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any

from msgspec.structs import replace

from hardener.commands.run import Choices, Style, informed, plan_of, print_report
from hardener.commands.write_files import finish_killed
from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.report.context import Context
from hardener.report.redactor import Redactor
from hardener.sources import files
from hardener.sources.files import transaction
from hardener.tree.tree import Tree, lock_of


def filter(choices: Choices, style: Style, *, report: str | None = None) -> int:
    """Harden standard input to standard output, report on standard error, or to the file ``report``: as JSON when its
    name ends in .json. Returns 0. Raises InputError for input that is not UTF-8 and a file that cannot be written."""
    if report is not None:
        finish_killed([], targets=[report])
    text = standard_input()
    root = files.git_root(os.getcwd()) or os.getcwd()
    plan = plan_of(choices, root)
    outcome = plan.run(Tree.from_text(text, plan.settings, lock_of(root)), lambda name: None)
    stream: Any = sys.stderr if report is None else io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    in_json = (report or "").endswith(".json")
    redactor = informed(outcome) if in_json or not style.quiet else Redactor()
    if in_json:
        style = replace(style, format="json")
    print_report(outcome, style, Context(redactor=redactor, applied=True, whole=report is not None), stream)
    if report is not None:
        _write_report(report, stream.buffer.getvalue())
    sys.stdout.buffer.write(hardened(text, outcome).encode())
    sys.stdout.buffer.flush()
    return 0


def _write_report(path: str, raw: bytes) -> None:
    """The report whole, or as it was; what is no file, such as a pipe, takes it as it comes. Raises InputError."""
    try:
        if not os.path.isdir(os.path.dirname(path) or os.curdir):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        if not os.path.islink(path) and (os.path.isfile(path) or not os.path.exists(path)):
            transaction.put(path, raw)
        else:
            with open(path, "wb") as stream:
                stream.write(raw)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


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
