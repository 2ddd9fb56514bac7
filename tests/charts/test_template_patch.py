"""The lines that harden a chart of one's own: as a patch that git takes, and that renders to what was decided."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardener.authoring.edits import Grade
from hardener.charts.helm import Helm
from hardener.charts.rendered import Document, Key, Reader, changed
from hardener.charts.run_steps import Wanted
from hardener.charts.templates.lines import Templates
from hardener.charts.templates.patch import (
    OwnPatch,
    Written,
    chart_texts,
    diff,
    own_patch,
    write_objects,
    written_over,
)
from hardener.commands.run import Choices, plan_of
from hardener.tree.tree import Tree
from tests import helm as real
from tests.conftest import git

pytestmark = pytest.mark.helm

Objects = dict[Key, Document]
CHART = "apiVersion: v2\nname: shop\nversion: 0.1.0\nappVersion: 1.2.3\n"


class Chart:
    """A chart in a folder of its own, as a repository of git."""

    def __init__(self, folder: Path, major: int = 3) -> None:
        self.folder = folder
        self.helm = Helm.found(str(real.program(major)), str(folder))

    def write(self, files: dict[str, str]) -> Chart:
        for name, text in {"Chart.yaml": CHART, **files}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        return self

    def render(self, texts: dict[str, str] | None = None) -> Objects:
        copied = self.folder.parent / "copied"
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(self.folder, copied)
        for name, text in (texts or {}).items():
            (copied / name).write_bytes(text.encode())
        return Reader().read(self.helm.template(str(copied), release="x", tests=True))

    def patch(self, below: str = "", upto: Grade | None = None) -> tuple[Objects, Wanted, OwnPatch]:
        """What helm renders, what harden wants of it, and the patch for that."""
        text = self.helm.template(str(self.folder), release="x", tests=True)
        plan = plan_of(Choices(profile="restricted", max_grade=upto), str(self.folder))
        documents = [(str(self.folder / match), part) for match, part in _parts(text)]
        tree = Tree.rendered(documents, str(self.folder), plan.settings, None, str(self.folder))
        wanted = Wanted(plan.run(tree, lambda name: None))
        base = Reader().read(text)
        return base, wanted, own_patch(str(self.folder), base, wanted, wanted.steps, self.render, below=below)


def _parts(text: str) -> list[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for part in re.split(r"(?m)^---\n(?=# Source: )", text):
        if match := re.match(r"# Source: [^/]+/(.+)\n", part):
            found.setdefault(match[1], []).append(part[match.end() :])
    return [(name, "---\n".join(parts)) for name, parts in found.items()]


@pytest.fixture
def chart(tmp_path: Path) -> Chart:
    folder = tmp_path / "shop"
    folder.mkdir()
    return Chart(folder)


def applied(chart: Chart, found: OwnPatch) -> Objects:
    """The chart rendered with the patch, which git and patch take alike."""
    git(chart.folder, "init", "-q")
    texts = []
    for command in (["git", "apply", "--whitespace=nowarn"], ["patch", "-p1", "--binary", "-s"]):
        copied = chart.folder.parent / command[0]
        shutil.copytree(chart.folder, copied)
        done = subprocess.run(command, cwd=copied, input=found.patch.encode(), capture_output=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr, found.patch)
        texts.append({name: (copied / name).read_bytes().decode() for name in found.written.texts})
    assert texts == [found.written.texts, found.written.texts]
    return chart.render(found.written.texts)


def comes_out(chart: Chart, found: OwnPatch, base: Objects) -> bool:
    """Whether the patched chart renders to what ``found`` says, and every other object to what it was."""
    return not list(changed(written_over(base, found.written), applied(chart, found)))


def lines(patch: str) -> list[str]:
    """What a patch adds and takes away."""
    return [line for line in patch.split("\n") if re.match(r"[+-](?![+-]{2} )", line)]


WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
spec:
  replicas: {{ .Values.web.replicas }}
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      {{- with .Values.web.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: web
          image: "{{ .Values.web.image.repository }}:{{ .Values.web.image.tag | default .Chart.AppVersion }}"
          ports:
            - containerPort: 8080
        {{- if .Values.logs.enabled }}
        - name: log-shipper
          image: fluent/fluent-bit:3.1.4
        {{- end }}
"""
VALUES = """\
# The shop.
web:
  replicas: 2
  image:
    repository: registry.example.com/shop/web
    tag: ""

logs:
  enabled: true
"""


