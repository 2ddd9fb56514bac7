"""Steps: applied, held back, refused or reported as one, and each of them accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring import registry
from hardener.authoring.edits import Evidence, Finding, Grade, Severity
from hardener.authoring.profile import Profile
from hardener.authoring.transform import Steps, Transform, transform
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.tree.core_views import Container, PodTemplate
from hardener.tree.tree import Tree
from tests.conftest import DEPLOYMENT, write

BODY = "A sentence.\n\nWhy: a reason.\n\nMay break: nothing."
Run = Callable[..., Outcome]


def declared(function: Callable[..., Any], each: type = Container, stage: str = "user", **options: Any) -> Transform:
    """``function`` as a transform."""
    function.__doc__ = BODY
    return transform(each=each, stage=stage, **options)(function).__transform__  # type: ignore[attr-defined,no-any-return]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run transforms on a file ``web.yaml`` in a folder of its own."""

    def running(text: str, *transforms: Transform, report: bool = False, gate: pipeline.Gate | None = None) -> Outcome:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(registry, "transforms", lambda: {item.id: item for item in transforms})
        write(tmp_path, {"web.yaml": text})
        tree = Tree.read([str(tmp_path)], root=str(tmp_path))
        return pipeline.run(tree, Profile("test", members={item.id: not report for item in transforms}), gate)

    return running


def tty(container: Container) -> Steps:
    yield container.set("tty", to=True, grade=Grade.SAFE)


def broken(container: Container) -> Steps:
    yield container.set("stdin", to=True, grade=Grade.BREAKING, evidence=[Evidence("it hurts")])


def mixed(container: Container) -> Steps:
    yield container.set("stdin", to=True, grade=Grade.SAFE)
    yield container.set("stdinOnce", to=True, grade=Grade.BREAKING)


def test_a_change_knows_its_lines_and_its_data(run: Run) -> None:
    outcome = run(DEPLOYMENT, declared(tty))
    (change,) = outcome.changes
    assert (change.line, change.new_line) == (13, 15)
    assert change.path[1:] == ("spec", "template", "spec", "containers", 0, "tty")
    assert outcome.files[0].text == DEPLOYMENT + "        tty: true\n"
    assert outcome.summary()["byRisk"] == {"K01": {"edits": 1, "held": 0, "findings": 0}}


@pytest.mark.parametrize(
    ("risk", "accepted", "applied"),
    [("safe", "", ["tty"]), ("review", "", ["tty"]), ("breaking", "", ["tty", "broken", "mixed", "mixed"]),
     ("safe", "broken", ["tty", "broken"]), ("review", "mixed", ["tty", "mixed", "mixed"])],
)  # fmt: skip
def test_a_step_is_let_through_whole_or_held_back_whole(risk: str, accepted: str, applied: list[str], run: Run) -> None:
    gate = pipeline.Gate(Grade(risk), frozenset(accepted.split()))
    outcome = run(DEPLOYMENT, declared(tty), declared(broken), declared(mixed), gate=gate)
    assert [change.transform.id for change in outcome.changes] == applied
    held = outcome.held
    assert {item.transform.id for item in held} == {"tty", "broken", "mixed"} - set(applied)
    assert all(item.grade == Grade.BREAKING and item.patch for item in held)
    text = outcome.files[0].text
    assert ("stdinOnce" in text) == ("mixed" in applied)


def test_a_report_only_transform_changes_nothing(run: Run) -> None:
    outcome = run(DEPLOYMENT, declared(tty), report=True)
    assert outcome.files == [] and outcome.changes == []
    (finding,) = outcome.findings
    assert finding.message.endswith("/containers/0/tty, since the profile only reports it")
    assert finding.line == 13


def test_findings_carry_their_place(run: Run) -> None:
    def finds(container: Container) -> Steps:
        yield container.finding("is bad", "image", advice="do better", severity=Severity.HIGH)

    (finding,) = run(DEPLOYMENT, declared(finds)).findings
    assert (finding.line, finding.severity, str(finding.object)) == (14, "high", "Deployment/web")


