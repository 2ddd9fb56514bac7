"""Versions and ranges of them, as Helm, Flux and Argo CD read them.

Source: github.com/Masterminds/semver v3 (constraints.go, README.md), which all three of them use, and semver.org 2.0.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from msgspec import Struct

from hardener.support.late_pattern import late_pattern

_LONGEST = 256  # characters of a version or range
_WORD = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_TAIL = rf"(?:-({_WORD}))?(?:\+({_WORD}))?"
_VERSION = late_pattern(rf"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?{_TAIL}")
_WHOLE = late_pattern(rf"\d+\.\d+\.\d+{_TAIL}")
_PART = r"(\d+|[xX*])"
_LOOSE = rf"v?{_PART}(?:\.{_PART})?(?:\.{_PART})?{_TAIL}"
_TERM = late_pattern(rf"(=|==|!=|>|<|>=|=>|<=|=<|~|~>|\^|)\s*{_LOOSE}")
_TERMS = late_pattern(rf"[\s,]*((?:=|==|!=|>|<|>=|=>|<=|=<|~|~>|\^|)\s*{_LOOSE})(?=[\s,]|\Z)")
_SPAN = late_pattern(rf"(?<!\S)({_LOOSE})\s+-\s+({_LOOSE})(?!\S)")
_ANY = frozenset("xX*")
_T = TypeVar("_T")


class Version(NamedTuple):
    """A version in its parts, in their order; the build says nothing about that. ``pre`` is empty for a release."""

    major: int
    minor: int
    patch: int
    is_release: bool
    pre: tuple[tuple[bool, int, str], ...]

    @classmethod
    def of(cls, numbers: list[int], pre: str | None) -> Version:
        """That of its three ``numbers`` and its pre-release."""
        words = [word for word in (pre or "").split(".") if word]
        # Numbers come before words.
        order = tuple((False, int(word), "") if word.isdecimal() else (True, 0, word) for word in words)
        return cls(numbers[0], numbers[1], numbers[2], not order, order)


def version(text: str) -> Version | None:
    """Return the version that ``text`` is; a ``v`` in front, and what is left out behind the first number, are
    allowed. None for anything else."""
    match = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    return Version.of([int((match[number] or "0")[:18]) for number in (1, 2, 3)], match[4])


def is_whole(text: str) -> bool:
    """Tell whether ``text`` is one version with all its three numbers, and no ``v`` before it."""
    return len(text) <= _LONGEST and _WHOLE.fullmatch(text) is not None


class _Term(Struct, frozen=True):
    """One comparison: what stands left of ``than``, and which numbers of it are left open."""

    holds: Callable[[Version, _Term], bool]
    than: Version
    open_major: bool
    open_minor: bool
    open_patch: bool

    @property
    def is_open(self) -> bool:
        return self.open_major or self.open_minor or self.open_patch


class Range:
    """The versions that ``text`` allows: comparisons, all of which hold, in groups with ``||`` between them.

    Pre-releases are allowed where a comparison of their group names one. Raises ValueError for what is no range.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise ValueError("it is too long")
        self._groups = [[_term(word) for word in _words(group)] for group in text.split("||")]

    def allows(self, found: Version) -> bool:
        """Tell whether ``found`` is one of them."""
        return any(
            (not found.pre or any(term.than.pre for term in group)) and all(term.holds(found, term) for term in group)
            for group in self._groups
        )


def best(wanted: str, candidates: Iterable[tuple[str, _T]]) -> _T | None:
    """Return what stands beside the version that ``wanted`` means: the one that is written so, else the highest that
    it allows; "" allows all but pre-releases. None where there is none. Raises ValueError where it is no range."""
    known = list(candidates)
    exact = next((found for name, found in known if name == wanted), None)
    if exact is not None:
        return exact
    allowed = Range(wanted or "*")
    fitting = [(parsed, found) for name, found in known if (parsed := version(name)) and allowed.allows(parsed)]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _words(group: str) -> list[str]:
    """The comparisons of a group: ``1.2 - 1.4`` is two of them."""
    group = _SPAN.sub(lambda span: f">={span[1]} <={span[7]}", group).strip()
    if not group:
        raise ValueError("a part of it is empty")
    found, end = [], 0
    while end < len(group):
        match = _TERMS.match(group, end)
        if match is None:
            raise ValueError("it is no version and no range")
        found.append(match[1])
        end = match.end()
    return found


def _term(word: str) -> _Term:
    match = _TERM.fullmatch(word)
    if match is None:
        raise ValueError("it is no version and no range")
    sign, *parts = match.group(1, 2, 3, 4)
    first_open = next((number for number, part in enumerate(parts) if part is None or part in _ANY), 3)
    numbers = [int(part[:18]) for part in parts[:first_open] if part]
    numbers += [0] * (3 - len(numbers))
    than = Version.of(numbers, match[5])
    return _Term(_SIGNS[sign], than, first_open == 0, first_open == 1, first_open == 2)


def _tilde(found: Version, term: _Term) -> bool:
    if found < term.than:
        return False
    if term.open_major:
        return True
    return found.major == term.than.major and (term.open_minor or found.minor == term.than.minor)


def _equal(found: Version, term: _Term) -> bool:
    return _tilde(found, term) if term.is_open else found == term.than


def _caret(found: Version, term: _Term) -> bool:
    than = term.than
    if found < than or found.major != than.major:
        return term.open_major and found >= than
    if than.major > 0 or term.open_minor or term.open_major:
        return True
    if than.minor > 0 or term.open_patch:
        return found.minor == than.minor
    return (found.minor, found.patch) == (0, than.patch)


def _greater(found: Version, term: _Term) -> bool:
    than = term.than
    if not term.is_open or found.major != than.major:
        return found > than
    return term.open_patch and found.minor > than.minor


def _at_most(found: Version, term: _Term) -> bool:
    than = term.than
    if not term.is_open:
        return found <= than
    if found.major != than.major:
        return found.major < than.major
    return term.open_minor or found.minor <= than.minor


_SIGNS: dict[str, Callable[[Version, _Term], bool]] = {
    **dict.fromkeys(("", "=", "=="), _equal),
    "!=": lambda found, term: not _equal(found, term),
    ">": _greater,
    "<": lambda found, term: found < term.than,
    **dict.fromkeys((">=", "=>"), lambda found, term: found >= term.than),
    **dict.fromkeys(("<=", "=<"), _at_most),
    **dict.fromkeys(("~", "~>"), _tilde),
    "^": _caret,
}
