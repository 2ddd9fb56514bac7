"""What showed that a container does its work, and what of it nobody saw."""

from __future__ import annotations

from collections.abc import Iterator

from hardener.observe.container_activity import Activity, gains_rights
from hardener.observe.timers import has_daemon

_NO_RAISE = "no-privilege-escalation"
_MOST_NAMED = 3


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


def unjudged(seen: Activity) -> dict[str, str]:
    """The transforms of which no run shows enough, each with why. A program that gets rights by its file, and fails
    without them, fails where nobody looks: what it was asked for is done later, or elsewhere."""
    if not gains_rights(seen):
        return {}
    names = ", ".join(sorted(seen.raised)[:_MOST_NAMED])
    return {_NO_RAISE: f"it runs {names} with rights that {_NO_RAISE} takes away: nobody saw what that stops"}


def doubts(seen: Activity, seconds: int) -> Iterator[str]:
    """What of its work nobody saw, in runs that each looked at it for ``seconds``."""
    for answer in seen.answers:
        if answer.is_behind_login and not seen.exercised:
            yield f"nobody logged in at {answer.question} (--exercise CMD does)"
    if has_daemon(seen.programs) and not any(seen.timers.values()):
        yield "what it starts at its hour was not started"
    if seen.longest_wait >= seconds:
        yield f"it waits {seen.longest_wait:g} s, and was looked at for {seconds} s (--seconds N)"
