"""``harden apply`` where a person chooses among the changes, or where the source stays as it is."""

from __future__ import annotations

import sys
from collections.abc import Callable

from msgspec.structs import replace

from hardener import outputs
from hardener.commands.interactive import walk
from hardener.commands.interactive.answers import Answers
from hardener.commands.interactive.walk import check_terminal
from hardener.commands.progress import Progress
from hardener.commands.run import Choices, Style, binary, informed, print_report, read, show, write
from hardener.commands.write_files import finish_killed, may_write, write_secrets
from hardener.engine.outcome import Outcome
from hardener.errors import InputError
from hardener.report.context import Context
from hardener.report.terminal.question import Question
from hardener.report.terminal.screen import Screen
from hardener.sources import files
from hardener.support.printable import plain_line


def apply(
    paths: list[str], choices: Choices, style: Style, *, yes: bool, interactive: bool, output: str | None,
    output_dir: str | None,
) -> int:  # fmt: skip
    """Harden ``paths``: ask about each step with ``interactive``, write beside the source with ``output`` or
    ``output_dir``. Returns 0; 2 when there was something to write and nothing could be written, or was to be."""
    beside = output is not None or output_dir is not None
    finish_killed(paths, targets=[output_dir] if output_dir is not None else [])
    if beside:
        outputs.check(output, output_dir)
    if not interactive:
        with Progress() as progress:
            tree, plan = read(paths, choices, progress, manifests_only=output and f"--output {output}")
            outcome = plan.run(tree, progress)
        return _beside(outcome, paths, output, output_dir, style)
    chosen = _chosen(paths, choices, style, confirm=lambda outcome: beside or may_write(outcome, yes))
    if chosen is None:
        return 2
    if beside:
        return _beside(chosen, paths, output, output_dir, style)
    return write(chosen, style)


def _beside(outcome: Outcome, paths: list[str], output: str | None, folder: str | None, style: Style) -> int:
    """Write what a run decided without touching the source; the report goes to standard error where patches go to
    standard output. Returns 0."""
    redactor = informed(outcome)
    lines = outputs.write(
        outcome, output, folder, files.expand(paths), redactor, binary(sys.stdout),
        lambda run: write_secrets(outcome, run),
    )  # fmt: skip
    sys.stdout.flush()
    for_people = sys.stderr if folder is None else sys.stdout
    if folder is None:
        style = replace(style, format="text")
    if style.for_people:
        print_report(outcome, style, Context(redactor=redactor, advises=False), for_people)
    else:
        show(outcome, style, Context(redactor=redactor))
    for line in lines:
        print(plain_line(redactor.text(line)), file=for_people if style.for_people else sys.stderr)
    return 0


def _chosen(paths: list[str], choices: Choices, style: Style, *, confirm: Callable[[Outcome], bool]) -> Outcome | None:
    """What a person at the terminal wants of a run; None when it is not to be written at all."""
    check_terminal()
    if not style.for_people:
        raise InputError(f"-i talks to a person: it does not go with --format {style.format}")

    def run(answers: Answers) -> Outcome:
        with Progress() as progress:
            tree, plan = read(paths, choices, progress, manifests_only="-i")
            plan.gate = answers.chooser(plan.gate)
            return plan.run(tree, progress)

    def out(text: str) -> None:
        binary(sys.stdout)(text)
        sys.stdout.flush()

    def question(outcome: Outcome) -> Question:
        return Question(outcome, Context(redactor=informed(outcome), screen=screen), out)

    screen = Screen.of(sys.stdout, style.color)
    return walk(run, question, confirm)
