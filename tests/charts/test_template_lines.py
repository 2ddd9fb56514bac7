"""Which line of a template a line of the rendered chart comes from."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from hardener.charts.templates.lines import Templates, real_source
from hardener.charts.templates.template_text import read_template
from tests import helm
from tests.conftest import shared, write

# What, template, what helm prints of it, and the line that each line of that comes from.
SMALL = [
    (
        "keys and actions",
        """\
{{- $name := "x" }}
kind: Pod
metadata:
  name: {{ include "demo.name" . }}
  labels:
    {{- include "demo.labels" . | nindent 4 }}
spec: {}
""",
        """\
kind: Pod
metadata:
  name: demo
  labels:
    app: demo
    release: x
spec: {}
""",
        [2, 3, 4, 5, 6, 6, 7],
    ),
    (
        "the branch whose text fits",
        """\
spec:
  {{- if .Values.a }}
  type: A
  {{- else if .Values.b }}
  type: {{ .Values.b }}-B
  {{- else }}
  type: C
  {{- end }}
""",
        "spec:\n  type: C\n",
        [1, 7],
    ),
    (
        "the other branch",
        "spec:\n  {{- if .Values.a }}\n  type: A\n  {{- else }}\n  type: {{ .Values.b }}-B\n  {{- end }}\n",
        "spec:\n  type: big-B\n",
        [1, 5],
    ),
    (
        "items of a range, and those behind it",
        """\
ports:
{{- range .Values.ports }}
- name: {{ .name }}
  port: {{ .port }}
{{- end }}
- name: metrics
  port: 9100
""",
        "ports:\n- name: a\n  port: 1\n- name: b\n  port: 2\n- name: metrics\n  port: 9100\n",
        [1, 3, 4, 3, 4, 6, 7],
    ),
    (
        "items without a text of their own, in order",
        """\
env:
  - name: {{ .Values.a }}
    value: {{ .Values.b }}
  - name: {{ .Values.c }}
    value: {{ .Values.d }}
""",
        "env:\n  - name: A\n    value: 1\n  - name: C\n    value: 2\n",
        [1, 2, 3, 4, 5],
    ),
    (
        "a list at the column of its key, printed by an action",
        "args:\n{{- toYaml .Values.args | nindent 0 }}\nname: x\n",
        "args:\n- a\n- b\nname: x\n",
        [1, 2, 2, 3],
    ),
    (
        "a key with what its action prints, and a key of the template below it",
        'labels: {{- include "labels" . | nindent 2 }}\n  part: web\n',
        "labels:\n  app: x\n  part: web\n",
        [1, 1, 2],
    ),
    (
        "two keys side by side: what an include prints is no value of the user",
        'labels:\n  {{- toYaml .Values.labels | nindent 2 }}\n  {{- include "labels" . | nindent 2 }}\n  a: 1\n',
        "labels:\n  app: x\n  a: 1\n",
        [1, 3, 4],
    ),
    (
        "a key that the template names by an action",
        "data:\n  {{- range $k, $v := .Values.data }}\n  {{ $k }}: {{ $v | quote }}\n  {{- end }}\n  fixed: x\n",
        'data:\n  one: "1"\n  two: "2"\n  fixed: x\n',
        [1, 3, 3, 5],
    ),
    (
        "lines of a block",
        """\
data:
  run.sh: |
    #!/bin/sh
    {{- if .Values.debug }}
    set -x
    {{- end }}
    exec app --port={{ .Values.port }}
    # exit: 0
  other: y
