"""What waits since the fact that decides is not known: by image or account, with the ways to know it."""

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
_SUBJECTS = "subjects"  # of a binding; the place of a fact about one of its accounts ends with its name
_FIRST = ("run-as-user", "read-only-root-filesystem")  # whose evidence says what it is that nobody knows


class Guess(Struct):
    """An image or an account, the steps that wait for it, and the containers that run it, each by its place.

    ``fact`` is what is not known.
    """

    name: str
    fact: Evidence
    steps: list[Held]
    containers: set[_Key]

    @property
    def is_of_account(self) -> bool:
        """Whether it is about what a service account does, and not about an image."""
        return _is_of_account(self.fact)

    @property
    def count(self) -> str:
        """How many containers run the image, as a text behind its name; "" for an account."""
        return "" if self.is_of_account else f" ({counted(len(self.containers), 'container')})"


class Guesses:
    """The guesses of ``outcome``; it is false where there is none."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self.steps = outcome.guesses

    def __bool__(self) -> bool:
        return bool(self.steps)

    @property
    def title(self) -> str:
        """How many there are, of how many containers and accounts."""
        containers = {key for each in self.groups for key in each.containers}
        accounts = [each for each in self.groups if each.is_of_account]
        verb = "waits" if len(self.steps) == 1 else "wait"
        of = [counted(len(containers), "container")] if self._are_of_images else []
        of += [counted(len(accounts), "service account")] if accounts else []
        need = self._need(len(containers), len(accounts))
        return f"Guesses: {counted(len(self.steps), 'change')} of {' and '.join(of)} {verb}; what {need} is not known"

    def _need(self, containers: int, accounts: int) -> str:
        if not accounts:
            return "its image needs" if containers == 1 else "their images need"
        return "they need" if self._are_of_images or accounts > 1 else "it needs"

    @property
    def _are_of_images(self) -> bool:
        return any(not each.is_of_account for each in self.groups)

    @cached_property
    def groups(self) -> list[Guess]:
        """By image or account, those first that are the cheapest to confirm: with the fewest steps and containers."""
        found: dict[str, Guess] = {}
        for step in sorted(self.steps, key=lambda step: step.transform.id not in _FIRST):
            guesses = [self._guess(found, fact) for fact in _facts_of_subjects(step) or [_NOTHING_SAID]]
            guesses[0].steps.append(step)  # each step is counted once
        return sorted(found.values(), key=lambda each: (len(each.steps), len(each.containers), each.name))

    @staticmethod
    def _guess(found: dict[str, Guess], fact: Evidence) -> Guess:
        """The one of ``found`` about the image or account at ``fact``, which is made where there is none."""
        name = _account_of(fact) if _is_of_account(fact) else _image_of(fact)
        guess = found.setdefault(name, Guess(name, fact, [], set()))
        if fact.path[-1:] == _IMAGE:
            guess.containers.add(_key(fact))
        return guess

    def ways(self) -> Iterator[str]:
        """How a person comes to know more, the way that fits first."""
        if self._are_of_images:
            yield from self._ways_of_images()
        if any(each.is_of_account for each in self.groups):
            log = self._outcome.asked.command("diff")
            yield f"{log} --audit-log FILE takes the rights from what the account was seen to do"

    def _ways_of_images(self) -> Iterator[str]:
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
        places = {key for each in self.groups for key in each.containers}
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


def _facts_of_subjects(step: Held) -> list[Evidence]:
    """The facts of ``step`` about images and accounts of which nobody knows, each at its place."""
    facts = dict.fromkeys(fact for change in step.changes for fact in change.edit.evidence)
    return [fact for fact in facts if fact.piece is not None and (fact.path[-1:] == _IMAGE or _is_of_account(fact))]


def _is_of_account(fact: Evidence) -> bool:
    return len(fact.path) > 2 and fact.path[-3] == _SUBJECTS and fact.path[-1] == "name"


def _account_of(fact: Evidence) -> str:
    """The account at ``fact``, as a binding names it."""
    subject = existing(fact.piece.data, fact.path[:-1]) if fact.piece is not None else {}
    where = f"{subject['namespace']}/" if subject.get("namespace") else ""
    return f"{subject.get('kind', 'ServiceAccount')} {where}{subject.get('name')}"


def _key(fact: Evidence) -> _Key:
    return id(fact.piece), fact.path


def _image_of(fact: Evidence) -> str:
    """The image at ``fact``; what is filled in elsewhere has no name here."""
    try:
        found = existing(fact.piece.data, fact.path) if fact.piece is not None and fact.path[-1:] == _IMAGE else None
    except (LookupError, TypeError):
        found = None
    return found if isinstance(found, str) else "an image that is named elsewhere"
