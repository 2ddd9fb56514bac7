"""What a session of ``harden observe`` found, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hardener.observe.session import Result
from hardener.report.wrapping import length, padded
from hardener.support.printable import plain

_MIB = 1024 * 1024
_STATES = {
    "held": ("yes", "yes"), "partly": ("yes", "in part"), "not-as-it-is": ("no", "-"), "refused": ("not run", "-"),
    "not-run": ("not run", "-"),
}  # fmt: skip


def lines_of(engine: str, seconds: int, results: list[Result], *, wrote: bool) -> Iterator[str]:
    """The report for a terminal: a table, then the reasons."""
    up = sum(result.state in ("held", "partly") for result in results)
    held = sum(result.state == "held" for result in results)
    yield (
        f"{len(results)} workload{'s' * (len(results) != 1)}, {engine}, {seconds} s each: "
        f"{up} came up as they are, {held} with every change"
    )
    yield ""
    rows: list[tuple[str, ...]] = [("WORKLOAD", "AS IT IS", "HARDENED", "DOES NOT HOLD", "WROTE TO", "MEMORY")]
    for result in results:
        as_it_is, hardened = _STATES[result.state]
        if result.state in ("held", "partly") and not result.held and not result.failed:
            hardened = "-" if result.reason else "nothing to do"
        failed = ", ".join(dict.fromkeys(failure.ids[-1] for failure in result.failed)) or "-"
        rows.append((_name(result), as_it_is, hardened, failed, _wrote(result), _memory(result)))
    yield from _table(rows)
    reasons = [line for result in results for line in _reasons(result)]
    if reasons:
        yield ""
        yield from reasons
    yield ""
    yield (
        f"What {seconds} s do not show (load, a job at night, the way down) nobody has seen. "
        + ("harden.lock holds the rest; next: harden apply PATH" if wrote else "Nothing was written.")
    )


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(length(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (padded(cell, width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _reasons(result: Result) -> Iterator[str]:
    name = _name(result)
    if result.state in ("not-as-it-is", "refused", "not-run"):
        what = {"not-as-it-is": "does not come up as it is", "refused": "cannot be run here"}.get(
            result.state, "was not run"
        )
        yield f"  {name} {what}: {plain(result.reason)}" if result.reason else f"  {name} {what}"
    for failure in result.failed:
        yield f"  {name} does not come up with {failure.ids[-1]}: {plain(failure.because)}"
    if result.state in ("held", "partly") and result.reason:
        yield f"  {name}: {plain(result.reason)}"
    for id, why in result.untried.items():
        yield f"  {name}: {id} was not tried: {plain(why)}"
    connects = sorted({each for found in result.connects.values() for each in found})
    if connects:
        yield f"  {name} connects to {plain(', '.join(connects))}"
    if any(seen.token for _, _, _, seen in result.containers):
        yield f"  {name} reads the token of its service account"


def _name(result: Result) -> str:
    return plain(f"{result.namespace}/{result.key}" if result.namespace else result.key)


def _wrote(result: Result) -> str:
    paths = sorted({path for _, _, _, seen in result.containers for path in seen.wrote})
    if not paths:
        return "-"
    more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    return plain(", ".join(paths[:2])) + more


def _memory(result: Result) -> str:
    found = [seen.memory for _, _, _, seen in result.containers if seen.memory]
    return f"{-(-sum(found) // _MIB)} Mi" if found else "-"


def as_json(engine: str, seconds: int, results: list[Result]) -> str:
    """The same as JSON."""
    return json.dumps(
        {"engine": engine, "seconds": seconds, "workloads": [_json(result) for result in results]}, indent=2
    )


def _json(result: Result) -> dict[str, Any]:
    return {
        "workload": result.key,
        "namespace": result.namespace,
        "file": result.file,
        "line": result.line,
        "state": result.state,
        "reason": result.reason,
        "runs": result.runs,
        "containers": [
            {
                "name": name,
                "image": image,
                "digest": digest,
                "user": seen.user,
                "groups": list(seen.groups),
                "wrote": sorted(seen.wrote),
                "occupied": sorted(seen.occupied),
                "listens": sorted(seen.listens),
                "capabilities": sorted(seen.capabilities),
                "memory": seen.memory,
                "token": seen.token,
                "connects": list(result.connects.get(name, ())),
            }
            for name, image, digest, seen in result.containers
        ],
        "held": result.held,
        "failed": [{"changes": list(failure.ids), "because": failure.because} for failure in result.failed],
        "notTried": result.untried,
    }
