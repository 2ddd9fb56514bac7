"""What is said of an error that is none of the user's, and what of it goes to a file."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback

from hardener import __version__


def bug_report(error: BaseException) -> str:
    """A short message for ``error``; the stack goes to a file of its own. Neither holds a message or a value,
    since both may quote a manifest."""
    # The text of the error is left out: it can quote a value. The type and our own stack find the bug.
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"harden {__version__}, Python {platform.python_version()}, {platform.system()}", name]
    lines += [
        f"  {os.path.basename(os.path.dirname(f.filename))}/{os.path.basename(f.filename)}:{f.lineno} {f.name}"
        for f in frames
    ]
    message = f"harden: this is an internal error in harden: {name} in {lines[-1].strip()}"
    try:
        handle, path = tempfile.mkstemp(prefix="harden-crash-", suffix=".txt")
        with os.fdopen(handle, "w") as stream:
            stream.write("\n".join(lines) + "\n")
    except OSError:
        return message
    return f"{message}; the stack, without any value, is in {path}"
