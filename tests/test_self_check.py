"""The self-check: a step that breaks a rule of Kubernetes is found, rolled back alone, and said to be our bug."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring import profile, registry
from hardener.authoring.edits import Create, Edit, Grade
from hardener.authoring.transform import Steps, Transform, transform
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.engine.targets import Targets
from hardener.report.context import Context
from hardener.report.redactor import Redactor
from hardener.report.terminal.whole_report import WholeReport
from hardener.sources import yaml
from hardener.tree.core_views import Container, Object, PodTemplate
from hardener.tree.tree import Settings, Tree
from tests.conftest import CORPUS, shared, write
from tests.naive_edits import APP, NAIVE, RIGHT, SETTINGS, SPEC, Naive, Op, deployment

BODY = "A sentence.\n\nWhy: a reason.\n\nMay break: nothing."
Run = Callable[..., Outcome]


def declared(function: Callable[..., Any], each: type = Object, stage: str = "user") -> Transform:
    """``function`` as a transform."""
    function.__doc__ = BODY
    return transform(each=each, stage=stage)(function).__transform__  # type: ignore[attr-defined,no-any-return]


def making(name: str, *ops: Op, grade: Grade = Grade.SAFE, stage: str = "user", kind: str | None = None) -> Transform:
    """A transform called ``name`` that makes ``ops`` on the first object of the tree, or on every ``kind``."""

    def function(item: Object) -> Steps:
        if item.kind != kind if kind else item is not item.tree.objects[0]:
            return
        for op, path, *value in ops:
            if op == "set":
                yield item.set(*path, to=value[0], grade=grade)
            elif op == "append":
                yield item.append(*path, value=value[0], grade=grade)
            else:
                yield item.drop(*path, grade=grade)

    function.__name__ = name
    return declared(function, stage=stage)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run transforms on a file ``web.yaml`` in a folder of its own; those of ``Object`` visit all of them."""
    targets = Targets.of

    def objects(own: Targets, each: type) -> Any:
        return list(own.tree.objects) if each is Object else targets(own, each)

    def running(text: str, *transforms: Transform, version: tuple[int, int] = (1, 35)) -> Outcome:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(Targets, "of", objects)
        monkeypatch.setattr(registry, "transforms", lambda: {item.id: item for item in transforms})
        write(tmp_path, {"web.yaml": text})
        workspace = Tree.read([str(tmp_path)], root=str(tmp_path), settings=Settings(version))
        members = {item.id: True for item in transforms}
        return pipeline.run(workspace, profile.Profile("test", members=members), pipeline.Gate())

    return running


def written(outcome: Outcome) -> list[Any]:
    """The documents of ``web.yaml`` as they are after the run."""
    text = next((file.text for file in outcome.files if file.file.name == "web.yaml"), None)
    return [
        document
        for segment in yaml.segments(text if text is not None else Path("web.yaml").read_text())
        for document in yaml.parse(segment.text).documents
    ]


def rolled_back(outcome: Outcome) -> list[str]:
    return [item.step for item in outcome.refused if item.step]


def at(value: Any, *path: str | int) -> Any:
    for part in path:
        value = value[part]
    return value


BEFORE = making("before", ("set", ("metadata", "labels", "before"), "yes"), stage="exposure")
AFTER = making("after", ("set", ("metadata", "labels", "after"), "yes"), stage="labels")


@pytest.mark.parametrize("naive", NAIVE, ids=str)
def test_a_naive_step_is_rolled_back_alone(naive: Naive, run: Run) -> None:
    text = naive.document + (f"---\n{naive.beside}" if naive.beside else "")
    outcome = run(text, BEFORE, making("naive", *naive.ops), AFTER, version=naive.version)
    (refused,) = outcome.refused
    assert (refused.step, refused.edits) == ("naive", len(naive.ops))
    assert refused.reason.startswith(f"our bug: naive would break rule {naive.rule}: ")
    assert refused.reason.endswith("; please report it")
    assert [change.transform.id for change in outcome.changes] == ["before", "after"]
    expected = yaml.parse(naive.document).documents[0]
    expected["metadata"].setdefault("labels", {}).update(before="yes", after="yes")
    assert written(outcome)[0] == expected


@pytest.mark.parametrize("right", RIGHT, ids=str)
def test_what_is_right_stays(right: Naive, run: Run) -> None:
    text = right.document + (f"---\n{right.beside}" if right.beside else "")
    outcome = run(text, making("right", *right.ops), version=right.version)
    assert outcome.refused == []
    assert len(outcome.changes) == len(right.ops)


