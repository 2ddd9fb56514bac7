"""What may not change from one state of an object to the next, whatever both look like by themselves.

Source: k8s.io/kubernetes ValidateObjectMetaUpdate, ValidateStatefulSetUpdate, ValidateDeploymentUpdate,
ValidateJobUpdate, ValidateServiceUpdate.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from hardener.kubernetes.pods.pod_template import group, templates
from hardener.support.data_path import Path, value_at
from hardener.support.shapes import entries, mapping

from .objects import SELECTING
from .pod import containers_of
from .resources import amounts
from .violation import Violation

# ValidateStatefulSetUpdate: "updates to statefulset spec for fields other than ... are forbidden".
_STATEFUL_SET = frozenset({"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                           "persistentVolumeClaimRetentionPolicy", "minReadySeconds"})  # fmt: skip
_IDENTITY = (("kind",), ("metadata", "name"), ("metadata", "generateName"), ("metadata", "namespace"))

# What one kind is made into, in its place: another object on purpose, and the report says what becomes of the old one.
_REPLACED_BY = {
    "ConfigMap": ("ExternalSecret", "SealedSecret", "Secret"), "Secret": ("ExternalSecret", "SealedSecret"),
    "ClusterRole": ("Role",), "ClusterRoleBinding": ("RoleBinding",),
}  # fmt: skip
_SELECTORS = ("namespaceSelector", "podSelector")

# No rule below looks beneath these keys, except at numbers that go.
_NOT_COMPARED = frozenset({"containers", "initContainers", "securityContext", "volumes", "automountServiceAccountToken",
                           "hostPID", "hostIPC", "hostUsers", "dnsPolicy", "enableServiceLinks"})  # fmt: skip


def is_compared(path: Path, *, takes: bool = False) -> bool:
    """Whether an edit at ``path`` can matter here at all; ``takes``: it removes or replaces what was there.

    Spares the second parse of nearly all documents.
    """
    if _NOT_COMPARED.isdisjoint(path):
        return True
    return takes and ("resources" in path or path[-1] in ("containers", "initContainers"))


def changed_violations(before: object, after: object, accounts: Container[str] = ()) -> list[Violation]:
    """The rules that the change of one object from ``before`` to ``after`` breaks.

    ``accounts`` are the names of the service accounts that exist when its pods are admitted.
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        return []
    if after.get("kind") in _REPLACED_BY.get(str(before.get("kind")), ()):
        return []
    found = list(_identity(before, after))
    api_group, kind = group(before.get("apiVersion")), before.get("kind")
    if not isinstance(kind, str):
        return found
    if api_group in ("apps", "extensions") and kind in SELECTING:
        found += _workload(before, after)
    if api_group == "batch" and kind == "Job":
        found += _same(24, before, after, ("spec", "selector"))
    if api_group == "" and kind == "Service":
        found += _service(before, after)
    if kind == "NetworkPolicy":
        found += _peers(before, after)
    for path in templates(before):
        old, new = (mapping(value_at(document, (*path, "spec"))) for document in (before, after))
        found += _pod(old, new, (*path, "spec"), accounts)
    return found


def _identity(before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[Violation]:
    """23. An object with another kind, name or namespace is another object."""
    for path in _IDENTITY:
        yield from _same(23, before, after, path)


def _same(rule: int, before: object, after: object, path: Path) -> Iterator[Violation]:
    if value_at(before, path) != value_at(after, path):
        yield Violation(rule, path, f"{path[-1]} cannot be changed")


def _workload(before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[Violation]:
    """25, 26."""
    yield from _same(26, before, after, ("spec", "selector"))
    if before.get("kind") == "StatefulSet":
        old, new = mapping(before.get("spec")), mapping(after.get("spec"))
        for key in sorted({str(key) for key in (*old, *new)} - _STATEFUL_SET - {"selector"}):
            yield from _same(25, before, after, ("spec", key))


def _service(before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[Violation]:
    """28. An address that was given stays."""
    path = ("spec", "clusterIP")
    if value_at(before, path) and value_at(after, ("spec", "type")) != "ExternalName":
        yield from _same(28, before, after, path)


def _peers(before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[Violation]:
    """31. Both selectors in one peer mean AND, in two peers OR: neither becomes the other."""
    for direction, key in (("ingress", "from"), ("egress", "to")):
        for index, rule in entries(mapping(before.get("spec")).get(direction)):
            path: Path = ("spec", direction, index, key)
            old, new = rule.get(key), value_at(after, path)
            if not isinstance(old, list) or not isinstance(new, list) or old == new:
                continue
            gone, come = [peer for peer in old if peer not in new], [peer for peer in new if peer not in old]
            if _halved(gone, come):
                yield Violation(31, path, "a peer with both selectors became two, which lets in more")
            if _halved(come, gone):
                yield Violation(31, path, "two peers became one with both selectors, which lets in less")


def _halved(whole: list[Any], parts: list[Any]) -> bool:
    for peer in whole:
        halves = [{key: value} for key, value in mapping(peer).items() if key in _SELECTORS and value is not None]
        if len(halves) > 1 and any(half in parts for half in halves):
            return True
    return False


def _pod(old: dict[Any, Any], new: dict[Any, Any], path: Path, accounts: Container[str]) -> Iterator[Violation]:
    if old.get("hostNetwork") is True and new.get("hostNetwork") is not True:
        # 4. Under hostNetwork they were the containerPort (defaultHostNetworkPorts); now they open the node.
        for where, container, _ in containers_of(new, path):
            for index, port in entries(container.get("ports")):
                if port.get("hostPort") and port.get("hostPort") == port.get("containerPort"):
                    yield Violation(4, (*where, "ports", index, "hostPort"), "hostPort outlives hostNetwork")
    if old.get("ephemeralContainers") != new.get("ephemeralContainers"):
        yield Violation(22, (*path, "ephemeralContainers"), "ephemeralContainers cannot be changed")
    account = new.get("serviceAccountName")
    if account not in (None, "", "default", old.get("serviceAccountName"), old.get("serviceAccount")):
        if not isinstance(account, str) or account not in accounts:
            yield Violation(36, (*path, "serviceAccountName"), "the service account must exist before its pods")
    written = {str(container.get("name")): container for _, container, _ in containers_of(old, path)}
    for where, container, _ in containers_of(new, path):
        for kind in ("requests", "limits"):
            # 19. A ResourceQuota, which no manifest of the workload shows, may ask for each of them.
            numbers = amounts(written.get(str(container.get("name"))), kind)
            for name in sorted(numbers.keys() - amounts(container, kind).keys()):
                place = (*where, "resources", kind)
                yield Violation(19, place, f"the {name} of {kind} is gone, and a quota may ask for it")
