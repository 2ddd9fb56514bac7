"""What the kustomizations of the tree build: which objects are applied together, and in which namespaces."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardener.views import Object

if TYPE_CHECKING:
    from hardener.workspace import Workspace


@dataclass(slots=True)
class Builds:
    """Built by ``collect``."""

    workspace: Workspace

    def namespaces(self, item: Object) -> tuple[str | None, ...]:
        """Every namespace that ``item`` comes out in, by the kustomizations that include it; None is an unset one."""
        if item.namespace is not None:
            return (item.namespace,)
        kustomization = self.workspace.kustomizations.get(os.path.dirname(item.piece.file.path))
        named = kustomization.text("namespace") if kustomization is not None else None
        return (named or None,)

    def may_be_in(self, item: Object, namespace: str | None) -> bool:
        """Whether ``item`` can come out in ``namespace``; None is an unset one."""
        found = self.namespaces(item)
        return namespace is None or None in found or namespace in found

    def meet(self, one: Object, other: Object) -> bool:
        """Whether two objects can come out in one namespace; an unset one may be any (DECISIONS 4)."""
        a, b = self.namespaces(one), self.namespaces(other)
        return None in a or None in b or not set(a).isdisjoint(b)


def collect(workspace: Workspace) -> Builds:
    """The builds of the tree."""
    return Builds(workspace)
