"""The topics of findings, which a report counts: `failure without a message` becomes `2 failures without a message`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A noun with a plural in s, and no verb behind it that a plural changes.
LEGAL = re.compile(r"[A-Z]?[A-Za-z]*(?:[^sxyz]|[aeo]y)(?: (?!(?:has|is|(?:that|which) (?:only )?\w+s) ).*)?", re.DOTALL)


def topics() -> Iterator[tuple[str, str]]:
    """(file, topic) of every finding; of a topic that is put together the first part, a variable of it in braces."""
    for file in sorted(path for folder in ("transforms", "hardener") for path in (ROOT / folder).rglob("*.py")):
        text = file.read_text()
        if "topic=" not in text:
            continue
        module = ast.parse(text)
        known = {
            ast.unparse(node.targets[0]): node.value for node in module.body if isinstance(node, ast.Assign)
        }  # fmt: skip
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("finding", "Report"):
                for keyword in node.keywords:
                    if keyword.arg == "topic":
                        yield from ((file.stem, first) for first in firsts(keyword.value, known))


def firsts(value: ast.expr, known: dict[str, ast.expr]) -> Iterator[str]:
    value = known.get(ast.unparse(value), value)
    if isinstance(value, ast.IfExp):
        for branch in (value.body, value.orelse):
            yield from firsts(branch, known)
    elif isinstance(value, ast.JoinedStr):
        yield from firsts(value.values[0], known)
    elif isinstance(value, ast.FormattedValue):
        text = known.get(ast.unparse(value.value))
        yield str(text.value) if isinstance(text, ast.Constant) else f"{{{ast.unparse(value.value)}}}"
    elif isinstance(value, ast.Constant) and value.value is not None:
        yield str(value.value)


@pytest.mark.parametrize(("file", "topic"), list(topics()))
def test_a_topic_begins_with_what_can_be_counted(file: str, topic: str) -> None:
    assert LEGAL.fullmatch(topic), file
