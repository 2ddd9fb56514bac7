"""What of a pod may reach a container engine: names, numbers, paths and addresses as Kubernetes accepts them.

Each is an allow-list. An engine reads more into some texts than Kubernetes does (``*`` is every variable of its caller,
``host-gateway`` an address of the machine), so what a cluster would refuse is not given to one.
Sources: k8s.io/apimachinery pkg/util/validation/validation.go and pkg/apis/core/validation/validation.go of Kubernetes
1.35; CRI-O internal/config/capabilities and containerd internal/cri (names of capabilities); execve(2) (sizes).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from hardener.kubernetes.objects.object_names import is_dns_label, is_object_name
from hardener.kubernetes.pod_security import NEWEST, allowed_sysctls
from hardener.kubernetes.pods.capabilities import BASELINE, BY_BIT, DEFAULT
from hardener.observe.refusal import Refusal, at
from hardener.support.data_path import Path

Map = dict[str, Any]
MOST_OF_A_VALUE = 128 * 1024 - 1
"""Bytes of one word or variable: Linux starts no program with a longer one."""
MOST_OF_A_CONTAINER = 1024 * 1024
"""Bytes of all its words, and of all its variables."""
_LARGEST_ID = 2**31 - 1
_ALL = "ALL"
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_LONGEST_NAME, _LONGEST_PATH = 253, 4096
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
# Of one part of a path. No colon, comma, equals sign, quote or backslash: an engine takes them for the end of a path.
_PART = re.compile(r"[\w .@+%~(){}\[\]^#!$&-]+")
_OF_THE_KERNEL = frozenset(("proc", "sys", "dev"))
_SHARED_MEMORY = ["dev", "shm"]
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_SYSCTL_VALUE = re.compile(r"[0-9]{1,20}(?:[ \t,-][0-9]{1,20}){0,63}")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
PROTOCOLS = frozenset(("TCP", "UDP", "SCTP"))


def capability(name: Any) -> str | None:
    """A capability without CAP_, as runtimes of Kubernetes read ``name``: in any case, CAP_ in front at most once.
    ``ALL`` for all; None where there is none of this name."""
    text = str(name).upper() if str(name).isascii() else ""
    plain = text.removeprefix("CAP_")
    return plain if plain in BY_BIT or text == _ALL else None


def is_variable(name: Any) -> bool:
    """Whether it is the name of a variable (IsEnvVarName)."""
    text = isinstance(name, str) and len(name) <= _LONGEST_NAME
    return text and _VARIABLE.fullmatch(name) is not None and name != "." and not name.startswith("..")


def is_key(name: Any) -> bool:
    """Whether it is a key of a ConfigMap or Secret (IsConfigMapKey)."""
    text = isinstance(name, str) and len(name) <= _LONGEST_NAME
    return text and _KEY.fullmatch(name) is not None and name != "." and not name.startswith("..")


def is_id(value: Any) -> bool:
    """Whether it is the number of a user or a group (IsValidUserID)."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID


def is_user(text: str) -> bool:
    """Whether it is what an image may say of its user: a name or a number, and the same of a group behind a colon."""
    return all(_USER.fullmatch(part) and (not part.isdecimal() or is_id(int(part))) for part in text.split(":", 1))


def is_path(value: Any) -> bool:
    """Whether it is an absolute path within a container that is not its root, and none of the file systems of its
    kernel."""
    return is_folder(value) and not set(value.split("/")) <= {"", "."}


def is_folder(value: Any) -> bool:
    """Whether it is where a process may start: a path as for ``is_path``, or the root."""
    return _is_a_path(value) and value.startswith("/") and not _is_of_the_kernel(value)


def is_part(value: Any) -> bool:
    """Whether it is a path below the folder of a volume."""
    return _is_a_path(value) and not value.startswith("/")


