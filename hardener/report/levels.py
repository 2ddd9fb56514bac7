"""The Pod Security level that each namespace and workload reaches, before and after the changes of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.facts.objects.pod_security_levels import Standing
from hardener.kubernetes.pod_security import LEVELS

Pair = tuple[Standing, Standing]


def by_namespace(before: list[Standing], after: list[Standing]) -> dict[str | None, list[Pair]]:
    """The standings of each pod before and after, by namespace; None holds those that name none."""
    found: dict[str | None, list[Pair]] = {}
    for pair in zip(before, after, strict=True):
        found.setdefault(pair[0].namespace, []).append(pair)
    return found


def lines(before: list[Standing], after: list[Standing]) -> Iterator[str]:
    """The levels for people: a line per namespace, one per workload, and what costs it the next level."""
    for namespace, pairs in by_namespace(before, after).items():
        now, then = (_lowest([pair[side].level for pair in pairs]) for side in (0, 1))
        yield f"{'namespace ' + namespace if namespace else 'no namespace named'}: {_change(now, then)}"
        for old, new in pairs:
            yield f"  {old.pod.object}  {_change(old.level, new.level)}"
            if new.missing:
                yield f"    {new.missing}"


def records(before: list[Standing], after: list[Standing]) -> Iterator[dict[str, Any]]:
    """The levels for programs, one record per workload and namespace."""
    for old, new in zip(before, after, strict=True):
        item = old.pod.object
        yield {
            "namespace": old.namespace, "file": item.piece.file.name, "before": old.level, "after": new.level,
            "missing": new.missing,
            "object": {
                "apiVersion": item.api_version, "kind": item.kind, "namespace": item.namespace, "name": item.name
            },
        }  # fmt: skip


def _lowest(levels: list[str]) -> str:
    return min(levels, key=LEVELS.index)


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before}, after apply {after}"