@pytest.mark.slow
@pytest.mark.parametrize("major", real.PACKAGES)
def test_a_chart_of_ones_own_is_hardened_by_a_patch(tmp_path: Path, major: int) -> None:
    (tmp_path / "shop").mkdir()
    chart = Chart(tmp_path / "shop", major)
    base, wanted, found = chart.write({"templates/web.yaml": WEB, "values.yaml": VALUES}).patch()
    assert [step.number for step in found.steps] == [step.number for step in wanted.steps]
    assert found.by_hand == {}
    assert comes_out(chart, found, base)
    template, _, values = found.patch.partition("--- a/values.yaml\n")
    assert [line for line in lines(template) if "Values" in line] == [
        "+      automountServiceAccountToken: {{ .Values.web.automountServiceAccountToken }}",
        "+      securityContext: {{- toYaml .Values.web.podSecurityContext | nindent 8 }}",
        "+          resources: {{- toYaml .Values.web.resources | nindent 12 }}",
        "+          securityContext: {{- toYaml .Values.web.securityContext | nindent 12 }}",
        "+          resources: {{- toYaml .Values.logShipper.resources | nindent 12 }}",
        "+          securityContext: {{- toYaml .Values.logShipper.securityContext | nindent 12 }}",
    ]
    assert "+        - name: kube-api-access" in lines(template)  # a volume is no setting: it is written as it is
    assert [line for line in lines(values) if line.endswith("Context:") or line[1] != " "] == [
        "+  podSecurityContext:",
        "+  securityContext:",
        "+logShipper:",
        "+  securityContext:",
    ]


@pytest.mark.slow
def test_a_second_run_finds_nothing(chart: Chart) -> None:
    _, _, found = chart.write({"templates/web.yaml": WEB, "values.yaml": VALUES}).patch()
    _, wanted, again = chart.write(found.written.texts).patch()
    assert (wanted.steps, again.patch) == ([], "")


@pytest.mark.slow
def test_the_chart_that_helm_makes(tmp_path: Path) -> None:
    """Its values reach the Deployment; its test, a hook, has none."""
    chart = Chart(real.chart(real.Helm(real.program(3), tmp_path / "homes"), tmp_path))
    base, _, found = chart.patch()
    assert comes_out(chart, found, base)
    assert set(found.written.texts) == {"templates/tests/test-connection.yaml", "values.yaml"}
    assert {one.key.kind for one in found.by_hand.values()} == {"Deployment"}
    assert "+      securityContext: {{- toYaml .Values.wget.securityContext | nindent 8 }}" in lines(found.patch)
    assert "+  securityContext: {{- toYaml .Values.testConnection.podSecurityContext | nindent 4 }}" in lines(
        found.patch
    )


