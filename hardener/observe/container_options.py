"""A container of a pod as options of a container engine, as a kubelet and its runtime would start it.

What a VOLUME of an image is stays as it is in the image, as CRI-O may do; containerd puts a writable copy there.
Sources: kubernetes pkg/kubelet/kuberuntime/security_context_others.go (users), security_context.go (profiles);
containerd pkg/oci/spec_opts.go and internal/cri (capabilities, /dev/shm).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from hardener.kubernetes.objects import quantity
from hardener.kubernetes.pod_security import NEWEST, allowed_sysctls
from hardener.kubernetes.pods.capabilities import BASELINE
from hardener.observe.accepted import capability, is_id, is_user
from hardener.observe.engine import Engine
from hardener.observe.refusal import NotOfferedError, NotStartedError
from hardener.support.shapes import mapping, mappings

Map = dict[str, Any]

# What a runtime gives a container that says nothing.
DEFAULT_CAPABILITIES = (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID "
    "SYS_CHROOT"
).split()
# Bounds of what runs, whatever its manifest says.
MOST_MEMORY = 4 * 1024**3
_MOST_PROCESSES = 2048
_MOST_FILE = 2 * 1024**3
_SHARED_MEMORY = 64 * 1024**2
# An engine has settings of its own for these.
_OF_PODMAN = ["--image-volume", "ignore", "--http-proxy=false", "--env-host=false", "--systemd=false"]
_TERMINAL = {"stdin": "--interactive", "tty": "--tty"}
_LEAST_MEMORY = 6 * 1024**2  # no runtime starts anything with less


class Mount(Struct, frozen=True):
    """A volume of the engine at a path of a container, or a part of it."""

    volume: str
    path: str
    writable: bool
    part: str = ""


def options(
    engine: Engine,
    pod: Map,
    container: Map,
    user: str,
    mounts: list[Mount],
    *,
    owns_network: bool,
    profile: str | None = None,
) -> list[str]:  # fmt: skip
    """The options of ``container``, which starts as ``user``; its variables, network and names are not among them.
    ``profile`` is the file of a seccomp profile in place of that of the engine."""
    is_podman = engine.name == "podman"
    context = mapping(container.get("securityContext"))
    found = ["--user", user, *_read_only(context, is_podman=is_podman)]
    found += ["--tmpfs", f"/dev/shm:rw,nosuid,nodev,noexec,mode=1777,size={_SHARED_MEMORY}"]
    found += ["--cap-drop", "ALL", *(word for name in capabilities(context) for word in ("--cap-add", name))]
    found += _security_options(context, profile or engine.seccomp)
    found += [word for group in _groups(pod) for word in ("--group-add", str(group))]
    if owns_network:
        found += [word for name, value in _sysctls(pod).items() for word in ("--sysctl", f"{name}={value}")]
    found += [word for mount in mounts for word in _mount_option(mount, is_podman=is_podman)]
    found += _limits(mapping(mapping(container.get("resources")).get("limits")))
    found += ["--pids-limit", str(_MOST_PROCESSES), "--ulimit", f"fsize={_MOST_FILE}:{_MOST_FILE}"]
    # The health check of an image runs in no cluster; podman has systemd start it.
    found += ["--no-healthcheck", "--log-driver", "k8s-file" if is_podman else "json-file", "--log-opt", "max-size=1m"]
    found += _OF_PODMAN if is_podman else []
    return [*found, *(option for key, option in _TERMINAL.items() if container.get(key))]


def _read_only(context: Map, *, is_podman: bool) -> list[str]:
    if not context.get("readOnlyRootFilesystem"):
        return []
    return ["--read-only", "--read-only-tmpfs=false"] if is_podman else ["--read-only"]


def _security_options(context: Map, seccomp: str | None) -> list[str]:
    """The security options of a container with the security context ``context``. Without the file ``seccomp`` the
    profile of the runtime applies, which no manifest takes away."""
    found = ["--security-opt", "no-new-privileges"] if context.get("allowPrivilegeEscalation") is False else []
    return [*found, "--security-opt", f"seccomp={seccomp}"] if seccomp is not None else found


def _mount_option(mount: Mount, *, is_podman: bool) -> list[str]:
    if not mount.part:
        return ["-v", f"{mount.volume}:{mount.path}:{'rw' if mount.writable else 'ro'},nocopy"]
    key, read_only = ("subpath", ",ro=true") if is_podman else ("volume-subpath", ",readonly")
    more = "" if mount.writable else read_only
    return ["--mount", f"type=volume,src={mount.volume},dst={mount.path},{key}={mount.part}{more}"]


def command(container: Map, words: list[str], arguments: list[str], image: str) -> list[str]:
    """The end of the line: the image, and what it is told to run. ``words`` and ``arguments`` are command and args of
    ``container`` as they come out."""
    entry = ["--entrypoint", words[0] if words else ""] if container.get("command") else []
    return [*entry, image, *words[1:], *arguments]


def command_of_podman(container: Map, words: list[str], arguments: list[str], image: str) -> list[str]:
    """The same for podman, whose --entrypoint takes a list."""
    entry = ["--entrypoint", json.dumps(words)] if container.get("command") else []
    return [*entry, image, *arguments]


def user_of(pod: Map, container: Map, config: Mapping[str, Any]) -> str:
    """The user that the container starts as, by ``config`` of its image; what the kubelet checks under runAsNonRoot.

    Raises NotStartedError in the kubelet's words, NotOfferedError where the image names no user.
    """
    context = _context(pod, container)
    own = _user_of_image(config)
    user, group = context.get("runAsUser"), context.get("runAsGroup")
    if context.get("runAsNonRoot"):
        name = own.partition(":")[0] or "0"
        if user is None and not name.isdecimal():
            raise NotStartedError(f"container has runAsNonRoot and image has non-numeric user ({name})")
        if int(name if user is None else user) == 0:
            root = "container has runAsNonRoot and image will run as root"
            raise NotStartedError(root if user is None else "container's runAsUser breaks non-root policy")
    if user is None:
        # A group without a user is that of the image's own.
        return f"{own.partition(':')[0] or '0'}:{group}" if group is not None else own or "0"
    return f"{user}:{group}" if group is not None else str(user)


def _user_of_image(config: Mapping[str, Any]) -> str:
    """The user that an image starts as, "" where it says none. Raises NotOfferedError."""
    own = str(config.get("User") or "")
    if own and not is_user(own):
        raise NotOfferedError("the user of its image is no name and no number", ("image",), "take another image")
    return own


def capabilities(context: Map) -> list[str]:
    """The capabilities of a container with the security context ``context``, without CAP_: never more than a container
    may have at the Pod Security level baseline, whatever it asks for."""
    said = mapping(context.get("capabilities"))
    dropped = {capability(name) for name in said.get("drop") or []}
    added = [plain for name in said.get("add") or [] if (plain := capability(name)) in BASELINE]
    found = [] if "ALL" in dropped else [name for name in DEFAULT_CAPABILITIES if name not in dropped]
    return list(dict.fromkeys([*found, *added]))


def _context(pod: Map, container: Map) -> Map:
    return mapping(pod.get("securityContext")) | {
        key: value for key, value in mapping(container.get("securityContext")).items() if value is not None
    }


def _groups(pod: Map) -> list[int]:
    context = mapping(pod.get("securityContext"))
    groups = [*(context.get("supplementalGroups") or []), context.get("fsGroup")]
    return [group for group in groups if is_id(group)]


def _sysctls(pod: Map) -> dict[str, str]:
    # Where the pod says nothing a low port is shut, as with CRI-O; containerd may open them all.
    found = {"net.ipv4.ip_unprivileged_port_start": "1024"}
    given = mapping(pod.get("securityContext")).get("sysctls")
    allowed = allowed_sysctls(NEWEST)
    return found | {each["name"]: str(each.get("value")) for each in mappings(given) if each.get("name") in allowed}


def _limits(limits: Map) -> list[str]:
    memory, cpu = quantity.parse(limits.get("memory")), quantity.parse(limits.get("cpu"))
    most = min(int(memory), MOST_MEMORY) if memory else MOST_MEMORY
    most = max(most, _LEAST_MEMORY)
    found = ["--memory", f"{most}b", "--memory-swap", f"{most}b"]
    # docker takes no more than there are.
    return [*found, "--cpus", f"{min(max(float(cpu), 0.01), os.cpu_count() or 1):.2f}"] if cpu else found