PRIVILEGED = deployment(", securityContext: {privileged: true}", ", volumes: [{name: a, emptyDir: {}}]")
NO_ESCALATION = ("set", (*SETTINGS, "allowPrivilegeEscalation"), False)
THREE = ", volumes: [{name: a, emptyDir: {}}, {name: b, emptyDir: {}}, {name: c, emptyDir: {}}]"
TMP = ("append", (*SPEC, "volumes"), {"name": "tmp", "emptyDir": {}})


def test_what_was_broken_before_is_not_ours(run: Run) -> None:
    text = deployment(", securityContext: {privileged: true, allowPrivilegeEscalation: false}")
    outcome = run(text, AFTER)
    assert outcome.refused == [] and len(outcome.changes) == 1


def test_what_was_broken_before_stays_so_when_items_go(run: Run) -> None:
    text = deployment(pod=", volumes: [{name: a, emptyDir: {}}, {name: b}]")
    outcome = run(text, making("dropping", ("drop", (*SPEC, "volumes", 0))))
    assert outcome.refused == [] and len(outcome.changes) == 1


def test_a_step_is_not_blamed_for_what_a_later_one_completes(run: Run) -> None:
    mount = making("mount", ("append", (*APP, "volumeMounts"), {"name": "tmp", "mountPath": "/tmp"}))
    outcome = run(PRIVILEGED, mount, making("volume", TMP, stage="filesystem"))
    assert outcome.refused == [] and len(outcome.changes) == 2


def test_of_two_steps_the_later_one_breaks_it(run: Run) -> None:
    first = making("first", NO_ESCALATION)
    second = making("second", ("set", (*SETTINGS, "privileged"), True), stage="seccomp")
    outcome = run(deployment(", securityContext: {privileged: false}"), first, second)
    assert rolled_back(outcome) == ["second"]
    assert at(written(outcome)[0], *SETTINGS) == {"privileged": False, "allowPrivilegeEscalation": False}


def test_numbers_that_a_new_mapping_leaves_out_are_missed_without_another_step(run: Run) -> None:
    less = making("less", ("set", (*APP, "resources"), {"limits": {"memory": "64Mi"}}))
    outcome = run(deployment(", resources: {limits: {memory: 64Mi, cpu: '1'}}"), less)
    assert rolled_back(outcome) == ["less"] and "rule 19" in outcome.refused[0].reason


def test_several_steps_are_rolled_back_one_after_the_other(run: Run) -> None:
    wrong = [making(f"wrong_{name}", *ops) for name, ops in {
        "a": (NO_ESCALATION,), "b": (("set", (*SPEC, "serviceAccountName"), "gone"),),
        "c": (("append", (*APP, "volumeMounts"), {"name": "no", "mountPath": "/no"}),)}.items()]  # fmt: skip
    outcome = run(PRIVILEGED, BEFORE, *wrong, AFTER)
    assert sorted(rolled_back(outcome)) == ["wrong-a", "wrong-b", "wrong-c"]
    assert [change.transform.id for change in outcome.changes] == ["before", "after"]


def test_a_step_is_rolled_back_whole(run: Run) -> None:
    outcome = run(PRIVILEGED, making("wide", NO_ESCALATION, TMP, ("set", ("spec", "replicas"), 2)))
    assert [(item.step, item.edits) for item in outcome.refused] == [("wide", 3)]
    assert outcome.changes == [] and outcome.files == []


def test_only_the_object_that_breaks_it_loses_the_step(run: Run) -> None:
    """Each target is a step of its own: the other document keeps it."""

    def no_escalation(container: Container) -> Steps:
        yield container.set("securityContext", "allowPrivilegeEscalation", to=False, grade=Grade.SAFE)

    outcome = run(f"{PRIVILEGED}---\n{deployment()}", declared(no_escalation, Container))
    assert rolled_back(outcome) == ["no-escalation"]
    one, other = written(outcome)
    assert at(one, *SETTINGS) == {"privileged": True}
    assert at(other, *SETTINGS) == {"allowPrivilegeEscalation": False}


def test_items_of_a_list_are_told_apart(run: Run) -> None:
    indented = [f"- {text.replace(chr(10), chr(10) + '  ').rstrip()}\n" for text in (PRIVILEGED, deployment())]
    everywhere = making("everywhere", NO_ESCALATION, kind="Deployment")
    outcome = run("apiVersion: v1\nkind: List\nitems:\n" + "".join(indented), everywhere)
    assert rolled_back(outcome) == ["everywhere"]
    (change,) = outcome.changes
    assert change.path[:3] == (0, "items", 1)
    assert at(written(outcome)[0], "items", 0, *SETTINGS) == {"privileged": True}
    assert at(written(outcome)[0], "items", 1, *SETTINGS) == {"allowPrivilegeEscalation": False}


def test_an_anchor_breaks_what_its_alias_stands_in(run: Run) -> None:
    """One text, two items: right where it is written, wrong where it is repeated."""
    text = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: a}
  spec:
    containers:
    - name: app
      image: example.com/app:1
      securityContext: &settings
        runAsUser: 5
