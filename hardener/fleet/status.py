"""``harden fleet status``: how far the last run of a fleet is, and which repositories failed."""

from __future__ import annotations

from collections import Counter

from hardener.fleet import store
from hardener.support.printable import plain_line


def status(path: str) -> int:
    """Print what the file ``path`` holds of the last run. Returns 0, or 1 where the run has not ended or a repository
    failed. Raises InputError for a file that is none of a fleet."""
    with store.reading(path) as connection:
        runs = connection.execute("SELECT id, started, finished, harden, profile FROM run ORDER BY id DESC").fetchall()
        if not runs:
            print("no run yet")
            return 1
        number, started, finished, harden, profile = runs[0]
        found = connection.execute(
            "SELECT address, state, reason FROM repository LEFT JOIN result ON repository = id AND run = ? "
            "ORDER BY address",
            (number,),
        ).fetchall()
        rows = store.number_of_rows(connection, number)
    states = Counter(state for _, state, _ in found)
    until = f"ended {finished}" if finished else "has not ended: run the same command to go on"
    print(f"run {number} of {len(runs)}: began {started}, {until}")
    print(plain_line(f"harden {harden}, profile {profile}"))
    print(f"{states['done']:,} done, {states['failed']:,} failed, {states[None]:,} without a result; {rows:,} rows")
    for address, state, reason in found:
        if state == "failed":
            print(plain_line(f"failed: {address}: {reason}"))
    return 0 if finished and not states["failed"] else 1
