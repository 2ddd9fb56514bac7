"""Helmfiles with templates: what they decide is left alone and said, the rest is read and keeps every action."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest

from hardener.charts.releases.collect import releases, write
from hardener.charts.releases.release import Release
from hardener.sources import yaml
from hardener.sources.go_templates import without_templates

from .trees import made, override

HEAD = "repositories: [{name: s, url: 'https://charts.example'}]\n"


def found(tmp_path: Path, text: str, name: str = "helmfile.yaml", **more: str) -> dict[str | None, Release]:
    return {each.name: each for each in releases(made(tmp_path, {name: text, **more}))}


ENVIRONMENTS = """\
environments:
  default: {values: [env.yaml, {web: {version: 1.2.3}}]}
  prod: {values: [env.yaml, {web: {version: 1.2.3}, api: 9.9.9}]}
---
"""
# What a release says, and the chart that is asked for; else why there is none.
VERSIONS = {
    "{{ .Values.web.version }}": "web 1.2.3",
    '"{{ .Environment.Values.web.version }}"': "web 1.2.3",
    "{{- .StateValues.web.version -}}": "web 1.2.3",
    "v{{ .Values.web.version }}": "web v1.2.3",
    "{{ .Values.of.file }}": "web 4.5.6",
    "{{ .Values.api }}": "its version is filled in later",  # environments differ
    "{{ .Values.gone }}": "its version is filled in later",
    '{{ requiredEnv "VERSION" }}': "its version is filled in later",
    "{{ .Values.web.version | default .Values.api }}": "its version is filled in later",
    "{{ if .Values.x }}1.0.0{{ else }}2.0.0{{ end }}": "its version is filled in later",
}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_all_environments_say_is_filled_in(version: str, tmp_path: Path) -> None:
    text = f"{ENVIRONMENTS}{HEAD}releases:\n- name: it\n  chart: s/web\n  version: {version}\n"
    (release,) = found(tmp_path, text, **{"env.yaml": "of: {file: 4.5.6}\n"}).values()
    assert (str(release.asked) if release.asked is not None else release.missing.split(";")[0]) == VERSIONS[version]


def test_a_value_that_a_template_fills_in_is_not_known(tmp_path: Path) -> None:
    text = f'environments:\n  default:\n    values:\n    - v: {{{{ requiredEnv "V" }}}}\n---\n{HEAD}'
    (release,) = found(
        tmp_path, f"{text}releases: [{{name: it, chart: s/web, version: '{{{{ .Values.v }}}}'}}]\n"
    ).values()
    assert release.asked is None and release.missing.startswith("its version is filled in later")


@pytest.mark.parametrize("said", ["secrets: [s.yaml]", "values: [env.yaml.gotmpl]", "values: [gone.yaml]"])
def test_values_that_the_tree_does_not_show_decide(said: str, tmp_path: Path) -> None:
    text = f"environments: {{default: {{{said}}}}}\nvalues: [{{v: 1.0.0}}]\n---\n{HEAD}"
    (release,) = found(
        tmp_path, f"{text}releases: [{{name: it, chart: s/web, version: '{{{{ .Values.v }}}}'}}]\n"
    ).values()
    assert release.asked is None and release.missing.startswith("its version is filled in later")


def test_bases_give_repositories_and_environments(tmp_path: Path) -> None:
    base = f"environments: {{default: {{values: [{{v: 1.0.0}}]}}}}\n{HEAD}"
    text = "bases: [base.yaml]\n---\nreleases:\n- name: it\n  chart: s/web\n  version: {{ .Values.v }}\n"
    (release,) = found(tmp_path, text, **{"base.yaml": base}).values()
    assert str(release.asked) == "web 1.0.0"


def test_files_that_a_helmfile_names_are_read(tmp_path: Path) -> None:
    named = ("path: releases/*.yaml", "gone.yaml", "../../outside.yaml", "helmfile.yaml", "{{ .Values.more }}")
    text = "".join(["helmfiles:\n", *(f"- {each}\n" for each in named)])
    own = f"{HEAD}releases: [{{name: NAME, chart: s/web, version: 1.0.0}}]\n"
    more = {f"releases/{name}.yaml": own.replace("NAME", name) for name in ("a", "b")}
    every = found(tmp_path, text, **more)
    assert {name: str(release.asked) for name, release in every.items()} == {"a": "web 1.0.0", "b": "web 1.0.0"}


DECIDED = f"""\
{{{{- $x := .Values.x }}}}
{{{{/* a note */}}}}
{HEAD}
releases:
  - name: first
    chart: s/web
    version: 1.0.0
    values:
      - replicas: 2   # two
        host: {{{{ .Values.host | quote }}}}
{{{{ if .Values.more }}}}
  - name: more
    chart: s/more
    version: 1.0.0
{{{{ end }}}}
  - name: partly
    chart: s/web
    {{{{- if .Values.x }}}}
    version: 1.0.0
    {{{{- end }}}}
  - name: last
    chart: s/web
    version: 1.0.0
{{{{- range .Values.apps }}}}
  - name: {{{{ .name }}}}
    chart: s/{{{{ .chart }}}}
{{{{- end }}}}
{{{{ tpl (readFile "more.yaml") . }}}}
"""


def test_what_a_template_decides_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    tree = made(tmp_path, {"helmfile.yaml": DECIDED})
    (problem,) = [each for each in tree.problems if each.name.endswith("helmfile.yaml")]
    assert (problem.line, problem.message) == (
        12,
        "not looked at: what templates decide of a helmfile, "
        "lines 12 to 16, lines 19 to 21, lines 25 to 28, line 29",
    )  # fmt: skip
    every = {each.name: each for each in releases(tree)}
    assert list(every) == ["first", "partly", "last"]
    assert every["partly"].asked is None and every["partly"].missing == "a template decides lines 19 to 21 of it"
    assert [str(every[name].asked) for name in ("first", "last")] == ["web 1.0.0", "web 1.0.0"]
    (values,) = every["first"].values
    assert (values.data, values.unknown) == ({"replicas": 2}, (("host",),))


ADDED = {
    "first": ["        securityContext:", "          privileged: false"],
    "last": ["    values:", "      - securityContext:", "          privileged: false"],
}


@pytest.mark.parametrize("name", ADDED)
def test_values_are_written_beside_templates(name: str, tmp_path: Path) -> None:
    release = found(tmp_path, DECIDED)[name]
    written: Any = write(release, [override("securityContext.privileged", False)], lambda path: Path(path).read_text())
    (text,) = written.values()
    lines = [line for line in difflib.ndiff(DECIDED.splitlines(), text.splitlines()) if line[0] in "+-"]
    assert lines == [f"+ {line}" for line in ADDED[name]]


def test_a_value_of_a_template_is_not_overridden(tmp_path: Path) -> None:
    release = found(tmp_path, DECIDED)["first"]
    refused: Any = write(release, [override("host", "x")], lambda path: Path(path).read_text())
    assert "host" in refused.reason


def test_a_file_that_helmfile_renders_is_read(tmp_path: Path) -> None:
    text = f"{HEAD}releases:\n- name: it\n  chart: s/web\n  version: 1.0.0\n"
    text += "  values: ['values/{{ .Release.Name }}.yaml']\n"
    (release,) = found(tmp_path, text, "helmfile.yaml.gotmpl", **{"values/it.yaml": "a: b\n"}).values()
    assert str(release.asked) == "web 1.0.0"
    assert release.values[0].data == {"a": "b"}


SHARED = """\
templates:
  default: &default
    HANDLER
    values: ['values/{{`{{ .Release.Name }}`}}.yaml', 'secrets/{{`{{ .Release.Name }}`}}.yaml']
