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
    lines = [line for line in _lines(passwd) if len(line) >= 4]
    uid = _number(name or "0")
    line = next((each for each in lines if (each[0] == name if uid is None else _number(each[2]) == uid)), None)
    if line is not None:
        uid = _number(line[2])
    if uid is None:
        return None
    groups = [each for each in _lines(group) if len(each) >= 3]
    gid = _number(line[3]) if line is not None else 0
    if wanted:
        gid = _number(wanted)
        if gid is None:
            gid = next((_number(each[2]) for each in groups if each[0] == wanted), None)
    if gid is None:
        return None
    member = line[0] if line is not None else None
    more = {_number(each[2]) for each in groups if len(each) >= 4 and member in each[3].split(",")} if member else set()
    return Account(uid, gid, frozenset({gid, *(number for number in more if number is not None)}))


def _lines(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8", "replace")
    return [line.strip().split(":") for line in text.split("\n") if line.strip() and not line.startswith(("#", "+"))]


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) and int(text) <= _LARGEST else None
