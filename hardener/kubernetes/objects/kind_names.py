"""Kinds that are written wrong: an API group that has a kind of nearly the same name, and none of this one; a kind in
the API group or version of another.

Source of the groups, kinds and versions: the discovery documents of a Kubernetes 1.36.2 API server, and k8s.io/api for
internal.apiserver.k8s.io, which is off unless it is asked for.
"""

from __future__ import annotations

from functools import lru_cache

from hardener.kubernetes.objects.removed_apis import removed

# Those that this program looks at; no other kind of these groups is as near to one of them.
KINDS: dict[str, tuple[str, ...]] = {
    "": ("Pod", "Service", "ServiceAccount", "Secret", "ConfigMap", "Namespace", "ReplicationController",
         "ResourceQuota", "LimitRange", "PersistentVolume"),
    "apps": ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"),
    "batch": ("Job", "CronJob"),
    "networking.k8s.io": ("NetworkPolicy", "Ingress"),
    "rbac.authorization.k8s.io": ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
    "autoscaling": ("HorizontalPodAutoscaler",),
}  # fmt: skip
# The API versions that are served of them, the best one first (what was served before: ``removed_apis``).
_VERSIONS = {group: ("v2", "v1") if group == "autoscaling" else ("v1",) for group in KINDS}
_HOME = {kind: group for group, kinds in KINDS.items() for kind in kinds}
_BY_LETTERS = {kind.lower(): kind for kind in _HOME}
# The other groups of Kubernetes itself with a dot in their names; any other name with one may be that of a definition,
# which needs one (apiextensions v1, CustomResourceDefinitionSpec.group).
_OTHER_GROUPS = frozenset({
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io",
    "authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
    "flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "node.k8s.io", "resource.k8s.io",
    "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
})  # fmt: skip
_ALL = frozenset(kind for kinds in KINDS.values() for kind in kinds)
_SHORT = 5  # letters; of a shorter name one wrong letter is as much as can be told


def meant(group: str, kind: str) -> str | None:
    """The kind of ``group`` that ``kind`` was to be; None where it is one itself, or is like none."""
    return _nearest(kind, KINDS.get(group, ()))


def as_spelt(kind: str) -> str:
    """``kind`` with the capitals that it has, whatever those are that are written."""
    return _BY_LETTERS.get(kind.lower(), kind)


def served_as(api_version: str, kind: str) -> str | None:
    """The API version of ``kind`` where ``api_version``, one of Kubernetes itself, has none of it; None where it is
    right, was right once, or may be that of a definition."""
    home = _HOME.get(as_spelt(kind))
    own, _, version = api_version.rpartition("/")
    if home is None or ("." in own and own not in KINDS and own not in _OTHER_GROUPS):
        return None
    versions = _VERSIONS[home]
    if own == home and (version in versions or home == "rbac.authorization.k8s.io"):  # rbac-api-version says it of that
        return None
    if removed(api_version, kind) is not None:
        return None
    return f"{home}/{versions[0]}" if home else versions[0]


@lru_cache(maxsize=4096)
def may_be_misspelt(kind: str) -> bool:
    """Whether there is a group in which ``kind`` was to be another one."""
    return kind not in _ALL and any(meant(group, kind) for group in KINDS)


def _nearest(kind: str, known: tuple[str, ...]) -> str | None:
    if kind in known or kind.endswith("List"):
        return None
    found = [(distance(kind.lower(), each.lower()), each) for each in known if abs(len(kind) - len(each)) <= 2]
    best = min(found, default=None)
    return best[1] if best is not None and best[0] <= (1 if len(best[1]) < _SHORT else 2) else None


def distance(one: str, other: str) -> int:
    """How many letters have to be put in, taken out or replaced, or pairs of neighbours swapped ("Pdo")."""
    before, row = [0], list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        above, before, row = before, row, [index, *row[1:]]
        for place, wanted in enumerate(other, 1):
            row[place] = min(before[place] + 1, row[place - 1] + 1, before[place - 1] + (letter != wanted))
            if index > 1 and place > 1 and one[index - 2 : index] == wanted + other[place - 2]:
                row[place] = min(row[place], above[place - 2] + 1)
    return row[-1]
