"""Rules of containers and of the volumes they mount.

Source: k8s.io/kubernetes pkg/apis/core/validation (validation.go); the functions are named at each rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hardener.kubernetes.objects.object_names import is_dns_label
from hardener.support.data_path import Path
from hardener.support.shapes import entries, mapping, number, texts

from .pod import Pod
from .violation import Violation

_SHORTEST_TOKEN = 600  # ServiceAccountTokenProjection
_LARGEST_MODE = 0o777
_SIDECARS = (1, 29)  # restartPolicy of an init container is on by default
_CONTAINER_RESTART = (1, 35)  # restartPolicy of every container is on by default (ContainerRestartRules)
_IMAGE_SUB_PATH = (1, 33)  # subPath on image volumes
_HANDLERS = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
_WITH_MODES = ("secret", "configMap", "downwardAPI", "projected")


def _escalation(pod: Pod) -> Iterator[Violation]:
    """1. What escalates by itself cannot be told not to (ValidateSecurityContext)."""
    for path, security in pod.contexts[1:]:
        if security.get("allowPrivilegeEscalation") is not False:
            continue
        where = (*path, "securityContext", "allowPrivilegeEscalation")
        if security.get("privileged") is True:
            yield Violation(1, where, "allowPrivilegeEscalation: false is rejected with privileged: true")
        if "CAP_SYS_ADMIN" in texts(mapping(security.get("capabilities")).get("add")):
            yield Violation(1, where, "allowPrivilegeEscalation: false is rejected with the capability CAP_SYS_ADMIN")


def _mounts(pod: Pod) -> Iterator[Violation]:
    """12. A mount names a volume, and no two stand at one path (ValidateVolumeMounts, ValidateVolumeDevices)."""
    known = {volume["name"] for _, volume in pod.volumes if isinstance(volume.get("name"), str)}
    known |= pod.claims
    for path, container, _ in pod.containers:
        taken: set[str] = set()
        for key, place in (("volumeMounts", "mountPath"), ("volumeDevices", "devicePath")):
            for index, mount in entries(container.get(key)):
                name, at = mount.get("name"), mount.get(place)
                if isinstance(name, str) and name not in known:
                    yield Violation(12, (*path, key, index, "name"), f"there is no volume {name}")
                if isinstance(at, str):
                    if at in taken:
                        yield Violation(12, (*path, key, index, place), f"{at} is mounted twice")
                    taken.add(at)


def _volumes(pod: Pod) -> Iterator[Violation]:
    """13. Volumes have a name of their own and one source; without one they silently become an emptyDir
    (ValidateVolumes, SetDefaults_Volume)."""
    seen: set[str] = set()
    for index, volume in pod.volumes:
        where, name = (*pod.path, "volumes", index), volume.get("name")
        if not isinstance(name, str) or not ("$" in name or is_dns_label(name)):
            yield Violation(13, (*where, "name"), "a volume needs a name that is a DNS label")
        elif name in seen:
            yield Violation(13, (*where, "name"), f"two volumes are called {name}")
        else:
            seen.add(name)
        sources = sum(1 for key, value in volume.items() if key != "name" and value is not None)
        if sources != 1:
            yield Violation(13, where, f"a volume has one source, not {sources}")


def _sub_paths(pod: Pod) -> Iterator[Violation]:
    """14. subPath stays inside its volume; recursiveReadOnly goes with readOnly (ValidateVolumeMounts)."""
    images = {
        volume["name"]
        for _, volume in pod.volumes
        if volume.get("image") is not None and isinstance(volume.get("name"), str)
    }
    for path, container, _ in pod.containers:
        for index, mount in entries(container.get("volumeMounts")):
            where, below = (*path, "volumeMounts", index), [mount.get("subPath"), mount.get("subPathExpr")]
            if any(map(_leaves_volume, below)):
                yield Violation(14, where, "subPath is relative and leads not upwards")
            if all(below):
                yield Violation(14, where, "subPath and subPathExpr exclude each other")
            is_of_image = isinstance(mount.get("name"), str) and mount["name"] in images
            if any(below) and is_of_image and pod.version < _IMAGE_SUB_PATH:
                yield Violation(14, where, "an image volume takes subPath only from 1.33 on")
            if mount.get("recursiveReadOnly") not in (None, "Disabled") and mount.get("readOnly") is not True:
                yield Violation(14, where, "recursiveReadOnly needs readOnly: true")


def _leaves_volume(path: object) -> bool:
    return isinstance(path, str) and (path.startswith("/") or ".." in path.split("/"))


def _propagation(pod: Pod) -> Iterator[Violation]:
    """15. Only a privileged container mounts into the host (validateMountPropagation)."""
    for path, container, _ in pod.containers:
        if mapping(container.get("securityContext")).get("privileged") is True:
            continue
        for index, mount in entries(container.get("volumeMounts")):
            if mount.get("mountPropagation") == "Bidirectional":
                where = (*path, "volumeMounts", index, "mountPropagation")
                yield Violation(15, where, "mountPropagation: Bidirectional needs a privileged container")


def _projections(pod: Pod) -> Iterator[Violation]:
    """16. Projected tokens live ten minutes at least, a bare Pod names its account, files of one volume do not
    collide (validateProjectionSources, validatePodMetadataAndSpec)."""
    for index, volume in pod.volumes:
        taken: set[str] = set()
        for position, source in entries(mapping(volume.get("projected")).get("sources")):
            where = (*pod.path, "volumes", index, "projected", "sources", position)
            token = source.get("serviceAccountToken")
            if isinstance(token, dict):
                seconds = number(token.get("expirationSeconds"))
                if seconds is not None and seconds < _SHORTEST_TOKEN:
                    yield Violation(16, where, f"a projected token lives {_SHORTEST_TOKEN} seconds at least")
                if pod.kind == "Pod" and not (pod.spec.get("serviceAccountName") or pod.spec.get("serviceAccount")):
                    yield Violation(16, where, "a projected token in a bare Pod needs serviceAccountName")
            for file in _files(source):
                if file in taken:
                    yield Violation(16, where, f"two sources of one volume write the file {file}")
                taken.add(file)


def _files(source: dict[Any, Any]) -> Iterator[str]:
    for part in source.values():
        for item in (mapping(part), *(item for _, item in entries(mapping(part).get("items")))):
            if isinstance(item.get("path"), str):
                yield item["path"]


def _handlers(pod: Pod) -> Iterator[Violation]:
    """20. A plain init container has no probes and no hooks; restartPolicy makes it a sidecar
    (validateInitContainers, validateContainerRestartPolicy)."""
    for path, container, init in pod.containers:
        policy = container.get("restartPolicy")
        if init and policy != "Always":
            for key in _HANDLERS:
                if container.get(key) is not None:
                    yield Violation(20, (*path, key), f"{key} is rejected in an init container")
        if policy is None or pod.version >= _CONTAINER_RESTART:
            continue
        if not init:
            yield Violation(20, (*path, "restartPolicy"), "restartPolicy in a container is rejected before 1.35")
        elif policy != "Always" or pod.version < _SIDECARS:
            yield Violation(20, (*path, "restartPolicy"), "an init container takes restartPolicy: Always, from 1.29 on")


def _names(pod: Pod) -> Iterator[Violation]:
    """21. Names of containers differ, init or not; an image has no blanks around it (validateContainers,
    validateContainersOnlyForPod)."""
    seen: set[str] = set()
    for path, container, _ in pod.containers:
        name, image = container.get("name"), container.get("image")
        if not isinstance(name, str) or not ("$" in name or is_dns_label(name)):
            yield Violation(21, (*path, "name"), "a container needs a name that is a DNS label")
        elif name in seen:
            yield Violation(21, (*path, "name"), f"two containers are called {name}")
        else:
            seen.add(name)
        if isinstance(image, str) and image != image.strip():
            yield Violation(21, (*path, "image"), "an image has no blanks around it")


def _integers(pod: Pod) -> Iterator[Violation]:
    """37. Modes, ids and ports are numbers; 0444 is 292, "0444" is rejected (types.go: *int32, *int64)."""
    for index, volume in pod.volumes:
        for key in _WITH_MODES:
            if isinstance(volume.get(key), dict):
                yield from _modes(volume[key], (*pod.path, "volumes", index, key))
    for path, place in pod.places:
        security = mapping(place.get("securityContext"))
        for key in ("runAsUser", "runAsGroup", "fsGroup"):
            if isinstance(security.get(key), str):
                yield Violation(37, (*path, "securityContext", key), f"{key} is a number, not a text")
        for index, port in entries(place.get("ports")):
            for key in ("containerPort", "hostPort"):
                if isinstance(port.get(key), str):
                    yield Violation(37, (*path, "ports", index, key), f"{key} is a number, not a text")


def _modes(source: dict[Any, Any], path: Path) -> Iterator[Violation]:
    places = [(path, "defaultMode", source.get("defaultMode"))]
    places += [((*path, "items", index), "mode", item.get("mode")) for index, item in entries(source.get("items"))]
    for position, part in entries(source.get("sources")):
        for key, value in part.items():
            for index, item in entries(mapping(value).get("items")):
                places.append(((*path, "sources", position, str(key), "items", index), "mode", item.get("mode")))
    for where, key, mode in places:
        if isinstance(mode, str):
            yield Violation(37, (*where, key), f"{key} is a number, not a text")
        elif (value := number(mode)) is not None and not 0 <= value <= _LARGEST_MODE:
            yield Violation(37, (*where, key), f"{key} is not within 0 to 0777, which is 511")


RULES: tuple[Callable[[Pod], Iterator[Violation]], ...] = (
    _escalation, _mounts, _volumes, _sub_paths, _propagation, _projections, _handlers, _names, _integers,
)  # fmt: skip
