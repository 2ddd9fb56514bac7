"""Rules of a pod spec as a whole: namespaces of the host, users, sysctls, operating system, profiles.

Source: k8s.io/kubernetes pkg/apis/core/validation (validation.go); the functions are named at each rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from hardener.support.data_path import Path
from hardener.support.shapes import entries, mapping, number, texts

from .violation import Violation

_LARGEST_ID = 2**31 - 1  # IsValidUserID
_LARGEST_MAPPED_ID = 65535  # one range of 65,536 ids per pod: kubelet userns manager
_IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")  # component-helpers sysctl GetNamespace

# validateWindows: fields that mean Linux.
_LINUX_POD = ("appArmorProfile", "seLinuxOptions", "seLinuxChangePolicy", "seccompProfile", "fsGroup",
              "fsGroupChangePolicy", "sysctls", "runAsUser", "runAsGroup", "supplementalGroups",
              "supplementalGroupsPolicy")  # fmt: skip
_LINUX_CONTAINER = ("appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem",
                    "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup")  # fmt: skip

_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_APPARMOR_CONTAINER = "container.apparmor.security.beta.kubernetes.io/"


class Pod(Struct):
    """A pod template as the rules see it: ``path`` leads to its spec, ``metadata_path`` to its metadata.

    ``kind`` is that of the object around it, ``claims`` the names of its volumeClaimTemplates, ``containers`` the path,
    the data and whether it is an init container of each container.
    """

    kind: str
    spec: dict[Any, Any]
    path: Path
    metadata: dict[Any, Any]
    metadata_path: Path
    claims: frozenset[str]
    version: tuple[int, int]
    containers: tuple[tuple[Path, dict[Any, Any], bool], ...]
    # What has a security context, itself and then its containers; and these contexts, empty where there is none.
    places: list[tuple[Path, dict[Any, Any]]] = []
    contexts: list[tuple[Path, dict[Any, Any]]] = []
    volumes: list[tuple[int, dict[Any, Any]]] = []

    def __post_init__(self) -> None:
        self.places = [(self.path, self.spec), *[(path, container) for path, container, _ in self.containers]]
        self.contexts = [(path, mapping(place.get("securityContext"))) for path, place in self.places]
        self.volumes = entries(self.spec.get("volumes"))

    @property
    def security(self) -> dict[Any, Any]:
        return self.contexts[0][1]

    @property
    def annotations(self) -> dict[Any, Any]:
        return mapping(self.metadata.get("annotations"))

    @property
    def windows(self) -> bool:
        return mapping(self.spec.get("os")).get("name") == "windows"


def containers_of(spec: dict[Any, Any], path: Path) -> Iterator[tuple[Path, dict[Any, Any], bool]]:
    """Init containers, then containers."""
    for key in ("initContainers", "containers"):
        for index, container in entries(spec.get(key)):
            yield (*path, key, index), container, key == "initContainers"


def _non_root(pod: Pod) -> Iterator[Violation]:
    """2. The kubelet does not start a container that must not be root and whose user is 0 (verifyRunAsNonRoot)."""
    if pod.windows:
        return
    common = pod.security
    for path, own in pod.contexts[1:]:
        if own.get("runAsNonRoot", common.get("runAsNonRoot")) is not True:
            continue
        if number(own.get("runAsUser", common.get("runAsUser"))) == 0:
            yield Violation(2, (*path, "securityContext"), "runAsNonRoot: true with runAsUser: 0 never starts")


def _host_ports(pod: Pod) -> Iterator[Violation]:
    """3. In the host's network a hostPort is the containerPort (validatePodHostNetworkDeps, checkHostNetworkPorts)."""
    if pod.spec.get("hostNetwork") is not True:
        return
    for path, container, _ in pod.containers:
        for index, port in entries(container.get("ports")):
            if port.get("hostPort") and port.get("hostPort") != port.get("containerPort"):
                yield Violation(3, (*path, "ports", index), "hostPort differs from containerPort under hostNetwork")


def _sysctls(pod: Pod) -> Iterator[Violation]:
    """5. A sysctl of a namespace of the host is rejected (ValidateHostSysctl); names are unique (validateSysctls)."""
    seen: set[str] = set()
    for index, sysctl in entries(pod.security.get("sysctls")):
        name = sysctl.get("name")
        if not isinstance(name, str):
            continue
        name = name.replace("/", ".")
        path = (*pod.path, "securityContext", "sysctls", index)
        if name in seen:
            yield Violation(5, path, f"sysctl {name} is listed twice")
        seen.add(name)
        if name.startswith("net.") and pod.spec.get("hostNetwork") is True:
            yield Violation(5, path, f"sysctl {name} is the host's under hostNetwork")
        if name.startswith(_IPC_SYSCTLS) and pod.spec.get("hostIPC") is True:
            yield Violation(5, path, f"sysctl {name} is the host's under hostIPC")


def _host_users(pod: Pod) -> Iterator[Violation]:
    """6. A pod with users of its own shares no other namespace with the host (validateHostUsers)."""
    if pod.spec.get("hostUsers") is False:
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(key) is True:
                yield Violation(6, (*pod.path, key), f"{key}: true is rejected with hostUsers: false")


def _proc_mount(pod: Pod) -> Iterator[Violation]:
    """7. The whole of /proc is shown only to a pod with users of its own (ValidateSecurityContext)."""
    if pod.spec.get("hostUsers") is False:
        return
    for path, security in pod.contexts[1:]:
        if security.get("procMount") == "Unmasked":
            yield Violation(7, (*path, "securityContext", "procMount"), "procMount: Unmasked needs hostUsers: false")


