"""Code that is written as text while the program runs, compiled once for all runs.

What Python makes of a text hangs on nothing but Python, so it is never stale. It is kept beside the bytecode of this
module, and the rules for bytecode (``-B``, ``PYTHONPYCACHEPREFIX``) are the rules here. A file that is missing, cut off
or of another Python is as if it were not there.
"""

from __future__ import annotations

import atexit
import marshal
import os
import sys
from functools import cache
from importlib.util import MAGIC_NUMBER
from types import CodeType

_MOST = 1000  # texts; the program has some hundreds, and each release may have others

_used: dict[str, bytes] = {}
_new: dict[str, bytes] = {}


def compiled(text: str) -> CodeType:
    """``compile(text, "<string>", "exec")``. Raises what that raises."""
    found = _kept().get(text)
    if found is not None:
        _used[text] = found
        return marshal.loads(found)  # type: ignore[no-any-return]
    code = compile(text, "<string>", "exec")
    if not _new:
        atexit.register(_keep)
    _new[text] = marshal.dumps(code)
    return code


def _path() -> str | None:
    cached = getattr(__spec__, "cached", None)
    return cached and f"{os.path.dirname(cached)}/compiled_text.{sys.implementation.cache_tag}"


@cache
def _kept() -> dict[str, bytes]:
    path = _path()
    if path is None:
        return {}
    try:
        with open(path, "rb") as file:
            made_by, known = marshal.loads(file.read())
    except (OSError, EOFError, ValueError, TypeError):
        return {}  # not there, or not whole
    return known if made_by == MAGIC_NUMBER and isinstance(known, dict) else {}


def _keep() -> None:
    path = _path()
    if path is None or sys.dont_write_bytecode:
        return
    known = _kept() | _new
    own = f"{path}.{os.getpid()}"
    try:
        with open(own, "wb") as file:
            marshal.dump((MAGIC_NUMBER, known if len(known) <= _MOST else _used | _new), file)
        os.replace(own, path)
    except OSError:
        return  # a folder of somebody else
