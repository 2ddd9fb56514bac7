"""The page of checks of other scanners: what answers each of them, or why nothing does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hardener.authoring import other_names, peer_checks, registry, trivy_checks
from tests.pages.markdown import HEAD, code, plain, table

_TITLES = {
    "checkov": "Checkov", "kube-linter": "kube-linter", "kube-score": "kube-score", "kubeaudit": "kubeaudit",
    "kubescape": "Kubescape", "kyverno": "Kyverno", "polaris": "Polaris",
}  # fmt: skip
_HEAD = (
    "# Checks of other scanners",
    "",
    "What harden answers a check of another scanner with. A mark for a check (an annotation, a label, an exception of",
    "that scanner) waives the transforms beside it; [exceptions](../exceptions.md) shows how marks are written.",
    "`harden explain` prints the same for one check.",
    "",
)


def page() -> str:
    """The text of docs/reference/scanners.md."""
    lines = [HEAD, "", *_HEAD]
    asked, left = registry.peer_checks(), peer_checks.left()
    for scanner, title in _TITLES.items():
        answers = {check: _transforms(ids) for check, ids in asked[scanner].items()}
        answers |= {check: f"none: {plain(why)}" for check, why in left.get(scanner, {}).items()}
        rows = [(code(check), answers[check]) for check in sorted(answers, key=_order)]
        lines += [f"## {title}", "", *table(("check", "answer"), rows)]
    checks = [(code(check), plain(about), _transforms(ids)) for check, (about, ids) in trivy_checks.CHECKS.items()]
    checks += [(code(check), plain(about), f"none: {plain(why)}") for check, (about, why) in trivy_checks.LEFT.items()]
    checks.sort(key=lambda row: _order(row[0]))
    lines += ["## Trivy", "", "Marks of Trivy are not read.", "", *table(("check", "about", "answer"), checks)]
    lines += ["## CIS benchmarks", "", *table(("number", "answer"), _benchmark())]
    return "\n".join(lines).rstrip("\n") + "\n"


def _transforms(ids: Iterable[str]) -> str:
    return ", ".join(f"[`{id}`](../transforms/{id}.md)" for id in sorted(ids))


def _benchmark() -> Iterator[tuple[str, str]]:
    numbers = {item.cis for item in registry.transforms().values() if item.cis}
    for number in sorted(numbers, key=_order):
        found = other_names.find(number)
        assert found is not None
        yield number, _transforms(frozenset(item.id for item in found.transforms))


def _order(name: str) -> list[tuple[int, str]]:
    """By number where names have some."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
