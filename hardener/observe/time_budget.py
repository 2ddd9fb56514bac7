"""The time that a session may take: read from what somebody wrote, estimated beforehand, and over at some moment."""

from __future__ import annotations

import re
import threading
import time

from hardener.errors import HardenError

DEFAULT = 600.0
"""Seconds for a tree, where nobody says how many."""
_LOOKS = 4  # so many looks of full length a session has in any case, whatever they take
_TIME = re.compile(r"(?=.)(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
_UNITS = (3600, 60, 1)
_RUNS = 2.5  # of one workload beside that as it is: hardened, and now and then once more
_OVERHEAD = 4.0  # seconds to start a pod and to remove it
_MINUTE = 60.0


class OverError(HardenError):
    """The time is over: what has not ended by now is not known."""


def read(text: str) -> float | None:
    """The seconds of ``text``, such as 10m, 90s or 1h30m; None where it is no time above 0."""
    found = _TIME.fullmatch(text)
    seconds = sum(int(number or 0) * unit for number, unit in zip(found.groups(), _UNITS, strict=True)) if found else 0
    return float(seconds) or None


def default(seconds: int) -> float:
    """The time of a session that looks at each workload for ``seconds``, where nobody says another."""
    return max(DEFAULT, float(_LOOKS * seconds))


def estimate(workloads: int, seconds: int, at_once: int) -> float:
    """About how many seconds a session takes for so many ``workloads``, ``at_once`` of them side by side."""
    rounds = -(-workloads // max(at_once, 1))
    return (seconds + _OVERHEAD) * (1 + _RUNS * rounds) if workloads else 0.0


def said(seconds: float) -> str:
    """A time as people say it: "40 s", "6 minutes"."""
    if seconds < 1.5 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} minutes"


class Budget(threading.Event):
    """What every wait of a session ends by: set by whoever ends the session, and over after ``seconds``, counted from
    ``begin``."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self._until: float | None = None

    def begin(self) -> None:
        """Count from now on."""
        self._until = time.monotonic() + self.seconds

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return self._until is not None and time.monotonic() >= self._until

    def check(self) -> None:
        """Raises OverError where the time is used up."""
        if self.is_over:
            raise OverError("the time is over")

    def wait(self, timeout: float | None = None) -> bool:
        """As that of an event. Raises OverError where the time is used up."""
        if super().wait(timeout):
            return True
        self.check()
        return False
