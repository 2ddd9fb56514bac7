"""A language of which the program knows nothing, in this one file: properties of Java that hold a manifest.

What it takes to read, harden and write it is one ``Source`` and one line in the list of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path as File
from typing import Any, NamedTuple

import pytest

from hardener.sources import files, registry
from hardener.sources.files import UnreadableError
from hardener.sources.line_hunks import hunks_of
from hardener.sources.manifests import ManifestFile, Piece
from hardener.sources.source import Around, Mutate, Owned, Reader, Reading, Source, Touch, unreadable
from hardener.sources.yaml import Comment, Hunk
from hardener.support.data_path import Path

from .conftest import Harden, write


class Parsed:
    """A text of lines ``spec.containers.0.image=web``, and the one object that they are."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines(keepends=True)
        self.places = {path: number for number, path, _ in _entries(self.lines)}
        self.documents: list[Any] = [{}]
        for _, path, value in _entries(self.lines):
            _put(self.documents[0], path, value)

    def depth(self, document: int, path: Path) -> int:
        return max((end for end in range(len(path) + 1) if self.below(path[:end])), default=0)

    def below(self, path: Path) -> list[int]:
        """The numbers of the lines of ``path`` and what is below it."""
        return [number for place, number in self.places.items() if place[: len(path)] == path]

    def line(self, document: int, path: Path) -> int:
        return min(self.below(path[: self.depth(document, path)]), default=1)

    def comment(self, document: int, path: Path) -> str | None:
        return None  # all behind the sign is the value

    def comments(self) -> list[Comment]:
        lines = enumerate(self.lines, 1)
        return [Comment(number, line[1:].strip(), True) for number, line in lines if line.startswith("#")]


class Rewrite(NamedTuple):
    text: str
    hunks: list[Hunk]
    before: Parsed
    after: Parsed


class Properties(Source):
    name = "properties"

    def reader(self, around: Around) -> Reader:
        return Files()

    def parse(self, piece: Piece, text: str) -> Parsed:
        return Parsed(text)

    def text_of(self, parsed: Parsed) -> str:
        return parsed.text

    def rewrite_text(self, piece: Piece, text: str, mutate: Mutate) -> Rewrite:
        before = Parsed(text)
        wanted = deepcopy(before.documents)
        mutate(wanted)
        old, new = dict(_leaves(before.documents[0], ())), dict(_leaves(wanted[0], ()))
        lines = list(before.lines)
        for path, number in before.places.items():
            if old[path] != new.get(path):
                lines[number - 1] = _line(path, new[path]) if path in new else ""
        lines += [_line(path, value) for path, value in new.items() if path not in old]
        written = "".join(lines)
        return Rewrite(written, list(hunks_of(text, written)), before, Parsed(written))

    def owned(self, piece: Piece, written: Rewrite, touches: Sequence[Touch]) -> Owned:
        own = Owned()
        for touch in touches:
            own.before.update(written.before.below(touch.read[1:]))
            if touch.written is not None:
                own.after.update(written.after.below(touch.written[1:]))
        return own


class Files(Reader):
    def read(self, path: str, name: str, *, editable: bool, within: str) -> Reading:
        try:
            content = files.read(path)
        except UnreadableError as error:
            return unreadable(error, path, name, editable=editable)
        parsed = Parsed(content.text)
        if "kind" not in parsed.documents[0]:
            return Reading(passed="no-manifest")
        file = ManifestFile(path, name, content, editable, source=SOURCE)
        file.pieces.append(Piece(file, 0, len(content.text), 0, parsed.documents, parsed=True))
        return Reading(file)


def _entries(lines: list[str]) -> Iterator[tuple[int, Path, Any]]:
    for number, line in enumerate(lines, 1):
        key, sign, value = line.strip().partition("=")
        if sign and not key.startswith("#"):
            path = tuple(int(part) if part.isdigit() else part for part in key.split("."))
            is_text = value not in ("true", "false", "{}", "[]") and not value.isdigit()
            yield number, path, value if is_text else json.loads(value)


def _line(path: Path, value: Any) -> str:
    return f"{'.'.join(map(str, path))}={value if isinstance(value, str) else json.dumps(value)}\n"


def _put(value: Any, path: Path, leaf: Any) -> None:
    for part, following in zip(path, [*path[1:], None], strict=True):
        empty = leaf if following is None else [] if isinstance(following, int) else {}
        if isinstance(value, list) and part == len(value):
            value.append(empty)
        elif isinstance(value, dict):
            value.setdefault(part, empty)
        value = value[part]


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    below = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    if not below:
        yield path, value
    for part, item in below:
        yield from _leaves(item, (*path, part))


SOURCE = Properties()

BEFORE = """\
# The shop, as the platform team left it.
apiVersion=apps/v1
kind=Deployment
metadata.name=shop
spec.selector.matchLabels.app=shop
spec.template.metadata.labels.app=shop
spec.template.spec.hostPID=true
spec.template.spec.containers.0.name=web

# Never latest.
spec.template.spec.containers.0.image=nginx:1.27
"""
AFTER = """\
# The shop, as the platform team left it.
apiVersion=apps/v1
kind=Deployment
metadata.name=shop
spec.selector.matchLabels.app=shop
spec.template.metadata.labels.app=shop
spec.template.spec.containers.0.name=web

# Never latest.
spec.template.spec.containers.0.image=nginx:1.27
spec.template.spec.containers.0.securityContext.allowPrivilegeEscalation=false
"""


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "SOURCES", [*registry.SOURCES, registry.Entry((".properties",), __name__)])


@pytest.mark.usefixtures("listed")
def test_a_fourth_language_is_read_hardened_and_written(harden: Harden, tmp_path: File) -> None:
    write(tmp_path, {"shop.properties": BEFORE, "server.properties": "port=80\n"})
    only = ("--only", "no-host-pid", "--only", "no-privilege-escalation", "--max-grade", "breaking")
    done = harden("apply", ".", *only)
    assert done.status == 0, done.out + done.err
    assert (tmp_path / "shop.properties").read_bytes() == AFTER.encode()
    assert (tmp_path / "server.properties").read_text() == "port=80\n"
    assert harden("check", ".", *only).status == 0


@pytest.mark.usefixtures("listed")
def test_what_would_come_out_otherwise_is_not_written(
    harden: Harden, tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Properties.rewrite_text

    def wrong(self: Properties, piece: Piece, text: str, mutate: Mutate) -> Rewrite:
        found = right(self, piece, text, mutate)
        changed = found.text.replace("nginx:1.27", "nginx:1.28")
        return Rewrite(changed, list(hunks_of(text, changed)), found.before, Parsed(changed))

    monkeypatch.setattr(Properties, "rewrite_text", wrong)
    write(tmp_path, {"shop.properties": BEFORE})
    done = harden("apply", ".", "--only", "no-host-pid", "--max-grade", "breaking")
    assert "our bug: the text does not come out as it was decided" in done.out
    assert (tmp_path / "shop.properties").read_text() == BEFORE


def test_without_its_line_in_the_list_nothing_is_read(harden: Harden, tmp_path: File) -> None:
    write(tmp_path, {"shop.properties": BEFORE})
    assert "1 file ends in none of .yaml, .yml" in harden("check", ".").out
