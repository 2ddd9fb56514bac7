"""Whatever ends a run of ``harden observe``, nothing of it stays in a real podman: its containers, pods, volumes,
networks and images are counted before and after.

``HARDEN_OBSERVE=all`` asks for it, since seven faults take minutes. ``test_sessions.py`` tries some of them with a
stand-in of podman.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardener.observe.engine import LABEL

from . import workloads as known
from .ground import ALL, Ground
from .test_sessions import reaper_of

_HARDEN = Path(sys.executable).parent / "harden"
_LONGEST = 90.0  # seconds
_OURS = ("--filter", f"label={LABEL}")


@dataclass(frozen=True)
class Run:
    """A run of harden that has started containers. ``terminal``: what its output and its input lead to."""

    ground: Ground
    process: subprocess.Popen[bytes]
    terminal: int

    def ask(self, *words: str) -> list[str]:
        """What podman lists of this run."""
        return self.ground.podman(*words, *_OURS).stdout.split()


def killed(run: Run) -> None:
    run.process.kill()


def killed_with_its_reaper(run: Run) -> None:
    os.kill(reaper_of(run.process.pid), signal.SIGKILL)
    run.process.kill()


def told_to_end(run: Run) -> None:
    run.process.terminate()


def interrupted(run: Run) -> None:
    os.write(run.terminal, b"\x03")


def without_a_terminal(run: Run) -> None:
    os.close(run.terminal)


def without_its_network(run: Run) -> None:
    run.ground.podman("network", "rm", "-f", "-t", "0", *run.ask("network", "ls", "-q"), check=False)


def without_its_containers(run: Run) -> None:
    run.ground.podman("rm", "-f", "-t", "0", *run.ask("ps", "-aq"), check=False)


Fault = Callable[[Run], None]
FAULTS: tuple[Fault, ...] = (
    killed, killed_with_its_reaper, told_to_end, interrupted, without_a_terminal, without_its_network,
    without_its_containers,
)  # fmt: skip


def _read_on(terminal: int) -> None:
    """Take what a terminal is told, so that nobody waits for it."""
    with suppress(OSError):
        while os.read(terminal, 4096):
            pass


def _begun(ground: Ground, folder: Path) -> Run:
    """A run at a terminal of its own that looks at containers."""
    ours, its = pty.openpty()
    nobody = str(ground.folder / "nobody")
    process = subprocess.Popen(
        [_HARDEN, "observe", ".", "--seconds", "30"], cwd=folder, stdin=its, stdout=its, stderr=its,
        env=ground.podman.settings | {"REGISTRY_AUTH_FILE": f"{nobody}.json", "XDG_CONFIG_HOME": nobody},
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(its)
    threading.Thread(target=_read_on, args=(ours,), daemon=True).start()
    run = Run(ground, process, ours)
    until = time.monotonic() + _LONGEST
    while not run.ask("ps", "-q") and process.poll() is None and time.monotonic() < until:
        time.sleep(0.2)
    assert process.poll() is None, "it was over before anything happened to it"
    return run


def _folders(pid: int) -> list[str]:
    """What the run of a process has in the temporary folder."""
    return [name for name in os.listdir(tempfile.gettempdir()) if f".{pid}." in name]


@pytest.mark.skipif(not ALL, reason="takes minutes, with engines that are killed: HARDEN_OBSERVE=all")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_nothing_stays(ground: Ground, tmp_path: Path, fault: Fault) -> None:
    image = "r.example/shop/plain:1.0.0"
    folder = ground.tree(tmp_path / "tree", {"web.yaml": known.workload("web", image)}, [image])
    ground.podman("rmi", "-f", image, check=False)
    before = ground.left()
    run = _begun(ground, folder)
    assert ground.left() != before
    fault(run)
    run.process.wait(_LONGEST)
    if fault is killed_with_its_reaper:
        assert ground.left() != before
        ground.harden("observe", ".", "--seconds", "2", cwd=folder)
    until = time.monotonic() + _LONGEST
    while (ground.left() != before or _folders(run.process.pid)) and time.monotonic() < until:
        time.sleep(0.5)
    assert ground.left() == before
    assert _folders(run.process.pid) == []
