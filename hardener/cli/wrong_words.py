"""A wrong command line in one clause, with what to write in its place: people type what they know of other tools."""

from __future__ import annotations

import os
import re
from typing import Any

from hardener.support.near_names import meant, nearest

# Commands of kube-linter, kubesec, kube-score, trivy, polaris, checkov, kubectl and terraform.
_COMMANDS: dict[str, str] = {
    **dict.fromkeys(("lint", "scan", "analyze", "audit", "score", "validate", "test", "verify", "conftest"), "check"),
    **dict.fromkeys(("fix", "run", "harden", "patch", "remediate", "mutate"), "apply"),
    **dict.fromkeys(("dry-run", "show-diff"), "diff"),
    **dict.fromkeys(("rules", "checks", "policies"), "list"),
    **dict.fromkeys(("revert", "rollback", "restore"), "undo"),
    **dict.fromkeys(("version", "help"), "--{name}"),
    "completion": "--show-completion",
}

# An option that other tools have: the option that a command must have for the advice to fit ("" for none), and the
# advice.
_OPTIONS: dict[str, tuple[str, str]] = {
    "--dry-run": ("", "harden diff shows the changes and writes nothing"),
    "--severity": ("--fail-on", "write --fail-on SEVERITY"),
    "--exit-code": ("--fail-on", "write --fail-on SEVERITY; harden check ends with 1 where it fails"),
    "--fail-fast": ("--fail-on", "write --fail-on SEVERITY"),
    "--output-file": ("--format", "write the report to a file with > FILE"),
    "--out": ("--format", "write the report to a file with > FILE"),
    "--exclude": ("--skip", "write --skip ID for a transform, or exclude: in .harden.yaml for files"),
    "--ignore": ("--skip", "write --skip ID for a transform, or exclude: in .harden.yaml for files"),
    "--skip-dirs": ("--config", "write exclude: in .harden.yaml"),
    "--ignore-checks": ("--skip", "write --skip ID"),
    "--ignore-test": ("--skip", "write --skip ID"),
    "--skip-check": ("--skip", "write --skip ID"),
    "--include": ("--only", "write --only ID"),
    "--check": ("--only", "write --only ID"),
    "--rules": ("--only", "write --only ID; harden list shows the transforms"),
    "--recursive": ("", "folders are read with all that is below them"),
    "--file": ("", "name files and folders without an option"),
    "--filename": ("", "name files and folders without an option"),
    "--manifest-dir": ("", "name files and folders without an option"),
    "--kubeconfig": ("", "files are read, and no cluster (docs/import.md)"),
    "--context": ("", "files are read, and no cluster (docs/import.md)"),
    "--all-namespaces": ("", "files are read, and no cluster; name files or folders"),
    "--force": ("--yes", "write --yes, so that nothing is asked"),
    "--fix": ("", "harden apply PATH changes the files"),
    "--in-place": ("", "harden apply PATH changes the files"),
    "--no-color": ("--color", "write --color never"),
    "--debug": ("--verbose", "write --verbose"),
    "--kube-version": ("--kubernetes-version", "write --kubernetes-version 1.36"),
    "--report": ("--format", "write --format html > FILE, for example"),
}
_FORMATS = {"--output", "-o"}  # of kubectl, trivy and kube-linter
_SHORT = {
    "-f": "--file", "-R": "--recursive", "-r": "--recursive", "-A": "--all-namespaces", "-n": "--all-namespaces",
    "--namespace": "--all-namespaces", "-e": "--exclude", "--format-output": "--output",
}  # fmt: skip


def in_a_line(message: str, context: Any) -> str:
    """What click says of a wrong command line, as one clause that names the remedy where one is known.

    ``context`` is that of click, or None; its command tells which options and commands there are.
    """
    said = " ".join(message.split()).removesuffix(".")
    command = getattr(context, "command", None)
    if wrong := re.match(r"No such command '(.*?)'", said):
        return _command(wrong[1], command)
    if wrong := re.match(r"No such option: (\S+)", said):
        return _option(wrong[1], command)
    if wrong := re.match(r"Invalid value for '(--[a-z-]+)': '(.*?)' is not one of (.*)$", said):
        return said + _letters(wrong[2], wrong[3])
    return said


def _command(name: str, command: Any) -> str:
    said = f"No such command '{name}'"
    known = sorted(getattr(command, "commands", {}) or {})
    root = getattr(command, "name", None) in (None, "harden", "root")
    if os.path.exists(name):
        from hardener.support.shell_words import quoted_path

        return f"{said}; to judge files: harden check {quoted_path(name)}"
    if root and (ours := _COMMANDS.get(name)):
        return f"{said}: write harden {ours.format(name=name)}"
    if near := nearest(name, known):
        return f"{said} (did you mean '{near}'?)"
    return said if root else f"{said}: its commands are {', '.join(known)}"


def _option(name: str, command: Any) -> str:
    said = f"No such option: {name}"
    known = {option for each in getattr(command, "params", ()) for option in each.opts if option.startswith("-")}
    if name in _FORMATS and "--format" in known:
        return f"{said}: write --format FORMAT, and > FILE to write it to a file"
    needed, advice = _OPTIONS.get(_SHORT.get(name, name), ("", ""))
    if advice and (not needed or needed in known):
        return f"{said}: {advice}"
    return f"{said}{meant(name, sorted(known))}"


def _letters(given: str, choices: str) -> str:
    """The choice that differs in large and small letters alone."""
    low = given.lower()
    return f" (did you mean {low}?)" if f"'{low}'" in choices else ""
