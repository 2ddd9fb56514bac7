"""What a person does by hand before and after changes are applied to a cluster: in order, each step once."""

from __future__ import annotations

from collections.abc import Iterable

from hardener.engine.outcome import Change


def before(changes: Iterable[Change]) -> list[str]:
    """Return the steps to take before ``changes`` are applied."""
    return list(dict.fromkeys(step for change in changes for step in change.edit.requires))


def after(changes: Iterable[Change]) -> list[str]:
    """Return what a person does after ``changes`` are made, each step once."""
    return list(dict.fromkeys(step for change in changes for step in change.edit.follow_up))
