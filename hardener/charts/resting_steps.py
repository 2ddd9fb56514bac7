"""Which steps of a run rest on others: where a step is left out, these are to be left out as well."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hardener.authoring.edits import Append, Edit, Set
from hardener.charts.rendered import Key
from hardener.charts.run_steps import Step, Wanted
from hardener.support.data_path import Path

# What decides whether a container starts at all: that it must not run as root rests on the user that it was given.
_RIGHTS = frozenset(
    (
        "privileged", "runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "supplementalGroups", "capabilities",
        "sysctls", "windowsOptions",
    )
)  # fmt: skip


def resting_on(wanted: Wanted, steps: Sequence[Step], left: Collection[int]) -> dict[int, int]:
    """Those of ``steps``, by their numbers, that may rest on one of ``left``, and on which: what comes later for the
    same container, or for its pod, where both are about who it runs as and what it may do."""
    found: dict[int, int] = {}
    gone: list[tuple[Key, Path, int]] = []
    for step in sorted(steps, key=lambda step: step.number):
        scopes = [(wanted.place(edit)[0], scope) for edit in step.edits if (scope := _scope(edit)) is not None]
        on: int | None = step.number
        if step.number not in left:
            near = (number for key, scope in scopes for at, other, number in gone if key == at and _meet(scope, other))
            on = next(near, None)
            if on is not None:
                found[step.number] = on
        if on is not None:
            gone += [(key, scope, on) for key, scope in scopes]
    return found


def _scope(edit: Edit) -> Path | None:
    """Where an edit changes rights: the path of the container, or that of the pod; None where it changes none."""
    path = edit.path[1:]
    if "securityContext" not in path:
        return None
    at = path.index("securityContext")
    value = edit.value if isinstance(edit, Set | Append) else None
    names = {*map(str, path[at + 1 :]), *(value if isinstance(value, dict) else ())}
    return path[:at] if names & _RIGHTS else None


def _meet(one: Path, other: Path) -> bool:
    return one[: len(other)] == other or other[: len(one)] == one
