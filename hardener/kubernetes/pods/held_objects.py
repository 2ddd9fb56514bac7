"""Documents that are no objects of Kubernetes, and have a program make some, as plain data.

Sources: pulumi.com (Pulumi YAML), helmfile.readthedocs.io, docs.ansible.com (collections kubernetes.core,
community.kubernetes, community.okd, redhat.openshift), skaffold.dev (skaffold/v4beta13), the README.md of the actions
Azure/k8s-deploy v5 and Azure/k8s-bake v3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hardener.support.data_path import Path
from hardener.support.shapes import mappings

_TASK = re.compile(
    r"(?:kubernetes\.core|community\.kubernetes|community\.okd|redhat\.openshift)\.(?:k8s|helm|openshift)\w*"
)
_READING = re.compile(r"_(?:info|log|cluster_info|template|exec|facts|repository|plugin)$")
_ACTION = re.compile(r"(azure/k8s-(?:bake|deploy))@.*", re.IGNORECASE)
_PULUMI = re.compile(r"kubernetes:[\w./-]+:\w+")
_MARKS = (
    "/k8s-bake@",
    "/k8s-deploy@",
    "kubernetes:",
    "kubernetes.core",
    "community.",
    "redhat.openshift",
    "releases",
    "skaffold/",
    "apiVersion",
)
_DEEPEST = 40


def may_hold(text: str) -> bool:
    """Whether ``text`` may be such a document; tells without parsing."""
    return any(mark in text for mark in _MARKS)


def held(document: Any) -> tuple[Path, str] | None:
    """What in ``document``, which is no object, makes an object, and where it stands; None where nothing does."""
    if isinstance(document, Mapping) and isinstance(document.get("kind"), str):
        return _of_skaffold(document)
    if isinstance(document, Mapping) and any("chart" in each for each in mappings(document.get("releases"))):
        return ("releases",), "charts of helmfile"
    return next(((path, what) for path, found in _mappings(document) if (what := _of_mapping(found))), None)


def _of_mapping(found: Mapping[Any, Any]) -> str | None:
    if isinstance(found.get("apiVersion"), str) and isinstance(found.get("kind"), str):
        return f"{found['kind']} of {found['apiVersion']}"
    if isinstance(found.get("type"), str) and _PULUMI.fullmatch(found["type"]):
        return "a resource of Pulumi"
    if isinstance(found.get("uses"), str) and (action := _ACTION.fullmatch(found["uses"])):
        return _of_action(action[1].lower(), found.get("with"))
    task = next((key for key in found if isinstance(key, str) and _TASK.fullmatch(key)), None)
    return f"the task {task} of Ansible" if task is not None and not _READING.search(task) else None


def _of_action(name: str, given: Any) -> str | None:
    """What an action of GitHub applies, or renders, that no file of the tree shows."""
    if name == "azure/k8s-bake":
        return "what azure/k8s-bake renders"
    named = str(given.get("manifests")) if isinstance(given, Mapping) else ""
    return "a manifest from an address, of azure/k8s-deploy" if "://" in named else None


def _of_skaffold(document: Mapping[Any, Any]) -> tuple[Path, str] | None:
    """What a configuration of Skaffold takes in from elsewhere."""
    if not str(document.get("apiVersion")).startswith("skaffold/"):
        return None
    for path, found in _mappings({key: document.get(key) for key in ("manifests", "deploy", "requires", "profiles")}):
        if "remoteChart" in found or "git" in found:
            return path, "a chart or a repository of Skaffold"
        if any("://" in text for texts in found.values() for text in _texts(texts)):
            return path, "a manifest from an address, of Skaffold"
    return None


def _texts(value: Any) -> Iterator[str]:
    yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))


def _mappings(document: Any) -> Iterator[tuple[Path, Mapping[Any, Any]]]:
    """The mappings in ``document``, each once, with their places."""
    waiting: list[tuple[Path, Any]] = [((), document)]
    seen: set[int] = set()  # aliases share what they name
    while waiting:
        path, value = waiting.pop()
        if not isinstance(value, dict | list) or id(value) in seen or len(path) > _DEEPEST:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            yield path, value
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        waiting += [((*path, key), each) for key, each in pairs if isinstance(each, dict | list)]
