"""The page of commands: what the command line takes, from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from hardener.cli.app import app
from tests.pages.markdown import HEAD, code, plain, table


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its full name; those of a group one by one."""
    for name, command in sorted(typer.main.get_group(app).commands.items()):
        parts = getattr(command, "commands", None)
        if parts is None:
            yield f"harden {name}", command
        else:
            yield from ((f"harden {name} {part}", found) for part, found in sorted(parts.items()))


def page() -> str:
    """The text of docs/reference/commands.md."""
    found = list(commands())
    lines = [
        HEAD,
        "",
        "# Commands",
        "",
        "`harden COMMAND --help` prints the same. `harden --version` prints the version. Paths are files, folders or"
        " patterns. [Exit codes](../exit-codes.md) has one table for all commands.",
        "",
    ]
    lines += table(
        ("command", "what it does"),
        [(f"[{code(name)}](#{name.replace(' ', '-')})", _help(command)) for name, command in found],
    )
    for name, command in found:
        lines += [f"## {name}", "", _help(command), "", *_usage(name, command)]
        arguments, options = _parameters(command)
        lines += table(("argument", "what it is"), arguments) if arguments else []
        lines += table(("option", "what it does", "default"), options) if options else []
    return "\n".join(lines).rstrip("\n") + "\n"


def _help(command: Any) -> str:
    return plain(" ".join((command.help or "").split()))


def _usage(name: str, command: Any) -> list[str]:
    words = [name, *(["[OPTION...]"] if _parameters(command)[1] else [])]
    words += [_metavar(each) for each in command.params if each.param_type_name == "argument"]
    return ["```text", " ".join(words), "```", ""]


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _parameters(command: Any) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    arguments: list[tuple[str, ...]] = []
    options: list[tuple[str, ...]] = []
    for each in command.params:
        said = plain(" ".join((getattr(each, "help", None) or "").split()))
        if each.param_type_name == "argument":
            arguments.append((code(_metavar(each)), said))
        elif each.name not in ("help", "install_completion", "show_completion"):
            options.append((_option(each), said, _default(each)))
    return arguments, options


def _option(option: Any) -> str:
    takes = "" if option.is_flag else f" {option.metavar or _choices(option)}"
    names = [*option.opts, *option.secondary_opts]
    more = ", several times" if option.multiple else ""
    return ", ".join(code(name) for name in names[:-1]) + (", " if names[1:] else "") + code(names[-1] + takes) + more


def _choices(option: Any) -> str:
    found = getattr(option.type, "choices", None)
    return "|".join(getattr(each, "value", str(each)) for each in found) if found else option.type.name.upper()


def _default(option: Any) -> str:
    value = option.default
    if callable(value) or value in (None, False, (), []):
        return ""
    return code(str(getattr(value, "value", value)))
