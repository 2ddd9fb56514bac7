"""Components of a cluster, and how the values of their flags are read."""

from __future__ import annotations

import re

COMPONENTS = frozenset({"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "etcd"})
_DURATION = r"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)"
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_TLS = ("VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13")
_VERSION = r"v?(\d+)\.(\d+)(?:\.\d+)?(?:[-+].*)?\Z"


def entries(value: str | None) -> list[str]:
    """The entries of a list that is written with commas."""
    return [item.strip() for item in (value or "").split(",") if item.strip()]


def seconds(value: str) -> float | None:
    """A duration of Go in seconds; None where it is none. A bare number counts as seconds."""
    if value.isdigit():
        return float(value)
    found = re.findall(_DURATION, value)
    if not found or "".join(number + unit for number, unit in found) != value:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in found)


def tls_older(value: str | None, wanted: str) -> bool:
    """Whether ``value`` names an older version of TLS than ``wanted``; what is no version does not."""
    return value in _TLS and _TLS.index(value) < _TLS.index(wanted)


def parsed_version(text: str | None) -> tuple[int, int] | None:
    """Major and minor number of ``v1.34.1``; None where it is no version of Kubernetes."""
    match = re.match(_VERSION, text) if text else None
    return (int(match[1]), int(match[2])) if match and match[1] == "1" else None
