"""The topics of findings, which a report counts: `failure without a message` becomes `2 failures without a message`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardener.kubernetes.pods.operator_pods import RENDERED_ELSEWHERE

ROOT = Path(__file__).parent.parent
# A noun with a plural in s, and no verb behind it that a plural changes.
_VERBS = r"(?:has|is|(?:that|which) (?:only )?[a-z]+s) "
LEGAL = re.compile(rf"[A-Z]?[A-Za-z]*(?:[^sxyz]|[aeo]y)(?: (?!{_VERBS}).*)?", re.DOTALL)


def topics() -> Iterator[tuple[str, str]]:
    """(file, topic) of every finding; of a topic that is put together the first part, a variable of it in braces."""
    for file in sorted(path for folder in ("transforms", "hardener") for path in (ROOT / folder).rglob("*.py")):
        text = file.read_text()
        if "topic=" not in text:
            continue
        module = ast.parse(text)
        known = variables(module)
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("finding", "Report"):
                for keyword in node.keywords:
                    if keyword.arg == "topic":
                        found = list(firsts(keyword.value, known))
                        assert found, f"{file.stem}:{node.lineno}: what the topic is does not show"
                        yield from ((file.stem, first) for first in found)


def variables(module: ast.Module) -> dict[str, list[ast.expr]]:
    """What the variables of a module may be: what is assigned to them in any function, and, where one takes its part of
    what a generator of the module yields, those parts."""
    found: dict[str, list[ast.expr]] = {}
    generators = {node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign):
            found.setdefault(ast.unparse(node.targets[0]), []).append(node.value)
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Tuple) and isinstance(node.iter, ast.Call):
            generator = generators.get(ast.unparse(node.iter.func))
            for made in ast.walk(generator) if generator is not None else ():
                if isinstance(made, ast.Yield) and isinstance(made.value, ast.Tuple):
                    for name, value in zip(node.target.elts, made.value.elts, strict=False):
                        found.setdefault(ast.unparse(name), []).append(value)
    return found


def firsts(value: ast.expr, known: dict[str, list[ast.expr]]) -> Iterator[str]:
    if isinstance(value, ast.Name):
        for each in known.get(value.id, ()):
            yield from firsts(each, known)
    elif isinstance(value, ast.IfExp):
        for branch in (value.body, value.orelse):
            yield from firsts(branch, known)
    elif isinstance(value, ast.JoinedStr):
        yield from firsts(value.values[0], known)
    elif isinstance(value, ast.FormattedValue):
        yield from list(firsts(value.value, known)) or [f"{{{ast.unparse(value.value)}}}"]
    elif isinstance(value, ast.Constant) and value.value is not None:
        yield str(value.value)


TOPICS = list(topics())


def test_every_topic_is_looked_at() -> None:
    assert len(TOPICS) >= 50
    assert {"rbac_dead_rule", "find_unknown_kinds", "find_rendered_elsewhere"} <= {file for file, _ in TOPICS}


@pytest.mark.parametrize(("file", "topic"), TOPICS)
def test_a_topic_begins_with_what_can_be_counted(file: str, topic: str) -> None:
    if (file, topic) == ("find_rendered_elsewhere", "{item.kind}"):
        assert [kind for _, kind in sorted(RENDERED_ELSEWHERE) if not LEGAL.fullmatch(kind)] == []
    else:
        assert LEGAL.fullmatch(topic), file
