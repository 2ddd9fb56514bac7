"""`helm` in `.harden.yaml`: where charts lie, and whether their values are hardened."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardener.authoring.config import load
from hardener.errors import InputError
from hardener.tree.tree import Settings
from tests.charts.trees import made, only


@pytest.mark.parametrize(
    ("text", "values", "charts"),
    [
        ("profile: strict\n", None, {}),
        ("helm: {}\n", None, {}),
        ("helm: {values: true}\n", True, {}),
        ("helm: {charts: {app: vendor/app}}\n", None, {"app": "vendor/app"}),
        ("helm: {charts: {oci://r.example.com/app: ./vendor/}}\n", None, {"oci://r.example.com/app": "vendor"}),
    ],
)
def test_charts_are_seen_from_the_file(text: str, values: bool | None, charts: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".harden.yaml").write_text(text, encoding="utf-8")
    found = load(str(tmp_path))
    assert found.helm_values is values
    assert found.helm_charts == {name: str(tmp_path / folder) for name, folder in charts.items()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("helm: {chart: {}}\n", "unknown key chart in helm"),
        ("helm: {values: maybe}\n", "helm.values: expected true or false, got a text"),
        ("helm: {charts: [app]}\n", "helm.charts: expected a mapping, got a list"),
        ("helm:\n  charts:\n    app: ''\n", ".harden.yaml:3: helm: charts: 'app' needs the folder of the chart"),
        ("helm:\n  charts:\n    app: https://x.example.com\n", ":3: helm: charts: 'app' needs the folder"),
    ],
)
def test_what_names_no_folder_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / ".harden.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load(str(tmp_path))
    assert message in str(error.value) and "\n" not in str(error.value)


RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  chart: {spec: {chart: other, sourceRef: {kind: HelmRepository, name: r}}}
"""


@pytest.mark.parametrize(
    ("name", "at_hand"), [("other", True), ("oci://r.example.com/other", False), ("another", False)]
)
def test_the_folder_goes_by_the_name_in_the_release(name: str, at_hand: bool, tmp_path: Path) -> None:
    (tmp_path / ".harden.yaml").write_text(f"helm: {{charts: {{{name}: charts/app}}}}\n", encoding="utf-8")
    settings = Settings(helm_charts=load(str(tmp_path)).helm_charts)
    assert only(made(tmp_path, {"a.yaml": RELEASE}, settings)).at_hand is at_hand
