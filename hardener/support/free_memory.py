"""Memory that a run does not need any more, back to the system.

The allocator of glibc keeps what was freed below its highest block in use, and once a large file was read, up to twice
its size above it, too (``mallopt(3)``, M_MMAP_THRESHOLD: the threshold is dynamic). What Python allocates next comes
from arenas of its own, so that it would never be used again.
"""

from __future__ import annotations

import sys


def give_back() -> None:
    """Give free memory back where the C library is known to do so when it is asked; elsewhere nothing happens.

    It takes some milliseconds, so it is for runs that take seconds.
    """
    if sys.platform != "linux":
        return
    import ctypes  # late: only large runs give memory back

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # malloc_trim(3), which is glibc's own
    if trim is not None:
        trim(0)
