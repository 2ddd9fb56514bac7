"""Static tokens of the API server: rows ``token,user,uid,"group,group"``, of the file that --token-auth-file names.

Source: k8s.io/apiserver, pkg/authentication/token/tokenfile (NewCSV): rows of three columns or more, groups in the
fourth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hardener.kubernetes.secrets.secret_words import compiled, is_placeholder

MASTERS = "system:masters"
"""The group over which RBAC has no say."""

# A row of such a file, perhaps put aside by a #. The group `token` is what nobody may see.
_ROW = (
    r"[ \t]*+(?P<aside>#++[ \t]*+)?+\"?+(?P<token>[^,\s\"'#]{6,}+)\"?+[ \t]*+,"
    r"[ \t]*+\"?+(?P<user>[^,\n\"']++)\"?+[ \t]*+,"
    r"[ \t]*+\"?+(?P<uid>[^,\s\"']*+)\"?+[ \t]*+"
    r"(?:,[ \t]*+(?:\"(?P<groups>[^\"\n]*+)\"|(?P<group>[^,\s\"'#]++)))?[ \t]*+(?:#.*)?"
)
_HEADER = r"[ \t]*+(?:#[ \t]*+)?\"?token\"?[ \t]*,[ \t]*\"?user.*"
# The same inside other text: its groups stand in quotes, or it would be any list of four words.
_INSIDE = (
    r"(?<![^\s#\"'])(?P<token>[^,\s\"'#\[{(]{6,}),[ \t]?(?P<user>[^,\s\"'#]+),[ \t]?(?P<uid>[^,\s\"'#]+),[ \t]?"
    r"\\*\"(?P<groups>[^\"\n\\]*)\\*\""
)
_QUOTE = r",[ \t]?\\*\""
_CONTEXT = r"(?i)token[-_]auth|token,[ \t]*user|static[ -]token"

_LONGEST = 4096  # characters of a line


class Row(NamedTuple):
    """A token in a text: its 0-based line, the characters [start, end) of it, whose it is."""

    line: int
    start: int
    end: int
    user: str
    groups: tuple[str, ...]


def file_rows(text: str) -> list[Row]:
    """The rows of a file of tokens; none where a line of it is neither a row, a comment, nor the head of the table."""
    found: list[Row] = []
    start = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        content = line.rstrip("\r\n")
        if len(content) > _LONGEST:
            return []
        row = compiled(_ROW).fullmatch(content)
        if row is not None and not is_placeholder(row["token"]) and _is_sure(row["token"], row["groups"]):
            groups = _groups(row["groups"] or row["group"] or "")
            found.append(Row(number, start + row.start("token"), start + row.end("token"), row["user"].strip(), groups))
        elif content.strip() and not content.lstrip().startswith("#") and not compiled(_HEADER).fullmatch(content):
            if row is None or not is_placeholder(row["token"]):
                return []
        start += len(line)
    return found


def rows_in(text: str) -> Iterator[Row]:
    """The rows inside any other text, a comment or a script: those with groups of the system, and others where the text
    speaks of such tokens."""
    if ',"' not in text and ', "' not in text and ',\\"' not in text:
        return
    if "system:" not in text and "token" not in text.lower():
        return  # neither such a group, nor what speaks of tokens
    context: bool | None = None
    for row in _inside(text):
        groups = _groups(row["groups"])
        if not groups or is_placeholder(row["token"]):
            continue
        if not any(group.startswith("system:") for group in groups):
            context = bool(compiled(_CONTEXT).search(text)) if context is None else context
            if not context:
                continue
        yield Row(text.count("\n", 0, row.start()), row.start("token"), row.end("token"), row["user"], groups)


def _inside(text: str) -> Iterator[re.Match[str]]:
    """The matches in the lines that have the quote before groups: a long text has few of them."""
    position = 0
    while quote := compiled(_QUOTE).search(text, position):
        start, position = text.rfind("\n", 0, quote.start()) + 1, text.find("\n", quote.end())
        position = position if position >= 0 else len(text)
        if text.count(",", start, position) > 2:  # a row has three, and hardly any line
            yield from compiled(_INSIDE).finditer(text, start, position)


def _is_sure(token: str, groups: str | None) -> bool:
    """Whether a first column may be a token: a word without a digit is the head of another table."""
    return groups is not None or any(sign.isdigit() for sign in token)


def _groups(text: str) -> tuple[str, ...]:
    found = tuple(group.strip() for group in text.split(",") if group.strip())
    return found if all(compiled(r"[\w:.@/+\-]+").fullmatch(group) for group in found) else ()
