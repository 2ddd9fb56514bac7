"""Fields that Kubernetes does not know, by its version, and what was meant by them.

An API server drops such a field, and says so only where it is asked to. Custom kinds, and versions of which no table is
here, are not judged. Source of ``data/fields.json``: the OpenAPI definitions of Kubernetes 1.33 to 1.37.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path as File
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from hardener.kubernetes.objects.kind_names import distance
from hardener.support.data_path import Path

_DATA = File(__file__).parents[1] / "data" / "fields.json"
_DEEPEST = 3  # steps to the place where a field of that name is
_HIGHEST = 4  # holders around a field whose other fields are looked at
# Fields that lead to a place from which others are easily put elsewhere: all objects have the same ones.
_STEPS = frozenset(
    "spec template jobTemplate metadata containers securityContext capabilities resources valueFrom httpGet".split()
)
_LONG = 6  # letters of a name of which two may be wrong
_PROTOCOLS = frozenset({"TCP", "UDP", "SCTP"})
_OF_SECURITY = frozenset(
    "SecurityContext PodSecurityContext Capabilities SeccompProfile AppArmorProfile SELinuxOptions "
    "NetworkPolicySpec NetworkPolicyIngressRule NetworkPolicyEgressRule NetworkPolicyPeer NetworkPolicyPort IPBlock "
    "PolicyRule Role ClusterRole RoleBinding ClusterRoleBinding RoleRef Subject AggregationRule".split()
)
_SECURITY_FIELDS = frozenset(
    "securityContext hostNetwork hostPID hostIPC hostUsers automountServiceAccountToken readOnly immutable "
    "serviceAccountName runtimeClassName".split()
)

_Form = str | tuple[str, int, int]


class _Table(Struct):
    """``fields.json``: of a field or kind the form, or that with the first and last version that have it."""

    source: str
    versions: list[str]
    kinds: dict[str, _Form]
    types: dict[str, dict[str, _Form]]


class Unknown(NamedTuple):
    """A field that the ``holder``, a type, does not have: its place, the field of that holder that was ``meant``, the
    ``home`` of a field of that name ("spec.containers[]"), and the version ``since`` which, or ``until`` which, it is
    known; ``is_security``: it decides what a pod or an account may do."""

    path: Path
    holder: str
    meant: str | None = None
    home: str | None = None
    since: str | None = None
    until: str | None = None
    is_security: bool = False


class WrongProtocol(NamedTuple):
    """A protocol that is not written in capitals."""

    path: Path
    meant: str


@cache
def _table() -> _Table:
    return msgspec.json.decode(_DATA.read_bytes(), type=_Table)


def judged(document: dict[str, Any], version: tuple[int, int]) -> Iterator[Unknown | WrongProtocol]:
    """What is wrong with the names in ``document`` where it is an object of Kubernetes ``version``; nothing for a kind
    or version that the table does not have."""
    table = _table()
    written = ".".join(map(str, version))
    if written not in table.versions:
        return
    number = table.versions.index(written)
    form = table.kinds.get(f"{document.get('apiVersion')}/{document.get('kind')}")
    root = _at(form, number) if form is not None else None
    if root is not None:
        yield from _Walk(table, number).of(document, root)


def judged_pod(template: dict[str, Any], version: tuple[int, int]) -> Iterator[Unknown | WrongProtocol]:
    """The same of a pod template that stands alone."""
    written = ".".join(map(str, version))
    if written in _table().versions:
        bare = {key: value for key, value in template.items() if key in ("metadata", "spec")}
        yield from _Walk(_table(), _table().versions.index(written)).of(bare, "core.v1.PodTemplateSpec")


class _Walk:
    def __init__(self, table: _Table, number: int) -> None:
        self.table, self.number = table, number

    def of(self, document: dict[str, Any], root: str) -> Iterator[Unknown | WrongProtocol]:
        waiting: list[tuple[Path, Any, str, tuple[tuple[str, Path], ...]]] = [((), document, root, ())]
        while waiting:
            path, value, form, around = waiting.pop()
            if form[:1] in ("[", "{"):
                waiting += [((*path, key), item, form[1:], around) for key, item in _items(value, form[0])]
            elif form in self.table.types and isinstance(value, dict):
                inner = (*around, (form, path))
                for key, item in value.items():
                    found = self._field(form, key, item, path, inner)
                    if isinstance(found, str):
                        waiting.append(((*path, key), item, found, inner))
                    elif found is not None:
                        yield found

    def _field(
        self, holder: str, key: Any, value: Any, path: Path, around: tuple[tuple[str, Path], ...]
    ) -> str | Unknown | WrongProtocol | None:
        """The form of a field that is known, else what is wrong with it; None where there is nothing to say."""
        form = self.table.types[holder].get(key)
        known = _at(form, self.number) if form is not None else None
        if known is not None:
            return _protocol((*path, key), value) if key == "protocol" else known
        if not _is_name(key) or value is None:
            return None
        return self._unknown(holder, key, (*path, key), around)

    def _unknown(self, holder: str, key: str, path: Path, around: tuple[tuple[str, Path], ...]) -> Unknown:
        type_name = holder.rpartition(".")[2]
        form = self.table.types[holder].get(key)
        if isinstance(form, tuple):
            since, until = form[1] > self.number, form[2] < self.number
            return Unknown(
                path, type_name, since=self.table.versions[form[1]] if since else None,
                until=self.table.versions[form[2]] if until else None,
            )  # fmt: skip
        own = tuple(name for name, each in self.table.types[holder].items() if _at(each, self.number) is not None)
        meant = _near(key, own, 1)
        home = None if meant else self._home(key, around)
        if type_name == "LabelSelector" and not meant:
            home = _shown((*path[:-1], "matchLabels"))
        meant = meant or (_near(key, own, 2) if home is None else None)
        is_security = type_name in _OF_SECURITY or not _SECURITY_FIELDS.isdisjoint((key, meant))
        is_security = is_security or (home is not None and "securityContext" in home)
        return Unknown(path, type_name, meant, home, is_security=is_security)

    def _home(self, key: str, around: tuple[tuple[str, Path], ...]) -> str | None:
        """Where a field called ``key`` is, near the holders ``around`` it, the nearest of which come first."""
        for holder, path in reversed(around[-_HIGHEST:]):
            way = _way_to(key, holder, self.number)
            if way is not None:
                return _shown((*path, *way))
        return None


@lru_cache(maxsize=4096)
def _way_to(key: str, holder: str, number: int) -> tuple[str, ...] | None:
    """The fields that lead from a type to the nearest one with the field ``key``; () for that type itself."""
    types = _table().types
    level: list[tuple[str, tuple[str, ...]]] = [(holder, ())]
    seen = {holder}
    for _ in range(_DEEPEST):
        below: list[tuple[str, tuple[str, ...]]] = []
        for name, way in level:
            if key in types.get(name, {}) and _at(types[name][key], number) is not None:
                return way
            for field, form in types.get(name, {}).items():
                known = (_at(form, number) if field in _STEPS else None) or ""
                inner = known.lstrip("[{")
                if inner and inner not in seen:
                    seen.add(inner)
                    below.append((inner, (*way, field + "[]" * (known[0] == "["))))
        level = below
    return None


def _at(form: _Form, number: int) -> str | None:
    """A form as it is in a version; None where that has none."""
    if isinstance(form, str):
        return form
    return form[0] if form[1] <= number <= form[2] else None


def _shown(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _items(value: Any, sign: str) -> list[tuple[Any, Any]]:
    if sign == "[":
        return list(enumerate(value)) if isinstance(value, list) else []
    return list(value.items()) if isinstance(value, dict) else []


def _is_name(key: Any) -> bool:
    """Whether a key is the name of a field: no directive of a patch, and nothing that is filled in."""
    return isinstance(key, str) and bool(key) and not any(sign in key for sign in "${}%<>(")


def _protocol(path: Path, value: Any) -> WrongProtocol | None:
    if isinstance(value, str) and value not in _PROTOCOLS and value.upper() in _PROTOCOLS:
        return WrongProtocol(path, value.upper())
    return None


@lru_cache(maxsize=4096)
def _near(key: str, names: tuple[str, ...], most: int) -> str | None:
    """The one of ``names`` that differs from ``key`` in capitals, dashes or at most so many letters."""
    plain = _plain(key)
    found = [(_apart(plain, _plain(name)), name) for name in names if abs(len(name) - len(plain)) <= most + 1]
    allowed = most if len(plain) >= _LONG or most == 1 else 0
    best = min(found, default=None)
    return best[1] if best is not None and best[0] <= allowed else None


def _apart(one: str, other: str) -> int:
    """How many letters differ; two that changed places are one."""
    found = distance(one, other)
    return 1 if found == 2 and len(one) == len(other) and sorted(one) == sorted(other) else found


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
