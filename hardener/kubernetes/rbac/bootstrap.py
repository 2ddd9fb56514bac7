"""The roles and bindings of every cluster, and those that kubeadm adds, by what they hold.

`data/bootstrap-rbac.json` has them with source and version. A name proves nothing, nor does the label
`kubernetes.io/bootstrapping`: anybody can write both. An object is one of these where it gives nobody more than the one
of its kind, namespace and name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from hardener.kubernetes.rbac.dangerous_grants import AGGREGATION
from hardener.kubernetes.rbac.rules import ANY, Rule, rule_of
from hardener.support.shapes import mapping

_DATA = Path(__file__).parents[1] / "data" / "bootstrap-rbac.json"
_SUBJECT = ("kind", "namespace", "name")


class BootstrapRole(Struct, frozen=True):
    """A Role or ClusterRole: its ``labels``, ``rules``, and ``aggregation``, an aggregationRule as a manifest holds
    it; {} without one."""

    kind: str
    name: str
    labels: dict[str, str]
    rules: tuple[Rule, ...]
    aggregation: dict[str, Any]

    def is_like(self, value: Mapping[str, Any]) -> bool:
        """Whether the role ``value`` grants no more, and adds its rules to no more roles."""
        labels = mapping(mapping(value.get("metadata")).get("labels"))
        if any(key.startswith(AGGREGATION) and key not in self.labels for key in map(str, labels)):
            return False
        if (value.get("aggregationRule") or {}) != self.aggregation:
            return False
        return bool(self.aggregation) or _is_within(value.get("rules"), self.rules)


class BootstrapBinding(Struct, frozen=True):
    """A RoleBinding or ClusterRoleBinding: the kind and name of its ``role``, and its ``subjects``."""

    role: tuple[str, str]
    subjects: frozenset[tuple[str, ...]]

    def is_like(self, value: Mapping[str, Any]) -> bool:
        """Whether the binding ``value`` gives the same role, and to nobody else."""
        role, written = mapping(value.get("roleRef")), value.get("subjects") or []
        if (role.get("kind"), role.get("name")) != self.role or type(written) is not list:
            return False
        return all(isinstance(each, dict) and _subject(each) in self.subjects for each in written)


def is_bootstrapped(kind: str, value: Mapping[str, Any]) -> str | None:
    """Which Kubernetes has the role or binding ``value`` of ``kind``, its data included ("Kubernetes 1.36.2"); None
    where it is none of these, whatever it is called."""
    if type(value) is not dict:  # a program may add to it
        return None
    metadata = mapping(value.get("metadata"))
    found = _objects().get((kind, str(metadata.get("namespace") or ""), str(metadata.get("name") or "")))
    return found[1] if found is not None and found[0].is_like(value) else None


def bootstrap_role(kind: str, name: str) -> BootstrapRole | None:
    """The role of ``kind`` and ``name`` that every cluster has, or one of kubeadm has; None where neither has one."""
    return _roles().get((kind, name))


def bootstrap_cluster_roles() -> tuple[BootstrapRole, ...]:
    """The ClusterRoles of every cluster."""
    return tuple([role for (kind, _), role in _roles().items() if kind == "ClusterRole"])


def _is_within(rules: Any, known: tuple[Rule, ...]) -> bool:
    """Whether each of ``rules``, as a manifest holds them, is part of one of ``known``."""
    if type(rules) is not list:
        return not rules
    return all(_is_whole(each) and any(_is_part(rule_of(each), most) for most in known) for each in rules)


def _is_whole(rule: Any) -> bool:
    """Whether all that a rule says is read: lists of texts, and nothing that is filled in later."""
    if type(rule) is not dict:
        return False
    return all(type(words) is list and all(isinstance(word, str) for word in words) for words in rule.values())


def _is_part(rule: Rule, most: Rule) -> bool:
    """Whether ``rule`` allows nothing that ``most`` does not allow."""
    if most.names and not rule.names:
        return False
    pairs = (
        (rule.groups, most.groups), (rule.resources, most.resources), (rule.verbs, most.verbs), (rule.urls, most.urls),
        (rule.names if most.names else (), most.names),
    )  # fmt: skip
    return all(ANY in known or set(own) <= set(known) for own, known in pairs)


def _subject(value: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple([str(value.get(key) or "") for key in _SUBJECT])


@cache
def _objects() -> dict[tuple[str, str, str], tuple[BootstrapRole | BootstrapBinding, str]]:
    found: dict[tuple[str, str, str], tuple[BootstrapRole | BootstrapBinding, str]] = {}
    for group in json.loads(_DATA.read_text(encoding="utf-8")):
        for row in group["objects"]:
            key = (row["kind"], row.get("namespace", ""), row["name"])
            found[key] = (_binding(row) if "roleRef" in row else _role(row), f"Kubernetes {group['version']}")
    return found


@cache
def _roles() -> dict[tuple[str, str], BootstrapRole]:
    return {(key[0], key[2]): item for key, (item, _) in _objects().items() if isinstance(item, BootstrapRole)}


def _role(row: dict[str, Any]) -> BootstrapRole:
    rules = tuple(map(rule_of, row.get("rules", ())))
    return BootstrapRole(row["kind"], row["name"], row["labels"], rules, row.get("aggregationRule", {}))


def _binding(row: dict[str, Any]) -> BootstrapBinding:
    return BootstrapBinding((row["roleRef"]["kind"], row["roleRef"]["name"]), frozenset(map(_subject, row["subjects"])))
