"""Recordings of the Security Profiles Operator: SeccompProfile, AppArmorProfile, and the ProfileRecording of both.

Source: kubernetes-sigs/security-profiles-operator 0.10 and main: api/profilerecording/v1, api/seccompprofile/v1,
api/apparmorprofile/v1 (and v1alpha1, v1beta1 of each). A profile without the label of a recording was written by
somebody, and says nothing of what happened.
"""

from __future__ import annotations

from typing import Any

from hardener.exports.collector import Collector, Profile
from hardener.exports.model import Workload
from hardener.exports.shapes import entries, mapping, text, texts

GROUP = "security-profiles-operator.x-k8s.io"
KINDS = frozenset({"SeccompProfile", "AppArmorProfile", "ProfileRecording"})
_RECORDING = "spo.x-k8s.io/recording-id"
_RECORDING_SPACE = "spo.x-k8s.io/recording-namespace"
_CONTAINER = "spo.x-k8s.io/container-id"
_ALLOWED = frozenset({"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "Allow", "Log"})
_SCRATCH = ("/tmp/", "/var/tmp/", "/run/", "/var/run/", "/var/cache/", "/var/log/")
_VARIABLE = ("*", "@{", "?")  # AppArmor writes these for a part of a path that differs


def read(item: dict[str, Any], into: Collector) -> None:
    """Put in what ``item`` tells: an object of a kind in ``KINDS``."""
    metadata = mapping(item, "metadata")
    namespace = text(metadata, "namespace") or "default"
    kind = text(item, "kind")
    if kind == "ProfileRecording":
        selector = mapping(item, "spec", "podSelector", "matchLabels")
        labels = {str(name): str(value) for name, value in selector.items()}
        into.put_recording(namespace, text(metadata, "name"), labels)
        return
    labels = mapping(metadata, "labels")
    recording, container = text(labels, _RECORDING), text(labels, _CONTAINER)
    if not recording or not container:
        return
    key = into.source(f"Security Profiles Operator {kind}", text(metadata, "creationTimestamp"))
    spec = mapping(item, "spec")
    put = _calls(spec, container, key) if kind == "SeccompProfile" else _accesses(spec, container, key)
    space = text(labels, _RECORDING_SPACE) or namespace
    into.put_profile(Profile(container, put, recording, space))


def _calls(spec: dict[str, Any], container: str, key: tuple[str, str]) -> Any:
    rules = [rule for rule in entries(spec, "syscalls") if text(rule, "action") in _ALLOWED]
    names = [name for rule in rules for name in texts(rule, "names")]
    return lambda into, workload: into.put_calls(workload, container, key, names)


def _accesses(spec: dict[str, Any], container: str, key: tuple[str, str]) -> Any:
    abstract = mapping(spec, "abstract")
    files = mapping(abstract, "filesystem")
    paths = [*texts(files, "writeOnlyPaths"), *texts(files, "readWritePaths")]
    capabilities = [name.upper() for name in texts(abstract, "capability", "allowedCapabilities")]
    programs = list(texts(abstract, "executable", "allowedExecutables"))

    def put(into: Collector, workload: Workload) -> None:
        into.watch_writes(workload, container, key)
        into.put_capabilities(workload, container, key, capabilities)
        into.put_programs(workload, container, key, programs)
        for path in paths:
            stem = path
            for sign in _VARIABLE:
                stem = stem.partition(sign)[0]
            is_folder = stem != path
            # Whether a file was made or is one of the image is not told, but in folders that are there for it.
            made = is_folder or path.startswith(_SCRATCH)
            into.put_write(workload, container, key, f"{stem}x" if is_folder else path, made=made)

    return put
