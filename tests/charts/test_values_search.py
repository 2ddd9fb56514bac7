"""What the search for values reaches that is easily missed, chart by chart, and that more renders never reach less."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hardener.charts.chart_memory import ChartMemory
from hardener.charts.hardened_chart import HardenedChart

from .. import helm
from ..conftest import shared, write
from .measure import measured, name_of_edit, otherwise

SECURITY = "securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}"
WHOLE = "- name: web\n  image: example.com/web:1.2.3"
DEFAULT = "securityContext: {runAsNonRoot: true, runAsUser: 100, fsGroup: 1000}"
BY_NAME = """\
{{- range $name, $own := .Values.containers }}
- name: {{ $name }}
  image: {{ $own.image }}
  {{- with $own.securityContext }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.resources }}
  resources: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}"""
VOLUMES = (
    SECURITY + "\n      volumes:\n      {{- range $volume, $entry := .Values.persistence }}"
    "\n      - {name: {{ $volume }}, {{ $entry.type }}: {}}\n      {{- end }}"
)
OF_ONE = """\
{{- range $name, $own := .Values.pods.$NAME.containers }}
- name: {{ $name }}
  image: {{ $own.image }}
  {{- with $own.user }}
  securityContext: {runAsNonRoot: true, runAsUser: {{ . }}}
  {{- end }}
{{- end }}"""
OF_POD = (
    "securityContext: {{- default .Values.podOptions.securityContext .Values.pods.$NAME.securityContext"
    " | toYaml | nindent 8 }}"
)
MERGED = (
    '- {{ merge (dict "name" "web" "image" "example.com/web:1.2.3") .Values.container.merge | toYaml | nindent 2 }}'
)
SIX = (
    "capabilities.drop", "allowPrivilegeEscalation", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory",
)  # fmt: skip


def workload(
    containers: str = WHOLE, security: str = SECURITY, name: str = "{{ .Release.Name }}", more: str = ""
) -> str:
    """The template of a Deployment of one container."""
    inner = containers.replace("\n", "\n        ")
    for number in (2, 4):
        inner = inner.replace(f"nindent {number}", f"nindent {number + 8}")
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata:
      labels: {{app: web}}
    spec:
      {security}
      automountServiceAccountToken: false
      {more}
      containers:
        {inner}
"""


@dataclass(frozen=True)
class Chart:
    """A chart by the text of its only template, its values, and those of its user; the ends of the keys that are
    reached, and those that are not written; what else comes out."""

    says: str
    template: str
    values: str
    keys: tuple[str, ...]
    given: str = ""
    never: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)


