"""What the exponents of `python -m benchmarks.growth` mean, and that the inputs of benchmarks are what they say."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks import inputs
from benchmarks.growth import MOST, SERIES, exponent
from hardener.facts.kustomize.overlays.overlays import MOST_PATCHES

from .conftest import Harden

SIZES = (10, 100, 1_000, 10_000)


@pytest.mark.parametrize("power", [0.5, 1, 1.15, 2])
def test_the_exponent_is_the_power_of_the_cost(power: float) -> None:
    assert exponent(SIZES, [0.01 * size**power for size in SIZES]) == pytest.approx(power)


def test_small_sizes_say_nothing_of_growth() -> None:
    costs = [5.0, *(0.01 * size for size in SIZES[1:])]
    assert exponent(SIZES, costs) == pytest.approx(1)


def test_what_grows_like_a_sort_is_let_pass_and_what_goes_over_pairs_is_not() -> None:
    assert exponent(SIZES, [size * math.log(size) for size in SIZES]) < MOST + 0.1
    assert exponent(SIZES, [size + size**2 / 1_000 for size in SIZES]) > MOST


@pytest.mark.parametrize("name", SERIES)
def test_an_input_is_read_and_changed(harden: Harden, tmp_path: Path, name: str) -> None:
    SERIES[name].make(tmp_path / "tree", 12)
    done = harden("diff", "tree", "--quiet")
    assert done.status == 1 and not done.err


def test_small_deployments_have_17_lines_and_get_8_edits(harden: Harden, tmp_path: Path) -> None:
    text = inputs.small_deployments(tmp_path / "small.yaml", 3).read_text(encoding="utf-8")
    assert [part.count("\n") for part in text.split("---\n")] == [17, 17, 17]
    done = harden("diff", "small.yaml", "--format", "json")
    assert done.status == 1
    changes = json.loads(done.out)["changes"]
    assert len([change for change in changes if change["file"] == "small.yaml"]) == 3 * 8


@pytest.mark.parametrize(("count", "said"), [(MOST_PATCHES, False), (MOST_PATCHES + 1, True)])
def test_patches_that_are_too_many_for_one_object_are_said(
    count: int, said: bool, harden: Harden, tmp_path: Path
) -> None:
    inputs.patches(tmp_path / "tree", count, pods=1)
    found = [one for one in json.loads(harden("check", "tree", "--format", "json").out)["findings"]
             if one["id"] == "patch"]  # fmt: skip
    assert [one["message"] for one in found] == [
        f"{count} patches are for Pod/web-0: harden checks no more than {MOST_PATCHES} of one object, so what they set"
        " is not known"
    ] * said
