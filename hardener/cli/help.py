"""Help in groups of options, with examples that can be copied."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from typer.core import TyperCommand

# The groups, in the order of the help; an option without one stands in the last.
WHICH = "Which changes"
RUNS = "What is run, and how"
WHERE = "Where they are written"
VERDICT = "What is judged"
CHART = "How the chart is rendered"
REPORT = "Report"
_OTHERS = "Options"
_ORDER = (RUNS, WHICH, CHART, WHERE, VERDICT, REPORT, _OTHERS)


# Names of options before this release, which scripts still have; help does not show them.
_OLD_NAMES = {"--max-risk": "--max-grade"}
# What click says of an argument that a command does not take, and what to do for some commands.
_TOO_MANY = re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)")
_INSTEAD: dict[str | None, str] = {"filter": ": it reads standard input (harden filter < FILE)"}


class Command(TyperCommand):
    """A command with its options in groups, and its ``epilog`` as it is written, a line an example."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an option that stands where another one's value should: it would be taken for a file."""
        args = list(_by_new_names(args))
        options = {name: each for each in self.get_params(ctx) for name in each.opts if name.startswith("-")}
        given = args[: args.index("--")] if "--" in args else args
        for name, after in pairwise(given):
            option: Any = options.get(name)
            if option is not None and not option.is_flag and after in options:
                ctx.fail(f"Option {name} takes {option.metavar or 'a value'}, and {after} is an option")
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if self.name == "apply" and type(error).__name__ == "MissingParameter":
                ctx.fail(
                    "PATH is missing: apply changes files, so it has to be told which (harden apply . for all here)"
                )
            if found := _TOO_MANY.match(str(error)):
                ctx.fail(f"unexpected argument {found[1]}{_INSTEAD.get(self.name, '')}")
            raise

    def format_options(self, ctx: Any, formatter: Any) -> None:
        arguments: list[tuple[str, str]] = []
        groups: dict[str, list[tuple[str, str]]] = {name: [] for name in _ORDER}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.param_type_name == "argument":
                arguments.append(record)
            else:
                groups[getattr(parameter, "rich_help_panel", None) or _OTHERS].append(record)
        for name, records in {"Arguments": arguments, **groups}.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        if self.epilog:
            with formatter.section("Examples"):
                for line in inspect.cleandoc(self.epilog).splitlines():
                    formatter.write(f"  {line}\n")


def _by_new_names(args: list[str]) -> Iterator[str]:
    """``args`` with options by the names that they have now; what stands behind "--" are files."""
    options = iter(args)
    for arg in options:
        name, equals, value = arg.partition("=")
        yield _OLD_NAMES.get(name, name) + equals + value
        if arg == "--":
            yield from options


def ids(incomplete: str) -> list[tuple[str, str]]:
    """The transforms that begin so, with what each does, for the completion of a shell."""
    from hardener.authoring import registry
    from hardener.authoring.risks import RISKS

    found = [(risk.id, risk.title) for risk in RISKS.values()]
    found += [(item.id, item.title) for item in registry.transforms().values()]
    before, comma, last = incomplete.rpartition(",")
    return [(before + comma + id, text) for id, text in found if id.lower().startswith(last.lower())]


def profiles(incomplete: str) -> list[str]:
    """The profiles that begin so."""
    from hardener.authoring.profile import BUILT_IN

    return [name for name in BUILT_IN if name.startswith(incomplete)]
