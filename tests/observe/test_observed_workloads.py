"""``harden observe`` over workloads whose outcome is known beforehand; then what ``harden apply`` makes of it.

An ordinary run takes a few of them; ``HARDEN_OBSERVE=all`` takes all.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import workloads as known
from .ground import ALL, Ground
from .workloads import Seen, Workload

Map = dict[str, Any]
CHOSEN = [one for one in known.WORKLOADS if ALL or one.name in known.SHORT]
RUNNING = [one for one in CHOSEN if one.state in ("held", "partly")]
SECONDS = 4 if ALL else 2


class Observed:
    """One tree with all of them: what was seen of it, what ``harden apply`` makes of it, and what was seen of that."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self._ground = ground
        self.folder = folder
        names = [name for one in CHOSEN for name in one.images]
        exercises = {one.name: one.exercise for one in CHOSEN if one.exercise}
        ground.tree(folder, {f"{one.name}.yaml": one.manifests for one in CHOSEN}, names, exercises)
        self.said = ground.observe(folder, seconds=SECONDS)

    @cached_property
    def safe(self) -> dict[str, Map]:
        """The pods by the names of their workloads, with what is safe."""
        return _hardened(self._ground, self.folder, "--max-grade", "safe")

    @cached_property
    def again(self) -> dict[str, Map]:
        """What was seen once more, with all that is made without a further word."""
        assert self.safe
        _hardened(self._ground, self.folder)
        return self._ground.observe(self.folder, seconds=SECONDS)


@pytest.fixture(scope="module")
def observed(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    return Observed(ground, tmp_path_factory.mktemp("observed"))


def _shown(container: Map, wanted: Seen) -> Map:
    """What ``container`` has of what ``wanted`` says."""
    found: Map = {"user": container["user"], "token": container["token"]}
    for key in ("wrote", "occupied", "listens", "connects", "capabilities"):
        found[key] = tuple(sorted(container[key]))
    return {key: value for key, value in found.items() if getattr(wanted, key) is not None}


def _wanted(wanted: Seen) -> Map:
    values = {key: getattr(wanted, key) for key in wanted.__dataclass_fields__}
    return {key: value for key, value in values.items() if value is not None}


@pytest.mark.parametrize("workload", CHOSEN, ids=lambda one: one.name)
def test_the_outcome_is_the_known_one(observed: Observed, workload: Workload) -> None:
    own = observed.said[workload.name]
    assert own["state"] == workload.state, own
    assert workload.reason in (own["reason"] or ""), own
    failed = {tuple(sorted(one["changes"])): one["because"] for one in own["failed"]}
    assert failed.keys() == {tuple(sorted(changes)) for changes in workload.failed}, failed
    for changes, line in workload.failed.items():
        assert line in failed[tuple(sorted(changes))]
    assert set(workload.held) <= set(own["held"]), own
    assert not set(workload.unheld) & set(own["held"]), own
    doubts = [doubt for one in own["containers"] for doubt in one["doubts"]]
    assert len(doubts) == len(workload.doubts) and all(map(str.startswith, doubts, workload.doubts)), own
    containers = {one["name"]: one for one in own["containers"]}
    for name, wanted in workload.known.items():
        assert _shown(containers[name], wanted) == _wanted(wanted)
        assert 0 < containers[name]["memory"] < 2**31
        if "drop-capabilities" in own["held"]:
            assert tuple(containers[name]["needs"]) == workload.needs
    assert own["runs"] <= workload.most_runs, own


def _failed(workload: Workload) -> set[str]:
    return {change for changes in workload.failed for change in changes}


@pytest.mark.parametrize("workload", RUNNING, ids=lambda one: one.name)
def test_what_held_is_safe_and_nothing_else_is(observed: Observed, workload: Workload) -> None:
    read_only = [
        container.get("securityContext", {}).get("readOnlyRootFilesystem", False)
        for container in observed.safe[workload.name]["containers"]
    ]
    assert all(read_only) == (known.READ_ONLY not in _failed(workload) and not workload.doubts)


@pytest.mark.skipif(not ALL, reason="runs all once more: HARDEN_OBSERVE=all")
@pytest.mark.parametrize("workload", RUNNING, ids=lambda one: one.name)
def test_what_apply_makes_of_it_runs(observed: Observed, workload: Workload) -> None:
    """Not one of the changes that did not hold is made."""
    again = observed.again[workload.name]
    assert again["state"] in ("held", "partly"), again["reason"]
    assert {change for one in again["failed"] for change in one["changes"]} <= _failed(workload), again["failed"]


def _hardened(ground: Ground, folder: Path, *words: str) -> dict[str, Map]:
    """The pods of ``folder`` by the names of their workloads, after ``harden apply``."""
    done = ground.harden("apply", ".", "--yes", *words, cwd=folder)
    assert done.status == 0, done.all
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if document and "template" in document.get("spec", {}):
                found[document["metadata"]["name"]] = document["spec"]["template"]["spec"]
    return found


def test_nothing_of_a_secret_is_said(ground: Ground, tmp_path: Path) -> None:
    if not ALL:
        pytest.skip("HARDEN_OBSERVE=all")
    (workload,) = (one for one in known.WORKLOADS if one.name == "database")
    folder = ground.tree(tmp_path / "tree", {"database.yaml": workload.manifests}, workload.images)
    done = ground.harden("observe", ".", "--seconds", "4", cwd=folder)
    assert done.status == 0, done.all
    assert "not-a-word-in-any-log" not in done.all + (folder / "harden.lock").read_text(encoding="utf-8")