# What, the template below `containers:` of a Pod, what becomes of the first container, values, the lines that change.
Change = Callable[[dict[str, Any]], object]
FIRST = "    - name: web\n      image: web:1\n"
CASES: list[tuple[str, str, Change, str, list[str]]] = [
    (
        "a value that the template has written out",
        FIRST + '      securityContext:\n        privileged: true # "why"\n        runAsUser: 0\n',
        lambda one: one["securityContext"].update(privileged=False, runAsUser=1000),
        "",
        [
            '-        privileged: true # "why"',
            "-        runAsUser: 0",
            '+        privileged: false # "why"',
            "+        runAsUser: 1000",
        ],
    ),
    (
        "a key in a map that the template has written out",
        FIRST + "      securityContext:\n        runAsUser: 1\n      tty: true\n",
        lambda one: one["securityContext"].update(capabilities={"drop": ["ALL"]}),
        "",
        ["+        capabilities:", "+          drop:", "+            - ALL"],
    ),
    (
        "a value on the line of the dash",
        "    - image: web:1\n      name: web\n",
        lambda one: one.update(image="web:1@sha256:" + "a" * 64),
        "",
        ["-    - image: web:1", f"+    - image: web:1@sha256:{'a' * 64}"],
    ),
    (
        "a digest behind an image of two values",
        '    - name: web\n      image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}" # ours\n',
        lambda one: one.update(image="web:1@sha256:" + "b" * 64),
        "image:\n  repository: web\n  tag: 1\n",
        [
            '-      image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}" # ours',
            '+      image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}'
            '{{ with .Values.image.digest }}@{{ . }}{{ end }}" # ours',
            f"+  digest: sha256:{'b' * 64}",
        ],
    ),
    (
        "resources that are there and empty",
        FIRST + "      resources: {}\n",
        lambda one: one.update(resources={"limits": {"memory": "1Gi"}}),
        "replicas: 1\n",
        [
            "-      resources: {}",
            "+      resources: {{- toYaml .Values.resources | nindent 8 }}",
            "+resources:",
            "+  limits:",
            "+    memory: 1Gi",
        ],
    ),
    (
        "an empty key of values that nothing asks for is used",
        "    - name: web\n      image: {{ .Values.app.image }}\n",
        lambda one: one.update(securityContext={"privileged": False}),
        "app:\n  image: web:1\n  securityContext: {} # none yet\n",
        [
            "+      securityContext: {{- toYaml .Values.app.securityContext | nindent 8 }}",
            "-  securityContext: {} # none yet",
            "+  securityContext:    # none yet",
            "+    privileged: false",
        ],
    ),
    (
        "a key of values that is for something else is left alone",
        "    - name: web\n      image: {{ .Values.image }}\n",
        lambda one: one.update(securityContext={"privileged": False}),
        "image: web:1\nsecurityContext: {runAsUser: 5}\n",
        [
            "+      securityContext: {{- toYaml .Values.web.securityContext | nindent 8 }}",
            "+web:",
            "+  securityContext:",
            "+    privileged: false",
        ],
    ),
    (
        "a mount at the end of a list, behind an if",
        FIRST
        + "      volumeMounts:\n        - name: a\n          mountPath: /a\n        {{- if .Values.b }}\n"
        + "        - name: b\n          mountPath: /b\n        {{- end }}\n      tty: true\n",
        lambda one: one["volumeMounts"].append({"name": "tmp", "mountPath": "/tmp"}),
        "",
        ["+        - name: tmp", "+          mountPath: /tmp"],
    ),
    (
        "a key that goes",
        FIRST + "      securityContext:\n        privileged: true\n        capabilities:\n          add: [NET_RAW]\n",
        lambda one: one["securityContext"].pop("capabilities"),
        "",
        ["-        capabilities:", "-          add: [NET_RAW]"],
    ),
    (
        "inside a block that changes the dot, the values are asked for from the top",
        "    {{- with .Values.app }}\n    - name: web\n      image: {{ .image }}\n    {{- end }}\n",
        lambda one: one.update(resources={"limits": {"memory": "1Gi"}}),
        "app:\n  image: web:1\n",
        [
            "+      resources: {{- toYaml $.Values.resources | nindent 8 }}",
            "+resources:",
            "+  limits:",
            "+    memory: 1Gi",
        ],
    ),
]


