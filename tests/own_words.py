"""Writes the table of the words that reports use:
``.venv/bin/python -m tests.own_words > hardener/report/own-words.txt``.

They are those of the texts in the rules and in what makes reports. One that serves as a password is masked where it
stands and nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_FOLDERS = ("transforms", "hardener/report", "hardener/engine", "hardener/facts")
_WORD = re.compile(r"[A-Za-z]{2,}")


def words() -> set[str]:
    """Return every word, in lower case."""
    return {word.lower() for text in _texts() for word in _WORD.findall(text)}


def _texts() -> Iterator[str]:
    for folder in _FOLDERS:
        for path in sorted((_ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


if __name__ == "__main__":
    print("\n".join(sorted(words())))
