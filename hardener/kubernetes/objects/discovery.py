"""Which resources an API server serves, and with which verbs.

Source of `data/discovery.json`: the discovery documents of a Kubernetes 1.36.2 API server, and for what is stable since
1.37 the paths of its published client. `since` is the release in which a resource is on without being asked for.
RBAC knows names beside them, which are no resources: they stand in this module. Sources: KEP-2862 for the sub-resources
of nodes, plugin/pkg/admission/gc for finalizers, apiserver pkg/endpoints/filters/impersonation.go, and
pkg/registry/rbac/escalation_check.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

from hardener.kubernetes.rbac.subjects import GROUP

_DATA = Path(__file__).parents[1] / "data" / "discovery.json"
_KUBELET = ("metrics", "stats", "log", "spec", "checkpoint")
_FINE_KUBELET = ("pods", "healthz", "configz")
_FINE_SINCE = (1, 33)  # KubeletFineGrainedAuthz is on

# Verbs that are asked for beside those of the resource: (group, resource) to verbs.
_SPECIAL: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "serviceaccounts"): ("impersonate",),
    (GROUP, "roles"): ("bind", "escalate"),
    (GROUP, "clusterroles"): ("bind", "escalate"),
    ("certificates.k8s.io", "clustertrustbundles"): ("attest",),
}
# What is no resource at all, but named in rules: (group, resource) to verbs.
_NAMES: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "users"): ("impersonate",),
    ("", "groups"): ("impersonate",),
    ("authentication.k8s.io", "users"): ("impersonate",),
    ("authentication.k8s.io", "groups"): ("impersonate",),
    ("authentication.k8s.io", "serviceaccounts"): ("impersonate",),
    ("authentication.k8s.io", "uids"): ("impersonate",),
    ("certificates.k8s.io", "signers"): ("approve", "sign", "attest"),
    ("custom.metrics.k8s.io", "*"): ("get", "list"),
    ("external.metrics.k8s.io", "*"): ("get", "list"),
}
# What metrics-server and its likes serve, if there is one.
_AGGREGATED = (("metrics.k8s.io", "nodes", "NodeMetrics", False), ("metrics.k8s.io", "pods", "PodMetrics", True))
RUNS_CODE = frozenset({
    "pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "pods/ephemeralcontainers", "services/proxy",
    "nodes/proxy", "serviceaccounts/token",
})  # fmt: skip
"""Sub-resources that lead into pods and accounts; whoever needs one knows its name."""


class Row(Struct, frozen=True):
    """A resource ("pods") or sub-resource ("pods/log"). ``custom``: of a definition in the tree."""

    group: str
    resource: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...]
    custom: bool = False

    @property
    def special(self) -> tuple[str, ...]:
        """Verbs that are asked for beside those of the resource."""
        return _SPECIAL.get((self.group, self.resource), ())


class Discovery:
    """The resources of a cluster of the release ``version``, and those that ``custom`` adds."""

    def __init__(self, version: tuple[int, int], custom: Iterable[Row] = ()) -> None:
        rows = [row for since, row in _read() if since is None or since <= version]
        names = [f"nodes/{part}" for part in (*_KUBELET, *(_FINE_KUBELET if version >= _FINE_SINCE else ()))]
        self._names = {("", name): ("get", "create") for name in names} | _NAMES
        rows += [Row(*names, ("get", "list")) for names in _AGGREGATED]
        self._rows = {(row.group, row.resource): row for row in (*rows, *custom)}
        self._by_group: dict[str, list[Row]] = {}
        for row in self._rows.values():
            self._by_group.setdefault(row.group, []).append(row)

    def rows(self, group: str) -> list[Row]:
        """The resources of an API group, sorted; none of an unknown one."""
        return sorted(self._by_group.get(group, ()), key=lambda row: row.resource)

    @property
    def groups_known(self) -> tuple[str, ...]:
        """Every API group, sorted."""
        return tuple(sorted(self._by_group))

    def find(self, group: str, resource: str) -> Row | None:
        """The row of a resource or sub-resource."""
        return self._rows.get((group, resource))

    def verbs(self, group: str, resource: str) -> tuple[str, ...] | None:
        """The verbs that mean something for what a rule names, special ones left out; None where it is unknown.

        What is no resource has special verbs only, and these are returned.
        """
        row = self.find(group, resource)
        if row is not None:
            return row.verbs
        parent, _, sub = resource.partition("/")
        if sub == "finalizers" and self.find(group, parent) is not None:
            return ("update",)
        if group == "authentication.k8s.io" and parent == "userextras":
            return ("impersonate",)
        return self._names.get((group, resource))

    def groups(self, resource: str) -> list[str]:
        """The API groups that have a resource of this name, sorted."""
        parent, _, sub = resource.partition("/")
        name = parent if sub == "finalizers" else resource
        return sorted(group for group, known in self._rows if known == name)

    def cluster_scoped(self, group: str, resource: str) -> bool:
        """Whether a resource is known to live in no namespace."""
        row = self.find(group, resource) or self.find(group, resource.partition("/")[0])
        return row is not None and not row.namespaced


@cache
def _read() -> tuple[tuple[tuple[int, int] | None, Row], ...]:
    return tuple(_rows(json.loads(_DATA.read_text(encoding="utf-8"))))


def _rows(entries: list[dict[str, object]]) -> Iterator[tuple[tuple[int, int] | None, Row]]:
    for entry in entries:
        since = None
        if "since" in entry:
            major, _, minor = str(entry["since"]).partition(".")
            since = int(major), int(minor)
        verbs = entry["verbs"]
        assert isinstance(verbs, list)
        yield (
            since,
            Row(
                str(entry["group"]), str(entry["resource"]), str(entry["kind"]), bool(entry["namespaced"]), tuple(verbs)
            ),
        )
