"""What of a Python program may be a secret: its texts and comments. A word of its code names a value and is none."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator

_NONE = "None"  # nobody takes it for a secret
_GIVES = ("=", ":")  # a name, a value
_STARTS, _ENDS = ("FSTRING_START", "TSTRING_START"), ("FSTRING_END", "TSTRING_END")


def texts_and_keys(source: str) -> str:
    """Return ``source`` with its texts, its comments, and the names that values are given to (``token=``,
    ``"token":``); other code is left out. The whole of it where it is not Python 3."""
    try:
        found = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source
    return "".join(_kept(found, source.splitlines(keepends=True)))


def _kept(found: list[tokenize.TokenInfo], lines: list[str]) -> Iterator[str]:
    inside = 0  # a text with expressions: since Python 3.12 these are tokens of their own
    waits = False  # a value comes, perhaps on a line of its own in brackets
    for token, following in zip(found, [*found[1:], found[-1]], strict=True):
        name = tokenize.tok_name[token.type]
        row, column = token.start
        if row <= len(lines) and not inside and not lines[row - 1][:column].strip():
            yield lines[row - 1][:column]
        if name in _STARTS:
            inside += 1
        if inside:
            yield token.string if following.start == token.end else f"{token.string} "
        else:
            yield _shown(token, is_key=following.string in _GIVES, waits=waits)
        waits = token.string in _GIVES or (waits and token.string in ("(", "\n", "\r\n"))
        if name in _ENDS:
            inside -= 1


def _shown(token: tokenize.TokenInfo, *, is_key: bool, waits: bool) -> str:
    """What is shown of a token outside of texts with expressions; ``waits``: a value comes."""
    if token.type == tokenize.NAME and not is_key:
        return f"{_NONE} "
    if token.type in (tokenize.NL, tokenize.NEWLINE):
        return "" if waits and token.type == tokenize.NL else token.string
    if token.type == tokenize.OP and token.string not in _GIVES:
        return ""
    return f"{token.string} "
