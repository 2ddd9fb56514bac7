"""What harden makes of objects of eksctl, Karpenter and Cluster API, held against the fields that these know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from .conftest import ROOT

TEXT: dict[str, Any] = {"type": "string"}
BOOL: dict[str, Any] = {"type": "boolean"}


def closed(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def some(**properties: dict[str, Any]) -> dict[str, Any]:
    """As far as harden writes there; the other fields are the user's."""
    return {"type": "object", "properties": properties}


def each(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler", "all", "*"]
DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653]
NODE_GROUP = some(
    name=TEXT, disablePodIMDS=BOOL, disableIMDSv1=BOOL, iam=some(attachPolicyARNs=each(TEXT), withAddonPolicies=some())
)
OPTIONS = closed(
    httpEndpoint={"enum": ["enabled", "disabled"]}, httpProtocolIPv6={"enum": ["enabled", "disabled"]},
    httpPutResponseHopLimit={"type": "integer", "minimum": 1, "maximum": 64},
    httpTokens={"enum": ["required", "optional"]},
)  # fmt: skip
# Facts from the schemas of eksctl 0.2xx (v1alpha5), Karpenter 1.x and Cluster API Provider AWS 2.x.
SCHEMAS = {
    "ClusterConfig": some(
        apiVersion={"const": "eksctl.io/v1alpha5"},
        cloudWatch=closed(
            clusterLogging=closed(enableTypes=each({"enum": TYPES}), logRetentionInDays={"enum": DAYS}),
        ),
        iam=some(withOIDC=BOOL),
        nodeGroups=each(NODE_GROUP), managedNodeGroups=each(NODE_GROUP),
    ),
    "EC2NodeClass": some(spec=some(metadataOptions=OPTIONS)),
    "AWSManagedControlPlane": some(
        spec=some(logging=closed(**dict.fromkeys([*TYPES[1:5], "apiServer"], BOOL)))
    ),
    "InstanceGroup": some(spec=some(instanceMetadata=OPTIONS)),
}  # fmt: skip
FILES = [
    path
    for folder in ("cloud", "logging")
    for path in sorted((ROOT / "golden" / folder).glob("*/*/after/*.yaml"))
    if any(f"kind: {kind}\n" in path.read_text(encoding="utf-8") for kind in SCHEMAS)
]


def name(path: Path) -> str:
    return path.relative_to(ROOT / "golden").as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_what_is_written_fits_the_schema(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        if document["kind"] in SCHEMAS and "${" not in str(document):
            jsonschema.validate(document, SCHEMAS[document["kind"]])


def test_there_is_a_case_of_each_kind() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FILES]
    assert {kind for kind in SCHEMAS if any(f"kind: {kind}\n" in text for text in texts)} == set(SCHEMAS)
