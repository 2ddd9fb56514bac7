"""Requests and limits that are written: enough for the heap, in order, within a LimitRange, and the same the next time.

Every combination of a heap flag, numbers of the author's, a LimitRange and a profile.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import profile
from hardener.commands.write_files import write_files
from hardener.engine import pipeline
from hardener.kubernetes.quantity import parse
from hardener.kubernetes.validity import violations
from hardener.tree.tree import Tree
from tests.conftest import write

pytestmark = pytest.mark.slow  # its many cases together

IDS = frozenset({"resource-requests", "memory-limit", "cpu-limit", "ephemeral-limit"})
GIB = 2**30

HEAPS: dict[str, int] = {
    "": 0,
    "java -Xmx64m -jar a.jar": 64 * 2**20,
    "java -Xmx3g -jar a.jar": 3 * GIB,
    "java -XX:MaxRAM=700m -jar a.jar": 700 * 2**20,
    "node --max-old-space-size=4096 a.js": 4 * GIB,
}
NUMBERS: tuple[dict[str, Any], ...] = (
    {},
    {"requests": {"memory": "300Mi"}},
    {"requests": {"cpu": "1.5", "memory": "5G"}},
    {"limits": {"cpu": 2}},
    {"requests": {"cpu": "10m"}, "limits": {"memory": "8Gi"}},
)
RANGES: tuple[dict[str, Any], ...] = (
    {},
    {"default": {"memory": "256Mi"}},
    {"defaultRequest": {"cpu": "200m", "memory": "1Gi"}},
    {"min": {"cpu": "50m", "memory": "700Mi"}},
    {"max": {"cpu": "2", "memory": "2Gi"}},
    {"maxLimitRequestRatio": {"cpu": "1.3", "memory": "1.3"}},
    {"maxLimitRequestRatio": {"cpu": 10, "memory": 10, "ephemeral-storage": 2}, "min": {"ephemeral-storage": "2Gi"}},
)


def amount(container: dict[str, Any], kind: str) -> Fraction | None:
    return parse(container.get("resources", {}).get(kind, {}).get("memory"))


def tree(numbers: dict[str, Any], bounds: dict[str, Any]) -> str:
    """One Pod with a container per heap flag, and the LimitRange of its namespace."""
    containers = [
        {"name": f"c{index}", "image": "example.com/app:1", "args": command.split()}
        | ({"resources": numbers} if numbers else {})
        for index, command in enumerate(HEAPS)
    ]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app", "namespace": "shop"}}
    documents: list[dict[str, Any]] = [pod | {"spec": {"containers": containers}}]
    if bounds:
        limit_range = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "range", "namespace": "shop"}}
        documents.append(limit_range | {"spec": {"limits": [{"type": "Container", **bounds}]}})

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump_all(documents, Dumper=Dumper, sort_keys=False)


@pytest.mark.parametrize("name", profile.BUILT_IN)
@pytest.mark.parametrize(("numbers", "bounds"), list(product(NUMBERS, RANGES)))
def test_what_is_written_holds(
    name: str, numbers: dict[str, Any], bounds: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"app.yaml": tree(numbers, bounds)})
    before = list(yaml.safe_load_all((tmp_path / "app.yaml").read_text()))
    outcome = harden(tmp_path, name)
    assert not outcome.refused, [item.reason for item in outcome.refused]
    text = (tmp_path / "app.yaml").read_text()
    after = list(yaml.safe_load_all(text))
    for container, heap in zip(after[0]["spec"]["containers"], HEAPS.values(), strict=True):
        request, limit = amount(container, "requests"), amount(container, "limits")
        assert request is None or limit is None or request <= limit
        if limit is not None and "memory" not in numbers.get("limits", {}):
            assert limit > heap, "a heap that does not fit its limit is our bug"
    broken = [{(v.rule, v.path) for v in violations(d[0], (1, 35), d[1:])} for d in (before, after)]
    assert broken[1] <= broken[0]
    assert not harden(tmp_path, name).changes
    assert (tmp_path / "app.yaml").read_text() == text


def harden(folder: Path, name: str) -> Any:
    workspace = Tree.read([str(folder)], root=str(folder))
    outcome = pipeline.run(workspace, profile.load(name), only=IDS)
    write_files(outcome)
    return outcome
