"""A patch as a table, old and new side by side. It is read from the text of the patch, so that what is masked there
is masked here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from msgspec import Struct, field

from hardener.report.page.words import Words
from hardener.report.patch import Patch

_HEAD = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")


class _Run(Struct):
    """Lines that follow each other and are all changed: number and text of the old ones, and of the new ones."""

    old: list[tuple[int, str]] = field(default_factory=list)
    new: list[tuple[int, str]] = field(default_factory=list)


def table(patch: Patch, words: Words, name: str) -> Iterator[str]:
    """Yield the patch as a table of HTML, hunk by hunk; ``name``, as HTML, is its caption."""
    yield (
        f'<table class="sides"><caption class="unseen">{name}: old and new lines side by side</caption><colgroup>'
        '<col class="number"><col><col class="number"><col></colgroup><thead class="unseen"><tr>'
        '<th scope="col">Old line</th><th scope="col">Old</th><th scope="col">New line</th><th scope="col">New</th>'
        "</tr></thead>\n"
    )
    for number, part in enumerate(patch.parts()):
        if number:  # the first is the head
            yield from _hunk(words.redactor.text(part), words)
    yield "</table>"


def _hunk(part: str, words: Words) -> Iterator[str]:
    head, *lines = part.removesuffix("\n").split("\n")
    found = _HEAD.match(head)
    if found is None:
        return
    old, new = _first(found[1], found[2]), _first(found[3], found[4])
    ids = f": {words.line(found[5])}" if found[5] else ""
    yield f'<tbody><tr class="hunk"><th colspan="4" scope="rowgroup">Line {new}{ids}</th></tr>\n'
    run = _Run()
    for line in lines:
        mark, text = line[:1], line[1:]
        if mark == "-":
            run.old.append((old, text))
            old += 1
        elif mark == "+":
            run.new.append((new, text))
            new += 1
        elif mark == "\\":
            lists = [side for side in (run.new, run.old) if side]
            for side in lists[:1]:
                side[-1] = side[-1][0], f"{side[-1][1]}  (no line end at the end of the file)"
        elif mark == " ":
            yield from _changed(run, words)
            run = _Run()
            shown = words.line(text)
            yield f'<tr><td class="n">{old}</td><td>{shown}</td><td class="n">{new}</td><td>{shown}</td></tr>\n'
            old, new = old + 1, new + 1
    yield from _changed(run, words)
    yield "</tbody>\n"


def _first(start: str, count: str | None) -> int:
    """The number of the first line; where there is none, Git names the line before it."""
    return int(start) + (count == "0")


def _changed(run: _Run, words: Words) -> Iterator[str]:
    for old, new in zip_longest(run.old, run.new):
        left = '<td class="n none"></td><td class="none"></td>'
        if old is not None:
            left = f'<td class="n">{old[0]}</td><td class="old"><del>{words.line(old[1])}</del></td>'
        right = '<td class="n none"></td><td class="none"></td>'
        if new is not None:
            right = f'<td class="n">{new[0]}</td><td class="new"><ins>{words.line(new[1])}</ins></td>'
        yield f'<tr class="changed">{left}{right}</tr>\n'
