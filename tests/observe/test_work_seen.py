"""Of which changes a run does not show enough."""

from __future__ import annotations

import pytest

from hardener.observe.container_activity import Activity
from hardener.observe.work_seen import doubts, unjudged

LOCK = "/usr/libexec/lock"


@pytest.mark.parametrize(
    ("seen", "ids"),
    [
        (Activity(users={0, 100}, raised={LOCK}), {"no-privilege-escalation"}),
        (Activity(users={100}), set()),
        (Activity(users={0}, raised={LOCK}), set()),  # it has the rights of root already
    ],
)
def test_who_runs_a_program_with_more_rights(seen: Activity, ids: set[str]) -> None:
    found = unjudged(seen)
    assert found.keys() == ids and all(LOCK in why for why in found.values())


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        ([3, 45, 5], ["it waits 45 s, and was looked at for 20 s (--seconds N)"]),  # each run ends before the 45 s do
        ([3, 5], []),
        ([], []),
    ],
)
def test_a_wait_that_was_over_when_it_was_last_looked_at_is_one(waits: list[float], said: list[str]) -> None:
    seen = Activity()
    for each in waits:
        seen.look({"users": [], "sockets": None, "memory": None, "waits": [each]}, "10.0.0.1")
    assert list(doubts(seen, 20)) == said
