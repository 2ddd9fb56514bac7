"""Where the comments and text literals of a program stand, of which Python's own tree says little."""

from __future__ import annotations

import io
import re

STRING = re.compile(
    rb"""(?:(?<!\w)[rRbBuUfFtT]{1,2})?+(?:"""
    rb'''"""[^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*+"""|"[^"\\\r\n]*+(?:\\(?:\r\n|.)[^"\\\r\n]*+)*+"'''
    rb"""|'''[^'\\]*+(?:(?:\\.|'(?!''))[^'\\]*+)*+'''|'[^'\\\r\n]*+(?:\\(?:\r\n|.)[^'\\\r\n]*+)*+')""",
    re.S,
)
_COMMENT_OR_TEXT = re.compile(rb"#[^\r\n]*+|" + STRING.pattern, re.S)
_NEWLINE = re.compile(rb"\r\n|\n|\r")


class UnsureError(Exception):
    """Something of a program is written in a way in which it is not looked up around the tree of Python."""


def words(source: bytes) -> tuple[list[int], dict[int, int]]:
    """Where comments begin, and where the pieces of text literals begin and end."""
    comments: list[int] = []
    literals: dict[int, int] = {}
    for found in _COMMENT_OR_TEXT.finditer(source):
        start, end = found.span()
        if source.startswith(b"#", start):
            comments.append(start)
        else:
            literals[start] = end
    return comments, literals


def tokens(source: bytes) -> tuple[list[int], dict[int, int]]:
    """The same as the slow tokenizer of Python finds it. Raises UnsureError."""
    import tokenize  # late: hardly a program needs it

    lines = [0, *(found.end() for found in _NEWLINE.finditer(source))]
    first, last = (getattr(tokenize, f"FSTRING_{name}", -1) for name in ("START", "END"))
    comments: list[int] = []
    literals: dict[int, int] = {}
    open_: list[int] = []  # f-strings, where they begin

    def offset(place: tuple[int, int]) -> int:
        begin, column = lines[place[0] - 1], place[1]  # of characters, which have up to four bytes
        return begin + len(source[begin : begin + 4 * column].decode(errors="ignore")[:column].encode())

    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type == first:
                open_.append(offset(token.start))
            elif token.type == last and len(open_) == 1:
                literals[open_.pop()] = offset(token.end)
            elif token.type == last:
                open_.pop()
            elif token.type == tokenize.STRING and not open_:
                literals[offset(token.start)] = offset(token.end)
            elif token.type == tokenize.COMMENT and not open_:
                comments.append(offset(token.start))
    except (tokenize.TokenError, SyntaxError, IndexError):
        raise UnsureError from None
    return comments, literals
