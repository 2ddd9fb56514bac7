"""The formats for other programs and hosts by their names. Each is a module of its own, loaded when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable

from hardener.engine.outcome import Outcome
from hardener.facts.objects.pod_security_levels import Standing
from hardener.report import unread
from hardener.report.redactor import Redactor
from hardener.support.printable import plain

Levels = tuple[list[Standing], list[Standing]]
Out = Callable[[str], object]


def write(
    name: str, outcome: Outcome, redactor: Redactor, out: Callable[[str], Out], *, applied: bool, levels: Levels | None
) -> None:
    """Write the report of ``outcome`` in the format ``name`` to standard output.

    ``out`` makes a writer of text; it takes what becomes of the characters that UTF-8 does not have. What a format has
    no place for, such as a file that no patch can show, is said on standard error.
    """
    if name in ("patch", "rdjson", "gitlab"):
        for note in unread.notes(outcome.tree):  # a record of these is about a line of a file
            print(f"harden: {plain(redactor.text(note.text))}", file=sys.stderr)
    if name == "patch":
        from hardener.report.formats import patch as git_patch

        for file in git_patch.write(outcome, redactor, out("surrogateescape")):
            can = f"harden {outcome.command} can change it"
            why = f"not in the patch, since it would show secrets that are masked; {can}"
            print(f"harden: {plain(redactor.text(file))}: {why}", file=sys.stderr)
    elif name == "markdown":
        from hardener.report.formats import markdown

        markdown.write(outcome, redactor, out("backslashreplace"), applied=applied, levels=levels)
    elif name == "sarif":
        from hardener.report.formats import sarif

        sarif.write(outcome, redactor, out("backslashreplace"), applied=applied)
    elif name == "github":
        from hardener.report.formats import github

        github.write(outcome, redactor, out("surrogateescape"), applied=applied)
    elif name == "rdjson":
        from hardener.report.formats import rdjson

        rdjson.write(outcome, redactor, out("backslashreplace"), applied=applied)
    elif name == "gitlab":
        from hardener.report.formats import gitlab

        gitlab.write(outcome, redactor, out("backslashreplace"), applied=applied)
    elif name == "junit":
        from hardener.report.formats import junit

        junit.write(outcome, redactor, out("backslashreplace"), applied=applied)
    elif name == "html":
        from hardener.report import page

        page.write(outcome, redactor, out("backslashreplace"), applied=applied, levels=levels)
    else:
        raise ValueError(name)
