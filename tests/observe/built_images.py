"""Images of ``packaged`` workloads, built from their Dockerfiles by the podman of this machine, which keeps them.

The base is a Debian: ``localhost/debbase:13`` (a debootstrap), or what ``--base`` names. ``podman rmi --all`` removes
all of them.
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from .packaged import Packaged

BASE = "localhost/debbase:13"
_OURS = "localhost/harden-observe"
# No package starts what it brings while an image is built.
_FIRST = """\
ARG BASE
FROM $BASE
RUN printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends busybox-static
"""
_LONGEST = 900.0  # seconds


class NotBuiltError(Exception):
    """podman does not build an image."""


def build(base: str) -> str:
    """Build the base of all others on ``base``, and return its name."""
    name = f"{_OURS}/base:1"
    with tempfile.TemporaryDirectory() as place:
        _build(Path(place), _FIRST, base, name)
    return name


def built(one: Packaged, base: str) -> str:
    """Build the image of ``one`` on ``base``, and return its name."""
    name = f"{_OURS}/{one.name}:1"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for path, text in one.files.items():
            file = folder / "files" / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            file.chmod(0o755 if text.startswith("#!") else 0o644)
        for each in folder.rglob("*"):
            if each.is_dir():
                each.chmod(0o755)
        _build(folder, one.dockerfile, base, name)
    return name


def push(names: Iterable[tuple[str, str]]) -> None:
    """Push each image of podman to a place of a registry on loopback."""
    for name, place in names:
        _podman("push", "-q", "--compression-level", "1", "--tls-verify=false", name, f"docker://{place}")


def _build(folder: Path, text: str, base: str, name: str) -> None:
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    limits = (resource.getrlimit(each)[1] for each in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    words = [f"{what}={most}:{most}" for what, most in zip(("nofile", "nproc"), limits, strict=True)]
    options = [word for each in words for word in ("--ulimit", each)]
    # Where a container of a build is refused, a change of the root folder is not.
    _podman(
        "build", "-q", "--isolation", "chroot", "--network", "host", *options, "--build-arg", f"BASE={base}", "-t",
        name, str(folder),
    )  # fmt: skip


def _podman(*words: str) -> None:
    done = subprocess.run(
        ["podman", *words], capture_output=True, text=True, timeout=_LONGEST, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        raise NotBuiltError(f"podman {' '.join(words)}: {done.stderr.strip()[-800:]}")
