"""Requests and limits that are written: enough for the heap, in order, within a LimitRange, and the same the next time.

Every combination of a heap flag, numbers of the author's, a LimitRange and a profile.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import profile, registry
from hardener.commands.write_files import write_files
from hardener.engine import pipeline
from hardener.errors import InputError
from hardener.facts.images.numbers_elsewhere import NumbersElsewhere
from hardener.kubernetes.objects.quantity import parse
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

    class Dumper(yaml.CSafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump_all(documents, Dumper=Dumper, sort_keys=False)


def parsed(text: str) -> list[Any]:
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


@pytest.mark.parametrize("name", profile.BUILT_IN)
@pytest.mark.parametrize(("numbers", "bounds"), list(product(NUMBERS, RANGES)))
def test_what_is_written_holds(
    name: str, numbers: dict[str, Any], bounds: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"app.yaml": tree(numbers, bounds)})
    before = parsed((tmp_path / "app.yaml").read_text())
    outcome = harden(tmp_path, name)
    assert not outcome.refused, [item.reason for item in outcome.refused]
    text = (tmp_path / "app.yaml").read_text()
    after = parsed(text)
    for container, heap in zip(after[0]["spec"]["containers"], HEAPS.values(), strict=True):
        request, limit = amount(container, "requests"), amount(container, "limits")
        assert request is None or limit is None or request <= limit
        if limit is not None and "memory" not in numbers.get("limits", {}):
            assert limit > heap, "a heap that does not fit its limit is our bug"
    broken = [{(v.rule, v.path) for v in violations(d[0], (1, 35), d[1:])} for d in (before, after)]
    assert broken[1] <= broken[0]
    assert not harden(tmp_path, name).changes
    assert (tmp_path / "app.yaml").read_text() == text


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", profile.BUILT_IN)
@pytest.mark.parametrize(("numbers", "bounds"), list(product(NUMBERS, RANGES)))
def test_requests_that_came_first_change_no_limit(
    name: str, numbers: dict[str, Any], bounds: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier run wrote as a request is nobody's number: both orders end the same."""
    monkeypatch.chdir(tmp_path)
    ends = []
    for steps in ((IDS,), (frozenset({"resource-requests"}), IDS)):
        folder = tmp_path / str(len(steps))
        write(folder, {"app.yaml": tree(numbers, bounds), "more.yaml": MORE})
        for only in steps:
            harden(folder, name, only)
        assert not harden(folder, name).changes
        ends.append([parsed((folder / file).read_text()) for file in ("app.yaml", "more.yaml")])
    assert ends[0] == ends[1]


MORE = """
apiVersion: v1
kind: Pod
metadata: {name: first}
spec:
  containers:
  - {name: nothing, image: example.com/shop}
  - {name: small, image: example.com/shop, resources: {requests: {cpu: 10m, memory: 64Mi}}}
  - {name: large, image: example.com/shop, resources: {requests: {cpu: "1", memory: 700Mi}}}
  - {name: cache, image: redis:8}
  - {name: bounded, image: example.com/bounded}
  - {name: needs, image: gitlab/gitlab-ce:18.5.0-ce.0}
---
apiVersion: v1
kind: Pod
metadata: {name: second}
spec:
  containers:
  - {name: bounded, image: "example.com/bounded:2", resources: {limits: {cpu: 15m, memory: 100M}}}
  - {name: shop, image: "example.com/shop:1", resources: {requests: {memory: 300Mi}, limits: {memory: 900Mi}}}
"""


def harden(folder: Path, name: str, only: frozenset[str] = IDS) -> Any:
    workspace = Tree.read([str(folder)], root=str(folder))
    outcome = pipeline.run(workspace, profile.load(name), only=only)
    write_files(outcome)
    return outcome


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"memory_limit_ratio": 0}, "resources.memory-limit-ratio: a limit is not below its request"),
        ({"cpu_limit_ratio": 0}, "resources.cpu-limit-ratio: a limit is not below its request"),
        ({"memory_limit_least": "much"}, "resources.memory-limit-least: much is no quantity"),
        ({"memory_limit": "0"}, "resources.memory-limit: 0 is no quantity"),
        ({"cpu_elsewhere_most": "none"}, "resources.cpu-elsewhere-most: none is no quantity"),
    ],
)
def test_options_that_are_no_numbers(options: dict[str, Any], said: str) -> None:
    kind = registry.get("memory-limit").options
    assert kind is not None
    with pytest.raises(InputError, match=re.escape(said)):
        kind(**options)


PROGRAMS = """
apiVersion: v1
kind: Pod
metadata: {name: copies}
spec:
  containers:
  - {name: asks, image: "r.example:5000/app:2", command: [run], args: [web, -v]}
  - name: small
    image: r.example:5000/app@sha256:0000000000000000000000000000000000000000000000000000000000000000
    command: [run]
    args: [web]
    resources: {requests: {memory: 100Mi}, limits: {memory: "0"}}
  - {name: large, image: "r.example:5000/app", command: [run], args: [web], resources: {requests: {memory: 1Gi}}}
  - {name: work, image: "r.example:5000/app", command: [run], args: [work], resources: {requests: {memory: 9Gi}}}
  - {name: other, image: "r.example:5000/other", command: [run], args: [web], resources: {requests: {memory: 9Gi}}}
  - {name: later, image: "r.example:5000/app", command: [run], args: [web], resources: {requests: {memory: "${M}"}}}
  - {name: wrong, image: "r.example:5000/app", command: [run], args: [web], resources: {requests: [1]}}
  - {name: alone, image: "${IMAGE}", resources: {requests: {memory: 9Gi}}}
"""


def test_the_largest_number_of_the_same_program() -> None:
    tree = Tree.from_text(PROGRAMS)
    by_name = {container.name: container for container in tree.pod_templates[0].containers}
    numbers = tree.ask(NumbersElsewhere)

    def largest(name: str, kind: str = "requests") -> str | None:
        found = numbers.largest(by_name[name], kind, "memory")
        return found.text if found is not None else None

    assert largest("asks") == largest("small") == "1Gi"
    assert largest("large") == "100Mi", "its own number is no evidence for itself"
    assert [largest(name) for name in ("work", "other", "alone")] == [None] * 3
    assert largest("asks", "limits") is None, "zero is no limit"
    found = numbers.largest(by_name["asks"], "requests", "memory")
    assert found is not None
    assert found.fact.text == "Pod/copies container large runs the same image, and its memory request is 1Gi"


@pytest.mark.parametrize("whole", [{"requests": {"cpu": "1"}}, {"limits": {"memory": "2Gi"}}])
@pytest.mark.parametrize(
    "own", [{"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1Gi"}, "requests": {"memory": "1Mi"}}]
)
def test_a_limit_beside_numbers_of_the_whole_pod_stops_nothing(whole: dict[str, Any], own: dict[str, Any]) -> None:
    container = {"name": "app", "image": "a.example/app:1", "resources": own}
    text = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a"},
            "spec": {"resources": whole, "containers": [container]},
        }
    )
    tree = Tree.from_text(text)
    outcome = pipeline.run(tree, profile.load("strict"), only=IDS, forks=False)
    assert not [change for change in outcome.changes if change.transform.id == "resource-requests"]