CHARTS = [
    Chart(
        "a mark in the name of an object",
        workload(MERGED, name="{{ .Values.nameOverride | default .Release.Name }}"),
        "nameOverride:\ncontainer:\n  merge: {}\n",
        SIX,
    ),
    Chart(
        "a default that any value replaces",
        workload(
            security="{{- if .Values.podSecurityContext }}\n      securityContext: "
            f"{{{{- toYaml .Values.podSecurityContext | nindent 8 }}}}\n      {{{{- else }}}}\n      {DEFAULT}"
            "\n      {{- end }}"
        ),
        "podSecurityContext: {}\n",
        (
            "podSecurityContext.seccompProfile.type",
            "podSecurityContext.runAsUser",
            "podSecurityContext.fsGroup",
            "podSecurityContext.runAsNonRoot",
        ),
    ),
    Chart(
        "a default behind another value",
        workload(
            security="securityContext: "
            "{{- toYaml (default .Values.defaultSecurityContext .Values.web.securityContext) | nindent 8 }}"
        ),
        "defaultSecurityContext:\n  fsGroup: 1000\nweb:\n  securityContext: {}\n",
        ("defaultSecurityContext.seccompProfile.type",),
        never=("web",),
    ),
    Chart(
        "containers that the user names",
        workload(BY_NAME),
        "containers: {}\n",
        SIX,
        "containers: {web: {image: a/b:1}}\n",
    ),
    Chart(
        "a container in a list of values",
        workload("{{- toYaml .Values.containers | nindent 8 }}"),
        "containers: []\n",
        ("containers",),
        "containers: [{name: web, image: 'a/b:1'}]\n",
    ),
    Chart(
        "a security context that is switched off",
        workload(
            security="{{- if .Values.podSecurityContext.enabled }}\n      securityContext: "
            '{{- omit .Values.podSecurityContext "enabled" | toYaml | nindent 8 }}\n      {{- end }}'
        ),
        "podSecurityContext: {enabled: false, fsGroup: 1001}\n",
        ("podSecurityContext.enabled", "podSecurityContext.seccompProfile.type"),
    ),
    Chart(
        "a switch that is called otherwise",
        workload(
            security="{{- if .Values.profile.active }}\n      securityContext: {seccompProfile: {type: RuntimeDefault}}"
            "\n      {{- end }}"
        ),
        "profile: {active: false}\nother: {active: false}\nmore: {active: true}\n",
        ("profile.active",),
        never=("other", "more"),
    ),
    Chart(
        "volumes by name, for one container",
        workload(
            BY_NAME.replace(
                "\n{{- end }}",
                "\n  volumeMounts:\n  {{- range $volume, $entry := $.Values.persistence }}"
                '\n  {{- range (dig "web" $name list (default dict $entry.advancedMounts)) }}'
                "\n  - {name: {{ $volume }}, mountPath: {{ .path }}}\n  {{- end }}\n  {{- end }}\n{{- end }}",
            ).replace("range $name, $own := .Values.containers", "range $name, $own := .Values.pods.web.containers"),
            VOLUMES,
        ),
        "persistence: {}\npods: {}\n",
        ("persistence.harden-app-tmp.type", "persistence.harden-app-tmp.advancedMounts.web.app", "OnlyRootFilesystem"),
        "pods: {web: {containers: {app: {image: 'grafana/grafana:11.0.0', securityContext: {runAsUser: 472}}}}}\n",
    ),
    Chart(
        "a volume that the chart brings itself",
        workload(
            "- name: web\n  image: grafana/grafana:11.0.0\n  volumeMounts:"
            "\n  - {name: data, mountPath: /var/lib/grafana}"
            "\n  {{- if .Values.securityContext.readOnlyRootFilesystem }}"
            "\n  - {name: own, mountPath: /tmp}\n  {{- end }}"
            "\n  {{- with .Values.extraMounts }}\n  {{- toYaml . | nindent 2 }}\n  {{- end }}"
            "\n  securityContext: {{- toYaml .Values.securityContext | nindent 4 }}",
            "volumes:\n      - {name: data, emptyDir: {}}"
            "\n      {{- if .Values.securityContext.readOnlyRootFilesystem }}\n      - {name: own, emptyDir: {}}"
            "\n      {{- end }}\n      {{- with .Values.extraVolumes }}"
            "\n      {{- toYaml . | nindent 6 }}\n      {{- end }}",
        ),
        "securityContext: {runAsUser: 472}\nextraMounts: []\nextraVolumes: []\n",
        ("securityContext.readOnlyRootFilesystem", "extraMounts", "extraVolumes"),  # the other path that it writes to
        also=("spec.template.spec.volumes.own of Deployment release",),
    ),
    Chart(
        "a map for one pod, which takes the place of that for all",
        workload(OF_ONE.replace("$NAME", "web"), OF_POD.replace("$NAME", "web"), "web")
        + "---\n"
        + workload(OF_ONE.replace("$NAME", "db"), OF_POD.replace("$NAME", "db"), "db"),
        "podOptions: {securityContext: {}}\npods: {}\n",
        ("pods.db.securityContext.runAsUser", "pods.db.securityContext.seccompProfile.type"),
        "pods: {web: {containers: {app: {image: 'example.com/web:1.2.3', user: 1000}}},"
        " db: {containers: {app: {image: 'redis:7.4.0'}}}}\n",
    ),
    Chart(
        "variables that follow the limits",
        workload(
            WHOLE
            + "\n  {{- with .Values.resources }}\n  resources: {{- toYaml . | nindent 4 }}\n  {{- if (.limits).cpu }}"
            "\n  env:\n  - name: GOMAXPROCS\n    valueFrom: {resourceFieldRef: {resource: limits.cpu}}\n  {{- end }}"
            "\n  {{- end }}"
        ),
        "resources: {}\n",
        ("limits.cpu", "limits.memory", "requests.cpu", "requests.memory"),
    ),
]


@pytest.mark.helm
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.says)
def test_it_is_reached_and_nothing_else_changes(chart: Chart, tmp_path: Path) -> None:
    helm.program(4)
    found, folder, values = hardened(chart, tmp_path)
    keys = [
        ".".join(map(str, path))
        for override in found.outcome.overrides
        for path in leaves(override.path, override.value)
    ]
    assert [end for end in chart.keys if not any(key.endswith(end) for key in keys)] == []
    assert [key for key in keys if key.startswith(chart.never)] == [] or not chart.never
    assert [place for place in chart.also if place not in found.also] == []
    assert otherwise(folder, found, 4, values=values) == []


