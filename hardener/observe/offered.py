"""Which fields of a pod can be had of a container engine; what cannot is named, and the pod is not run without it.

Source of the fields: k8s.io/api/core/v1 of Kubernetes 1.35.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from hardener.authoring.edits import dotted
from hardener.support.data_path import Path

Map = dict[str, Any]

# Where a pod runs, who starts it, and what is done when it stops: nothing of this changes what a run shows.
_BESIDE = frozenset(
    """activeDeadlineSeconds affinity dnsConfig dnsPolicy enableServiceLinks imagePullSecrets nodeName nodeSelector
    preemptionPolicy priority priorityClassName restartPolicy schedulerName schedulingGates serviceAccount
    serviceAccountName automountServiceAccountToken terminationGracePeriodSeconds tolerations
    topologySpreadConstraints hostname subdomain hostAliases readinessGates""".split()
)
_OF_POD = _BESIDE | {"containers", "initContainers", "volumes", "securityContext", "shareProcessNamespace"}
_OF_CONTAINER = frozenset(
    """args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy
    resources restartPolicy securityContext startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy
    tty volumeMounts workingDir""".split()
)
_OF_POD_CONTEXT = frozenset(
    """appArmorProfile fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser seccompProfile supplementalGroups
    supplementalGroupsPolicy sysctls""".split()
)
_OF_CONTEXT = frozenset(
    """allowPrivilegeEscalation appArmorProfile capabilities privileged procMount readOnlyRootFilesystem runAsGroup
    runAsNonRoot runAsUser seccompProfile""".split()
)
_OF_MOUNT = frozenset(
    ("mountPath", "mountPropagation", "name", "readOnly", "recursiveReadOnly", "subPath", "subPathExpr")
)
_VOLUMES = frozenset(
    ("configMap", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
)
_PROJECTED = frozenset(("configMap", "downwardAPI", "secret", "serviceAccountToken"))
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_HANDLERS = frozenset(("exec", "grpc", "httpGet", "tcpSocket"))
_OF_PROBE = _HANDLERS | frozenset(
    """failureThreshold initialDelaySeconds periodSeconds successThreshold terminationGracePeriodSeconds
    timeoutSeconds""".split()
)
_RESOURCES = frozenset(("cpu", "memory", "ephemeral-storage"))
_NODE = "it needs the node"
# Of the network namespace of a pod; kernel.* and fs.* that no engine sets are refused by it.
_SYSCTL = re.compile(r"net\.[\w./-]+|kernel\.(?:shm\w+|msg\w+|sem)|fs\.mqueue\.\w+")


def refused(pod: Map) -> str | None:
    """Why an engine cannot run a pod with the spec ``pod``: the field, and what it asks for; None where it can."""
    return next(_refusals(pod), None)


def _refusals(pod: Map) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield f"{_NODE}: {key}"
    if _name(pod.get("os")) == "windows":
        yield "it is a pod for Windows"
    known = _OF_POD | {"hostNetwork", "hostPID", "hostIPC", "os"}
    yield from _others(pod, known, ())
    if pod.get("readinessGates"):
        yield "readinessGates: only a cluster sets them"
    context = _map(pod.get("securityContext"))
    yield from _others(context, _OF_POD_CONTEXT, ("securityContext",))
    yield from _profiles(context, ("securityContext",))
    for number, sysctl in enumerate(_maps(context.get("sysctls"))):
        if not _SYSCTL.fullmatch(str(sysctl.get("name"))):
            yield f"{dotted(('securityContext', 'sysctls', number))}: {sysctl.get('name')} is one of the whole machine"
    for number, volume in enumerate(_maps(pod.get("volumes"))):
        yield from _volume(volume, ("volumes", number))
    for key in ("initContainers", "containers"):
        for number, container in enumerate(_maps(pod.get(key))):
            yield from _container(container, (key, number))


def _volume(volume: Map, path: Path) -> Iterator[str]:
    if "hostPath" in volume:
        yield f"{_NODE}: hostPath {_map(volume['hostPath']).get('path')}"
    yield from _others(volume, _VOLUMES | {"name", "hostPath"}, path)
    for number, source in enumerate(_maps(_map(volume.get("projected")).get("sources"))):
        yield from _others(source, _PROJECTED, (*path, "projected", "sources", number))


def _container(container: Map, path: Path) -> Iterator[str]:
    yield from _others(container, _OF_CONTAINER, path)
    if not isinstance(container.get("image"), str):
        yield f"{dotted((*path, 'image'))}: there is none"
    context = _map(container.get("securityContext"))
    place = (*path, "securityContext")
    if context.get("privileged"):
        yield f"{dotted((*place, 'privileged'))}: nothing is run privileged"
    if context.get("procMount") not in (None, "Default"):
        yield f"{dotted((*place, 'procMount'))}: {context['procMount']}"
    yield from _others(context, _OF_CONTEXT, place)
    yield from _profiles(context, place)
    for port in _maps(container.get("ports")):
        if port.get("hostPort"):
            yield f"{_NODE}: hostPort {port['hostPort']}"
    for mount in _maps(container.get("volumeMounts")):
        yield from _others(mount, _OF_MOUNT, (*path, "volumeMounts"))
        if mount.get("mountPropagation") not in (None, "None"):
            yield f"{_NODE}: mountPropagation {mount['mountPropagation']}"
    resources = _map(container.get("resources"))
    yield from _others(resources, {"limits", "requests"}, (*path, "resources"))
    for key in ("limits", "requests"):
        for name in _map(resources.get(key)):
            if name not in _RESOURCES:
                yield f"{_NODE}: {dotted((*path, 'resources', key))} asks for {name}"
    for key in _PROBES:
        probe = _map(container.get(key))
        yield from _others(probe, _OF_PROBE, (*path, key))
        if probe and not _HANDLERS & probe.keys():
            yield f"{dotted((*path, key))}: it asks nothing"
        if any(_map(probe.get(handler)).get("host") for handler in ("httpGet", "tcpSocket")):
            yield f"{dotted((*path, key))}: it asks another host"
    start = _map(_map(container.get("lifecycle")).get("postStart"))
    yield from _others(start, {"exec", "httpGet", "sleep", "tcpSocket"}, (*path, "lifecycle", "postStart"))


def _profiles(context: Map, path: Path) -> Iterator[str]:
    for key in ("appArmorProfile", "seccompProfile"):
        if _map(context.get(key)).get("type") == "Localhost":
            yield f"{_NODE}: {dotted((*path, key))} is a file of it"


def _others(found: Map, known: Iterable[str], path: Path) -> Iterator[str]:
    for key in sorted(str(key) for key in set(found) - set(known) if found[key] is not None):
        yield f"{dotted((*path, key))}: an engine does not offer it"


def _name(value: Any) -> Any:
    return value.get("name") if isinstance(value, dict) else None


def _map(value: Any) -> Map:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[Map]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