def test_a_pod_of_the_wrong_shape_is_one_finding(run: Run) -> None:
    def looks(pod: PodTemplate) -> Steps:
        yield pod.set("hostPID", to=False, grade=Grade.SAFE)
        assert pod.containers

    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: {a: b}\n"
    outcome = run(text, declared(looks, PodTemplate), declared(tty), declared(broken))
    assert [finding.id for finding in outcome.findings] == ["not-valid-kubernetes"]
    assert "spec.containers" in outcome.findings[0].message
    assert outcome.changes == [] and outcome.files == []


def test_an_opaque_value_is_one_finding_and_stops_only_the_step(run: Run) -> None:
    def first(container: Container) -> Steps:
        yield container.set("tty", to=container.get("stdin"), grade=Grade.SAFE)

    def second(container: Container) -> Steps:
        container.get("stdin")
        yield container.set("tty", to=True, grade=Grade.SAFE)

    text = DEPLOYMENT + "        stdin: ${STDIN}\n"
    outcome = run(text, declared(first), declared(second), declared(broken), gate=pipeline.Gate(Grade.BREAKING))
    assert [finding.id for finding in outcome.findings] == ["opaque-value"]
    assert "${STDIN}" in outcome.findings[0].message


def test_an_edit_of_a_value_of_the_wrong_shape_is_a_finding(run: Run) -> None:
    def deep(container: Container) -> Steps:
        yield container.set("securityContext", "capabilities", to={}, grade=Grade.SAFE)

    outcome = run(DEPLOYMENT + "        securityContext: [a]\n", declared(deep))
    assert [finding.id for finding in outcome.findings] == ["not-valid-kubernetes"]
    assert outcome.files == []


def test_what_cannot_be_proved_is_refused_with_its_edits_and_its_neighbours_are_written(run: Run) -> None:
    tagged = DEPLOYMENT.replace("web", "two") + "        tty: !!bool false\n"
    outcome = run(tagged + "---\n" + DEPLOYMENT, declared(tty))
    (refused,) = outcome.refused
    assert refused.edits == 1 and "tag" in refused.reason
    assert [str(change.object) for change in outcome.changes] == ["Deployment/web"]
    assert outcome.files[0].text == tagged + "---\n" + DEPLOYMENT + "        tty: true\n"


def test_an_alias_changes_with_its_anchor(run: Run) -> None:
    shared = DEPLOYMENT.replace("- name: web  # the only one", "- &c\n        name: web") + "      - *c\n"

    def first_only(container: Container) -> Steps:
        if container.path[-1] == 0:
            yield container.append("args", value="a", grade=Grade.SAFE)
            yield container.append("args", value="b", grade=Grade.SAFE)

    outcome = run(shared, declared(first_only))
    assert outcome.refused == []
    assert outcome.files[0].text == shared.replace(
        "      - *c\n", "        args:\n        - a\n        - b\n      - *c\n"
    )


def test_a_later_step_sees_what_an_earlier_one_did(run: Run) -> None:
    def second(container: Container) -> Steps:
        assert container.get("tty") is True
        yield container.set("tty", to=False, grade=Grade.SAFE)

    outcome = run(DEPLOYMENT, declared(tty), declared(second))
    assert outcome.files[0].text == DEPLOYMENT + "        tty: false\n"


