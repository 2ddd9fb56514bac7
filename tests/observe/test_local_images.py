"""An image that no registry has is run as the engine has it under its own name, and under no other."""

from __future__ import annotations

from typing import Any

import pytest

from hardener.observe.images import _is_called

Map = dict[str, Any]
CALLED: dict[str, tuple[str, Map]] = {
    "of podman": ("localhost/web:1", {"RepoTags": ["localhost/web:1"]}),
    "without its host": ("web:1", {"RepoTags": ["localhost/web:1"]}),
    "of docker": ("web:1", {"RepoTags": ["web:1"]}),
    "spelled out": ("web:1", {"RepoTags": ["docker.io/library/web:1"]}),
    "one of several": ("acme/web", {"RepoTags": ["x:1", "acme/web:latest"]}),
    "by its digest": ("quay.io/web:1", {"RepoTags": [], "RepoDigests": [f"quay.io/web@sha256:{'0' * 64}"]}),
}
NOT_CALLED: dict[str, tuple[str, Map]] = {
    "the begin of an id": ("1448039e1cb1", {"RepoTags": ["localhost/web:1"], "Id": "sha256:1448039e1cb1"}),
    "an id with its kind": ("sha256:1448039e1cb1", {"RepoTags": ["localhost/web:1"]}),
    "no name at all": ("abc", {"RepoTags": [], "RepoDigests": []}),
    "another registry": ("web:1", {"RepoTags": ["quay.io/web:1"]}),
    "odd shapes": ("web:1", {"RepoTags": "web:1", "RepoDigests": None}),
    "odd names": ("web:1", {"RepoTags": [None, "<none>:<none>", 5]}),
    "no reference": ("-v", {"RepoTags": ["-v"]}),
}


@pytest.mark.parametrize(("text", "known"), CALLED.values(), ids=CALLED)
def test_it_has_the_name(text: str, known: Map) -> None:
    assert _is_called(known, text)


@pytest.mark.parametrize(("text", "known"), NOT_CALLED.values(), ids=NOT_CALLED)
def test_it_has_another_one(text: str, known: Map) -> None:
    assert not _is_called(known, text)
