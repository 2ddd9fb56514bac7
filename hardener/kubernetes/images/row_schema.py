"""What may stand in a row about an image: keys, types and values. Prose belongs into a comment.

Source of the capabilities: linux/include/uapi/linux/capability.h.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hardener.kubernetes.images.conditions import CONDITION
from hardener.kubernetes.images.reference import parse
from hardener.kubernetes.images.table import READ
from hardener.kubernetes.objects import quantity

CAPABILITIES = frozenset(
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE".split()
)
CLASSES = (
    "base", "broker", "cache", "ci", "container-builder", "controller", "data-store", "gateway", "gpu",
    "ingress-controller", "job", "model-server", "monitoring", "node-agent", "notebook", "web",
)  # fmt: skip
_MATCH = re.compile(
    r"([A-Za-z0-9.*-]+(:[0-9]+)?/)?[a-z0-9*][a-z0-9._/*-]*"
)  # a colon belongs to the port of a registry
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}|[0-9]{1,10}")  # without its group
_LONGEST_ID = 2**31
_LONGEST_PATTERN = 200
_LONGEST_TAG = 128
_MOST_TRIES = 200_000  # some milliseconds

_Schema = dict[str, Any]
_Test = tuple[Callable[[Any], bool], str, _Schema]  # whether a value is right, what it should be, and as JSON Schema


def is_clean_path(value: object) -> bool:
    """Whether it is an absolute path as a mount names it: no remark, no variable, no `..`, not the root itself."""
    if not isinstance(value, str) or not re.fullmatch(r"/[A-Za-z0-9._@+/-]+", value):
        return False
    return posixpath.normpath(value) == value and value != "/" and not value.startswith("//")


def _text(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _one_of(*allowed: str) -> _Test:
    quoted = " (in quotes)" if {"no", "ok"} & {*allowed} else ""
    what = f"{' or '.join(allowed)}{quoted}"
    return lambda value: isinstance(value, str) and value in allowed, what, {"enum": [*allowed]}


def _list_of(test: Callable[[Any], bool], what: str, items: _Schema) -> _Test:
    schema = {"type": "array", "minItems": 1, "items": items}
    return lambda value: isinstance(value, list) and bool(value) and all(map(test, value)), f"a list of {what}", schema


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_quick(pattern: str) -> bool:
    """Whether a regular expression surely takes little time on any tag, by how often it may try again: from each place
    of the tag, for each length of what it repeats, and for each alternative."""
    if len(pattern) > _LONGEST_PATTERN or re.search(r"\)[*+?{]|\(\?(P=|\()|\\[1-9]", pattern):
        return False
    tries = _LONGEST_TAG ** len(re.findall(r"[*+{]", pattern)) * 2 ** len(re.findall(r"(?<!\()\?", pattern))
    left, last = pattern, ""
    while left != last:
        tries *= math.prod(len(group.split("|")) for group in re.findall(r"\([^()]*\)", left))
        left, last = re.sub(r"\([^()]*\)", "", left), left
    places = 1 if left.startswith("^") and "|" not in left else _LONGEST_TAG
    return bool(tries * places <= _MOST_TRIES)


def _is_pattern(value: Any) -> bool:
    try:
        return re.compile(value) is not None
    except (re.error, OverflowError, RecursionError):
        return False


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\n" not in value


def _is_match(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and _MATCH.fullmatch(name) for name in names)


def _is_image(value: Any) -> bool:
    image = parse(value)
    return image is not None and image.repository is not None and not image.opaque


_ONE_LINE: _Schema = {"type": "string", "pattern": r"^[^\n]*\S[^\n]*$"}
_NAME: _Schema = {"type": "string", "pattern": f"^({_MATCH.pattern})$"}
_NUMBER: _Test = (
    lambda value: _is_number(value) and 0 <= value < _LONGEST_ID,
    "a number",
    {"type": "integer", "minimum": 0, "exclusiveMaximum": _LONGEST_ID},
)
# No part of a path is empty, "." or ".."
_PATHS = _list_of(
    is_clean_path, "absolute paths", {"type": "string", "pattern": r"^(/(?!\.{1,2}(/|$))[A-Za-z0-9._@+-]+)+$"}
)
_CAPABILITIES = _list_of(
    lambda value: value in CAPABILITIES, "capabilities, without CAP_", {"enum": sorted(CAPABILITIES)}
)
_SWITCH: _Test = (lambda value: isinstance(value, bool), "true or false", {"type": "boolean"})
_CONDITIONS = _list_of(
    _text(CONDITION),
    "settings: NAME=VALUE for a variable, in which * stands for any text, or an argument",
    {"type": "string", "pattern": f"^({CONDITION.pattern})$"},
)
_LINE: _Test = (_is_line, "a line of text", _ONE_LINE)

_TESTS: dict[str, _Test] = {
    "match": (
        _is_match,
        "the name of an image without its tag, a glob, or a list of these",
        {"anyOf": [_NAME, {"type": "array", "minItems": 1, "items": _NAME}]},
    ),
    "tags": (_is_pattern, "a regular expression", {"type": "string", "format": "regex", "maxLength": _LONGEST_PATTERN}),
    "behaves-as": (_is_image, "an image, with or without its tag", _ONE_LINE),
    "user": (
        _text(_USER),
        "the name of a user, or a number in quotes, without a group",
        {"type": "string", "pattern": f"^({_USER.pattern})$"},
    ),
    "uid": _NUMBER,
    "gid": _NUMBER,
    "shipped-uid": _NUMBER,
    "shipped-gid": _NUMBER,
    "any-user": _SWITCH,
    "writable": _PATHS,
    "writes-complete": _SWITCH,
    "empty": _PATHS,
    "filled": _PATHS,
    "volumes": _PATHS,
    "ports": _list_of(
        lambda value: _is_number(value) and 0 < value < 65536,
        "ports",
        {"type": "integer", "minimum": 1, "maximum": 65535},
    ),
    "file-caps": _CAPABILITIES,
    "capabilities": _CAPABILITIES,
    "rofs": _one_of("ok", "no"),
    "rofs-ok-with": _CONDITIONS,
    "tmp": _one_of("no"),
    "pvc": _one_of("ok"),
    "root": _one_of("required"),
    "root-start": _one_of("required", "copes"),
    "root-start-unless": _CONDITIONS,
    "root-start-required-with": _CONDITIONS,
    "setuid": _SWITCH,
    "seccomp": _one_of("sensitive"),
    "class": _one_of(*CLASSES),
    "runtime": _one_of("jvm", "dotnet"),
    "api": _one_of("needed", "no", "optional"),
    "api-except": _list_of(_is_line, "globs of container names", _ONE_LINE),
    "memory": (
        lambda value: isinstance(value, str) and (quantity.parse(value) or 0) > 0,
        "a quantity, such as 512Mi",
        {"type": "string", "pattern": "^[0-9.]*[1-9]"},
    ),
    "sensitive": _SWITCH,
    "source": _LINE,
    "read": _one_of(*READ),
    "verified": _LINE,
    "version-unknown": _SWITCH,
}


def row_schema() -> _Schema:
    """What a row may be, as JSON Schema: made of the same table that ``mistakes`` asks."""
    return {
        "type": "object", "required": ["match"], "additionalProperties": False,
        "properties": {key: {"description": what, **schema} for key, (_, what, schema) in _TESTS.items()},
    }  # fmt: skip


def mistakes(entry: Mapping[Any, Any]) -> Iterator[tuple[str | None, str]]:
    """What is wrong with a row as it is written: the key, None for the row itself, and what it should be."""
    if "match" not in entry:
        yield None, "match is missing: the name of an image without its tag, or a glob"
    for key, value in entry.items():
        test = _TESTS.get(key) if isinstance(key, str) else None
        if test is None:
            yield str(key), f"is no key of a row about an image: known are {', '.join(_TESTS)}"
        elif not test[0](value):
            yield str(key), f"is {test[1]}"
