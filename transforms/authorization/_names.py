"""Names and objects of new roles and bindings."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Any

from hardener.facts.access.views import Binding, Subject
from hardener.facts.kustomize.builds import Builds
from hardener.facts.kustomize.free_names import Names
from hardener.kubernetes.kubectl import in_namespace
from hardener.kubernetes.rbac.rules import Rule
from hardener.kubernetes.rbac.subjects import GROUP

VERSION = f"{GROUP}/v1"
MANAGED = {"app.kubernetes.io/managed-by": "harden"}
BASIS = "hardener.dev/basis"
_BINDING = re.compile(r"(?:^|[-.:_])(?:clusterrolebinding|rolebinding|binding|crb|rb)$", re.I)
_ADMIN = re.compile(r"(?:^|[-.:_])(?:cluster-?admin|admin)$", re.I)
_LONGEST = 230  # of a DNS subdomain, with room for an ending


def base(name: str, account: str) -> str:
    """Return what a binding is called without the words that say what it is: `app-admin-binding` is `app`.

    Where nothing is left of its name, that of its ``account``.
    """
    short = _ADMIN.sub("", _BINDING.sub("", name))
    return (short or account)[:_LONGEST].rstrip("-.")


def role(name: str, namespace: str | None, rules: Iterable[Rule], basis: str) -> dict[str, Any]:
    """Return a Role, or a ClusterRole where ``namespace`` is None."""
    return {
        "apiVersion": VERSION,
        "kind": _kind("Role", namespace),
        "metadata": _metadata(name, namespace) | {"annotations": {BASIS: basis}},
        "rules": [rule.value() for rule in rules],
    }


def binding(
    name: str, namespace: str | None, subjects: Iterable[tuple[Subject, str | None]], role_kind: str, role_name: str
) -> dict[str, Any]:
    """Return a RoleBinding, or a ClusterRoleBinding where ``namespace`` is None; ``subjects`` come with their
    namespaces."""
    return {
        "apiVersion": VERSION,
        "kind": _kind("RoleBinding", namespace),
        "metadata": _metadata(name, namespace),
        "subjects": [subject(account, space) for account, space in subjects],
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role_name},
    }


def subject(account: Subject, namespace: str | None) -> dict[str, Any]:
    """Return a service account as a subject."""
    value: dict[str, Any] = {"kind": "ServiceAccount", "name": account.name}
    return value | ({"namespace": namespace} if namespace else {})


def _kind(kind: str, namespace: str | None) -> str:
    return kind if namespace is not None else f"Cluster{kind}"


def _metadata(name: str, namespace: str | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    return metadata | {"labels": dict(MANAGED)}


def free(kind: str, name: str, beside: Binding, also: Container[str] = ()) -> str:
    """Return a name for a new object that nothing in the tree has; ``also`` are taken, too."""
    return beside.tree.ask(Names).free(kind, name, beside, also)


def delete(target: Binding) -> tuple[str, ...]:
    """Return the commands that remove what a binding was, under each name that kustomizations give it; kubectl apply
    leaves it."""
    item = target.object
    found: dict[str, None] = {}
    for each in target.tree.ask(Builds).renderings(item):
        space = (each.namespace or item.namespace) if item.kind == "RoleBinding" else None
        found[in_namespace("kubectl delete {} {}", space, item.kind.lower(), each.name_of(item))] = None
    return tuple(found)
