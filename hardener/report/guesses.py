"""What waits since the fact that decides is not known: by image, with the ways to know it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec import Struct

from hardener.authoring.edits import Evidence
from hardener.authoring.known import KnownBy
from hardener.engine.outcome import Held, Outcome
from hardener.facts.images.known_image import known_image
from hardener.report.impact import counted
from hardener.support.data_path import Path, existing
from hardener.tree.core_views import Container
from hardener.tree.pod_fragments import written_containers

_Key = tuple[int, Path]  # the place of an image, by the identity of its piece
_NOTHING_SAID = Evidence("the fact that decides is not known")
_IMAGE = ("image",)  # the last part of a place where an image is named
_FIRST = ("run-as-user", "read-only-root-filesystem")  # whose evidence says what it is that nobody knows


class ImageGuess(Struct):
    """An image, the steps that wait for it, and the containers that run it, each by its place.

    ``fact`` is what is not known.
    """

    image: str
    fact: Evidence
    steps: list[Held]
    containers: set[_Key]


class Guesses:
    """The guesses of ``outcome``; it is false where there is none."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self.steps = outcome.guesses

    def __bool__(self) -> bool:
        return bool(self.steps)

    @property
    def title(self) -> str:
        """How many there are, of how many containers."""
        containers = {key for each in self.images for key in each.containers}
        verb = "waits" if len(self.steps) == 1 else "wait"
        changes, of = counted(len(self.steps), "change"), counted(len(containers), "container")
        need = "its image needs" if len(containers) == 1 else "their images need"
        return f"Guesses: {changes} of {of} {verb}; what {need} is not known"

    @cached_property
    def images(self) -> list[ImageGuess]:
        """By image, those first that are the cheapest to confirm: with the fewest steps and containers."""
        found: dict[str, ImageGuess] = {}
        for step in sorted(self.steps, key=lambda step: step.transform.id not in _FIRST):
            guesses = [self._guess(found, fact) for fact in _facts_of_images(step) or [_NOTHING_SAID]]
            guesses[0].steps.append(step)  # each step is counted once
        return sorted(found.values(), key=lambda each: (len(each.steps), len(each.containers), each.image))

    @staticmethod
    def _guess(found: dict[str, ImageGuess], fact: Evidence) -> ImageGuess:
        """The one of ``found`` about the image at ``fact``, which is made where there is none."""
        image = _image_of(fact)
        guess = found.setdefault(image, ImageGuess(image, fact, [], set()))
        if fact.path[-1:] == _IMAGE:
            guess.containers.add(_key(fact))
        return guess

    def ways(self) -> Iterator[str]:
        """How a person comes to know more, the way that fits first."""
        asked = self._outcome.asked
        containers = self._containers
        yield from _roots_of_dockerfiles(containers)
        if not self._outcome.tree.stream:
            if any(each.locked is None for each in containers) or not containers:
                yield f"{asked.command('lock', '--deep')} reads who an image runs as"
            yield f"{asked.command('observe')} runs it as another user"
        yield "add a row to images: in .harden.yaml"

    @property
    def _containers(self) -> list[Container]:
        """Those that the guesses are about; of a chart that is rendered elsewhere none."""
        places = {key for each in self.images for key in each.containers}
        pods = {id(change.object) for step in self.steps for change in step.changes}
        found = (pod for pod in self._outcome.tree.pods_and_parts if id(pod.object) in pods)
        return [each for pod in found for each in written_containers(pod) if _key(each.fact("", "image")) in places]


def _roots_of_dockerfiles(containers: Iterable[Container]) -> Iterator[str]:
    """Where a Dockerfile of the tree leaves its image to root: a line there settles it."""
    users = [user for each in containers if (user := known_image(each).user) is not None]
    places = dict.fromkeys(user.place for user in users if user.value == "root" and user.by is KnownBy.DOCKERFILE)
    if places:
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        yield f"set USER in {next(iter(places))}{more}"


def _facts_of_images(step: Held) -> list[Evidence]:
    """The facts of ``step`` about images that nobody knows, each at its container."""
    facts = dict.fromkeys(fact for change in step.changes for fact in change.edit.evidence)
    return [fact for fact in facts if fact.piece is not None and fact.path[-1:] == _IMAGE]


def _key(fact: Evidence) -> _Key:
    return id(fact.piece), fact.path


def _image_of(fact: Evidence) -> str:
    """The image at ``fact``; what is filled in elsewhere has no name here."""
    try:
        found = existing(fact.piece.data, fact.path) if fact.piece is not None and fact.path[-1:] == _IMAGE else None
    except (LookupError, TypeError):
        found = None
    return found if isinstance(found, str) else "an image that is named elsewhere"
