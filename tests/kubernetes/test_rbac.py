"""Which service account a subject of a binding is."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.kubernetes.rbac.subjects import service_account

SUBJECTS: list[tuple[Any, tuple[str, str | None] | None]] = [
    ({"kind": "ServiceAccount", "name": "app", "namespace": "shop"}, ("app", "shop")),
    ({"kind": "ServiceAccount", "name": "app"}, ("app", None)),
    ({"kind": "ServiceAccount", "name": "app", "namespace": ""}, ("app", None)),
    ({"kind": "User", "name": "system:serviceaccount:shop:app"}, ("app", "shop")),
    ({"kind": "User", "name": "jane"}, None),
    ({"kind": "User", "name": "system:serviceaccount:shop"}, None),
    ({"kind": "Group", "name": "system:serviceaccounts"}, None),
    ({"kind": "Group", "name": "system:serviceaccounts:shop"}, None),
    ({"kind": "Group", "name": "system:authenticated"}, None),
    ({"kind": "ServiceAccount", "name": 7}, None),
    ({"kind": "ServiceAccount", "name": "app", "namespace": ["shop"]}, ("app", None)),
    ({}, None),
    (None, None),
    ("app", None),
    (["app"], None),
]


@pytest.mark.parametrize(("subject", "account"), SUBJECTS, ids=str)
def test_a_subject_is_an_account_or_somebody_else(subject: Any, account: tuple[str, str | None] | None) -> None:
    assert service_account(subject) == account
