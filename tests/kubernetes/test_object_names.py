"""Names made of any text are names that an API server takes, and those that it takes stay."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardener.kubernetes.objects.object_names import (
    LONGEST_LABEL,
    LONGEST_NAME,
    as_dns_label,
    as_label_value,
    as_object_name,
    is_dns_label,
    is_object_name,
)

TEXTS = st.text() | st.text(alphabet="aZ0-._/% \n$é", max_size=300)
KINDS = st.sampled_from(["", "NetworkPolicy", "ServiceAccount", "Role", "ClusterRoleBinding"])
# As the messages of an API server have them, so that the functions do not judge themselves.
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")


@pytest.mark.parametrize(
    ("text", "label", "name", "of_role"),
    [
        ("web", "web", "web", "web"),
        ("my_app", "my-app", "my-app", "my_app"),
        ("Web", "web", "web", "Web"),
        ("-web-", "web", "web", "-web-"),
        ("a.b", "a-b", "a.b", "a.b"),
        ("a..b", "a-b", "a.b", "a..b"),
        ("a-.-b", "a-b", "a.b", "a-.-b"),
        (".", "x", "x", "x"),
        ("..", "x", "x", "x"),
        ("", "x", "x", "x"),
        ("___", "x", "x", "___"),
        ("été", "t", "t", "été"),
        ("job-*", "job", "job", "job-*"),
        ("apps/web", "apps-web", "apps-web", "apps-web"),
        ("50%", "50", "50", "50"),
        ("system:node", "system-node", "system-node", "system:node"),
        ("two\nlines", "two-lines", "two-lines", "two\nlines"),
        ("a" * 64, "a" * 63, "a" * 64, "a" * 64),
        ("a" * 254, "a" * 63, "a" * 253, "a" * 253),
        ("a" * 62 + "-b", "a" * 62, "a" * 62 + "-b", "a" * 62 + "-b"),
        ("a" * 252 + ".b", "a" * 63, "a" * 252, "a" * 252),
    ],
)
def test_what_is_made_of_a_text(text: str, label: str, name: str, of_role: str) -> None:
    assert as_dns_label(text) == label
    assert as_object_name(text) == name
    assert as_object_name(text, "Role") == of_role


@given(TEXTS, KINDS, st.integers(1, LONGEST_NAME))
@pytest.mark.slow
def test_a_made_name_is_legal_and_stays(text: str, kind: str, longest: int) -> None:
    label, name = as_dns_label(text, min(longest, LONGEST_LABEL)), as_object_name(text, kind, longest)
    assert LABEL.fullmatch(label)
    assert len(label) <= min(longest, LONGEST_LABEL)
    assert is_dns_label(label)
    assert is_object_name(name, kind)
    assert 0 < len(name) <= longest
    if kind in ("Role", "ClusterRoleBinding"):
        assert not set("/%") & set(name)
    else:
        assert SUBDOMAIN.fullmatch(name)
    assert (as_dns_label(label), as_object_name(name, kind)) == (label, name)


@given(TEXTS)
def test_a_made_value_of_a_label_is_legal(text: str) -> None:
    value = as_label_value(text)
    assert VALUE.fullmatch(value)
    assert len(value) <= LONGEST_LABEL
