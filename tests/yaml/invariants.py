"""What must hold of every rewrite, whatever the text and the edit; checked without the engine's own proof."""

from typing import Any

import yaml

from hardener.sources.yaml import Rewrite, parse, same

from . import oracle


def lines_of(text: str) -> list[str]:
    """Lines with their line ends."""
    rows = text.split("\n")
    return [row + "\n" for row in rows[:-1]] + ([rows[-1]] if rows[-1] else [])


def check(before: str, result: Rewrite, wanted: list[Any]) -> None:
    """Raise AssertionError unless `result` holds `wanted` and its hunks, and nothing else, lead from `before` to it."""
    held = [document for document in parse(result.text).documents if document is not None]
    assert same(held, [document for document in wanted if document is not None]), "data differ"
    assert patched(before, result) == result.text, "the hunks do not lead to the text"
    lone, kept = comment_rows(before), comment_rows(result.text)
    assert lone is None or kept is None or lone == kept, "comments differ"
    if before and result.text:
        assert before.endswith("\n") == result.text.endswith("\n") or result.text.endswith("\n"), "final newline"
    try:
        seen = oracle.documents(result.text)
    except (yaml.YAMLError, RecursionError):
        return  # PyYAML is stricter here and there, about tabs for one
    assert same([d for d in seen if d is not None], held), "PyYAML reads it differently"


def patched(before: str, result: Rewrite) -> str:
    """Apply the hunks by hand."""
    rows, out, at = lines_of(before), [], 0
    for hunk in result.hunks:
        start = hunk.before_start - 1
        assert start >= at, "hunks overlap"
        assert rows[start : start + len(hunk.before)] == hunk.before, "a hunk names lines that are not there"
        assert hunk.before or hunk.after, "an empty hunk"
        assert not (hunk.before and hunk.after and hunk.before[0] == hunk.after[0]), "a hunk is not minimal"
        assert not (hunk.before and hunk.after and hunk.before[-1] == hunk.after[-1]), "a hunk is not minimal"
        out += rows[at:start]
        assert hunk.after_start == len(out) + 1, "a hunk stands elsewhere in the result"
        out += hunk.after
        at = start + len(hunk.before)
    return "".join(out + rows[at:])


def comment_rows(text: str) -> list[str] | None:
    """Lines that hold only a comment, found with PyYAML's scanner: no token begins on or runs over them."""
    rows = text.split("\n")
    try:
        tokens = list(yaml.scan(text, Loader=yaml.CLoader))
    except yaml.YAMLError:
        return None
    covered: set[int] = set()
    for token in tokens:
        if isinstance(token, yaml.ScalarToken):
            last = token.end_mark.line - (1 if token.end_mark.column == 0 and token.style in ("|", ">") else 0)
            if token.style in ("|", ">"):
                # Its mark runs on over blank lines, and over comments that stand less deep.
                while last > token.start_mark.line and not token.value.rstrip("\n").endswith(rows[last].strip()):
                    last -= 1
            covered.update(range(token.start_mark.line, last + 1))
    return [
        row.rstrip("\r")
        for number, row in enumerate(rows)
        if row.lstrip(" \t").startswith("#") and number not in covered
    ]
