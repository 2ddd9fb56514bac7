"""What the tests do where an optional program is not installed: python -m tests.without

All tests are collected, and those that need a program run, on a PATH without any of the optional programs: what is left
is a machine with Python and git. Then, for each of them that is installed, the tests that need it run on a PATH without
that one. They may pass, or skip with an advice; none may fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from . import services

# Program: its marker. helm comes out of a package of PyPI, and is taken away with the index.
OPTIONAL = {
    "chromium": "chromium",
    "docker-registry": "registry",
    "etcd": "kubelet",
    "helm": "helm",
    "kustomize": "kustomize",
    "node": "node",
    "podman": "podman",
    "runc": "podman",
    "skopeo": "registry",
}
_FILES = "HARDEN_FILES_OF_MARKERS"


def pytest_collection_finish(session: pytest.Session) -> None:
    """As a plugin: write which files hold tests of which marker."""
    if (written := os.environ.get(_FILES)) is None:
        return
    files = defaultdict(set)
    for item in session.items:
        for mark in item.iter_markers():
            files[mark.name].add(str(item.path))
    Path(written).write_text(json.dumps({name: sorted(paths) for name, paths in files.items()}), encoding="utf-8")


def path_without(programs: Iterable[str], folder: Path) -> str:
    """A PATH with all programs of this machine, as links in ``folder``, but ``programs``."""
    folder.mkdir()
    for place in [*os.environ["PATH"].split(os.pathsep), "/usr/sbin", "/usr/bin"]:
        for program in Path(place).glob("*"):
            if not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    for name in programs:
        for each in (name, *services.OTHER_NAMES.get(name, ())):
            (folder / each).unlink(missing_ok=True)
    return str(folder)


def said(without: Iterable[str], folder: Path, *command: str, **environment: str) -> str:
    """The last line of a command that runs where the programs ``without`` are not there. Raises SystemExit where it
    fails."""
    path = {"PATH": path_without(without, folder), services.PATH_ALONE: "1"}
    done = subprocess.run(
        command, cwd=services.ROOT, env={**os.environ, **path, **environment}, capture_output=True, text=True
    )
    if done.returncode:  # of pytest also where it finds no test
        raise SystemExit(f"without {', '.join(without)}:\n{done.stdout}{done.stderr}")
    return f"without {', '.join(without)}: {done.stdout.splitlines()[-1]}"


def tests(*arguments: str) -> tuple[str, ...]:
    """The command that runs tests, with this module as a plugin."""
    return (sys.executable, "-m", "pytest", "-q", "-p", "tests.without", *arguments)


def main() -> None:
    """Once without all of them, then once without each that is installed."""
    with tempfile.TemporaryDirectory() as name:
        away = Path(name)
        os.environ["TMPDIR"] = name
        print(said(OPTIONAL, away / "try", "./try"), flush=True)
        written = away / "files.json"
        os.environ[_FILES] = str(written)
        of_any = " or ".join(sorted({marker for marker in OPTIONAL.values() if marker}))
        no_index = {"PIP_NO_INDEX": "1", "XDG_CACHE_HOME": str(away / "no-cache")}
        print(said(OPTIONAL, away / "none", *tests("-m", of_any, "tests"), **no_index), flush=True)
        del os.environ[_FILES]
        files = json.loads(written.read_text(encoding="utf-8"))

        def one(program: str) -> str:
            marker = OPTIONAL[program]
            named = [file for file in files[marker] if program in Path(file).read_text(encoding="utf-8")]
            settings = no_index if program == "helm" else {}
            # Those of a cluster ask their nodes for a minute, and the run without etcd skips them.
            chosen = marker if marker == "kubelet" else f"{marker} and not kubelet"
            return said([program], away / program, *tests("-m", chosen, *(named or files[marker])), **settings)

        # Most of the time each waits: for a service that is there, or for one that is not.
        with ThreadPoolExecutor(max_workers=4) as pool:
            for line in pool.map(one, [each for each in OPTIONAL if each == "helm" or _is_installed(each)]):
                print(line, flush=True)


def _is_installed(program: str) -> bool:
    path = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/usr/bin"))
    return any(shutil.which(each, path=path) for each in (program, *services.OTHER_NAMES.get(program, ())))


if __name__ == "__main__":
    main()
