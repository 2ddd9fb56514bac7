"""What the hooks for plain manifests share; `harden hook` puts it in their place."""

from collections.abc import Iterator
from typing import Any

# Both belong to the Pod Security level "restricted". An image that starts as root stops with either of them, so look
# at your images first.
RUN_AS_NON_ROOT = False
DROP_ALL_CAPABILITIES = False

POD_SPECS = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **{
        kind: ("spec", "template", "spec")
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job")
    },
}

Path = tuple[str | int, ...]


def missing(kind: str, manifest: Any) -> Iterator[tuple[Path, Any]]:
    """What a manifest leaves open: where it belongs, and its value. What the manifest says itself stays."""
    path = POD_SPECS.get(kind)
    spec = manifest
    for key in path or ():
        spec = spec.get(key) if isinstance(spec, dict) else None
    if path is None or not isinstance(spec, dict) or spec.get("os") == {"name": "windows"}:
        return
    if "automountServiceAccountToken" not in spec and spec.get("serviceAccountName") in (None, "", "default"):
        yield (*path, "automountServiceAccountToken"), False
    wanted: dict[str, Any] = {"seccompProfile": {"type": "RuntimeDefault"}}
    if RUN_AS_NON_ROOT:
        wanted["runAsNonRoot"] = True
    yield from _unset((*path, "securityContext"), spec.get("securityContext"), wanted)
    for key in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(key) or []):
            if isinstance(container, dict):
                yield from _of_container((*path, key, index, "securityContext"), container.get("securityContext"))


def _of_container(path: Path, own: Any) -> Iterator[tuple[Path, Any]]:
    said = own if isinstance(own, dict) else {}
    capabilities = said.get("capabilities")
    added = (capabilities.get("add") or []) if isinstance(capabilities, dict) else []
    wanted: dict[str, Any] = {}
    # The API refuses False beside either of these.
    if not (said.get("privileged") or "SYS_ADMIN" in added or "CAP_SYS_ADMIN" in added):
        wanted["allowPrivilegeEscalation"] = False
    if DROP_ALL_CAPABILITIES and not said.get("privileged"):
        wanted["capabilities"] = {"drop": ["ALL"]}
    yield from _unset(path, own, wanted)


def _unset(path: Path, own: Any, wanted: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    if own is None and wanted:
        yield path, wanted
    elif isinstance(own, dict):
        yield from (((*path, key), value) for key, value in wanted.items() if key not in own)