def _shared_processes(pod: Pod) -> Iterator[Violation]:
    """8. Processes are shared with the host or among the containers (validatePodSpecSecurityContext)."""
    if pod.spec.get("shareProcessNamespace") is True and pod.spec.get("hostPID") is True:
        yield Violation(8, (*pod.path, "shareProcessNamespace"), "shareProcessNamespace is rejected with hostPID")


def _operating_system(pod: Pod) -> Iterator[Violation]:
    """9. A pod of one operating system has no field of the other (validateWindows, validateLinux)."""
    name = mapping(pod.spec.get("os")).get("name")
    if name not in ("windows", "linux"):
        return
    common, own = (_LINUX_POD, _LINUX_CONTAINER) if name == "windows" else (("windowsOptions",), ("windowsOptions",))
    places: list[tuple[Path, dict[Any, Any], tuple[str, ...]]] = [
        ((*pod.path, "securityContext"), pod.security, common)
    ]
    for path, security in pod.contexts[1:]:
        places.append(((*path, "securityContext"), security, own))
    if name == "windows":
        places.append((pod.path, pod.spec, ("hostUsers", "shareProcessNamespace")))
        for key in ("hostPID", "hostIPC"):
            if pod.spec.get(key) is True:
                yield Violation(9, (*pod.path, key), f"{key} is rejected with os.name: windows")
    for path, place, keys in places:
        for key in keys:
            if place.get(key) is not None:
                yield Violation(9, (*path, key), f"{key} is rejected with os.name: {name}")


def _profiles(pod: Pod) -> Iterator[Violation]:
    """10. A profile has a type, and a file just when that is Localhost (validateSeccompProfileField,
    ValidateAppArmorProfileField)."""
    for path, security in pod.contexts:
        for key in ("seccompProfile", "appArmorProfile"):
            profile = security.get(key)
            if not isinstance(profile, dict):
                continue
            where = (*path, "securityContext", key)
            kind, file = profile.get("type"), profile.get("localhostProfile")
            if kind not in ("RuntimeDefault", "Unconfined", "Localhost"):
                yield Violation(10, where, f"{key} needs a type: RuntimeDefault, Unconfined or Localhost")
            elif (kind == "Localhost") != bool(file):
                yield Violation(10, where, f"{key} has a localhostProfile just when its type is Localhost")


def _profile_annotations(pod: Pod) -> Iterator[Violation]:
    """11. The old annotation and the field of a profile agree, and AppArmor's names a container
    (validateSeccompAnnotationsAndFields, validateAppArmorAnnotationsAndFieldsMatchOnCreate)."""
    annotations = pod.annotations
    if not annotations or pod.windows:
        return
    by_name = {str(container.get("name")): container for _, container, _ in pod.containers}
    for key, value in annotations.items():
        if not isinstance(key, str) or not isinstance(value, str):
            continue
        where = (*pod.metadata_path, "annotations", key)
        if key == _SECCOMP_POD:
            field, place = "seccompProfile", pod.spec
        elif key.startswith(_SECCOMP_CONTAINER):
            field, place = "seccompProfile", by_name.get(key.removeprefix(_SECCOMP_CONTAINER), {})
        elif key.startswith(_APPARMOR_CONTAINER):
            name = key.removeprefix(_APPARMOR_CONTAINER)
            if name not in by_name:
                yield Violation(11, where, f"the AppArmor annotation names {name}, which is no container")
            field, place = "appArmorProfile", by_name.get(name, {})
        else:
            continue
        profile = mapping(place.get("securityContext")).get(field)
        if isinstance(profile, dict) and not _agree(value, profile):
            yield Violation(11, where, f"the annotation and the field {field} name different profiles")


def _agree(annotation: str, profile: dict[Any, Any]) -> bool:
    kind = profile.get("type")
    if kind == "Localhost":
        return annotation == f"localhost/{profile.get('localhostProfile')}"
    return (annotation, kind) in (
        ("runtime/default", "RuntimeDefault"),
        ("docker/default", "RuntimeDefault"),
        ("unconfined", "Unconfined"),
    )


def _ephemeral(pod: Pod) -> Iterator[Violation]:
    """22. Ephemeral containers come through their own subresource only (ValidatePodCreate)."""
    if pod.spec.get("ephemeralContainers"):
        yield Violation(22, (*pod.path, "ephemeralContainers"), "ephemeralContainers are not allowed in a manifest")


def _ids(pod: Pod) -> Iterator[Violation]:
    """34. User and group ids (IsValidUserID); a pod with users of its own has 65,536 of them."""
    largest = _LARGEST_MAPPED_ID if pod.spec.get("hostUsers") is False else _LARGEST_ID
    for path, security in pod.contexts:
        for key in ("runAsUser", "runAsGroup", "fsGroup"):
            id = number(security.get(key))
            if id is not None and not 0 <= id <= largest:
                yield Violation(34, (*path, "securityContext", key), f"{key} is not within 0 to {largest}")


def _capability_names(pod: Pod) -> Iterator[Violation]:
    """35. Capabilities have no prefix and upper case: Pod Security compares them letter by letter."""
    for path, security in pod.contexts[1:]:
        capabilities = mapping(security.get("capabilities"))
        for key in ("add", "drop"):
            for name in texts(capabilities.get(key)):
                if "$" not in name and (name != name.upper() or name.startswith("CAP_")):
                    where = (*path, "securityContext", "capabilities", key)
                    yield Violation(35, where, "a capability is written in upper case and without CAP_")


RULES: tuple[Callable[[Pod], Iterator[Violation]], ...] = (
    _non_root, _host_ports, _sysctls, _host_users, _proc_mount, _shared_processes, _operating_system, _profiles,
    _profile_annotations, _ephemeral, _ids, _capability_names,
)  # fmt: skip
