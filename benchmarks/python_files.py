"""A tree of Python files of which a few make Kubernetes objects, and the cheapest reader of such a tree.

Run on its own with a folder, it is that reader: every file is read, and what passes the gate of harden for bytes is
compiled to a tree of syntax.
"""

from __future__ import annotations

import ast
import contextlib
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "tests" / "python_sources" / "fixtures"
# Passes the gate for bytes, as clients of the API do, and makes no object.
_CLIENT = '''\
"""Lists what runs."""

from kubernetes import client, config


def running(namespace: str) -> list[str]:
    config.load_kube_config()
    pods: client.V1PodList = client.CoreV1Api().list_namespaced_pod(namespace)
    return [pod.metadata.name for pod in pods.items if pod.status.phase == "Running"]
'''


def tree(target: Path, count: int, *, others: bool = True) -> None:
    """Write a repository of ``count`` files: 2 % make objects (the fixtures of the tests), as many only talk to a
    cluster, the rest are modules of the standard library. Without ``others`` only what makes objects is written."""
    (target / ".git").mkdir(parents=True)
    programs = [path.read_bytes() for path in sorted(FIXTURES.glob("*/*.py"))]
    modules = list(_modules(count))
    for number in range(count):
        path = target / f"package_{number % 30}" / f"module_{number}.py"
        path.parent.mkdir(exist_ok=True)
        if number % 50 == 0:
            path.write_bytes(programs[number // 50 % len(programs)])
        elif not others:
            continue
        elif number % 50 == 25:
            path.write_text(_CLIENT, encoding="utf-8")
        else:
            path.write_bytes(modules[number % len(modules)])


def _modules(count: int) -> Iterator[bytes]:
    library = Path(sysconfig.get_paths()["stdlib"])
    found = (path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts)
    for _, path in zip(range(count), (path for path in found if path.stat().st_size < 50_000), strict=False):
        yield path.read_bytes()


def main(folder: str) -> None:
    """Read all files below ``folder``; compile those that the gate lets through."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from hardener.sources.python import gate

    for place, _, names in os.walk(folder):
        for name in names:
            raw = Path(place, name).read_bytes()
            if gate.bytes_pass(raw):
                with contextlib.suppress(SyntaxError):
                    ast.parse(raw)


if __name__ == "__main__":
    main(sys.argv[1])
