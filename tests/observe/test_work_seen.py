"""Of which changes a run does not show enough."""

from __future__ import annotations

import pytest

from hardener.observe.container_activity import Activity
from hardener.observe.work_seen import unjudged

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
