"""What is known of the trap charts is true: helm renders it, and harden wants it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import helm
from tests.charts.trap_charts import ABSENT, TRAPS, Place, Row, Trap
from tests.conftest import run

Objects = dict[str, Any]
Change = tuple[str, Place]

each_trap = pytest.mark.parametrize("trap", [trap for trap in TRAPS if trap.renders], ids=lambda trap: trap.name)


def each_helm(test: Callable[[Tried], None]) -> Callable[[Tried], None]:
    return pytest.mark.helm(pytest.mark.parametrize("major", helm.PACKAGES, ids="helm-{}".format)(test))


def newest_helm(test: Callable[[Tried], None]) -> Callable[[Tried], None]:
    """For what one helm says as well as another."""
    return pytest.mark.helm(pytest.mark.parametrize("major", [max(helm.PACKAGES)], ids="helm-{}".format)(test))


@dataclass
class Tried:
    """A trap as helm renders it and as harden wants it, both by "Kind/name", and the edits between."""

    trap: Trap
    folder: Path
    helm: helm.Helm
    text: str
    plain: Objects
    hardened: Objects
    changes: list[Change]

    def render(self, values: dict[str, Any]) -> Objects | None:
        """What these overrides make of it; None where helm refuses them."""
        (self.folder / "overrides.yaml").write_text(json.dumps(values), encoding="utf-8")
        done = self.helm("template", "app", "chart", "-f", "overrides.yaml", cwd=self.folder)
        return objects(done.stdout) if done.returncode == 0 else None

    def steady(self, found: Objects) -> Objects:
        """``found`` without what differs from render to render."""
        found = copy.deepcopy(found)
        for name, path in self.trap.varies:
            parent = at(found.get(name), path[:-1])
            if isinstance(parent, dict):
                parent.pop(path[-1], None)
        return found

    def row(self, change: Change) -> Row | None:
        """The row that tells of a change."""
        name, path = change
        rows = [row for row in self.trap.rows if row.object == name and path[: len(row.path)] == row.path]
        return max(rows, key=lambda row: len(row.path), default=None)


@pytest.fixture
def tried(trap: Trap, major: int, tmp_path: Path) -> Tried:
    trap.write(tmp_path / "chart")
    run_helm = helm.Helm(helm.program(major), tmp_path / "homes")
    done = run_helm("template", "app", "chart", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    filtered = run(
        "filter", "--max-grade", "guess", "--report", "report.json", cwd=tmp_path, stdin=done.stdout.encode()
    )
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    changes = [
        (f"{each['object']['kind']}/{each['object']['name']}", tuple(each["path"])) for each in report["changes"]
    ]
    return Tried(trap, tmp_path, run_helm, done.stdout, objects(done.stdout), objects(filtered.out), changes)


def objects(text: str) -> Objects:
    return {f"{item['kind']}/{item['metadata']['name']}": item for item in yaml.safe_load_all(text) if item}


def at(data: Any, path: Place) -> Any:
    for part in path:
        if isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        elif isinstance(data, dict) and part in data:
            data = data[part]
        else:
            return ABSENT
    return data


def put(data: Any, path: Place, value: Any) -> None:
    for part in path[:-1]:
        data = data.setdefault(part, {}) if isinstance(data, dict) else data[part]
    data[path[-1]] = value


@newest_helm
@each_trap
def test_the_rows_tell_of_every_edit(tried: Tried) -> None:
    told = [tried.row(change) for change in tried.changes]
    assert [change for change, row in zip(tried.changes, told, strict=True) if row is None] == []
    assert [row for row in tried.trap.rows if row not in told] == [], "harden wants nothing there"


@pytest.mark.sampled(2)
@each_helm
@each_trap
def test_the_keys_bring_the_edits_and_nothing_else(tried: Tried) -> None:
    values: dict[str, Any] = {}
    expected = copy.deepcopy(tried.plain)
    for change in tried.changes:
        row = tried.row(change)
        if row is None or row.key is None:
            continue
        rest = change[1][len(row.path) :]
        rest = rest[: next((i for i, part in enumerate(rest) if isinstance(part, int)), len(rest))]
        decided = at(tried.hardened[change[0]], (*row.path, *rest))
        put(
            values, (*row.key, *rest) if row.value is ABSENT else row.key, decided if row.value is ABSENT else row.value
        )
        put(expected[change[0]], (*row.path, *rest), decided)
    rendered = tried.render(values)
    assert rendered is not None, values
    assert tried.steady(rendered) == tried.steady(expected)


@pytest.mark.sampled(2)
@each_helm
@each_trap
def test_what_must_not_be_overridden_is_wrong(tried: Tried) -> None:
    right = []
    for never in tried.trap.never:
        values: dict[str, Any] = {}
        put(values, never.key, never.value)
        rendered = tried.render(values)
        if rendered is None:
            continue
        places = list(differences(tried.steady(tried.plain), tried.steady(rendered)))
        if places and all(at(rendered, place) == at(tried.hardened, place) for place in places):
            right.append(never)
    assert right == []


def differences(one: Any, other: Any, path: Place = ()) -> Iterator[Place]:
    """The places that differ: the innermost that both have, or one that only one of them has, as a whole where it is an
    item of a list, and otherwise what is in it."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            below = one.get(key, {} if isinstance(other.get(key), dict) else ABSENT)
            yield from differences(below, other.get(key, ABSENT), (*path, key))
    elif isinstance(one, list) and isinstance(other, list):
        for i in range(max(len(one), len(other))):
            if i < min(len(one), len(other)):
                yield from differences(one[i], other[i], (*path, i))
            else:
                yield (*path, i)
    elif one != other:
        yield path


def test_differences_are_found() -> None:
    one = {"a": {"b": 1, "c": [1, {"d": 1}]}, "e": 1}
    other = {"a": {"b": 1, "c": [1, {"d": 2}, {"f": {}}]}, "g": {"h": 1}}
    assert set(differences(one, other)) == {("a", "c", 1, "d"), ("a", "c", 2), ("e",), ("g", "h")}


@newest_helm
@each_trap
def test_what_is_left_names_its_template(tried: Tried) -> None:
    sources: dict[str, str] = {}
    for piece in tried.text.split("\n---\n"):
        source = piece.partition("# Source: ")[2].partition("\n")[0]
        sources |= dict.fromkeys(objects(piece), source)
    left = {row.object: f"shop/{row.template}" for row in tried.trap.rows if row.key is None}
    assert left == {name: sources[name] for name in left}


@pytest.mark.sampled(2)
@each_helm
@each_trap
def test_what_varies_does(tried: Tried) -> None:
    again = tried.render({})
    assert again is not None
    for name, path in tried.trap.varies:
        assert at(again[name], path) != at(tried.plain[name], path)
    assert tried.steady(again) == tried.steady(tried.plain)


def test_every_trap_has_a_name_of_its_own_and_a_sentence() -> None:
    names = {trap.name for trap in TRAPS}
    assert len(names) == len(TRAPS) >= 20
    assert all(trap.says.endswith(".") for trap in TRAPS)
    assert all(bool(row.key) != bool(row.template) for trap in TRAPS for row in trap.rows)
