"""What `harden apply` shows in a real terminal emulator: pictures of 1, 40 and 400 changes at three sizes.

``python -m tests.tmux_screens`` runs it in tmux, draws docs/pictures/apply-*.svg, and prints the first ten lines of
each screen. A test looks at what stands in them; they are drawn by hand, since tmux is not everywhere.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .comment_trees import TREES
from .conftest import ROOT, commit, write
from .pictures import FOLDER, THEMES, drawn

SIZES = ((80, 24), (120, 40), (200, 60))
COMMAND = "harden apply . --yes"
PATIENCE = 120  # seconds for one run, on a busy machine
_SETTINGS = "set -g status off\nset -g default-terminal tmux-256color\nset -g remain-on-exit on\n"


def names() -> list[str]:
    """Each picture without its theme."""
    return [f"apply-{count}-{columns}x{rows}" for columns, rows in SIZES for count in TREES]


def screens() -> Iterator[tuple[str, int, str]]:
    """The name, the columns and the screen of each run, with its colours."""
    for columns, rows in SIZES:
        for count, (files, options) in TREES.items():
            with tempfile.TemporaryDirectory() as folder:
                write(Path(folder), files)
                commit(Path(folder))
                yield f"apply-{count}-{columns}x{rows}", columns, screen(Path(folder), options, columns, rows)


def screen(folder: Path, options: list[str], columns: int, rows: int) -> str:
    """What the terminal shows when the command has ended, and the shell waits behind it."""
    server = ["tmux", "-L", f"harden-{os.getpid()}"]
    arguments = shlex.join([*COMMAND.split()[1:], *options])
    # The prompt of a shell comes behind a report, and takes a row.
    shell = f"{shlex.quote(sys.executable)} -m hardener {arguments}; printf '$ '; touch .git/done; sleep {PATIENCE}"
    settings = folder / ".git/tmux.conf"
    settings.write_text(_SETTINGS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("NO_COLOR", None)
    size = ["-x", str(columns), "-y", str(rows)]
    start = [*server, "-f", str(settings), "new-session", "-d", *size, "-c", str(folder), shell]
    subprocess.run(start, check=True, env=environment)
    try:
        end = time.monotonic() + PATIENCE
        while not (folder / ".git/done").exists():
            assert time.monotonic() < end, "the run did not end"
            time.sleep(0.1)
        time.sleep(0.3)  # until the emulator has drawn it
        shown = subprocess.run([*server, "capture-pane", "-e", "-p"], check=True, capture_output=True, text=True)
    finally:
        subprocess.run([*server, "kill-server"], check=False, capture_output=True)
    return shown.stdout


def main() -> None:
    """Draw all pictures, and print the first lines of each."""
    for name, columns, shown in screens():
        for theme in THEMES:
            picture = drawn(None, columns, shown, theme, about=COMMAND)
            (FOLDER / f"{name}-{theme}.svg").write_text(picture, encoding="utf-8")
        lines = subprocess.run(["sed", r"s/\x1b\[[0-9;]*m//g"], input=shown, capture_output=True, text=True).stdout
        print(f"## {name}\n", *lines.splitlines()[:10], "", sep="\n")


if __name__ == "__main__":
    main()
