"""Who USER means, by the passwd and group files of an image, as container runtimes read them.

Source: github.com/moby/sys/user (GetExecUser): the first line that fits counts, a number needs no line, and the group
is that of the user's line, else 0. A line whose numbers are none counts for nothing here, where runtimes take 0.
"""

from __future__ import annotations

import re

from msgspec import Struct

_LARGEST = (1 << 31) - 1


class Account(Struct, frozen=True):
    """``gid`` is the first group; ``groups`` all of them."""

    uid: int
    gid: int
    groups: frozenset[int]


def resolve(user: str, passwd: bytes, group: bytes) -> Account | None:
    """The numbers of ``USER`` of a config, root for ""; None for a name that the files do not tell."""
    name, _, wanted = user.strip().partition(":")
    users, groups = _lines(passwd, 4), _lines(group, 3)
    line = _line_of(users, name or "0")
    uid = _number_of(users, name or "0")
    if wanted:
        gid = _number_of(groups, wanted)
    else:
        gid = _number(line[3]) if line is not None else 0
    if uid is None or gid is None:
        return None
    member = line[0] if line is not None else ""
    more = {_number(each[2]) for each in groups if member and member in ",".join(each[3:4]).split(",")}
    return Account(uid, gid, frozenset({gid, *(number for number in more if number is not None)}))


def _lines(content: bytes, fields: int) -> list[list[str]]:
    """Those lines of a file of accounts that have so many fields at the least."""
    text = content.decode("utf-8", "replace")
    lines = [line.strip().split(":") for line in text.split("\n") if not line.startswith(("#", "+"))]
    return [line for line in lines if len(line) >= fields]


def _line_of(lines: list[list[str]], name: str) -> list[str] | None:
    """The first with this name, or number where it is one."""
    number = _number(name)
    return next((line for line in lines if (line[0] == name if number is None else _number(line[2]) == number)), None)


def _number_of(lines: list[list[str]], name: str) -> int | None:
    number, line = _number(name), _line_of(lines, name)
    return _number(line[2]) if number is None and line is not None else number


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) and int(text) <= _LARGEST else None
