"""Files that hold commands beside scripts of a shell with an ending of theirs: rules of make, pipelines of Jenkins,
instructions that build an image."""

from __future__ import annotations

import os

_NAMES = frozenset({"makefile", "gnumakefile", "justfile", ".justfile", "jenkinsfile"})
PACKAGE = "package.json"
"""Whose scripts npm runs."""
_ENDINGS = (".bash", ".bat", ".cmd", ".fish", ".groovy", ".jenkinsfile", ".ksh", ".mk", ".ps1", ".zsh")
_SHELLS = (b"sh", b"python")
_HEAD = 200  # bytes, of the line that names a program


def holds_commands(path: str) -> bool:
    """Whether the file ``path`` holds commands by its name; one without an ending does by its first line."""
    name = os.path.basename(path).lower()
    if name in _NAMES or name.endswith(_ENDINGS) or is_of_image(path):
        return True
    return "." not in name and _starts_a_shell(path)


def is_of_image(path: str) -> bool:
    """Whether the file ``path`` says how an image is built, by its name."""
    name = os.path.basename(path).lower()
    return name.startswith(("dockerfile", "containerfile")) or name.endswith((".dockerfile", ".containerfile"))


def _starts_a_shell(path: str) -> bool:
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    line = head.partition(b"\n")[0]
    return line.startswith(b"#!") and any(shell in line for shell in _SHELLS)
