"""What a person copies: words of a command for a shell, and names in a line of YAML.

Every command that harden prints or writes gets what is not its own through ``command``. A name of a tree is anybody's:
it is one word there, or the command is not shown.
"""

from __future__ import annotations

import json
import os
import shlex

from hardener.support.late_pattern import late_pattern
from hardener.support.printable import plain

# What a program would not take for a name: an option, a file to read (az, vault; aws), an address.
_NOT_A_NAME = late_pattern(r"-|@|\w+://")
_PLAIN_SCALAR = late_pattern(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_OTHER_SCALARS = {"~", "n", "no", "null", "off", "on", "true", "false", "y", "yes"}


def command(form: str, *names: str, **paths: str) -> str:
    """``form`` with each of ``names`` in the place of a ``{}``, and each of ``paths`` in that of its ``{name}``.

    Where one of ``names`` cannot be a name, what comes out says so and is no command.
    """
    refused = next(filter(None, map(refusal, names)), None)
    if refused is not None:
        return f"(no command is shown: {refused})"
    return form.format(*map(quoted, names), **{key: quoted_path(path) for key, path in paths.items()})


def refusal(name: str) -> str | None:
    """Why ``name`` is not written into a command, in words that a terminal shows; None where it can be."""
    if plain(name) != name:
        return f'the name "{plain(name)}" holds a character that no name has'
    if _NOT_A_NAME.match(name):
        return f'the name "{name}" begins as an option, a file or an address'
    return None


def quoted(word: str) -> str:
    """``word`` as one word of a shell, of signs that every terminal shows: what would not be seen is an escape in
    ``$'...'``, which bash, zsh and ksh read. To a shell that does not, it is still one word: it holds no quote."""
    if plain(word) == word:
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def quoted_path(path: str) -> str:
    """``path`` as one word that no command takes for an option."""
    return quoted(os.path.join(os.curdir, path) if path.startswith("-") else path)


def scalar(name: str) -> str:
    """``name`` as a string within ``{...}`` of YAML, on one line."""
    if _PLAIN_SCALAR.fullmatch(name) and name.lower() not in _OTHER_SCALARS:
        return name
    return json.dumps(name)


def _escaped(sign: str) -> str:
    if sign not in "\\'#" and plain(sign) == sign:  # a runner of jobs takes ##[ for a command
        return sign
    return "".join(f"\\x{byte:02x}" for byte in sign.encode("utf-8", "surrogateescape"))
