"""The Pod Security level that each namespace and workload reaches, before and after the changes of a run."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from hardener.facts.objects.pod_security_levels import Standing
from hardener.kubernetes.pod_security import LEVELS
from hardener.report.held_back import place

Pair = tuple[Standing, Standing]
_IS_NOTHING = re.compile(r"\s*(?:#.*|---\s*(?:#.*)?|%.*)?$").match  # a line above a document


def by_namespace(before: list[Standing], after: list[Standing]) -> dict[str | None, list[Pair]]:
    """Return the standings of each pod before and after, by namespace; None holds those that name none."""
    found: dict[str | None, list[Pair]] = {}
    for pair in zip(before, after, strict=True):
        found.setdefault(pair[0].namespace, []).append(pair)
    return found


def worst_first(before: list[Standing], after: list[Standing]) -> dict[str | None, list[Pair]]:
    """Return the same, what stays lowest before the others: a report without room for all of them shows these."""
    found = by_namespace(before, after)
    for pairs in found.values():
        pairs.sort(key=_rank)
    return dict(sorted(found.items(), key=lambda entry: _rank(entry[1][0])))


def _rank(pair: Pair) -> tuple[int, int]:
    return LEVELS.index(pair[1].level), LEVELS.index(pair[0].level)


def lines(before: list[Standing], after: list[Standing]) -> Iterator[str]:
    """Yield the levels for people: a line per namespace, one per workload, and what costs it the next level."""
    for line, _ in placed(before, after):
        yield line


def placed(before: list[Standing], after: list[Standing]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Yield the lines, each with the file and line that it names."""
    for namespace, pairs in by_namespace(before, after).items():
        yield of_namespace(namespace, pairs), []
        for old, new in pairs:
            where = place_of(old)
            yield f"  {place(*where)} {old.pod.object}  {change(old.level, new.level)}", [where]
            if new.missing:
                yield f"    {new.missing}", []


def of_namespace(namespace: str | None, pairs: list[Pair]) -> str:
    """Return the level of a namespace: that of the lowest of its workloads."""
    now, then = (min((pair[side].level for pair in pairs), key=LEVELS.index) for side in (0, 1))
    return f"{'namespace ' + namespace if namespace else 'no namespace named'}: {change(now, then)}"


def place_of(standing: Standing) -> tuple[str, int]:
    """Return the file of a workload, and the line where its document begins; 0 for an item of a list."""
    item = standing.pod.object
    piece = item.piece
    if len(item.path) > 1 or piece.text.startswith("\ufeff"):
        return piece.file.name, 0
    above = itertools.takewhile(_IS_NOTHING, piece.text.split("\n"))
    return piece.file.name, piece.line + 1 + sum(1 for _ in above)


def records(before: list[Standing], after: list[Standing]) -> Iterator[dict[str, Any]]:
    """Yield the levels for programs, one record per workload and namespace."""
    for old, new in zip(before, after, strict=True):
        item = old.pod.object
        yield {
            "namespace": old.namespace, "file": item.piece.file.name, "before": old.level, "after": new.level,
            "missing": new.missing,
            "object": {
                "apiVersion": item.api_version, "kind": item.kind, "namespace": item.namespace, "name": item.name
            },
        }  # fmt: skip


def change(before: str, after: str) -> str:
    """Return the level ``before``, and where ``harden apply`` changes it the one ``after``, for a person."""
    return before if before == after else f"{before}, after apply {after}"
