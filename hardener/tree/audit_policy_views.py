"""Audit policies of the API server as transforms see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hardener.kubernetes.audit.order import Hidden, hidden
from hardener.kubernetes.audit.properties import BY_NAME, Violation, omitting, place, violations
from hardener.kubernetes.audit.validity import problems
from hardener.support.data_path import Path
from hardener.tree.tree import Tree
from hardener.tree.view import OpaqueError, View, literal

# What knows audit policies is imported late: hardly a tree holds one.

GROUP = "audit.k8s.io"


class AuditPolicy(View):
    """A Policy of audit.k8s.io."""

    __slots__ = ()
    type_name = "AuditPolicy"
    KINDS = frozenset({(GROUP, "Policy")})

    @property
    def version(self) -> str:
        """The version of its API: "v1"."""
        return self.object.api_version.partition("/")[2]

    def blind_spots(self, namespace: str, account: str) -> list[str]:
        """Requests of a service account that a log of this policy does not show, in words."""
        from hardener.kubernetes.audit.blind_spots import blind_spots

        return blind_spots(self.data, namespace, account)

    def problems(self) -> list[tuple[Path, str]]:
        """Where it is not valid, and why. Raises OpaqueError where a value of it is filled in later."""
        self._settled()
        return list(problems(self.data, self.tree.settings.kubernetes_version))

    @property
    def judged(self) -> bool:
        """Whether what it records can be told: it is valid. Raises OpaqueError."""
        return not self.problems()

    @property
    def length(self) -> int:
        """How many rules it has."""
        rules = self.data.get("rules")
        return len(rules) if isinstance(rules, list) else 0

    def violations(self, property: str) -> list[Violation]:
        """The requests that it does not record as the property called ``property`` wants."""
        return violations(self.data, BY_NAME[property])

    def omitting(self) -> list[Violation]:
        """The shells and tunnels of which it leaves out the start."""
        return omitting(self.data)

    def hidden(self, found: Iterable[Violation] = (), property: str = "") -> list[Hidden]:
        """Its rules that are to record bodies and come too late, once what heals ``found`` of ``property`` is in it."""
        index = place(list(found))
        return list(hidden(self.data) if index is None else hidden(self.data, BY_NAME[property].rule, index))

    def _settled(self) -> None:
        for path, text in _texts(self.data.get("rules"), ("rules",)):
            if literal(text) != text:
                raise OpaqueError(text, (*self.path[1:], *path))


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _texts(child, (*path, key))


def blind_spots(tree: Tree, namespace: str, account: str) -> list[str]:
    """Requests of a service account that an audit log cannot show, as far as the policies of ``tree`` tell."""
    found: dict[str, None] = {}
    for item in tree.of(GROUP, "Policy"):
        found.update(dict.fromkeys(AuditPolicy(item, item.path, item.data).blind_spots(namespace, account)))
    return list(found)
