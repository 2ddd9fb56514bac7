"""No page, help text or message has a phrase of the style list."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.words import PHRASES

ROOT = Path(__file__).parents[1]
BANNED = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES), re.I)
_PROSE = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The page of before and after quotes what it advises against.
_QUOTES = ROOT / "docs" / "design" / "words.md"
# Docstrings that a user reads: those of commands, and of transforms.
_SHOWN = ("hardener/cli/", "transforms/")


def _literals(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module with their lines: no docstring but one that help or ``explain`` shows."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    is_shown = path.relative_to(ROOT).as_posix().startswith(_SHOWN)
    hidden = {id(text) for node in ast.walk(tree) for text in _notes(node, is_shown=is_shown)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node.lineno, node.value


def _notes(node: ast.AST, *, is_shown: bool) -> Iterator[ast.expr]:
    """The texts in ``node`` that are statements of their own: notes for those who read the code."""
    if is_shown and isinstance(node, ast.FunctionDef) and node.decorator_list:
        return
    for statement in getattr(node, "body", None) or () if not isinstance(node, ast.Lambda | ast.IfExp) else ():
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            yield statement.value


def _found(text: str) -> list[str]:
    return [match[0] for match in BANNED.finditer(" ".join(text.split()))]


def test_no_page_has_a_phrase_of_the_list() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): phrases
        for path in _PROSE
        if path != _QUOTES and (phrases := _found(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize("folder", ["hardener", "transforms"])
def test_no_message_has_a_phrase_of_the_list(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {phrase}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in _literals(path)
        for phrase in _found(text)
    ]
    assert found == []


def test_the_check_sees_what_it_looks_for() -> None:
    assert _found("The reason stands beside\nthe value, left for a person.") == ["stands beside", "left for a person"]
    assert _found("a variable that stands for a number") == []


def test_contributing_prints_the_list() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    missing = [phrase for phrase in PHRASES if f"| {PHRASES[phrase]} |" not in text]
    assert missing == []
