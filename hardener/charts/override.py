"""One value of a chart that a run overrides."""

from __future__ import annotations

from typing import Any

from hardener.engine.outcome import Change
from hardener.support.fast_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Override:
    """The key of values at ``path`` becomes ``value``, a list as a whole; None takes the key away, as helm reads it.

    ``changes`` are the changes of the rendered chart that come out by it, alone or together with other overrides.
    """

    path: tuple[str, ...]
    value: Any
    changes: tuple[Change, ...]
