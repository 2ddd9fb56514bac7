"""When the answers of a pod say that all of it is there."""

from __future__ import annotations

from typing import Any, cast

import pytest
from msgspec import Struct, field

from hardener.observe.agent_client import AgentClient
from hardener.observe.container_activity import Activity
from hardener.observe.engine import Engine
from hardener.observe.pod_answers import PodAnswers
from hardener.observe.questions import Answer, Question

OK = Answer(Question("80/tcp", "HTTP"), "200", works=True)


class Running(Struct):
    seen: Activity
    spec: dict[str, Any] = field(default_factory=lambda: {"name": "web"})
    name: str = "web"
    pid: int = 1


def says(status: str) -> AgentClient:
    """One that is answered by each port with this status."""
    return cast("AgentClient", lambda *words, **bounds: [True, f"HTTP/1.1 {status} .\r\n\r\n", 0.0])


def seen(**told: Any) -> Activity:
    return Activity(answers=[OK], sees_programs=True, **told)


WORKERS = {"nginx": 3}


@pytest.mark.parametrize(
    ("before", "now", "status", "asked"),
    [
        (seen(), seen(), "200", 3),
        (seen(), seen(), "500", 8),
        (seen(programs=WORKERS), seen(), "200", None),
        (seen(unprivileged=WORKERS), seen(lately=WORKERS), "200", None),
        (seen(unprivileged=WORKERS), seen(lately=WORKERS, lately_unprivileged={"nginx": 1}), "200", 3),
    ],
    ids=["as before", "otherwise", "a process is missing", "a process is still root", "no longer root"],
)
def test_how_often_it_is_asked_until_all_is_known(
    before: Activity, now: Activity, status: str, asked: int | None
) -> None:
    answers = PodAnswers(cast("Engine", None), says(status), "10.0.0.1", [Running(now)], lambda seconds: None)
    answers.before = {"web": before}
    known = [answers.is_known(float(second)) for second in range(20)]
    assert (known.index(True) + 1 if True in known else None) == asked
