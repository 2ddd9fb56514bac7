"""The public Services of the trees beside the repository that a run closes, each with its reason.

`python -m tests.test_exposure_table` prints the table.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardener.authoring import profile
from hardener.engine import pipeline
from hardener.engine.outcome import Change
from hardener.facts.kustomize.builds import Builds
from hardener.kubernetes.network.ingress import OPENINGS
from hardener.tree.core_views import Object
from hardener.tree.tree import Tree

from .conftest import SHARED, shared, write
from .test_exposure import WEB

ID = "service-cluster-ip"
PUBLIC = ("LoadBalancer", "NodePort")
# How the reason begins of what is no way in for the users of an application, also where it stands alone: a component
# that is administered, that keeps data, that watches others or carries their messages.
FOR_INSIDERS = (
    "an administration interface", "is a data store", "is that of a data store", "watches other components",
    "carries messages of others", "keeps data of others",
)  # fmt: skip


@dataclass
class Row:
    """A Service that a run closes: where it is, what it was, and why it is closed."""

    tree: str
    service: Object
    was: str
    reasons: tuple[str, ...]
    sole: bool  # no entrance of its application is left

    def __str__(self) -> str:
        return f"{self.tree} | {self.service.piece.file.name} | {self.service} | {self.was} | {'; '.join(self.reasons)}"


@dataclass
class Found:
    """What a run makes of the public Services of a tree."""

    closed: list[Row]
    open: list[tuple[Object, tuple[str, ...]]]  # with what the report says of each


def trees() -> Iterator[tuple[str, Path]]:
    """Every tree beside the repository, by its name."""
    for part in ("apps", "corpus"):
        yield from ((f"{part}/{path.name}", path) for path in sorted((SHARED / part).iterdir()))
    for case in sorted((SHARED / "truth" / "cases").iterdir()):
        yield from ((f"truth/{case.name}/{half.name}", half) for half in sorted(case.iterdir()) if half.is_dir())


def look(name: str, folder: Path, convert: str = "shown") -> Found:
    """Run the profile `restricted` on the Services of ``folder``; nothing is written."""
    root = os.path.realpath(folder)
    tree = Tree.read([root], root=root)
    were = {item: kind for item in tree.of("", "Service") if (kind := type_of(item)) in PUBLIC and not item.classes}
    restricted = profile.load("restricted")
    restricted.set_option("exposure.convert", convert, "here")
    outcome = pipeline.run(tree, restricted, only=frozenset({ID}), forks=False)
    closed = {change.object: change for change in outcome.changes if change.path[-1] == "type"}
    held = {change.object: change for held in outcome.held for change in held.changes if change.path[-1] == "type"}
    left = entrances(tree)
    rows = [
        Row(name, item, were[item], reasons(change), not any(applications(item) & each for each in left))
        for item, change in closed.items()
    ]
    said = {finding.object: finding.message for finding in outcome.findings}
    return Found(
        rows, [(item, reasons(held.get(item)) or (said.get(item, ""),)) for item in were if item not in closed]
    )


def type_of(item: Object) -> object:
    spec = item.data.get("spec")
    return spec.get("type") if isinstance(spec, dict) else None


def reasons(change: Change | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact.text for fact in change.edit.evidence)) if change is not None else ()


def applications(item: Object) -> frozenset[object]:
    """What the same kustomizations build, else what has the same namespace in the same folder."""
    builds, folder = item.tree.ask(Builds), os.path.dirname(item.piece.file.path)
    return builds.roots(item) or frozenset((folder, name) for name in builds.namespaces(item))


def entrances(tree: Tree) -> list[frozenset[object]]:
    """The applications of what is open as the run leaves the tree: public Services, Ingresses, routes, Gateways."""
    services = [item for item in tree.of("", "Service") if type_of(item) in PUBLIC]
    return [applications(item) for item in [*services, *(item for kind in OPENINGS for item in tree.of(*kind))]]


def is_for_insiders(row: Row) -> bool:
    return any(word in row.reasons[0] for word in FOR_INSIDERS)


@pytest.fixture(scope="module")
def table() -> list[Found]:
    for part in (("apps",), ("corpus",), ("truth", "cases")):
        shared(*part)
    return [look(name, folder) for name, folder in trees()]


@pytest.mark.slow
def test_each_service_that_is_closed_has_its_reason_and_is_no_sole_entrance(table: list[Found]) -> None:
    closed = [row for found in table for row in found.closed]
    assert closed, "these trees hold some that are for the inside"
    assert [str(row) for row in closed if not row.reasons] == []
    assert [str(row) for row in closed if row.sole and not is_for_insiders(row)] == []


@pytest.mark.slow
def test_each_service_that_stays_open_has_its_reason(table: list[Found]) -> None:
    left = [(item, why) for found in table for item, why in found.open]
    assert len(left) > 100
    assert [str(item) for item, why in left if not all(why)] == []


def test_the_count_sees_an_application_that_loses_its_entrance(tmp_path: Path) -> None:
    write(tmp_path, {"shop/web.yaml": WEB.replace("NAME", "shop"), "db/db.yaml": WEB.replace("NAME", "redis")})
    assert [row.service.name for row in look("t", tmp_path).closed] == ["redis"]
    rows = {row.service.name: row for row in look("t", tmp_path, "all").closed}
    assert {name: (row.sole, is_for_insiders(row)) for name, row in rows.items()} == {
        "redis": (True, True), "shop": (True, False),
    }  # fmt: skip
    write(tmp_path, {"shop/front.yaml": WEB.replace("NAME", "shop-front")})
    rows = {row.service.name: row for row in look("t", tmp_path, "all").closed}
    assert not rows["shop"].sole


if __name__ == "__main__":
    for name, folder in trees():
        for row in look(name, folder).closed:
            print(row)