def test_lines_are_those_of_the_items_meant_when_others_came_or_went(run: Run) -> None:
    names = "".join(f"        - name: {name}\n" for name in "ABCD")
    text = DEPLOYMENT + "        env:\n" + names  # A stands on line 16

    def moves(container: Container) -> Steps:
        yield container.drop("env", 1, grade=Grade.SAFE)
        yield container.insert("env", 3, value={"name": "X"}, grade=Grade.SAFE)

    def values(container: Container) -> Steps:  # of A, C, X, D
        for index in range(4):
            yield container.set("env", index, "value", to=str(index), grade=Grade.SAFE)

    def finds(container: Container) -> Steps:
        for index in range(4):
            message = str(container.get("env", index, "name"))
            yield container.finding(message, "env", index, advice="look", severity=Severity.LOW)

    def held(container: Container) -> Steps:
        for index in range(4):
            yield container.set("env", index, "name", to=str(index), grade=Grade.BREAKING)

    outcome = run(text, *map(declared, (moves, values, finds, held)))
    assert [change.line for change in outcome.changes if change.transform.id == "values"] == [16, 18, 19, 19]
    assert [finding.line for finding in outcome.findings] == [16, 18, 19, 19]
    assert [change.line for step in outcome.held for change in step.changes] == [16, 18, 19, 19]
    new = outcome.files[0].text.splitlines()
    assert [new[change.new_line - 1].strip() for change in outcome.changes[2:]] == [f'value: "{i}"' for i in range(4)]


def test_steps_that_undo_each_other_change_no_file(run: Run) -> None:
    def second(container: Container) -> Steps:
        yield container.drop("tty", grade=Grade.SAFE)

    assert run(DEPLOYMENT, declared(tty), declared(second)).files == []


def test_only_editable_files_are_changed_and_counted(run: Run) -> None:
    outcome = run(DEPLOYMENT, declared(tty))
    assert outcome.summary()["files"] == 1 and outcome.summary()["documents"] == 1


def test_a_generator_that_raises_is_not_swallowed(run: Run) -> None:
    def raises(container: Container) -> Iterator[Finding]:
        raise LookupError("x")

    with pytest.raises(LookupError):
        run(DEPLOYMENT, declared(raises))


def test_objects_that_render_elsewhere_name_the_way(run: Run) -> None:
    heads = {
        "helm.toolkit.fluxcd.io/v2": ("HelmRelease", "helm template"),
        "argoproj.io/v1alpha1": ("Application", "argocd app manifests"),
        "kustomize.toolkit.fluxcd.io/v1": ("Kustomization", "flux build kustomization"),
    }
    for version, (kind, way) in heads.items():
        outcome = run(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{}}\n", declared(tty))
        assert [finding.id for finding in outcome.findings] == ["renders-elsewhere"]
        assert way in outcome.findings[0].advice and "harden filter" in outcome.findings[0].advice


def test_many_documents_come_out_of_several_processes_as_of_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from hardener.engine import assemble_files

    text = "---\n".join(DEPLOYMENT.replace("web", f"web{number}") for number in range(40))
    alone = run(text, declared(tty))
    monkeypatch.setattr(assemble_files, "POOL_FROM", 2)
    together = run(text, declared(tty))
    assert alone.files[0].text == together.files[0].text != text
    assert [(c.line, c.new_line, c.path) for c in alone.changes] == [
        (c.line, c.new_line, c.path) for c in together.changes
    ]


def test_an_item_of_a_list_on_one_line_can_go(run: Run) -> None:
    def drops(container: Container) -> Steps:
        yield container.drop("args", 0, grade=Grade.SAFE)

    outcome = run(DEPLOYMENT + "        args: [a, b]\n", declared(drops))
    assert outcome.refused == []
    assert outcome.files[0].text == DEPLOYMENT + "        args: [b]\n"


def test_what_an_earlier_step_of_the_same_call_removed_is_not_removed_again(run: Run) -> None:
    def twice(container: Container) -> Steps:
        yield [container.drop("image", grade=Grade.SAFE)]
        yield [container.set("tty", to=True, grade=Grade.SAFE), container.drop("image", grade=Grade.SAFE)]
        yield [container.drop("image", grade=Grade.SAFE)]

    outcome = run(DEPLOYMENT, declared(twice))
    assert [change.path[-1] for change in outcome.changes] == ["image", "tty"]
    assert "image:" not in outcome.files[0].text
