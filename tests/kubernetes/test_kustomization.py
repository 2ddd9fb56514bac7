"""What a kustomization says."""

from typing import Any

import pytest

from hardener.kubernetes.kustomize.kustomization import images, is_kustomization, members, patch_names


@pytest.mark.parametrize(
    ("document", "own"),
    [
        ({}, True),
        ({"resources": []}, True),
        ({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}, True),
        ({"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}, True),
        ({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"}, False),
        (None, False),
        ([], False),
    ],
)
def test_kustomize_and_flux(document: Any, own: bool) -> None:
    assert is_kustomization(document) is own


def test_what_it_is_built_from() -> None:
    document = {"resources": ["a.yaml", "../base"], "bases": ["b"], "components": ["c"], "crds": ["d"], "x": None}
    assert list(members(document)) == ["a.yaml", "../base", "b", "c"]


def test_patches() -> None:
    document = {
        "patches": [{"path": "p.yaml"}, {"patch": "- op: add"}],
        "patchesJson6902": [{"path": "j.yaml"}],
        "patchesStrategicMerge": ["s.yaml", "kind: Pod\n"],
    }
    assert list(patch_names(document)) == ["p.yaml", "j.yaml", "s.yaml"]


def test_entries_of_images_that_change_something() -> None:
    document = {
        "images": [{"name": "a"}, {"name": "b", "newTag": "1"}, {"newTag": "1"}, "c", {"name": "d", "digest": "x"}]
    }
    assert [index for index, _ in images(document)] == [1, 4]


@pytest.mark.parametrize("odd", [None, 1, "a", {"a": 1}, [None, 1, ["a"]]])
def test_odd_values_say_nothing(odd: Any) -> None:
    document = dict.fromkeys(("resources", "patches", "patchesJson6902", "images"), odd)
    assert (list(members(document)), list(patch_names(document)), list(images(document))) in (
        ([], [], []),
        (["a"], [], []),
    )
