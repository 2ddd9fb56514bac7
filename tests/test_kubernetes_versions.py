"""The table of what came to Kubernetes and went says what the definitions of each release say, and what harden does."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import yaml

from hardener import harden_text
from hardener.authoring import registry

from .conftest import ROOT
from .kubernetes_versions import GONE, NONE, ROWS, VERSIONS, Row

SHOWN = [row for row in ROWS if row.pod or row.text]
# What stays though a rule looks at it, and what a rule takes away.
_CHANGED = {"`procMount: Unmasked`"}


@cache
def _fields() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "hardener/kubernetes/data/fields.json").read_text())
    return found


def _served(row: Row) -> list[bool]:
    """In which of VERSIONS the definitions have it."""
    assert row.field is not None
    table, (holder, name) = _fields(), row.field
    assert tuple(table["versions"]) == VERSIONS
    form = table["kinds"].get(f"{holder}/{name}") if "/" in holder else table["types"][holder][name]
    first, last = (form[1], form[2]) if isinstance(form, list) else (0, len(VERSIONS) - 1)
    return [first <= number <= last for number in range(len(VERSIONS))]


@pytest.mark.parametrize("row", [row for row in ROWS if row.field], ids=lambda row: row.name)
def test_a_stage_is_told_where_the_definitions_have_it(row: Row) -> None:
    assert row.field is not None
    served = _served(row)
    if "/" in row.field[0]:  # that version of the API is the stable one
        assert served == [stage == "stable" for stage in row.stages]
    elif row.field[0] == "resource.v1.ExactDeviceRequest":  # resource.k8s.io/v1 is from 1.34
        assert served == [number > 0 for number in range(len(VERSIONS))]
    else:
        assert served == [stage not in (NONE, GONE) for stage in row.stages]


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.name)
def test_what_a_version_has_is_kept_and_what_it_has_not_is_a_finding(row: Row) -> None:
    """The newest version that has it, and the one before it came, or after it went."""
    served = _served(row)
    found = _unknown(row, VERSIONS[max(number for number, is_there in enumerate(served) if is_there)])
    assert found == []
    if not all(served) and row.text == "":
        missing = next(number for number in reversed(range(len(VERSIONS))) if not served[number])
        assert found != _unknown(row, VERSIONS[missing])


def _unknown(row: Row, version: str) -> list[str]:
    done = harden_text(row.manifest, profile="strict", max_grade="breaking", kubernetes_version=version)
    assert not done.refused
    assert row.name in _CHANGED or _holds(yaml.safe_load(row.manifest), next(yaml.safe_load_all(done.text)))
    return [each.message for each in done.findings if each.id in ("unknown-field", "unserved-kind")]


def _holds(old: Any, new: Any) -> bool:
    """Whether everything of ``old`` is there: a run adds to it, and pins an image."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and _holds(old[key], new[key]) for key in old)
    if isinstance(old, list):
        return isinstance(new, list) and len(old) <= len(new) and all(map(_holds, old, new))
    return bool(old == new)


@pytest.mark.parametrize("row", [row for row in SHOWN if row.rules], ids=lambda row: row.name)
def test_a_rule_that_is_named_is_there(row: Row) -> None:
    assert set(row.rules) <= registry.transforms().keys()


FOUND = {  # what a manifest itself shows; the others need more around it
    "`procMount: Unmasked`": "proc-mount-default", "gitRepo volumes": "restricted-volume-types",
    "`externalIPs` of a Service": "service-external-ips", "`adminAccess` of a device request": "device-admin-access",
    "MutatingAdmissionPolicy": "late-token-policy", "image volumes": "pin-volume-image",
}  # fmt: skip


@pytest.mark.parametrize("row", [row for row in SHOWN if row.name in FOUND], ids=lambda row: row.name)
def test_what_is_wrong_is_said(row: Row) -> None:
    done = harden_text(row.manifest, profile="strict", max_grade="breaking", kubernetes_version="1.36")
    records: list[Any] = [*done.changes, *done.held, *done.findings]
    assert FOUND[row.name] in {each.id for each in records}


def test_limits_of_a_pod_are_not_doubled_by_those_of_its_containers() -> None:
    """Requests and limits of the pod hold for all of it: a container gets none, and the pod keeps its own."""
    (row,) = (row for row in ROWS if row.gate == "PodLevelResources")
    done = harden_text(row.manifest, profile="strict", max_grade="breaking", kubernetes_version="1.36")
    spec = next(yaml.safe_load_all(done.text))["spec"]
    assert spec["resources"]["limits"] == {"cpu": "1", "memory": "64Mi"}
    own = spec["containers"][0].get("resources", {})
    assert not {"cpu", "memory"} & own.get("limits", {}).keys()
