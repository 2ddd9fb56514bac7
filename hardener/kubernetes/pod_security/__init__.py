"""The Pod Security Standards: which level a pod template reaches at a policy version, and what keeps it from the next.

Source: k8s.io/pod-security-admission, whose check ids, order and wording are kept.

What the API server would refuse to decode counts as absent: `privileged: "true"`, a list in place of a mapping, an
item of a list that is no mapping, `runAsUser: false`. A whole float is the integer that kubectl sends (`0.0` is 0).
A volume source is there if its key is not null, and of two sources, which no API server accepts, the forbidden counts.

Of what the API server fills in before it judges, only the emptyDir of a volume without a source matters to a level.
The hostPort that a hostNetwork pod gets for each port does not: such a pod fails baseline anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from msgspec import Struct

from hardener.support.data_path import Path

from . import baseline, restricted
from .pod import Run, read

Version = tuple[int, int]

LEVELS = ("privileged", "baseline", "restricted")
"""From the weakest to the strictest."""
NEWEST: Version = (1, 37)
"""The newest policy version known here; a later one is judged like it."""


class Check(Struct, frozen=True):
    """One check of the standards."""

    id: str
    """As Kubernetes names it."""
    level: str
    """"baseline" or "restricted"."""


class Violation(Struct, frozen=True):
    """What a check holds against a pod template.

    `message` is the reason and the detail (if any) of Kubernetes, joined by ": ". `paths` lead from the pod spec to
    what is wrong or missing; those that begin with "metadata" lead from the template to an annotation.
    """

    check: str
    level: str
    message: str
    paths: tuple[Path, ...]


# What each version allows beside the versions before it.
_SYSCTLS: dict[Version, tuple[str, ...]] = {
    (1, 0): (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
    ),
    (1, 27): ("net.ipv4.ip_local_reserved_ports",),
    (1, 29): (
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_fin_timeout",
    ),
    (1, 32): ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    (1, 37): ("net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"),
}
_SE_LINUX_TYPES: dict[Version, tuple[str, ...]] = {
    (1, 0): ("container_t", "container_init_t", "container_kvm_t"),
    (1, 31): ("container_engine_t",),
}


@cache
def allowed_sysctls(version: Version) -> tuple[str, ...]:
    """The kernel settings of a pod that baseline allows at `version`."""
    return tuple(name for since, names in _SYSCTLS.items() if since <= version for name in names)


@cache
def allowed_se_linux_types(version: Version) -> tuple[str, ...]:
    """The SELinux types that baseline allows at `version`."""
    return tuple(name for since, names in _SE_LINUX_TYPES.items() if since <= version for name in names)


# The revisions of each check by the first version they hold for. Violations come in the order of policy/registry.go:
# baseline's checks by id, then restricted's.
_BASELINE: dict[str, dict[Version, Run]] = {
    "appArmorProfile": {(1, 0): baseline.app_armor_profile},
    "capabilities_baseline": {(1, 0): baseline.capabilities_baseline},
    "hostNamespaces": {(1, 0): baseline.host_namespaces},
    "hostPathVolumes": {(1, 0): baseline.host_path_volumes},
    "hostPorts": {(1, 0): baseline.host_ports},
    "hostProbesAndHostLifecycle": {(1, 34): baseline.host_probes_and_host_lifecycle},
    "privileged": {(1, 0): baseline.privileged},
    "procMount": {
        (1, 0): baseline.proc_mount,
        (1, 35): restricted.not_in_user_namespace(baseline.proc_mount),
    },
    "seLinuxOptions": {
        version: baseline.se_linux_options(*allowed_se_linux_types(version)) for version in _SE_LINUX_TYPES
    },
    "seccompProfile_baseline": {
        (1, 0): baseline.seccomp_annotations,
        (1, 19): baseline.seccomp_profile_baseline,
    },
    "sysctls": {version: baseline.sysctls(*allowed_sysctls(version)) for version in _SYSCTLS},
    "windowsHostProcess": {(1, 0): baseline.windows_host_process},
}
_RESTRICTED: dict[str, dict[Version, Run]] = {
    "allowPrivilegeEscalation": {
        (1, 8): restricted.allow_privilege_escalation,
        (1, 25): restricted.not_on_windows(restricted.allow_privilege_escalation),
    },
    "capabilities_restricted": {
        (1, 22): restricted.capabilities_restricted,
        (1, 25): restricted.not_on_windows(restricted.capabilities_restricted),
    },
    "procMount_restricted": {(1, 35): baseline.proc_mount},
    "restrictedVolumes": {(1, 0): restricted.restricted_volumes},
    "runAsNonRoot": {
        (1, 0): restricted.run_as_non_root,
        (1, 35): restricted.not_in_user_namespace(restricted.run_as_non_root),
    },
    "runAsUser": {
        (1, 23): restricted.run_as_user,
        (1, 35): restricted.not_in_user_namespace(restricted.run_as_user),
    },
    "seccompProfile_restricted": {
        (1, 19): restricted.seccomp_profile_restricted,
        (1, 25): restricted.not_on_windows(restricted.seccomp_profile_restricted),
    },
}
_REVISIONS: tuple[tuple[Check, dict[Version, Run]], ...] = (
    *((Check(id, "baseline"), revisions) for id, revisions in _BASELINE.items()),
    *((Check(id, "restricted"), revisions) for id, revisions in _RESTRICTED.items()),
)
# The checks of restricted that tighten one of baseline, and stand in for it from their first version on.
_OVERRIDES = {
    "capabilities_restricted": "capabilities_baseline",
    "procMount_restricted": "procMount",
    "restrictedVolumes": "hostPathVolumes",
    "seccompProfile_restricted": "seccompProfile_baseline",
}

CHECKS: tuple[Check, ...] = tuple(check for check, _ in _REVISIONS)
"""Every check of any version, in the order in which violations are reported."""


@lru_cache(maxsize=128)
def _active(level: str, version: Version) -> tuple[tuple[Check, Run], ...]:
    """The checks of a level at a version, those of the levels below included."""
    if level not in LEVELS:
        raise ValueError(f"no level of the Pod Security Standards: {level}")
    rank, version = LEVELS.index(level), max(version, (1, 0))
    active = [
        (check, revisions[max(since)])
        for check, revisions in _REVISIONS
        if LEVELS.index(check.level) <= rank and (since := [first for first in revisions if first <= version])
    ]
    overridden = {_OVERRIDES.get(check.id) for check, _ in active}
    return tuple((check, run) for check, run in active if check.id not in overridden)


def evaluate(template: Mapping[str, Any], level: str, version: Version) -> list[Violation]:
    """What keeps `template` (a mapping with `metadata` and `spec`) from `level` at `version`, baseline's checks first.

    A check of restricted stands in for the check of baseline that it tightens. Raises ValueError for an unknown level.
    """
    pod = read(template)
    problems = ((check, run(pod)) for check, run in _active(level, version))
    return [
        Violation(check.id, check.level, ": ".join(filter(None, problem[:2])), tuple(problem.paths))
        for check, problem in problems
        if problem
    ]


def level_of(template: Mapping[str, Any], version: Version) -> str:
    """The strictest level that `template` passes at `version`, together with the levels below it."""
    pod = read(template)
    passed = LEVELS[0]
    for level in LEVELS[1:]:
        for run in _added(level, version):
            if run(pod):
                return passed
        passed = level
    return passed


@lru_cache(maxsize=128)
def _added(level: str, version: Version) -> tuple[Run, ...]:
    """The checks of a level at a version that the level below does not have: what passes there passes here, too."""
    below = LEVELS[LEVELS.index(level) - 1]
    known = {check.id for check, _ in _active(below, version)}
    return tuple(run for check, run in _active(level, version) if check.id not in known)
