"""A control that a manifest shows is answered by an edit or a finding, of the transform that the catalogue names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hardener import harden_tree
from hardener.authoring import other_names, registry

from .conftest import write
from .controls import CONTROLS, NOT_IN_A_MANIFEST, Control


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: " ".join(control.names))
def test_the_smallest_manifest_that_shows_it_is_answered(control: Control, tmp_path: Path) -> None:
    assert control.answers <= registry.transforms().keys()
    write(tmp_path, {"shown.yaml": control.manifest})
    done = harden_tree(tmp_path, profile="strict", max_grade="breaking", kubernetes_version="1.36")
    records: list[Any] = [*done.changes, *done.held, *done.findings]
    said = {each.id for each in records}
    assert control.answers & said, sorted(said)


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: " ".join(control.names))
def test_the_catalogue_names_one_of_them(control: Control) -> None:
    for name in control.names:
        found = other_names.find(name)
        if found is not None and found.transforms:
            assert control.answers & {item.id for item in found.transforms}, name


def test_no_control_is_in_both_tables_and_every_number_of_the_benchmark_is_in_one() -> None:
    shown = [name for control in CONTROLS for name in control.names]
    assert len(shown) == len(set(shown))
    assert not set(shown) & NOT_IN_A_MANIFEST.keys()
    known = {item.cis for item in registry.transforms().values() if item.cis and re.fullmatch(r"[\d.]+\d", item.cis)}
    whole = {number for number in known if number.count(".") == 2 or number.startswith("2.")}
    assert whole - {*shown, *NOT_IN_A_MANIFEST} <= _OF_SEVERAL


# One number for a section of which each part stands in the table.
_OF_SEVERAL = {"3.2.2"}
