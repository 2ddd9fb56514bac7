"""Which fields of a pod can be had of a container engine; what cannot is named, and the pod is not run without it.

Source of the fields and their shapes: k8s.io/api/core/v1 of Kubernetes 1.35.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hardener.kubernetes.pod_security import NEWEST, evaluate
from hardener.observe.accepted import not_accepted
from hardener.observe.refusal import Refusal, at
from hardener.support.data_path import Path, dotted
from hardener.support.shapes import entries

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
_PROFILE_TYPES = frozenset((None, "", "RuntimeDefault"))
_RESOURCES = frozenset(("cpu", "memory", "ephemeral-storage"))
_NODE = "it needs the node"
# What is done about each kind of refusal.
_WITHOUT = "remove it if the workload runs without it; otherwise it is not observed"
_PROFILED = "write RuntimeDefault where the workload runs with it; else it is not observed"
_NOTHING = "it is not observed: no engine has what it asks for"
_SHAPE = "write what the API of Kubernetes takes there"
# Checked under the names that runtimes read, which are more than this check takes.
_OWN_CHECK = "capabilities_baseline"
_LARGEST = 2**63


def unsupported(pod: Map, metadata: Any = None) -> str | None:
    """Why an engine cannot run a pod with the spec ``pod``: the field, and what it asks for; None where it can."""
    found = refusal(pod, metadata)
    return None if found is None else found.text


def refusal(pod: Map, metadata: Any = None) -> Refusal | None:
    """Why a pod with the spec ``pod`` and the ``metadata`` of its template is not run, and where that is written; None
    where it is."""
    # Each reads what the ones before it have left: what has the right shape, then what an engine has.
    for refusals in (
        _node(pod),
        _unlike(pod, _POD, ()),
        _asked(pod),
        _beyond_baseline(pod, metadata),
        not_accepted(pod),
    ):
        found = next(refusals, None)
        if found is not None:
            return found
    return None


def _node(pod: Map) -> Iterator[Refusal]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield Refusal((key,), f"{_NODE}: {key}", _WITHOUT)
    for number, volume in entries(pod.get("volumes")):
        if "hostPath" in volume:
            of = volume["hostPath"]
            path = of.get("path") if isinstance(of, dict) else of
            yield Refusal(("volumes", number, "hostPath"), f"{_NODE}: hostPath {path}", _WITHOUT)


def _beyond_baseline(pod: Map, metadata: Any) -> Iterator[Refusal]:
    """What of it is more than the Pod Security level baseline allows."""
    for violation in evaluate({"metadata": metadata, "spec": pod}, "baseline", NEWEST):
        if violation.check != _OWN_CHECK:
            path = next(iter(violation.paths), ())
            yield at(path, f"more than Pod Security level baseline allows: {violation.message}", _WITHOUT)


def _unlike(value: Any, shape: Any, path: Path) -> Iterator[Refusal]:
    """What in ``value`` has another shape, or is in no shape known here."""
    if value is None or shape is object:
        return
    if isinstance(shape, list):
        yield from _unlike_list(value, shape[0], path)
    elif isinstance(shape, dict):
        yield from _unlike_map(value, shape, path)
    elif not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool) or _is_too_large(value):
        yield at(path, f"it is not {_CALLED[shape]}", _SHAPE)


def _is_too_large(value: Any) -> bool:
    return isinstance(value, int) and abs(value) >= _LARGEST


def _unlike_list(value: Any, shape: Any, path: Path) -> Iterator[Refusal]:
    if not isinstance(value, list):
        yield at(path, "it is no list", _SHAPE)
        return
    for number, each in enumerate(value):
        if each is None:
            yield at((*path, number), "it is empty", _SHAPE)
        yield from _unlike(each, shape, (*path, number))


def _unlike_map(value: Any, fields: Map, path: Path) -> Iterator[Refusal]:
    if not isinstance(value, dict):
        yield at(path, "it is no map", _SHAPE) if path else Refusal((), "its spec: it is no map", _SHAPE)
        return
    for key, each in value.items():
        is_as_if_absent = each is None or each == [] or (not path and each is _AS_IF_NOT_THERE.get(key))
        if key in fields:
            yield from _unlike(each, fields[key], (*path, key))
        elif not is_as_if_absent:
            yield at((*path, str(key)), "an engine does not offer it", _WITHOUT)


def _asked(pod: Map) -> Iterator[Refusal]:
    if (pod.get("os") or {}).get("name") == "windows":
        yield Refusal(("os", "name"), "it is a pod for Windows", _NOTHING)
    if pod.get("readinessGates"):
        yield at(("readinessGates",), "only a cluster sets them", _WITHOUT)
    if not pod.get("containers"):
        yield at(("containers",), "there are none", _SHAPE)
    yield from _of_node(pod)
    for key in ("initContainers", "containers"):
        for number, container in enumerate(pod.get(key) or []):
            yield from _container(container, (key, number))


def _of_node(pod: Map) -> Iterator[Refusal]:
    """What a pod, beside its containers, asks of the machine that it runs on."""
    yield from _profiles(pod.get("securityContext") or {}, ("securityContext",))
    for number, volume in enumerate(pod.get("volumes") or []):
        if str((volume.get("emptyDir") or {}).get("medium") or "").startswith("HugePages"):
            path: Path = ("volumes", number, "emptyDir")
            yield Refusal(path, f"{_NODE}: {dotted(path)} asks for huge pages", _WITHOUT)


def _container(container: Map, path: Path) -> Iterator[Refusal]:
    if not container.get("image"):
        yield at((*path, "image"), "there is none", "name the image")
    yield from _privileges(container.get("securityContext") or {}, (*path, "securityContext"))
    for number, port in enumerate(container.get("ports") or []):
        if port.get("hostPort"):
            yield Refusal((*path, "ports", number, "hostPort"), f"{_NODE}: hostPort {port['hostPort']}", _WITHOUT)
    for number, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("mountPropagation") not in (None, "None"):
            place = (*path, "volumeMounts", number, "mountPropagation")
            yield Refusal(place, f"{_NODE}: mountPropagation {mount['mountPropagation']}", _WITHOUT)
    yield from _devices(container.get("resources") or {}, (*path, "resources"))
    for key in _PROBES:
        yield from _probe(container.get(key) or {}, (*path, key))


def _devices(resources: Map, path: Path) -> Iterator[Refusal]:
    for key in ("limits", "requests"):
        for name in resources.get(key) or {}:
            if name not in _RESOURCES:
                yield Refusal((*path, key, name), f"{_NODE}: {dotted((*path, key))} asks for {name}", _WITHOUT)


def _privileges(context: Map, path: Path) -> Iterator[Refusal]:
    if context.get("privileged"):
        yield at((*path, "privileged"), "nothing is run privileged", _WITHOUT)
    if context.get("procMount") not in (None, "Default"):
        yield at((*path, "procMount"), str(context["procMount"]), _WITHOUT)
    yield from _profiles(context, path)


def _probe(probe: Map, path: Path) -> Iterator[Refusal]:
    handlers = [probe[handler] for handler in _HANDLERS if probe.get(handler) is not None]
    if probe and not handlers:
        yield at(path, "it asks nothing", _SHAPE)
    if any(handler.get("host") for handler in handlers):
        yield at(path, "it asks another host", _WITHOUT)


def _profiles(context: Map, path: Path) -> Iterator[Refusal]:
    for key in ("appArmorProfile", "seccompProfile"):
        kind = (context.get(key) or {}).get("type")
        if kind == "Localhost":
            yield Refusal((*path, key), f"{_NODE}: {dotted((*path, key))} is a file of it", _WITHOUT)
        elif kind not in _PROFILE_TYPES:
            yield at((*path, key), f"nothing is run with the profile {kind}", _PROFILED)
