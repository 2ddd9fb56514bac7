"""Which line of the log of a container says why it ended."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPEAKS = re.compile(
    r"(?i)denied|read-only|not permitted|cannot|can't|could ?n.t|fail|fatal|error|exception|refus|no such|unable|panic"
)


def telling(lines: Sequence[str]) -> list[str]:
    """The last of ``lines`` that speaks of something that went wrong, else the last one; [] where there is none."""
    speaking = [line for line in lines if _SPEAKS.search(line)]
    return list((speaking or lines)[-1:])
