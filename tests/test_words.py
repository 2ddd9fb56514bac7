"""What a container runs by its manifest and by its image."""

from __future__ import annotations

import pytest

from hardener.facts.images.container_commands import every_word, image_words, own_command, spoken
from hardener.kubernetes.images.config import ImageConfig
from hardener.kubernetes.images.reference import parse
from hardener.kubernetes.pods.command_evidence import root_commands
from hardener.lock.model import Lock, LockedImage
from hardener.tree.core_views import Container
from hardener.tree.tree import Tree

from .conftest import DEPLOYMENT

ENTRYPOINT, CMD = ("tini", "--"), ("gosu", "app", "/serve")


def container(fields: str, *, locked: bool = True) -> Container:
    lock = Lock()
    reference = parse("example.com/web:1.2.3")
    assert reference is not None
    if locked:
        lock.add(reference, LockedImage(f"sha256:{'0' * 64}", config=ImageConfig(entrypoint=ENTRYPOINT, cmd=CMD)))
    (pod,) = Tree.from_text(f"{DEPLOYMENT}        {fields}\n", lock=lock).pod_templates
    return pod.containers[0]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("", (*ENTRYPOINT, *CMD)),
        ("args: [/other]", ENTRYPOINT),
        ("command: [/other]", ()),
        ("command: [/other]\n        args: [x]", ()),
        ("command: []", (*ENTRYPOINT, *CMD)),  # as if it were not there
        ("args: []", (*ENTRYPOINT, *CMD)),
    ],
)
def test_the_manifest_replaces_what_the_image_runs(fields: str, words: tuple[str, ...]) -> None:
    assert image_words(container(fields)) == words


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ("", True),
        ("args: [x]", True),
        ("command: []", True),
        ("command: null", True),
        ("command: [/other]", False),
        ("command: ${COMMAND}", False),
    ],
)
def test_a_container_starts_the_command_of_its_image_unless_the_manifest_has_words(fields: str, own: bool) -> None:
    found = container(fields)
    assert own_command(found) == own
    assert bool(image_words(found)) == own  # decided in one place


def test_every_word_is_what_the_image_says_then_what_the_manifest_does() -> None:
    assert every_word(container("args: [/other]")) == (*ENTRYPOINT, "/other")


def test_an_image_that_nobody_looked_at_says_nothing() -> None:
    assert image_words(container("", locked=False)) == ()


@pytest.mark.parametrize(
    ("fields", "facts"),
    [
        ("", ["harden.lock: its image runs gosu"]),
        ("args: [chown, /x]", ["container web runs chown"]),
        ("args: [gosu, app, /serve]", ["container web runs gosu"]),
        ("command: [/serve]", []),
    ],
)
def test_each_fact_says_who_said_it(fields: str, facts: list[str]) -> None:
    found = [speaker.says(f"runs {name}").text for name, speaker in spoken(container(fields), root_commands)]
    assert found == facts
