"""Several releases of one chart are rendered at once, and nothing is believed of it that helm does not print itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hardener.charts.chart_memory import ChartMemory
from hardener.charts.files.copy import Copied
from hardener.charts.hardened_chart import ChartRun, HardenedChart, harden_chart
from hardener.charts.helm import Helm
from hardener.charts.render_ahead import Ahead, render_ahead
from hardener.charts.rendered import Reader
from hardener.charts.values.values_file import new_file
from hardener.commands.run import Choices, plan_of

from .. import helm
from ..conftest import write

WEB = """\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "app.name" . }}
  namespace: {{ .Release.Namespace }}
  annotations: {checksum/settings: {{ include (print $.Template.BasePath "/settings.yaml") . | sha256sum }}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      containers:
        - name: web
          image: {{ .Values.image }}
          {{- $_ := set .Values "seen" (int (default 0 .Values.seen) | add 1) }}
          args: [{{ .Values.seen | quote }}, {{ .Files.Get "motto" | trim }}, {{ .Chart.Version | quote }}]
          command: [{{ .Capabilities.KubeVersion.Minor | quote }}]
          resources: {{- toYaml .Values.resources | nindent 12 }}
          securityContext: {{- toYaml .Values.securityContext | nindent 12 }}
"""
SETTINGS = """\
---
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {text: {{ toJson .Values | quote }}, template: {{ .Template.Name }}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: {{ .Release.Name }}-before, annotations: {helm.sh/hook: pre-install}}
"""
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: app\nversion: 0.1.0\n",
    "values.yaml": "image: a/b:1\nresources: {}\nsecurityContext: {}\nseen: 0\n",
    "motto": "plain\n",
    "templates/_name.tpl": '{{ define "app.name" }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}\n',
    "templates/web.yaml": WEB,
    "templates/more/settings.yaml": "{{ .Release.Name }}",
    "templates/settings.yaml": SETTINGS,
    "templates/NOTES.txt": "{{ fail `nobody reads it` }}",
}
DEFAULTS: dict[str, Any] = {"image": "a/b:1", "resources": {}, "securityContext": {}, "seen": 0}
RELEASES = [
    Ahead("one", None, DEFAULTS),
    Ahead("two", "shop", {**DEFAULTS, "image": "a/b:2", "more": {"size": 100000, "share": 0.5}}),
]


@pytest.fixture
def program() -> Helm:
    return Helm.found(str(helms(4)), "/nowhere")


def helms(major: int) -> Path:
    helm.program(major)
    return helm.downloaded(major)


@pytest.mark.helm
@pytest.mark.parametrize("major", list(helm.PACKAGES))
def test_each_is_as_helm_prints_it(major: int, tmp_path: Path) -> None:
    program = Helm.found(str(helms(major)), "/nowhere")
    files = {name: text for name, text in CHART.items() if "more" not in name and "NOTES" not in name}
    write(tmp_path / "app", files)
    found = render_ahead(program, str(tmp_path / "app"), "app", RELEASES, kube_version="1.30.0")
    for text, one in zip(found, RELEASES, strict=True):
        write(tmp_path, {"values.json": json.dumps(one.values)})
        alone = program.template(
            str(tmp_path / "app"), release=one.release, namespace=one.namespace, kube_version="1.30.0",
            values=[str(tmp_path / "values.json")],
        )  # fmt: skip
        assert text is not None
        both = [Reader().read(each) for each in (text, alone)]
        data = [{key: document.data for key, document in each.items()} for each in both]
        assert data[0] == data[1] and len(data[0]) == 3
        assert {document.source for document in both[0].values()} == {document.source for document in both[1].values()}


@pytest.mark.helm
def test_one_that_fails_is_left_out(program: Helm, tmp_path: Path) -> None:
    template = "a: {{ required `no size` .Values.size }}\nkind: A\n"
    write(tmp_path / "app", {"Chart.yaml": CHART["Chart.yaml"], "templates/a.yaml": template})
    releases = [Ahead(f"r{n}", None, {} if n == 2 else {"size": n + 1}) for n in range(5)]
    found = render_ahead(program, str(tmp_path / "app"), "app", releases)
    assert [text is None for text in found] == [False, False, True, False, False]
    assert "a: 5" in (found[4] or "")


# What a render of several releases may have otherwise than helm itself.
WRONG = {
    "another field": ("a/b:1", "a/b:2"),
    "an object less": ("kind: ConfigMap", "kind: Nothing"),
    "no chart at all": ("apiVersion", "version"),
}


@pytest.mark.helm
@pytest.mark.parametrize("wrong", WRONG)
def test_what_helm_does_not_print_is_not_believed(wrong: str, program: Helm, tmp_path: Path) -> None:
    files = {name: text for name, text in CHART.items() if "more" not in name and "NOTES" not in name}
    write(tmp_path / "app", files)
    with Copied(str(tmp_path / "app"), helm=program) as copy:
        text = program.template(copy.folder)
    right = hardened(program, tmp_path, None)
    assert overrides(right)
    assert overrides(hardened(program, tmp_path, text)) == overrides(right)
    assert overrides(hardened(program, tmp_path, text.replace(*WRONG[wrong]))) == overrides(right)


def hardened(program: Helm, folder: Path, ahead: str | None) -> HardenedChart:
    plan = plan_of(Choices(), str(folder))
    run = ChartRun(chart=str(folder / "app"), root=str(folder), in_files=False, ahead=ahead)

    def harden(tree: Any, refuses: Any) -> Any:
        plan.gate.choose = lambda step: False if refuses(step) else None
        return plan.run(tree, lambda name: None)

    with ChartMemory() as memory:
        return harden_chart(
            run, program, plan.settings, harden,
            lambda found, base: {"harden-values.yaml": new_file(found, base=base, header=[])}, memory=memory,
        )  # fmt: skip


def overrides(found: HardenedChart) -> dict[tuple[str, ...], Any]:
    return {override.path: override.value for override in found.outcome.overrides}
