"""K04: patterns of Kyverno that look at every container, and ask for no field that may be left out."""

from __future__ import annotations

from typing import Any

from hardener.authoring.edits import Basis, Evidence, Severity
from hardener.authoring.transform import Steps, transform
from hardener.authoring.verdict import Effect, verdict
from hardener.facts.access.admission import KyvernoPolicy
from hardener.kubernetes.policies.kyverno import nonroot_patterns, privileged_pattern
from hardener.support.data_path import Path

_LISTS = ("containers", "initContainers", "ephemeralContainers")


@transform(each=KyvernoPolicy, stage="policy", severity=Severity.HIGH, pss="restricted", cis="5.2.1")
def kyverno_pattern_anchors(policy: KyvernoPolicy) -> Steps:
    """Extend the Kyverno pattern to all containers.

    Problem: the Kyverno rule skips some containers, or pods that leave a field out.

    Result: The rule covers all kinds of containers, and pods that leave a field out.

    Why: a plain key of a pattern must exist, so a pod that leaves out `privileged` is refused, while init containers
    and containers of kubectl debug are not checked; a container can override a setting of its pod.

    May break: the rule applies to init and ephemeral containers, too.
    """
    for index, rule in enumerate(policy.items("spec", "rules")):
        path = ("spec", "rules", index, "validate")
        pattern = policy.pattern(index)
        plain = _plain(pattern)
        if plain is None or rule.has("validate", "anyPattern"):
            continue
        if _only_privileged(plain) and pattern != privileged_pattern():
            why = _of_privileged(policy, pattern, path)
            found = verdict(why=why, effect=Effect.WATCHED, basis=Basis.PROVED)
            yield [policy.set(*path, "pattern", "spec", to=privileged_pattern()["spec"], **found.words)]
        elif plain == {"spec": {"securityContext": {"runAsNonRoot": "true"}}}:
            why = [
                policy.fact("a container with runAsNonRoot: false is not checked", *path, "pattern"),
                Evidence("a pod is refused if only its containers set runAsNonRoot: true"),
            ]
            found = verdict(why=why, effect=Effect.WATCHED, basis=Basis.PROVED)
            yield [
                policy.drop(*path, "pattern", **found.words),
                policy.set(*path, "anyPattern", to=nonroot_patterns(), **found.words),
            ]


def _of_privileged(policy: KyvernoPolicy, pattern: Any, path: Path) -> list[Evidence]:
    spec = pattern["spec"]
    found = []
    unseen = [name for name in _LISTS[1:] if name not in spec and f"=({name})" not in spec]
    if unseen:
        found.append(policy.fact(f"{' and '.join(unseen)} are not checked", *path, "pattern"))
    if "=(privileged)" not in str(spec):
        found.append(policy.fact("a pod that leaves privileged out is refused", *path, "pattern"))
    return found or [policy.fact("the pattern requires a list that a pod may leave out", *path, "pattern")]


def _only_privileged(plain: Any) -> bool:
    """Whether a pattern asks for nothing but containers that are not privileged."""
    spec = plain.get("spec") if isinstance(plain, dict) and len(plain) == 1 else None
    wanted = [{"securityContext": {"privileged": "false"}}]
    return (
        isinstance(spec, dict)
        and "containers" in spec
        and all(name in _LISTS and value == wanted for name, value in spec.items())
    )


def _plain(pattern: Any) -> Any:
    """A pattern without the marks of what may be left out, values as text; None where it has other marks."""
    if isinstance(pattern, dict):
        found = {}
        for key, value in pattern.items():
            name = key[2:-1] if key.startswith("=(") and key.endswith(")") else key
            below = _plain(value)
            if "(" in name or below is None:
                return None
            found[name] = below
        return found
    if isinstance(pattern, list):
        items = [_plain(item) for item in pattern]
        return None if None in items else items
    return str(pattern).lower() if isinstance(pattern, bool) else pattern
