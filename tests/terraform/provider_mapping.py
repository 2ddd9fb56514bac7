"""Makes hardener/sources/terraform/provider.json anew, what each block of the hashicorp/kubernetes provider says of an
object: `python -m tests.terraform.provider_mapping ASSEMBLY > hardener/sources/terraform/provider.json`.

ASSEMBLY is the file ``provider-kubernetes@*.jsii.tgz`` of the package cdktf-cdktf-provider-kubernetes on PyPI, which
HashiCorp generated from the schema that the provider publishes. The fields of Kubernetes are those of
hardener/sources/python/libraries/types.json. ``BY_HAND`` and what follows it were read in the sources of the provider:
kubernetes/structures_container.go (0f372dae), structures_pod.go (009f867c), schema_pod_spec.go (00a98bde),
schema_container.go (062cf7e1), structure_network_policy.go (0d155625) of hashicorp/terraform-provider-kubernetes.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import tarfile
from typing import Any

from hardener.sources.python.libraries import types

VERSION = re.compile(r"providers/hashicorp/kubernetes/([\d.]+)/docs")
_NAME = re.compile(r"/docs/resources/(\w+)#(\w+) ")

# Resources whose API version does not follow from their name, and those that stand for no object of their own (None).
RESOURCES: dict[str, tuple[str, str] | None] = {
    "annotations": None, "labels": None, "env": None, "node_taint": None, "manifest": None, "token_request_v1": None,
    "config_map_v1_data": None, "secret_v1_data": None, "pod_security_policy": None,
    "pod_security_policy_v1beta1": None,
    "daemonset": ("apps/v1", "DaemonSet"),
    "daemon_set_v1": ("apps/v1", "DaemonSet"),
    "default_service_account": ("v1", "ServiceAccount"),
    "default_service_account_v1": ("v1", "ServiceAccount"),
    "ingress": ("extensions/v1beta1", "Ingress"),
    "cron_job": ("batch/v1beta1", "CronJob"),
    "pod_disruption_budget": ("policy/v1beta1", "PodDisruptionBudget"),
    "horizontal_pod_autoscaler": ("autoscaling/v1", "HorizontalPodAutoscaler"),
    "horizontal_pod_autoscaler_v2beta2": ("autoscaling/v2beta2", "HorizontalPodAutoscaler"),
    "csi_driver": ("storage.k8s.io/v1beta1", "CSIDriver"),
}  # fmt: skip

# What the names of fields do not tell: (type, name in HCL) -> field; None: the provider keeps it to itself.
BY_HAND: dict[tuple[str, str], str | None] = {
    ("Secret", "data"): "stringData",  # structures.go: the provider encodes it
    ("Secret", "binary_data"): "data",
    ("Secret", "data_wo"): "stringData",
    ("Secret", "binary_data_wo"): "data",
    ("Secret", "data_wo_revision"): None,
    ("Secret", "binary_data_wo_revision"): None,
    ("Volume", "ceph_fs"): "cephfs",
    ("PersistentVolumeSpec", "ceph_fs"): "cephfs",
    ("LocalObjectReference", "namespace"): None,
    ("FCVolumeSource", "target_ww_ns"): "targetWWNs",
    ("AzureDiskVolumeSource", "data_disk_uri"): "diskURI",
    ("WindowsSecurityContextOptions", "run_as_username"): "runAsUserName",
    ("RBDVolumeSource", "rbd_pool"): "pool",
    ("RBDVolumeSource", "rbd_image"): "image",
    ("RBDVolumeSource", "rados_user"): "user",
    ("RBDVolumeSource", "ceph_monitors"): "monitors",
    ("RBDPersistentVolumeSource", "rbd_pool"): "pool",
    ("RBDPersistentVolumeSource", "rbd_image"): "image",
    ("RBDPersistentVolumeSource", "rados_user"): "user",
    ("RBDPersistentVolumeSource", "ceph_monitors"): "monitors",
    ("GlusterfsVolumeSource", "endpoints_name"): "endpoints",
    ("GlusterfsPersistentVolumeSource", "endpoints_name"): "endpoints",
    ("StorageClass", "storage_provisioner"): "provisioner",
    ("DaemonSetSpec", "strategy"): "updateStrategy",
    ("CronJobSpec", "timezone"): "timeZone",
    ("Pod", "target_state"): None,
    ("PersistentVolumeClaim", "wait_until_bound"): None,
    ("CertificateSigningRequest", "auto_approve"): None,
}
# The fields of a PersistentVolumeSpec that the provider keeps in a block of their own.
FLAT = {("PersistentVolumeSpec", "persistent_volume_source")}
KEPT = re.compile(r"wait_for_\w+|timeouts|id|default_secret_name")

# What the provider sends where a block says nothing, and Kubernetes would not take its absence for the same.
SENT = {
    "PodSpec": {"automountServiceAccountToken": True},
    "SecurityContext": {"runAsNonRoot": False},
}


def assembly(path: str) -> dict[str, Any]:
    """The assembly of types in the archive ``path``."""
    with tarfile.open(path) as archive:
        for name in ("package/.jsii.gz", "package/.jsii"):
            try:
                member = archive.extractfile(name)
            except KeyError:
                continue
            if member is not None:
                raw = member.read()
                if name.endswith(".gz"):
                    raw = gzip.GzipFile(fileobj=io.BytesIO(raw)).read()
                found: dict[str, Any] = json.loads(raw)
                if "types" in found:
                    return found
    raise SystemExit(f"no assembly in {path}")


def generate(found: dict[str, Any]) -> str:
    """The text of provider.json."""
    makes = _Maker(found["types"])
    resources: dict[str, list[Any]] = {}
    for fqn, each in sorted(found["types"].items()):
        space = each.get("namespace")
        if not space or space.startswith("data") or fqn.rpartition(".")[2] != f"{space[0].upper()}{space[1:]}Config":
            continue
        name = next(match[1] for prop in each["properties"] if (match := _NAME.search(_docs(prop))))
        kind = _kind(name)
        if kind is not None:
            api_version, called = kind
            resources[f"kubernetes_{name}"] = [api_version, called, makes.block(fqn, called)]
    for line in makes.unmatched:
        print(line, file=sys.stderr)
    version = next(iter(VERSION.findall(json.dumps(found["types"]))))
    head = {
        "source": f"schema of hashicorp/kubernetes {version}, from cdktf-cdktf-provider-kubernetes {found['version']};"
        " made by tests/terraform/provider_mapping.py",
        "by_hand": "the tables of that module, read in kubernetes/structures*.go and kubernetes/schema_*.go of"
        " hashicorp/terraform-provider-kubernetes",
        "verified": "2026-11-28",
        "sent": SENT,
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    lines.append('  "resources": {')
    lines += _rows(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in resources.items())
    lines += ["  },", '  "blocks": [']
    lines += _rows(f"    {json.dumps(block)}" for block in makes.blocks)
    return "{\n" + "\n".join([*lines, "  ]"]) + "\n}\n"


def _rows(rows: Any) -> list[str]:
    found = list(rows)
    return [row + "," for row in found[:-1]] + found[-1:]


def _docs(prop: dict[str, Any]) -> str:
    docs = prop.get("docs", {})
    return f"{docs.get('summary', '')} {docs.get('remarks', '')}"


def _kind(name: str) -> tuple[str, str] | None:
    if name in RESOURCES:
        return RESOURCES[name]
    bare, version = name, "v1"
    if found := re.fullmatch(r"(\w+)_(v\d+(?:(?:alpha|beta)\d+)?)", name):
        bare, version = found.groups()
    for kind in _KINDS:
        if snake(kind) == bare:
            return types.api_version(kind, version) or "v1", kind
    raise SystemExit(f"no kind for kubernetes_{name}")


def snake(field: str) -> str:
    """A field of Kubernetes as the provider spells it: "hostIPC" -> "host_ipc", "nonResourceURLs" -> "..._urls"."""
    field = re.sub(r"(IP|URL|ID|WWN)s\b", lambda match: match[1].capitalize() + "s", field)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", field).lower()


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


_KINDS = [kind for kind in types.type_names() if types.api_versions(kind)]


class _Maker:
    """The blocks as they are met, each once."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._types = found
        self.blocks: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}
        self.unmatched: list[str] = []

    def block(self, fqn: str, type_name: str) -> int:
        """The number of the block ``fqn``, which says what a Kubernetes object of ``type_name`` is."""
        fields: dict[str, Any] = {}
        required: list[str] = []
        for prop in self._types[fqn].get("properties", ()):
            match = _NAME.search(_docs(prop))
            if match is None:
                continue  # of cdktf itself
            fields[match[2]] = self._field(fqn, type_name, match[2], prop)
            if not prop.get("optional") and fields[match[2]] is not None:
                required.append(match[2])
        made = {"type": type_name, "fields": fields} | ({"required": required} if required else {})
        key = json.dumps(made, sort_keys=True)
        if key not in self._numbers:
            self._numbers[key] = len(self.blocks)
            self.blocks.append(made)
        return self._numbers[key]

    def _field(self, fqn: str, type_name: str, name: str, prop: dict[str, Any]) -> Any:
        block = _struct(prop["type"])
        if (type_name, name) in FLAT:
            assert block is not None
            return ["", "flat", self.block(block, type_name)]
        if (type_name, name) in BY_HAND:
            field = BY_HAND[type_name, name]
        elif KEPT.fullmatch(name):
            field = None
        else:
            field = _matched(type_name, name)
            if field is None:
                if type_name:
                    self.unmatched.append(f"{fqn.rpartition('.')[2]}: {type_name}.{name}")
                field = camel(name)
        if field is None:
            return None
        kind = types.field_type(type_name, field)
        if block is None:
            return [field, _conversion(name, kind, prop["type"])]
        many = kind.startswith("[") if kind else "collection" in json.dumps(prop["type"])
        item = kind.lstrip("[{")
        if type_name == "ProjectedVolumeSource" and name == "sources":
            return [field, "each", self.block(block, item)]  # one projection for each block in it
        return [field, "many" if many else "one", self.block(block, item)]


