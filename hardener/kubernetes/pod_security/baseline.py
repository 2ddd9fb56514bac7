"""The checks of baseline. Each docstring names the file of k8s.io/pod-security-admission that decides the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hardener.kubernetes.pods.capabilities import BASELINE
from hardener.support.data_path import Path
from hardener.support.shapes import listed

from .pod import (
    Holder,
    Pod,
    Problem,
    Run,
    context_paths,
    counted,
    equation,
    integer,
    items,
    mapping,
    plural,
    profile_of,
    quoted,
    setters,
    text,
)

_APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_ANNOTATION = "container.seccomp.security.alpha.kubernetes.io/"
_HANDLERS = (
    *((probe,) for probe in ("livenessProbe", "readinessProbe", "startupProbe")),
    *(("lifecycle", hook) for hook in ("postStart", "preStop")),
)

VALID_PROFILES = ("RuntimeDefault", "Localhost")
"""Types of seccomp and AppArmor profiles that confine."""


def app_armor_profile(pod: Pod) -> Problem | None:
    """policy/check_appArmorProfile.go: the fields (of 1.30) and the annotations, whatever the policy version."""
    bad = _forbidden_profiles(pod, "appArmorProfile")
    annotations = sorted(
        (key, value)
        for key, value in pod.annotations.items()
        if isinstance(key, str) and key.startswith(_APPARMOR_ANNOTATION) and isinstance(value, str)
        if value and not _is_profile(value)
    )
    if not bad and not annotations:
        return None
    holders = [holder for holder, _ in bad]
    who = ([setters(holders)] if bad else []) + ([plural("annotation", len(annotations))] if annotations else [])
    values = sorted({kind for _, kind in bad}) + [equation(*pair) for pair in annotations]
    return Problem(
        plural("forbidden AppArmor profile", len(values)),
        f"{' and '.join(who)} must not set AppArmor profile type to {quoted(values)}",
        context_paths(holders, "appArmorProfile", "type")
        + [("metadata", "annotations", key) for key, _ in annotations],
    )


def _forbidden_profiles(pod: Pod, field: str) -> list[tuple[Holder, str]]:
    """Who sets a profile of another type than those that confine, and the type."""
    kinds = [(holder, profile_of(holder, field)) for holder in pod.holders]
    return [(holder, kind) for holder, kind in kinds if kind is not None and kind not in VALID_PROFILES]


def _is_profile(annotation: str) -> bool:
    """Whether the value of an annotation is a profile that confines."""
    return annotation == "runtime/default" or annotation.startswith("localhost/")


def capabilities_baseline(pod: Pod) -> Problem | None:
    """policy/check_capabilities_baseline.go: names are compared exactly, so CAP_CHOWN is not CHOWN."""
    detail, paths = added_capabilities(pod, BASELINE)
    return Problem("non-default capabilities", detail, paths) if detail else None


def added_capabilities(pod: Pod, allowed: frozenset[str]) -> tuple[str, list[Path]]:
    """What containers add beyond `allowed`, and where; an empty text if nothing."""
    bad = [
        (container, index, name)
        for container in pod.containers
        for index, name in enumerate(listed(mapping(container.security.get("capabilities")).get("add")))
        if isinstance(name, str) and name not in allowed
    ]
    if not bad:
        return "", []
    who, names = setters(container for container, _, _ in bad), sorted({name for _, _, name in bad})
    return (
        f"{who} must not include {quoted(names)} in securityContext.capabilities.add",
        [path for holder, index, _ in bad for path in context_paths([holder], "capabilities", "add", index)],
    )


def host_namespaces(pod: Pod) -> Problem | None:
    """policy/check_hostNamespaces.go."""
    shared = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(key) is True]
    if not shared:
        return None
    return Problem("host namespaces", ", ".join(f"{key}=true" for key in shared), [(key,) for key in shared])


def host_path_volumes(pod: Pod) -> Problem | None:
    """policy/check_hostPathVolumes.go."""
    bad = [(index, volume) for index, volume in items(pod.spec.get("volumes")) if volume.get("hostPath") is not None]
    if not bad:
        return None
    detail = counted("volume", [text(volume.get("name")) for _, volume in bad])
    return Problem("hostPath volumes", detail, [("volumes", index, "hostPath") for index, _ in bad])


def host_ports(pod: Pod) -> Problem | None:
    """policy/check_hostPorts.go."""
    bad = [
        (container, index, number)
        for container in pod.containers
        for index, port in items(container.data.get("ports"))
        if (number := integer(port.get("hostPort")))
    ]
    if not bad:
        return None
    ports = sorted({str(number) for _, _, number in bad})
    use = "uses" if len({container.path for container, _, _ in bad}) == 1 else "use"
    who = setters(container for container, _, _ in bad)
    return Problem(
        "hostPort",
        f"{who} {use} {plural('hostPort', len(ports))} {', '.join(ports)}",
        [(*container.path, "ports", index, "hostPort") for container, index, _ in bad],
    )


def host_probes_and_host_lifecycle(pod: Pod) -> Problem | None:
    """policy/check_hostProbesAndhostLifecycle.go: names and hosts are sorted there, each said once."""
    bad: list[tuple[str, str, Path]] = []
    for container in pod.containers:
        for keys in _HANDLERS:
            handler = container.data
            for key in keys:
                handler = mapping(handler.get(key))
            for action in ("httpGet", "tcpSocket") if handler else ():
                if host := text(mapping(handler.get(action)).get("host")):
                    bad.append((container.name, host, (*container.path, *keys, action, "host")))
    if not bad:
        return None
    names, hosts = sorted({name for name, _, _ in bad}), sorted({host for _, host, _ in bad})
    use = "uses" if len(names) == 1 else "use"
    return Problem(
        "probe or lifecycle host",
        f"{counted('container', names)} {use} {counted('probe or lifecycle host', hosts)}",
        [path for _, _, path in bad],
    )


def privileged(pod: Pod) -> Problem | None:
    """policy/check_privileged.go."""
    bad = [container for container in pod.containers if container.security.get("privileged") is True]
    if not bad:
        return None
    detail = f"{setters(bad)} must not set securityContext.privileged=true"
    return Problem("privileged", detail, context_paths(bad, "privileged"))


def proc_mount(pod: Pod) -> Problem | None:
    """policy/check_procMount_baseline.go and, for every pod, check_procMount_restricted.go."""
    kinds = [(container, container.security.get("procMount")) for container in pod.containers]
    bad = [(container, kind) for container, kind in kinds if isinstance(kind, str) and kind != "Default"]
    if not bad:
        return None
    containers, values = [container for container, _ in bad], sorted({kind for _, kind in bad})
    detail = f"{setters(containers)} must not set securityContext.procMount to {quoted(values)}"
    return Problem("procMount", detail, context_paths(containers, "procMount"))


def se_linux_options(*types: str) -> Run:
    """policy/check_seLinuxOptions.go, at a revision that allows `types`."""
    allowed = {"type": frozenset(types), "user": frozenset[str](), "role": frozenset[str]()}

    def run(pod: Pod) -> Problem | None:
        bad = [found for holder in pod.holders for found in _forbidden_options(holder, allowed)]
        if not bad:
            return None
        who = setters(holder for holder, _, _ in bad)
        what = "; ".join(_told_options([(key, value) for _, key, value in bad]))
        return Problem(
            "seLinuxOptions",
            f"{who} set forbidden securityContext.seLinuxOptions: {what}",
            [path for holder, key, _ in bad for path in context_paths([holder], "seLinuxOptions", key)],
        )

    return run


def _forbidden_options(holder: Holder, allowed: Mapping[str, frozenset[str]]) -> Iterator[tuple[Holder, str, str]]:
    """Who sets an option of SELinux to what is not among the values ``allowed`` for it, the option and the value."""
    options = mapping(holder.security.get("seLinuxOptions"))
    for key, values in allowed.items():
        value = text(options.get(key))
        if value and value not in values:
            yield holder, key, value


def _told_options(bad: list[tuple[str, str]]) -> Iterator[str]:
    """Options of SELinux and their values in words: of a type each one counts, of user and role that they are set."""
    if types := sorted({value for key, value in bad if key == "type"}):
        yield counted("type", types)
    keys = {key for key, _ in bad}
    yield from (f"{key} may not be set" for key in ("user", "role") if key in keys)


def seccomp_annotations(pod: Pod) -> Problem | None:
    """policy/check_seccompProfile_baseline.go before 1.19; an annotation counts for a container that exists."""
    keys = {_SECCOMP_POD_ANNOTATION, *(_SECCOMP_ANNOTATION + container.name for container in pod.containers)}
    bad = sorted(
        (key, value)
        for key in keys
        if isinstance(value := pod.annotations.get(key), str) and value != "docker/default" and not _is_profile(value)
    )
    if not bad:
        return None
    return Problem(
        "seccompProfile",
        f"forbidden {plural('annotation', len(bad))} {', '.join(equation(*pair) for pair in bad)}",
        [("metadata", "annotations", key) for key, _ in bad],
    )


def seccomp_profile_baseline(pod: Pod) -> Problem | None:
    """policy/check_seccompProfile_baseline.go from 1.19 on."""
    bad = _forbidden_profiles(pod, "seccompProfile")
    if not bad:
        return None
    holders, kinds = [holder for holder, _ in bad], sorted({kind for _, kind in bad})
    detail = f"{setters(holders)} must not set securityContext.seccompProfile.type to {quoted(kinds)}"
    return Problem("seccompProfile", detail, context_paths(holders, "seccompProfile", "type"))


def sysctls(*allowed: str) -> Run:
    """policy/check_sysctls.go: names are compared exactly, so net/ipv4/tcp_syncookies is forbidden."""

    def run(pod: Pod) -> Problem | None:
        bad = [(index, text(sysctl.get("name"))) for index, sysctl in items(pod.security.get("sysctls"))]
        bad = [(index, name) for index, name in bad if name not in allowed]
        if not bad:
            return None
        paths: list[Path] = [("securityContext", "sysctls", index, "name") for index, _ in bad]
        return Problem("forbidden sysctls", ", ".join(name for _, name in bad), paths)

    return run


def windows_host_process(pod: Pod) -> Problem | None:
    """policy/check_windowsHostProcess.go."""
    bad = [h for h in pod.holders if mapping(h.security.get("windowsOptions")).get("hostProcess") is True]
    if not bad:
        return None
    detail = f"{setters(bad)} must not set securityContext.windowsOptions.hostProcess=true"
    return Problem("hostProcess", detail, context_paths(bad, "windowsOptions", "hostProcess"))