releases:
  - name: it
    <<: *default
    chart: s/web
    version: 1.0.0
"""


@pytest.mark.parametrize(("handler", "known"), [("missingFileHandler: Warn", True), ("namespace: x", False)])
def test_files_that_are_named_by_the_release(handler: str, known: bool, tmp_path: Path) -> None:
    text = HEAD + SHARED.replace("HANDLER", handler)
    (release,) = found(tmp_path, text, **{"values/it.yaml": "a: b\n"}).values()
    first, *others = release.values
    assert first.data == {"a": "b"} and release.targets[0] is first
    assert [each.unknown for each in others] == ([()] if known else [((),), ()])


TEXTS = {
    "a: {{ .x }}\nb: '{{ .y }}'\n": [],
    "{{ if .x }}\na: b\n{{ else }}\nc: d\n{{ end }}\n": [(1, 5)],
    "{{- with .x }}{{ .y }}{{ end }}\n": [(1, 1)],
    "a: {{ if .x }}b{{ end }}c\n": [],
    "a: {{ .x }}{{ if\n .y }}b{{ end }}\nc: d\n": [],
    "# {{ if .x }}\na: b\n# {{ end }}\n": [(1, 3)],
    'a: "{{`{{ $labels.x }}`}}"\n': [],
    "{{/* {{ if }} */}}\na: b\n": [],
    "a: |\n  {{ if .x }}\n  b\n  {{ end }}\n  c\n": [(2, 4)],
    "{{ range .x }}\n- {{ if .y }}\n  b\n{{ end }}\n{{ end }}\n": [(1, 5)],
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_comes_back_as_it_was(text: str) -> None:
    without = without_templates(text)
    assert without is not None
    assert [(block.first, block.last) for block in without.blocks] == TEXTS[text]
    assert without.text.count("\n") == text.count("\n") and "{{" not in without.text
    assert yaml.parse(without.text) and without.restored(without.text) == text


@pytest.mark.parametrize(
    "text", ["{{ end }}\n", "{{ if .x }}\na: b\n", "a: {{ if .x }}\n", "a: harden-left-0-\n", "a: {{ else }}\n"]
)
def test_a_text_that_cannot_be_told_from_its_templates_is_not_read(text: str) -> None:
    assert without_templates(text) is None
