"""Words of a command that a person copies into a shell."""

from __future__ import annotations

import os
import shlex

from hardener.support.printable import plain


def quoted(word: str) -> str:
    """``word`` as one word of a shell, of signs that every terminal shows: what would not be seen is an escape in
    ``$'...'``, which bash, zsh and ksh read."""
    if plain(word) == word:
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def quoted_path(path: str) -> str:
    """``path`` as one word that no command takes for an option."""
    return quoted(os.path.join(os.curdir, path) if path.startswith("-") else path)


def _escaped(sign: str) -> str:
    if sign in "\\'":
        return "\\" + sign
    if sign != "#" and plain(sign) == sign:  # a runner of jobs takes ##[ for a command
        return sign
    return "".join(f"\\x{byte:02x}" for byte in sign.encode("utf-8", "surrogateescape"))
