"""Components of a cluster, and how the values of their flags are read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hardener.kubernetes.pods.shell import SHELLS, Command, commands, runs

COMPONENTS = frozenset({"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "etcd"})
CONTROL_PLANE = frozenset({"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"})
"""Those that may also run as an ordinary workload, for another cluster."""

_ALL_IN_ONE = "hyperkube"
NAMES = (*sorted(COMPONENTS), _ALL_IN_ONE)
"""What stands in every text that starts one of them."""
_DURATION = r"(\d{1,20}(?:\.\d{1,20})?)(ms|us|ns|h|m|s)"
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_TLS = ("VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13")
_VERSION = r"v?(\d+)\.(\d+)(?:\.\d+)?(?:[-+].*)?\Z"


def started(command: Sequence[str]) -> str | None:
    """The component that a command starts by itself, whose flags are the words behind it; None for anything else."""
    name = _last(command[0]) if command else ""
    if name == _ALL_IN_ONE and len(command) > 1:
        name = command[1] if command[1] in COMPONENTS else f"kube-{command[1]}"
    return name if name in COMPONENTS else None


def called(command: Sequence[str], args: Sequence[str]) -> str | None:
    """The component that is started through a shell, a wrapper or the entry point of an image; None where none is.

    Its name counts where a command stands, with a flag behind it: as a word for another program it says nothing.
    """
    if not command:
        return started(args)
    words = [*command, *args]
    if not any(name in word for word in words for name in COMPONENTS):
        return None

    # Images have wrappers in their root folder, too. What is no shell gets its words one by one.
    plain = [_last(word) if word.startswith("/") and len(word.split()) == 1 else word for word in words]
    for program, rest in runs([Command(plain)]):
        inside = runs(commands([program, *rest])) if program in SHELLS else [(program, rest)]
        for name, flags in inside:
            if _last(name) in COMPONENTS and flags and flags[0].startswith("-"):
                return _last(name)
    return None


def _last(path: str) -> str:
    return path.rpartition("/")[2]


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


# Sources: CIS 4.2.12, crypto/tls.CipherSuites of Go.
GOOD_SUITES = tuple(
    f"TLS_ECDHE_{key}_WITH_{cipher}"
    for cipher in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")
    for key in ("ECDSA", "RSA")
)
"""With forward secrecy and authenticated encryption; HTTP/2 needs the first two."""

_OLD_NAMES = ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305")


def is_weak(suite: str) -> bool:
    """Whether a suite lacks forward secrecy or authenticated encryption; those of TLS 1.3 never do."""
    return suite not in GOOD_SUITES and suite not in _OLD_NAMES and suite.startswith("TLS_") and "_WITH_" in suite
