"""What other scanners and benchmarks call what a transform does: from a name of theirs to the transforms, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from hardener.authoring import peer_checks, registry, trivy_checks
from hardener.authoring.transform import Transform

_TRIVY = "trivy"
_CIS = re.compile(r"(?i)(?:cis[ _-]*)?(?:(eks|gke|aks)[ _-]*)?(\d+(?:\.\d+)+)\.?")


class Found(Struct, frozen=True):
    """``name`` as its scanner spells it, and the transforms that ask for the same: none where it is known that there
    are none, with ``why``. ``scanner`` is that of ``registry.peer_checks``, "trivy" or "CIS"."""

    scanner: str
    name: str
    transforms: tuple[Transform, ...]
    why: str = ""


def find(text: str) -> Found | None:
    """Return what ``text`` names; letters may be small or large, and the scanner may stand before a colon. None for a
    name that nobody knows."""
    scanner, _, name = text.rpartition(":")
    if scanner.lower() in ("", _TRIVY) and (check := trivy_checks.named(name)) in trivy_checks.CHECKS:
        return Found(_TRIVY, str(check), _transforms(trivy_checks.CHECKS[str(check)][1]))
    if scanner.lower() in ("", _TRIVY) and (check := trivy_checks.named(name)) in trivy_checks.LEFT:
        return Found(_TRIVY, str(check), (), trivy_checks.LEFT[str(check)][1])
    for peer, checks in registry.peer_checks().items():
        if scanner.lower() in ("", peer):
            for check, ids in checks.items():
                if _same(peer, check, name):
                    return Found(peer, check, _transforms(ids))
    for peer, reasons in peer_checks.left().items():
        if scanner.lower() in ("", peer):
            for check, why in reasons.items():
                if _same(peer, check, name):
                    return Found(peer, check, (), why)
    number = _CIS.fullmatch(text)
    return _benchmark((number[1] or "").upper(), number[2]) if number else None


def names() -> list[str]:
    """Return all names that ``find`` knows, but for numbers of a benchmark."""
    peers = [check for checks in registry.peer_checks().values() for check in checks]
    left = [check for checks in peer_checks.left().values() for check in checks]
    return [*peers, *left, *trivy_checks.CHECKS, *trivy_checks.LEFT]


def of(transform: Transform) -> dict[str, list[str]]:
    """Return the checks of other scanners that ask for the same as ``transform``, by scanner."""
    found: dict[str, list[str]] = {}
    for peer in transform.peers:
        scanner, _, check = peer.partition(":")
        found.setdefault(scanner, []).append(check)
    for scanner, checks in peer_checks.asked().items():
        more = [check for check, ids in checks.items() if transform.id in ids]
        if more:
            found[scanner] = list(dict.fromkeys((*found.get(scanner, ()), *more)))
    if known := trivy_checks.checks_of(transform.id):
        found[_TRIVY] = known
    return dict(sorted(found.items()))


def _same(scanner: str, check: str, name: str) -> bool:
    if scanner == "kubeaudit" and check.endswith("-"):  # how an override begins
        return name.lower().startswith(check)
    if scanner == "kubescape":  # C-0013, in some reports C0013
        return name.lower().replace("-", "") == check.lower().replace("-", "")
    return name.lower() == check.lower()


def _benchmark(product: str, number: str) -> Found | None:
    """A number of the benchmark, or of a section of it. Without a product it is that of Kubernetes."""
    wanted = f"{product} {number}".strip()
    known = {transform.id: transform.cis for transform in registry.transforms().values() if transform.cis}
    ids = [id for id, cis in known.items() if cis == wanted] or [
        id for id, cis in known.items() if cis.startswith(f"{wanted}.")
    ]
    return Found("CIS", wanted, _transforms(ids)) if ids else None


def _transforms(ids: Iterable[str]) -> tuple[Transform, ...]:
    wanted = set(ids)
    return tuple(item for id, item in registry.transforms().items() if id in wanted)
