"""What an expression starts is not known: nothing that could stop it is changed, and nothing about it is `safe`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hardener.authoring import profile
from hardener.authoring.edits import Grade
from hardener.engine import pipeline
from hardener.engine.outcome import Change, Outcome
from hardener.support.data_path import Path as Place
from hardener.tree.core_views import PodTemplate
from hardener.tree.tree import Tree

from ..conftest import ROOT, write
from .handed_in import handed_in
from .programs import PROGRAMS

FIXTURES = Path(__file__).parent / "fixtures"
# What of a pod may change whatever starts there: docker filters system calls by the same profile, the log of the last
# words is read and not written, and one of two names of the account goes.
HOLDS_FOR_ANY = re.compile(
    r"\.securityContext(\.seccompProfile(\.type)?)?|\.terminationMessagePolicy|\.serviceAccount\w*"
)


def texts() -> dict[str, str]:
    """Every program that the tests have, by name."""
    found = {str(path.relative_to(FIXTURES)): path.read_text("utf-8") for path in sorted(FIXTURES.rglob("*.py"))}
    for path in sorted((ROOT / "golden").rglob("*.py")):
        if "before" in path.parts:
            found[str(path.relative_to(ROOT))] = path.read_text("utf-8")
    return found | {f"programs: {name}": text for name, text in PROGRAMS.items()}


TEXTS = texts()


def ran(text: str, folder: Path, of: str = "restricted") -> Outcome:
    write(folder, {"program.py": text})
    return pipeline.run(Tree.read([str(folder)], root=str(folder)), profile.load(of))


def of_pods(outcome: Outcome) -> list[tuple[Change, PodTemplate]]:
    """The changes of the pods that the programs make, each with its pod."""
    pods = [*outcome.tree.pod_templates, *(pod for item in outcome.tree.fragments for pod in item.pods)]
    return [
        (change, pod)
        for change in outcome.changes
        for pod in pods
        if change.object.piece is pod.object.piece and change.path[: len(pod.path)] == pod.path
    ]


def runs_as_numbers(pod: PodTemplate, place: Place) -> bool:
    """Whether each container that ``runAsNonRoot`` at ``place`` reaches runs as a number that a person wrote."""
    below = place[len(pod.path) :]
    reached = [*pod.data.get("initContainers", ()), *pod.data["containers"]]
    if below[0] != "securityContext":
        reached = [pod.data[str(below[0])][below[1]]]
    of_pod = pod.data.get("securityContext", {}).get("runAsUser")
    return all(isinstance(each, dict) and each.get("securityContext", {}).get("runAsUser", of_pod) for each in reached)


@pytest.mark.parametrize("of", ["restricted", "strict"])
@pytest.mark.parametrize("name", TEXTS)
def test_nothing_stops_an_image_that_comes_from_outside(name: str, of: str, tmp_path: Path) -> None:
    text, count = handed_in(TEXTS[name])
    if not count:
        pytest.skip("it names no image")
    wrong = []
    for change, pod in of_pods(ran(text, tmp_path, of)):
        place = "".join(f".{part}" for part in change.path[len(pod.path) :])
        if change.edit.grade is Grade.SAFE:
            wrong.append(f"{change.transform.id} {place} is safe")
        if place.endswith(".runAsNonRoot") and change.after is True and runs_as_numbers(pod, change.path):
            continue  # whatever it is, that stays
        if not re.search(rf"({HOLDS_FOR_ANY.pattern})$", place) or "runAs" in str(change.after):
            wrong.append(f"{change.transform.id} {place}: {change.after}")
    assert wrong == []


def test_images_are_handed_in_everywhere() -> None:
    counts = {name: handed_in(text)[1] for name, text in TEXTS.items()}
    assert sum(counts.values()) > 120
    assert len([name for name, count in counts.items() if count]) > 60
