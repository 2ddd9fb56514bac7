"""Signals that would end a run, noted while files take their places, and delivered when all is done or taken back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def delayed() -> Iterator[list[int]]:
    """Inside, the numbers of the signals that came, the first one first; at the end it is delivered as if it came then.

    A signal that is ignored stays so. In another thread than the main one nothing is delayed: Python delivers there
    none.
    """
    came: list[int] = []
    before = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name, None) for name in _ENDING):
                if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, lambda number, frame: came.append(number))
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
