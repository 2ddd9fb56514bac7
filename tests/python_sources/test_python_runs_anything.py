"""Whole runs on programs made of the manifests of the golden cases, with parts that only the program knows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from hardener.sources.yaml import TextError, parse, segments

from ..conftest import ROOT, Harden, commit, snapshot, write

_HEAD = "from settings import base, cfg, more\n\n"
_EXPRESSIONS = ("cfg.value", "cfg['value']", "cfg.get()", "f'{cfg.a}-x'", "f'x:{cfg.tag}'", "base or {}")


def documents(case: Path) -> list[dict[str, Any]]:
    """The objects of a case, those that kustomize reads left out."""
    found = []
    for path in sorted(case.rglob("*.yaml")):
        for segment in segments(path.read_text(encoding="utf-8")):
            try:
                found += parse(segment.text).documents
            except TextError:
                continue
    return [one for one in found if isinstance(one, dict) and "kind" in one and "kustomize" not in str(one)]


CASES = [case for case in sorted((ROOT / "golden/profiles/restricted").glob("*/before")) if documents(case)]


def source(value: Any, rng: random.Random, depth: int = 0) -> str:
    """``value`` as Python, with expressions, spreads and lists that go on here and there."""
    if depth > 1 and rng.random() < 0.02:
        return rng.choice(_EXPRESSIONS)
    if isinstance(value, dict):
        items = [
            f"{key!r}: {source(item, rng, depth + 1) if depth or key not in ('apiVersion', 'kind') else repr(item)}"
            for key, item in value.items()
            if depth < 2 or rng.random() > 0.03
        ]
        if depth and rng.random() < 0.04:
            items.insert(rng.randrange(len(items) + 1), "**base")
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        items = [source(item, rng, depth + 1) for item in value]
        if rng.random() < 0.03:
            items.append("*more")
        text = "[" + ", ".join(items) + "]"
        return f"{text} + more" if rng.random() < 0.03 else text
    return repr(value)


@pytest.mark.sampled(3)
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.parent.name)
def test_a_program_of_any_shape_is_hardened_or_left_and_never_broken(
    case: Path, seed: int, harden: Harden, tmp_path: Path
) -> None:
    rng = random.Random(f"{case.parent.name} {seed}")
    files: dict[str, str | bytes] = {}
    for number, document in enumerate(documents(case)):
        if number and rng.random() < 0.3:  # the first one is always made by a program
            import yaml

            files[f"object{number}.yaml"] = yaml.safe_dump(document, sort_keys=False)
        else:
            files[f"object{number}.py"] = f"{_HEAD}OBJECT = {source(document, rng)}\n"
    write(tmp_path, files)
    commit(tmp_path)
    done = harden("apply", ".", "--format", "json")
    assert done.status == 0, done.err
    assert "our bug" not in done.out
    changed = snapshot(tmp_path)
    for name, (_, content) in changed.items():
        if name.endswith(".py"):
            compile(content, name, "exec")
    again = harden("apply", ".", "--format", "json")
    assert again.status == 0, again.err
    assert snapshot(tmp_path) == changed, "a second run changes it again"