""",
        "data:\n  run.sh: |\n    #!/bin/sh\n    exec app --port=80\n    # exit: 0\n  other: y\n",
        [1, 2, 3, 7, 8, 9],
    ),
    (
        "actions and comments of several lines, braces in a text, and an end of line of Windows",
        '{{- /* {{ no }}\n*/ -}}\r\na: {{ printf "}}%s"\n  "x" }}\r\nb: 1\r\n',
        "a: '}}x'\nb: 1\n",
        [3, 5],
    ),
    (
        "several documents",
        "kind: A\nname: {{ .a }}-a\n---\nkind: B\nname: {{ .b }}-b\n---\nkind: B\nname: {{ .c }}-c\n",
        "---\n# Source: demo/templates/x.yaml\nkind: B\nname: x-c\n",
        [7, 7, 7, 8],
    ),
    (
        "all of it printed by an include",
        '{{- include "common.deployment" . }}\n',
        "kind: Deployment\nspec:\n  replicas: 1\n",
        [1, 1, 1],
    ),
    (
        "keys in another order than the template has them",
        'template: {{ include "pod" . | fromYaml | toYaml | nindent 2 }}\nb: 1\na: 2\n',
        "a: 2\nb: 1\ntemplate:\n  spec: {}\n",
        [3, 2, 1, 1],
    ),
    ("nothing in the template", "", "a: 1\n", [1]),
    ("no YAML", "{{ fail }}\n{{ end }}{{", "a: 1\n}}: [", [2, 2]),
]


def lines_of(template: str, rendered: str, numbers: Iterable[int]) -> list[int]:
    """The lines of the template that lines of what it rendered to come from, as a chart of this one file shows them."""
    templates = Templates({"": template}, follow=False)
    return [templates.place("", rendered, number).line for number in numbers]


@pytest.mark.parametrize(
    ("template", "rendered", "lines"), [case[1:] for case in SMALL], ids=[case[0] for case in SMALL]
)
def test_the_line_of_the_template(template: str, rendered: str, lines: list[int]) -> None:
    assert lines_of(template, rendered, range(1, len(lines) + 1)) == lines


def test_a_comment_and_an_empty_line_belong_to_what_is_before_them() -> None:
    assert lines_of("a: 1\nb: 2\n", "a: 1\n\n# x\nb: 2\n", (1, 2, 3, 4, 5, 9)) == [1, 1, 1, 2, 2, 2]


HELPERS = """\
{{- define "demo.pod" }}
metadata:
  labels:
    {{- include "demo.labels" . | nindent 4 }}
