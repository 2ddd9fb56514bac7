"""Small rules of a session that need no run."""

from __future__ import annotations

import pytest

from hardener.observe.session import _is_fixed


@pytest.mark.parametrize(
    ("port", "fixed"),
    [("80/tcp", True), ("32767/tcp", True), ("32768/tcp", False), ("53/udp", False)],
)
def test_a_port_that_is_chosen_anew_each_time_is_not_insisted_on(port: str, fixed: bool) -> None:
    assert _is_fixed(port) is fixed
