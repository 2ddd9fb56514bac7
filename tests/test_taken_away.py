"""A part of a tree is taken away: no pair that was named there is closed by what is left but where a report says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .conftest import shared, write
from .taken_away import SHARED, Counts, take_away, trees

# Of which each n-th part is taken, and how many pairs these name: a test that tries nothing is none.
SAMPLES = {
    ("apps", "voting-app"): (1, 21),
    ("apps", "aks-store-demo"): (8, 19),
    ("corpus", "microservices-demo"): (12, 30),
    ("truth", "cases", "boutique", "naked"): (3, 27),
    ("truth", "cases", "home-bjws", "naked"): (3, 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", SAMPLES, ids="/".join)
def test_what_is_taken_away_closes_nothing_without_a_word(path: tuple[str, ...]) -> None:
    every, tried = SAMPLES[path]
    found = take_away(shared(*path), every)
    assert found.unsaid == []
    assert found.tried.total() >= tried


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("HARDEN_TREES") != "all", reason="HARDEN_TREES=all asks all trees")
def test_the_same_of_every_tree_beside_the_repository() -> None:
    if not SHARED.exists():
        pytest.skip(f"needs {SHARED}, which is not part of the repository")
    found = Counts()
    for tree in trees():
        found.add(take_away(tree))
    print(found)
    assert found.unsaid == []


def workload(name: str, *, more: str = "", namespace: str = "shop", served: bool = True) -> str:
    service = (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}\n---\n"
    )
    return (service if served else "") + (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n"
        f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n"
        f"    spec: {{containers: [{{name: main, image: 'example.com/{name}:1', {more}}}]}}\n"
    )


CALLS = "env: [{name: URL, value: 'http://api'}]"
SET = "env: [{name: MODE, value: fast}]"


@pytest.mark.parametrize(
    ("files", "tried", "closed"),
    [
        pytest.param({"api.yaml": workload("api", more=SET), "web.yaml": workload("web", more=CALLS, served=False)},
                     3, 0, id="two files, of which each holds an end of the pair"),
        pytest.param({"api.yaml": workload("api", more=SET), "web.yaml": workload("web", more=CALLS, served=False),
                      "job.yaml": workload("job", more=CALLS, served=False)},
                     6, 2, id="a client that is gone is one of those that the report speaks of"),
    ],
)  # fmt: skip
def test_what_is_counted(files: dict[str, str], tried: int, closed: int, tmp_path: Path) -> None:
    write(tmp_path, files)
    found = take_away(tmp_path)
    assert (found.tried.total(), found.closed.total(), found.named.total(), found.unsaid) == (tried, closed, closed, [])
