"""What a step may make beside edits of values: items inside lists, objects in the same file, files for hosts, and the
steps of a person around them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring import registry
from hardener.authoring.edits import Evidence, Grade
from hardener.authoring.profile import Profile
from hardener.authoring.transform import Steps, transform
from hardener.commands.write_files import write_files
from hardener.engine import pipeline
from hardener.engine.outcome import Outcome
from hardener.report.context import Context
from hardener.report.redactor import Redactor
from hardener.report.terminal.whole_report import WholeReport
from hardener.tree.core_views import Service
from hardener.tree.tree import Settings, Tree

from .conftest import write

Run = Callable[..., Outcome]
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
  # the first
  - port: 80
    name: http

  # the second
  - port: 443  # TLS
    name: https
"""
NEW = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
NEW_TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a function as a transform of Services on the tree of ``files``, and write what comes out."""

    def running(files: dict[str, str], function: Callable[..., Any], gate: pipeline.Gate | None = None) -> Outcome:
        monkeypatch.chdir(tmp_path)
        function.__doc__ = "A sentence.\n\nWhy: a reason.\n\nMay break: nothing."
        made = transform(each=Service, stage="exposure")(function).__transform__  # type: ignore[attr-defined]
        monkeypatch.setattr(registry, "transforms", lambda: {made.id: made})
        write(tmp_path, files)
        tree = Tree.read([str(tmp_path)], root=str(tmp_path), settings=Settings())
        outcome = pipeline.run(tree, Profile("test", members={made.id: True}), gate)
        write_files(outcome)
        return outcome

    return running


def text(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("index", "before", "lines"),
    [
        (0, "  # the first\n", ["  - port: 8080\n", "    name: new\n"]),
        (1, "  # the second\n", ["  - port: 8080\n", "    name: new\n"]),
        (2, "", ["  - port: 8080\n", "    name: new\n"]),
    ],
)
def test_an_item_goes_before_another_and_its_comments(
    run: Run, tmp_path: Path, index: int, before: str, lines: list[str]
) -> None:
    def step(service: Service) -> Steps:
        if len(service.items("spec", "ports")) == 2:
            yield service.insert("spec", "ports", index, value={"port": 8080, "name": "new"}, grade=Grade.SAFE)

    outcome = run({"web.yaml": SERVICE}, step)
    head, mark, rest = SERVICE.partition(before) if before else (SERVICE, "", "")
    if index == 1:  # the blank line before the comment belongs to it
        head, mark = head.removesuffix("\n"), "\n" + mark
    assert text(tmp_path / "web.yaml") == head + "".join(lines) + mark + rest
    (change,) = outcome.changes
    assert (change.path, change.before is change.after) == ((0, "spec", "ports", index), False)
    assert text(tmp_path / "web.yaml").splitlines()[change.new_line - 1] == "  - port: 8080"


def test_items_come_and_go_in_one_step(run: Run, tmp_path: Path) -> None:
    def step(service: Service) -> Steps:
        if service.get("spec", "ports", 0, "port") == 80:
            yield service.insert("spec", "ports", 1, value={"port": 1, "name": "p1"}, grade=Grade.SAFE)
            yield service.insert("spec", "ports", 1, value={"port": 2, "name": "p2"}, grade=Grade.SAFE)
            yield service.drop("spec", "ports", 0, grade=Grade.SAFE)

    run({"web.yaml": SERVICE}, step)
    ports = [item["port"] for item in Tree.from_text(text(tmp_path / "web.yaml")).objects[0].data["spec"]["ports"]]
    assert ports == [1, 2, 443]


def test_what_is_held_back_says_where_an_item_goes(run: Run) -> None:
    def step(service: Service) -> Steps:
        yield service.insert("spec", "ports", 1, value={"port": 1}, grade=Grade.BREAKING, evidence=[Evidence("x")])
        yield service.insert("spec", "ports", 1, value={"port": 2}, grade=Grade.BREAKING)
        yield service.drop("spec", "ports", 0, grade=Grade.BREAKING)

    (held,) = run({"web.yaml": SERVICE}, step).held
    assert held.patch == [
        {"op": "replace", "path": "/spec/ports", "value": [{"port": 1}, {"port": 2}, {"port": 443, "name": "https"}]}
    ]


@pytest.mark.parametrize(
    ("name", "given", "file", "expected"),
    [
        ("web.yaml", SERVICE, "web.yaml", f"{SERVICE}---\n{NEW_TEXT}"),
        ("web.yaml", SERVICE.rstrip("\n"), "web.yaml", f"{SERVICE}---\n{NEW_TEXT}"),
        (
            "web.yaml", SERVICE.replace("\n", "\r\n"), "web.yaml",
            f"{SERVICE}---\n{NEW_TEXT}".replace("\n", "\r\n"),
        ),
        (
            "web.yaml", SERVICE.rstrip("\n").replace("\n", "\r\n"), "web.yaml",
            f"{SERVICE}---\n{NEW_TEXT}".replace("\n", "\r\n"),
        ),
        ("web.json", json.dumps({"apiVersion": "v1", "kind": "Service"}), "harden-configmap.yaml", NEW_TEXT),
    ],
    ids=["end of line", "no end of line", "CRLF", "CRLF, no end of line", "JSON"],
)  # fmt: skip
def test_an_object_goes_to_the_end_of_the_file(
    run: Run, tmp_path: Path, name: str, given: str, file: str, expected: str
) -> None:
    def step(service: Service) -> Steps:
        if not service.tree.of("", "ConfigMap"):
            yield service.create(None, NEW, grade=Grade.SAFE)

    (tmp_path / name).write_bytes(given.encode())
    run({}, step)
    assert text(tmp_path / file) == expected
    assert run({}, step).files == []


def host(service: Service) -> Steps:
    yield from service.host_file(
        "audit/policy.conf", "a = 1\n", grade=Grade.SAFE, requires=("copy it: cp policy.conf /etc",),
        follow_up=("restart it",),
    )  # fmt: skip


def test_a_file_for_hosts_is_made_once(run: Run, tmp_path: Path) -> None:
    files = {"a.yaml": SERVICE, "b.yaml": SERVICE, "kustomization.yaml": "resources: [a.yaml, b.yaml]\n"}
    outcome = run(files, host)
    assert [change.file.name for change in outcome.files] == ["harden-host/audit/policy.conf"]
    assert text(tmp_path / "harden-host/audit/policy.conf") == "a = 1\n"
    assert text(tmp_path / "kustomization.yaml") == files["kustomization.yaml"]
    again = run(files, host)
    assert (again.files, again.findings) == ([], [])


def test_a_file_for_hosts_that_somebody_changed_stays(run: Run, tmp_path: Path) -> None:
    write(tmp_path, {"harden-host/audit/policy.conf": "a = 2\n"})
    outcome = run({"a.yaml": SERVICE}, host)
    assert outcome.files == []
    assert [finding.message for finding in outcome.findings] == [
        "harden-host/audit/policy.conf is there, and is not what harden writes"
    ]
    assert text(tmp_path / "harden-host/audit/policy.conf") == "a = 2\n"


def test_what_a_person_does_is_said_once_and_in_order(run: Run) -> None:
    def step(service: Service) -> Steps:
        first, second = ("1. look",), ("2. act", "3. rest")
        if service.get("spec", "type") is None:
            yield service.set("spec", "type", to="ClusterIP", grade=Grade.SAFE, requires=first, follow_up=second)
            yield service.set("spec", "x", to=1, grade=Grade.SAFE, requires=(*first, "and ask"), follow_up=second)

    lines: list[str] = []
    outcome = run({"a.yaml": SERVICE, "b.yaml": SERVICE}, step)
    WholeReport(outcome, Context(redactor=Redactor()), lines.append).write()
    report = "".join(lines)
    assert "Before you apply\n  1. 1. look\n  2. and ask\n" in report
    assert "After you apply\n  1. 2. act\n  2. 3. rest\n" in report


@pytest.mark.parametrize(
    ("index", "ports"),
    [
        (0, "[{port: 1, name: new}, {port: 80, name: http,\n    protocol: TCP}]"),
        (1, "[{port: 80, name: http,\n    protocol: TCP}, {port: 1, name: new}]"),
    ],
)
def test_an_item_of_a_flow_list_over_several_lines(run: Run, tmp_path: Path, index: int, ports: str) -> None:
    def step(service: Service) -> Steps:
        yield service.insert("spec", "ports", index, value={"port": 1, "name": "new"}, grade=Grade.SAFE)

    head = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: "
    run({"web.yaml": f"{head}[{{port: 80, name: http,\n    protocol: TCP}}]\n"}, step)
    assert text(tmp_path / "web.yaml") == f"{head}{ports}\n"
