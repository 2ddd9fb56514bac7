"""Kinds that are written wrong: an API group that has a kind of nearly the same name, and none of this one."""

from __future__ import annotations

from functools import lru_cache

# Those that this program looks at; no other kind of these groups is as near to one of them.
KINDS: dict[str, tuple[str, ...]] = {
    "": ("Pod", "Service", "ServiceAccount", "Secret", "ConfigMap", "Namespace", "ReplicationController",
         "ResourceQuota", "LimitRange"),
    "apps": ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"),
    "batch": ("Job", "CronJob"),
    "networking.k8s.io": ("NetworkPolicy", "Ingress"),
    "rbac.authorization.k8s.io": ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
    "autoscaling": ("HorizontalPodAutoscaler",),
}  # fmt: skip
_ALL = frozenset(kind for kinds in KINDS.values() for kind in kinds)
_SHORT = 5  # letters; of a shorter name one wrong letter is as much as can be told


def meant(group: str, kind: str) -> str | None:
    """The kind of ``group`` that ``kind`` was to be; None where it is one itself, or is like none."""
    return _nearest(kind, KINDS.get(group, ()))


@lru_cache(maxsize=4096)
def may_be_misspelt(kind: str) -> bool:
    """Whether there is a group in which ``kind`` was to be another one."""
    return kind not in _ALL and any(meant(group, kind) for group in KINDS)


def _nearest(kind: str, known: tuple[str, ...]) -> str | None:
    if kind in known or kind.endswith("List"):
        return None
    found = [(_distance(kind.lower(), each.lower()), each) for each in known if abs(len(kind) - len(each)) <= 2]
    best = min(found, default=None)
    return best[1] if best is not None and best[0] <= (1 if len(best[1]) < _SHORT else 2) else None


def _distance(one: str, other: str) -> int:
    """How many letters have to be put in, taken out or replaced."""
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        above, row[0] = row[0], index
        for place, wanted in enumerate(other, 1):
            above, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, above + (letter != wanted))
    return row[-1]
