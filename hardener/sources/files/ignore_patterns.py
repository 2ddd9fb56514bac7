"""Patterns as in .gitignore, matched in a time that is bounded by their length and that of the path.

pathspec makes a regular expression of each line, in which every ``*`` tries again what the ones before it took. What
such an expression matches stays the same when all of them but the last take the first place that fits and keep it: what
stands between two of them has a fixed length (of a name in characters, of a path in folders), so a later place leaves
less for the rest. A translation that is not of the known form is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_STAR = "[^/]*"
_SET = re.compile(r"\\.|\[\^/\]|\[\^?\]?(?:\\.|[^\]\\])*\]")  # one of characters; what is escaped is none
_FOLDERS = "(?:/.+)?"  # what ** between two slashes becomes
_LEADING = "^(?:.+/)?"  # and at the beginning
_FIRST_FOLDERS = "(?:/[^/]+)*?"
_END_OF_NAME = "(?=/|$)"


class _Bounded(GitIgnoreSpecPattern):
    """A pattern whose expression keeps what it took."""

    __slots__ = ()

    @classmethod
    def pattern_to_regex(cls, pattern: str) -> tuple[str | None, bool | None]:  # type: ignore[override]
        """The regular expression of a line, and whether it names files; as in the class above."""
        expression, include = super().pattern_to_regex(pattern)
        return (None if expression is None else bounded(expression)), include


def spec_of(lines: Iterable[str]) -> GitIgnoreSpec:
    """The patterns in ``lines``. Raises ValueError for a line that is no pattern."""
    # Other engines that pathspec takes where they are installed refuse long patterns.
    return GitIgnoreSpec.from_lines(lines, _Bounded, backend="simple")


def bounded(expression: str) -> str:
    """``expression``, as pathspec makes it of a line, with every wildcard but the last one of its row in an atomic
    group."""
    first, *stars = within_names(expression).split(_STAR)
    made = [first]
    for index, text in enumerate(stars):
        # The last star of a name has to reach its end, so it may try all places.
        is_last = "/" in text or index == len(stars) - 1
        made.append(f"{_STAR}{text}" if is_last else f"(?>[^/]*?{text})")
    head, *chunks = "".join(made).split(_FOLDERS)
    if not chunks:
        return head
    if head.startswith(_LEADING):
        head = f"^(?>(?:[^/]+/)*?{head.removeprefix(_LEADING)}{_END_OF_NAME})"
    inner = "".join(f"(?>{_FIRST_FOLDERS}{chunk}{_END_OF_NAME})" for chunk in chunks[:-1])
    return f"{head}{inner}{_FOLDERS}{chunks[-1]}"


def within_names(expression: str) -> str:
    """``expression`` with no set of characters that fits a slash, as in Git."""
    return _SET.sub(lambda found: found[0] if found[0].startswith(("\\", "[^/]")) else f"(?!/){found[0]}", expression)


def is_pattern(line: str) -> bool:
    """Whether ``line`` can be read as one."""
    try:
        spec_of([line])
    except (ValueError, re.error):
        return False
    return True
