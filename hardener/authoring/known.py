"""A value with where it is from, and the sources of such values in their order."""

from __future__ import annotations

from enum import Enum
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from hardener.authoring.edits import Basis, Evidence

T = TypeVar("T")
Item = TypeVar("Item")


class KnownBy(Enum):
    """The sources of what is known of an image, the strongest first: rule 3 of docs/design/decisions.md.

    Its value is its rank. Each has a collector, the module of its name in `hardener/facts/images/collectors/`; what was
    observed or recorded is seen of a container and not of an image, and is put in last.

    - `label`: how a report counts it. `words`: the same in a sentence.
    - `proves`: it shows the image itself, or a run of it, so that nothing is inferred.
    - `of_image`: it speaks of the image, and not of a container that runs it.
    """

    label: str
    words: str
    proves: bool
    of_image: bool

    OBSERVED = "harden observe", "harden observe", True, False
    RECORDED = "harden.evidence.yaml", "a recording of the cluster", True, False
    LOCK = "harden.lock", "harden.lock", True, True
    DOCKERFILE = "Dockerfile", "a Dockerfile", False, True
    COMMAND = "command", "a command that was read whole", False, False
    SAME_IMAGE = "same image", "another container with the same image", False, False
    CONFIGURED = "image table", "the image table", False, True  # counted with the table, which it adds to
    BASE = "Dockerfile and its base", "a Dockerfile and its base", False, True
    TABLE = "image table", "the image table", False, True

    def __new__(cls, label: str, words: str, proves: bool, of_image: bool) -> KnownBy:
        member = object.__new__(cls)
        member._value_ = len(cls.__members__)
        member.label, member.words, member.proves, member.of_image = label, words, proves, of_image
        return member


class Known(Struct, Generic[T], frozen=True):
    """A value, and how it is known; what is not known is None in its place.

    - `by`: the source of it. `place`: where that says so, for people: "web/Dockerfile:12", "harden.lock".
    - `sure`: enough was read to call a change safe that rests on it.
    - `whole`: of several things, these are all; without it, those that were seen.
    - `text`: what is said there, where a rule has no words of its own for it.
    """

    value: T
    by: KnownBy
    place: str
    sure: bool = False
    whole: bool = False
    text: str | None = None

    def says(self, words: str) -> str:
        """``words`` with the place in front, for evidence."""
        return f"{self.place}: {words}"

    def fact(self, view: Any, words: str | None = None) -> Evidence:
        """Evidence at the image of ``view``, a container: ``words``, else what is said there."""
        fact: Evidence = view.fact(self.says(words) if words is not None else self.text or self.place, "image")
        return fact

    @property
    def basis(self) -> Basis:
        """What a decision is that rests on it alone."""
        return Basis.PROVED if self.by.proves else Basis.INFERRED


def stronger(one: Known[T] | None, other: Known[T] | None) -> Known[T] | None:
    """The one of the stronger source; ``other`` where they are of the same, and what is there where one is None."""
    if one is None or other is None:
        return other if one is None else one
    return one if one.by.value < other.by.value else other


def is_sure(known: Known[Any] | None) -> bool:
    """Whether something is ``known``, and enough was read to call a change safe that rests on it."""
    return known is not None and known.sure


def joined(one: Known[tuple[Any, ...]] | None, other: Known[tuple[Any, ...]] | None) -> Known[tuple[Any, ...]] | None:
    """What both name, known by the stronger; that alone where it is whole."""
    first = stronger(one, other)
    if first is None or first.whole or one is None or other is None:
        return first
    return replace(first, value=tuple(sorted({*one.value, *other.value})))


def items(known: Known[tuple[Item, ...]] | None) -> tuple[Item, ...]:
    """The values that are ``known``; () where nothing is."""
    return known.value if known is not None else ()