spec:
  containers:
    - name: web
      image: {{ .Values.image }}
{{- end }}
{{- define "demo.labels" -}}
app: demo
{{- end }}
"""
USER = 'kind: Pod\n{{ include "demo.pod" . }}\n'


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (1, ("templates/pod.yaml", 1)),
        (3, ("templates/_helpers.tpl", 3)),
        (4, ("templates/_helpers.tpl", 11)),
        (7, ("templates/_helpers.tpl", 7)),
        (8, ("templates/_helpers.tpl", 8)),
        (9, ("templates/pod.yaml", 2)),
    ],
)
def test_an_include_is_followed_where_the_chart_has_what_it_includes(line: int, place: tuple[str, int]) -> None:
    rendered = (
        "kind: Pod\nmetadata:\n  labels:\n    app: demo\nspec:\n  containers:\n"
        "    - name: web\n      image: x\nother: y\n"
    )
    templates = Templates({"templates/pod.yaml": USER, "templates/_helpers.tpl": HELPERS})
    found = templates.place("templates/pod.yaml", rendered, line)
    assert (found.name, found.line) == place


def test_a_template_that_includes_itself_ends() -> None:
    helper = '{{- define "a" }}\nx:\n  {{- include "a" . | nindent 2 }}\n{{- end }}\n'
    templates = Templates({"p.yaml": '{{ include "a" . }}', "_h.tpl": helper})
    rendered = "".join(f"{'  ' * depth}x:\n" for depth in range(30))
    assert templates.place("p.yaml", rendered, 30).line in (2, 3)


@pytest.mark.slow
def test_long_texts_cost_in_proportion() -> None:
    """A list of 20,000 items, a map of 20,000 keys, and a template of as many lines; each answer reads them once."""
    items = "".join(f"- item-{number}\n" for number in range(20_000))
    keys = "".join(f"key-{number}: {number}\n" for number in range(20_000))
    for text in (items, keys, "a:\n" + "  {{- if .x }}{{ .y }}{{- end }}\n" * 20_000, "{{" * 50_000, "{{/*" * 50_000):
        assert lines_of(text, text, [19_000])[0] in (19_000, 1, 2)


# A mark at the end of a line of the template comes out at the end of the line that it renders to: helm itself says
# where a line comes from.
_MARK = re.compile(r"(?: # @(\d+))+$")


def marked(text: str) -> str:
    """A template with the number of each line that prints a text of its own, as a comment at its end."""
    lines = text.split("\n")
    for line in read_template(text).lines:
        own = re.sub(r"[\ue000\ue001\s-]", "", line.text)
        if line.number == line.end and own and own[0] != "#" and not lines[line.end - 1].rstrip().endswith("-}}"):
            lines[line.end - 1] += f" # @{line.number}"
    return "\n".join(lines)


@pytest.mark.helm
@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "known", "wrong"),
    [
        ("charts/traefik", 100, 0),
        ("charts/redis", 500, 3),
        ("charts/cert-manager", 1000, 1),
        ("charts/argo-cd", 2500, 2),
        ("corpus/podinfo/charts/podinfo", 100, 0),
        ("apps/microservices-demo/helm-chart", 500, 5),
    ],
)
def test_lines_of_real_charts(path: str, known: int, wrong: int, tmp_path: Path) -> None:
    """Of every line that helm can tell of; ``wrong`` are branches and documents that print the same."""
    chart = tmp_path / "chart"
    shutil.copytree(shared(*path.split("/")), chart)
    for file in [chart, *chart.rglob("*")]:
        file.chmod(0o755 if file.is_dir() else 0o644)
    _without_dependencies(chart)
    good, bad = _compared(chart, tmp_path)
    assert good > known
    assert len(bad) <= wrong, "\n".join(bad)


@pytest.mark.helm
def test_lines_of_the_chart_that_helm_makes(tmp_path: Path) -> None:
    chart = helm.chart(helm.Helm(helm.program(3), tmp_path / "homes"), tmp_path)
    good, bad = _compared(chart, tmp_path)
    assert (good > 50, bad) == (True, [])


def _without_dependencies(chart: Path) -> None:
    """Those that are not in the chart, and off."""
    if not (chart / "charts").exists():
        text = (chart / "Chart.yaml").read_text(encoding="utf-8")
        (chart / "Chart.yaml").write_text(re.sub(r"(?m)^dependencies:\n(?:[ -].*\n)*", "", text), encoding="utf-8")
        (chart / "Chart.lock").unlink(missing_ok=True)


def _compared(chart: Path, folder: Path) -> tuple[int, list[str]]:
    """How many lines of the rendered chart are known as helm says, and those that are not."""
    texts = {}
    for path in chart.glob("templates/**/*.yaml"):
        texts[str(path.relative_to(chart))] = text = path.read_text(encoding="utf-8")
        if "crds" not in path.parts:
            path.write_text(marked(text), encoding="utf-8")
    done = helm.Helm(helm.program(3), folder / "homes")("template", "x", chart, cwd=folder)
    assert done.returncode == 0, done.stderr
    templates, good, bad = Templates(texts, follow=False), 0, []
    for document in re.split(r"(?m)^---\n", done.stdout):
        source = re.match(r"# Source: [^/]+/(\S+)", document)
        clean = "\n".join(_MARK.sub("", line) for line in document.split("\n"))
        for number, line in enumerate(document.split("\n"), 1):
            mark = _MARK.search(line)
            if mark is None or source is None or not _MARK.sub("", line).strip():
                continue
            found = templates.place(source[1], clean, number).line
            good += found == int(mark[1])
            if found != int(mark[1]):
                bad.append(f"{source[1]}:{number}: {line} not {found}")
    return good, bad


def test_two_includes_side_by_side_are_told_apart() -> None:
    helpers = '{{ define "a" }}\nx: 1\n{{ end }}\n{{ define "b" }}\ny: 2\n{{ end }}\n'
    templates = Templates({"p.yaml": '{{ include "a" . }}\n{{ include "b" . }}\n', "_h.tpl": helpers})
    assert [templates.place("p.yaml", "x: 1\ny: 2\n", line).line for line in (1, 2)] == [2, 5]


def test_a_chart_that_was_packed_lies_in_a_folder_with_its_version(tmp_path: Path) -> None:
    top = "apiVersion: v2\nname: {}\nversion: 1.0.0\ndependencies: [{{name: {}, version: 1.0.0}}]\n"
    write(tmp_path / "app", {
        "Chart.yaml": top.format("app", "mid"), "charts/mid-1.0.0/Chart.yaml": top.format("mid", "leaf"),
        "charts/mid-1.0.0/charts/leaf/Chart.yaml": "apiVersion: v2\nname: leaf\nversion: 1.0.0\n",
    })  # fmt: skip
    found = real_source("app/charts/mid/charts/leaf/templates/web.yaml", str(tmp_path / "app"))
    assert found == "charts/mid-1.0.0/charts/leaf/templates/web.yaml"
