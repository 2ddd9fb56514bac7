"""What the pages for users show: README.md and docs/, their blocks of code, and how a block is compared with a run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from . import services
from .conftest import ROOT

TOOLS = Path(sys.executable).parent
# Written by hand; the generated ones and those on the design are of other tests.
PAGES = ("README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
# Exit codes that say: there is something.
ALLOWED = {"harden diff": 1, "harden check": 1, "kubectl harden diff": 1}


class Block(NamedTuple):
    """A block of code of ``page``, below ``heading``."""

    page: str
    heading: str
    language: str
    text: str


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def every_block(page: str) -> Iterator[Block]:
    """The blocks of code of a page, each with the last heading above it."""
    heading, language, lines = "", None, []  # type: tuple[str, str | None, list[str]]
    for line in read(page).split("\n"):
        if language is not None:
            if line == "```":
                yield Block(page, heading, language, "".join(f"{each}\n" for each in lines))
                language = None
            else:
                lines.append(line)
        elif start := re.fullmatch(r"```(\w*)", line):
            language, lines = start[1], []
        elif start := re.match(r"#+ (.+)", line):
            heading = start[1]


def blocks(page: str, language: str, heading: str) -> list[str]:
    """The blocks in ``language`` right below ``heading``; at least one."""
    found = [block.text for block in every_block(page) if (block.language, block.heading) == (language, heading)]
    assert found, f"{page} shows no {language} below {heading!r}"
    return found


def block(page: str, language: str, heading: str) -> str:
    """The first of them."""
    return blocks(page, language, heading)[0]


def section(page: str, heading: str) -> str:
    """What stands below ``heading``, up to the next heading of its level or above."""
    part = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#{{1,2}} |^\1 |\Z)", read(page), re.S | re.M)
    assert part, f"{page} has no heading {heading!r}"
    return part[2]


def hold(request: pytest.FixtureRequest, page: str, shown: str, now: str) -> None:
    """Fail when ``page`` shows something else than ``now``; ``--harden-accept`` takes it over."""
    assert shown and read(page).count(shown) == 1, "what is replaced stands there once"
    if shown != now and request.config.getoption("--harden-accept"):
        (ROOT / page).write_text(read(page).replace(shown, now), encoding="utf-8")
        return
    assert shown == now, f"{page} is out of date; --harden-accept mends it"


def shell(script: str, folder: Path, *, path: str = "", **environment: str) -> str:
    """Run the lines of ``script`` one by one in ``folder``; returns all that they print. The test is skipped where a
    program that they run is not installed."""
    found = [str(Path(services.program(name)).parent) for name in services.PROGRAMS if _runs(script, name)]
    names = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = os.pathsep.join(filter(None, (path, str(TOOLS), os.environ["PATH"], *found)))
    settings = {"PATH": path, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    said = ""
    for line in script.splitlines():
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=folder, capture_output=True, text=True, env={**os.environ, **names, **settings, **environment},
        )  # fmt: skip
        expected = next((code for command, code in ALLOWED.items() if line.startswith(command)), 0)
        assert done.returncode in (0, expected), f"{line}\n{done.stdout}{done.stderr}"
        said += done.stdout + done.stderr
    return said


def _runs(script: str, program: str) -> bool:
    """Whether ``program`` stands where a shell reads the name of a command."""
    return re.search(rf"(?:^|[|;&(]) *{re.escape(program)} ", script, re.M) is not None
