"""Whatever a tree holds: with images, commands and arguments that nobody knows, no change of a pod is called safe.

`HARDEN_TREES=all pytest tests/test_unknown_images.py` takes all trees beside the repository, which is some minutes;
else it is a sample of them, with the golden cases of every fourth transform of workloads.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardener.authoring import profile
from hardener.authoring.edits import Basis, Grade
from hardener.authoring.transform import name_of
from hardener.engine import pipeline
from hardener.engine.outcome import Change, Outcome
from hardener.tree.core_views import Container, PodTemplate
from hardener.tree.tree import Tree
from tests.conftest import ROOT, SHARED

pytestmark = pytest.mark.slow

# What does not depend on the program: the same value in another place or in another spelling, and what somebody wrote.
_SAME_IN_OTHER_WORDS = {"service-account-field", "resource-requests"}


def pod_specs(item: Any) -> Iterator[dict[str, Any]]:
    """The pod specs anywhere in ``item``."""
    if isinstance(item, dict):
        if isinstance(item.get("containers"), list):
            yield item
        for value in item.values():
            yield from pod_specs(value)
    elif isinstance(item, list):
        for value in item:
            yield from pod_specs(value)


def with_unknown_programs(documents: list[Any]) -> list[Any]:
    """``documents`` with each image, command and list of arguments replaced by one that nobody knows."""
    number = itertools.count()
    for document in documents:
        for spec in pod_specs(document):
            for container in (*spec["containers"], *(spec.get("initContainers") or [])):
                if isinstance(container, dict) and "image" in container:
                    container["image"] = f"registry.unknown.test/nobody/x{next(number)}:1"
                    container["command"], container["args"] = ["/opaque"], ["--opaque"]
    return documents


def copied(source: Path, folder: Path, *, unknown: bool) -> int:
    """Copy the manifests of ``source`` that can be read, rewritten; how many."""
    count = 0
    folders = sorted(source.iterdir())
    if source == ROOT / "golden" / "workload":  # a tree of the sample only
        folders = folders[::4]
    for path in sorted(source.rglob("*.y*ml")):
        if source / path.relative_to(source).parts[0] not in folders:
            continue
        try:
            documents = list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        found = with_unknown_programs(documents) if unknown else documents
        try:
            target.write_text(yaml.dump_all(found, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
        except yaml.YAMLError:
            continue
        count += 1
    return count


def hardened(folder: Path) -> Outcome:
    tree = Tree.read([str(folder)], root=str(folder))
    return pipeline.run(tree, profile.load("restricted"), forks=False)


def of_pods(changes: list[Change]) -> list[Change]:
    visited = {name_of(PodTemplate), name_of(Container)}
    return [change for change in changes if visited & {visit.view for visit in change.transform.visits}]


def trees() -> list[Path]:
    """The golden cases as they are before, and trees beside the repository, where they are there."""
    corpus = sorted((SHARED / "corpus").glob("*"))
    truth = sorted((SHARED / "truth" / "cases").glob("*/naked"))
    if os.environ.get("HARDEN_TREES") == "all":
        return [ROOT / "golden", *corpus, *truth]
    return [ROOT / "golden" / "workload", *corpus[1:2], *truth[::16]]


def named(path: Path) -> str:
    return path.relative_to(ROOT.parent).as_posix()


class Runs:
    """A tree hardened as it is, and with unknown programs. No outcome is printed: it would be larger than its tree."""

    def __init__(self, known: Outcome, unknown: Outcome) -> None:
        self.known, self.unknown = known, unknown

    def __repr__(self) -> str:
        return "Runs"


@pytest.fixture(scope="module", params=trees(), ids=named)
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    source = request.param
    known, unknown = (tmp_path_factory.mktemp(name) for name in ("known", "unknown"))
    if not (copied(source, known, unknown=False) and copied(source, unknown, unknown=True)):
        pytest.skip("no manifest that the plain parser reads")
    return Runs(hardened(known.resolve()), hardened(unknown.resolve()))


def unproved(outcome: Outcome) -> list[str]:
    """The safe changes of pods that rest on something else than what somebody wrote in the manifest."""
    return [
        f"{change.transform.id} {change.object}: {[fact.text for fact in change.evidence]}"
        for change in of_pods(outcome.changes)
        if change.edit.grade is Grade.SAFE
        and change.transform.id not in _SAME_IN_OTHER_WORDS
        and not (change.edit.basis is Basis.PROVED and all(fact.piece is not None for fact in change.evidence))
    ]


@pytest.mark.sampled(2)
def test_no_change_is_safe(runs: Runs) -> None:
    number = len(of_pods(runs.unknown.changes))
    assert number, "a tree with pods has something to harden"
    found = unproved(runs.unknown)
    assert found == []


_NUMBERS = ("runAsUser", "runAsGroup", "fsGroup", "resources", "cpu", "memory", "volumes", "volumeMounts", "add")


def values(outcome: Outcome) -> dict[tuple[str, str], str | bool]:
    """What stands where after ``outcome``, of single values that say how a pod is hardened."""
    return {
        (change.object.piece.file.name, str(change.path)): change.after
        for change in of_pods(outcome.changes)
        if isinstance(change.after, bool | str) and not set(map(str, change.path)) & set(_NUMBERS)
    }


@pytest.mark.sampled(2)
def test_what_is_written_is_no_weaker(runs: Runs) -> None:
    """Numbers and requests may differ; a setting that both get is the same."""
    known, unknown = values(runs.known), values(runs.unknown)
    different = [place for place in known.keys() & unknown if known[place] != unknown[place]]
    assert different == []


def stands(document: Any, path: tuple[Any, ...]) -> bool:
    for part in path:
        if isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        elif isinstance(document, dict) and part in document:
            document = document[part]
        else:
            return False
    return True


def of_this_run(outcome: Outcome) -> Iterator[str]:
    """The facts that point at something which does not stand in the file as it was read, or name the number that is
    chosen where none is known."""
    read: dict[int, Any] = {}
    changes = [*outcome.changes, *(change for held in outcome.held for change in held.changes)]
    for change in of_pods(changes):
        for fact in change.evidence:
            if change.transform.id not in ("run-as-user", "fs-group") and "65532" in fact.text:
                if "65532" not in change.object.piece.text and "image table" not in fact.text:
                    yield f"{change.transform.id}: {fact.text}"
            if fact.piece is None or fact.piece.is_new:
                continue
            if id(fact.piece) not in read:
                read[id(fact.piece)] = list(yaml.load_all(fact.piece.text, Loader=yaml.CSafeLoader))
            if not stands(read[id(fact.piece)], fact.path):
                yield f"{change.transform.id}: {fact.text} {fact.path}"


@pytest.mark.sampled(2)
def test_no_change_is_evidence_for_another(runs: Runs) -> None:
    found = [*of_this_run(runs.known), *of_this_run(runs.unknown)]
    assert found == []
