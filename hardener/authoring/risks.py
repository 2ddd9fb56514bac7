"""The OWASP Kubernetes Top Ten, 2025 edition, with the number each risk has in the 2022 edition."""

from __future__ import annotations

import re

from msgspec import Struct

from hardener.errors import InputError


class Risk(Struct, frozen=True):
    """One risk: its 2025 number and title, its 2022 number (None where that list has no such entry), its folder.

    ``searched`` are the views that its transforms look through, though few of their objects have to do with it: any
    container may run a dashboard (K07), and a tree of containers is none of cluster components for that.
    """

    id: str
    title: str
    id_2022: str | None
    folder: str
    searched: frozenset[str] = frozenset()


RISKS = {
    risk.id: risk
    for risk in (
        Risk("K01", "Insecure Workload Configurations", "K01", "workload"),
        Risk("K02", "Overly Permissive Authorization Configurations", "K03", "authorization"),
        Risk("K03", "Secrets Management Failures", "K08", "secrets"),
        Risk("K04", "Lack Of Cluster Level Policy Enforcement", "K04", "policy", frozenset({"Script"})),
        Risk("K05", "Missing Network Segmentation Controls", "K07", "network"),
        Risk("K06", "Overly Exposed Kubernetes Components", "K09", "exposure", frozenset({"ConfigMap"})),
        Risk(
            "K07",
            "Misconfigured And Vulnerable Cluster Components",
            "K09",
            "components",
            frozenset({"ConfigMap", "Container", "Script"}),
        ),
        Risk(
            "K08",
            "Cluster To Cloud Lateral Movement",
            None,
            "cloud",
            frozenset({"ConfigMap", "PodTemplate", "ServiceAccount"}),
        ),
        Risk("K09", "Broken Authentication Mechanisms", "K06", "authentication"),
        Risk(
            "K10",
            "Inadequate Logging And Monitoring",
            "K05",
            "logging",
            frozenset({"Container", "Namespace", "Script"}),
        ),
    )
}
_LIKE_A_RISK = re.compile(r"[kK][oO0]{0,9}([0-9]{1,9})")
BY_FOLDER = {risk.folder: risk for risk in RISKS.values()}


def risk_called(name: str) -> str:
    """Return the id of the risk ``name``, whatever its letters' case. Raises InputError, with the nearest, for none."""
    if name.upper() in RISKS:
        return name.upper()
    number = _LIKE_A_RISK.fullmatch(name)
    near = f"K{int(number[1]):02}" if number else ""
    meant = f" (did you mean {near}?)" if near in RISKS else ""
    raise InputError(f"unknown risk {name}{meant}; there are {min(RISKS)} to {max(RISKS)}")


def is_like_a_risk(name: str) -> bool:
    """Tell whether ``name`` is written as risks are: K05, k5, KO5."""
    return _LIKE_A_RISK.fullmatch(name) is not None
