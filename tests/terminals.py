"""Programs on a terminal of a size that the test chooses, and what they show there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .conftest import ROOT

# What would tell a program of the terminal that the tests are started from.
_OUTER = re.compile(
    r"(?:NO_COLOR|FORCE_\w+|TERM_\w+|COLORTERM|VTE_VERSION|KITTY_\w+|KONSOLE_\w+|WT_SESSION|DOMTERM|WSL_\w+"
    r"|PAGER|GIT_PAGER|LESS\w*|LV|COLUMNS|LINES)$"
)


@dataclass
class Shown:
    """What a program wrote to its terminal, and how it ended."""

    raw: str
    status: int

    @property
    def text(self) -> str:
        """As it is read: without colours and links."""
        return re.sub(r"\033\[[\d;?]*[A-Za-z]|\033\]8;;.*?\033\\", "", self.raw)

    @property
    def rows(self) -> list[str]:
        return self.text.splitlines()


def on_terminal(
    command: Sequence[str], folder: Path, *, columns: int = 80, rows: int = 24, said: str = "",
    environment: Mapping[str, str] | None = None, quiet: bool = True,
) -> Shown:  # fmt: skip
    """Run ``command`` on a terminal of its own, on which somebody types ``said``; ``quiet``: without what it says on
    standard error."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    given = {name: value for name, value in os.environ.items() if not _OUTER.match(name)}
    given |= {"PYTHONPATH": str(ROOT), "TERM": "xterm", **(environment or {})}
    process = subprocess.Popen(
        command, cwd=folder, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL if quiet else theirs, env=given,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, said.encode())
    found = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # how Linux says that nobody writes any more
            break
        if not part:
            break
        found += part
    status = process.wait()
    os.close(ours)
    return Shown(found.decode().replace("\r\n", "\n"), status)


def harden_on_terminal(
    *arguments: str, folder: Path, columns: int = 80, rows: int = 24, environment: Mapping[str, str] | None = None
) -> Shown:
    """What ``harden ARGUMENTS`` shows."""
    command = [sys.executable, "-m", "hardener", *arguments]
    return on_terminal(command, folder, columns=columns, rows=rows, environment=environment)
