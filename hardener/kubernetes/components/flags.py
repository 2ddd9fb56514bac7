"""The flags of cluster components and the rules about them, from `data/component-flags.yaml`, which explains them.

The table is read when a tree holds a component; most hold none.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from hardener.kubernetes.components.flag_values import entries, seconds
from hardener.sources.yaml import parse

_DATA = Path(__file__).parents[1] / "data" / "component-flags.yaml"
_STARTED_BY_ITSELF = ("static-pod", "hosted", "file")


class Flag(Struct, frozen=True):
    """What a flag is. ``type`` is bool, int, list or text; ``field`` and ``kops`` are where files keep it."""

    type: str = "text"
    default: str | None = None
    kubeadm: str | None = None
    file: str | None = None
    field: str | None = None
    kops: str | None = None

    def assumed(self, installer: str) -> str | None:
        """What holds without the flag when ``installer`` starts the component; None where nobody knows."""
        if installer == "file":
            return self.file
        if installer in ("kubeadm", "cluster-api"):
            return self.kubeadm if self.kubeadm is not None else self.default
        return self.default if installer in _STARTED_BY_ITSELF else None

    def typed(self, text: str) -> Any:
        """``text`` as the value of a field of this type."""
        if self.type == "bool":
            return text == "true"
        if self.type == "int":
            return int(text)
        return text.split(",") if self.type == "list" else text


class Rule(Struct, frozen=True):
    """A row of the table, the keys of which are its fields."""

    id: str
    components: tuple[str, ...]
    flag: str
    equals: tuple[str, ...] = ()
    differs: str | None = None
    present: bool = False
    absent: bool = False
    above: float | None = None
    starts: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    lacks: str | None = None
    gate: str | None = None
    to: str | None = None
    remove: bool = False
    without: bool = False
    rename: str | None = None
    grade: str = "review"
    since: tuple[int, int] | None = None
    unset: bool = True
    only: str | None = None
    unless: tuple[str, ...] = ()
    why: str | None = None
    message: str = ""
    advice: str = ""
    severity: str = "medium"

    def is_broken(self, written: str | None, assumed: str | None) -> bool:
        """Whether the rule speaks against a flag that is ``written`` so, or is not and ``assumed`` to be so."""
        value = written or (assumed if self.unset else None)
        if self.absent:
            return not value
        if self.present:
            return bool(written)
        return value is not None and (self._is_against(value) or self._is_against_entries(entries(value)))

    def _is_against(self, value: str) -> bool:
        """Whether it speaks against ``value`` as a whole."""
        if self.differs is not None and value != self.differs:
            return True
        if self.above is not None and (seconds(value) or 0) > self.above:
            return True
        return value in self.equals

    def _is_against_entries(self, entries: Collection[str]) -> bool:
        """Whether it speaks against one of the ``entries`` of a value, or against what they lack."""
        if self.starts and any(entry.startswith(self.starts) for entry in entries):
            return True
        if self.lacks is not None and self.lacks not in entries:
            return True
        return self.gate in entries or any(name in entries for name in self.holds)


def flag(component: str, name: str) -> Flag:
    """What is known of a flag; a plain Flag for one that the table does not name."""
    return _table()[0].get(component, {}).get(name, _UNKNOWN)


def flags(component: str) -> dict[str, Flag]:
    """The flags of ``component`` that the table names."""
    return _table()[0].get(component, {})


def rules(id: str) -> tuple[Rule, ...]:
    """The rules of the transform ``id``, in the order of the table."""
    return _table()[1].get(id, ())


_UNKNOWN = Flag()


@cache
def _table() -> tuple[dict[str, dict[str, Flag]], dict[str, tuple[Rule, ...]]]:
    document = parse(_DATA.read_text(encoding="utf-8")).documents[0]
    known = {
        component: {name: Flag(**facts) for name, facts in named.items()}
        for component, named in document["flags"].items()
    }
    found: dict[str, tuple[Rule, ...]] = {}
    for row in document["rules"]:
        rule = _rule(row)
        found[rule.id] = (*found.get(rule.id, ()), rule)
    return known, found


def _rule(row: dict[str, Any]) -> Rule:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    if "since" in values:
        major, _, minor = values["since"].partition(".")
        values["since"] = (int(major), int(minor))
    return Rule(**values)
