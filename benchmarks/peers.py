"""`harden check` beside scanners, which find and do not change: `python -m benchmarks.peers`.

checkov comes from the index into an environment of its own; kubescape, kube-linter, kube-score, polaris and trivy are
measured where they are on PATH. Processor time, best of three, on one application of Deployments and Services.
What was not measured is named as such.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

from benchmarks import inputs, measure

HARDEN = [sys.executable, "-m", "hardener", "check", "."]
CHECKOV = "checkov>=3.3"
WORKLOADS = 200


@dataclass(frozen=True, slots=True)
class Peer:
    """``command`` reads the folder that it is started in; all of ``codes`` mean that it came to its end."""

    name: str
    command: tuple[str, ...]
    codes: tuple[int, ...] = (0, 1)


ON_PATH = (
    Peer("kube-linter", ("kube-linter", "lint", ".")),
    Peer("kubescape", ("kubescape", "scan", ".", "--keep-local")),
    Peer("kube-score", ("sh", "-c", "find . -name 'app-*.yaml' | xargs kube-score score"), (0, 1, 123)),
    Peer("polaris", ("polaris", "audit", "--audit-path", ".")),
    Peer("trivy", ("trivy", "config", "--skip-check-update", ".")),
)


def checkov(folder: Path) -> Peer | None:
    """checkov in an environment below ``folder``; None where the index does not have it."""
    home = folder / "checkov"
    venv.create(home, with_pip=True)
    install = [str(home / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", CHECKOV]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"checkov cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
        return None
    arguments = ("-d", ".", "--framework", "kubernetes", "--quiet", "--compact", "--skip-download")
    return Peer("checkov", (str(home / "bin" / "checkov"), *arguments))


def main() -> int:
    """Print a row for each scanner. Returns 1 where one of those that are here could not be run."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="harden-peers-") as name:
        folder = Path(name).resolve()
        tree = inputs.application(folder / "application", WORKLOADS)
        own = measure.best(3, HARDEN, tree, expect=(0, 1))
        print(f"{WORKLOADS} Deployments with a Service each, in {len(list(tree.rglob('*.yaml')))} files")
        print(f"{'harden check':<14} {own.cpu:8.2f} s  peak {own.peak / 1e6:5.0f} MB")
        first = checkov(folder)
        for peer in [*([first] if first else []), *ON_PATH]:
            if shutil.which(peer.name) is None and peer is not first:
                print(f"{peer.name:<14} not on PATH, not measured")
                continue
            try:
                cost = measure.best(3, peer.command, tree, expect=peer.codes)
            except measure.FailedError as error:
                print(f"{peer.name:<14} FAILED: {error}")
                failed += 1
                continue
            times = f"{cost.cpu / own.cpu:.1f} times harden"
            print(f"{peer.name:<14} {cost.cpu:8.2f} s  peak {cost.peak / 1e6:5.0f} MB  {times}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