def _matched(type_name: str, name: str) -> str | None:
    fields = types.fields(type_name)
    for field in fields:
        if snake(field) == name:
            return field
    plurals = {name + "s", name + "es", re.sub("y$", "ies", name)}
    return next((field for field, kind in fields.items() if kind.startswith("[") and snake(field) in plurals), None)


def _struct(kind: dict[str, Any]) -> str | None:
    """The struct of a nested block, alone or in a list; None for an attribute."""
    for each in kind.get("union", {}).get("types", [kind]):
        own = each.get("collection", {}).get("elementtype", each)
        if own.get("fqn", "").startswith("@cdktf/provider-kubernetes"):
            return str(own["fqn"])
    return None


def _conversion(name: str, kind: str, given: dict[str, Any]) -> str:
    """How an attribute becomes a field: the type of the field, and "octal" for the modes of files, written as texts."""
    is_text = '"string"' in json.dumps(given)
    if kind == "integer":
        return "octal" if is_text and name in ("mode", "default_mode") else "integer"
    if kind in ("boolean", "IntOrString", "string", "[string", "{string"):
        return kind
    if kind in ("Quantity", "Time", "MicroTime"):
        return "string"
    if kind == "{Quantity":
        return "{string"
    if kind.startswith("[integer"):
        return "[integer"
    primitive = re.search(r'"primitive": "(\w+)"', json.dumps(given))
    assert primitive is not None
    name = {"number": "integer"}.get(primitive[1], primitive[1])
    if '"kind": "map"' in json.dumps(given):
        return "{string"
    return f"[{name}" if '"kind": "array"' in json.dumps(given) else name


if __name__ == "__main__":
    print(generate(assembly(sys.argv[1])), end="")
