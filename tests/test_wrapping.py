"""The text report on a terminal: it breaks between words, and what is to be copied stays whole."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from hardener.report.wrapping import wrapped

from .conftest import ROOT, commit, run

CASES = [
    ("short enough", "  one two", 40, "  one two"),
    (
        "between words",
        "  aaaa bbbb cccc dddd eeee ffff gggg hhhh",
        31,
        "  aaaa bbbb cccc dddd eeee ffff\n      gggg hhhh",
    ),
    (
        "blanks between columns stay",
        "a" * 20 + "   x 2  K01 the end of it",
        31,
        "a" * 20 + "   x 2  K01\n    the end of it",
    ),
    ("a long word stays whole", "  to " + "a" * 50 + " end", 40, "  to\n      " + "a" * 50 + "\n      end"),
    (
        "colours take no room",
        "\033[31m" + "a" * 20 + "\033[0m " + "b" * 9,
        30,
        "\033[31m" + "a" * 20 + "\033[0m " + "b" * 9,
    ),
    ("too narrow for anything", "aaaa bbbb cccc dddd", 10, "aaaa bbbb cccc dddd"),
]


@pytest.mark.parametrize(("line", "width", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_wrapping(line: str, width: int, expected: str) -> None:
    assert wrapped(line, width) == expected


def on_terminal(folder: Path, columns: int, *arguments: str) -> str:
    """What ``harden ARGUMENTS`` prints on a terminal of so many columns, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "hardener", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    found = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # how Linux says that nobody writes any more
            break
        if not part:
            break
        found += part
    process.wait()
    os.close(ours)
    assert b"\033[1mImpact\033[0m" in found
    return re.sub(r"\033\[\d*m", "", found.decode()).replace("\r\n", "\n")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [48, 125, 200])
def test_a_report_fits_its_terminal(columns: int, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop")
    commit(tmp_path)
    plain = run("diff", "shop", cwd=tmp_path).out
    shown = on_terminal(tmp_path, columns, "diff", "shop")
    report, patch = shown.split("\nPatch\n", 1)
    for line in report.splitlines():
        assert len(line) <= columns or " " not in line.strip() or line.startswith("    patch:"), line
    # Nothing else changes: the words, and every line of the patch.
    assert shown.split() == plain.split()
    kept = {line for line in plain.split("\nPatch\n", 1)[1].splitlines() if line[:1] in tuple("+- @#d")}
    assert kept <= set(patch.splitlines())
