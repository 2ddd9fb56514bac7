"""What values reach of the trap charts: what is known to come out does, what would change anything else is not written,
and what no key reaches is a finding at its template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hardener.charts.hardened_chart import HardenedChart
from hardener.engine.outcome import Change, Override

from .. import helm
from ..conftest import write
from .measure import measured, otherwise
from .trap_charts import TRAPS, Row, Trap, chart

RENDERING = [trap for trap in TRAPS if trap.renders]
# Each trap with one helm, each helm with half of them: what differs between the two is in test_trap_charts.
PAIRS = [(trap, list(helm.PACKAGES)[number % 2]) for number, trap in enumerate(RENDERING)]


def row_of(trap: Trap, change: Change) -> Row | None:
    name = f"{change.object.kind}/{change.object.name}"
    path = change.path[1:]
    rows = [row for row in trap.rows if row.object == name and path[: len(row.path)] == row.path]
    return max(rows, key=lambda row: len(row.path), default=None)


def holds(override: Override, key: tuple[str, ...]) -> bool:
    return override.path[: len(key)] == key or key[: len(override.path)] == override.path


def value_of(override: Override, key: tuple[str, ...]) -> Any:
    value = override.value
    for part in key[len(override.path) :]:
        value = value.get(part) if isinstance(value, dict) else None
    return value


@pytest.mark.sampled(2)
@pytest.mark.helm
@pytest.mark.parametrize(("trap", "major"), PAIRS, ids=[f"{trap.name}-helm-{major}" for trap, major in PAIRS])
def test_values_do_what_is_known_and_nothing_else(trap: Trap, major: int, tmp_path: Path) -> None:
    helm.program(major)
    trap.write(tmp_path / "chart")
    found, wanted, _ = measured(tmp_path / "chart", major, release="app")
    assert otherwise(tmp_path / "chart", found, major, release="app") == []
    for never in trap.never:
        bad = [one for one in found.outcome.overrides if one.path == never.key and one.value == never.value]
        assert not bad, never.why
    by_values = {id(change) for change in found.outcome.changes}
    made = [change for change in found.outcome.changes if id(change) in by_values]
    for change in made:
        row = row_of(trap, change)
        assert row is None or row.key is not None, f"{change.object} {change.path}: no key reaches it, said the trap"
        if row is not None and row.key is not None:
            assert any(holds(one, row.key) for one in found.outcome.overrides), row
    assert not missed(trap, found, wanted)


def missed(trap: Trap, found: HardenedChart, wanted: list[Change]) -> list[str]:
    """The edits that a key is known for, and which it does not make."""
    made = {(str(change.object), change.path[1:]) for change in found.outcome.changes}
    lost = []
    for change in wanted:
        row = row_of(trap, change)
        if row is not None and row.key is not None and row.must and (str(change.object), change.path[1:]) not in made:
            lost.append(f"{change.object} {change.path[1:]} by {row.key}")
    return lost


@pytest.mark.helm
@pytest.mark.parametrize("name", ["aliases-and-conditions", "switches", "range-over-containers"])
def test_a_second_run_adds_nothing(name: str, tmp_path: Path) -> None:
    major = max(helm.PACKAGES)
    helm.program(major)
    next(trap for trap in TRAPS if trap.name == name).write(tmp_path / "chart")
    found, _, _ = measured(tmp_path / "chart", major)
    values = tmp_path / "harden-values.yaml"
    values.write_text(found.written["harden-values.yaml"], encoding="utf-8")
    again, _, _ = measured(tmp_path / "chart", major, values=[str(values)])
    assert found.outcome.overrides
    assert not again.outcome.overrides
    assert not again.written


def small_chart(folder: Path, before: str, more: str = "") -> Path:
    """A chart of one Deployment with free resources; ``before`` stands in its metadata."""
    (folder / "chart" / "templates").mkdir(parents=True)
    (folder / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 1.0.0\n", encoding="utf-8")
    (folder / "chart" / "values.yaml").write_text("resources: {}\n", encoding="utf-8")
    (folder / "chart" / "templates" / "web.yaml").write_text(
        f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
{before}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
        - name: web
          image: example.com/web:1.0
          resources: {{{{- toYaml .Values.resources | nindent 12 }}}}
{more}""",
        encoding="utf-8",
    )
    return folder / "chart"


@pytest.mark.helm
@pytest.mark.parametrize(
    ("before", "more"),
    [
        ("  annotations: {made: '{{ now | unixEpoch }}'}", ""),  # the same in two renders, another one a second later
        ("  annotations: {by: '{{ randAlphaNum 8 }}'}", ""),
        ("", "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'c-{{ randAlphaNum 5 | lower }}'}\n"),
        ("", "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: '1'\n  a: '2'\n"),
    ],
    ids=["time", "random text", "random name", "a key twice"],
)
def test_what_differs_by_itself_keeps_nothing_from_being_found(before: str, more: str, tmp_path: Path) -> None:
    major = min(helm.PACKAGES)
    helm.program(major)
    found, _, _ = measured(small_chart(tmp_path, before, more), major)
    assert ("resources", "requests", "memory") in [override.path for override in found.outcome.overrides]


# The values of a Secret, and whether they stand in a file.
SECRETS = {
    "made anew": ("password: {{ randAlphaNum 16 | b64enc }}", False),
    "made anew, of a known user": ('user: {{ "admin" | b64enc }}\n  password: {{ randAlphaNum 16 | b64enc }}', False),
    "as it stands": ('password: {{ "h7Kx9!mPq2Zt4Lw8" | b64enc }}', True),
    "one of both": (
        'a-password: {{ "h7Kx9!mPq2Zt4Lw8" | b64enc }}\n  b-password: {{ randAlphaNum 16 | b64enc }}',
        True,
    ),
}


@pytest.mark.helm
def test_a_secret_that_is_made_anew_is_in_no_file(tmp_path: Path) -> None:
    helm.program(4)
    secrets = [
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s{number}}}\ndata:\n  {data}\n"
        for number, (data, _) in enumerate(SECRETS.values())
    ]
    write(tmp_path / "chart", {"Chart.yaml": chart(), "templates/s.yaml": "---\n".join(secrets)})
    found, _, _ = measured(tmp_path / "chart", 4)
    said = {str(one.object) for one in found.outcome.findings if one.id == "secret-object-external"}
    assert said == {f"Secret/s{number}" for number, (_, is_fixed) in enumerate(SECRETS.values()) if is_fixed}
