"""The tokens that their own form betrays, wherever they stand.

The forms are those that gitleaks, trufflehog and detect-secrets keep, and a few of Kubernetes and of databases;
`data/secret-formats.tsv` holds them and names the source of each.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from hardener.kubernetes.secrets.secret_words import compiled, is_placeholder

_DATA = Path(__file__).parents[1] / "data" / "secret-formats.tsv"
_KEY = "PRIVATE KEY"
_KEY_BEGIN = r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
_KEY_END = r"-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
_KEY_BODY = r"(?:\s*+[+\-|>#\"' ]*+[A-Za-z0-9+/=]{16,}+[\"']?+(?=\s|$))*+"
LONG = 100
"""Characters from which on a text is searched anew each time; shorter ones stand in a tree many times."""

_PARTING = ", "  # a mark holds, begins and ends with nothing of it that would be cut
_REPEATED = 4096  # characters up to which a text is remembered
_AT_ONCE = 65_536  # characters of which the lines are cut at once, to the end of the last, or of a piece of it


class Format(NamedTuple):
    """A form of tokens. ``starts``: its marks stand where a match begins; else somewhere in it."""

    name: str
    source: str
    starts: bool
    marks: tuple[str, ...]
    pattern: str


@cache
def formats() -> tuple[Format, ...]:
    """Every form of the table."""
    found = []
    for line in _DATA.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, source, marks, pattern = line.split("\t")
            where, *words = marks.split(" ")
            words = [word.replace("\\x20", " ") for word in words]
            found.append(Format(name, source, where == "^", tuple(words), pattern))
    return tuple(found)


def structured(text: str) -> Iterator[tuple[str, int, int]]:
    """(name of the format, start, end) of every token in ``text`` that its own form betrays, placeholders left out.

    Of URLs it is the password, of a private key the whole block. A text without a mark is passed over once.
    """
    if len(text) < LONG and not is_marked(text):
        return
    marks = _few_marks(text) if len(text) < _REPEATED else _marked_places(text)
    if not marks:
        return
    present = {mark for _, mark in marks}
    if _KEY in present:
        yield from _private_keys(text)
    at_start, inside = _by_mark()
    ends: dict[str, int] = {}
    for start, mark in marks:
        for form in at_start.get(mark, ()):
            # What a match took is not looked at again, so that the marks in one long token cost no more than it does.
            if start >= ends.get(form.name, 0) and (found := compiled(form.pattern).match(text, start)):
                ends[form.name] = found.end()
                yield from _token(form, found)
    for form in dict.fromkeys(form for mark in present for form in inside.get(mark, ())):
        for found in compiled(form.pattern).finditer(text):
            yield from _token(form, found)


def _marked_places(text: str) -> list[tuple[int, str]]:
    """Each mark with its place. No mark goes over the end of a line, or over what parts a list or the entries of JSON;
    most of these pieces stand in a tree many times, and only one that is new is searched."""
    found: list[tuple[int, str]] = []
    start = 0
    while start < len(text):  # in portions, as the lines of a long text take several times its memory
        end = _portion_end(text, start + _AT_ONCE)
        lines = text[start:end].split("\n")
        if not _are_plain(lines):
            found += _marks_of(text, lines, start)
        start = end + 1
    return found


def _portion_end(text: str, after: int) -> int:
    """The end of a portion of ``text`` somewhere ``after`` a place: where no mark goes over."""
    for sign in ("\n", _PARTING):
        if (place := text.find(sign, after, after + _AT_ONCE)) >= 0:
            return place
    place = text.find("\n", after)
    return place if place >= 0 else len(text)


def _marks_of(text: str, lines: list[str], start: int) -> Iterator[tuple[int, str]]:
    for line in lines:
        if len(line) < LONG:
            if is_marked(line):
                yield from _marks_between(text, start, start + len(line))
        elif not _are_plain(pieces := line.split(_PARTING)):
            first = start
            for piece in pieces:
                if len(piece) >= LONG or is_marked(piece):
                    yield from _marks_between(text, first, first + len(piece))
                first += len(piece) + len(_PARTING)
        start += len(line) + 1


def _are_plain(pieces: list[str]) -> bool:
    """Whether all ``pieces`` of a text are short ones without a mark, as nearly always."""
    return max(map(len, pieces)) < LONG and not any(map(is_marked, pieces))


def _marks_between(text: str, start: int, end: int) -> list[tuple[int, str]]:
    return [(match.start(), match[0]) for match in _marks().finditer(text, start, end)]


_few_marks = lru_cache(maxsize=1024)(_marked_places)  # a hunk is looked at to count it, to ask about it, to print it


@lru_cache(maxsize=8192)
def is_marked(text: str) -> bool:
    """Whether a short ``text`` may hold a token; most short values of a tree stand in it many times."""
    return _marks().search(text) is not None


def _token(form: Format, found: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    group = 1 if found.re.groups else 0
    if not is_placeholder(found[group]) and _CHECKS.get(form.name, bool)(found[group]):
        yield form.name, found.start(group), found.end(group)


def _holds_login(text: str) -> bool:
    """Whether ``text`` is base64 of a user and a password, as docker writes them."""
    try:
        return ":" in binascii.a2b_base64(text).decode()
    except ValueError:
        return False


def _holds_bytes(text: str) -> bool:
    """Whether ``text`` is base64 of what is no text, as a key is."""
    try:
        return not binascii.a2b_base64(text).decode().isprintable()
    except ValueError:
        return True


# What has to be true of a match beyond its form.
_CHECKS: dict[str, Callable[[str], bool]] = {"docker-auth": _holds_login, "azure-key": _holds_bytes}


@cache
def _marks() -> re.Pattern[str]:
    """All marks as one pattern that looks at each character once: a tree of their letters."""
    return re.compile(_tree(sorted({_KEY, *(mark for form in formats() for mark in form.marks)})))


def _tree(words: list[str]) -> str:
    heads: dict[str, list[str]] = {}
    for word in words:
        if word:
            heads.setdefault(word[0], []).append(word[1:])
    branches = [re.escape(head) + _tree(tails) for head, tails in heads.items()]
    body = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})" if branches else ""
    return f"(?:{body})?" if "" in words and body else body


@cache
def _by_mark() -> tuple[dict[str, list[Format]], dict[str, list[Format]]]:
    """The forms by a mark that is found, those whose mark is its beginning among them: at their start, and inside."""
    every = sorted({mark for form in formats() for mark in form.marks})
    made: tuple[dict[str, list[Format]], dict[str, list[Format]]] = ({}, {})
    for form in formats():
        found: dict[str, None] = {}
        for own in form.marks:
            at = bisect_left(every, own)  # those that it begins follow it
            while at < len(every) and every[at].startswith(own):
                found[every[at]] = None
                at += 1
        for mark in found:
            made[not form.starts].setdefault(mark, []).append(form)
    return made


def _private_keys(text: str) -> Iterator[tuple[str, int, int]]:
    """The PEM blocks of private keys; of one whose end is missing, the header and the lines that look like base64."""
    position = 0
    while begin := compiled(_KEY_BEGIN).search(text, position):
        following = text.find("-----", begin.end())
        end = compiled(_KEY_END).match(text, following) if following >= 0 else None
        if end is None:
            end = compiled(_KEY_BODY).match(text, begin.end())
        position = end.end() if end else begin.end()
        yield "private-key", begin.start(), position
