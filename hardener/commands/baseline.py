"""``harden baseline write``: what ``check`` finds today, in a file that later runs take as known."""

from __future__ import annotations

import os

from hardener.commands.progress import Progress
from hardener.commands.run import Choices, learn, read, say_unread
from hardener.commands.write_files import finish_killed
from hardener.engine import known_findings
from hardener.report.redactor import Redactor
from hardener.sources import files
from hardener.support.printable import plain_line


def write_baseline(paths: list[str], choices: Choices) -> int:
    """Write the baseline of ``paths`` to the file that ``choices`` name, else at the Git root. Returns 0."""
    finish_killed(paths, targets=[choices.baseline] if choices.baseline else [])
    redactor = Redactor()
    with Progress() as progress:
        tree, plan = read(paths, choices, progress)
        outcome = plan.run(tree, progress)
    learn(tree, redactor)
    path = os.path.normpath(choices.baseline or os.path.join(os.path.relpath(tree.root), known_findings.NAME))
    files.target_path(path)
    count = known_findings.write(path, outcome, redactor.text)
    say_unread(tree)
    check = outcome.asked.command("check", *([] if choices.baseline else ["--baseline", path]))
    print(plain_line(f"{path}: {count} entries; commit it, then: {check}"))
    return 0
