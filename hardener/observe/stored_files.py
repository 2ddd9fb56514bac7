"""What containers store for an exercise: looked at when that is over, as they are and with changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from hardener.observe.agent_client import AgentClient
from hardener.observe.container_activity import Activity
from hardener.observe.differences import unstored
from hardener.observe.running_container import RunningContainer

# Seconds: mail, for example, is delivered after it was taken. With changes it may take longer.
_AS_IT_IS, _WITH_CHANGES = 2.0, 8.0
_BETWEEN = 1.0  # two looks; a container is as old as the clock says, give or take that


def note(agent: AgentClient, container: RunningContainer, places: Iterable[str]) -> None:
    """Take in the files that ``container`` changed in ``places``, with their sizes."""
    if container.pid:
        age = time.monotonic() - container.began + _BETWEEN
        container.seen.stored = agent("stored", container.pid, sorted(places), age)


def wait(
    agent: AgentClient,
    running: Sequence[RunningContainer],
    before: Mapping[str, Activity] | None,
    pause: Callable[[float], None],
) -> None:
    """Give containers that were exercised the time to store what they took: with changes, until they have stored what
    they did ``before``."""
    if before is None:
        pause(_AS_IT_IS)
        return
    until = time.monotonic() + _WITH_CHANGES
    pairs = [(each, before[name]) for each in running if (name := str(each.spec.get("name"))) in before]
    while not all([_has_stored(agent, *pair) for pair in pairs]) and time.monotonic() < until:
        pause(_BETWEEN)


def _has_stored(agent: AgentClient, container: RunningContainer, old: Activity) -> bool:
    """Whether nothing is missed of what it stored as it was ``old``."""
    if not old.for_exercise:
        return True
    note(agent, container, {*old.wrote, *old.kept})
    return not any(unstored("", old, container.seen))
