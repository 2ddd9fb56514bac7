"""Regular expressions that are compiled when they are first asked: a small run asks few of those that its modules name,
and to compile all of them would take a tenth of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from re import compile

    late_pattern = compile
else:

    class late_pattern:  # its users call it as they call re.compile
        """What ``re.compile`` makes of the same arguments, made when a method of it is first asked for."""

        def __init__(self, text: str, flags: int = 0) -> None:
            self._made_of = text, flags

        def __getattr__(self, name: str) -> Any:
            # Only what is not here yet is looked for here, so that it is as quick as that of the pattern from now on.
            found = getattr(re.compile(*self._made_of), name)
            setattr(self, name, found)
            return found