def _is_a_path(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > _LONGEST_PATH:
        return False
    return all(part == "" or (part != ".." and _PART.fullmatch(part) is not None) for part in value.split("/"))


def _is_of_the_kernel(path: str) -> bool:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return bool(parts) and parts[0] in _OF_THE_KERNEL and parts[:2] != _SHARED_MEMORY


def is_address(value: Any) -> bool:
    """Whether it is an address of IP."""
    try:
        return isinstance(value, str) and "%" not in value and ipaddress.ip_address(value) is not None
    except ValueError:
        return False


def is_host(value: Any) -> bool:
    """Whether it is the name of a host, a DNS-1123 subdomain."""
    return isinstance(value, str) and is_object_name(value)


def is_namespace(value: Any) -> bool:
    """Whether it is the name of a namespace or a Service."""
    return isinstance(value, str) and is_dns_label(value)


def is_port(value: Any) -> bool:
    """Whether it is the number of a port."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def is_port_name(value: Any) -> bool:
    """Whether it is the name of a port: a DNS-1123 label with a letter in it."""
    return isinstance(value, str) and _PORT_NAME.fullmatch(value) is not None


def is_text(value: Any) -> bool:
    """Whether it is a text that a program can be given: without NUL, all of it UTF-8, and not too long."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        return len(value) <= MOST_OF_A_VALUE and len(value.encode("utf-8", "surrogateescape")) <= MOST_OF_A_VALUE
    except UnicodeEncodeError:
        return False


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and is_dns_label(value)


def _is_sysctl_value(value: Any) -> bool:
    return isinstance(value, str) and _SYSCTL_VALUE.fullmatch(value) is not None


def _or_none(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or value == "" or check(value)


class _Field(Struct, frozen=True):
    """A field by its ``path`` (``EACH``: every item of a list) and what ``takes`` its value; ``why`` follows the value
    that is not taken, and ``remedy`` says what to write."""

    path: tuple[str, ...]
    takes: Callable[[Any], bool]
    why: str
    remedy: str


_EACH = "*"
_SHOWN = 60  # characters of a value
_NAME = ("is no name that Kubernetes accepts", "write lower-case letters, digits and dashes")
_VARIABLES = ("is no name of a variable", "write letters, digits and . _ - and no digit in front")
_IDS = ("is no number of a user or group", f"write one of 0 to {_LARGEST_ID}")
_PATHS = (
    "is no path that an engine is given",
    "write an absolute path without .., colon, comma, quote or control character, and none in /proc, /sys or /dev",
)
_PARTS = (
    "is no path below its volume", "write a relative path without .., colon, comma, quote or control character",
)  # fmt: skip
_TEXTS = (
    "is no text that a program can be given",
    f"write UTF-8 without NUL, of at most {MOST_OF_A_VALUE} bytes",
)
_PORTS = ("is no port", "write a number of 1 to 65535, or the name of one in lower case")
_OF_POD = (
    *(_Field(("securityContext", key), _or_none(is_id), *_IDS) for key in ("runAsUser", "runAsGroup", "fsGroup")),
    _Field(("securityContext", "supplementalGroups", _EACH), is_id, *_IDS),
    _Field(
        ("securityContext", "sysctls", _EACH, "name"), lambda name: name in allowed_sysctls(NEWEST),
        "is no kernel setting that Pod Security level baseline allows",
        "remove it if the workload runs without it; otherwise it is not observed",
    ),
    _Field(
        ("securityContext", "sysctls", _EACH, "value"), _is_sysctl_value,
        "is no value of a kernel setting", "write numbers, with blanks between them",
    ),
    _Field(("hostAliases", _EACH, "ip"), is_address, "is no address of IP", "write an address, such as 10.1.2.3"),
    _Field(
        ("hostAliases", _EACH, "hostnames", _EACH), is_host,
        "is no name of a host", "write lower-case letters, digits, dashes and dots",
    ),
    _Field(("volumes", _EACH, "name"), _is_name, *_NAME),
)  # fmt: skip
_HANDLERS = (
    *((kind,) for kind in ("startupProbe", "readinessProbe", "livenessProbe")),
    ("lifecycle", "postStart"),
)
_OF_CONTAINER = (
    _Field(("name",), _or_none(_is_name), *_NAME),
    _Field(("command", _EACH), is_text, *_TEXTS),
    _Field(("args", _EACH), is_text, *_TEXTS),
    _Field(("workingDir",), _or_none(is_folder), *_PATHS),
    _Field(("env", _EACH, "name"), is_variable, *_VARIABLES),
    _Field(("env", _EACH, "value"), _or_none(is_text), *_TEXTS),
    _Field(("envFrom", _EACH, "prefix"), _or_none(is_variable), *_VARIABLES),
    _Field(("ports", _EACH, "containerPort"), _or_none(is_port), *_PORTS),
    _Field(("ports", _EACH, "name"), _or_none(is_port_name), *_PORTS),
    _Field(
        ("ports", _EACH, "protocol"), _or_none(PROTOCOLS.__contains__), "is no protocol", "write TCP, UDP or SCTP",
    ),
    _Field(("securityContext", "runAsUser"), _or_none(is_id), *_IDS),
    _Field(("securityContext", "runAsGroup"), _or_none(is_id), *_IDS),
    _Field(
        ("securityContext", "capabilities", "drop", _EACH), lambda name: capability(name) is not None,
        "is no capability", "write ALL, or a name such as NET_RAW",
    ),
    _Field(("volumeMounts", _EACH, "name"), _is_name, *_NAME),
    _Field(("volumeMounts", _EACH, "mountPath"), is_path, *_PATHS),
    _Field(("volumeMounts", _EACH, "subPath"), _or_none(is_part), *_PARTS),
    _Field(("volumeMounts", _EACH, "subPathExpr"), _or_none(is_text), *_TEXTS),
    *(_Field((*handler, "exec", "command", _EACH), is_text, *_TEXTS) for handler in _HANDLERS),
)  # fmt: skip
_ADDS = _Field(
    ("securityContext", "capabilities", "add", _EACH), lambda name: capability(name) in BASELINE,
    "is more than Pod Security level baseline allows",
    "remove it if the workload runs without it; otherwise it is not observed",
)  # fmt: skip
# As many of each as one pod may have here: each is at least one call of the engine.
_MOST: dict[tuple[str, ...], int] = {
    ("containers",): 32, ("initContainers",): 32, ("volumes",): 128, ("hostAliases",): 256,
    ("securityContext", "supplementalGroups"): 256,
}  # fmt: skip
_MOST_OF_CONTAINER: dict[tuple[str, ...], int] = {("volumeMounts",): 256, ("env",): 8192, ("ports",): 1024}


def not_accepted(pod: Map) -> Iterator[Refusal]:
    """What of a pod with the spec ``pod``, whose fields have their shapes, no engine is given."""
    yield from _too_many(pod, _MOST, ())
    yield from _wrong(pod, _OF_POD, ())
    for key in ("initContainers", "containers"):
        for number, container in enumerate(pod.get(key) or ()):
            yield from _too_many(container, _MOST_OF_CONTAINER, (key, number))
            yield from _wrong(container, _OF_CONTAINER, (key, number))
            yield from _added(container, (key, number))


def _too_many(data: Map, most: dict[tuple[str, ...], int], start: Path) -> Iterator[Refusal]:
    for keys, number in most.items():
        for path, value in _places(data, keys, start):
            if value is not None and len(value) > number:
                yield at(path, f"there are {len(value)} of them", f"at most {number} are run: leave some out")


def _wrong(data: Map, fields: tuple[_Field, ...], start: Path) -> Iterator[Refusal]:
    for field in fields:
        for path, value in _places(data, field.path, start):
            if not field.takes(value):
                yield at(path, f"{_shown(value)} {field.why}", field.remedy)


def _added(container: Map, start: Path) -> Iterator[Refusal]:
    """The capabilities that a container may not have."""
    for path, value in _places(container, _ADDS.path, start):
        if capability(value) is None:
            yield at(path, f"{_shown(value)} is no capability", "write a name such as NET_BIND_SERVICE")
        elif not _ADDS.takes(value):
            yield at(path, f"{_shown(value)} {_ADDS.why}", _ADDS.remedy)


def _places(data: Any, keys: tuple[str, ...], path: Path) -> Iterator[tuple[Path, Any]]:
    """The values at ``keys`` with their paths: None for what a map lacks, and nothing below what is not there."""
    if not keys:
        yield path, data
    elif keys[0] == _EACH:
        for number, each in enumerate(data or ()):
            yield from _places(each, keys[1:], (*path, number))
    elif isinstance(data, dict):
        yield from _places(data.get(keys[0]), keys[1:], (*path, keys[0]))


def _shown(value: Any) -> str:
    """A value that is not taken, as it is named: quoted where nothing would be seen of it, and not at length."""
    if value is None:
        return "what is not there"
    text = str(value)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return text if text.strip() == text and text.isprintable() and text else ascii(text)


RUNS_WITH = DEFAULT
"""The capabilities of a container that says nothing; no container has one that is not among them."""
