"""What an engine does not offer is refused by the name of its field, and nothing of a pod is left out in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from hardener.observe import supported_fields
from hardener.observe.supported_fields import unsupported
from hardener.support.data_path import dotted

Map = dict[str, Any]
PLAIN: Map = {"containers": [{"name": "main", "image": "web"}]}


def pod(**fields: Any) -> Map:
    return PLAIN | fields


def container(**fields: Any) -> Map:
    return {"containers": [PLAIN["containers"][0] | fields]}


RUN = {
    "plain": PLAIN,
    "what is null": pod(volumes=None, securityContext=None, hostUsers=None),
    "defaults": pod(hostUsers=True, setHostnameAsFQDN=False, ephemeralContainers=[], resourceClaims=[]),
    "os": pod(os={"name": "linux"}),
    "identity": pod(securityContext={"runAsUser": 1, "fsGroup": 2, "supplementalGroups": [3]}),
    "sysctls": pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "4096 87380 1"}]}),
    "ports": container(ports=[{"containerPort": 80, "hostPort": 0}]),
    "probe by name": container(readinessProbe={"httpGet": {"port": "http"}}),
    "capabilities": container(securityContext={"capabilities": {"add": ["CHOWN"], "drop": ["ALL"]}}),
    "resources": container(resources={"limits": {"cpu": 1, "memory": "1Gi", "ephemeral-storage": "1Gi"}}),
    "not privileged": container(securityContext={"privileged": False, "procMount": "Default"}),
    "profiles": pod(securityContext={"seccompProfile": {"type": "RuntimeDefault"}}),
    "memory": pod(volumes=[{"name": "a", "emptyDir": {"medium": "Memory"}}, {"name": "b"}]),
}


@pytest.mark.parametrize("spec", RUN.values(), ids=RUN)
def test_it_can_be_run(spec: Map) -> None:
    assert unsupported(spec) is None


C = "containers[0]"
MORE = "is more than Pod Security level baseline allows"
REFUSED = {
    "hostNetwork": (pod(hostNetwork=True), "it needs the node: hostNetwork"),
    "hostPID": (pod(hostPID=True), "it needs the node: hostPID"),
    "hostIPC": (pod(hostIPC=True), "it needs the node: hostIPC"),
    "hostUsers": (pod(hostUsers=False), "hostUsers: an engine does not offer it"),
    "windows": (pod(os={"name": "windows"}), "it is a pod for Windows"),
    "runtimeClassName": (pod(runtimeClassName="gvisor"), "runtimeClassName: an engine does not offer it"),
    "a number as name": (pod(**{"x": 1}) | {1: 2}, "x: an engine does not offer it"),
    "only a number as name": (PLAIN | {1: 2}, "1: an engine does not offer it"),
    "readinessGates": (pod(readinessGates=[{"conditionType": "a"}]), "readinessGates: only a cluster sets them"),
    "hostPath": (pod(volumes=[{"name": "a", "hostPath": {"path": "/x"}}]), "it needs the node: hostPath /x"),
    "hostPath that is none": (pod(volumes=[{"name": "a", "hostPath": []}]), "it needs the node: hostPath []"),
    "nfs": (pod(volumes=[{"name": "a", "nfs": {}}]), "volumes[0].nfs: an engine does not offer it"),
    "huge pages": (
        pod(volumes=[{"name": "a", "emptyDir": {"medium": "HugePages-2Mi"}}]),
        "it needs the node: volumes[0].emptyDir asks for huge pages",
    ),
    "a trust bundle": (
        pod(volumes=[{"name": "a", "projected": {"sources": [{"clusterTrustBundle": {"path": "x"}}]}}]),
        "volumes[0].projected.sources[0].clusterTrustBundle: an engine does not offer it",
    ),
    "sysctl": (
        pod(securityContext={"sysctls": [{"name": "vm.swappiness", "value": "1"}]}),
        "securityContext.sysctls[0].name: more than Pod Security level baseline allows: forbidden sysctls: "
        "vm.swappiness",
    ),
    "seLinuxOptions": (
        pod(securityContext={"seLinuxOptions": {}}), "securityContext.seLinuxOptions: an engine does not offer it",
    ),
    "a profile of the node": (
        pod(securityContext={"seccompProfile": {"type": "Localhost"}}),
        "it needs the node: securityContext.seccompProfile is a file of it",
    ),
    "a profile of the node for one": (
        container(securityContext={"appArmorProfile": {"type": "Localhost"}}),
        f"it needs the node: {C}.securityContext.appArmorProfile is a file of it",
    ),
    "privileged": (
        container(securityContext={"privileged": True}), f"{C}.securityContext.privileged: nothing is run privileged",
    ),
    "procMount": (container(securityContext={"procMount": "Unmasked"}), f"{C}.securityContext.procMount: Unmasked"),
    "all capabilities": (
        container(securityContext={"capabilities": {"add": ["all"]}}),
        f"{C}.securityContext.capabilities.add[0]: all {MORE}",
    ),
    "a capability of the machine": (
        container(securityContext={"capabilities": {"add": ["CAP_SYS_MODULE"]}}),
        f"{C}.securityContext.capabilities.add[0]: CAP_SYS_MODULE {MORE}",
    ),
    "hostPort": (container(ports=[{"containerPort": 80, "hostPort": 80}]), "it needs the node: hostPort 80"),
    "propagation": (
        container(volumeMounts=[{"name": "a", "mountPath": "/a", "mountPropagation": "Bidirectional"}]),
        "it needs the node: mountPropagation Bidirectional",
    ),
    "a device": (
        container(resources={"limits": {"nvidia.com/gpu": 1}}),
        f"it needs the node: {C}.resources.limits asks for nvidia.com/gpu",
    ),
    "claims": (container(resources={"claims": [{"name": "a"}]}), f"{C}.resources.claims: an engine does not offer it"),
    "a probe without a question": (
        container(livenessProbe={"periodSeconds": 1}), f"{C}.livenessProbe: it asks nothing",
    ),
    "a probe whose question is null": (container(livenessProbe={"exec": None, "periodSeconds": 1}),
                                       f"{C}.livenessProbe: it asks nothing"),
    "another host": (
        container(startupProbe={"tcpSocket": {"port": 1, "host": "a"}}), f"{C}.startupProbe: it asks another host",
    ),
    "a hook": (
        container(lifecycle={"postStart": {"grpc": {}}}), f"{C}.lifecycle.postStart.grpc: an engine does not offer it",
    ),
    "a file with keys": (
        container(env=[{"name": "A", "valueFrom": {"fileKeyRef": {}}}]),
        f"{C}.env[0].valueFrom.fileKeyRef: an engine does not offer it",
    ),
    "no image": ({"containers": [{"name": "main"}]}, f"{C}.image: there is none"),
    "no containers": ({}, "containers: there are none"),
    "an empty list of containers": ({"containers": []}, "containers: there are none"),
    # Wrong shapes.
    "containers as a map": ({"containers": {"name": "main"}}, "containers: it is no list"),
    "init containers as a map": (pod(initContainers={"name": "a"}), "initContainers: it is no list"),
    "a container as text": ({"containers": ["web"]}, "containers[0]: it is no map"),
    "an empty container": ({"containers": [None]}, "containers[0]: it is empty"),
    "a context as a list": (pod(securityContext=[]), "securityContext: it is no map"),
    "a user as text": (pod(securityContext={"runAsUser": "1"}), "securityContext.runAsUser: it is not a number"),
    "a user as truth": (pod(securityContext={"runAsUser": True}), "securityContext.runAsUser: it is not a number"),
    "a truth as text": (
        container(securityContext={"readOnlyRootFilesystem": "no"}),
        f"{C}.securityContext.readOnlyRootFilesystem: it is not true or false",
    ),
    "a group": (
        pod(securityContext={"supplementalGroups": 5}), "securityContext.supplementalGroups: it is no list",
    ),
    "a variable as a number": (container(env=[{"name": "A", "value": 0}]), f"{C}.env[0].value: it is not text"),
    "a command as text": (container(command="run"), f"{C}.command: it is no list"),
    "a port as a list": (
        container(readinessProbe={"tcpSocket": {"port": []}}),
        f"{C}.readinessProbe.tcpSocket.port: it is not a number or a name",
    ),
    "limits as a list": (container(resources={"limits": []}), f"{C}.resources.limits: it is not a map"),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "why"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_by_name(spec: Map, why: str) -> None:
    assert unsupported(spec) == why


SHAPES = {str: "string", int: "integer", bool: "boolean", dict: "object"}


def definitions() -> Map:
    validate = pytest.importorskip("kubernetes_validate", reason="its schemas are what is checked against")
    folder = Path(validate.__file__).with_name("kubernetes-json-schema") / "v1.35.0-local-strict"
    found: Map = json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))["$defs"]
    return found


def resolved(schema: Map, known: Map) -> Map:
    while "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    return schema


def walked(shape: Any, schema: Map, known: Map, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...]]]:
    """The fields of the schema that ``shape`` does not know; ends where both do not fit together."""
    schema = resolved(schema, known)
    if shape is object:
        return
    if isinstance(shape, list):
        assert "array" in schema["type"], path
        yield from walked(shape[0], schema["items"], known, (*path, 0))
    elif isinstance(shape, dict):
        properties = schema["properties"]
        assert shape.keys() <= properties.keys(), f"{path} has no {shape.keys() - properties.keys()}"
        for name, of in properties.items():
            if name in shape:
                yield from walked(shape[name], of, known, (*path, name))
            else:
                yield ((*path, name),)
    elif shape == (int, str):
        assert schema.get("oneOf") or schema.get("format") == "int-or-string" or "type" in schema, path
    else:
        assert SHAPES[shape] in schema["type"], (path, schema["type"])


def test_every_field_of_kubernetes_is_known_or_refused() -> None:
    known = definitions()
    unknown = [path for (path,) in walked(supported_fields._POD, known["io.k8s.api.core.v1.PodSpec"], known, ())]
    assert len(unknown) > 30
    for path in unknown:
        spec: Map = deepcopy(PLAIN)
        value: Any = {"some": "thing"}
        for part in reversed(path):
            value = [value] if part == 0 else {part: value}
        spec = value if path[0] == "containers" else spec | value
        if path[0] == "containers":
            spec["containers"][0] |= PLAIN["containers"][0]
        assert unsupported(spec) == f"{dotted(path)}: an engine does not offer it"


ODD = some.recursive(
    some.none() | some.booleans() | some.integers(-3, 70000) | some.text(max_size=3),
    lambda each: some.lists(each, max_size=2) | some.dictionaries(some.text(max_size=3), each, max_size=2),
    max_leaves=4,
)


def places(shape: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(shape, list):
        yield from places(shape[0], (*path, 0))
    elif isinstance(shape, dict):
        for key, each in shape.items():
            yield from places(each, (*path, key))


PLACES = [path for path in places(supported_fields._POD) if path]


@settings(max_examples=400, deadline=None)
@given(some.sampled_from(PLACES), ODD)
def test_no_shape_makes_it_fall(path: tuple[str | int, ...], value: Any) -> None:
    for part in reversed(path):
        value = [value] if part == 0 else {part: value}
    unsupported(value)
    unsupported(PLAIN | value)
