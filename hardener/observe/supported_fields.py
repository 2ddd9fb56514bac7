"""Which fields of a pod can be had of a container engine; what cannot is named, and the pod is not run without it.

Source of the fields and their shapes: k8s.io/api/core/v1 of Kubernetes 1.35.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hardener.support.data_path import Path, dotted
from hardener.support.shapes import mappings

Map = dict[str, Any]


def _of(shape: Any, names: str) -> Map:
    return dict.fromkeys(names.split(), shape)


# The shape of a field: ``str``, ``int``, ``bool``; ``dict``: a map of names that somebody chose; a map: these fields;
# a list: a list of the one shape in it; ``_PORT``: a number or a name; ``object``: nobody here looks into it.
_PORT = (int, str)
_ITEMS = [{"key": str, "path": str, "mode": int}]
_REFERENCE = {"name": str, "optional": bool}
_KEY = _REFERENCE | {"key": str}
_FIELD = {"apiVersion": str, "fieldPath": str}
_RESOURCE = {"containerName": str, "divisor": object, "resource": str}
_TOLD = [{"path": str, "mode": int, "fieldRef": _FIELD, "resourceFieldRef": _RESOURCE}]
_PROFILE = {"type": str, "localhostProfile": str}
_EXEC = {"command": [str]}
_TCP = {"port": _PORT, "host": str}
_HTTP = _TCP | {"path": str, "scheme": str, "httpHeaders": [{"name": str, "value": str}]}
_HOOK = {"exec": _EXEC, "httpGet": _HTTP, "tcpSocket": _TCP, "sleep": {"seconds": int}}
_HANDLERS: Map = {"exec": _EXEC, "grpc": {"port": int, "service": str}, "httpGet": _HTTP, "tcpSocket": _TCP}
_PROBE = _HANDLERS | _of(
    int,
    "failureThreshold initialDelaySeconds periodSeconds successThreshold terminationGracePeriodSeconds timeoutSeconds",
)
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_IDENTITY = _of(int, "runAsGroup runAsUser") | {
    "runAsNonRoot": bool, "seccompProfile": _PROFILE, "appArmorProfile": _PROFILE,
}  # fmt: skip
_CONTAINER: Map = {
    **_of(str, "image imagePullPolicy name restartPolicy terminationMessagePath terminationMessagePolicy workingDir"),
    **_of(bool, "stdin stdinOnce tty"),
    **_of([str], "args command"),
    **_of(_PROBE, " ".join(_PROBES)),
    "env": [{
        "name": str, "value": str,
        "valueFrom": {
            "configMapKeyRef": _KEY, "secretKeyRef": _KEY, "fieldRef": _FIELD, "resourceFieldRef": _RESOURCE,
        },
    }],
    "envFrom": [{"prefix": str, "configMapRef": _REFERENCE, "secretRef": _REFERENCE}],
    "lifecycle": {"postStart": _HOOK, "preStop": _HOOK, "stopSignal": str},
    "ports": [{"name": str, "protocol": str, "containerPort": int, "hostPort": int, "hostIP": str}],
    "resizePolicy": object,
    "resources": {"limits": dict, "requests": dict},
    "securityContext": _IDENTITY | {
        "allowPrivilegeEscalation": bool, "privileged": bool, "readOnlyRootFilesystem": bool, "procMount": str,
        "capabilities": {"add": [str], "drop": [str]},
    },
    "volumeMounts": [_of(str, "mountPath mountPropagation name recursiveReadOnly subPath subPathExpr")
                     | {"readOnly": bool}],
}  # fmt: skip
_VOLUME: Map = {
    "name": str,
    "configMap": _REFERENCE | {"defaultMode": int, "items": _ITEMS},
    "downwardAPI": {"defaultMode": int, "items": _TOLD},
    "emptyDir": {"medium": str, "sizeLimit": object},
    "ephemeral": {"volumeClaimTemplate": object},
    "hostPath": object,
    "persistentVolumeClaim": {"claimName": str, "readOnly": bool},
    "projected": {
        "defaultMode": int,
        "sources": [{
            "configMap": _REFERENCE | {"items": _ITEMS}, "secret": _REFERENCE | {"items": _ITEMS},
            "downwardAPI": {"items": _TOLD},
            "serviceAccountToken": {"audience": str, "expirationSeconds": int, "path": str},
        }],
    },
    "secret": {"defaultMode": int, "items": _ITEMS, "optional": bool, "secretName": str},
}  # fmt: skip
_POD: Map = {
    # Where a pod runs, who starts it, and what is done when it stops: nothing of this changes what a run shows.
    **_of(
        object,
        "activeDeadlineSeconds affinity dnsConfig dnsPolicy hostname imagePullSecrets nodeName nodeSelector "
        "preemptionPolicy priority priorityClassName schedulerName schedulingGates subdomain "
        "terminationGracePeriodSeconds tolerations topologySpreadConstraints",
    ),
    **_of(bool, "automountServiceAccountToken enableServiceLinks hostIPC hostNetwork hostPID shareProcessNamespace"),
    **_of(str, "restartPolicy serviceAccount serviceAccountName"),
    **_of([_CONTAINER], "containers initContainers"),
    "hostAliases": [{"hostnames": [str], "ip": str}],
    "os": {"name": str},
    "readinessGates": object,
    "securityContext": _IDENTITY | {
        "fsGroup": int, "fsGroupChangePolicy": str, "supplementalGroups": [int], "supplementalGroupsPolicy": str,
        "sysctls": [{"name": str, "value": str}],
    },
    "volumes": [_VOLUME],
}  # fmt: skip
_AS_IF_NOT_THERE = {"hostUsers": True, "setHostnameAsFQDN": False}
_CALLED = {str: "text", int: "a number", bool: "true or false", dict: "a map", _PORT: "a number or a name"}
_RESOURCES = frozenset(("cpu", "memory", "ephemeral-storage"))
# With these a process reaches the machine from within its namespaces.
_OF_THE_MACHINE = frozenset(
    """ALL AUDIT_CONTROL BPF DAC_READ_SEARCH MAC_ADMIN MAC_OVERRIDE PERFMON SYS_ADMIN SYS_BOOT SYS_MODULE SYS_RAWIO
    SYS_TIME SYSLOG""".split()
)
_NODE = "it needs the node"
# Of the network namespace of a pod; kernel.* and fs.* that no engine sets are refused by it.
_SYSCTL = re.compile(r"net\.[\w./-]+|kernel\.(?:shm\w+|msg\w+|sem)|fs\.mqueue\.\w+")


def unsupported(pod: Map) -> str | None:
    """Why an engine cannot run a pod with the spec ``pod``: the field, and what it asks for; None where it can."""
    for refusals in (_node(pod), _unlike(pod, _POD, ()), _asked(pod)):  # the last one reads what has the right shape
        found = next(refusals, None)
        if found is not None:
            return found
    return None


def _node(pod: Map) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield f"{_NODE}: {key}"
    for volume in mappings(pod.get("volumes")):
        if "hostPath" in volume:
            of = volume["hostPath"]
            yield f"{_NODE}: hostPath {of.get('path') if isinstance(of, dict) else of}"


def _unlike(value: Any, shape: Any, path: Path) -> Iterator[str]:
    """What in ``value`` has another shape, or is in no shape known here."""
    if value is None or shape is object:
        return
    if isinstance(shape, list):
        yield from _unlike_list(value, shape[0], path)
    elif isinstance(shape, dict):
        yield from _unlike_map(value, shape, path)
    elif not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
        yield f"{dotted(path)}: it is not {_CALLED[shape]}"


def _unlike_list(value: Any, shape: Any, path: Path) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{dotted(path)}: it is no list"
        return
    for number, each in enumerate(value):
        if each is None:
            yield f"{dotted((*path, number))}: it is empty"
        yield from _unlike(each, shape, (*path, number))


def _unlike_map(value: Any, fields: Map, path: Path) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{dotted(path) or 'its spec'}: it is no map"
        return
    for key, each in value.items():
        is_as_if_absent = each is None or each == [] or (not path and each is _AS_IF_NOT_THERE.get(key))
        if key in fields:
            yield from _unlike(each, fields[key], (*path, key))
        elif not is_as_if_absent:
            yield f"{dotted((*path, str(key)))}: an engine does not offer it"


def _asked(pod: Map) -> Iterator[str]:
    if (pod.get("os") or {}).get("name") == "windows":
        yield "it is a pod for Windows"
    if pod.get("readinessGates"):
        yield "readinessGates: only a cluster sets them"
    if not pod.get("containers"):
        yield "containers: there are none"
    yield from _of_node(pod)
    for key in ("initContainers", "containers"):
        for number, container in enumerate(pod.get(key) or []):
            yield from _container(container, (key, number))


def _of_node(pod: Map) -> Iterator[str]:
    """What a pod, beside its containers, asks of the machine that it runs on."""
    context = pod.get("securityContext") or {}
    yield from _profiles(context, ("securityContext",))
    for number, sysctl in enumerate(context.get("sysctls") or []):
        if not _SYSCTL.fullmatch(str(sysctl.get("name"))):
            yield f"{dotted(('securityContext', 'sysctls', number))}: {sysctl.get('name')} is one of the whole machine"
    for number, volume in enumerate(pod.get("volumes") or []):
        if str((volume.get("emptyDir") or {}).get("medium") or "").startswith("HugePages"):
            yield f"{_NODE}: {dotted(('volumes', number, 'emptyDir'))} asks for huge pages"


def _container(container: Map, path: Path) -> Iterator[str]:
    if not container.get("image"):
        yield f"{dotted((*path, 'image'))}: there is none"
    yield from _privileges(container.get("securityContext") or {}, (*path, "securityContext"))
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"{_NODE}: hostPort {port['hostPort']}"
    for mount in container.get("volumeMounts") or []:
        if mount.get("mountPropagation") not in (None, "None"):
            yield f"{_NODE}: mountPropagation {mount['mountPropagation']}"
    yield from _devices(container.get("resources") or {}, (*path, "resources"))
    for key in _PROBES:
        yield from _probe(container.get(key) or {}, (*path, key))


def _devices(resources: Map, path: Path) -> Iterator[str]:
    for key in ("limits", "requests"):
        for name in resources.get(key) or {}:
            if name not in _RESOURCES:
                yield f"{_NODE}: {dotted((*path, key))} asks for {name}"


def _privileges(context: Map, path: Path) -> Iterator[str]:
    if context.get("privileged"):
        yield f"{dotted((*path, 'privileged'))}: nothing is run privileged"
    if context.get("procMount") not in (None, "Default"):
        yield f"{dotted((*path, 'procMount'))}: {context['procMount']}"
    for name in (context.get("capabilities") or {}).get("add") or []:
        if name.upper().removeprefix("CAP_") in _OF_THE_MACHINE:
            yield f"{_NODE}: {dotted((*path, 'capabilities', 'add'))} asks for {name}"
    yield from _profiles(context, path)


def _probe(probe: Map, path: Path) -> Iterator[str]:
    handlers = [probe[handler] for handler in _HANDLERS if probe.get(handler) is not None]
    if probe and not handlers:
        yield f"{dotted(path)}: it asks nothing"
    if any(handler.get("host") for handler in handlers):
        yield f"{dotted(path)}: it asks another host"


def _profiles(context: Map, path: Path) -> Iterator[str]:
    for key in ("appArmorProfile", "seccompProfile"):
        if (context.get(key) or {}).get("type") == "Localhost":
            yield f"{_NODE}: {dotted((*path, key))} is a file of it"
