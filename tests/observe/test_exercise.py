"""What a user gives to find out whether a workload works: a command against it, with its address in variables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hardener.authoring import config
from hardener.errors import InputError
from hardener.observe import namespace_agent as agent
from hardener.observe.exercise import Exercise, Target, problem_with, variables

from .test_namespace_agent import HOST, http

ENGINE: Any = SimpleNamespace(enter=lambda: ("", []))


def called(name: str, *arguments: Any) -> Any:
    return agent._CALLS[name](*arguments)


CALL: Any = called
ASKS = (
    "python3 -c \"import os, urllib.request as u; print(u.urlopen(os.environ['HARDEN_URL'] + '/x', timeout=5).status)\""
)


@pytest.fixture
def port() -> Iterator[int]:
    with http(200) as number:
        yield number


def problem(command: str, folder: Path, *ports: int) -> str | None:
    target = Target("Deployment/web", "shop", HOST, ports, os.getpid())
    return problem_with(Exercise(command, str(folder)), target, ENGINE, CALL)


def test_a_command_reaches_the_workload(tmp_path: Path, port: int) -> None:
    assert problem(ASKS, tmp_path, port) is None
    assert agent._exposed == {}


def test_what_does_not_answer_is_a_problem(tmp_path: Path) -> None:
    said = problem(ASKS, tmp_path, 1)
    assert said is not None and said.startswith("it ends with 1: ")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("true", None), ("exit 3", "it ends with 3"), ("echo no order >&2; exit 1", "it ends with 1: no order"),
        ("test $(basename $PWD) = tree", None), ("test $HARDEN_WORKLOAD = Deployment/web", None),
    ],
)  # fmt: skip
def test_a_command_says_whether_it_works(tmp_path: Path, command: str, said: str | None) -> None:
    (tmp_path / "tree").mkdir()
    assert problem(command, tmp_path / "tree") == said


def test_where_a_command_reaches_it() -> None:
    target = Target("Deployment/web", "shop", "10.1.0.16", (8080, 9090), 1)
    assert variables(target, {8080: 40001, 9090: 40002}) == {
        "HARDEN_WORKLOAD": "Deployment/web", "HARDEN_NAMESPACE": "shop", "HARDEN_ADDRESS": "10.1.0.16",
        "HARDEN_HOST": "127.0.0.1", "HARDEN_PORT": "40001", "HARDEN_URL": "http://127.0.0.1:40001",
        "HARDEN_PORT_8080": "40001", "HARDEN_PORT_9090": "40002",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "key"), [("Job/smoke", "Job/smoke"), ("Pod/smoke", "Pod/smoke"), ("./Job/smoke", None), ("Job/a b", None)],
)  # fmt: skip
def test_a_job_of_the_tree_is_no_command(text: str, key: str | None) -> None:
    assert Exercise(text, "").key == key


def test_the_config_of_a_tree_names_them(tmp_path: Path) -> None:
    (tmp_path / ".harden.yaml").write_text("observe: {exercise: {web: ./smoke.sh}}\n", encoding="utf-8")
    assert config.load(str(tmp_path)).exercise == {"web": "./smoke.sh"}
    (tmp_path / ".harden.yaml").write_text("observe: {exercises: {web: ./smoke.sh}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="exercise"):
        config.load(str(tmp_path))
