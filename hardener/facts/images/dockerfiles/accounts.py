"""Users and groups that commands make (`useradd`, `adduser`, `groupadd`, `addgroup`, lines of `/etc/passwd`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

_NUMBER = re.compile(r"[0-9]{1,10}")
_LINE = re.compile(
    r"(?<![a-z0-9_.-])(?P<name>[a-z_][a-z0-9_.-]{0,63}):[^:\s]{0,64}:(?P<id>[0-9]{1,10}):(?P<group>[0-9]{0,10})"
    r"[^\n\"']{0,400}[\"']?[ \t]{0,4}>>?[ \t]{0,4}/etc/(?P<table>passwd|group)\b"
)
# Options that take a value. shadow-utils: useradd(8), groupadd(8), usermod(8).
_SHADOW = frozenset("bcdefgGkKpPRsu")
# BusyBox: adduser and addgroup; there `-g` is the text about a person.
_BUSYBOX = frozenset("hgsGuk")
_MAKERS = frozenset({"useradd", "adduser", "usermod", "groupadd", "addgroup", "groupmod"})
_LONG_WITHOUT = frozenset(
    {"create-home", "no-create-home", "system", "no-user-group", "user-group", "non-unique", "no-log-init", "group"}
    | {"disabled-password", "disabled-login", "force-badname", "allow-badname", "allow-bad-names", "quiet", "force"}
    | {"badname", "debug", "verbose"}
)


class Account(Struct, frozen=True):
    """A user, or a group (`is_group`), with its number where one is said.

    - `group`: the group of a user, by name or number. `home`: the folder that is made for it, which it owns.
    """

    name: str
    number: int | None = None
    is_group: bool = False
    group: str | None = None
    home: str | None = None


def number(text: str | None) -> int | None:
    """The number of a user or a group that ``text`` is, None for a name."""
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def written(text: str) -> Iterator[Account]:
    """The accounts that a script adds to `/etc/passwd` and `/etc/group` by itself."""
    if "/etc/passwd" in text or "/etc/group" in text:
        for match in _LINE.finditer(text):
            is_group = match["table"] == "group"
            yield Account(match["name"], int(match["id"]), is_group, None if is_group else match["group"] or None)


def made(program: str, arguments: Sequence[str]) -> Account | None:
    """The account that one command makes or changes."""
    is_busybox = program in ("adduser", "addgroup")
    is_of_group = program in ("groupadd", "addgroup", "groupmod")
    if program not in _MAKERS:
        return None
    options, operands = _read(arguments, _BUSYBOX if is_busybox else _SHADOW)
    if not operands or "$" in operands[-1]:
        return None
    if is_busybox and len(operands) > 1:
        return None  # `addgroup USER GROUP` puts a user into a group
    name = operands[-1]
    if is_of_group or "group" in options:
        return Account(name, number(_first(options, "gid", "g")), is_group=True)
    uid = number(_first(options, "uid", "u"))
    if is_busybox:
        has_home = "H" not in options and "no-create-home" not in options
        group, home = _first(options, "ingroup", "gid", "G"), _first(options, "home", "h")
    else:
        has_home = program == "useradd" and not options.keys().isdisjoint(("m", "create-home"))
        group, home = _first(options, "gid", "g"), _first(options, "home-dir", "home", "d")
    return Account(name, uid, group=group, home=(home or f"/home/{name}") if has_home else None)


def _first(options: Mapping[str, str], *names: str) -> str | None:
    """The value of the first of ``names`` that has one."""
    return next(filter(None, map(options.get, names)), None)


def _read(arguments: Sequence[str], with_value: frozenset[str]) -> tuple[Mapping[str, str], list[str]]:
    """Options with their values ("" for one without), and operands."""
    options: dict[str, str] = {}
    operands: list[str] = []
    waiting: str | None = None
    for word in arguments:
        if waiting is not None:
            options[waiting], waiting = word, None
        elif word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            options[name] = value
            waiting = name if not equals and name not in _LONG_WITHOUT else None
        elif word.startswith("-") and len(word) > 1:
            for index, letter in enumerate(word[1:], 2):
                options[letter] = word[index:] if letter in with_value else ""
                if letter in with_value:
                    waiting = None if word[index:] else letter
                    break
        else:
            operands.append(word)
    return options, operands
