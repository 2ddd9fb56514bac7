"""Forms in which workloads are written and that nothing here reads: how each is told by its text, and the way out.

A search of the text tells, in time linear in its size; nothing is parsed.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from hardener.kubernetes.pods.pod_template import POD_KINDS
from hardener.support.late_pattern import late_pattern


class Form(NamedTuple):
    """A form: its name in a sentence, and the command by which what it comes to is hardened."""

    name: str
    advice: str


class Sighting(NamedTuple):
    """What looks like a workload: the line, from 1, its ``form`` (a key of ``FORMS``), and what it is."""

    line: int
    form: str
    what: str


_KEEP = "harden filter > FILE; keep FILE in Git and have it applied instead"
_POLICY = "set it where the program makes the object; policies refuse what is left: harden apply --policy-engine vap"


def _rendered(name: str, command: str) -> Form:
    """A form that a command renders."""
    return Form(name, f"render it and harden the result: {command} | {_KEEP}")


FORMS: dict[str, Form] = {
    "cue": _rendered("CUE", "cue export ./... --out yaml -e OBJECT"),
    "jsonnet": _rendered("Jsonnet", "jsonnet -y MAIN.jsonnet"),  # of a list; without -y of one object
    "cdk8s": _rendered("cdk8s", "cdk8s synth --stdout"),
    "pulumi": Form("Pulumi", "have the provider write YAML (renderYamlToDirectory: DIR), and harden apply DIR"),
    "go": Form("Go", _POLICY),
    "program": Form("programs", _POLICY),
    "template": _rendered("templates", "RENDER FILE"),
    "helmfile": _rendered("helmfile", "helmfile template"),
    "fleet": _rendered("Fleet", "helm template CHART -f VALUES"),
    "chart": Form(
        "dependencies of charts", "harden values CHART hardens their values, after helm dependency build CHART"
    ),
    "kustomize-chart": _rendered("charts of kustomize", "kustomize build --enable-helm DIR"),
    "remote-base": _rendered("remote bases of kustomize", "kustomize build DIR"),
    "helm-release": _rendered("charts of Terraform", "helm template CHART -f VALUES"),
    "terraform": Form("Terraform", "write the block as the current provider documents it"),
    "ansible": Form("Ansible", "write the object below definition:, or harden the file that src or template names"),
    "heredoc": Form("scripts", "write it into a manifest, and have the script apply that: kubectl apply -f FILE"),
    "text": Form("texts within YAML", "keep the manifest in a file of its own, or harden what it is rendered to"),
    "settings": Form(
        "YAML that is no object", "render what it is for, and harden that: helm template CHART -f FILE | harden filter"
    ),
    "dhall": _rendered("configuration languages", "RENDER FILE"),
    "stream": Form(
        "a document that is no object", "render each object as a document: cue export -e OBJECT, jsonnet -y"
    ),
    "nested": Form("YAML of other tools", "keep the manifest in a file of its own, or harden what it is rendered to"),
}
"""By the key that a sighting names."""

_KINDS = "|".join(sorted(POD_KINDS))
_BUILT_IN = "Deployment|StatefulSet|DaemonSet|ReplicaSet|CronJob|Job|Pod"
_KEYED = rf"""\bkind["']?[ \t]*(?::{{1,3}}|=)[ \t]*["']({_KINDS})["']"""
_CUE = late_pattern(_KEYED)
_JSONNET = late_pattern(rf"{_KEYED}|\bk\d?\.(?:apps|batch|core)\.v\w+\.(\w+)\.new\(|\b(\w*[dD]eployment)\.new\(")
_PULUMI = late_pattern(
    rf"\bnew\s+(?:[\w.]+\.)?(?:apps|batch|core|Apps|Batch|Core)\.[vV]\w+\.({_BUILT_IN}|Chart|Release)\("
    rf"|\bnew\s+(?:\w+\.)*helm\.v\d\.(Chart|Release)\(|\b(?:apps|batch|core)v\d\w*\.New({_BUILT_IN})\("
    rf"|\bnew\s+(?:Kubernetes\.)?(?:Types\.\w+\.)?(?:Apps|Batch|Core)\.V1\.({_BUILT_IN})\(|\bnew\s+({_BUILT_IN})\("
)
_CDK8S = late_pattern(
    rf"\bnew\s+(?:\w+\.)?Kube({_BUILT_IN})\(|\bnew\s+kplus\.({_BUILT_IN})\("
    rf"|\.NewKube({_BUILT_IN})\(|\bkplus\w*\.New({_BUILT_IN})\("
)
_CLIENT = late_pattern(rf"\bnew\s+(?:\w+\.)?V1({_BUILT_IN})\b|\bnew\s+({_BUILT_IN})Builder\(")
_PULUMI_YAML = late_pattern(rf"(?m)^[ \t]+type:[ \t]*[\"']?kubernetes:[\w./]+:({_BUILT_IN})\b")
_GO = late_pattern(rf"&?\b(?:apps|core|batch)?v1(?:beta\d)?\.({_BUILT_IN})\{{")
_OBJECT = late_pattern(rf"""kind(?<!\wkind)["']?[ \t]*:[ \t]*["']?({_KINDS})\b""")
_TEMPLATE = late_pattern(rf"(?m)^[ \t]*kind:[ \t]*({_KINDS})[ \t\r]*$")
_CHART_ENTRY = late_pattern(r"(?m)^[ \t]*(?:-[ \t]+)?chart[ \t]*:[ \t]*(\S+)")
_DEPENDENCY = late_pattern(
    r"(?m)^[ \t]*(?:-[ \t]+)?repository[ \t]*:[ \t]*[\"']?((?:https?|oci)://[^\s\"']+|@[^\s\"']+)"
)


# The key of a list of containers, and the first line below it that names an image. In a schema, such as that of a
# CustomResourceDefinition, `image` is described and has no value.
_CONTAINERS = late_pattern(
    r"(?m)^([ \t]*)(?:-[ \t]+)?[\"']?(\w*[cC]ontainers)[\"']?:[ \t]*(?:#[^\n]*)?\r?\n"
    r"(?:\1[ \t-](?![ \t-]*image:)[^\n]*+\n|[ \t\r]*\n)*+\1[ \t-][ \t-]*+image:"
    r"(?![ \t]*\r?\n[ \t]+(?:description|type):)"
)
_TASK_FILE = late_pattern(
    r"(?m)^([ \t]*)(?:-[ \t]+)?(?:[\w.]+\.)?k8s:[ \t]*+\r?\n"
    r"(?:\1[ \t]++(?!(?:src|template):)[^\n]*+\n)*+\1[ \t]++(?:src|template):[ \t]*+(\S+)"
)


class _Language(NamedTuple):
    """How a form shows in files of some endings: each of ``needs`` stands in the text, and ``pattern`` fits."""

    form: str
    endings: tuple[str, ...]
    needs: tuple[str, ...]
    pattern: re.Pattern[str]


_SCRIPTS = (
    ".ts", ".tsx", ".js", ".mjs", ".cjs", ".java", ".kt", ".scala", ".cs", ".fs", ".rb", ".rs", ".php", ".ex", ".exs",
)  # fmt: skip
_COMMANDS = (
    ".bash", ".zsh", ".ksh", ".ps1", ".mk", ".groovy", "Makefile", "Jenkinsfile", "Dockerfile", "Containerfile",
    "justfile", "Justfile", "Vagrantfile", "Tiltfile",
)  # fmt: skip
_TEMPLATES = (
    ".j2", ".jinja", ".jinja2", ".tmpl", ".gotmpl", ".tpl", ".tftpl", ".erb", ".mustache", ".hbs", ".in", ".dist",
)  # fmt: skip
LANGUAGES: tuple[_Language, ...] = (
    _Language("cue", (".cue",), ("kind",), _CUE),
    _Language("jsonnet", (".jsonnet", ".libsonnet"), (), _JSONNET),
    _Language("cdk8s", (*_SCRIPTS, ".go"), ("cdk8s",), _CDK8S),
    _Language("pulumi", (*_SCRIPTS, ".go"), ("ulumi", "ubernetes"), _PULUMI),
    _Language("go", (".go",), ("k8s.io/api",), _GO),
    _Language("program", _SCRIPTS, ("apiVersion",), _OBJECT),
    _Language("program", _SCRIPTS, ("ubernetes",), _CLIENT),
    _Language("dhall", (".dhall", ".nix", ".k", ".pkl", ".star"), ("apiVersion",), _CUE),
    _Language("template", _TEMPLATES, ("apiVersion",), _TEMPLATE),
    _Language("heredoc", _COMMANDS, ("apiVersion",), _OBJECT),
    _Language("document", (".md", ".mdx", ".rst", ".adoc", ".txt"), ("apiVersion",), _OBJECT),
)
ENDINGS: tuple[str, ...] = tuple(dict.fromkeys(ending for each in LANGUAGES for ending in each.endings))
"""What the names of files end in that may hold such a form, and that nothing here reads."""

_APART = frozenset({"doc", "docs", "documentation", "test", "tests", "testing", "e2e", "__tests__", "website"})
_TEST_NAMES = re.compile(r".*(?:_test\.\w+|\.(?:test|spec)\.\w+)|test_.*")


def is_apart(name: str, form: str) -> bool:
    """Whether a workload in the file ``name`` is one of documents or tests, which are counted apart."""
    *folders, base = name.replace(os.sep, "/").split("/")
    return form == "document" or not _APART.isdisjoint(folders) or _TEST_NAMES.fullmatch(base) is not None


def in_language(name: str, text: str) -> list[Sighting]:
    """What looks like a workload in the ``text`` of a file called ``name`` of a language that nothing here reads."""
    for each in LANGUAGES:
        if name.endswith(each.endings) and all(word in text for word in each.needs):
            found = list(_found(each.form, each.pattern, text))
            if found:
                return found
    return []


def in_yaml(name: str, text: str) -> list[Sighting]:
    """The same of a file of YAML that holds no object: those of tools that render charts."""
    base = os.path.basename(name)
    if base.startswith("helmfile") and "releases" in text:
        return list(_found("helmfile", _CHART_ENTRY, text))
    if tasks := in_tasks(text):
        return tasks
    if base == "fleet.yaml":
        return list(_found("fleet", _CHART_ENTRY, text))
    if base == "Chart.yaml" and "dependencies" in text:
        return list(_found("chart", _DEPENDENCY, text))
    if base.startswith("Pulumi") and "kubernetes:" in text:
        return list(_found("pulumi", _PULUMI_YAML, text))
    if base.startswith("azure-pipelines") or "image:" not in text or "ontainers" not in text:
        return []  # containers of a pipeline run its own steps
    return list(_found("settings", _CONTAINERS, text))


def in_tasks(text: str) -> list[Sighting]:
    """The files that tasks of Ansible apply: `src` and `template` of the module `k8s`; each sighting names the file."""
    return list(_found("ansible", _TASK_FILE, text)) if "k8s:" in text else []


def in_text(form: str, text: str) -> list[Sighting]:
    """What looks like a workload in a ``text`` that is known to be of ``form``."""
    return list(_found(form, _OBJECT, text)) if "apiVersion" in text else []


def _found(form: str, pattern: re.Pattern[str], text: str) -> Iterator[Sighting]:
    ends: list[int] = []
    for match in pattern.finditer(text):
        ends = ends or [at for at, char in enumerate(text) if char == "\n"]
        what = next((group for group in match.groups() if group and group.strip()), "workload")
        yield Sighting(bisect_right(ends, match.start()) + 1, form, what)
