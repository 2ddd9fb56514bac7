"""How much work something is, whatever else the machine does: the calls that it makes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable


def calls(run: Callable[..., object], *arguments: object) -> int:
    """How many functions ``run``, given ``arguments``, calls and returns from, those of C among them."""
    made = 0

    def count(*_: object) -> None:
        nonlocal made
        made += 1

    gc.collect()
    gc.disable()  # what it ends would count
    sys.setprofile(count)
    try:
        run(*arguments)
    finally:
        sys.setprofile(None)
        gc.enable()
    return made
