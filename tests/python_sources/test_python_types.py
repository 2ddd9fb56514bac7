"""The type graph and the naming rules against the libraries themselves: every argument of every class."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

from hardener.sources.python.libraries import dialects, types

from . import environments

# Library, environment, and how many arguments there are at least.
LIBRARIES = [
    pytest.param("cdk8s", "kubernetes-37", 900, marks=pytest.mark.node),
    ("hikaru", "kubernetes-31", 1000),
    ("kubernetes", "kubernetes-31", 1200),
    ("kubernetes", "kubernetes-37", 1200),
    ("lightkube", "kubernetes-37", 1200),
    ("pulumi", "kubernetes-37", 1200),
]
# Types that no change is about: of their own naming (x-kubernetes-…), or two of one name in different groups.
ELSEWHERE = {"Event", "EventSeries", "Eviction", "JSONSchemaProps", "ResourceClaim", "Subject", "TokenRequest"}
# Fields that neither the oldest nor the newest schemas have: between them they came and went.
GONE = {
    ("EphemeralVolumeSource", "read_only"), ("Ingress", "status"), ("NetworkPolicy", "status"),
    ("ObjectMeta", "cluster_name"), ("PodResourceClaim", "source"), ("PodSpec", "workload_ref"),
    ("ServiceSpec", "ip_family"), ("ServiceSpec", "topology_keys"), ("WorkloadReference", "name"),
    ("WorkloadReference", "pod_group"), ("WorkloadReference", "pod_group_replica_key"),
}  # fmt: skip
_UNSTABLE = re.compile(r"[vV]\d+(?:alpha|beta)\d+")
_WORDS = {"str": "string", "bytes": "string", "int": "integer", "float": "number", "bool": "boolean"}
_LOOSE = {"FieldsV1", "IntOrString", "MicroTime", "Quantity", "RawExtension", "Time", "number", "object", "string"}


@cache
def arguments(library: str, environment: str) -> dict[str, dict[str, Any]]:
    return dict(environments.run(environment, "library_names.py", library))


def type_of(written: str) -> str:
    """A type as the kubernetes client writes it, as the graph does."""
    if found := re.fullmatch(r"[Ll]ist\[(.*)\]", written):
        return "[" + type_of(found[1])
    if found := re.fullmatch(r"[Dd]ict[(\[]str, (.*)[)\]]", written):
        return "{" + type_of(found[1])
    known = dialects.recognise("kubernetes.client." + written)
    return known.type_name if known else _WORDS.get(written, written)


@pytest.mark.libraries
@pytest.mark.parametrize(("library", "environment", "least"), LIBRARIES)
def test_every_argument_has_the_name_that_the_rule_says(library: str, environment: str, least: int) -> None:
    seen = 0
    wrong: list[str] = []
    for name, fields in arguments(library, environment).items():
        known = dialects.recognise(name)
        if known is None or known.type_name in ELSEWHERE or _UNSTABLE.search(name):
            continue
        for argument, said in fields.items():
            seen += 1
            field = known.dialect.field(known.type_name, argument)
            there = field in types.fields(known.type_name) or (known.type_name, argument) in GONE
            if not there or (said and field != said[0] and (known.type_name, argument) not in GONE):
                wrong.append(f"{name} {argument}: {field}, {said}")
    assert wrong == []
    assert seen >= least


@pytest.mark.libraries
@pytest.mark.parametrize("environment", ["kubernetes-31", "kubernetes-37"])
def test_the_fields_have_the_types_that_the_client_gives_them(environment: str) -> None:
    seen = 0
    wrong: list[str] = []
    for name, fields in arguments("kubernetes", environment).items():
        known = dialects.recognise(name)
        if known is None or known.type_name in ELSEWHERE or _UNSTABLE.search(name):
            continue
        for argument, (field, written) in fields.items():
            ours, theirs = types.field_type(known.type_name, field), type_of(written)
            seen += 1
            loose = ours.lstrip("[{") in _LOOSE and not types.is_type(theirs.lstrip("[{"))
            if ours != theirs and not loose:
                wrong.append(f"{name} {argument}: {ours} for {theirs}")
    assert wrong == []
    assert seen >= 1200
