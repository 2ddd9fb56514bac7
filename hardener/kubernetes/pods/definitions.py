"""Where a CustomResourceDefinition says that its objects hold a pod: by a schema with the fields of a pod spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hardener.kubernetes.pods.operator_templates import OperatorTemplate
from hardener.kubernetes.pods.pod_template import EVERY
from hardener.support.data_path import Path
from hardener.support.shapes import mapping, mappings

KIND = "CustomResourceDefinition"
_CONTAINERS = ("initContainers", "containers")
_DEEPEST = 40


def template_of(definition: Mapping[str, Any], group: str, kind: str, version: str) -> OperatorTemplate | None:
    """Where the objects of ``kind`` hold pods, by their ``definition``; None where it is that of another kind, or has
    no pod in it. The schema of ``version`` counts, or the first."""
    spec = mapping(definition.get("spec"))
    if definition.get("kind") != KIND or spec.get("group") != group or mapping(spec.get("names")).get("kind") != kind:
        return None
    versions = mappings(spec.get("versions"))
    chosen = next((each for each in versions if each.get("name") == version), versions[0] if versions else {})
    holder = mapping(chosen.get("schema")) or mapping(spec.get("validation"))
    found = list(_pods(mapping(holder.get("openAPIV3Schema")), ()))
    if not found:
        return None
    takes = frozenset.intersection(*(fields for _, fields in found))
    containers = tuple((key, EVERY) for key in _CONTAINERS)
    source = f"its {KIND}"
    return OperatorTemplate((version,), tuple(path for path, _ in found), containers, takes, False, source)


def _pods(schema: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, frozenset[str]]]:
    """The places in a schema where a pod spec stands, each with the fields of its containers."""
    if len(path) > _DEEPEST:
        return
    fields = _fields_of_containers(schema)
    if fields:
        yield path, fields
        return
    for name, child in mapping(schema.get("properties")).items():
        yield from _pods(mapping(child), (*path, str(name)))
    for below in ("items", "additionalProperties"):
        yield from _pods(mapping(schema.get(below)), (*path, EVERY)) if below in schema else ()


def _fields_of_containers(schema: Mapping[str, Any]) -> frozenset[str]:
    """The fields of a container, where ``schema`` is that of a pod spec; none where it is not."""
    containers = mapping(mapping(schema.get("properties")).get("containers"))
    fields = mapping(mapping(containers.get("items")).get("properties"))
    return frozenset(map(str, fields)) if {"name", "image", "securityContext"} <= fields.keys() else frozenset()
