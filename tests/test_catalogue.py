"""The catalogue is printed by the program, so it cannot go stale."""

from __future__ import annotations

import pytest

from hardener.authoring import registry
from hardener.authoring.risks import RISKS
from hardener.commands import explain
from hardener.errors import InputError

from .conftest import ROOT


def said(*arguments: str) -> str:
    lines: list[str] = []
    for name in arguments:
        explain.explain(name, lambda line: lines.append(str(line)))
    return "\n".join(lines)


def test_the_readme_of_the_transforms_is_what_the_program_prints() -> None:
    found = (ROOT / "transforms" / "README.md").read_text(encoding="utf-8")
    assert found == explain.markdown(), "run: python -m hardener.commands.explain > transforms/README.md"


@pytest.mark.parametrize("id", list(registry.transforms()))
def test_every_transform_explains_itself(id: str) -> None:
    text = said(id)
    transform = registry.get(id)
    assert transform.summary.split()[0] in text
    assert "Why: " in text and "May break: " in text and "Profiles: " in text
    assert transform.risk in text


@pytest.mark.parametrize("risk", list(RISKS))
def test_every_risk_is_explained(risk: str) -> None:
    assert RISKS[risk].title in said(risk)
    assert said(risk) == said(risk.lower())


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(InputError, match="did you mean run-as-non-root"):
        explain.explain("run-as-nonroot", print)


def test_the_list_names_every_transform_once() -> None:
    lines: list[str] = []
    explain.print_list(None, lambda line: lines.append(str(line)))
    named = [line.split()[0] for line in lines if line.startswith("  ")]
    assert sorted(named) == sorted(registry.transforms())


def test_a_profile_shows_its_transforms_and_options() -> None:
    lines: list[str] = []
    explain.print_profiles("restricted", lambda line: lines.append(str(line)))
    assert "  run-as-non-root" in lines
    assert "  capabilities.drop = ALL" in lines
