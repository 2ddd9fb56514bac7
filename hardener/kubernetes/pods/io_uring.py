"""What shows that a program asks the kernel for io_uring: its name, a flag, a variable, a line of its settings.

The default seccomp profiles refuse io_uring_setup, io_uring_enter and io_uring_register: that of containerd since 2.0
(containerd pull request 9320), that of Docker since 25.0 (moby pull request 46762). Sources of the table: the page
"Resource Consumption" of PostgreSQL 18 (io_method); the page "Docker" of TigerBeetle (it does not start without
io_uring); the reference of Seastar (--reactor-backend; Redpanda and ScyllaDB); docs.libuv.org (UV_USE_IO_URING;
Node.js); qemu(1) (aio=io_uring); fio(1) (--ioengine).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from hardener.kubernetes.pods.shell import started
from hardener.support.late_pattern import late_pattern

_PROGRAMS = frozenset({"tigerbeetle"})  # that do not start without it
# A flag, a variable or a key is about it by its value, or by its name with a value that switches it on.
_VALUES = frozenset({"io_uring", "io-uring", "iouring"})
_NAME = re.compile(r"io[-_]?uring", re.I)
_OFF = frozenset({"", "0", "false", "off", "no", "none", "disable", "disabled"})
_TURNS_OFF = late_pattern(r"(?i)(?:^|[-_.])(?:no|not|disable|disabled|without|exclude|skip)(?:[-_.]|$)")
_PART = late_pattern(r"(?<![\w.-])[\w.-]++=io[-_]?uring\b", re.I)  # within the value of a flag: file=x,aio=io_uring
_LINE = late_pattern(
    r"^[ \t]*['\"]?(?P<key>[A-Za-z][\w.-]*+)['\"]?(?:[ \t]*+[:=][ \t]*+|[ \t]++)['\"]?(?P<value>[\w-]+)['\"]?", re.M
)


def io_uring_programs(names: Iterable[str]) -> list[str]:
    """Those of the programs or images ``names`` that do not start without it."""
    return [name for name in names if name in _PROGRAMS]


def io_uring_flags(words: Sequence[str]) -> list[str]:
    """The flags of a command that ask for it, as written, and the programs of it that need it."""
    found = io_uring_programs(started(words))
    for at, word in enumerate(words):
        name, sign, value = word.partition("=")
        is_flag = word.startswith("-")
        if is_flag and not sign and at + 1 < len(words) and not words[at + 1].startswith("-"):
            value = words[at + 1]
        if is_flag and _asks(name.lstrip("-"), value if value or sign else "true"):
            found.append(word if sign or not value else f"{name} {value}")
        elif (part := _PART.search(word)) is not None and not _TURNS_OFF.search(part.group().partition("=")[0]):
            found.append(part.group())
    return list(dict.fromkeys(found))


def io_uring_variables(env: Mapping[str, str]) -> list[str]:
    """The variables that ask for it, as NAME=VALUE."""
    return [f"{name}={value}" for name, value in env.items() if _asks(name, value)]


def io_uring_settings(text: str) -> list[str]:
    """The lines of a file of settings that ask for it, as key = value."""
    if _NAME.search(text) is None:
        return []
    lines = (line for line in _LINE.finditer(text) if _asks(line["key"], line["value"]))
    return [f"{line['key']} = {line['value']}" for line in lines]


def _asks(name: str, value: str) -> bool:
    """Whether ``value`` of a flag, variable or key ``name`` asks for it."""
    if _TURNS_OFF.search(name):
        return False
    if value.strip().lower() in _VALUES:
        return True
    return _NAME.search(name) is not None and value.strip().lower() not in _OFF