- apiVersion: v1
  kind: Pod
  metadata: {name: b}
  spec:
    hostUsers: false
    containers:
    - name: app
      image: example.com/app:1
      securityContext: *settings
"""
    large = making("large", ("set", ("spec", "containers", 0, "securityContext", "runAsUser"), 100000), kind="Pod")
    outcome = run(text, large, AFTER)
    assert rolled_back(outcome) == ["large", "large"]  # of each Pod
    assert "rule 34" in outcome.refused[0].reason
    assert [change.transform.id for change in outcome.changes] == ["after"]


# What builds on a step that goes.


def test_an_item_behind_one_that_goes_moves_up(run: Run) -> None:
    bad = making("bad", ("append", (*SPEC, "volumes"), {"name": "bad"}))
    outcome = run(PRIVILEGED, bad, making("good", TMP, stage="filesystem"))
    assert rolled_back(outcome) == ["bad"]
    (change,) = outcome.changes
    assert (change.step, change.path[-2:]) == (0, ("volumes", 1))
    assert at(written(outcome)[0], *SPEC, "volumes", 1) == {"name": "tmp", "emptyDir": {}}


def test_what_was_put_into_an_item_that_goes_goes_too(run: Run) -> None:
    bad = making("bad", ("append", (*SPEC, "volumes"), {"name": "bad"}))
    inner = making("inner", ("set", (*SPEC, "volumes", 1, "name"), "worse"), stage="filesystem")
    outcome = run(PRIVILEGED, bad, inner, AFTER)
    assert rolled_back(outcome) == ["bad", "inner"]
    assert "inner builds on bad" in outcome.refused[1].reason
    assert [change.transform.id for change in outcome.changes] == ["after"]


def test_an_index_that_means_another_item_again_is_not_used(run: Run) -> None:
    text = deployment(", volumeMounts: [{name: a, mountPath: /a}]", THREE)
    bad = making("bad", ("drop", (*SPEC, "volumes", 0)))
    sized = making("sized", ("set", (*SPEC, "volumes", 1, "emptyDir", "sizeLimit"), "1Gi"), stage="filesystem")
    outcome = run(text, bad, sized, AFTER)
    assert rolled_back(outcome) == ["bad", "sized"]
    assert at(written(outcome)[0], *SPEC, "volumes") == at(yaml.parse(text).documents[0], *SPEC, "volumes")


def test_an_index_before_an_item_that_comes_back_is_used(run: Run) -> None:
    text = deployment(", volumeMounts: [{name: c, mountPath: /c}]", THREE)
    bad = making("bad", ("drop", (*SPEC, "volumes", 2)))
    good = making("good", ("drop", (*SPEC, "volumes", 0)), stage="filesystem")
    sized = making("sized", ("set", (*SPEC, "volumes", 0, "emptyDir", "sizeLimit"), "1Gi"), stage="resources")
    outcome = run(text, bad, good, sized)
    assert rolled_back(outcome) == ["bad"]
    assert at(written(outcome)[0], *SPEC, "volumes") == [
        {"name": "b", "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "c", "emptyDir": {}}]  # fmt: skip


def test_a_key_that_is_gone_cannot_be_dropped(run: Run) -> None:
    bad = making("bad", NO_ESCALATION, ("set", (*SETTINGS, "readOnlyRootFilesystem"), True))
    undo = making("undo", ("drop", (*SETTINGS, "readOnlyRootFilesystem")), stage="filesystem")
    outcome = run(PRIVILEGED, bad, undo, AFTER)
    assert rolled_back(outcome) == ["bad", "undo"]
    assert [change.transform.id for change in outcome.changes] == ["after"]


def test_what_a_later_step_replaced_is_told_as_it_is_now(run: Run) -> None:
    bad = making("bad", NO_ESCALATION, ("set", ("spec", "replicas"), 2))
    more = making("more", ("set", ("spec", "replicas"), 3), stage="filesystem")
    outcome = run(PRIVILEGED.replace("spec:\n", "spec:\n  replicas: 1\n", 1), bad, more)
    (change,) = outcome.changes
    assert (change.before, change.after) == (1, 3)


def test_held_back_steps_count_without_it(run: Run) -> None:
    bad = making("bad", NO_ESCALATION, ("append", (*SPEC, "volumes"), {"name": "bad", "emptyDir": {}}))
    held = making("held", TMP, stage="filesystem", grade=Grade.BREAKING)
    inner = making("inner", ("set", (*SPEC, "volumes", 1, "name"), "b"), stage="resources", grade=Grade.BREAKING)
    outcome = run(PRIVILEGED, bad, held, inner, AFTER)
    assert rolled_back(outcome) == ["bad", "inner"]
    (kept,) = outcome.held
    assert kept.patch == [{"op": "add", "path": "/spec/template/spec/volumes/-", "value": TMP[2]}]
    assert kept.changes[0].step == 0


def test_held_back_steps_are_not_checked(run: Run) -> None:
    outcome = run(PRIVILEGED, making("held", NO_ESCALATION, grade=Grade.BREAKING))
    assert outcome.refused == [] and len(outcome.held) == 1


# New objects.


def creating(name: str, spec: dict[str, Any], **metadata: Any) -> Transform:
    value = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
             "metadata": {"name": name, **metadata}, "spec": {"podSelector": {}, **spec}}  # fmt: skip

    def function(pod: PodTemplate) -> Iterator[Edit]:
        yield Create(
            piece=pod.object.piece, path=(), grade=Grade.SAFE, basis=pod.set("x", to=1, grade=Grade.SAFE).basis,
            topic="network", value=value,
        )  # fmt: skip

    function.__name__ = name
    return declared(function, PodTemplate, stage="network")


def test_a_new_object_that_is_wrong_is_not_made(run: Run, tmp_path: Path) -> None:
    write(tmp_path, {"kustomization.yaml": "resources:\n- web.yaml\n"})
    outcome = run(deployment(), creating("wrong", {}), AFTER)
    (refused,) = outcome.refused
    assert (refused.step, refused.file, refused.edits) == ("wrong", "harden-network.yaml", 2)
    assert [change.transform.id for change in outcome.changes] == ["after"]
    assert [file.file.name for file in outcome.files] == ["web.yaml"]
    assert not any(item.kind == "NetworkPolicy" for item in outcome.tree.objects)


def test_a_new_object_that_is_right_is_made(run: Run) -> None:
    outcome = run(deployment(), creating("right", {"policyTypes": ["Ingress"]}))
    assert outcome.refused == []
    assert [file.file.name for file in outcome.files] == ["harden-network.yaml"]


def test_a_new_file_is_made_whole_or_not_at_all(run: Run) -> None:
    outcome = run(deployment(), creating("wrong", {}), creating("right", {"policyTypes": ["Ingress"]}))
    assert rolled_back(outcome) == ["wrong", "right"]
    assert outcome.files == [] and outcome.changes == []


# All of it.


def test_the_counts_add_up_and_a_second_run_is_the_same(run: Run) -> None:
    steps = [BEFORE, making("bad", NO_ESCALATION, TMP), AFTER]
    outcome = run(PRIVILEGED, *steps)
    assert outcome.summary()["edits"] == 2
    assert sum(item.edits for item in outcome.refused) == 2
    again = run(outcome.files[0].text, *steps)
    assert rolled_back(again) == ["bad"]
    assert written(again) == written(outcome)


def test_the_report_says_what_was_rolled_back(run: Run) -> None:
    said: list[str] = []
    WholeReport(run(PRIVILEGED, making("bad", NO_ESCALATION), AFTER), Context(redactor=Redactor()), said.append).write()
    text = "".join(said)
    assert "\nRolled back: 1 step that would have broken something\n" in text
    assert "kept byte for byte" not in text
    assert "  web.yaml:8 our bug: bad would break rule 1: " in text and "(1 edit not made)" in text


def test_many_wrong_steps_cost_no_more_than_as_many_right_ones(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rolling back is linear: the text of a document is read once to find the steps, and once to make the rest."""
    texts: list[str] = []
    parse = yaml.parse

    def counting(text: str) -> Any:
        texts.append(text)
        return parse(text)

    count = 40
    items = "".join("- " + PRIVILEGED.replace("\n", "\n  ").rstrip() + "\n" for _ in range(count))
    listed = "apiVersion: v1\nkind: List\nitems:\n" + items
    monkeypatch.setattr("hardener.sources.manifests.yaml.parse", counting)
    outcome = run(listed, making("everywhere", NO_ESCALATION, kind="Deployment"))
    assert rolled_back(outcome) == ["everywhere"] * count
    assert texts.count(listed) < 10


@pytest.mark.sampled(4)
@pytest.mark.slow
@pytest.mark.parametrize(("number", "name"), [*enumerate(profile.BUILT_IN)])
@pytest.mark.parametrize(("place", "tree"), [*enumerate(CORPUS)])
def test_it_never_fires_on_the_corpus(place: int, tree: str, number: int, name: str) -> None:
    """Each tree with each profile; trees and profiles each meet both versions."""
    version = ((1, 28), (1, 35))[(place + number) % 2]
    root = str(shared("corpus", tree))
    workspace = Tree.read([root], root=root, settings=Settings(version))
    outcome = pipeline.run(workspace, profile.load(name), pipeline.Gate(Grade.BREAKING))
    assert outcome.changes
    assert [item.reason for item in outcome.refused if item.step] == []
