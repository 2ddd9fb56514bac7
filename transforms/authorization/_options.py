"""Options of the transforms of rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hardener.errors import InputError

FALLBACKS = ("floor", "empty", "keep-namespaced")


@dataclass(frozen=True)
class Rbac:
    """What an administrator is left with where nothing shows what it needs.

    ``fallback``: "floor" (reading pods, Services and ConfigMaps of its namespace), "empty", or "keep-namespaced"
    (ClusterRole admin in its namespace). ``namespace-map``: "old=new,..." for accounts that the tree does not run.
    ``system-namespaces``: accounts in kube-system are changed too. ``audit-expand``: what an audit log shows is taken
    with the verbs that usually go with it (with get also list and watch). ``audit-fanout``: in more
    namespaces than this the same rights share a ClusterRole. ``prune-managed``: rules of our roles that
    an audit log does not explain go.
    """

    GROUP: ClassVar[str] = "rbac"
    fallback: str = "floor"
    namespace_map: str = ""
    system_namespaces: bool = False
    audit_expand: bool = False
    audit_fanout: int = 3
    prune_managed: bool = False

    def __post_init__(self) -> None:
        if self.fallback not in FALLBACKS:
            raise InputError(f"rbac.fallback: {self.fallback} is none of {', '.join(FALLBACKS)}")
        if any(part.count("=") != 1 for part in filter(None, self.namespace_map.split(","))):
            raise InputError(f"rbac.namespace-map: {self.namespace_map} is no list of old=new")

    def mapped(self, namespace: str | None) -> str | None:
        """Return where the account of ``namespace`` is to be."""
        names = dict(part.split("=") for part in filter(None, self.namespace_map.split(",")))
        return names.get(namespace, namespace) if namespace is not None else None
