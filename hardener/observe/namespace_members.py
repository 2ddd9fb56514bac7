"""Which workloads of a namespace are one application: all, or those of a folder where folders hold copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hardener.observe.application import Workload
from hardener.observe.pod_steps import Name
from hardener.observe.results import Result

_DEEPEST = 32  # folders
Member = tuple[Name, Workload, Result]


def apart(members: list[Member], depth: int = 0) -> Iterator[tuple[str, list[Member]]]:
    """The applications of one namespace, each with its folder ("" for all of the tree): one, and where two workloads
    have the same name, as copies for test and production have, one for each folder that holds a copy."""
    keys = Counter(workload.key for _, workload, _ in members)
    if max(keys.values()) == 1:
        yield "/".join(_folders(members[0])[:depth]) if depth else "", members
        return
    parts: dict[str, list[Member]] = {}
    for member in members:
        folders = _folders(member)
        parts.setdefault(folders[depth] if depth < len(folders) else "", []).append(member)
    if len(parts) > 1 or (next(iter(parts)) and depth < _DEEPEST):
        for part in parts.values():
            yield from apart(part, depth + 1)
        return
    taken: set[str] = set()
    for _, workload, result in members:
        if workload.key in taken:
            result.state, result.reason = "refused", "another workload of its folder is called the same"
        taken.add(workload.key)
    yield "/".join(_folders(members[0])[:depth]), [each for each in members if each[2].state != "refused"]


def _folders(member: Member) -> list[str]:
    return member[0][0].split("/")[:-1]
