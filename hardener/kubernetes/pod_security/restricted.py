"""The checks of restricted. Each docstring names the file of k8s.io/pod-security-admission that decides the same."""

from __future__ import annotations

from hardener.support.data_path import Path
from hardener.support.shapes import listed

from .baseline import VALID_PROFILES, added_capabilities, seccomp_profile_baseline
from .pod import (
    Pod,
    Problem,
    Run,
    context_paths,
    counted,
    integer,
    items,
    mapping,
    profile_of,
    quoted,
    setters,
    text,
    windows,
)

_NET_BIND_SERVICE = frozenset({"NET_BIND_SERVICE"})
RESTRICTED_ALLOWED = frozenset(
    "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret".split()
)
"""Volume sources that restricted allows."""
RESTRICTED_SOURCES = frozenset(
    "awsElasticBlockStore azureDisk azureFile cephfs cinder fc flexVolume flocker gcePersistentDisk gitRepo glusterfs"
    " hostPath iscsi nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume".split()
)
"""Volume sources that restricted forbids."""


def not_on_windows(run: Run) -> Run:
    """The revisions of 1.25: a pod with os.name windows is not asked for what Windows does not have."""
    return lambda pod: None if windows(pod) else run(pod)


def not_in_user_namespace(run: Run) -> Run:
    """The revisions of 1.35 (policy/helpers.go relaxPolicyForUserNamespacePod): hostUsers false lifts the check."""
    return lambda pod: None if pod.spec.get("hostUsers") is False else run(pod)


def allow_privilege_escalation(pod: Pod) -> Problem | None:
    """policy/check_allowPrivilegeEscalation.go."""
    bad = [container for container in pod.containers if container.security.get("allowPrivilegeEscalation") is not False]
    if not bad:
        return None
    detail = f"{setters(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Problem("allowPrivilegeEscalation != false", detail, context_paths(bad, "allowPrivilegeEscalation"))


def capabilities_restricted(pod: Pod) -> Problem | None:
    """policy/check_capabilities_restricted.go: ALL in exactly this spelling."""
    missing = [
        container
        for container in pod.containers
        if "ALL" not in listed(mapping(container.security.get("capabilities")).get("drop"))
    ]
    added, paths = added_capabilities(pod, _NET_BIND_SERVICE)
    if not missing and not added:
        return None
    dropped = f'{setters(missing)} must set securityContext.capabilities.drop=["ALL"]' if missing else ""
    paths = context_paths(missing, "capabilities", "drop") + paths
    return Problem("unrestricted capabilities", "; ".join(filter(None, (dropped, added))), paths)


def restricted_volumes(pod: Pod) -> Problem | None:
    """policy/check_restrictedVolumes.go as of 1.33, which lets `image` pass at every policy version.

    A volume without a source has become an emptyDir when the check sees it (apis/core/v1 SetDefaults_Volume).
    """
    bad: list[tuple[str, str, Path]] = []
    for index, volume in items(pod.spec.get("volumes")):
        sources = {key for key, value in volume.items() if value is not None and key != "name"}
        restricted = sorted(sources & RESTRICTED_SOURCES)
        if restricted:
            bad.append((text(volume.get("name")), restricted[0], ("volumes", index, restricted[0])))
        elif sources and not sources & RESTRICTED_ALLOWED:
            bad.append((text(volume.get("name")), "unknown", ("volumes", index)))
    if not bad:
        return None
    use, types = "uses" if len(bad) == 1 else "use", sorted({kind for _, kind, _ in bad})
    return Problem(
        "restricted volume types",
        f"{counted('volume', [name for name, _, _ in bad])} {use} {counted('restricted volume type', types)}",
        [path for _, _, path in bad],
    )


def run_as_non_root(pod: Pod) -> Problem | None:
    """policy/check_runAsNonRoot.go: an explicit false is said before what is missing."""
    explicit = [holder for holder in pod.holders if holder.security.get("runAsNonRoot") is False]
    if explicit:
        detail = f"{setters(explicit)} must not set securityContext.runAsNonRoot=false"
        return Problem("runAsNonRoot != true", detail, context_paths(explicit, "runAsNonRoot"))
    if pod.security.get("runAsNonRoot") is True:
        return None
    missing = [container for container in pod.containers if container.security.get("runAsNonRoot") is not True]
    if not missing:
        return None
    detail = f"pod or {setters(missing)} must set securityContext.runAsNonRoot=true"
    return Problem("runAsNonRoot != true", detail, context_paths(missing, "runAsNonRoot"))


def run_as_user(pod: Pod) -> Problem | None:
    """policy/check_runAsUser.go."""
    bad = [holder for holder in pod.holders if integer(holder.security.get("runAsUser")) == 0]
    if not bad:
        return None
    return Problem("runAsUser=0", f"{setters(bad)} must not set runAsUser=0", context_paths(bad, "runAsUser"))


def seccomp_profile_restricted(pod: Pod) -> Problem | None:
    """policy/check_seccompProfile_restricted.go: a wrong profile is said before a missing one."""
    explicit = seccomp_profile_baseline(pod)
    if explicit or profile_of(pod.holders[0], "seccompProfile") is not None:
        return explicit
    missing = [container for container in pod.containers if profile_of(container, "seccompProfile") is None]
    if not missing:
        return None
    detail = f"pod or {setters(missing)} must set securityContext.seccompProfile.type to " + quoted(VALID_PROFILES[:1])
    return Problem(
        "seccompProfile", f"{detail} or {quoted(VALID_PROFILES[1:])}", context_paths(missing, "seccompProfile", "type")
    )
