"""What many releases of one chart cost, from the lock to what would change.

``python -m tests.charts.measure_releases [--count N] CHART`` writes N HelmReleases of a chart that takes the values of
app-template, in ten shapes, and serves that chart on loopback. It prints a line for each command: seconds of processor
time (those of helm included), starts of helm, and what came of it. The second and third ask nobody: the server is gone
by then.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .. import helm as helms
from ..chart_places import of_folder, repository

_SOURCE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: charts, namespace: flux-system}}
spec: {{url: "{url}"}}
"""
_IMAGE = {"repository": "nginxinc/nginx-unprivileged", "tag": "1.27"}
_SERVICE = {"app": {"controller": "main", "ports": {"http": {"port": 8080}}}}
_SHAPES: tuple[dict[str, Any], ...] = (
    {},
    {"controllers": {"main": {"replicas": 2, "strategy": "RollingUpdate"}}},
    {"controllers": {"main": {"containers": {"app": {"env": {"TZ": "UTC", "PORT": "8080"}}}}}},
    {"controllers": {"main": {"containers": {"exporter": {"image": {"repository": "example.com/exp", "tag": "1"}}}}}},
    {"controllers": {"main": {"initContainers": {"wait": {"image": {"repository": "busybox", "tag": "1.36"}}}}}},
    {"persistence": {"data": {"type": "emptyDir", "globalMounts": [{"path": "/data"}]}}},
    {"controllers": {"main": {"type": "statefulset"}}},
    {"controllers": {"main": {"containers": {"app": {"resources": {"limits": {"memory": "64Mi"}}}}}}},
    {"defaultPodOptions": {"securityContext": {"runAsUser": 1000, "fsGroup": 1000}}},
    {"controllers": {"main": {"containers": {"app": {"probes": {"liveness": {"enabled": True}}}}}}},
)


class Cost(NamedTuple):
    """Of one command: seconds of processor time, starts of helm, exit code and standard output."""

    seconds: float
    helms: int
    status: int
    out: str


def values_of(number: int) -> dict[str, Any]:
    """The values of the release ``number``, in one of the shapes."""
    main = {"containers": {"app": {"image": _IMAGE, "env": {"NUMBER": str(number)}}}}
    return _merged({"controllers": {"main": main}, "service": _SERVICE}, _SHAPES[number % len(_SHAPES)])


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(below)
    for key, value in above.items():
        old = found.get(key)
        found[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return found


def release(number: int, chart: str, version: str) -> str:
    """The HelmRelease ``number``."""
    reference = {"kind": "HelmRepository", "name": "charts", "namespace": "flux-system"}
    data = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": f"app-{number}", "namespace": f"space-{number % 7}"},
        "spec": {
            "interval": "1h", "chart": {"spec": {"chart": chart, "version": version, "sourceRef": reference}},
            "values": values_of(number),
        },
    }  # fmt: skip
    return yaml.safe_dump(data, sort_keys=False)


def _times() -> float:
    times = os.times()
    return times.children_user + times.children_system


class _Bench:
    """A tree, a cache, and a helm that counts its starts."""

    def __init__(self, folder: Path, major: int) -> None:
        self.tree, self._folder = folder / "tree", folder
        self.tree.mkdir()
        self._starts = folder / "starts"
        counting = folder / "bin" / "helm"
        counting.parent.mkdir()
        counting.write_text(
            f'#!/bin/sh\necho >>{self._starts}\nexec {helms.downloaded(major)} "$@"\n', encoding="utf-8"
        )
        counting.chmod(0o755)

    def run(self, *words: str) -> Cost:
        """Run harden in the tree."""
        self._starts.write_text("", encoding="utf-8")
        path = f"{self._folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = {
            **os.environ, "PATH": path, "XDG_CACHE_HOME": str(self._folder / "cache"),
            "XDG_CONFIG_HOME": str(self._folder / "config"), "REGISTRY_AUTH_FILE": str(self._folder / "none.json"),
        }  # fmt: skip
        before = _times()
        done = subprocess.run(
            [sys.executable, "-P", "-m", "hardener", *words], cwd=self.tree, env=environment, capture_output=True,
            text=True,
        )  # fmt: skip
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
        starts = len(self._starts.read_text(encoding="utf-8").splitlines())
        return Cost(_times() - before, starts, done.returncode, done.stdout)


def _measured(bench: _Bench, chart: Path, count: int) -> Iterator[tuple[str, Cost, str]]:
    said = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    with repository(of_folder(chart)) as places:
        (bench.tree / "source.yaml").write_text(_SOURCE.format(url=places.url), encoding="utf-8")
        for number in range(count):
            text = release(number, said["name"], str(said["version"]))
            (bench.tree / f"app-{number}.yaml").write_text(text, encoding="utf-8")
        subprocess.run(["git", "init", "-q", "."], cwd=bench.tree, check=True)
        pulled = bench.run("lock", "--charts")
        yield "lock --charts", pulled, f"{len(places.asked)} requests; {pulled.out.splitlines()[-2]}"
    again = bench.run("lock", "--charts")
    yield "lock --charts, again", again, again.out.splitlines()[-1]
    diff = bench.run("diff", ".", "--format", "json")
    found = json.loads(diff.out)
    edited = {change["file"] for change in found["changes"]} - {"harden-networkpolicies.yaml"}
    yield "diff", diff, f"{len(found['changes'])} edits of {len(edited)} releases, {len(found['findings'])} findings"


def main() -> None:
    """Measure the releases of the chart of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.charts.measure_releases")
    parser.add_argument("chart", type=Path, metavar="CHART")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--helm", type=int, default=4, choices=list(helms.PACKAGES))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = _Bench(Path(folder), given.helm)
        for name, cost, more in _measured(bench, given.chart.resolve(), given.count):
            print(f"{name:22}{cost.seconds:8.1f} s{cost.helms:6} starts of helm  {more}", flush=True)


if __name__ == "__main__":
    main()
