"""What showed that a container does its work, and what of it nobody saw."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.observe.container_activity import Activity
from hardener.observe.timers import has_daemon


def shown(seen: Activity, seconds: int) -> Iterator[str]:
    """What showed that a container does its work: a change that held was compared with that. It was
    looked at for ``seconds``."""
    yield from (str(answer) for answer in seen.answers if answer.works)
    if seen.exercised:
        yield "exercised"
    if seen.done:
        yield "ended with 0"
    elif seen.sees_sockets and not seen.listens:
        yield from (f"{entry.command} ended with 0" for entry, well in seen.timers.items() if well)
        yield f"no difference in {seconds} s"


def doubts(seen: Activity, seconds: int) -> Iterator[str]:
    """What of its work nobody saw."""
    for answer in seen.answers:
        if answer.is_behind_login and not seen.exercised:
            yield f"nobody logged in at {answer.question} (--exercise CMD does)"
    if has_daemon(seen.programs) and not any(seen.timers.values()):
        yield "what it starts at its hour was not started"
    if seen.waits >= seconds:
        yield f"it waits {seen.waits:g} s, and was looked at for {seconds} s (--seconds N)"