def pod(containers: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n{containers}"


def one_change(chart: Chart, change: Change) -> tuple[Objects, Written]:
    base = chart.render()
    ((key, document),) = base.items()
    data = copy.deepcopy(document.data)
    change(data["spec"]["containers"][0])
    return base, write_objects(Templates(chart_texts(str(chart.folder))), base, {key: data})


def as_patch(chart: Chart, written: Written) -> OwnPatch:
    texts = chart_texts(str(chart.folder))
    return OwnPatch("".join(diff(name, texts.get(name), text) for name, text in written.texts.items()), written, [], {})


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["", "windows"])
@pytest.mark.parametrize(
    ("containers", "change", "values", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_one_change(chart: Chart, containers: str, change: Change, values: str, expected: list[str], end: str) -> None:
    files = {"templates/pod.yaml": pod(containers), "values.yaml": values or "# no values\n"}
    chart.write({name: text.replace("\n", end) for name, text in files.items()})
    base, written = one_change(chart, change)
    assert written.by_hand == []
    found = as_patch(chart, written)
    assert [line.rstrip("\r") for line in lines(found.patch)] == expected
    assert all(text.count("\r") == text.count("\n") * (end == "\r\n") for text in written.texts.values())
    assert comes_out(chart, found, base)


HELPERS = """\
{{- define "image" }}web:1{{ end }}
{{- define "common.container" }}
tty: false
{{- if .Values.x }}
securityContext:
  runAsUser: 1
{{- end }}
{{- end }}
"""

# What, the containers of a Pod, what becomes of the first, values, why a person has to do it, and at which line.
BY_HAND: list[tuple[str, str, Change, str, str, int]] = [
    (
        "a container of a range",
        "    {{- range .Values.all }}\n    - name: {{ . }}\n      image: web:1\n    {{- end }}\n",
        lambda one: one.update(securityContext={"privileged": False}),
        "all: [web]\n",
        "it is in a range, which prints several",
        8,
    ),
    (
        "a container that an action prints",
        "    {{- toYaml .Values.all | nindent 4 }}\n",
        lambda one: one.update(securityContext={"privileged": False}),
        "all: [{name: web, image: 'web:1'}]\n",
        "an action of the template prints it whole",
        7,
    ),
    (
        "a key that stands under a condition",
        FIRST + "      {{- if .Values.safe }}\n      securityContext: {privileged: false}\n      {{- end }}\n",
        lambda one: one.update(securityContext={"privileged": False}),
        "safe: false\n",
        "the template has the key, but not where if .Values.safe fails",
        10,
    ),
    (
        "a map that an include may fill",
        FIRST + '      {{- include "common.container" . | nindent 6 }}\n',
        lambda one: one.update(securityContext={"privileged": False}),
        "",
        "the template common.container may print the key as well",
        7,
    ),
    (
        "a list under a condition",
        FIRST
        + "      {{- if .Values.logs }}\n      volumeMounts:\n"
        + "        - name: a\n          mountPath: /a\n      {{- end }}\n",
        lambda one: one["volumeMounts"].append({"name": "tmp", "mountPath": "/tmp"}),
        "logs: true\n",
        "the list depends on a condition",
        10,
    ),
    (
        "a block that begins in the container and ends in another",
        FIRST
        + "      env:\n        - name: A\n          value: a\n    {{- if .Values.more }}\n        - name: B\n"
        + "    {{- else }}\n    - name: two\n      image: two:2\n    {{- end }}\n",
        lambda one: one["env"].append({"name": "C"}),
        "more: false\n",
        "a block begins in it that ends elsewhere",
        9,
    ),
    (
        "a value that an action makes",
        FIRST + "      tty: {{ not .Values.quiet }}\n",
        lambda one: one.update(tty=False),
        "quiet: false\n",
        "the template makes its value by an action",
        9,
    ),
    (
        "an image of an action of its own",
        '    - name: web\n      image: {{ include "image" . }}\n',
        lambda one: one.update(image="web:1@sha256:" + "a" * 64),
        "",
        "the template makes the image in a way of its own",
        8,
    ),
    (
        "a map in brackets",
        FIRST + "      securityContext: {privileged: true}\n",
        lambda one: one["securityContext"].update(privileged=False),
        "",
        "it is in brackets",
        9,
    ),
    (
        "a text that helm would take for an action",
        FIRST + "      args: [a]\n      workingDir: /x\n",
        lambda one: one.update(workingDir="/{{ x }}"),
        "",
        "its value holds the braces of an action",
        10,
    ),
]


@pytest.mark.parametrize(
    ("containers", "change", "values", "reason", "line"), [c[1:] for c in BY_HAND], ids=[c[0] for c in BY_HAND]
)
def test_by_hand(chart: Chart, containers: str, change: Change, values: str, reason: str, line: int) -> None:
    chart.write({"templates/pod.yaml": pod(containers), "templates/_helpers.tpl": HELPERS, "values.yaml": values})
    _, written = one_change(chart, change)
    assert written.texts == {}
    assert [(one.reason, one.name, one.line) for one in written.by_hand] == [(reason, "templates/pod.yaml", line)]


def deployment(name: str, template: str) -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  selector:\n"
        f"    matchLabels: {{app: web}}\n  template:\n    {template}\n"
    )


def of_pod(*lines: str) -> str:
    return "\n".join(("metadata:", "      labels: {app: web}", "    spec:", *(f"      {line}" for line in lines)))


ROOT_POD = """\
{{- define "shop.pod" -}}
metadata:
  labels: {app: web}
spec:
  containers:
    - name: web
      image: {{ .Values.image }}
{{- end }}
"""
# What, the chart, reasons of what a person has to do with the ids of the steps (None: all that are left), files that
# change.
ALL = {"templates/web.yaml", "values.yaml"}
WHOLE: list[tuple[str, dict[str, str], dict[str, set[str] | None], set[str]]] = [
    (
        "another template prints all values: no key can be added",
        {
            "templates/web.yaml": WEB,
            "values.yaml": VALUES,
            "templates/all.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: all\ndata:\n  all: |\n"
            "    {{- toYaml .Values | nindent 4 }}\n",
        },
        {"with the lines it would render to something else": None},
        set(),
    ),
    (
        "the template fails on the key",
        {
            "templates/web.yaml": WEB + '{{- if hasKey .Values.web "securityContext" }}{{ fail "no" }}{{ end }}\n',
            "values.yaml": VALUES,
        },
        {"the template with the lines cannot be rendered": None},
        set(),
    ),
    (
        "one helper makes the pods of two Deployments",
        {
            "templates/_pod.tpl": ROOT_POD,
            "templates/a.yaml": deployment("a", '{{- include "shop.pod" . | nindent 4 }}'),
            "templates/b.yaml": deployment("b", '{{- include "shop.pod" $ | nindent 4 }}'),
            "values.yaml": "image: web:1",
        },
        {},
        {"templates/_pod.tpl", "values.yaml"},
    ),
    (
        "a helper that is given a part of the values",
        {
            "templates/_pod.tpl": ROOT_POD.replace(".Values.image", ".image"),
            "templates/a.yaml": deployment("a", '{{- include "shop.pod" .Values.web | nindent 4 }}'),
            "values.yaml": "web: {image: 'web:1'}\n",
        },
        {"what it is part of is not given all values": None},
        set(),
    ),
    (
        "no values.yaml, no end of the last line",
        {"templates/web.yaml": deployment("web", of_pod("containers:", "- name: web", "  image: web:1")).rstrip()},
        {},
        ALL,
    ),
    (
        "a step is made whole or not at all: no mount without its volume",
        {
            "templates/web.yaml": deployment(
                "web",
                of_pod(
                    "containers:",
                    "- name: web",
                    "  image: web:1",
                    "{{- if .Values.p }}",
                    "volumes:",
                    "- name: a",
                    "  emptyDir: {}",
                    "{{- end }}",
                ),
            ),
            "values.yaml": "p: true\n",
        },
        {"the list depends on a condition": {"read-only-root-filesystem"}},
        ALL,
    ),
    (
        "a container in brackets beside another one",
        {
            "templates/web.yaml": deployment(
                "web", of_pod("containers:", "- {name: web, image: 'web:1'}", "- name: two", "  image: two:2")
            ),
        },
        {
            "it is in brackets": {
                "cpu-limit",
                "memory-limit",
                "resource-requests",
                "drop-capabilities",
                "no-privilege-escalation",
                "read-only-root-filesystem",
            },
        },
        ALL,
    ),
    (
        "what takes rights away rests on what gives a user",
        {
            "templates/web.yaml": deployment(
                "web",
                of_pod(
                    "containers:",
                    "- name: web",
                    "  image: web:1",
                    "  securityContext: {{- toYaml .Values.context | nindent 10 }}",
                ),
            ),
            "values.yaml": "context: {runAsUser: 0}\n",
        },
        {
            "an action of the template prints it whole": {
                "no-privilege-escalation",
                "read-only-root-filesystem",
                "run-as-user",
                "drop-capabilities",
            },
            "it may rest on another change, which is left: an action of the template prints it whole": {
                "run-as-non-root",
            },
        },
        ALL,
    ),
    (
        "no rule of Kubernetes is broken by a part of what was wanted",
        {
            "templates/web.yaml": deployment(
                "web",
                of_pod(
                    "containers:",
                    "- name: web",
                    "  image: web:1",
                    "  securityContext:",
                    "    privileged: {{ .Values.privileged }}",
                ),
            ),
            "values.yaml": "privileged: true\n",
        },
        {
            "an action of the template has part in it": {"no-privileged"},
            "without another change, which is left, "
            "allowPrivilegeEscalation: false is rejected with privileged: true": {"no-privilege-escalation"},
        },
        ALL,
    ),
    (
        "a chart below this one",
        {
            "Chart.yaml": CHART + "dependencies: [{name: below, version: 0.1.0}]\n",
            "charts/below/Chart.yaml": "apiVersion: v2\nname: below\nversion: 0.1.0\n",
            "charts/below/templates/a.yaml": deployment("a", of_pod("containers:", "- name: web", "  image: web:1")),
        },
        {"the template belongs to a chart below this one": None},
        set(),
    ),
    (
        "objects of a range, and a CronJob",
        {
            "templates/c.yaml": '{{- range $n := list "a" "b" }}\n---\napiVersion: v1\nkind: Pod\nmetadata:\n'
            "  name: {{ $n }}\nspec:\n  containers:\n  - name: x\n    image: web:1\n{{- end }}\n---\n"
            "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: c\nspec:\n  schedule: '0 1 * * *'\n"
            "  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n"
            "          hostNetwork: true\n          containers:\n          - name: c\n            image: web:1\n"
            "            securityContext:\n              privileged: true\n",
        },
        {"it is in a range, which prints several": None},
        {"templates/c.yaml", "values.yaml"},
    ),
    (
        "values with an anchor that others share, which stay as they are",
        {
            "templates/web.yaml": WEB,
            "values.yaml": VALUES.replace("web:\n", "web: &web\n", 1) + "other: *web\n",
        },
        {
            "values.yaml cannot take its key web.automountServiceAccountToken": {"projected-token"},
            "values.yaml cannot take its key web.podSecurityContext": {
                "run-as-non-root", "run-as-user", "seccomp-runtime-default",
            },
            "it may rest on another change, which is left: values.yaml cannot take its key web.podSecurityContext": {
                "drop-capabilities",
            },
            "values.yaml cannot take its key web.resources": {"cpu-limit", "memory-limit", "resource-requests"},
            "values.yaml cannot take its key web.securityContext": {
                "no-privilege-escalation", "read-only-root-filesystem",
            },
        },
        ALL,
    ),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("files", "reasons", "changed_files"), [c[1:] for c in WHOLE], ids=[c[0] for c in WHOLE])
def test_whole_charts(
    chart: Chart, files: dict[str, str], reasons: dict[str, set[str] | None], changed_files: set[str]
) -> None:
    base, wanted, found = chart.write(files).patch(upto=Grade.GUESS)
    known = {step.number: step.changes[0] for step in wanted.steps if not step.creates}
    assert {step.number for step in found.steps} | found.by_hand.keys() == known.keys()
    said: dict[str, set[str]] = {}
    for number, one in found.by_hand.items():
        said.setdefault(one.reason.partition(": alias ")[0], set()).add(known[number].transform.id)
    assert {reason: ids if reasons.get(reason, ids) is not None else None for reason, ids in said.items()} == reasons
    assert found.written.texts.keys() == changed_files
    assert comes_out(chart, found, base) if changed_files else found.patch == ""


@pytest.mark.slow
def test_what_is_another_in_each_render_is_left(chart: Chart) -> None:
    """A password by chance is no difference; an object with a name by chance cannot be compared."""
    chance = "{{ randAlphaNum 8 | lower }}"
    secret = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: x{chance}\n"
    pods = pod(FIRST).replace("name: web", f"name: web-{chance}", 1)
    _, wanted, found = chart.write(
        {"templates/web.yaml": WEB, "templates/s.yaml": secret, "templates/p.yaml": pods, "values.yaml": VALUES}
    ).patch()
    assert set(found.written.texts) == {"templates/web.yaml", "values.yaml"}
    assert {(one.key.kind, one.reason) for one in found.by_hand.values()} == {
        ("Pod", "its name is another in each render")
    }
    assert len(found.steps) + len(found.by_hand) == len([step for step in wanted.steps if not step.creates])


@pytest.mark.slow
def test_a_patch_of_a_chart_below_the_folder_and_a_file_with_a_blank_in_its_name(chart: Chart, tmp_path: Path) -> None:
    chart.write({"templates/my web.yaml": WEB, "values.yaml": VALUES})
    _, _, found = chart.patch("shop/")
    git(tmp_path, "init", "-q")
    for command in (["git", "apply", "--check"], ["patch", "-p1", "--dry-run", "-s"]):
        done = subprocess.run(command, cwd=tmp_path, input=found.patch.encode(), capture_output=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