def hardened(
    chart: Chart, folder: Path, most: int = 200, memory: ChartMemory | None = None
) -> tuple[HardenedChart, Path, list[str]]:
    write(folder / "chart", {
        "Chart.yaml": "apiVersion: v2\nname: app\nversion: 0.1.0\n", "values.yaml": chart.values,
        "templates/web.yaml": chart.template, **chart.files,
    })  # fmt: skip
    write(folder, {"mine.yaml": chart.given})
    values = [str(folder / "mine.yaml")] if chart.given else []
    found, _, _ = measured(folder / "chart", 4, values=values, most=most, memory=memory)
    return found, folder / "chart", values


def leaves(path: tuple[str, ...], value: Any) -> list[tuple[str, ...]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves((*path, key), inner)]
    return [path]


@pytest.mark.helm
def test_volumes_of_one_release_are_found_for_the_next_one(tmp_path: Path) -> None:
    """The map that holds volumes is one of the chart: a container of another name costs no look for it."""
    helm.program(4)
    chart = next(chart for chart in CHARTS if chart.says == "volumes by name, for one container")
    with ChartMemory() as memory:
        first, folder, _ = hardened(chart, tmp_path, memory=memory)
        write(tmp_path, {"next.yaml": chart.given.replace("app:", "main:")})
        values = [str(tmp_path / "next.yaml")]
        second, _, _ = measured(folder, 4, values=values, memory=memory)
    assert {override.path for override in second.outcome.overrides} == {
        tuple("main" if part == "app" else part.replace("-app-", "-main-") for part in override.path)
        for override in first.outcome.overrides
    }
    assert any("advancedMounts" in override.path for override in second.outcome.overrides)
    assert otherwise(folder, second, 4, values=values) == []
    assert (first.renders > 5, second.renders) == (True, 1)


# Charts of the material, each with values of a user, and the names of the values that may be written.
PUBLIC = {
    "app-template": ("controllers: {web: {containers: {app: {image: {repository: nginxinc/nginx-unprivileged,"
                     " tag: '1.27'}}}}}\nservice: {app: {controller: web, ports: {http: {port: 8080}}}}\n",
                     {"controllers", "defaultPodOptions", "persistence"}),
    "velero": ("", {"containerSecurityContext", "podSecurityContext", "resources", "upgradeJobResources",
                    "upgradeCRDsJob"}),
}  # fmt: skip


@pytest.mark.helm
@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_chart_comes_out_as_decided_by_keys_of_its_own(name: str, tmp_path: Path) -> None:
    helm.program(4)
    given, keys = PUBLIC[name]
    write(tmp_path, {"mine.yaml": given})
    chart, values = shared("charts", name), [str(tmp_path / "mine.yaml")]
    found, wanted, _ = measured(chart, 4, values=values)
    assert {override.path[0] for override in found.outcome.overrides} <= keys
    made = {name_of_edit(change) for change in found.outcome.changes}
    left = {change.transform.id for change in wanted if name_of_edit(change) not in made}
    assert left <= {"projected-token"}  # whose switch is also that of the account
    assert otherwise(chart, found, 4, values=values) == []


# Two workloads, of which several looks find a part each.
SEVERAL = Chart(
    "several looks",
    workload(MERGED, name="{{ .Values.nameOverride | default .Release.Name }}")
    + "---\n"
    + workload(BY_NAME, security="securityContext: {{- toYaml .Values.podSecurityContext | nindent 8 }}", name="other"),
    "nameOverride:\ncontainer:\n  merge: {}\npodSecurityContext: {}\nvolumes: []\nactive: false\n",
    (),
    "containers: {web: {image: a/b:1}}\n",
)


@pytest.mark.helm
def test_more_renders_never_reach_less(tmp_path: Path) -> None:
    helm.program(4)
    whole, _, _ = hardened(SEVERAL, tmp_path)
    budgets = [*range(0, whole.renders, 3), whole.renders]
    reached = [len(hardened(SEVERAL, tmp_path, most)[0].outcome.changes) for most in budgets]
    assert reached == sorted(reached)
    assert reached[0] == 0 < reached[-1] == len(whole.outcome.changes)
