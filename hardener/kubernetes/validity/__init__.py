"""What the API server, admission and the kubelet refuse, judged on plain data.

``violations`` looks at one state of a document, ``changed_violations`` at two. Both are pure, and no shape of data
makes them raise. They know what a naive change breaks, not all that Kubernetes checks: the schema is another matter.

The numbers are those of docs/design/proof.md "Rules of Kubernetes". Not judged here: that a Pod or a Job has to be made
again is said by the report; the user of an image, kustomize, Flux and Argo CD need more than the document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from hardener.kubernetes.pods.pod_template import group, templates
from hardener.support.data_path import Path, existing
from hardener.support.shapes import entries, mapping

from . import containers, objects, pod, resources
from .changes import changed_violations, is_compared
from .violation import Violation

__all__ = ["Violation", "changed_violations", "is_compared", "new_violations", "violations"]

DEFAULT_VERSION = (1, 36)
_POD_RULES = (*pod.RULES, *containers.RULES, *resources.RULES)


def violations(
    document: object, version: tuple[int, int] = DEFAULT_VERSION, limit_ranges: Iterable[object] = ()
) -> list[Violation]:
    """The rules that ``document`` breaks; a List is judged item by item.

    ``version`` is the oldest Kubernetes that it meets, ``limit_ranges`` are the LimitRange objects of its namespace.
    """
    limit_ranges = tuple(limit_ranges)
    found: list[Violation] = []
    for path, item in _objects(document):
        for broken in _of_object(item, version, limit_ranges):
            found.append(broken._replace(path=path + broken.path) if path else broken)
    return found


def new_violations(before: Iterable[Violation], after: Iterable[Violation]) -> list[Violation]:
    """The violations of ``after`` that are not in ``before``: same rule at the same place, as often as it was there."""
    known = Counter((broken.rule, broken.path) for broken in before)
    found = []
    for broken in after:
        key = (broken.rule, broken.path)
        if known[key]:
            known[key] -= 1
        else:
            found.append(broken)
    return found


def _objects(document: object) -> Iterator[tuple[Path, dict[Any, Any]]]:
    waiting: list[tuple[Path, object]] = [((), document)]
    while waiting:
        path, item = waiting.pop()
        if not isinstance(item, dict):
            continue
        kind = item.get("kind")
        if isinstance(kind, str) and kind.endswith("List") and isinstance(item.get("items"), list):
            waiting += [((*path, "items", index), value) for index, value in entries(item["items"])]
        else:
            yield path, item


def _of_object(
    document: dict[Any, Any], version: tuple[int, int], limit_ranges: tuple[object, ...]
) -> Iterator[Violation]:
    kind = document.get("kind")
    if not isinstance(kind, str):
        return
    rule = objects.RULES.get((group(document.get("apiVersion")), kind))
    if rule is not None:
        yield from rule(document)
    if "metadata" in document:
        yield from objects.metadata(document["metadata"], ("metadata",))
    for path in templates(document):
        found = _pod(document, kind, path, version)
        if path:
            yield from objects.metadata(found.metadata, found.metadata_path)
        for judge in _POD_RULES:
            yield from judge(found)
        if limit_ranges:
            yield from resources.limit_range_violations(found, limit_ranges)


def _pod(document: dict[Any, Any], kind: str, path: Path, version: tuple[int, int]) -> pod.Pod:
    template = existing(document, path)
    spec = template["spec"]
    claims = frozenset(
        name
        for _, claim in entries(mapping(document.get("spec")).get("volumeClaimTemplates"))
        if isinstance(name := mapping(claim.get("metadata")).get("name"), str)
    )
    return pod.Pod(
        kind,
        spec,
        (*path, "spec"),
        mapping(template.get("metadata")),
        (*path, "metadata"),
        claims,
        version,
        tuple(pod.containers_of(spec, (*path, "spec"))),
    )
